//! What people give a sequence reader by mistake, and what to tell them.

use memchr::memchr;

use crate::error::quote;

/// Beginnings of files that are taken for FASTA by mistake, and what to do.
const MISTAKEN: [(&[u8], &str); 17] = [
    (b"<?xml", "this looks like XML; download the sequence as FASTA"),
    (b"<", "this looks like a web page (HTML or XML); download the file itself"),
    (b"version https://git-lfs", "this is a Git LFS pointer and not the file; fetch it with `git lfs pull`"),
    (b"##gff", "this looks like GFF, which has annotation and no sequence"),
    (b"##fileformat=VCF", "this looks like VCF, which has variants and no sequence"),
    (b"LOCUS", "this looks like GenBank format; convert it to FASTA"),
    (b"ID ", "this looks like EMBL format; convert it to FASTA"),
    (b"BAM\x01", "this is a BAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"CRAM", "this is a CRAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"\x43\x27\x41\x1a", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x1a\x41\x27\x43", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x1f\x8b", "it is compressed twice; unpack it once"),
    (b"GENOTOK\x1a", "this is a packed corpus of genotok and holds no FASTA"),
    (b"%PDF", "this is a PDF document"),
    (b"{", "this looks like JSON"),
    (b"[", "this looks like JSON"),
    (b"\0", "this is not a text file"),
];

/// Where a zero byte shows that a file is no text.
const BEGINNING_BYTES: usize = 512;

/// What a file is that begins with `head`, and what to do, if that is certain and it is no sequence file.
pub(crate) fn recognise(head: &[u8]) -> Option<&'static str> {
    let known = MISTAKEN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, hint)| *hint);
    let beginning = &head[..head.len().min(BEGINNING_BYTES)];
    known.or_else(|| memchr(0, beginning).map(|_| "this is not a text file"))
}

/// Whether a line that begins with `byte` is meant as a comment.
pub(crate) fn is_comment(byte: u8) -> bool {
    matches!(byte, b';' | b'#')
}

pub(crate) const COMMENT: &str = "comment lines are not part of FASTA, remove them";

/// A guess at what a file is that begins with `head` and is no sequence file, and what to do.
pub(crate) fn hint_for_file(head: &[u8]) -> &'static str {
    recognise(head).unwrap_or_else(|| {
        let line = first_line(head);
        match line {
            [byte, ..] if is_comment(*byte) => COMMENT,
            _ if line.iter().all(u8::is_ascii_alphabetic) => {
                "a line `>name` has to stand before the sequence"
            }
            _ => "is this a sequence file?",
        }
    })
}

fn first_line(head: &[u8]) -> &[u8] {
    head.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or(head)
}

/// Why there is CR or LF where none may be, and what to do.
pub(crate) const MIXED: &str = "the file mixes line ends, perhaps because files of two systems were joined; make them \
                                all LF: `mac2unix` for CR, `dos2unix` for CR LF";

/// A guess at why `byte` stands where a FASTQ title is due.
pub(crate) fn hint_for_title(byte: u8) -> &'static str {
    match byte {
        b'@' => "remove the white space before it",
        b'\n' => MIXED,
        DOS_END => DOS,
        _ => "perhaps the quality above is longer than its sequence",
    }
}

/// A guess at how `byte` came into a sequence, as the end of a message. `first` says that it is the first of its line,
/// `fastq` in which format.
pub(crate) fn hint_for_letter(byte: u8, first: bool, fastq: bool) -> &'static str {
    match byte {
        b'>' if !fastq => "a line end is missing before it",
        b'@' if fastq && first => "the record above has no `+` line and no quality",
        b';' | b'#' if first => "comment lines are not part of FASTA, remove them",
        b'\r' | b'\n' => MIXED,
        b' ' | b'\t' => "FASTQ allows no white space in a sequence",
        b'0'..=b'9' => {
            "numbers beside a sequence belong to GenBank or EMBL format, convert the file to FASTA"
        }
        0 => "this is not a text file",
        DOS_END => DOS,
        0xef if first => {
            "this may be a byte-order mark of UTF-8, of a file that was joined to another; remove it"
        }
        0x80.. => "this is not plain ASCII text",
        _ => "",
    }
}

/// Whether the title of a first record is a line of the header of SAM: two capitals, a tab, and fields.
pub(crate) fn looks_like_sam(title: &[u8]) -> bool {
    matches!(title, [a, b, b'\t', ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase())
}

pub(crate) const SAM: &str = "this looks like SAM; use `samtools fasta FILE | genotok ... -`";

/// The byte that ends a text in CP/M and DOS: Ctrl-Z.
const DOS_END: u8 = 0x1a;
const DOS: &str = "this is the end-of-file mark of DOS, remove it";

/// At most 60 bytes of `text`, quoted, fit for a message of one line.
pub(crate) fn show_text(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 60;
    let mut end = text.len().min(SHOWN_BYTES);
    while end < text.len() && end > 0 && text[end] & 0xc0 == 0x80 {
        end -= 1; // inside a character
    }
    let shown = quote(&String::from_utf8_lossy(&text[..end]));
    format!("{shown}{}", if text.len() > end { "..." } else { "" })
}
