//! FASTA and FASTQ, record by record and piece by piece.
//!
//! A *symbol* is any character that a sequence may hold: A to Z in either case, `-`, `.`, `*`.
//!
//! [`SequenceReader`] is a pull parser: [`SequenceReader::next_event`] returns the head of a record, then its symbols in
//! pieces, then the next head. A piece is a slice of the reader's own buffer (256 KiB), so memory does not grow with a
//! record, a line or a file: a chromosome of 250 Mb on one line passes through the same buffer as a million short reads.
//!
//! # The contract
//!
//! A file is read as its writer meant it, or refused with line and column: it never becomes a shorter genome. These are
//! all the rules. `tests/support/reading.py` states them in plain Python, and the readers of all commands and
//! [`crate::check`] are compared with it on mutated files.
//!
//! *Line ends.* A file has one kind.
//! - The first line decides: CR, if one or more of them end it and anything but LF follows; LF in all other cases. The
//!   search ends after 256 KiB; without any line end there, lines end with LF.
//! - LF may have up to eight CR before it: Windows writes one, a file sent as text twice has two. CR LF and LF may mix.
//! - The last line needs no end; up to eight CR may stand there for it.
//! - Everywhere else CR and LF are refused, in a title too: CR inside a line of a file with LF, any LF in a file with CR.
//!   So files of two systems that were joined do not swallow each other's records in a title.
//! - Nothing else ends a line: neither form feed nor the separators of Unicode. In a sequence they are refused.
//!
//! *Text.*
//! - A UTF-8 byte-order mark at the very start is skipped: some editors add it, it says nothing, it loses nothing. Inside
//!   a sequence it is refused. So is UTF-16.
//! - Blanks are space and tab. Lines of blanks (and CR) may stand before the first record and between FASTQ records.
//! - The first byte after them is `>` (FASTA) or `@` (FASTQ), at the start of its line; anything else is refused.
//!
//! *Titles.*
//! - A title ends with its line and has at most 1 MiB, no NUL, no CR, no LF. Its first word is the name, which may be
//!   empty; blanks around the title and between name and description are dropped.
//! - Bytes that are not UTF-8 are written as `\xhh` ([`names`]): different names stay different.
//!
//! *FASTA.* A line that starts with `>` is a title, every other line is sequence. [`crate::alphabet`] knows what its
//! symbols mean. Blanks between them are skipped, as in GenBank-like blocks of ten, and so are empty lines. Everything
//! else is refused: `>` inside a line, digits, control bytes, and comment lines (`;`, `#`), on which tools disagree: a
//! reader that guesses loses sequence.
//!
//! *FASTQ.* A title, sequence lines, a line that starts with `+` and is bare or repeats the title, quality lines.
//! - Sequence lines have symbols only, no blanks, since each symbol has its quality. They may be wrapped or empty.
//! - Quality lines have bytes from `!` to `~`, may be wrapped but not empty, and have as many bytes as there are symbols:
//!   `@` and `+` are qualities too, and only the length tells where a record ends.
//!
//! A record may be without symbols. A file may not be without records: an empty file is nearly always an accident.
//!
//! Every defect is an error with file and line, what was found and what was expected. After an error the reader is at
//! its end.
//!
//! # How
//!
//! `text` keeps the buffer: titles, symbols and qualities as they lie in lines; `mistakes` recognises what people give a
//! reader by mistake; this file is the state machine over records. Each sequence line costs one check of its symbols, in
//! blocks of 32 bytes that the compiler turns into vector instructions, and one move: lines are joined in the buffer, so
//! that a piece is up to 16 KiB of symbols and not one line of 60. Only a line of another width than the one before is
//! searched for its end; that alone took 60-base lines from 1.8 to 4.6 GB/s.
//!
//! The states of FASTQ follow its four parts, title, sequence, plus line, quality, and the counts `num_symbols` and
//! `num_qualities` decide the last transition: a quality line may start with `@`, so only the length tells that the
//! record is over. FASTA has one state, since every line tells by its first byte what it is.
//!
//! # Why not a crate
//!
//! The whole-record crates (needletail, helicase, noodles-fasta) hold a record in memory: 250 MB for a chromosome,
//! several times that while their buffers grow. None checks symbols, and their messages would have to be rewritten.
//! Measured on plain files, one core of a two-core AMD EPYC (Milan) machine, 2026-11-22, best of seven, file cache warm,
//! in GB/s of file; this reader checks every symbol and quality, the others do not:
//!
//! | reader | human chr20, lines of 60 | the same on one line | FASTA, 150-base reads | FASTQ, 150-base reads |
//! |---|---|---|---|---|
//! | this | 4.6 | 7.8 | 1.9 | 2.3 |
//! | needletail 0.7.4, lines joined | 0.55 | 0.85 | 2.5 | 3.7 |
//! | helicase 1.2.0, plain x86-64 build | 0.38 | 0.95 | 1.1 | 1.0 |
//! | helicase 1.2.0, built for this machine | 0.60 | 1.1 | 3.9 | 2.9 |
//!
//! Caveats: the others are not made for a whole chromosome in memory, and spend most of their time there on fresh memory.
//! On short reads they are up to twice as fast, because they neither copy titles nor check.

