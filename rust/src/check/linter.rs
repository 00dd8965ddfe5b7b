//! The state machine of the reader, but one that goes on: what both formats share, and FASTA.

use memchr::memchr;

use super::defects::{Kind, Log, Place, Severity};
use super::letters::{Counter, Finding};
use super::records::{Lengths, MOST_NAMES, Name, Names};
use super::report::Report;
use crate::error::{Result, show_byte};
use crate::io::fasta::mistakes::{is_comment, show_text};
use crate::io::fasta::text::titles::{TITLE_BYTES, TitleFault, split_title};
use crate::io::fasta::text::{Part, Text, is_blank};
use crate::monitor::Monitor;
use crate::verdict;

/// A title longer than this is worth a look.
const LONG_TITLE_BYTES: usize = 10_000;

/// What is known of a file so far.
pub(super) struct Linter<'a> {
    pub(super) text: Text,
    pub(super) log: Log,
    pub(super) record: Record,
    monitor: &'a Monitor,
    /// The share of unknown symbols that a file may have.
    allow_unknown: f64,
    counter: Counter,
    records: u64,
    names: Names,
    lengths: Lengths,
    line_ends: LineEnds,
    /// What the monitor was told: letters and bytes.
    told: (u64, u64),
}

/// The open record.
#[derive(Default)]
pub(super) struct Record {
    pub(super) is_open: bool,
    /// The title's line.
    pub(super) place: Option<Place>,
    pub(super) letters: u64,
    /// FASTQ: bytes in sequence lines, letters or not.
    pub(super) bytes: u64,
    /// An empty line, which is inside the record if more lines follow.
    blank: Option<Place>,
    /// The width of the first line; whether a narrower one came; whether that was told.
    width: u64,
    narrower: bool,
    uneven: bool,
}

/// Which line ends occur.
#[derive(Default)]
struct LineEnds {
    /// Lines that end with LF alone, and with CR before it.
    plain: bool,
    returns: bool,
    told: bool,
}

impl<'a> Linter<'a> {
    pub(super) fn new(text: Text, log: Log, allow_unknown: f64, monitor: &'a Monitor) -> Self {
        Self {
            text,
            log,
            record: Record::default(),
            monitor,
            allow_unknown,
            counter: Counter::default(),
            records: 0,
            names: Names::default(),
            lengths: Lengths::default(),
            line_ends: LineEnds::default(),
            told: (0, 0),
        }
    }

    /// Where the next byte is.
    pub(super) fn place(&self) -> Place {
        let column = Some(self.text.column + 1);
        Place { line: self.text.line, column, offset: self.text.offset() }
    }

    /// The line of the next byte.
    pub(super) fn this_line(&self) -> Place {
        let offset = self.text.offset() - self.text.column;
        Place { line: self.text.line, column: None, offset }
    }

    /// Logs a defect of the record that is open.
    pub(super) fn add(&mut self, kind: Kind, place: Place, what: impl FnOnce() -> String) {
        let name = self.record.is_open.then(|| split_title(&self.text.title).0);
        self.log.add(kind, Some(place), name, what);
    }

    /// The name of the open record, fit for a message.
    pub(super) fn name(&self) -> String {
        self.text.name()
    }

    /// Records begun so far.
    pub(super) fn num_records(&self) -> u64 {
        self.records
    }

    /// Tells the monitor, and fails if it was cancelled.
    pub(super) fn watch(&mut self) -> Result<()> {
        let bytes = self.text.input.bytes_read();
        if bytes != self.told.1 {
            let letters = self.counter.total();
            self.monitor.add_bases(letters - self.told.0);
            self.monitor.add_bytes(bytes - self.told.1);
            self.told = (letters, bytes);
        }
        self.monitor.check()
    }

    /// Checks the rest of a FASTA file.
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

    /// A line, or a part of one, that is not like the one before.
    fn fasta_line(&mut self, part: &Part) -> Result<()> {
        let content = self.text.letters(part.content.clone());
        let Some(mark) = memchr(b'>', content) else {
            self.sequence(part, false);
            return Ok(());
        };
        let is_indented = self.text.column == 0 && content[..mark].iter().all(|&byte| is_blank(byte));
        let before = Part { content: part.content.start..part.content.start + mark, returns: 0, ends: false };
        if is_indented {
            self.text.take(&before);
            return self.indented_title();
        }
        self.sequence(&before, false);
        let place = self.place();
        self.add(Kind::MissingLineEnd, place, || "found `>` in the middle of a sequence line".to_owned());
        self.title()
    }

