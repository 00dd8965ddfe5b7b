//! Plain text: the part of the format that nearly all files consist of, read many bytes at a time.
//!
//! A piece of FASTA is *plain* if its lines end with LF, its titles are ASCII without NUL, CR and backslash, and all its other
//! lines hold nothing but A to Z in either case. FASTQ is plain if, beyond that, a record has four lines, at least one
//! symbol, and a bare `+` or its title behind it. Plain text needs no repair and has no defect; the strict reader
//! ([`super`]) gives the same records, names and symbols for it. Where text stops being plain [`PlainPiece::read`] stops, in front of the
//! line (of the record, in FASTQ), and the strict reader continues there: one grammar, two speeds.
//!
//! # Runs of lines
//!
//! Nothing is moved while text is checked. Lines of equal width that follow each other are one [`LineRun`]: a chromosome is
//! a run, and each short read is one. [`PlainPiece::copy`] later copies the symbols without their line ends to where they
//! are wanted.
//!
//! # Vector instructions
//!
//! The check of a line is a loop over fixed blocks, which the compiler makes vector instructions of, for the CPU that the
//! program runs on ([`crate::instructions`]).

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::DefaultHashBuilder;
use memchr::memchr;

use super::text::titles::{TITLE_BYTES, split_title};
use super::text::{all, all_alphabetic};
use crate::instructions::for_this_cpu;

/// The symbols that are counted one by one, and those that are not.
#[derive(Clone, Debug)]
pub(crate) struct QuietSymbols {
    is_quiet: [bool; 256],
    /// Whether A, C, G and T are quiet, in upper case and in lower case.
    upper_case: bool,
    both_cases: bool,
}

impl QuietSymbols {
    /// `is_quiet` says which symbols need not be counted.
    pub(crate) fn new(is_quiet: impl Fn(u8) -> bool) -> Self {
        let mut table = [false; 256];
        table.iter_mut().zip(0_u8..=255).for_each(|(slot, byte)| *slot = is_quiet(byte));
        let has = |symbols: &[u8]| symbols.iter().all(|&symbol| table[usize::from(symbol)]);
        Self { is_quiet: table, upper_case: has(b"ACGT"), both_cases: has(b"ACGTacgt") }
    }

    /// Whether a line holds only bases that need not be counted.
    #[inline(always)]
    #[allow(clippy::inline_always)] // compiled for several CPUs
    #[allow(clippy::needless_bitwise_bool)] // without branches it becomes vector instructions
    fn is_quiet(&self, line: &[u8]) -> bool {
        let is_base = |byte: u8| (byte == b'A') | (byte == b'C') | (byte == b'G') | (byte == b'T');
        if self.both_cases {
            all(line, |&byte| is_base(byte & !0x20))
        } else {
            self.upper_case && all(line, |&byte| is_base(byte))
        }
    }

    /// Counts the symbols that are not quiet. A gap of an assembly is millions of the same symbol.
    fn count(&self, line: &[u8], counts: &mut [u64; 256]) {
        for block in line.chunks(64) {
            if all(block, |&byte| byte == block[0]) {
                let first = usize::from(block[0]);
                counts[first] += if self.is_quiet[first] { 0 } else { block.len() as u64 };
                continue;
            }
            for &byte in block {
                counts[usize::from(byte)] += u64::from(!self.is_quiet[usize::from(byte)]);
            }
        }
    }
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainFormat {
    Fasta,
    Fastq,
}

/// Where a record starts in a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainHead {
    /// Symbols of the piece before the record.
    pub(crate) symbols: usize,
    /// Where its name ends in the names of the piece.
    pub(crate) name_end: usize,
    /// The hash of its name.
    pub(crate) hash: u64,
}

/// Lines of equal width, one after another: `width` symbols and a line end each, the last perhaps without.
#[derive(Clone, Copy, Debug)]
struct LineRun {
    start: usize,
    width: usize,
    lines: usize,
}

/// What a piece of text holds as far as it is plain. Positions are those of the text that it was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlainPiece {
    /// The bytes that were read.
    pub(crate) range: Range<usize>,
    /// Whether reading stopped at something that is not plain, and not because the text ended.
    pub(crate) is_stopped: bool,
    runs: Vec<LineRun>,
    pub(crate) heads: Vec<PlainHead>,
    /// The names of all heads, one after another; ASCII.
    pub(crate) names: Vec<u8>,
    /// Symbols in all runs.
    pub(crate) symbols: usize,
    /// Line ends.
    pub(crate) lines: u64,
    /// Bytes of the last line, if its end was not read.
    pub(crate) column: usize,
    /// The title last read, without its mark.
    pub(crate) title: Option<Range<usize>>,
    /// Counts of symbols that are not quiet, and whether there are any.
    counts: Vec<u64>,
    width: usize,
}

