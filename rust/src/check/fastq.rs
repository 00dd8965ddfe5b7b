//! FASTQ: the reader's states, and ways back into step after a defect.
//!
//! As long as nothing is wrong, every decision here is the reader's: sequence and quality may be wrapped, and `@` and
//! `+` are qualities too. Only where the reader would stop is anything guessed: what looks like a title with a
//! sequence below it is one. Until one comes, lines are skipped, and counted as one defect.

use super::defects::{Kind, Place};
use super::linter::{Linter, quote};
use crate::error::{Result, show_byte};
use crate::io::fasta::mistakes::looks_like_sam;
use crate::io::fasta::text::{Part, all, is_letter};

/// How much of the next line is looked at.
const GLANCE_BYTES: usize = 64;

/// What the next line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Title,
    Sequence,
    Quality,
    /// Nobody knows: the next that looks like a title is one.
    Lost,
}

/// A FASTQ file being checked.
pub(super) struct Fastq<'l, 'a> {
    linter: &'l mut Linter<'a>,
    state: State,
    /// Bytes of quality of the open record.
    qualities: u64,
    /// A line taken for quality that may have been a title, if the quality turns out to be too long.
    candidate: Option<(Place, Vec<u8>)>,
}

impl<'l, 'a> Fastq<'l, 'a> {
    pub(super) fn new(linter: &'l mut Linter<'a>) -> Self {
        Self { linter, state: State::Title, qualities: 0, candidate: None }
    }

    /// Checks the rest of the file. False if it turns out to be something else.
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

    /// One step; false at the end of the file.
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
                self.linter.add(Kind::MissingPlus, place, || {
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

    /// Between records: the next title opens one.
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
            if self.linter.text.line > line && self.linter.num_records() > 0 && self.linter.record.letters > 0
            {
                self.linter.add(Kind::BlankLine, blank, || "found an empty line between records".to_owned());
            }
            self.open_record()?;
        } else if byte == b'@' {
            self.linter.add(Kind::SpaceBeforeTitle, place, || "found white space before `@`".to_owned());
            self.open_record()?;
        } else if let Some(part) = self.linter.text.part()?
            && !self.was_title(&part)
        {
            let what =
                format!("found {} where `@` and the title of the next record are due", show_byte(byte));
            self.linter.add(Kind::MissingTitle, self.linter.place(), || what);
            self.state = State::Lost;
        }
        Ok(true)
    }

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
            self.linter.add(Kind::OtherTitle, place, || {
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
        self.linter.text.column == 0 && [record.bytes, record.letters].contains(&self.qualities)
    }

    /// Takes the rest of a quality line, or as much of it as is at hand.
    fn quality(&mut self) -> Result<()> {
        if self.is_complete() {
            self.state = State::Title;
            return Ok(());
        }
        let Some(mut part) = self.linter.text.part()? else { return Ok(()) };
        let content = self.linter.text.letters(part.content.clone());
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
            // Looking ahead may have moved the text in the buffer.
            let Some(again) = self.linter.text.part()? else { return Ok(()) };
            part = again;
        }
        if let Some((at, byte)) = bad {
            self.bad_quality(at, byte);
        } else if is_too_long && self.was_title(&part) {
            return Ok(());
        }
        if is_title_like && part.ends {
            let title = self.linter.text.letters(part.content.clone())[1..].trim_ascii_end().to_vec();
            self.candidate = Some((self.linter.this_line(), title));
        }
        self.take_quality(&part, is_too_long);
        Ok(())
    }

    fn take_quality(&mut self, part: &Part, is_too_long: bool) {
        let line = self.linter.this_line();
        self.qualities += part.content.len() as u64;
        self.linter.text.take(part);
        if part.ends {
            self.linter.line_end(part.returns > 0, line);
        }
        if is_too_long {
            let what = format!("the quality is longer than the sequence: {}", self.lengths());
            self.linter.add(Kind::QualityLength, line, || what);
            self.state = State::Lost;
        }
    }

    /// The quality does not fit, but the line above was perhaps the next title and this is its sequence: goes on so.
    fn was_title(&mut self, part: &Part) -> bool {
        let content = self.linter.text.letters(part.content.clone());
        let is_sequence = self.linter.text.column == 0 && content.iter().all(|&byte| is_letter(byte));
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

    /// The quality ended before `place`.
    fn too_short(&mut self, place: Place) {
        let what = format!("the quality is shorter than the sequence: {}", self.lengths());
        self.linter.add(Kind::QualityLength, place, || what);
        self.state = State::Lost;
    }

    fn bad_quality(&mut self, at: usize, byte: u8) {
        let line = self.linter.place();
        let place = Place {
            column: line.column.map(|column| column + at as u64),
            offset: line.offset + at as u64,
            ..line
        };
        self.linter.add(Kind::QualityByte, place, || format!("found {} in the quality", show_byte(byte)));
    }

    fn lengths(&self) -> String {
        format!("{} letters and {} of quality", self.linter.record.bytes, self.qualities)
    }

    /// The file ends inside a record.
    fn at_end(&mut self) {
        let what = match self.state {
            State::Sequence => "no `+` line and no quality follow".to_owned(),
            _ if self.linter.record.bytes == self.qualities => return,
            _ => format!("it has {}", self.lengths()),
        };
        let place = self.linter.place();
        self.linter.add(Kind::CutRecord, place, || format!("the file ends inside this record: {what}"));
    }

    /// Whether the line after this one looks like a sequence.
    fn next_is_sequence(&mut self) -> Result<bool> {
        let next = self.linter.text.next_line(GLANCE_BYTES)?;
        Ok(!next.is_empty() && next.iter().all(|&byte| is_letter(byte)))
    }

    /// Whether what is wrong is that this is SAM, whose header lines begin with `@` and two capitals.
    fn looks_like_sam(&self) -> bool {
        looks_like_sam(&self.linter.text.title) && self.linter.log.has_error()
    }
}

/// The first byte that is no quality, and where it is.
fn first_bad_quality(text: &[u8]) -> Option<(usize, u8)> {
    if all(text, u8::is_ascii_graphic) {
        return None;
    }
    text.iter().copied().enumerate().find(|(_, byte)| !byte.is_ascii_graphic())
}
