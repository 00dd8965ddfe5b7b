//! FASTA and FASTQ, record by record and piece by piece.
//!
//! [`Reader`] is a pull parser: [`Reader::next_event`] gives the head of a record, then its letters in pieces, then the
//! next head. A piece is a slice of the reader's own buffer (256 KiB), so the memory does not grow with a record, a
//! line or a file: a chromosome of 250 Mb on one line passes through the same buffer as a million short reads.
//!
//! # What is read
//!
//! - Both formats, told apart by the first letter: `>` or `@`. Blank lines may stand anywhere but inside a quality.
//! - Lines of any length end with LF, CR LF or, if the file's first line does, a single CR. The last needs no end.
//! - A UTF-8 byte-order mark at the very start is skipped: some editors add it, it says nothing, it loses nothing.
//!   UTF-16 is refused.
//! - Letters are A to Z in either case, `-`, `.` and `*`; what they mean is for [`crate::alphabet`] to say. In FASTA
//!   spaces and tabs between letters are skipped, as GenBank-like blocks of ten have them; in FASTQ they are not
//!   allowed, since there each letter has its quality. Nothing else is a letter: no digits, no control bytes.
//! - Comment lines (`;`, `#`) are refused: tools disagree on them, and a reader that guesses loses sequence.
//! - In FASTQ the title may be repeated after `+` and then must be the same; sequence and quality may be wrapped, and
//!   must agree in length, because `@` and `+` are qualities too and only the length tells where a record ends.
//! - A record may be without letters. A file may not be without records: an empty file is nearly always an accident.
//!
//! Every defect is an error with file and line, what was found and what was expected. After an error the reader is at
//! its end.
//!
//! # How
//!
//! Per line: one `memchr` for its end, one check of its letters in blocks of 32 bytes that the compiler turns into
//! vector instructions, and one move: following lines are pushed together in the buffer, so that a piece is up to
//! 16 KiB of letters and not one line of 60.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr2};

use crate::decompress::{Fault, Input};
use crate::error::{Error, Result, show_byte};

/// Length of the buffer that all input passes through.
const BUFFER_BYTES: usize = 256 << 10;
/// Lines are pushed together until a piece has this many letters.
const PIECE_BYTES: usize = 16 << 10;
/// Longest title allowed.
const TITLE_BYTES: usize = 1 << 20;

/// One step through a sequence file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A record begins.
    Record {
        /// The title's first word; may be empty.
        name: &'a [u8],
        /// The rest of the title; may be empty.
        description: &'a [u8],
    },
    /// The next letters of the record: never none, never white space.
    Letters(&'a [u8]),
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FastaSequence,
    FastqTitle,
    FastqSequence,
    FastqQuality,
    Ended,
}

/// A FASTA or FASTQ file, read in order.
pub struct Reader {
    path: PathBuf,
    input: Input,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    state: State,
    /// The byte that ends a line: LF, or CR in files that have no LF.
    line_end: u8,
    /// The line of the next byte, counted from 1, and how many of its bytes are consumed.
    line: u64,
    column: u64,
    /// The length of the last sequence line, which the next one probably has too.
    width: usize,
    /// The line on which the last event began.
    event_line: u64,
    /// The record's title, without `>` or `@`.
    title: Vec<u8>,
    /// FASTQ: letters of this record, and how many of them have a quality.
    num_letters: u64,
    num_qualities: u64,
}