/// What is the same for all pieces of a file.
pub(crate) struct PlainRules {
    pub(crate) format: PlainFormat,
    pub(crate) quiet: QuietSymbols,
    /// Hashes names.
    pub(crate) hasher: DefaultHashBuilder,
    /// Bytes from which the part of a line is read whose end is not there; a shorter one waits for its end.
    pub(crate) long_line: usize,
}

impl PlainPiece {
    /// Reads `text[range]`, of which the first byte is `column` bytes into its line.
    pub(crate) fn read(&mut self, text: &[u8], range: Range<usize>, column: usize, rules: &PlainRules) {
        self.clear();
        (self.range, self.column) = (range.start..range.start, column);
        let text = &text[..range.end];
        match rules.format {
            PlainFormat::Fasta => read_fasta(self, text, rules),
            PlainFormat::Fastq => self.read_fastq(text, rules),
        }
    }

    /// Forgets what was read.
    pub(crate) fn clear(&mut self) {
        (self.is_stopped, self.symbols, self.lines, self.column) = (false, 0, 0, 0);
        (self.range, self.title) = (0..0, None);
        self.runs.clear();
        self.heads.clear();
        self.names.clear();
        self.counts.clear();
    }

    /// The counts of symbols that are not quiet; none if there are none.
    pub(crate) fn counts(&self) -> Option<&[u64; 256]> {
        self.counts.first_chunk()
    }

    /// The records that start here, with their names.
    pub(crate) fn records(&self) -> impl Iterator<Item = (PlainHead, &[u8])> {
        let mut start = 0;
        self.heads.iter().map(move |&head| {
            let name = &self.names[start..head.name_end];
            start = head.name_end;
            (head, name)
        })
    }

    /// Where a symbol stands in the text; none if the piece has fewer symbols.
    pub(crate) fn place_of(&self, mut symbol: usize) -> Option<usize> {
        for &LineRun { start, width, lines } in &self.runs {
            if symbol < width * lines {
                return Some(start + symbol + symbol / width);
            }
            symbol -= width * lines;
        }
        None
    }

    /// Copies the symbols to `out`, which is as long as there are symbols.
    pub(crate) fn copy(&self, text: &[u8], out: &mut [u8]) {
        let mut to = 0;
        for &LineRun { start, width, lines } in &self.runs {
            let mut at = start;
            for _ in 0..lines {
                copy_line(text, at, out, to, width);
                (at, to) = (at + width + 1, to + width);
            }
        }
    }

    /// Reads lines of FASTA.
    #[inline(always)]
    #[allow(clippy::inline_always)] // compiled for several CPUs
    fn read_fasta(&mut self, text: &[u8], rules: &PlainRules) {
        let mut at = self.range.start;
        while let Some(&first) = text.get(at) {
            if self.column == 0 && first == b'>' {
                let Some(end) = self.read_title(text, at, rules) else { break };
                at = end;
                continue;
            }
            let is_even = |at: usize| {
                let end = at + self.width;
                text.get(end) == Some(&b'\n') && rules.quiet.is_quiet(&text[at..end])
            };
            if self.column == 0 && self.width > 0 && is_even(at) {
                let mut lines = 1;
                at += self.width + 1;
                while is_even(at) {
                    at += self.width + 1;
                    lines += 1;
                }
                self.add_lines(at - lines * (self.width + 1), self.width, lines);
                continue;
            }
            let end = memchr(b'\n', &text[at..]).map(|length| at + length);
            if end.is_none() && text.len() - at < rules.long_line {
                break;
            }
            let line = &text[at..end.unwrap_or(text.len())];
            if !self.check(line, rules) {
                self.is_stopped = true;
                break;
            }
            if line.is_empty() {
                self.lines += 1;
            } else {
                self.add_lines(at, line.len(), 1);
                self.width = line.len();
            }
            at += line.len() + usize::from(end.is_some());
            self.column = if end.is_some() { 0 } else { self.column + line.len() };
            self.lines -= u64::from(end.is_none());
        }
        self.range.end = at;
    }

    /// Reads records of FASTQ.
    fn read_fastq(&mut self, text: &[u8], rules: &PlainRules) {
        let mut at = self.range.start;
        while at < text.len() {
            match self.read_record(text, at, rules) {
                Some(end) => at = end,
                None => break,
            }
        }
        self.range.end = at;
    }