use std::io::Read;
use std::path::{Path, PathBuf};

pub(crate) mod mistakes;
pub(crate) mod names;
pub(crate) mod plain;
pub(crate) mod text;
pub(crate) mod turn;

use crate::error::{Error, Result, show_byte};
use crate::io::decompress::InputStream;
use crate::io::input_sum::SharedSum;
use crate::io::sources::{self, SourceFile, Summing};
use mistakes::{hint_for_title, show_text};
use text::source::TextSource;
use text::titles::split_title;
use text::{SequenceText, Span};

/// One step through a sequence file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The head of a record.
    Record {
        /// The title's first word; may be empty.
        name: &'a [u8],
        /// The rest of the title; may be empty.
        description: &'a [u8],
    },
    /// The next symbols of the record: at least one, no white space, up to a buffer of them.
    Symbols(&'a [u8]),
}

/// A FASTA or FASTQ file, read in order.
pub struct SequenceReader {
    text: SequenceText,
    state: State,
    /// The line on which the last event starts.
    event_line: u64,
    /// FASTQ: symbols of this record, and how many of them have a quality. Equal at the end of each record.
    num_symbols: u64,
    num_qualities: u64,
    /// The sum of a compressed file that is summed.
    sum: Option<SharedSum>,
}

/// What the next byte belongs to. In FASTA the first byte of a line tells whether it is a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FastaSequence,
    FastqTitle,
    FastqSequence,
    FastqQuality,
    Ended,
}

/// What a step of the state machine produced.
enum StepOutcome {
    Record,
    Symbols(Span),
    End,
    /// Input was consumed or the state changed; no event yet.
    Progress,
}