impl Reader {
    /// Opens a file; `-` is standard input. The compression is found by content.
    ///
    /// Fails if the file cannot be read, is a directory, is empty, or does not begin like FASTA or FASTQ.
    pub fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Self::from_reader(path, std::io::stdin());
        }
        if path.is_dir() {
            let glob = path.join("*");
            return Err(Error::file(path, format!("is a directory; give its files: {}", glob.display())));
        }
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        Self::from_reader(path, file)
    }

    /// Reads from `input`; `name` stands for it in messages.
    pub fn from_reader(name: impl Into<PathBuf>, input: impl Read + Send + 'static) -> Result<Self> {
        let path = name.into();
        let input = Input::new(Box::new(input)).map_err(|fault| place(&path, fault))?;
        let mut reader = Self {
            path,
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            state: State::FastaSequence,
            line_end: b'\n',
            line: 1,
            column: 0,
            width: 0,
            event_line: 1,
            title: Vec::new(),
            num_letters: 0,
            num_qualities: 0,
        };
        reader.begin()?;
        Ok(reader)
    }

    /// The next event; none at the end of the file.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>> {
        match self.advance() {
            Ok(Found::Record) => {
                let (name, description) = split_title(&self.title);
                Ok(Some(Event::Record { name, description }))
            }
            Ok(Found::Letters(from, to)) => Ok(Some(Event::Letters(&self.buffer[from..to]))),
            Ok(Found::End) => {
                self.state = State::Ended;
                Ok(None)
            }
            Err(error) => {
                self.state = State::Ended;
                Err(error)
            }
        }
    }

    /// Bytes of the input, as stored, consumed so far.
    pub fn bytes_read(&self) -> u64 {
        self.input.bytes_read()
    }

    /// The line (from 1, after decompression) on which the event last returned begins.
    pub fn line(&self) -> u64 {
        self.event_line
    }

    /// The file's path, `-` for standard input.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds the format and the kind of line end from the start of the file.
    fn begin(&mut self) -> Result<()> {
        self.fill()?;
        self.skip_byte_order_mark()?;
        self.find_line_end();
        self.skip_blanks()?;
        let Some(byte) = self.peek()? else {
            let what = if self.input.is_compressed() { "unpacks to nothing" } else { "is empty" };
            return Err(Error::file(&self.path, format!("{what}: no sequence in it")));
        };
        match byte {
            b'>' if self.column == 0 => self.state = State::FastaSequence,
            b'@' if self.column == 0 => self.state = State::FastqTitle,
            _ => return Err(self.not_a_sequence_file(byte)),
        }
        Ok(())
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
        while self.end < 4 && self.fill()? {}
        let head = &self.buffer[..self.end];
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(self.error("the file is UTF-16 text; save it as plain ASCII text"));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            self.start = 3;
        }
        Ok(())
    }

    /// A file whose first line ends with CR and no LF after it has CR line ends.
    fn find_line_end(&mut self) {
        let text = &self.buffer[self.start..self.end];
        if let Some(at) = memchr2(b'\r', b'\n', text)
            && let Some(&after) = text[at..].iter().find(|&&byte| byte != b'\r')
            && after != b'\n'
        {
            self.line_end = b'\r';
        }
    }

    /// One step of the state machine.
    fn advance(&mut self) -> Result<Found> {
        loop {
            match self.state {
                State::Ended => return Ok(Found::End),
                State::FastaSequence => match self.peek()? {
                    None => return Ok(Found::End),
                    Some(b'>') if self.column == 0 => {
                        self.read_title()?;
                        return Ok(Found::Record);
                    }
                    Some(_) => {
                        if let Some((from, to)) = self.gather(b'>')? {
                            return Ok(Found::Letters(from, to));
                        }
                    }
                },
                State::FastqTitle => {
                    if !self.begin_fastq_record()? {
                        return Ok(Found::End);
                    }
                    return Ok(Found::Record);
                }
                State::FastqSequence => match self.peek()? {
                    None => return Err(self.cut_short("no `+` line and no quality follow")),
                    Some(b'+') if self.column == 0 => self.read_plus_line()?,
                    Some(_) => {
                        if let Some((from, to)) = self.gather(b'+')? {
                            self.num_letters += (to - from) as u64;
                            return Ok(Found::Letters(from, to));
                        }
                    }
                },
                State::FastqQuality => self.read_quality()?,
            }
        }
    }

    /// Reads a FASTQ title; false at the end of the file.
    fn begin_fastq_record(&mut self) -> Result<bool> {
        self.skip_blanks()?;
        match self.peek()? {
            None => Ok(false),
            Some(b'@') if self.column == 0 => {
                self.read_title()?;
                (self.num_letters, self.num_qualities) = (0, 0);
                self.state = State::FastqSequence;
                Ok(true)
            }
            Some(byte) => Err(self.error(format!(
                "found {}, expected `@` and the title of the next record; perhaps the quality above is longer than \
                 its sequence",
                show_byte(byte)
            ))),
        }
    }

    /// Reads a whole title line, at whose mark the reader stands.
    fn read_title(&mut self) -> Result<()> {
        self.event_line = self.line;
        let mut title = std::mem::take(&mut self.title);
        let outcome = self.read_line(&mut title);
        self.title = title;
        outcome?;
        if memchr(0, &self.title).is_some() {
            return Err(self.error_at(self.event_line, "found byte 0x00 in a title: this is not a text file"));
        }
        Ok(())
    }

    /// Reads the `+` line, which repeats the title or is bare.
    fn read_plus_line(&mut self) -> Result<()> {
        let line = self.line;
        let mut repeated = Vec::new();
        self.read_line(&mut repeated)?;
        if !repeated.is_empty() && repeated != self.title {
            return Err(self.error_at(
                line,
                format!(
                    "found the title {} after `+`, expected {} as after `@`, or nothing; lines are missing or out of \
                     order",
                    show_text(&repeated),
                    show_text(&self.title)
                ),
            ));
        }
        self.state = State::FastqQuality;
        Ok(())
    }

    /// Puts the rest of a line, less its first byte and white space at its end, into `text`.
    fn read_line(&mut self, text: &mut Vec<u8>) -> Result<()> {
        text.clear();
        let (first_line, mut skip) = (self.line, 1);
        while self.peek()?.is_some() {
            let rest = &self.buffer[self.start + skip..self.end];
            let found = memchr(self.line_end, rest);
            let length = found.unwrap_or(rest.len());
            text.extend_from_slice(&rest[..length]);
            self.consume_line_part(skip + length, found.is_some());
            if text.len() > TITLE_BYTES {
                let reason =
                    format!("this title is longer than {} MiB: is this a sequence file?", TITLE_BYTES >> 20);
                return Err(self.error_at(first_line, reason));
            }
            if found.is_some() {
                break;
            }
            skip = 0;
        }
        text.truncate(text.trim_ascii_end().len());
        Ok(())
    }

    /// Pushes the letters of lines together, until a line begins with `mark`; returns where they lie in the buffer,
    /// none if there were only blanks.
    fn gather(&mut self, mark: u8) -> Result<Option<(usize, usize)>> {
        self.event_line = self.line;
        let (from, mut to) = (self.start, self.start);
        while self.start < self.end && to - from < PIECE_BYTES {
            let rest = &self.buffer[self.start..self.end];
            if self.column == 0 && rest[0] == mark {
                break;
            }
            if rest.get(self.width) == Some(&self.line_end) && all_letters(&rest[..self.width]) {
                self.buffer.copy_within(self.start..self.start + self.width, to);
                to += self.width;
                self.consume_line_part(self.width, true);
                continue;
            }
            let found = memchr(self.line_end, rest);
            let length = trim_returns(&rest[..found.unwrap_or(rest.len())]);
            if found.is_none() && length == 0 {
                // Only CR at hand: whether they end the line is known with the next byte.
                if to > from {
                    break;
                }
                return self.read_on_after_returns().map(|()| None);
            }
            let range = self.start..self.start + length;
            let kept = if all_letters(&self.buffer[range.clone()]) {
                length
            } else {
                match self.squeeze(range.clone(), mark) {
                    Ok(kept) => kept,
                    Err(_) if to > from => break,
                    Err(error) => return Err(error),
                }
            };
            self.buffer.copy_within(range.start..range.start + kept, to);
            to += kept;
            self.width = length;
            self.consume_line_part(found.unwrap_or(length), found.is_some());
        }
        Ok((to > from).then_some((from, to)))
    }

    /// The slow path of a line that is not all letters A to Z: checks it and takes the blanks out.
    fn squeeze(&mut self, range: std::ops::Range<usize>, mark: u8) -> Result<usize> {
        let blanks = mark == b'>';
        let bad = |byte: &u8| !is_letter(*byte) && !(blanks && is_blank(*byte));
        let line = &mut self.buffer[range];
        if let Some(at) = line.iter().position(bad) {
            let byte = line[at];
            return Err(self.not_a_letter(byte, self.column + at as u64, mark));
        }
        let mut kept = 0;
        for at in 0..line.len() {
            line[kept] = line[at];
            kept += usize::from(!is_blank(line[at]));
        }
        Ok(kept)
    }

    /// With nothing but CR at hand in the middle of a line: reads more, or ends the line at the end of the file.
    fn read_on_after_returns(&mut self) -> Result<()> {
        if self.end - self.start == self.buffer.len() {
            return Err(self.error("found thousands of carriage returns, expected a line end or letters"));
        }
        if !self.fill()? {
            self.start = self.end;
        } else if let Some(&byte) = self.buffer[self.start..self.end].iter().find(|&&byte| byte != b'\r')
            && byte != self.line_end
        {
            return Err(self.not_a_letter(b'\r', self.column, b'>'));
        }
        Ok(())
    }

    /// Reads the rest of a quality line, or as much of it as is at hand.
    fn read_quality(&mut self) -> Result<()> {
        let missing = self.num_letters - self.num_qualities;
        if missing == 0 && self.column == 0 {
            self.state = State::FastqTitle;
            return Ok(());
        }
        if self.peek()?.is_none() {
            if missing > 0 {
                return Err(self.cut_short(&self.quality_count()));
            }
            self.state = State::FastqTitle;
            return Ok(());
        }
        let rest = &self.buffer[self.start..self.end];
        let found = memchr(self.line_end, rest);
        let quality = &rest[..trim_returns(&rest[..found.unwrap_or(rest.len())])];
        if quality.is_empty() && found.is_none() {
            return self.read_on_after_returns();
        }
        if !all(quality, u8::is_ascii_graphic)
            && let Some(at) = quality.iter().position(|byte| !byte.is_ascii_graphic())
        {
            let (byte, column) = (quality[at], self.column + at as u64 + 1);
            return Err(self.error(format!(
                "found {} in the quality, column {column}, expected a byte from `!` to `~`",
                show_byte(byte)
            )));
        }
        let count = quality.len();
        if count == 0 && self.column == 0 {
            return Err(
                self.error(format!("found an empty line, expected quality: {}", self.quality_count()))
            );
        }
        self.num_qualities += count as u64;
        if count as u64 > missing {
            return Err(self.error(format!(
                "the quality is longer than the sequence: {}; lines are missing or out of order",
                self.quality_count()
            )));
        }
        self.consume_line_part(found.unwrap_or(count), found.is_some());
        Ok(())
    }

    fn quality_count(&self) -> String {
        format!(
            "{} letters and {} of quality in record {}",
            self.num_letters,
            self.num_qualities,
            self.name()
        )
    }

    /// Skips blanks and line ends.
    fn skip_blanks(&mut self) -> Result<()> {
        while let Some(byte) = self.peek()? {
            if byte == self.line_end {
                self.consume_line_part(0, true);
            } else if byte.is_ascii_whitespace() {
                self.consume_line_part(1, false);
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Consumes `length` bytes of the line, and its end if that follows them.
    fn consume_line_part(&mut self, length: usize, ends: bool) {
        self.start += length + usize::from(ends);
        self.line += u64::from(ends);
        self.column = if ends { 0 } else { self.column + length as u64 };
    }

    /// The next byte, without consuming it; none at the end.
    fn peek(&mut self) -> Result<Option<u8>> {
        if self.start == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.start]))
    }

    /// Moves the unread bytes to the front and reads more behind them; false if no more come.
    fn fill(&mut self) -> Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let got = self.input.read(&mut self.buffer[self.end..]).map_err(|fault| place(&self.path, fault))?;
        self.end += got;
        Ok(got > 0)
    }

    fn name(&self) -> String {
        show_text(split_title(&self.title).0)
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        self.error_at(self.line, reason)
    }

    fn error_at(&self, line: u64, reason: impl Into<String>) -> Error {
        Error::fasta(&self.path, line, reason)
    }

    fn cut_short(&self, what: &str) -> Error {
        self.error(format!(
            "the file ends inside record {}: {what}; it is probably cut short, fetch it again",
            self.name()
        ))
    }

    fn not_a_letter(&self, byte: u8, column: u64, mark: u8) -> Error {
        let hint = match byte {
            b'>' if mark == b'>' => "; a line end is missing before it",
            b'@' if mark == b'+' && column == 0 => "; the record above has no `+` line and no quality",
            b';' | b'#' if column == 0 => "; comment lines are not part of FASTA, remove them",
            b'\r' | b'\n' => "; the file mixes line ends, make them all LF",
            b' ' | b'\t' => "; FASTQ allows no white space in a sequence",
            b'0'..=b'9' => {
                "; numbers beside a sequence belong to GenBank or EMBL format, convert the file to FASTA"
            }
            0 => "; this is not a text file",
            0x80.. => "; this is not plain ASCII text",
            _ => "",
        };
        self.error(format!(
            "found {} in the sequence of record {}, column {}, expected a letter (A to Z, `-`, `.`, `*`){hint}",
            show_byte(byte),
            self.name(),
            column + 1,
        ))
    }

    /// The error of a file whose first byte is neither `>` nor `@`.
    fn not_a_sequence_file(&self, byte: u8) -> Error {
        let head = &self.buffer[self.start..self.end];
        let hint = guess(head).unwrap_or("is this a sequence file?");
        self.error(format!("found {}, expected `>` (FASTA) or `@` (FASTQ); {hint}", show_byte(byte)))
    }
}

