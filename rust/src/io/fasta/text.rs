//! The lines of a sequence file, in one fixed buffer: titles, symbols, qualities.
//!
//! Two readers share it: the strict one ([`super::SequenceReader`]), which stops at the first defect, and
//! [`crate::check`], which continues. Lines without defects take the same path for both, so the two cannot disagree.
//!
//! # The buffer
//!
//! `buffer[start..end]` is the text that is read and not consumed. `line` and `column` are the position of the byte at
//! `start`; `column` is 0 exactly at the start of a line, which is where `>`, `@` and `+` are marks. [`consume`] is the
//! only place that moves `start`, `line` and `column` forward, so that they agree; [`fill`] moves the unread text to the
//! front and reads behind it, so every span is invalid after it.
//!
//! A line may be longer than the buffer. All methods therefore see *parts* of lines: the rest of the line as far as it is
//! in the buffer, and whether its end is. A CR at the end of the buffer is the hard case: whether it belongs to the line
//! end is known with the next byte only, so a part never ends with CR unless that is settled.
//!
//! # Joining lines
//!
//! [`SequenceText::gather`] moves the symbols of following lines down to the end of the piece, over the line ends and
//! blanks between them: the read position `start` is always at or after the write position `to`, so nothing unread is
//! overwritten. The file positions of the symbols are lost by this; the piece notes a [`Joint`] for each line that is not
//! as wide as its predecessor, from which [`SequenceText::line_of`] computes them back when a message needs them.
//!
//! [`consume`]: SequenceText::consume
//! [`fill`]: SequenceText::fill

pub(crate) mod source;
mod symbols;
pub(crate) mod titles;

use std::path::PathBuf;

use memchr::{memchr, memchr2};

use super::mistakes::{MIXED, SAM, hint_for_file, hint_for_symbol, looks_like_sam};
use crate::error::{Error, Result, show_byte};
use crate::io::memory::Buffer;
use source::{TextSource, TurnEnd};

pub(crate) use symbols::{all, all_alphabetic, is_blank, is_symbol};

/// Bytes of the buffer that all input passes through.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;
/// Lines are joined until a piece has at least this many symbols: enough to repay the calls per piece.
const PIECE_BYTES: usize = 16 << 10;
/// CR that may stand before the LF of a line, at most; careless conversions leave two or three.
const MAX_RETURNS: usize = 8;
/// Bytes read before a file is judged by its first bytes.
const HEAD_BYTES: usize = 512;

/// The unread text of a file, and its position in the file.
pub(crate) struct SequenceText {
    pub(crate) path: PathBuf,
    pub(crate) source: TextSource,
    buffer: Buffer,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// The byte that ends a line: LF, or CR in files that have no LF.
    line_end: u8,
    /// The line of the next byte, counted from 1, and how many bytes of that line are consumed.
    pub(crate) line: u64,
    pub(crate) column: u64,
    /// The length of the last sequence line, which is tried for the next one.
    width: usize,
    /// Of the piece last gathered: its first line, the width of the lines it starts with, and the lines of other widths;
    /// see [`SequenceText::line_of`].
    piece_line: u64,
    piece_width: usize,
    joints: Vec<Joint>,
    /// The title last read, without `>` or `@`.
    pub(crate) title: Vec<u8>,
    /// Whether the line last read by [`SequenceText::read_line`] had CR at its end.
    pub(crate) returned: bool,
    /// Bytes read into the buffer so far.
    filled: u64,
}

/// The rest of a line, or as much of it as is in the buffer; see [`SequenceText::part`].
pub(crate) struct LinePart {
    /// Where it lies, without CR at its end. Of more CR than are allowed, the first counts as content.
    pub(crate) content: Span,
    /// CR before its end.
    pub(crate) returns: usize,
    /// Whether the end of the line is in the buffer.
    pub(crate) ends: bool,
}

/// A range of the buffer, valid until more is read; see [`SequenceText::symbols`].
pub(crate) type Span = std::ops::Range<usize>;

/// A line of a piece, and the lines after it that are `width` wide. The lines `ACGT`, `ACGT`, `AC`, `GG` after lines of four
/// are a piece of twelve symbols with one joint: its symbols are 8 to 10, and what follows has width two.
struct Joint {
    /// Where in the piece the line's symbols start and end.
    at: usize,
    end: usize,
    /// Its number, and that of the line after it.
    line: u64,
    next: u64,
    width: usize,
}

impl SequenceText {
    /// The text of `source`, past a byte-order mark; `path` stands for it in messages.
    pub(crate) fn new(path: PathBuf, source: TextSource) -> Result<Self> {
        Self::with_buffer(path, source, BUFFER_BYTES)
    }

