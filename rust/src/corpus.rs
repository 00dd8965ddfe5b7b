//! The text that training runs over: words at two bits a base.
//!
//! A word is a maximal run of A, C, G, T inside one record. Everything else cuts and is counted by kind. The bases of
//! all words lie in one arena, four to a byte, lowest bits first; every word starts on a byte. Of each word the arena
//! keeps where it ends, in bases; it starts at the end of the one before, rounded up to a byte. That is a quarter of a
//! byte a base and eight bytes a word.
//!
//! # Fingerprint
//!
//! The sum modulo 2^128 of the first 16 bytes of BLAKE3 over each word (its length in eight bytes, then its bytes in
//! the arena): equal for the same words in any order, in any number of files, however wrapped, compressed or masked.
//!
//! `builder` makes a corpus of letters, `packed` knows the same as a file, [`folder`] has many of those, for corpora that
//! are larger than memory.

mod builder;
pub mod folder;
mod packed;
mod sample;
mod together;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memmap2::Mmap;

pub use self::builder::{CorpusBuilder, Place};
pub(crate) use self::packed::is_packed;
pub use self::packed::{MAGIC, save};
pub use self::sample::Stride;
use crate::alphabet::{LetterKind, complement, is_base};
use crate::error::Result;
use crate::io::fasta::{Event, Reader};
use crate::io::sizes::{size, total_size};
use crate::monitor::{Monitor, Phase};
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
    fn since(&self, before: &Self) -> Self {
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

    /// Fails if a file with these contents is none of nucleotides; whether it has a base is for [`read_all`] to see.
    fn check(&self, path: &Path, allow_unknown: f64) -> Result<()> {
        verdict::check_not_empty(path, self.records, self.bases + self.skipped.iter().sum::<u64>())?;
        self.symbols().check(path, allow_unknown)
    }
}

/// Words at two bits a base, in memory or in a mapped file.
#[derive(Clone, Debug)]
pub struct Corpus {
    contents: Contents,
    store: Store,
}

#[derive(Clone, Debug)]
enum Store {
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