    /// Reports white space before a title, and reads that.
    fn indented_title(&mut self) -> Result<()> {
        let place = self.this_line();
        self.log.add(Kind::SpaceBeforeTitle, Some(place), None, || "found white space before `>`".to_owned());
        self.title()
    }

    /// Reads a title, ends the record before it and opens the next.
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

    /// Reports what is wrong with the title on the line at `place`, and skips what is left of the line.
    pub(super) fn title_fault(&mut self, place: Place, fault: TitleFault) -> Result<()> {
        match fault {
            TitleFault::TooLong => self.log.add(Kind::EndlessTitle, Some(place), None, || {
                format!("a title is longer than {} MiB", TITLE_BYTES >> 20)
            }),
            TitleFault::Byte(byte, column) => {
                let kind = if byte == 0 { Kind::NulInTitle } else { Kind::StrayLineEnd };
                let place = Place { column: Some(column + 1), offset: place.offset + column, ..place };
                self.add(kind, place, || format!("found {} in a title", show_byte(byte)));
            }
        }
        if self.text.column > 0 {
            self.text.skip_line()?;
        }
        Ok(())
    }

    fn check_title(&mut self, place: Place) {
        let (name, description) = split_title(&self.text.title);
        let (length, found) = (self.text.title.len(), self.names.add(name, description, place.line));
        if name.is_empty() {
            self.add(Kind::EmptyName, place, || "the record has no name".to_owned());
            return;
        }
        match found {
            Name::Repeated(first) => {
                let name = self.name();
                self.add(Kind::DuplicateName, place, || {
                    format!("the name {name} was used before, on line {first}")
                });
            }
            Name::NotTracked if self.log.count(Kind::NamesNotTracked) == 0 => {
                self.add(Kind::NamesNotTracked, place, || {
                    format!("there are more than {MOST_NAMES} names, the most that are kept")
                });
            }
            Name::New | Name::NotTracked => {}
        }
        if length > LONG_TITLE_BYTES {
            self.add(Kind::LongTitle, place, || format!("the title has {length} bytes"));
        }
    }

    /// Opens a record whose title was taken for something else.
    pub(super) fn reopen(&mut self, place: Place, title: Vec<u8>) {
        self.record = Record { is_open: true, place: Some(place), ..Record::default() };
        self.text.title = title;
        self.records += 1;
        self.check_title(place);
    }

    /// Closes the open record.
    pub(super) fn end_record(&mut self) {
        if let Some(place) = self.record.place.take() {
            if self.record.letters == 0 {
                self.add(Kind::EmptyRecord, place, || "the record has no sequence".to_owned());
            }
            self.lengths.add(self.record.letters);
        }
        self.record.is_open = false;
    }

    /// Reports a comment line and skips it.
    fn comment(&mut self, byte: u8) -> Result<()> {
        let place = self.this_line();
        self.add(Kind::CommentLine, place, || format!("found a line that begins with {}", show_byte(byte)));
        self.text.skip_line()
    }

    /// Takes sequence lines of the usual kind: letters only, as wide as the last. False if none is next.
    pub(super) fn even_lines(&mut self) -> bool {
        if self.text.column > 0 {
            return false;
        }
        let first = self.this_line();
        let Some((span, width)) = self.text.even_lines() else { return false };
        let letters = self.text.letters(span);
        let num_lines = letters.len() / width;
        let num_letters = letters.len() as u64;
        let mut findings: Vec<(Place, Finding)> = Vec::new();
        if !self.counter.add_plain(letters) {
            for (number, line) in (0..).zip(letters.chunks(width)) {
                let offset = first.offset + number * (width as u64 + 1);
                let place = Place { line: first.line + number, column: None, offset };
                // Only letters are in these lines, so that the format makes no difference.
                let (_, found) = self.counter.inspect(line, true);
                findings.extend(found.into_iter().map(|finding| (place, finding)));
            }
        }
        self.record.letters += num_letters;
        self.record.bytes += num_letters;
        for (place, finding) in findings {
            self.complain(place, 0, finding);
        }
        for _ in 0..num_lines.min(2) {
            self.line_width(width as u64, first);
        }
        self.line_end(false, first);
        true
    }

