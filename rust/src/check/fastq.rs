//! FASTQ: the reader's states, and the recovery after a defect.
//!
//! As long as nothing is wrong, every decision here is the reader's: sequence and quality may be wrapped, and `@` and
//! `+` are qualities too. Only where the reader would stop is anything guessed: what looks like a title with a
//! sequence below it is one. Until one comes (`State::Lost`), lines are skipped, and count as one defect.
//!
//! A missing line is the common defect, and it shows late: the next title is then taken for quality, and the quality
//! becomes too long a line later. So the last line of quality that may have been a title is kept (`candidate`); if the
//! line after it is a sequence where the quality should be over, the candidate was the title:
//!
//! ```text
//! @a         a title
//! ACGT       its sequence, four symbols
//! +          the quality should follow, but its line is missing
//! @b         taken for quality: two of four bytes, and a candidate, since it starts with `@`
//! GGCC       too long as quality, but a sequence, and right after the candidate: `@b` was a title
//! ```
//!
//! The defect is then reported at `@b`, as a quality that is too short, and nothing of the second record is lost.

use super::defects::{DefectKind, TextPosition};
use super::linter::{Linter, quote};
use crate::error::{Result, show_byte};
use crate::io::fasta::mistakes::looks_like_sam;
use crate::io::fasta::text::{LinePart, all, is_symbol};

/// Bytes of the next line that are examined to tell whether it is a sequence.
const GLANCE_BYTES: usize = 64;

/// What the next line is expected to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Title,
    Sequence,
    Quality,
    /// Unknown after a defect: the next line that looks like a title is one.
    Lost,
}

/// A FASTQ file being checked.
pub(super) struct Fastq<'l, 'a> {
    linter: &'l mut Linter<'a>,
    state: State,
    /// Bytes of quality of the open record so far.
    qualities: u64,
    /// The last line taken for quality that may have been a title: its position, and the title.
    candidate: Option<(TextPosition, Vec<u8>)>,
}

impl<'l, 'a> Fastq<'l, 'a> {
    /// At the first title.
    pub(super) fn new(linter: &'l mut Linter<'a>) -> Self {
        Self { linter, state: State::Title, qualities: 0, candidate: None }
    }

    /// Checks the rest of the file. False if it turns out to be SAM, whose defects as FASTQ mean nothing.
    pub(super) fn run(mut self) -> Result<bool> {
        while self.step()? {
            self.linter.watch()?;
            if self.linter.num_records() == 1 && self.looks_like_sam() {
                return Ok(false);
            }
        }
        self.linter.end_record();
        Ok(true)
    }

    /// One step of the state machine: a line, or a part of one; false at the end of the file.
    fn step(&mut self) -> Result<bool> {
        if self.state == State::Title || self.state == State::Lost {
            return self.before_record();
        }
        let Some(byte) = self.linter.text.peek()? else {
            self.at_end();
            return Ok(false);
        };
        let first = self.linter.text.column == 0;
        match (self.state, byte) {
            (State::Sequence, b'+') if first => self.plus_line()?,
            (State::Sequence, b'@') if first => {
                let place = self.linter.this_line();
                self.linter.add(DefectKind::MissingPlus, place, || {
                    "found the next title, expected a `+` line and the quality of this record".to_owned()
                });
                self.state = State::Title;
            }
            (State::Sequence, _) => {
                if !self.linter.even_lines()
                    && let Some(part) = self.linter.text.part()?
                {
                    self.linter.sequence(&part, true);
                }
            }
            _ => self.quality()?,
        }
        Ok(true)
    }

    /// Between records: the next title opens one. Anything else is reported once, and then skipped up to a title with a
    /// sequence below it.
    fn before_record(&mut self) -> Result<bool> {
        self.linter.end_record();
        let (blank, line) = (self.linter.this_line(), self.linter.text.line);
        self.linter.text.skip_blanks()?;
        let Some(byte) = self.linter.text.peek()? else { return Ok(false) };
        let place = self.linter.this_line();
        if self.state == State::Lost {
            if byte == b'@' && self.linter.text.column == 0 && self.next_is_sequence()? {
                self.open_record()?;
            } else {
                self.linter.text.skip_line()?;
            }
        } else if byte == b'@' && self.linter.text.column == 0 {
            if self.linter.text.line > line && self.linter.num_records() > 0 && self.linter.record.symbols > 0
            {
                self.linter
                    .add(DefectKind::BlankLine, blank, || "found an empty line between records".to_owned());
            }
            self.open_record()?;
        } else if byte == b'@' {
            self.linter
                .add(DefectKind::SpaceBeforeTitle, place, || "found white space before `@`".to_owned());
            self.open_record()?;
        } else if let Some(part) = self.linter.text.part()?
            && !self.was_title(&part)
        {
            let what =
                format!("found {} where `@` and the title of the next record are due", show_byte(byte));
            self.linter.add(DefectKind::MissingTitle, self.linter.place(), || what);
            self.state = State::Lost;
        }
        Ok(true)
    }

    /// Reads the title of a record, from which sequence is expected.
    fn open_record(&mut self) -> Result<()> {
        self.qualities = 0;
        self.candidate = None;
        self.state = State::Sequence;
        self.linter.title()
    }

    /// Reads the `+` line, which repeats the title or is bare.
    fn plus_line(&mut self) -> Result<()> {
        let place = self.linter.this_line();
        let mut repeated = Vec::new();
        if let Some(fault) = self.linter.text.read_line(&mut repeated)? {
            self.linter.title_fault(place, fault)?;
        } else if !repeated.is_empty() && repeated != self.linter.text.title {
            let (found, expected) = (quote(&repeated), quote(&self.linter.text.title));
            self.linter.add(DefectKind::OtherTitle, place, || {
                format!("found the title {found} after `+`, expected {expected} as after `@`, or nothing")
            });
        }
        if self.linter.text.column == 0 {
            let returned = self.linter.text.returned;
            self.linter.line_end(returned, place);
        }
        self.state = State::Quality;
        Ok(())
    }

