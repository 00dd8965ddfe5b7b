//! What a corpus is: the ends of its words and their bases, in memory or in a mapped file.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::layout;
use crate::alphabet::{LetterKind, complement};
use crate::error::Result;
use crate::io::sizes::size;
use crate::monitor::Monitor;
use crate::verdict::{self, Symbols};

/// What was read: records, words, bases and the letters left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Records.
    pub records: u64,
    /// Records without a single base.
    pub empty_records: u64,
    /// Words.
    pub words: u64,
    /// Bases in all words.
    pub bases: u64,
    /// Letters that are not bases, by kind, in the order of [`LetterKind::SKIPPED`].
    pub skipped: [u64; LetterKind::SKIPPED.len()],
    /// Equal for equal words in any order.
    pub fingerprint: u128,
}

impl Contents {
    /// Letters, bases and others.
    pub fn letters(&self) -> u64 {
        self.bases + self.skipped.iter().sum::<u64>()
    }

    /// The contents of both together.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.empty_records += other.empty_records;
        self.words += other.words;
        self.bases += other.bases;
        self.skipped.iter_mut().zip(other.skipped).for_each(|(sum, more)| *sum += more);
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
    }

    /// What was read since the contents were those.
    pub(super) fn since(&self, before: &Self) -> Self {
        let mut skipped = self.skipped;
        skipped.iter_mut().zip(before.skipped).for_each(|(now, before)| *now -= before);
        Self {
            records: self.records - before.records,
            empty_records: self.empty_records - before.empty_records,
            words: self.words - before.words,
            bases: self.bases - before.bases,
            skipped,
            fingerprint: self.fingerprint.wrapping_sub(before.fingerprint),
        }
    }

    /// The symbols that were read, N left out.
    pub fn symbols(&self) -> Symbols {
        let mut symbols = Symbols { known: self.bases, ..Symbols::default() };
        for (kind, count) in LetterKind::SKIPPED.into_iter().zip(self.skipped) {
            symbols.add_unknown(kind, count);
        }
        symbols
    }

    /// Fails if a file with these contents is none of nucleotides; whether it has a base is for [`read_all`](super::read_all) to see.
    pub(super) fn check(&self, path: &Path, allow_unknown: f64) -> Result<()> {
        verdict::check_not_empty(path, self.records, self.bases + self.skipped.iter().sum::<u64>())?;
        self.symbols().check(path, allow_unknown)
    }
}

/// Words at two bits a base, in memory or in a mapped file.
#[derive(Clone, Debug)]
pub struct Corpus {
    pub(super) contents: Contents,
    pub(super) store: Store,
}

#[derive(Clone, Debug)]
pub(super) enum Store {
    /// Shared, so that a clone costs nothing.
    Owned {
        ends: Arc<Vec<u64>>,
        arena: Arc<Vec<u8>>,
    },
    Mapped {
        file: Arc<Mmap>,
        num_words: usize,
    },
}

impl Corpus {
    /// What was read to make this corpus.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// How many words there are.
    pub fn num_words(&self) -> usize {
        match &self.store {
            Store::Owned { ends, .. } => ends.len(),
            Store::Mapped { num_words, .. } => *num_words,
        }
    }

    /// Where word `index` lies, in bases of the arena.
    pub fn word(&self, index: usize) -> Range<u64> {
        let start = if index == 0 { 0 } else { self.end(index - 1).next_multiple_of(4) };
        start..self.end(index)
    }

