//! The reader's state machine, continued after defects: what both formats share, and FASTA.
//!
//! The linter sees text in two ways. [`Linter::even_lines`] takes the usual lines, as wide as the one before and A to Z
//! only, many at a time; anything else goes through [`Linter::sequence`] line by line, or in parts of a line longer than
//! the buffer. The invariants between calls: `record` describes the record whose title is `text.title`; all symbols before
//! the text's position are counted, in `counter` and in `record`; and every defect before it is in `log`. So a defect can
//! be reported from any state, with the position of the next byte.
//!
//! Two properties are known only later, and are therefore noted and reported with the line that decides: an empty line is
//! a defect if sequence follows it in the record (at the end of a record it is common), and a line narrower than the first
//! is one if another follows (the last may be shorter). A file that mixes line ends is reported once, at the first line
//! that differs.

use memchr::memchr;

use super::defects::{DefectKind, DefectLog, Severity, TextPosition};
use super::records::{LengthHistogram, MAX_NAMES, Name, Names};
use super::report::CheckReport;
use super::symbols::{Finding, SymbolCounter};
use crate::error::{Result, show_byte};
use crate::io::fasta::mistakes::{is_comment, show_text};
use crate::io::fasta::text::titles::{TITLE_BYTES, TitleFault, split_title};
use crate::io::fasta::text::{LinePart, SequenceText, is_blank};
use crate::monitor::Monitor;
use crate::verdict;

/// Bytes of a title above which a line end may be missing after it.
const LONG_TITLE_BYTES: usize = 10_000;

/// A file being checked, and what is known of it so far.
pub(super) struct Linter<'a> {
    pub(super) text: SequenceText,
    pub(super) log: DefectLog,
    pub(super) record: Record,
    monitor: &'a Monitor,
    /// The share of unknown symbols that the file may have.
    allow_unknown: f64,
    counter: SymbolCounter,
    records: u64,
    names: Names,
    lengths: LengthHistogram,
    line_ends: LineEnds,
    /// Symbols and bytes already reported to the monitor.
    reported: (u64, u64),
}

/// The record that is read.
#[derive(Default)]
pub(super) struct Record {
    /// Whether a title was read and the record is not over: defects are then reported under its name.
    pub(super) is_open: bool,
    /// The position of the title's line.
    pub(super) place: Option<TextPosition>,
    pub(super) symbols: u64,
    /// FASTQ: bytes in sequence lines, whether symbols or not; each may have a quality.
    pub(super) bytes: u64,
    /// An empty line, a defect if more sequence follows.
    blank: Option<TextPosition>,
    /// The width of the first line; whether a narrower line came, which must be the last; whether that is reported.
    width: u64,
    narrower: bool,
    uneven: bool,
}

/// Which line ends occur in the file.
#[derive(Default)]
struct LineEnds {
    /// Whether lines end with LF alone, and whether lines end with CR before it.
    plain: bool,
    returns: bool,
    is_reported: bool,
}

impl<'a> Linter<'a> {
    /// A linter before the first byte of `text`.
    pub(super) fn new(text: SequenceText, log: DefectLog, allow_unknown: f64, monitor: &'a Monitor) -> Self {
        Self {
            text,
            log,
            record: Record::default(),
            monitor,
            allow_unknown,
            counter: SymbolCounter::default(),
            records: 0,
            names: Names::default(),
            lengths: LengthHistogram::default(),
            line_ends: LineEnds::default(),
            reported: (0, 0),
        }
    }

    /// The position of the next byte.
    pub(super) fn place(&self) -> TextPosition {
        let column = Some(self.text.column + 1);
        TextPosition { line: self.text.line, column, offset: self.text.offset() }
    }

    /// The position of the line of the next byte, as a defect of the line.
    pub(super) fn this_line(&self) -> TextPosition {
        let offset = self.text.offset() - self.text.column;
        TextPosition { line: self.text.line, column: None, offset }
    }

    /// Logs a defect of the open record.
    pub(super) fn add(&mut self, kind: DefectKind, place: TextPosition, what: impl FnOnce() -> String) {
        let name = self.record.is_open.then(|| split_title(&self.text.title).0);
        self.log.add(kind, Some(place), name, what);
    }

