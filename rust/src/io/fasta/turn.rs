//! Turns: some megabytes of plain text at a time, on all threads.
//!
//! [`SequenceReader::next_turn`] does for the plain part of a file ([`super::plain`]) what [`SequenceReader::next_event`]
//! does for any: records and their symbols, in order. The two may be called in turn; each goes on where the other has
//! stopped.
//!
//! # Pieces and borders
//!
//! The text of a turn is read and checked in chunks, each by one thread while it is in the cache. A chunk does not know
//! how the one before it ends; it reads from the first line that starts in it. What lies between the last line that the
//! chunk before has read and this line, the *border*, is read when all chunks are done: some bytes, as a rule.
//!
//! ```text
//! text     >a b\nACGT\nACG|T\nACGT\nAC|GT\n>b\nAC
//! chunks   >a b\nACGT\nACG|   ACGT\nAC|    >b\nAC      each from its first line on
//! borders                 |T\n        |GT\n            the rest of lines
//! ```
//!
//! So line numbers and the borders of records need no pass of their own: they are sums over pieces. The first byte that is
//! not plain ends the turn; what follows it stays for the strict reader.
//!
//! # How often
//!
//! A file that is not plain, such as one with CR, would be checked in vain. A turn that stops early makes the next
//! one wait, longer each time, while the strict reader reads on.

use hashbrown::DefaultHashBuilder;
use memchr::memchr_iter;
use rayon::prelude::*;

use super::plain::{PlainFormat, PlainPiece, PlainRules, QuietSymbols, first_start};
use super::text::source::TurnEnd;
use super::{SequenceReader, State};
use crate::error::Result;

/// Bytes of a chunk: the text and what is noted of it fit into the cache of a core.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks of a turn for each thread, and in all.
const CHUNKS_PER_THREAD: usize = 8;
const MAX_CHUNKS: usize = 128;
/// Bytes that the strict reader reads after a turn that stopped, at least and at most.
const WAIT: [u64; 2] = [64 << 10, 64 << 20];
/// Bytes of a line that is read in parts.
const LONG_LINE: usize = 64 << 10;

/// How turns are made, and the memory for them.
pub(crate) struct Turns {
    rules: PlainRules,
    chunk_bytes: usize,
    turn_bytes: usize,
    /// Bytes that a turn must have; a smaller rest is read strictly.
    least: usize,
    chunks: Vec<PlainPiece>,
    /// `borders[i]` lies before `chunks[i]`. Behind the last chunk there is none: it has read as far as the text goes.
    borders: Vec<PlainPiece>,
    /// The offset before which no turn is made, and how long the last wait was.
    next: u64,
    wait: u64,
}

impl Turns {
    /// Turns of at most `bytes` bytes, or one chunk, for files of which the symbols that are not quiet are counted; names are
    /// hashed by `hasher`.
    pub(crate) fn new(quiet: QuietSymbols, hasher: DefaultHashBuilder, bytes: usize) -> Self {
        let num_chunks = (bytes / CHUNK_BYTES).clamp(1, MAX_CHUNKS);
        Self::with_sizes(quiet, hasher, CHUNK_BYTES, CHUNK_BYTES * num_chunks, LONG_LINE)
    }

    /// Forgets the file.
    pub(crate) fn restart(&mut self) {
        (self.next, self.wait) = (0, 0);
    }

    /// [`new`](Self::new) with other sizes, so that tests put a border at every byte.
    pub(crate) fn with_sizes(
        quiet: QuietSymbols,
        hasher: DefaultHashBuilder,
        chunk_bytes: usize,
        turn_bytes: usize,
        long_line: usize,
    ) -> Self {
        let rules = PlainRules { format: PlainFormat::Fasta, quiet, hasher, long_line };
        let least = chunk_bytes.min(CHUNK_BYTES);
        Self {
            rules,
            chunk_bytes,
            turn_bytes,
            least,
            chunks: Vec::new(),
            borders: Vec::new(),
            next: 0,
            wait: 0,
        }
    }
}

/// What a turn has read.
pub(crate) struct Turn<'a> {
    /// Each piece with the text that its positions count from.
    pieces: Vec<(&'a [u8], &'a PlainPiece)>,
    /// All symbols.
    pub(crate) symbols: usize,
    /// The line of its first byte, from 1, and all its text.
    first_line: u64,
    text: &'a [u8],
}

impl<'a> Turn<'a> {
    /// Copies all symbols to `out`, on all threads.
    pub(crate) fn copy(&self, out: &mut [u8]) {
        let mut rest = out;
        let mut parts = Vec::with_capacity(self.pieces.len());
        for &(text, piece) in &self.pieces {
            let (part, later) = std::mem::take(&mut rest).split_at_mut(piece.symbols);
            parts.push((text, piece, part));
            rest = later;
        }
        parts.into_par_iter().for_each(|(text, piece, part)| piece.copy(text, part));
    }