    /// The number of the first word that ends after `position`.
    pub fn word_after(&self, position: u64) -> usize {
        let (mut low, mut high) = (0, self.num_words());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.end(middle) > position { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Where the last word ends, in bases of the arena.
    pub fn span(&self) -> u64 {
        self.num_words().checked_sub(1).map_or(0, |last| self.end(last))
    }

    /// The base codes from `start` on, as many as fit in `codes`; all of one word.
    pub fn unpack(&self, start: u64, codes: &mut [u8]) {
        let arena = self.arena();
        let (byte, offset) = ((start / 4) as usize, (start % 4) as usize);
        let head = codes.len().min((4 - offset) % 4);
        let (first, rest) = codes.split_at_mut(head);
        first.iter_mut().zip(offset..).for_each(|(code, offset)| *code = arena[byte] >> (2 * offset) & 3);
        let byte = byte + usize::from(offset > 0);
        let (whole, tail) = rest.as_chunks_mut::<4>();
        for (four, &packed) in whole.iter_mut().zip(&arena[byte..]) {
            *four = FOUR_CODES[packed as usize];
        }
        if !tail.is_empty() {
            let four = FOUR_CODES[arena[byte + whole.len()] as usize];
            tail.iter_mut().zip(four).for_each(|(code, from)| *code = from);
        }
    }

    /// Like [`unpack`](Self::unpack), of the reverse complement of `range`: its base `offset` and those after it.
    pub fn unpack_complement(&self, range: &Range<u64>, offset: u64, codes: &mut [u8]) {
        self.unpack(range.end - offset - codes.len() as u64, codes);
        codes.reverse();
        codes.iter_mut().for_each(|code| *code = complement(*code));
    }

    /// How many pieces the words are after they are cut at every `length` bases.
    pub fn num_pieces(&self, length: Option<u64>) -> u64 {
        let Some(length) = length else { return self.num_words() as u64 };
        (0..self.num_words())
            .map(|word| self.word(word))
            .map(|word| (word.end - word.start).div_ceil(length))
            .sum()
    }

    /// All bases, four to a byte, each word from a byte of its own on.
    pub(crate) fn packed(&self) -> &[u8] {
        self.arena()
    }

    pub(super) fn owned(contents: Contents, ends: Vec<u64>, arena: Vec<u8>) -> Self {
        Self { contents, store: Store::Owned { ends: Arc::new(ends), arena: Arc::new(arena) } }
    }

    /// A corpus of words with these lengths, whose bases are packed as [`packed`](Self::packed) gives them, without a
    /// fingerprint. There must be as many bytes as the lengths need.
    pub(crate) fn from_packed(lengths: &[u64], arena: Vec<u8>) -> Self {
        let mut start = 0;
        let mut ends = Vec::with_capacity(lengths.len());
        for length in lengths {
            ends.push(start + length);
            start = (start + length).next_multiple_of(4);
        }
        let (words, bases) = (lengths.len() as u64, lengths.iter().sum());
        let contents = Contents { words, bases, ..Contents::default() };
        Self::owned(contents, ends, arena)
    }

    /// Whether it is a mapped file.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self.store, Store::Mapped { .. })
    }

    /// Bytes that it holds in memory.
    pub(crate) fn bytes_held(&self) -> u64 {
        match &self.store {
            Store::Owned { ends, arena } => 8 * ends.capacity() as u64 + arena.capacity() as u64,
            Store::Mapped { .. } => 0,
        }
    }

    /// Maps a packed file, and tells the monitor.
    pub(super) fn open_told(path: &Path, monitor: &Monitor) -> Result<Self> {
        let corpus = Self::open(path)?;
        monitor.add_bases(corpus.contents.bases);
        monitor.add_bytes(size(path));
        Ok(corpus)
    }

    pub(super) fn end(&self, index: usize) -> u64 {
        match &self.store {
            Store::Owned { ends, .. } => ends[index],
            Store::Mapped { file, .. } => layout::end(file, index),
        }
    }

    pub(super) fn arena(&self) -> &[u8] {
        match &self.store {
            Store::Owned { arena, .. } => arena,
            Store::Mapped { file, num_words } => layout::arena(file, *num_words),
        }
    }
}

/// The four base codes in each packed byte.
#[allow(clippy::cast_possible_truncation)] // the loop ends at 256; `u8::try_from` is not const
const FOUR_CODES: [[u8; 4]; 256] = {
    let mut table = [[0; 4]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [byte as u8 & 3, byte as u8 >> 2 & 3, byte as u8 >> 4 & 3, byte as u8 >> 6];
        byte += 1;
    }
    table
};