    /// The name of the open record, quoted for a message.
    pub(super) fn name(&self) -> String {
        self.text.name()
    }

    /// Records so far, the open one included.
    pub(super) fn num_records(&self) -> u64 {
        self.records
    }

    /// Reports progress to the monitor, and fails if it was cancelled. Called once per step.
    pub(super) fn watch(&mut self) -> Result<()> {
        let bytes = self.text.source.bytes_read();
        if bytes != self.reported.1 {
            let symbols = self.counter.total();
            self.monitor.add_bases(symbols - self.reported.0);
            self.monitor.add_bytes(bytes - self.reported.1);
            self.reported = (symbols, bytes);
        }
        self.monitor.check()
    }

    /// Checks the rest of a FASTA file. Each turn consumes a title, a comment, even lines or a part of a line.
    pub(super) fn fasta(&mut self) -> Result<()> {
        if self.text.column > 0 {
            self.indented_title()?;
        }
        while let Some(byte) = self.text.peek()? {
            if self.text.column == 0 && byte == b'>' {
                self.title()?;
            } else if self.text.column == 0 && is_comment(byte) {
                self.comment(byte)?;
            } else if !self.even_lines() {
                let Some(part) = self.text.part()? else { break };
                self.fasta_line(&part)?;
            }
            self.watch()?;
        }
        self.end_record();
        Ok(())
    }

    /// Checks a line, or a part of one, that differs from the line before. A `>` inside it starts a record.
    fn fasta_line(&mut self, part: &LinePart) -> Result<()> {
        let content = self.text.symbols(part.content.clone());
        let Some(mark) = memchr(b'>', content) else {
            self.sequence(part, false);
            return Ok(());
        };
        let is_indented = self.text.column == 0 && content[..mark].iter().all(|&byte| is_blank(byte));
        let before =
            LinePart { content: part.content.start..part.content.start + mark, returns: 0, ends: false };
        if is_indented {
            self.text.take(&before);
            return self.indented_title();
        }
        self.sequence(&before, false);
        let place = self.place();
        self.add(DefectKind::MissingLineEnd, place, || {
            "found `>` in the middle of a sequence line".to_owned()
        });
        self.title()
    }

    /// Reports white space before a title, and reads that.
    fn indented_title(&mut self) -> Result<()> {
        let place = self.this_line();
        self.log.add(DefectKind::SpaceBeforeTitle, Some(place), None, || {
            "found white space before `>`".to_owned()
        });
        self.title()
    }

    /// Reads a title: ends the record before it and opens the next.
    pub(super) fn title(&mut self) -> Result<()> {
        self.end_record();
        let place = self.this_line();
        self.record = Record { is_open: true, place: Some(place), ..Record::default() };
        let fault = self.text.read_title()?;
        if let Some(fault) = fault {
            self.title_fault(place, fault)?;
        }
        self.records += 1;
        if fault == Some(TitleFault::TooLong) {
            self.text.title.clear();
            return Ok(());
        }
        if self.text.column == 0 {
            self.line_end(self.text.returned, place);
        }
        self.check_title(place);
        Ok(())
    }

    /// Reports the fault of a title on the line at `place`, and skips the rest of the line.
    pub(super) fn title_fault(&mut self, place: TextPosition, fault: TitleFault) -> Result<()> {
        match fault {
            TitleFault::TooLong => self.log.add(DefectKind::EndlessTitle, Some(place), None, || {
                format!("a title is longer than {} MiB", TITLE_BYTES >> 20)
            }),
            TitleFault::Byte(byte, column) => {
                let kind = if byte == 0 { DefectKind::NulInTitle } else { DefectKind::StrayLineEnd };
                let place = TextPosition { column: Some(column + 1), offset: place.offset + column, ..place };
                self.add(kind, place, || format!("found {} in a title", show_byte(byte)));
            }
        }
        if self.text.column > 0 {
            self.text.skip_line()?;
        }
        Ok(())
    }