    /// Reads a record of FASTQ that starts at `at`; returns its end, or nothing if it is not complete or not plain.
    fn read_record(&mut self, text: &[u8], at: usize, rules: &PlainRules) -> Option<usize> {
        let line_end = |from: usize| Some(from + memchr(b'\n', text.get(from..)?)?);
        if text[at] != b'@' {
            self.is_stopped = true;
            return None;
        }
        let title_end = line_end(at)?;
        let start = title_end + 1;
        let guess = start + self.width;
        let end = match text.get(guess..guess + 3) {
            Some(b"\n+\n") if memchr(b'\n', &text[start..guess]).is_none() => guess,
            _ => line_end(start)?,
        };
        let plus_end = line_end(end + 1)?;
        let quality = plus_end + 1..plus_end + 1 + (end - start);
        let last = *text.get(quality.end)?;
        let title = &text[at + 1..title_end];
        let plus = &text[end + 1..plus_end];
        let is_plain = end > start
            && last == b'\n'
            && plus.first() == Some(&b'+')
            && (plus.len() == 1 || &plus[1..] == title)
            && all(&text[quality.clone()], u8::is_ascii_graphic)
            && is_plain_title(title)
            && self.check(&text[start..end], rules);
        if !is_plain {
            self.is_stopped = true;
            return None;
        }
        self.add_head(at + 1..title_end, text, rules);
        self.width = end - start;
        self.add_lines(start, end - start, 1);
        self.lines += 3;
        Some(quality.end + 1)
    }

    /// Reads the title line at `at`; returns the start of the next line, or nothing if it is not complete or not plain.
    #[inline]
    fn read_title(&mut self, text: &[u8], at: usize, rules: &PlainRules) -> Option<usize> {
        let title = at + 1..at + memchr(b'\n', &text[at..])?;
        if !is_plain_title(&text[title.clone()]) {
            self.is_stopped = true;
            return None;
        }
        let next = title.end + 1;
        self.add_head(title, text, rules);
        self.lines += 1;
        Some(next)
    }

    /// Adds a record, whose title is `text[title]`.
    #[inline]
    fn add_head(&mut self, title: Range<usize>, text: &[u8], rules: &PlainRules) {
        let name = split_title(&text[title.clone()]).0;
        self.names.extend_from_slice(name);
        let hash = rules.hasher.hash_one(name);
        self.heads.push(PlainHead { symbols: self.symbols, name_end: self.names.len(), hash });
        self.title = Some(title);
    }

    /// Adds lines that are checked.
    #[inline]
    fn add_lines(&mut self, start: usize, width: usize, lines: usize) {
        self.symbols += width * lines;
        self.lines += lines as u64;
        match self.runs.last_mut() {
            Some(run) if run.width == width && run.start + run.lines * (width + 1) == start => {
                run.lines += lines;
            }
            _ => self.runs.push(LineRun { start, width, lines }),
        }
    }

    /// Whether a line is plain; counts its symbols that are not quiet.
    #[inline]
    fn check(&mut self, line: &[u8], rules: &PlainRules) -> bool {
        if rules.quiet.is_quiet(line) {
            return true;
        }
        if !all_alphabetic(line) {
            return false;
        }
        if self.counts.is_empty() {
            self.counts.resize(256, 0);
        }
        if let Some(counts) = self.counts.first_chunk_mut() {
            rules.quiet.count(line, counts);
        }
        true
    }
}

/// Where the first line starts, or in FASTQ the first record, in text that starts anywhere; its end if none does.
///
/// A line of FASTQ that starts with `@`, the next but one with `+`, is a title: if it were a quality, the next but one
/// would be a sequence, which has no `+`. In text that is not plain this may be wrong; then the pieces do not meet.
pub(crate) fn first_start(text: &[u8], format: PlainFormat) -> usize {
    let next_line = |from: usize| memchr(b'\n', text.get(from..)?).map(|length| from + length + 1);
    let mut line = next_line(0);
    if format == PlainFormat::Fastq {
        let is_title = |at: usize| {
            let plus = next_line(at).and_then(next_line);
            text.get(at) == Some(&b'@') && plus.is_some_and(|plus| text.get(plus) == Some(&b'+'))
        };
        while let Some(at) = line.filter(|&at| !is_title(at)) {
            line = next_line(at);
        }
    }
    line.unwrap_or(text.len())
}

/// Whether a title needs no repair and has no defect.
#[inline]
#[allow(clippy::needless_bitwise_bool)] // without branches it becomes vector instructions
fn is_plain_title(title: &[u8]) -> bool {
    let is_plain = |&byte: &u8| byte.is_ascii() & (byte != 0) & (byte != b'\r') & (byte != b'\\');
    title.len() <= TITLE_BYTES && all(title, is_plain)
}

/// Copies `width` bytes, in blocks of a fixed length where there is space for more: what is copied too much is written again.
#[inline]
fn copy_line(text: &[u8], at: usize, out: &mut [u8], to: usize, width: usize) {
    const BLOCK: usize = 64;
    let mut done = 0;
    while done < width {
        match (text[at + done..].first_chunk::<BLOCK>(), out[to + done..].first_chunk_mut::<BLOCK>()) {
            (Some(from), Some(into)) => *into = *from,
            _ => return out[to + done..to + width].copy_from_slice(&text[at + done..at + width]),
        }
        done += BLOCK;
    }
}

for_this_cpu! {
    /// Reads FASTA by the best instructions that the CPU has.
    fn read_fasta(piece: &mut PlainPiece, text: &[u8], rules: &PlainRules) -> () = piece.read_fasta(text, rules);
}

#[cfg(test)]
mod tests;
