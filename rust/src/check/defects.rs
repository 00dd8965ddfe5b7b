//! Kinds of defects with their severities, codes and remedies, and a log of bounded size.
//!
//! The codes are part of the interface: scripts filter by them. A kind is added, never renamed.

use crate::verdict::NAME_BYTES;

/// The severity of a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is read, but is perhaps not what it was meant to be.
    Warning,
    /// Of interest, not a problem for genotok.
    Note,
}

impl Severity {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $severity:ident, $code:literal, $fix:literal;)*) => {
        /// The kinds of defects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DefectKind {
            $($(#[$doc])* $kind,)*
        }

        impl DefectKind {
            /// All of them, errors first.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its severity.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }

            /// Its name for programs.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// The remedy, unless the case has a better one.
            pub(crate) const fn fix(self) -> &'static str {
                match self { $(Self::$kind => $fix,)* }
            }
        }
    };
}

kinds! {
    /// The system refuses to read it.
    Unreadable, Error, "unreadable", "see that it exists and may be read";
    /// No byte, or none but white space.
    Empty, Error, "empty", "make or fetch it again";
    /// Cut short, damaged, followed by something else, or in a format that is not unpacked.
    Compression, Error, "compression", "fetch the file again";
    /// UTF-16 text.
    Utf16, Error, "utf-16", "save it as plain ASCII text";
    /// Something else altogether; it is not read further.
    NotSequences, Error, "not-sequences", "is this a sequence file?";
    /// Something stands before the first record.
    TextBeforeRecord, Error, "text-before-record", "remove what stands before the first `>` or `@`";
    /// White space before `>` or `@`.
    SpaceBeforeTitle, Error, "space-before-title", "remove the white space before it";
    /// A comment.
    CommentLine, Error, "comment-line", "comment lines are not part of FASTA, remove them";
    /// A title of more than a mebibyte.
    EndlessTitle, Error, "endless-title", "is this a sequence file?";
    /// A zero byte in a title.
    NulInTitle, Error, "nul-in-title", "this is not a text file, or it is damaged; fetch it again";
    /// A title in the middle of a sequence line.
    MissingLineEnd, Error, "missing-line-end", "a line end is missing before it; files may have been joined that did \
        not end with one";
    /// A digit.
    Digit, Error, "digit", "numbers beside a sequence belong to GenBank or EMBL format, convert the file to FASTA";
    /// A zero byte.
    Nul, Error, "nul", "this is not a text file, or it is damaged; fetch it again";
    /// A byte that is not ASCII.
    NotAscii, Error, "not-ascii", "save the file as plain ASCII text";
    /// CR inside a line of a file with LF, or the reverse.
    StrayLineEnd, Error, "stray-line-end", "the file mixes line ends, perhaps because files of two systems were joined; \
        make them all LF: `mac2unix` for CR, `dos2unix` for CR LF";
    /// Any other byte that is no symbol of a sequence.
    NotASymbol, Error, "not-a-letter", "a sequence has symbols A to Z, `-`, `.` and `*` only";
    /// White space in the sequence of a FASTQ record.
    SpaceInRead, Error, "space-in-read", "remove it: in FASTQ each symbol has a quality";
    /// A residue that no nucleotide code has; training refuses it.
    Protein, Error, "protein", "no nucleotide code has this symbol; correct it, or leave the record out";
    /// Records without a single symbol; training refuses the file.
    NoSymbols, Error, "no-letters", "is the file cut short?";
    /// More unknown symbols than are allowed; training refuses the file.
    ManyUnknown, Error, "many-unknown", "is this a file of DNA?";
    /// No base in any of the files; training refuses them.
    NoBases, Error, "no-bases", "is this the right file?";
    /// FASTQ: no plus line between sequence and next title.
    MissingPlus, Error, "missing-plus", "restore the `+` line and the quality, or remove the record";
    /// FASTQ: no title where one is due.
    MissingTitle, Error, "missing-title", "lines are missing or out of order: fix the record before it, or remove it";
    /// FASTQ: another title after the plus sign.
    OtherTitle, Error, "other-title", "lines are missing or out of order; a bare `+` suffices";
    /// FASTQ: sequence and quality differ in length.
    QualityLength, Error, "quality-length", "lines are missing or cut: fix the record, or remove it";
    /// FASTQ: a byte that is no quality.
    QualityByte, Error, "quality-byte", "a quality is a byte from `!` to `~`";
    /// FASTQ: the last record is not complete.
    CutRecord, Error, "cut-record", "the file is probably cut short, fetch it again";
    /// A name that an earlier record has.
    DuplicateName, Warning, "duplicate-name", "give each record another name";
    /// A title without a name.
    EmptyName, Warning, "empty-name", "write a name right after the `>` or `@`";
    /// A record without a symbol.
    EmptyRecord, Warning, "empty-record", "is its sequence missing?";
    /// LF alone and CR LF in one file.
    MixedLineEnds, Warning, "mixed-line-ends", "make them all LF, as `dos2unix` does";
    /// An empty line inside a record or between FASTQ records.
    BlankLine, Warning, "blank-line", "remove it: many programs take it for the end";
    /// White space in a FASTA sequence.
    SpaceInSequence, Warning, "space-in-sequence", "it is skipped here; other programs may take it for sequence";
    /// U.
    Rna, Warning, "rna", "U is no base of DNA and separates words; write T if this is to count as DNA";
    /// Gaps of an alignment.
    Gap, Warning, "gap", "this looks like an alignment; remove the gaps to have the sequences";
    /// A title of more than 10,000 bytes.
    LongTitle, Warning, "long-title", "is a line end missing after the title?";
    /// A BGZF file without its end marker, accepted by the environment.
    NoEndMarker, Warning, "no-end-marker", "it may be cut short at the border of a block; make a new one with bgzip";
    /// A UTF-8 byte-order mark.
    ByteOrderMark, Warning, "byte-order-mark", "save the file without it: most programs refuse it";
    /// FASTA lines of different widths in one record.
    UnevenLines, Note, "uneven-lines", "`samtools faidx` wants all lines of a record but the last of one width";
    /// The last line has no end.
    NoFinalLineEnd, Note, "no-final-line-end", "files joined to it run together; add a line end";
    /// More names than are compared for duplicates.
    NamesNotTracked, Note, "names-not-tracked", "duplicate names beyond this record are not found";
}