    /// Takes a part of a sequence line, whatever is in it.
    pub(super) fn sequence(&mut self, part: &Part, fastq: bool) {
        let (place, column) = (self.this_line(), self.text.column);
        let content = self.text.letters(part.content.clone());
        let length = content.len() as u64;
        let mut letters = length;
        let mut findings = Vec::new();
        let is_plain = self.counter.add_plain(content);
        if !is_plain {
            (letters, findings) = self.counter.inspect(content, fastq);
        }
        let is_blank_line = column == 0 && content.iter().all(|&byte| is_blank(byte));
        self.record.letters += letters;
        self.record.bytes += length;
        self.text.take(part);
        if is_blank_line && !findings.iter().any(|finding| finding.kind == Kind::SpaceInRead) {
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

    /// Logs a finding in the line at `place`, of which `column` bytes came before those looked at.
    fn complain(&mut self, line: Place, column: u64, finding: Finding) {
        let column = column + finding.at as u64;
        let place = Place { column: Some(column + 1), offset: line.offset + column, ..line };
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

    /// Takes note of the width of a sequence line.
    fn line_width(&mut self, width: u64, place: Place) {
        if let Some(blank) = self.record.blank.take() {
            self.add(Kind::BlankLine, blank, || "found an empty line inside a record".to_owned());
        }
        let record = &mut self.record;
        if record.width == 0 {
            record.width = width;
        } else if width > record.width || record.narrower {
            let first = record.width;
            if !std::mem::replace(&mut record.uneven, true) {
                self.add(Kind::UnevenLines, place, || {
                    format!("the lines of this record differ in width: {first} letters first, then others")
                });
            }
        } else {
            record.narrower = width < record.width;
        }
    }

    /// Takes note of a line's end.
    pub(super) fn line_end(&mut self, has_return: bool, place: Place) {
        let seen = &mut self.line_ends;
        seen.plain |= !has_return;
        seen.returns |= has_return;
        if seen.plain && seen.returns && !std::mem::replace(&mut seen.told, true) {
            let (this, others) = if has_return { ("CR LF", "LF alone") } else { ("LF alone", "CR LF") };
            self.log.add(Kind::MixedLineEnds, Some(place), None, || {
                format!("this line ends with {this}, those before it with {others}")
            });
        }
    }

    /// The whole file is read, or as much of it as is of use.
    pub(super) fn finish(mut self, mut report: Report) -> Report {
        if self.text.column > 0 && self.records > 0 && report.is_complete {
            let place = self.place();
            self.log.add(Kind::NoFinalLineEnd, Some(place), None, || "the last line has no end".to_owned());
        }
        let composition = self.counter.finish();
        if self.text.input.is_unmarked() && report.is_complete {
            self.log.add(Kind::NoEndMarker, None, None, || "the BGZF end marker is missing".to_owned());
        }
        if self.records > 0 && composition.total() == 0 && report.is_complete {
            let records = self.records;
            self.log.add(Kind::NoLetters, None, None, || format!("no letter in its {records} records"));
        }
        let symbols = composition.symbols();
        let is_refused = composition.amino_acids == 0 && symbols.is_refused(self.allow_unknown);
        if let Some(what) = symbols.describe().filter(|_| is_refused) {
            let fix = verdict::override_of(self.allow_unknown);
            self.log.add_with_fix(Kind::ManyUnknown, None, None, || (what, fix));
        }
        if composition.looks_like_protein() {
            self.log.mend(Kind::Protein, "this looks like protein, and genotok reads DNA");
        }
        report.compression = self.text.input.compression();
        report.bytes = self.text.input.bytes_read();
        report.text_bytes = self.text.offset();
        report.lines = self.text.line - u64::from(self.text.column == 0);
        report.records = self.records;
        report.composition = composition;
        report.lengths = self.lengths.summary();
        (report.defects, report.counts) = self.log.finish();
        report
    }
}

/// Text of a file, quoted, for a message.
pub(super) fn quote(text: &[u8]) -> String {
    show_text(text)
}