    /// Reports defects of the title just read: no name, a name used before, an improbable length.
    fn check_title(&mut self, place: TextPosition) {
        let (name, description) = split_title(&self.text.title);
        let (length, found) = (self.text.title.len(), self.names.add(name, description, place.line));
        if name.is_empty() {
            self.add(DefectKind::EmptyName, place, || "the record has no name".to_owned());
            return;
        }
        match found {
            Name::Repeated(first) => {
                let name = self.name();
                self.add(DefectKind::DuplicateName, place, || {
                    format!("the name {name} was used before, on line {first}")
                });
            }
            Name::NotTracked if self.log.count(DefectKind::NamesNotTracked) == 0 => {
                self.add(DefectKind::NamesNotTracked, place, || {
                    format!("there are more than {MAX_NAMES} names, the limit for finding duplicates")
                });
            }
            Name::New | Name::NotTracked => {}
        }
        if length > LONG_TITLE_BYTES {
            self.add(DefectKind::LongTitle, place, || format!("the title has {length} bytes"));
        }
    }

    /// Opens a record whose title was first taken for quality.
    pub(super) fn reopen(&mut self, place: TextPosition, title: Vec<u8>) {
        self.record = Record { is_open: true, place: Some(place), ..Record::default() };
        self.text.title = title;
        self.records += 1;
        self.check_title(place);
    }

    /// Closes the open record, if there is one.
    pub(super) fn end_record(&mut self) {
        if let Some(place) = self.record.place.take() {
            if self.record.symbols == 0 {
                self.add(DefectKind::EmptyRecord, place, || "the record has no sequence".to_owned());
            }
            self.lengths.add(self.record.symbols);
        }
        self.record.is_open = false;
    }

    /// Reports a comment line and skips it.
    fn comment(&mut self, byte: u8) -> Result<()> {
        let place = self.this_line();
        self.add(DefectKind::CommentLine, place, || {
            format!("found a line that begins with {}", show_byte(byte))
        });
        self.text.skip_line()
    }

    /// Takes sequence lines of the usual kind: A to Z only, as wide as the last. False if none is next.
    ///
    /// Their positions follow from the width, so a line is inspected only if the lines together are not plain. One line end
    /// and two widths stand for all of them.
    pub(super) fn even_lines(&mut self) -> bool {
        if self.text.column > 0 {
            return false;
        }
        let first = self.this_line();
        let Some((span, width)) = self.text.even_lines() else { return false };
        let symbols = self.text.symbols(span);
        let num_lines = symbols.len() / width;
        let num_symbols = symbols.len() as u64;
        let mut findings: Vec<(TextPosition, Finding)> = Vec::new();
        if !self.counter.add_plain(symbols) {
            for (number, line) in (0..).zip(symbols.chunks(width)) {
                let offset = first.offset + number * (width as u64 + 1);
                let place = TextPosition { line: first.line + number, column: None, offset };
                // These lines hold A to Z only, so the format makes no difference.
                let (_, found) = self.counter.inspect(line, true);
                findings.extend(found.into_iter().map(|finding| (place, finding)));
            }
        }
        self.record.symbols += num_symbols;
        self.record.bytes += num_symbols;
        for (place, finding) in findings {
            self.complain(place, 0, finding);
        }
        for _ in 0..num_lines.min(2) {
            self.line_width(width as u64, first);
        }
        self.line_end(false, first);
        true
    }

    /// Takes a part of a sequence line with any content.
    pub(super) fn sequence(&mut self, part: &LinePart, fastq: bool) {
        let (place, column) = (self.this_line(), self.text.column);
        let content = self.text.symbols(part.content.clone());
        let length = content.len() as u64;
        let mut symbols = length;
        let mut findings = Vec::new();
        let is_plain = self.counter.add_plain(content);
        if !is_plain {
            (symbols, findings) = self.counter.inspect(content, fastq);
        }
        let is_blank_line = column == 0 && content.iter().all(|&byte| is_blank(byte));
        self.record.symbols += symbols;
        self.record.bytes += length;
        self.text.take(part);
        if is_blank_line && !findings.iter().any(|finding| finding.kind == DefectKind::SpaceInRead) {
            self.record.blank = self.record.blank.or(part.ends.then_some(place));
        } else {
            let is_bad = findings.iter().any(|finding| finding.kind.severity() == Severity::Error);
            findings.into_iter().for_each(|finding| self.complain(place, column, finding));
            if part.ends && !is_bad {
                self.line_width(column + length, place);
            }
        }
        if part.ends {
            self.line_end(part.returns > 0, place);
        }
    }