    fn owned(contents: Contents, ends: Vec<u64>, arena: Vec<u8>) -> Self {
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
    fn open_told(path: &Path, monitor: &Monitor) -> Result<Self> {
        let corpus = Self::open(path)?;
        monitor.add_bases(corpus.contents.bases);
        monitor.add_bytes(size(path));
        Ok(corpus)
    }

    fn end(&self, index: usize) -> u64 {
        match &self.store {
            Store::Owned { ends, .. } => ends[index],
            Store::Mapped { file, .. } => packed::end(file, index),
        }
    }

    fn arena(&self) -> &[u8] {
        match &self.store {
            Store::Owned { arena, .. } => arena,
            Store::Mapped { file, num_words } => packed::arena(file, *num_words),
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

/// Reads one input: a packed file is mapped, a sequence file is read and packed in memory.
///
/// Fails if there is not a single letter in it, or if more than the share `allow_unknown` of them are unknown; whether
/// there is a base is for [`read_all`] to see. Time and memory are linear in the bases.
pub fn read(path: &Path, allow_unknown: f64, monitor: &Monitor) -> Result<Corpus> {
    if is_packed(path) {
        return Corpus::open_told(path, monitor);
    }
    let mut builder = CorpusBuilder::new();
    read_file(Reader::open(path)?, allow_unknown, monitor, &mut builder)?;
    Ok(builder.finish())
}

/// Adds a sequence file to what a builder has read.
fn read_file(
    reader: Reader,
    allow_unknown: f64,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
) -> Result<()> {
    let before = builder.contents().clone();
    let path = reader.path().to_path_buf();
    read_letters(reader, monitor, builder, usize::MAX, |_| Ok(()))?;
    builder.contents().since(&before).check(&path, allow_unknown)
}

/// Reads a sequence file into a builder, and closes its last record; `after` is called after each piece, of so many
/// letters at most.
fn read_letters(
    mut reader: Reader,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    let path = reader.path().to_path_buf();
    let (mut told, mut read) = (0, 0);
    let mut pieces = 0_u32;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { name, .. } => builder.record(name),
            Event::Letters(letters) => {
                read += letters.len() as u64;
                let first = builder.position();
                let mut take = |letters| builder.letters(letters).and_then(|()| after(builder));
                let taken = letters.chunks(piece).try_for_each(&mut take);
                let offset = |position| usize::try_from(position - first).unwrap_or(usize::MAX);
                taken.map_err(|error| {
                    error.in_file(&path).on_line(|position| reader.line_of(offset(position)))
                })?;
            }
        }
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(1024) {
            monitor.check()?;
            monitor.add_bases(std::mem::take(&mut read));
            monitor.add_bytes(reader.bytes_read() - told);
            told = reader.bytes_read();
        }
    }
    monitor.check()?;
    builder.close();
    monitor.add_bases(read);
    monitor.add_bytes(reader.bytes_read() - told);
    Ok(())
}

/// Reads inputs, as many at a time as the present thread pool has threads; a [folder](folder) of shards is many.
///
/// The corpora hold the words in the order of the inputs, but small inputs share one: what follows costs what one file
/// of the same content would. A file of unknown letters only may stand among others, as a scaffold that is not yet read; all files together must
/// have a base. Of several errors the one of the first file is returned.
pub fn read_all(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    let corpora = read_part(paths, allow_unknown, monitor)?;
    if corpora.iter().all(|corpus| corpus.contents.bases == 0) {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(verdict::no_base(path, corpora.iter().map(|corpus| corpus.contents.records).sum()));
    }
    Ok(corpora)
}

/// Like [`read_all`], of a part of all inputs, which may have no base.
pub fn read_part(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    together::read(&folder::expand(paths)?, allow_unknown, monitor)
}

/// Fails if none of the files has a base. Reads up to the first base, and nothing of what can be read only once; other
/// faults are for those who read on to find.
pub fn check_bases(paths: &[PathBuf], monitor: &Monitor) -> Result<()> {
    let mut records = 0;
    for path in paths {
        monitor.check()?;
        if !path.is_file() || is_packed(path) {
            return Ok(());
        }
        let Ok(mut reader) = Reader::open(path) else { return Ok(()) };
        while let Some(event) = reader.next_event().transpose() {
            match event {
                Ok(Event::Record { .. }) => records += 1,
                Ok(Event::Letters(letters)) if !letters.iter().any(|&letter| is_base(letter)) => {}
                Ok(Event::Letters(_)) | Err(_) => return Ok(()),
            }
        }
    }
    paths.first().map_or(Ok(()), |first| Err(verdict::no_base(first, records)))
}

/// What `work` makes of each file and its number, in order; as many at a time as the present pool has threads.
///
/// The first that fails stops the others. Of several errors the one of the first file is returned.
fn each_file<T: Send>(
    paths: &[PathBuf],
    monitor: &Monitor,
    work: impl Fn(usize, &Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let bytes_total = total_size(paths);
    each(paths.len(), monitor, |index| {
        enter(paths, index, bytes_total, monitor);
        work(index, &paths[index])
    })
}

/// Tells the monitor that a file is being read.
fn enter(paths: &[PathBuf], file_index: usize, bytes_total: u64, monitor: &Monitor) {
    let (file, files) = (paths[file_index].clone(), paths.len());
    monitor.enter(Phase::Reading { file, file_index, files, bytes_total });
}

/// What `work` makes of each number below `count`, like [`each_file`].
fn each<T: Send>(
    count: usize,
    monitor: &Monitor,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let take_next = || {
        let index = Some(next.fetch_add(1, Relaxed)).filter(|&index| index < count)?;
        let done = monitor.check().and_then(|()| work(index));
        if done.is_err() {
            monitor.cancel(); // the other threads need not go on
        }
        Some((index, done))
    };
    let shares = rayon::broadcast(|_| std::iter::from_fn(take_next).collect::<Vec<_>>());
    let mut done: Vec<(usize, Result<T>)> = shares.into_iter().flatten().collect();
    done.sort_by_key(|&(index, _)| index);
    // Others were interrupted by the first that failed.
    let failed = |(_, one): &(usize, Result<T>)| matches!(one, Err(error) if !error.is_interrupt());
    if let Some(at) = done.iter().position(failed) {
        done.swap(0, at);
    }
    done.into_iter().map(|(_, one)| one).collect()
}

/// A corpus of the given words, for tests and for texts that are in memory already.
pub fn from_words<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Result<Corpus> {
    let mut builder = CorpusBuilder::new();
    for word in words {
        builder.record(b"word");
        builder.letters(word.as_ref())?;
    }
    Ok(builder.finish())
}