/// What [`Reader::advance`] came upon.
enum Found {
    Record,
    /// Letters, by their place in the buffer.
    Letters(usize, usize),
    End,
}

/// Beginnings of files that are taken for FASTA by mistake, and what to do.
const MISTAKEN: [(&[u8], &str); 13] = [
    (b"<", "this looks like a web page (HTML or XML); download the file itself"),
    (b";", "comment lines are not part of FASTA, remove them"),
    (b"##gff", "this looks like GFF, which has annotation and no sequence"),
    (b"#", "comment lines are not part of FASTA, remove them"),
    (b"LOCUS", "this looks like GenBank format; convert it to FASTA"),
    (b"ID ", "this looks like EMBL format; convert it to FASTA"),
    (b"BAM\x01", "this is a BAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"CRAM", "this is a CRAM file; use `samtools fasta FILE | genotok ... -`"),
    (b"\x43\x27\x41\x1a", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x1a\x41\x27\x43", "this is a 2bit file; convert it with `twoBitToFa`"),
    (b"\x1f\x8b", "it is compressed twice; unpack it once"),
    (b"{", "this looks like JSON"),
    (b"\0", "this is not a text file"),
];

/// A guess at what a file is that begins with `head`, and what to do.
fn guess(head: &[u8]) -> Option<&'static str> {
    let known = MISTAKEN.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, hint)| *hint);
    known.or_else(|| {
        let line = head.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or(head);
        match line {
            _ if line.contains(&0) => Some("this is not a text file"),
            [b' ' | b'\t', ..] => Some("remove the white space before it"),
            _ if all_letters(line) => Some("a line `>name` has to stand before the sequence"),
            _ => None,
        }
    })
}