impl SequenceReader {
    /// Opens a file; `-` is standard input. The compression is found by content.
    ///
    /// Fails if the file cannot be read, is a directory, is empty, or does not start like FASTA or FASTQ.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_file(path, sources::open(path, false)?)
    }

    /// Reads from `input`, compressed or not; `name` stands for it in messages. Fails as [`Self::open`] does.
    pub fn from_reader(name: impl Into<PathBuf>, input: impl Read + Send + 'static) -> Result<Self> {
        let path = name.into();
        let input = InputStream::new(Box::new(input)).map_err(|fault| fault.at(&path))?;
        Self::from_text(SequenceText::new(path, TextSource::new(input))?)
    }

    /// Reads from a file that is open; `name` stands for it in messages. Fails as [`Self::open`] does.
    pub(crate) fn from_file(name: impl Into<PathBuf>, source: SourceFile) -> Result<Self> {
        let text = match source.file {
            Some(file) => TextSource::with_file(source.stream, file),
            None => TextSource::new(source.stream),
        };
        let (text, sum) = match source.sum {
            Summing::Off => (text, None),
            Summing::ByReader => (text.summed(), None),
            Summing::ByStream(sum) => (text, Some(sum)),
        };
        Ok(Self { sum, ..Self::from_text(SequenceText::new(name.into(), text)?)? })
    }

    /// [`from_reader`](Self::from_reader) with a buffer of `bytes` bytes, so that tests cut records at every byte.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn with_buffer(
        name: impl Into<PathBuf>,
        input: impl Read + Send + 'static,
        bytes: usize,
    ) -> Result<Self> {
        let path = name.into();
        let input = InputStream::new(Box::new(input)).map_err(|fault| fault.at(&path))?;
        Self::from_text(SequenceText::with_buffer(path, TextSource::new(input), bytes)?)
    }

    /// Finds the format: the first byte that is not blank must be `>` or `@`, at the start of its line.
    fn from_text(mut text: SequenceText) -> Result<Self> {
        text.skip_blanks()?;
        let state = match text.peek()? {
            None => {
                let what =
                    if text.source.input().is_compressed() { "unpacks to nothing" } else { "is empty" };
                return Err(Error::file(&text.path, format!("{what}: there is no sequence in it")));
            }
            Some(b'>') if text.column == 0 => State::FastaSequence,
            Some(b'@') if text.column == 0 => State::FastqTitle,
            Some(byte) => return Err(text.not_a_sequence_file(byte)),
        };
        Ok(Self { text, state, event_line: 1, num_symbols: 0, num_qualities: 0, sum: None })
    }

    /// The next event; none at the end of the file, and after an error. Slices are valid until the next call.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>> {
        loop {
            let found = self.step().inspect_err(|_| self.state = State::Ended)?;
            match found {
                StepOutcome::Progress => {}
                StepOutcome::Record => {
                    let (name, description) = split_title(&self.text.title);
                    return Ok(Some(Event::Record { name, description }));
                }
                StepOutcome::Symbols(span) => return Ok(Some(Event::Symbols(self.text.symbols(span)))),
                StepOutcome::End => {
                    self.state = State::Ended;
                    return Ok(None);
                }
            }
        }
    }

    /// Bytes of the input as stored, read so far; up to a buffer ahead of the events.
    pub fn bytes_read(&self) -> u64 {
        self.text.source.bytes_read()
    }

    /// The BLAKE3 sum of the input as stored, in hexadecimal digits; none before its end was read, and where it is not
    /// asked for.
    pub(crate) fn checksum(&self) -> Option<String> {
        self.sum.as_ref().map_or_else(|| self.text.source.checksum(), SharedSum::digits)
    }

    /// The line (from 1, after decompression) on which the last event starts.
    pub fn line(&self) -> u64 {
        self.event_line
    }

    /// The line (from 1) of the symbol at `offset` of the last event's piece. Cost: linear in the lines of unusual width.
    pub fn line_of(&self, offset: usize) -> u64 {
        self.text.line_of(offset)
    }

    /// The file's path, `-` for standard input.
    pub fn path(&self) -> &Path {
        &self.text.path
    }

    /// One step of the state machine. Each consumes input or changes the state, so the loop over steps ends.
    fn step(&mut self) -> Result<StepOutcome> {
        self.event_line = self.text.line;
        match self.state {
            State::Ended => Ok(StepOutcome::End),
            State::FastaSequence => self.step_in_fasta(),
            State::FastqTitle => self.start_fastq_record(),
            State::FastqSequence => self.step_in_fastq_sequence(),
            State::FastqQuality => self.step_in_quality(),
        }
    }

    /// A title, or sequence up to the next one.
    fn step_in_fasta(&mut self) -> Result<StepOutcome> {
        match self.text.peek()? {
            None => Ok(StepOutcome::End),
            Some(b'>') if self.text.column == 0 => self.read_title(),
            Some(_) => Ok(self.text.gather(b'>')?.map_or(StepOutcome::Progress, StepOutcome::Symbols)),
        }
    }

    /// Reads a title line; the text stands at its `>` or `@`.
    fn read_title(&mut self) -> Result<StepOutcome> {
        let line = self.text.line;
        match self.text.read_title()? {
            None => Ok(StepOutcome::Record),
            Some(fault) => Err(self.text.title_error(line, fault)),
        }
    }

    /// Reads the title of the next record, past blank lines.
    fn start_fastq_record(&mut self) -> Result<StepOutcome> {
        self.text.skip_blanks()?;
        self.event_line = self.text.line;
        match self.text.peek()? {
            None => Ok(StepOutcome::End),
            Some(b'@') if self.text.column == 0 => {
                (self.num_symbols, self.num_qualities) = (0, 0);
                self.state = State::FastqSequence;
                self.read_title()
            }
            Some(byte) => Err(self.text.error(format!(
                "found {} at column {}, expected `@` and the title of the next record; {}",
                show_byte(byte),
                self.text.column + 1,
                hint_for_title(byte)
            ))),
        }
    }

    /// Sequence, or the plus line that ends it. A sequence line cannot start with `+`, which is no symbol.
    fn step_in_fastq_sequence(&mut self) -> Result<StepOutcome> {
        match self.text.peek()? {
            None => Err(self.cut_short("no `+` line and no quality follow")),
            Some(b'+') if self.text.column == 0 => self.read_plus_line(),
            Some(_) => {
                let Some(span) = self.text.gather(b'+')? else { return Ok(StepOutcome::Progress) };
                self.num_symbols += span.len() as u64;
                Ok(StepOutcome::Symbols(span))
            }
        }
    }

    /// Reads the `+` line, which repeats the title or is bare.
    fn read_plus_line(&mut self) -> Result<StepOutcome> {
        let line = self.text.line;
        let mut repeated = Vec::new();
        if let Some(fault) = self.text.read_line(&mut repeated)? {
            return Err(self.text.title_error(line, fault));
        }
        if !repeated.is_empty() && repeated != self.text.title {
            let reason = format!(
                "found the title {} after `+`, expected {} as after `@`, or nothing; lines are missing or out of order",
                show_text(&repeated),
                show_text(&self.text.title)
            );
            return Err(self.text.error_at(line, reason));
        }
        self.state = State::FastqQuality;
        Ok(StepOutcome::Progress)
    }

    /// Reads what follows the symbols of a record of FASTQ, if they are all read: then the next title is due.
    fn finish_fastq_record(&mut self) -> Result<()> {
        loop {
            let is_plus_due = self.state == State::FastqSequence && self.text.column == 0;
            if self.state != State::FastqQuality && !(is_plus_due && self.text.peek()? == Some(b'+')) {
                return Ok(());
            }
            self.step().inspect_err(|_| self.state = State::Ended)?;
        }
    }

    /// Reads the rest of a quality line, or as much of it as is in the buffer.
    ///
    /// The record is complete once each symbol has a quality *and* the line is over: a line that holds more is an error,
    /// not the next title.
    fn step_in_quality(&mut self) -> Result<StepOutcome> {
        let missing = self.num_symbols - self.num_qualities;
        let complete = missing == 0 && self.text.column == 0;
        if complete || self.text.peek()?.is_none() {
            if missing > 0 {
                return Err(self.cut_short(&self.quality_count()));
            }
            self.state = State::FastqTitle;
            return Ok(StepOutcome::Progress);
        }
        let line = self.text.line;
        let Some(count) = self.text.take_quality()? else {
            let reason = format!("found an empty line, expected quality: {}", self.name_and_quality_count());
            return Err(self.text.error_at(line, reason));
        };
        self.num_qualities += count;
        if count > missing {
            let reason = format!(
                "the quality is longer than the sequence: {}; lines are missing or out of order",
                self.name_and_quality_count()
            );
            return Err(self.text.error_at(line, reason));
        }
        Ok(StepOutcome::Progress)
    }

    /// The counts of symbols and qualities, for a message. How many there are too many is not known: a long line comes in
    /// parts.
    fn quality_count(&self) -> String {
        let (symbols, qualities) = (self.num_symbols, self.num_qualities);
        let count = if qualities > symbols { "more".to_owned() } else { qualities.to_string() };
        format!("it has {symbols} symbols and {count} qualities")
    }

    fn name_and_quality_count(&self) -> String {
        format!("record {}: {}", self.text.name(), self.quality_count())
    }

    /// The error of a file that ends inside a record.
    fn cut_short(&self, what: &str) -> Error {
        self.text.error(format!(
            "the file ends inside record {}: {what}; it is probably cut short, fetch it again",
            self.text.name()
        ))
    }
}

#[cfg(test)]
pub(crate) mod random_text;
#[cfg(test)]
pub(crate) mod tests;
