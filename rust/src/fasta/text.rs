//! The lines of a sequence file, in one fixed buffer: titles, letters, qualities.

use std::path::PathBuf;

use memchr::{memchr, memchr2};

use super::mistakes::{hint_for_file, hint_for_letter, show_text};
use crate::decompress::Input;
use crate::error::{Error, Result, show_byte};

/// Length of the buffer that all input passes through.
pub(super) const BUFFER_BYTES: usize = 256 << 10;
/// Lines are pushed together until a piece has this many letters.
const PIECE_BYTES: usize = 16 << 10;
/// Most CR that may stand before the LF of a line; careless conversions leave two or three.
const MOST_RETURNS: usize = 8;
/// Bytes read before a file is judged by its beginning.
const HEAD_BYTES: usize = 512;
/// Longest title allowed.
pub(super) const TITLE_BYTES: usize = 1 << 20;

/// The unread text of a file, and where in the file it is.
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) input: Input,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// The byte that ends a line: LF, or CR in files that have no LF.
    line_end: u8,
    /// The line of the next byte, counted from 1, and how many of its bytes are consumed.
    pub(super) line: u64,
    pub(super) column: u64,
    /// The length of the last sequence line, which the next one probably has too.
    width: usize,
    /// The title last read, without `>` or `@`.
    pub(super) title: Vec<u8>,
}

/// Where pieces of sequence lie in the buffer; see [`Text::letters`].
pub(super) type Span = std::ops::Range<usize>;