    /// [`new`](Self::new) with a buffer of `bytes` bytes.
    pub(crate) fn with_buffer(path: PathBuf, source: TextSource, bytes: usize) -> Result<Self> {
        let mut text = Self {
            path,
            source,
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

    /// Skips the mark of UTF-8; fails at those of UTF-16.
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

    /// Decides the line end from the first line: CR if anything but LF follows it. Reads until that is known.
    fn find_line_end(&mut self) -> Result<()> {
        let mut scanned = 0;
        loop {
            let text = &self.unread()[scanned..];
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

    /// The bytes of a span that [`Self::gather`], [`Self::even_lines`] or [`Self::part`] returned.
    pub(crate) fn symbols(&self, span: Span) -> &[u8] {
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

    /// Joins the symbols of lines until a line starts with `mark` or the piece is long enough, and returns where they lie;
    /// none if no symbol was in the buffer. In FASTQ (`mark` is `+`) blanks are not allowed.
    ///
    /// A line as wide as the one before, the usual case, needs no search for its end: if there is a line end at that width
    /// and nothing but A to Z before it, it is the first line end. A defect behind symbols that are already gathered ends
    /// the piece before its line; the next call meets it again, first, and reports it.
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
                // Only CR in the buffer: whether they end the line is known with the next byte.
                if to == from {
                    self.read_past_returns(mark)?;
                }
                break;
            }
            let kept = match self.check_symbols(length, mark) {
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

    /// The line of the symbol at `offset` of the piece last gathered. Before the first joint all lines are `piece_width`
    /// wide; a joint's line holds the symbols `at..end`, and the lines after it are as wide as it is.
    pub(crate) fn line_of(&self, offset: usize) -> u64 {
        let even = |symbols: usize, width: usize| (symbols / width.max(1)) as u64;
        match self.joints.iter().rfind(|joint| joint.at <= offset) {
            None => self.piece_line + even(offset, self.piece_width),
            Some(joint) if offset < joint.end => joint.line,
            Some(joint) => joint.next + even(offset - joint.end, joint.width),
        }
    }

    /// Moves the next line down to `to` if it is as wide as the one before and holds nothing but A to Z.
    #[inline]
    fn push_even_line(&mut self, to: usize) -> bool {
        let rest = &self.buffer[self.start..self.end];
        let even = rest.get(self.width) == Some(&self.line_end) && all_alphabetic(&rest[..self.width]);
        if even {
            self.buffer.copy_within(self.start..self.start + self.width, to);
            self.consume(self.width, true);
        }
        even
    }

    /// Joins lines that are as wide as the last one [taken](Self::take) and hold nothing but A to Z; returns where they
    /// lie and their width. None if the next line is not of this kind, or not completely in the buffer.
    pub(crate) fn even_lines(&mut self) -> Option<(Span, usize)> {
        let (from, mut to) = (self.start, self.start);
        while self.width > 0 && to - from < PIECE_BYTES && self.push_even_line(to) {
            to += self.width;
        }
        (to > from).then_some((from..to, self.width))
    }

    /// The rest of the line as far as it is in the buffer, without consuming it; none at the end.
    pub(crate) fn part(&mut self) -> Result<Option<LinePart>> {
        loop {
            if self.peek()?.is_none() {
                return Ok(None);
            }
            let (length, found) = self.line_part();
            if length == 0 && found.is_none() && self.fill()? {
                continue; // only CR was in the buffer: whether they end the line is known now
            }
            let returns = if length == 0 { self.end - self.start } else { 0 };
            return Ok(Some(LinePart {
                content: self.start..self.start + length,
                returns: found.map_or(returns, |end| end - length),
                ends: found.is_some(),
            }));
        }
    }

    /// Consumes a part of a line.
    pub(crate) fn take(&mut self, part: &LinePart) {
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

    /// The first bytes of the line after this one, at most `limit`; none if they do not fit into the buffer. Spans are
    /// invalid afterwards.
    pub(crate) fn next_line(&mut self, limit: usize) -> Result<&[u8]> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            let next = memchr(self.line_end, rest).map_or(rest.len(), |end| end + 1);
            if rest.len() < next + limit && !self.is_full() && self.fill()? {
                continue;
            }
            let rest = &self.buffer[self.start..self.end];
            let line = &rest[next..rest.len().min(next + limit)];
            return Ok(line.split(|&byte| byte == self.line_end).next().unwrap_or(line).trim_ascii_end());
        }
    }

    /// The unread bytes in the buffer.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes that a turn would have, at most `limit`; `limit` if that is not known. None if lines end with CR.
    pub(crate) fn available(&self, limit: usize) -> usize {
        if self.line_end == b'\n' { self.source.available(self.end - self.start, limit) } else { 0 }
    }

    /// Reads a turn: the next `bytes` bytes, the unread ones in the buffer first; see [`TextSource::read_turn`].
    pub(crate) fn read_turn<S: Send>(
        &mut self,
        bytes: usize,
        chunk: usize,
        states: &mut [S],
        work: impl Fn(usize, &[u8], &mut S) + Sync,
    ) -> Result<()> {
        self.filled = self.offset();
        let unread = &self.buffer[std::mem::take(&mut self.start)..std::mem::take(&mut self.end)];
        let read = self.source.read_turn(unread, bytes, chunk, states, work);
        read.map_err(|fault| fault.at(&self.path))
    }

    /// Consumes what of a turn was plain.
    pub(crate) fn end_turn(&mut self, end: &TurnEnd) {
        if let Some(title) = end.title.clone() {
            let title = &self.source.turn()[title];
            let length = title.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
            self.title.clear();
            self.title.extend_from_slice(&title[..length]);
        }
        self.source.consume(end.at);
        self.filled += end.at as u64;
        self.line += end.lines;
        self.column = end.column as u64;
    }

    /// The position of the next byte in the unpacked text, from 0.
    pub(crate) fn offset(&self) -> u64 {
        self.filled - (self.end - self.start) as u64
    }

    /// Checks the next `length` bytes of a sequence line, removes the blanks in place, and returns how many bytes are left.
    /// Fails at the first byte that is no symbol.
    fn check_symbols(&mut self, length: usize, mark: u8) -> Result<usize> {
        let fastq = mark == b'+';
        let line = &mut self.buffer[self.start..self.start + length];
        if all_alphabetic(line) {
            return Ok(length);
        }
        let bad = |byte: &u8| !is_symbol(*byte) && (fastq || !is_blank(*byte));
        if let Some(at) = line.iter().position(bad) {
            let byte = line[at];
            return Err(self.not_a_symbol(byte, self.column + at as u64, fastq));
        }
        let mut kept = 0;
        for at in 0..length {
            line[kept] = line[at];
            kept += usize::from(!is_blank(line[at]));
        }
        Ok(kept)
    }

    /// Consumes the next part of a quality line and returns its length; none if the line is empty. Fails at a byte outside
    /// `!` to `~`.
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

    /// The length of the rest of the line as far as it is in the buffer, without CR at its end; and the offset of the line
    /// end, if that is in the buffer.
    fn line_part(&self) -> (usize, Option<usize>) {
        let rest = &self.buffer[self.start..self.end];
        let found = memchr(self.line_end, rest);
        let line = &rest[..found.unwrap_or(rest.len())];
        (without_returns(line), found)
    }

    /// With nothing but a few CR in the buffer: reads more, or ends the line at the end of the file. Fails if something
    /// other than the line end follows them.
    fn read_past_returns(&mut self, mark: u8) -> Result<()> {
        if !self.fill()? {
            self.start = self.end;
        } else if let Some(&byte) = self.buffer[self.start..self.end].iter().find(|&&byte| byte != b'\r')
            && byte != self.line_end
        {
            return Err(self.not_a_symbol(b'\r', self.column, mark == b'+'));
        }
        Ok(())
    }

    /// Consumes `length` bytes of the line, and its end if that follows them.
    fn consume(&mut self, length: usize, ends: bool) {
        self.start += length + usize::from(ends);
        self.line += u64::from(ends);
        self.column = if ends { 0 } else { self.column + length as u64 };
    }

    /// Moves the unread bytes to the front and reads more behind them; false at the end of the file. The buffer must not
    /// be full.
    fn fill(&mut self) -> Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let got = self.source.read(&mut self.buffer[self.end..]).map_err(|fault| fault.at(&self.path))?;
        self.end += got;
        self.filled += got as u64;
        Ok(got > 0)
    }

    /// Whether the unread text takes the whole buffer.
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

    /// The error of a byte that is no symbol, `column` bytes into its line.
    fn not_a_symbol(&self, byte: u8, column: u64, fastq: bool) -> Error {
        let hint = match hint_for_symbol(byte, column == 0, fastq) {
            _ if fastq && looks_like_sam(&self.title) => SAM,
            hint => hint,
        };
        self.error(format!(
            "found {} in the sequence of record {}, column {}, expected a symbol (A to Z, `-`, `.`, `*`){}{hint}",
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

/// The length of a line without the CR at its end. Of more CR than are allowed, the first counts as content, where every
/// reader refuses it.
fn without_returns(line: &[u8]) -> usize {
    let length = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    length + usize::from(line.len() - length > MAX_RETURNS)
}
