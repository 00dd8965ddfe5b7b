//! The lines of a sequence file, in one fixed buffer: titles, letters, qualities.
//!
//! Two read them: the strict reader ([`super::Reader`]), for which the first defect is the end, and [`crate::check`],
//! which goes on. Lines that are as they should be take the same ways through here for both.

pub(crate) mod titles;

use std::path::PathBuf;

use memchr::{memchr, memchr2};

use super::mistakes::{MIXED, SAM, hint_for_file, hint_for_letter, looks_like_sam};
use crate::error::{Error, Result, show_byte};
use crate::io::decompress::Input;
use crate::io::memory::Buffer;

/// Length of the buffer that all input passes through.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;
/// Lines are pushed together until a piece has this many letters.
const PIECE_BYTES: usize = 16 << 10;
/// Most CR that may stand before the LF of a line; careless conversions leave two or three.
const MOST_RETURNS: usize = 8;
/// Bytes read before a file is judged by its beginning.
const HEAD_BYTES: usize = 512;
/// The unread text of a file, and where in the file it is.
pub(crate) struct Text {
    pub(crate) path: PathBuf,
    pub(crate) input: Input,
    buffer: Buffer,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// The byte that ends a line: LF, or CR in files that have no LF.
    line_end: u8,
    /// The line of the next byte, counted from 1, and how many of its bytes are consumed.
    pub(crate) line: u64,
    pub(crate) column: u64,
    /// The length of the last sequence line, which the next one probably has too.
    width: usize,
    /// Of the piece last gathered: its first line, how wide the lines are that it begins with, and where others lie in
    /// it; see [`Text::line_of`].
    piece_line: u64,
    piece_width: usize,
    joints: Vec<Joint>,
    /// The title last read, without `>` or `@`.
    pub(crate) title: Vec<u8>,
    /// Whether the line last read by [`Text::read_line`] had CR at its end.
    pub(crate) returned: bool,
    /// Bytes that came into the buffer so far.
    filled: u64,
}

/// A line, or as much of it as is at hand; see [`Text::part`].
pub(crate) struct Part {
    /// Where it lies, without CR at its end; of more CR than may be there the first counts as content.
    pub(crate) content: Span,
    /// CR before its end.
    pub(crate) returns: usize,
    /// Whether its end is at hand.
    pub(crate) ends: bool,
}

/// Where pieces of sequence lie in the buffer; see [`Text::letters`].
pub(crate) type Span = std::ops::Range<usize>;

/// A line of a piece, and the lines after it that are `width` wide.
struct Joint {
    /// Where in the piece the line's letters begin, and where they end.
    at: usize,
    end: usize,
    /// Its number, and that of the line after it.
    line: u64,
    next: u64,
    width: usize,
}

impl Text {
    /// The text of `input`, past a byte-order mark; `path` stands for it in messages.
    pub(crate) fn new(path: PathBuf, input: Input) -> Result<Self> {
        Self::with_buffer(path, input, BUFFER_BYTES)
    }