    /// The counts of the symbols that are not quiet.
    pub(crate) fn counts(&self) -> impl Iterator<Item = &[u64; 256]> {
        self.pieces.iter().filter_map(|(_, piece)| piece.counts())
    }

    /// The pieces, in order, each with the symbols of the turn before it.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (usize, &'a PlainPiece)> {
        let mut before = 0;
        self.pieces.iter().map(move |(_, piece)| {
            before += piece.symbols;
            (before - piece.symbols, *piece)
        })
    }

    /// The line of a symbol of the turn, from 1. Cost: counts the line ends before it.
    pub(crate) fn line_of(&self, symbol: usize) -> u64 {
        let found = self.pieces.iter().zip(self.pieces()).find_map(|(&(text, piece), (before, _))| {
            let at = piece.place_of(symbol.checked_sub(before)?)?;
            Some(self.text.len() - text.len() + at)
        });
        self.first_line + memchr_iter(b'\n', &self.text[..found.unwrap_or_default()]).count() as u64
    }

    /// The records that start in the turn: the symbols of the turn before each, its name, and the hash of its name.
    pub(crate) fn records(&self) -> impl Iterator<Item = (usize, &'a [u8], u64)> {
        self.pieces().flat_map(|(before, piece)| {
            piece.records().map(move |(head, name)| (before + head.symbols, name, head.hash))
        })
    }
}

impl SequenceReader {
    /// Reads the plain text that comes next; nothing if there is none, or too little for several threads. Then
    /// [`Self::next_event`] continues.
    ///
    /// Cost: reads and checks text once; symbols are copied by [`Turn::copy`].
    pub(crate) fn next_turn<'a>(&'a mut self, turns: &'a mut Turns) -> Result<Option<Turn<'a>>> {
        self.finish_fastq_record()?;
        turns.rules.format = match self.state {
            State::FastaSequence => PlainFormat::Fasta,
            State::FastqTitle if self.text.column == 0 => PlainFormat::Fastq,
            _ => return Ok(None),
        };
        let (offset, first_line) = (self.text.offset(), self.text.line);
        let num_chunks = (CHUNKS_PER_THREAD * rayon::current_num_threads()).min(MAX_CHUNKS);
        let bytes = self.text.available(turns.turn_bytes.min(turns.chunk_bytes * num_chunks));
        if offset < turns.next || bytes < turns.least.max(1) {
            return Ok(None);
        }
        let Turns { rules, chunk_bytes, chunks, borders, .. } = turns;
        chunks.resize_with(bytes.div_ceil(*chunk_bytes), PlainPiece::default);
        borders.resize_with(chunks.len(), PlainPiece::default);
        let column = usize::try_from(self.text.column).unwrap_or(usize::MAX);
        self.text.read_turn(bytes, *chunk_bytes, chunks, |number, text, piece| {
            let (start, column) =
                if number == 0 { (0, column) } else { (first_start(text, rules.format), 0) };
            piece.read(text, start..text.len(), column, rules);
        })?;
        let end = turns.join(self.text.source.turn(), column);
        let consumed = end.at as u64;
        turns.wait = if end.is_early { (2 * turns.wait).clamp(WAIT[0], WAIT[1]) } else { 0 };
        turns.next = offset + consumed + turns.wait;
        self.text.end_turn(&end);
        let turns = &*turns;
        let text = self.text.source.turn();
        let starts = (0..).step_by(turns.chunk_bytes).map(|start| text.get(start..).unwrap_or_default());
        let chunks = starts.zip(&turns.chunks);
        let in_order = turns.borders.iter().zip(chunks).flat_map(|(border, chunk)| [(text, border), chunk]);
        let pieces: Vec<_> = in_order.filter(|(_, piece)| !piece.range.is_empty()).collect();
        let symbols = pieces.iter().map(|(_, piece)| piece.symbols).sum();
        Ok((end.at > 0).then_some(Turn { pieces, symbols, first_line, text }))
    }
}

impl Turns {
    /// Reads the borders between chunks, up to the first byte that is not plain. `column` is that of the first byte.
    ///
    /// Invariant: `end` is where the text that is read and found plain ends; all that comes later is forgotten. A chunk in
    /// which no line starts leaves its text to the border of the next, unless the line is long.
    fn join(&mut self, text: &[u8], column: usize) -> TurnEnd {
        let mut end = TurnEnd { column, ..TurnEnd::default() };
        let bases = (0..).step_by(self.chunk_bytes);
        for (base, (border, chunk)) in bases.zip(self.borders.iter_mut().zip(&mut self.chunks)) {
            if end.is_early || base >= text.len() {
                border.clear();
                chunk.clear();
                continue;
            }
            let has_start = chunk.is_stopped || !chunk.range.is_empty();
            let start =
                if has_start { base + chunk.range.start } else { text.len().min(base + self.chunk_bytes) };
            border.read(text, end.at..start, end.column, &self.rules);
            end.add(border, 0);
            end.is_early = border.is_stopped || has_start && end.at < start;
            if end.is_early {
                chunk.clear();
            } else {
                end.add(chunk, base);
                end.is_early = chunk.is_stopped;
            }
        }
        end
    }
}