/// A position in the unpacked text of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPosition {
    /// From 1.
    pub line: u64,
    /// In bytes, from 1; none if the defect is that of the line.
    pub column: Option<u64>,
    /// Bytes of text before it.
    pub offset: u64,
}

/// One defect of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDefect {
    /// Its kind.
    pub kind: DefectKind,
    /// Its position; none if it is a defect of the file as a whole.
    pub place: Option<TextPosition>,
    /// The name of the record it is in, where that is known.
    pub record: Option<String>,
    /// What was found.
    pub what: String,
    /// The remedy.
    pub fix: String,
}

/// The defects of a file: all are counted, the first of each kind kept.
#[derive(Debug)]
pub(crate) struct DefectLog {
    limit: usize,
    counts: Vec<u64>,
    defects: Vec<FileDefect>,
}

impl DefectLog {
    /// Keeps at most `limit` defects of a kind.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, counts: vec![0; DefectKind::ALL.len()], defects: Vec::new() }
    }

    /// Counts a defect, and keeps it if it is among the first of its kind. `what` is called only then: a file of random
    /// bytes has millions of defects.
    pub(crate) fn add(
        &mut self,
        kind: DefectKind,
        place: Option<TextPosition>,
        record: Option<&[u8]>,
        what: impl FnOnce() -> String,
    ) {
        self.add_with_fix(kind, place, record, || (what(), kind.fix().to_owned()));
    }

    /// [`add`](Self::add) with a remedy for this case: `texts` returns the finding and the remedy.
    pub(crate) fn add_with_fix(
        &mut self,
        kind: DefectKind,
        place: Option<TextPosition>,
        record: Option<&[u8]>,
        texts: impl FnOnce() -> (String, String),
    ) {
        let count = &mut self.counts[kind as usize];
        *count += 1;
        if *count <= self.limit as u64 {
            let (what, fix) = texts();
            let record = record.map(shorten);
            self.defects.push(FileDefect { kind, place, record, what, fix });
        }
    }

    /// Forgets all defects.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// How many defects of a kind there are.
    pub(crate) fn count(&self, kind: DefectKind) -> u64 {
        self.counts[kind as usize]
    }

    /// Whether there is an error.
    pub(crate) fn has_error(&self) -> bool {
        DefectKind::ALL.iter().any(|&kind| kind.severity() == Severity::Error && self.count(kind) > 0)
    }

    /// Replaces the remedy of all defects of a kind.
    pub(crate) fn replace_fix(&mut self, kind: DefectKind, fix: &str) {
        for defect in self.defects.iter_mut().filter(|defect| defect.kind == kind) {
            fix.clone_into(&mut defect.fix);
        }
    }

    /// The kept defects by position, those of the file as a whole last; and the count of each kind that occurs.
    pub(crate) fn finish(mut self) -> (Vec<FileDefect>, Vec<(DefectKind, u64)>) {
        self.defects.sort_by_key(|defect| defect.place.map_or(u64::MAX, |place| place.offset));
        let counts = DefectKind::ALL.iter().map(|&kind| (kind, self.counts[kind as usize]));
        (self.defects, counts.filter(|&(_, count)| count > 0).collect())
    }
}

/// A record's name, at most [`NAME_BYTES`] of it.
fn shorten(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(NAME_BYTES)]).into_owned()
}
