//! A corpus: the ends of its words and the arena of their bases, in memory or in a mapped file.
//!
//! The layout is the one of [`super`]; invariants are that ends rise, that no word is empty and that the last word ends in
//! the last byte of the arena. A mapped file is checked for them when it is opened, so the methods here need not.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::layout;
use crate::alphabet::{SymbolKind, complement};
use crate::error::Result;
use crate::io::sizes::size;
use crate::monitor::Monitor;
use crate::verdict::{self, SymbolTally};

/// What was read: counts of records, words, bases and skipped symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Records.
    pub records: u64,
    /// Records without a single base.
    pub empty_records: u64,
    /// Words, those that are still open not included.
    pub words: u64,
    /// Bases in all words.
    pub bases: u64,
    /// Skipped symbols by kind, in the order of [`SymbolKind::SKIPPED`].
    pub skipped: [u64; SymbolKind::SKIPPED.len()],
    /// Equal for equal words in any order, see [`crate::corpus`].
    pub fingerprint: u128,
}

impl Contents {
    /// All symbols that were read, bases and skipped ones.
    pub fn total_symbols(&self) -> u64 {
        self.bases + self.skipped.iter().sum::<u64>()
    }

    /// Adds the contents of another part.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.empty_records += other.empty_records;
        self.words += other.words;
        self.bases += other.bases;
        self.skipped.iter_mut().zip(other.skipped).for_each(|(sum, more)| *sum += more);
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
    }

    /// The contents read after `before`, an earlier state of these. Exact, the fingerprint included.
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

    /// The symbols by what the [verdict](crate::verdict) on a file asks, N left out.
    pub fn tally(&self) -> SymbolTally {
        let mut tally = SymbolTally { known: self.bases, ..SymbolTally::default() };
        for (kind, count) in SymbolKind::SKIPPED.into_iter().zip(self.skipped) {
            tally.add_unknown(kind, count);
        }
        tally
    }

    /// Fails if a file with these contents is not a nucleotide file. Whether there is a base is asked of all files
    /// together ([`read_all`](super::read_all)).
    pub(super) fn check(&self, path: &Path, allow_unknown: f64) -> Result<()> {
        verdict::check_not_empty(path, self.records, self.total_symbols())?;
        self.tally().check(path, allow_unknown)
    }
}

/// Words packed at 2 bits per base, in memory or in a mapped file. A clone shares them and costs nothing.
#[derive(Clone, Debug)]
pub struct Corpus {
    pub(super) contents: Contents,
    pub(super) store: CorpusStorage,
}

/// Where ends and arena of a corpus are.
#[derive(Clone, Debug)]
pub(super) enum CorpusStorage {
    /// In memory.
    Owned { ends: Arc<Vec<u64>>, arena: Arc<Vec<u8>> },
    /// In a packed file that is mapped and has been checked.
    Mapped { file: Arc<Mmap>, num_words: usize },
}

impl Corpus {
    /// Counts of what was read to make this corpus.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// How many words there are.
    pub fn num_words(&self) -> usize {
        match &self.store {
            CorpusStorage::Owned { ends, .. } => ends.len(),
            CorpusStorage::Mapped { num_words, .. } => *num_words,
        }
    }

    /// The positions of word `index` in the arena. `index` is below [`num_words`](Self::num_words).
    pub fn word(&self, index: usize) -> Range<u64> {
        let start = if index == 0 { 0 } else { self.end(index - 1).next_multiple_of(4) };
        start..self.end(index)
    }

    /// The index of the first word that ends after `position`; the number of words if none does. A binary search.
    pub fn word_after(&self, position: u64) -> usize {
        let (mut low, mut high) = (0, self.num_words());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.end(middle) > position { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Where the last word ends; 0 without words. The length of the arena in bases, without the padding at its end.
    pub fn span(&self) -> u64 {
        self.num_words().checked_sub(1).map_or(0, |last| self.end(last))
    }

    /// Unpacks base codes from position `start` on, as many as `codes` has; they must lie in one word.
    ///
    /// Whole bytes go through a table of four codes each; only the first and the last byte are taken apart.
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

    /// [`unpack`](Self::unpack) of the reverse complement of `range`, from its base `offset` on: the bases are read from the
    /// end of the range, reversed and complemented.
    pub fn unpack_complement(&self, range: &Range<u64>, offset: u64, codes: &mut [u8]) {
        self.unpack(range.end - offset - codes.len() as u64, codes);
        codes.reverse();
        codes.iter_mut().for_each(|code| *code = complement(*code));
    }

    /// How many pieces there are if every word is cut every `length` bases; the number of words if none is.
    pub fn num_pieces(&self, length: Option<u64>) -> u64 {
        let Some(length) = length else { return self.num_words() as u64 };
        (0..self.num_words())
            .map(|word| self.word(word))
            .map(|word| (word.end - word.start).div_ceil(length))
            .sum()
    }

    /// The bytes of the arena: four bases per byte, every word from a new byte on.
    pub(crate) fn packed(&self) -> &[u8] {
        self.arena()
    }

    /// A corpus in memory; ends and arena must agree.
    pub(super) fn owned(contents: Contents, ends: Vec<u64>, arena: Vec<u8>) -> Self {
        Self { contents, store: CorpusStorage::Owned { ends: Arc::new(ends), arena: Arc::new(arena) } }
    }

    /// A corpus of words of these lengths in bases, packed as [`packed`](Self::packed) returns them, without a fingerprint.
    /// The arena must have exactly the bytes that the lengths need.
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

    /// Whether the words are in a mapped file.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self.store, CorpusStorage::Mapped { .. })
    }

    /// Bytes of memory that it holds; 0 for a mapped file, whose pages belong to the system.
    pub(crate) fn bytes_held(&self) -> u64 {
        match &self.store {
            CorpusStorage::Owned { ends, arena } => 8 * ends.capacity() as u64 + arena.capacity() as u64,
            CorpusStorage::Mapped { .. } => 0,
        }
    }

    /// [`open`](Self::open), reported to the monitor.
    pub(super) fn open_monitored(path: &Path, monitor: &Monitor) -> Result<Self> {
        let corpus = Self::open(path)?;
        monitor.add_bases(corpus.contents.bases);
        monitor.add_bytes(size(path));
        Ok(corpus)
    }

    /// Where word `index` ends, as a position in the arena.
    pub(super) fn end(&self, index: usize) -> u64 {
        match &self.store {
            CorpusStorage::Owned { ends, .. } => ends[index],
            CorpusStorage::Mapped { file, .. } => layout::end(file, index),
        }
    }

    /// The bytes of the arena.
    pub(super) fn arena(&self) -> &[u8] {
        match &self.store {
            CorpusStorage::Owned { arena, .. } => arena,
            CorpusStorage::Mapped { file, num_words } => layout::arena(file, *num_words),
        }
    }
}

/// The four base codes of each byte of an arena, first base first.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::{from_words, save};