impl TurnEnd {
    /// Adds the next piece, whose text starts at `base`.
    fn add(&mut self, piece: &PlainPiece, base: usize) {
        if piece.range.is_empty() {
            return;
        }
        self.at = base + piece.range.end;
        self.lines += piece.lines;
        self.column = piece.column;
        if let Some(title) = &piece.title {
            self.title = Some(base + title.start..base + title.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    fn turns() -> Turns {
        let quiet = QuietSymbols::new(|symbol| b"ACGT".contains(&symbol));
        Turns::with_sizes(quiet, DefaultHashBuilder::default(), 1000, 8000, 100)
    }

    /// A reader of a file with this text, after its first title.
    fn reader(text: &str) -> (tempfile::TempDir, SequenceReader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fa");
        std::fs::write(&path, text).unwrap();
        let mut reader = SequenceReader::open(&path).unwrap();
        assert!(matches!(reader.next_event(), Ok(Some(Event::Record { .. }))));
        (folder, reader)
    }

    #[test]
    fn turns_that_stop_at_once_are_tried_less_and_less_often() {
        let (_folder, mut reader) = reader(&format!(">a\n{}", "AC GT\n".repeat(50_000)));
        let (mut turns, mut waits) = (turns(), vec![0]);
        loop {
            assert!(reader.next_turn(&mut turns).unwrap().is_none());
            if waits.last() != Some(&turns.wait) {
                waits.push(turns.wait);
            }
            if reader.next_event().unwrap().is_none() {
                break;
            }
        }
        assert_eq!(waits, [0, 64 << 10, 128 << 10, 256 << 10], "at 0, 64 and 192 KiB; there is no 448th");
    }

    #[test]
    fn a_turn_that_stops_makes_the_next_wait_and_one_that_does_not_does_not() {
        let text = format!(">a\n{}AC GT\n{}", "ACGT\n".repeat(100), "ACGTACGTACGTACG\n".repeat(10_000));
        let (_folder, mut reader) = reader(&text);
        let mut turns = turns();
        assert_eq!(reader.next_turn(&mut turns).unwrap().map(|turn| turn.symbols), Some(400));
        assert_eq!(turns.next, reader.text.offset() + WAIT[0]);
        while reader.text.offset() < turns.next {
            assert!(reader.next_turn(&mut turns).unwrap().is_none());
            assert!(reader.next_event().unwrap().is_some());
        }
        assert!(reader.next_turn(&mut turns).unwrap().is_some());
        assert_eq!(turns.next, reader.text.offset());
    }

    #[test]
    fn a_turn_has_at_least_a_chunk() {
        for (lines, is_turn) in [(199, false), (200, true)] {
            let (_folder, mut reader) = reader(&format!(">a\n{}", "ACGT\n".repeat(lines)));
            assert_eq!(
                reader.next_turn(&mut turns()).unwrap().is_some(),
                is_turn,
                "{lines} lines of 5 bytes"
            );
        }
    }

    #[test]
    fn a_turn_may_be_larger_than_the_one_before() {
        let (_folder, mut reader) = reader(&format!(">a\n{}", "ACGT\n".repeat(400_000)));
        let mut turns = turns();
        turns.chunk_bytes = 300_000; // more than the buffer holds when a turn starts
        let found = [300_000, 600_000, 300_000].map(|bytes| {
            turns.turn_bytes = bytes;
            reader.next_turn(&mut turns).unwrap().map(|turn| turn.symbols)
        });
        assert_eq!(found, [Some(240_000), Some(480_000), Some(240_000)]);
    }

    #[test]
    fn a_stream_that_ends_within_a_turn_is_read_whole() {
        for lines in [1, 2, 100, 250, 399, 400, 401, 1000] {
            let text = format!(">a\n{}", "ACGT\n".repeat(lines)).into_bytes();
            let mut reader = SequenceReader::from_reader("a.fa", std::io::Cursor::new(text)).unwrap();
            assert!(matches!(reader.next_event(), Ok(Some(Event::Record { .. }))));
            let (mut turns, mut symbols) = (turns(), 0);
            while let Some(turn) = reader.next_turn(&mut turns).unwrap() {
                symbols += turn.symbols;
            }
            assert_eq!(symbols, 4 * lines);
        }
    }
}