    /// Whether the quality is complete. With other bytes in the sequence, each may or may not have one.
    fn is_complete(&self) -> bool {
        let record = &self.linter.record;
        self.linter.text.column == 0 && [record.bytes, record.symbols].contains(&self.qualities)
    }

    /// Takes the rest of a quality line, or as much of it as is in the buffer.
    ///
    /// In order: is the record complete; is the line empty; is it the next title, because it does not fit as quality and a
    /// sequence follows; was the line before it the next title; and if none of these, it is quality, good or bad.
    fn quality(&mut self) -> Result<()> {
        if self.is_complete() {
            self.state = State::Title;
            return Ok(());
        }
        let Some(mut part) = self.linter.text.part()? else { return Ok(()) };
        let content = self.linter.text.symbols(part.content.clone());
        let (length, first) = (content.len() as u64, self.linter.text.column == 0);
        let is_title_like = first && content.first() == Some(&b'@');
        let bad = first_bad_quality(content);
        let is_too_long = self.qualities + length > self.linter.record.bytes;
        if length == 0 && first {
            if part.ends {
                self.too_short(self.linter.this_line());
            }
            self.linter.text.take(&part);
            return Ok(());
        }
        if (bad.is_some() || is_too_long) && is_title_like {
            if self.next_is_sequence()? {
                self.too_short(self.linter.this_line());
                self.state = State::Title;
                return Ok(());
            }
            // Reading ahead may have moved the text in the buffer.
            let Some(again) = self.linter.text.part()? else { return Ok(()) };
            part = again;
        }
        if let Some((at, byte)) = bad {
            self.bad_quality(at, byte);
        } else if is_too_long && self.was_title(&part) {
            return Ok(());
        }
        if is_title_like && part.ends {
            let title = self.linter.text.symbols(part.content.clone())[1..].trim_ascii_end().to_vec();
            self.candidate = Some((self.linter.this_line(), title));
        }
        self.take_quality(&part, is_too_long);
        Ok(())
    }

    /// Takes a part of a line as quality.
    fn take_quality(&mut self, part: &LinePart, is_too_long: bool) {
        let line = self.linter.this_line();
        self.qualities += part.content.len() as u64;
        self.linter.text.take(part);
        if part.ends {
            self.linter.line_end(part.returns > 0, line);
        }
        if is_too_long {
            let symbols = self.linter.record.bytes; // a long line comes in parts, so that the other length is not known
            let what =
                format!("the quality is longer than the sequence: {symbols} symbols and more qualities");
            self.linter.add(DefectKind::QualityLength, line, || what);
            self.state = State::Lost;
        }
    }

    /// If the quality does not fit, the line above may have been the next title, and this its sequence. If so, continues
    /// there and returns true.
    fn was_title(&mut self, part: &LinePart) -> bool {
        let content = self.linter.text.symbols(part.content.clone());
        let is_sequence = self.linter.text.column == 0 && content.iter().all(|&byte| is_symbol(byte));
        let line = self.linter.text.line;
        let Some((place, title)) = self.candidate.take_if(|(place, _)| is_sequence && place.line + 1 == line)
        else {
            return false;
        };
        self.qualities -= 1 + title.len() as u64;
        self.too_short(place);
        self.linter.end_record();
        self.linter.reopen(place, title);
        self.qualities = 0;
        self.state = State::Sequence;
        true
    }

    /// Reports that the quality ended before `place`, too early.
    fn too_short(&mut self, place: TextPosition) {
        let what = format!("the quality is shorter than the sequence: {}", self.lengths());
        self.linter.add(DefectKind::QualityLength, place, || what);
        self.state = State::Lost;
    }

    /// Reports a byte that is no quality, `at` bytes into the part.
    fn bad_quality(&mut self, at: usize, byte: u8) {
        let line = self.linter.place();
        let place = TextPosition {
            column: line.column.map(|column| column + at as u64),
            offset: line.offset + at as u64,
            ..line
        };
        self.linter
            .add(DefectKind::QualityByte, place, || format!("found {} in the quality", show_byte(byte)));
    }

    /// The lengths of sequence and quality so far, for a message.
    fn lengths(&self) -> String {
        format!("{} symbols and {} qualities", self.linter.record.bytes, self.qualities)
    }

    /// Reports that the file ends inside a record, unless it is complete.
    fn at_end(&mut self) {
        let what = match self.state {
            State::Sequence => "no `+` line and no quality follow".to_owned(),
            _ if self.linter.record.bytes == self.qualities => return,
            _ => format!("it has {}", self.lengths()),
        };
        let place = self.linter.place();
        self.linter.add(DefectKind::CutRecord, place, || format!("the file ends inside this record: {what}"));
    }

    /// Whether the line after this one looks like a sequence.
    fn next_is_sequence(&mut self) -> Result<bool> {
        let next = self.linter.text.next_line(GLANCE_BYTES)?;
        Ok(!next.is_empty() && next.iter().all(|&byte| is_symbol(byte)))
    }

    /// Whether the file has errors because it is SAM, whose header lines start with `@` and two capitals.
    fn looks_like_sam(&self) -> bool {
        looks_like_sam(&self.linter.text.title) && self.linter.log.has_error()
    }
}

/// The first byte that is no quality, and its offset.
fn first_bad_quality(text: &[u8]) -> Option<(usize, u8)> {
    if all(text, u8::is_ascii_graphic) {
        return None;
    }
    text.iter().copied().enumerate().find(|(_, byte)| !byte.is_ascii_graphic())
}