    /// Logs a finding in a line of which `column` bytes came before the inspected part.
    fn complain(&mut self, line: TextPosition, column: u64, finding: Finding) {
        let column = column + finding.at as u64;
        let place = TextPosition { column: Some(column + 1), offset: line.offset + column, ..line };
        self.add(finding.kind, place, || {
            let found = match finding.byte {
                b' ' => "a space".to_owned(),
                b'\t' => "a tab".to_owned(),
                byte => show_byte(byte),
            };
            match finding.count - 1 {
                0 => format!("found {found} in the sequence"),
                more => format!("found {found} in the sequence, and {more} more of the kind in this line"),
            }
        });
    }

    /// Compares the width of a sequence line with those before it. A narrower line is a defect once another follows.
    fn line_width(&mut self, width: u64, place: TextPosition) {
        if let Some(blank) = self.record.blank.take() {
            self.add(DefectKind::BlankLine, blank, || "found an empty line inside a record".to_owned());
        }
        let record = &mut self.record;
        if record.width == 0 {
            record.width = width;
        } else if width > record.width || record.narrower {
            let first = record.width;
            if !std::mem::replace(&mut record.uneven, true) {
                self.add(DefectKind::UnevenLines, place, || {
                    format!(
                        "the lines of this record differ in width: first {first} symbols, then another width"
                    )
                });
            }
        } else {
            record.narrower = width < record.width;
        }
    }

    /// Compares a line's end with those before it.
    pub(super) fn line_end(&mut self, has_return: bool, place: TextPosition) {
        let seen = &mut self.line_ends;
        seen.plain |= !has_return;
        seen.returns |= has_return;
        if seen.plain && seen.returns && !std::mem::replace(&mut seen.is_reported, true) {
            let (this, others) = if has_return { ("CR LF", "LF alone") } else { ("LF alone", "CR LF") };
            self.log.add(DefectKind::MixedLineEnds, Some(place), None, || {
                format!("this line ends with {this}, those before it with {others}")
            });
        }
    }

    /// Completes the report, after the whole file or as much of it as could be read: defects of the file as a whole,
    /// counts and lengths.
    pub(super) fn finish(mut self, mut report: CheckReport) -> CheckReport {
        if self.text.column > 0 && self.records > 0 && report.is_complete {
            let place = self.place();
            self.log
                .add(DefectKind::NoFinalLineEnd, Some(place), None, || "the last line has no end".to_owned());
        }
        let composition = self.counter.finish();
        if self.text.source.input().is_unmarked() && report.is_complete {
            self.log.add(DefectKind::NoEndMarker, None, None, || "the BGZF end marker is missing".to_owned());
        }
        if self.records > 0 && composition.total() == 0 && report.is_complete {
            let records = self.records;
            self.log.add(DefectKind::NoSymbols, None, None, || format!("no symbol in its {records} records"));
        }
        let tally = composition.tally();
        let is_refused = composition.amino_acids == 0 && tally.is_refused(self.allow_unknown);
        if let Some(what) = tally.describe().filter(|_| is_refused) {
            let fix = verdict::override_of(self.allow_unknown);
            self.log.add_with_fix(DefectKind::ManyUnknown, None, None, || (what, fix));
        }
        if composition.looks_like_protein() {
            self.log.replace_fix(DefectKind::Protein, "this looks like protein, and genotok reads DNA");
        }
        report.compression = self.text.source.input().compression();
        report.bytes = self.text.source.bytes_read();
        report.text_bytes = self.text.offset();
        report.lines = self.text.line - u64::from(self.text.column == 0);
        report.records = self.records;
        report.composition = composition;
        report.lengths = self.lengths.summary();
        (report.defects, report.counts) = self.log.finish();
        report
    }
}

/// Text of a file, quoted and shortened for a message.
pub(super) fn quote(text: &[u8]) -> String {
    show_text(text)
}