    /// The same with a buffer of so many bytes.
    pub(crate) fn with_buffer(path: PathBuf, input: Input, bytes: usize) -> Result<Self> {
        let mut text = Self {
            path,
            input,
            buffer: Buffer::of(bytes),
            start: 0,
            end: 0,
            line_end: b'\n',
            line: 1,
            column: 0,
            width: 0,
            piece_line: 1,
            piece_width: 0,
            joints: Vec::new(),
            title: Vec::new(),
            returned: false,
            filled: 0,
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
            if let Some(&byte) = after {
                self.line_end = if byte == b'\n' { b'\n' } else { b'\r' };
                return Ok(());
            }
            scanned += at;
            if self.is_full() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Letters that [`Self::gather`] found.
    pub(crate) fn letters(&self, span: Span) -> &[u8] {
        &self.buffer[span]
    }

    /// The next byte, without consuming it; none at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        if self.start == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.start]))
    }

    /// Skips blanks and line ends. LF in a file whose lines end with CR is neither.
    pub(crate) fn skip_blanks(&mut self) -> Result<()> {
        while let Some(byte) = self.peek()? {
            if byte == self.line_end {
                self.consume(0, true);
            } else if is_blank(byte) || byte == b'\r' {
                self.consume(1, false);
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Pushes the letters of lines together until a line begins with `mark` or the piece is long enough; says where
    /// they lie, nowhere if there were none at hand. In FASTQ (`mark` is `+`) blanks are not allowed.
    ///
    /// A line as wide as the one before, the usual case, needs no search for its end: a line end at that width with
    /// nothing but letters before it is the first.
    pub(crate) fn gather(&mut self, mark: u8) -> Result<Option<Span>> {
        let (from, mut to) = (self.start, self.start);
        self.joints.clear();
        (self.piece_line, self.piece_width) = (self.line, self.width);
        while self.start < self.end && to - from < PIECE_BYTES {
            let rest = &self.buffer[self.start..self.end];
            if self.column == 0 && rest[0] == mark {
                break;
            }
            if self.push_even_line(to) {
                to += self.width;
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
            let (at, line) = (to - from, self.line);
            to += kept;
            self.width = length;
            self.consume(found.unwrap_or(length), found.is_some());
            self.joints.push(Joint { at, end: to - from, line, next: self.line, width: length });
        }
        Ok((to > from).then_some(from..to))
    }

    /// The line of the letter at `offset` of the piece last gathered.
    pub(crate) fn line_of(&self, offset: usize) -> u64 {
        let even = |letters: usize, width: usize| (letters / width.max(1)) as u64;
        match self.joints.iter().rfind(|joint| joint.at <= offset) {
            None => self.piece_line + even(offset, self.piece_width),
            Some(joint) if offset < joint.end => joint.line,
            Some(joint) => joint.next + even(offset - joint.end, joint.width),
        }
    }

    /// Moves the next line down to `to` if it is as wide as the one before and nothing but letters.
    #[inline]
    fn push_even_line(&mut self, to: usize) -> bool {
        let rest = &self.buffer[self.start..self.end];
        let even = rest.get(self.width) == Some(&self.line_end) && all_letters(&rest[..self.width]);
        if even {
            self.buffer.copy_within(self.start..self.start + self.width, to);
            self.consume(self.width, true);
        }
        even
    }

    /// Pushes lines together that are as wide as the last one [taken](Self::take) and nothing but A to Z; says where
    /// they lie and how wide they were. None if the next line is not of this kind, or not whole at hand.
    pub(crate) fn even_lines(&mut self) -> Option<(Span, usize)> {
        let (from, mut to) = (self.start, self.start);
        while self.width > 0 && to - from < PIECE_BYTES && self.push_even_line(to) {
            to += self.width;
        }
        (to > from).then_some((from..to, self.width))
    }

    /// The rest of the line, as much as is at hand, without consuming it; none at the end.
    pub(crate) fn part(&mut self) -> Result<Option<Part>> {
        loop {
            if self.peek()?.is_none() {
                return Ok(None);
            }
            let (length, found) = self.line_part();
            if length == 0 && found.is_none() && self.fill()? {
                continue; // only CR was at hand: whether they end the line is known now
            }
            let returns = if length == 0 { self.end - self.start } else { 0 };
            return Ok(Some(Part {
                content: self.start..self.start + length,
                returns: found.map_or(returns, |end| end - length),
                ends: found.is_some(),
            }));
        }
    }

    /// Consumes a part of a line.
    pub(crate) fn take(&mut self, part: &Part) {
        if self.column == 0 && part.ends {
            self.width = part.content.len();
        }
        self.consume(part.content.len() + part.returns, part.ends);
    }

    /// Consumes the rest of the line.
    pub(crate) fn skip_line(&mut self) -> Result<()> {
        while let Some(part) = self.part()? {
            self.take(&part);
            if part.ends {
                break;
            }
        }
        Ok(())
    }

    /// The first bytes of the line after this one, at most `most`; none if they do not fit into the buffer.
    pub(crate) fn next_line(&mut self, most: usize) -> Result<&[u8]> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            let next = memchr(self.line_end, rest).map_or(rest.len(), |end| end + 1);
            if rest.len() < next + most && !self.is_full() && self.fill()? {
                continue;
            }
            let rest = &self.buffer[self.start..self.end];
            let line = &rest[next..rest.len().min(next + most)];
            return Ok(line.split(|&byte| byte == self.line_end).next().unwrap_or(line).trim_ascii_end());
        }
    }

    /// The bytes at hand.
    pub(crate) fn at_hand(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where in the unpacked text the next byte is.
    pub(crate) fn offset(&self) -> u64 {
        self.filled - (self.end - self.start) as u64
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
    pub(crate) fn take_quality(&mut self) -> Result<Option<u64>> {
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
            let hint = if matches!(byte, b'\r' | b'\n') { format!("; {MIXED}") } else { String::new() };
            return Err(self.error(format!(
                "found {} in the quality of record {}, column {column}, expected a byte from `!` to `~`{hint}",
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
        (without_returns(line), found)
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
        self.filled += got as u64;
        Ok(got > 0)
    }

    fn is_full(&self) -> bool {
        self.end - self.start == self.buffer.len()
    }

    /// A format error on the line of the next byte.
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        self.error_at(self.line, reason)
    }

    /// A format error on `line`.
    pub(crate) fn error_at(&self, line: u64, reason: impl Into<String>) -> Error {
        Error::fasta(&self.path, line, reason)
    }

    fn not_a_letter(&self, byte: u8, column: u64, fastq: bool) -> Error {
        let hint = match hint_for_letter(byte, column == 0, fastq) {
            _ if fastq && looks_like_sam(&self.title) => SAM,
            hint => hint,
        };
        self.error(format!(
            "found {} in the sequence of record {}, column {}, expected a letter (A to Z, `-`, `.`, `*`){}{hint}",
            show_byte(byte),
            self.name(),
            column + 1,
            if hint.is_empty() { "" } else { "; " }
        ))
    }

    /// The error of a file whose first byte, `byte`, is neither `>` nor `@`.
    pub(crate) fn not_a_sequence_file(&self, byte: u8) -> Error {
        let hint = match self.column {
            0 => hint_for_file(&self.buffer[self.start..self.end]),
            _ => "remove the white space before it",
        };
        self.error(format!("found {}, expected `>` (FASTA) or `@` (FASTQ); {hint}", show_byte(byte)))
    }
}

/// The length of a line without CR at its end. Of more CR than may be there the first counts as content, to be found
/// at fault.
fn without_returns(line: &[u8]) -> usize {
    let length = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    length + usize::from(line.len() - length > MOST_RETURNS)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(crate) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'*')
}

/// Whether `text` is nothing but A to Z in either case.
pub(crate) fn all_letters(text: &[u8]) -> bool {
    all(text, u8::is_ascii_alphabetic)
}

/// Whether every byte of `text` is `legal`.
///
/// The blocks are fixed in length, so the inner loop has no branch and becomes vector instructions; the last block
/// overlaps the one before, so there is no rest to look at byte by byte.
#[inline]
pub(crate) fn all(text: &[u8], legal: impl Fn(&u8) -> bool) -> bool {
    const BLOCK: usize = 32;
    let all_in_block = |block: &[u8]| block.iter().fold(true, |all, byte| all & legal(byte));
    match text.last_chunk::<BLOCK>() {
        Some(last) => {
            text.as_chunks::<BLOCK>().0.iter().all(|block| all_in_block(block)) && all_in_block(last)
        }
        None => all_in_block(text),
    }
}