    #[test]
    fn what_is_added_can_be_taken_back() {
        let contents = |from: u64| Contents {
            records: from,
            empty_records: from + 1,
            words: from + 2,
            bases: from + 3,
            skipped: std::array::from_fn(|kind| from + 4 + kind as u64),
            fingerprint: u128::MAX - u128::from(from),
        };
        let (before, more) = (contents(10), contents(300));
        let mut now = before.clone();
        now.add(&more);
        assert_eq!((now.records, now.empty_records, now.words, now.bases), (310, 312, 314, 316));
        assert_eq!(now.skipped[1], 10 + 300 + 2 * 5);
        assert_eq!(now.since(&before), more);
        assert_eq!(now.since(&more), before);
        assert_eq!((now.tally().known, now.total_symbols()), (316, 316 + now.skipped.iter().sum::<u64>()));
    }

    #[test]
    fn memory_is_eight_bytes_for_a_word_and_a_byte_for_four_bases() {
        let corpus = Corpus::from_packed(&[5, 3], vec![0; 3]);
        assert_eq!(corpus.bytes_held(), 8 * 2 + 3);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.words");
        save(&[corpus], &path, &Monitor::default()).unwrap();
        let mapped = Corpus::open(&path).unwrap();
        assert!(mapped.is_mapped());
        assert_eq!(mapped.bytes_held(), 0);
    }

    #[test]
    fn opening_a_packed_file_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.words");
        let monitor = Monitor::default();
        let bytes = save(&[from_words([b"ACGTA"]).unwrap()], &path, &monitor).unwrap();
        Corpus::open_monitored(&path, &monitor).unwrap();
        let (_, bases_seen, bytes_seen) = monitor.look();
        assert_eq!((bases_seen, bytes_seen), (5, bytes));
    }

    #[test]
    fn words_start_on_bytes_and_are_found_by_positions() {
        let corpus = from_words([&b"ACGTA"[..], b"CG", b"ACGT"]).unwrap();
        assert_eq!((0..3).map(|word| corpus.word(word)).collect::<Vec<_>>(), [0..5, 8..10, 12..16]);
        let after: Vec<usize> = (0..18).map(|position| corpus.word_after(position)).collect();
        assert_eq!(after, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3]);
        assert_eq!((corpus.span(), Corpus::from_packed(&[], Vec::new()).span()), (16, 0));
        let pieces = |length| corpus.num_pieces(length);
        assert_eq!((pieces(None), pieces(Some(1)), pieces(Some(2)), pieces(Some(4))), (3, 11, 6, 4));
        let again = Corpus::from_packed(&[5, 2, 4], corpus.packed().to_vec());
        assert_eq!((0..3).map(|word| again.word(word)).collect::<Vec<_>>(), [0..5, 8..10, 12..16]);
        assert_eq!((again.contents().words, again.contents().bases), (3, 11));
    }

    #[test]
    fn bases_are_unpacked_from_anywhere_on_both_strands() {
        let codes: Vec<u8> = (0_u16..40).map(|at| (at * at % 13 % 4).to_le_bytes()[0]).collect();
        let corpus = from_words([codes.iter().map(|&code| b"ACGT"[usize::from(code)]).collect::<Vec<_>>()]);
        let corpus = corpus.unwrap();
        for start in 0..=40 {
            for end in start..=40 {
                let mut found = vec![9; end - start];
                corpus.unpack(start as u64, &mut found);
                assert_eq!(found, codes[start..end]);
                let mut found = vec![9; (end - start) / 2];
                corpus.unpack_complement(&(start as u64..end as u64), 1.min(found.len() as u64), &mut found);
                let backward = codes[start..end].iter().rev().skip(1).map(|code| 3 - code);
                assert!(backward.zip(&found).all(|(expected, &found)| expected == found));
            }
        }
    }
}