/// The error for a fault in the file at `path`.
fn place(path: &Path, fault: Fault) -> Error {
    match fault {
        Fault::Io(source) => Error::io(path, source),
        Fault::Damaged(reason) => Error::file(path, reason),
    }
}

/// A title's first word, and the rest.
fn split_title(title: &[u8]) -> (&[u8], &[u8]) {
    let title = title.trim_ascii_start();
    let length = memchr2(b' ', b'\t', title).unwrap_or(title.len());
    (&title[..length], title[length..].trim_ascii())
}

/// At most 60 bytes of `text`, quoted, fit for a message of one line.
fn show_text(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 60;
    let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN_BYTES)]);
    format!("{shown:?}{}", if text.len() > SHOWN_BYTES { "..." } else { "" })
}

/// The length of `line` without the CR at its end.
fn trim_returns(line: &[u8]) -> usize {
    line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'*')
}

/// Whether `text` is nothing but A to Z in either case.
fn all_letters(text: &[u8]) -> bool {
    all(text, u8::is_ascii_alphabetic)
}

/// Whether every byte of `text` is `legal`.
///
/// The blocks are fixed in length, so the inner loop has no branch and becomes vector instructions; the last block
/// overlaps the one before, so there is no rest to look at byte by byte.
#[inline]
fn all(text: &[u8], legal: impl Fn(&u8) -> bool) -> bool {
    const BLOCK: usize = 32;
    let all_in_block = |block: &[u8]| block.iter().fold(true, |all, byte| all & legal(byte));
    match text.last_chunk::<BLOCK>() {
        Some(last) => {
            text.as_chunks::<BLOCK>().0.iter().all(|block| all_in_block(block)) && all_in_block(last)
        }
        None => all_in_block(text),
    }
}