impl Text {
    /// The text of `input`, past a byte-order mark; `path` stands for it in messages.
    pub(super) fn new(path: PathBuf, input: Input) -> Result<Self> {
        let mut text = Self {
            path,
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            line_end: b'\n',
            line: 1,
            column: 0,
            width: 0,
            title: Vec::new(),
        };
        while text.end < HEAD_BYTES && text.fill()? {}
        text.skip_byte_order_mark()?;
        text.find_line_end()?;
        Ok(text)
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
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
    fn find_line_end(&mut self) -> Result<()> {
        let mut scanned = 0;
        loop {
            let text = &self.buffer[self.start + scanned..self.end];
            let at = memchr2(b'\r', b'\n', text).unwrap_or(text.len());
            let returns = text[at..].iter().take_while(|&&byte| byte == b'\r').count();
            let after = text.get(at + returns);
            if after.is_some() || returns > MOST_RETURNS {
                self.line_end = if after == Some(&b'\n') { b'\n' } else { b'\r' };
                return Ok(());
            }
            scanned += at;
            if self.is_full() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Letters that [`Self::gather`] found.
    pub(super) fn letters(&self, span: Span) -> &[u8] {
        &self.buffer[span]
    }

    /// The next byte, without consuming it; none at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>> {
        if self.start == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.start]))
    }

    /// Skips blanks and line ends.
    pub(super) fn skip_blanks(&mut self) -> Result<()> {
        while let Some(byte) = self.peek()? {
            if byte == self.line_end {
                self.consume(0, true);
            } else if byte.is_ascii_whitespace() {
                self.consume(1, false);
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Reads the line at whose first byte the text stands into the title, without that byte and without white space at
    /// its end.
    pub(super) fn read_title(&mut self) -> Result<()> {
        let line = self.line;
        let mut title = std::mem::take(&mut self.title);
        let outcome = self.read_line(&mut title);
        self.title = title;
        outcome?;
        if memchr(0, &self.title).is_some() {
            return Err(self.error_at(line, "found byte 0x00 in a title: this is not a text file"));
        }
        Ok(())
    }

    /// Puts the rest of a line into `text`, without its first byte and without white space at its end.
    pub(super) fn read_line(&mut self, text: &mut Vec<u8>) -> Result<()> {
        text.clear();
        let (first_line, mut skip) = (self.line, 1);
        while self.peek()?.is_some() {
            let rest = &self.buffer[self.start + skip..self.end];
            let found = memchr(self.line_end, rest);
            let length = found.unwrap_or(rest.len());
            text.extend_from_slice(&rest[..length]);
            self.consume(skip + length, found.is_some());
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

    /// Pushes the letters of lines together until a line begins with `mark` or the piece is long enough; says where
    /// they lie, nowhere if there were none at hand. In FASTQ (`mark` is `+`) blanks are not allowed.
    ///
    /// A line as wide as the one before, the usual case, needs no search for its end: a line end at that width with
    /// nothing but letters before it is the first.
    pub(super) fn gather(&mut self, mark: u8) -> Result<Option<Span>> {
        let (from, mut to) = (self.start, self.start);
        while self.start < self.end && to - from < PIECE_BYTES {
            let rest = &self.buffer[self.start..self.end];
            if self.column == 0 && rest[0] == mark {
                break;
            }
            if rest.get(self.width) == Some(&self.line_end) && all_letters(&rest[..self.width]) {
                self.buffer.copy_within(self.start..self.start + self.width, to);
                to += self.width;
                self.consume(self.width, true);
                continue;
            }
            let (length, found) = self.line_part();
            if found.is_none() && length == 0 {
                // Only CR at hand: whether they end the line is known with the next byte.
                if to == from {
                    self.read_past_returns(mark)?;
                }
                break;
            }
            let kept = match self.check_letters(length, mark) {
                Err(_) if to > from => break,
                outcome => outcome?,
            };
            self.buffer.copy_within(self.start..self.start + kept, to);
            to += kept;
            self.width = length;
            self.consume(found.unwrap_or(length), found.is_some());
        }
        Ok((to > from).then_some(from..to))
    }

    /// Checks the next `length` bytes of a sequence line, takes the blanks out, and says how many are left.
    fn check_letters(&mut self, length: usize, mark: u8) -> Result<usize> {
        let fastq = mark == b'+';
        let line = &mut self.buffer[self.start..self.start + length];
        if all_letters(line) {
            return Ok(length);
        }
        let bad = |byte: &u8| !is_letter(*byte) && (fastq || !is_blank(*byte));
        if let Some(at) = line.iter().position(bad) {
            let byte = line[at];
            return Err(self.not_a_letter(byte, self.column + at as u64, fastq));
        }
        let mut kept = 0;
        for at in 0..length {
            line[kept] = line[at];
            kept += usize::from(!is_blank(line[at]));
        }
        Ok(kept)
    }

    /// Takes the next part of a quality line, as much as is at hand, and says how long it is: nothing but bytes from
    /// `!` to `~`. None if the line is empty.
    pub(super) fn take_quality(&mut self) -> Result<Option<u64>> {
        let (length, found) = self.line_part();
        if length == 0 && found.is_none() {
            self.read_past_returns(b'+')?;
            return Ok(Some(0));
        }
        let quality = &self.buffer[self.start..self.start + length];
        if !all(quality, u8::is_ascii_graphic)
            && let Some(at) = quality.iter().position(|byte| !byte.is_ascii_graphic())
        {
            let (byte, column) = (quality[at], self.column + at as u64 + 1);
            return Err(self.error(format!(
                "found {} in the quality of record {}, column {column}, expected a byte from `!` to `~`",
                show_byte(byte),
                self.name()
            )));
        }
        if length == 0 && self.column == 0 {
            return Ok(None);
        }
        self.consume(found.unwrap_or(length), found.is_some());
        Ok(Some(length as u64))
    }

    /// The length of the rest of the line as far as it is at hand, without CR at its end; and, if its end is at hand,
    /// where.
    fn line_part(&self) -> (usize, Option<usize>) {
        let rest = &self.buffer[self.start..self.end];
        let found = memchr(self.line_end, rest);
        let line = &rest[..found.unwrap_or(rest.len())];
        let length = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
        // With too many CR the first counts as content, to be found at fault.
        let content = length + usize::from(line.len() - length > MOST_RETURNS);
        (content, found)
    }

    /// With nothing but a few CR at hand in the middle of a line: reads more, or ends the line at the end of the file.
    fn read_past_returns(&mut self, mark: u8) -> Result<()> {
        if !self.fill()? {
            self.start = self.end;
        } else if let Some(&byte) = self.buffer[self.start..self.end].iter().find(|&&byte| byte != b'\r')
            && byte != self.line_end
        {
            return Err(self.not_a_letter(b'\r', self.column, mark == b'+'));
        }
        Ok(())
    }

    /// Consumes `length` bytes of the line, and its end if that follows them.
    fn consume(&mut self, length: usize, ends: bool) {
        self.start += length + usize::from(ends);
        self.line += u64::from(ends);
        self.column = if ends { 0 } else { self.column + length as u64 };
    }

    /// Moves the unread bytes to the front and reads more behind them; false if no more come.
    fn fill(&mut self) -> Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let got = self.input.read(&mut self.buffer[self.end..]).map_err(|fault| fault.at(&self.path))?;
        self.end += got;
        Ok(got > 0)
    }

    fn is_full(&self) -> bool {
        self.end - self.start == self.buffer.len()
    }

    /// The record's name, fit for a message.
    pub(super) fn name(&self) -> String {
        show_text(split_title(&self.title).0)
    }

    /// A format error on the line of the next byte.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        self.error_at(self.line, reason)
    }

    /// A format error on `line`.
    pub(super) fn error_at(&self, line: u64, reason: impl Into<String>) -> Error {
        Error::fasta(&self.path, line, reason)
    }

    fn not_a_letter(&self, byte: u8, column: u64, fastq: bool) -> Error {
        self.error(format!(
            "found {} in the sequence of record {}, column {}, expected a letter (A to Z, `-`, `.`, `*`){}",
            show_byte(byte),
            self.name(),
            column + 1,
            hint_for_letter(byte, column == 0, fastq)
        ))
    }

    /// The error of a file whose first byte, `byte`, is neither `>` nor `@`.
    pub(super) fn not_a_sequence_file(&self, byte: u8) -> Error {
        let hint = match self.column {
            0 => hint_for_file(&self.buffer[self.start..self.end]),
            _ => "remove the white space before it",
        };
        self.error(format!("found {}, expected `>` (FASTA) or `@` (FASTQ); {hint}", show_byte(byte)))
    }
}

/// A title's first word, and the rest.
pub(super) fn split_title(title: &[u8]) -> (&[u8], &[u8]) {
    let title = title.trim_ascii_start();
    let length = memchr2(b' ', b'\t', title).unwrap_or(title.len());
    (&title[..length], title[length..].trim_ascii())
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
