//! The text that training runs over: words at two bits a base.
//!
//! A word is a maximal run of A, C, G, T inside one record. Everything else cuts and is counted by kind. The bases of
//! all words lie in one arena, four to a byte, lowest bits first; every word starts on a byte. Of each word the arena
//! keeps where it ends, in bases; it starts at the end of the one before, rounded up to a byte. That is a quarter of a
//! byte a base and eight bytes a word.
//!
//! # Packed file
//!
//! The same bytes as a file (`genotok pack`), which is then mapped instead of read:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `GENOTOK\x1a` |
//! | 8..16 | version, 1 |
//! | 16..24 | number of words |
//! | 24..32 | length of the arena in bytes |
//! | 32..48 | records, records without a base |
//! | 48..96 | letters outside ACGT, by kind, in the order of [`LetterKind::SKIPPED`], padded with zeros |
//! | 96..112 | fingerprint |
//! | 112..144 | BLAKE3 of all that follows the header |
//! | 144..176 | BLAKE3 of bytes 0..144 |
//! | 176..192 | zeros |
//! | 192.. | the end of each word, eight bytes each; then the arena |
//!
//! Numbers are little-endian. Sizes are compared with the length of the file before anything is believed, and both
//! checksums are verified when the file is opened, so that a damaged file is refused and never read as a genome.
//!
//! # Fingerprint
//!
//! The sum modulo 2^128 of the first 16 bytes of BLAKE3 over each word (its length in eight bytes, then its bytes in
//! the arena): equal for the same words in any order, in any number of files, however wrapped, compressed or masked.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memmap2::Mmap;

use crate::alphabet::{CODES, LETTERS, LetterKind, NOT_A_BASE, complement, kind};
use crate::atomic::write_whole;
use crate::error::{Error, Result};
use crate::fasta::{Event, Reader};
use crate::monitor::{Monitor, Phase};

/// How a packed file begins; the last byte stops a terminal that prints it by mistake.
pub const MAGIC: [u8; 8] = *b"GENOTOK\x1a";
const VERSION: u64 = 1;
const HEADER: usize = 192;

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
    /// The contents of both together.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.empty_records += other.empty_records;
        self.words += other.words;
        self.bases += other.bases;
        self.skipped.iter_mut().zip(other.skipped).for_each(|(sum, more)| *sum += more);
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
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
    Owned { ends: Vec<u64>, arena: Vec<u8> },
    Mapped { file: Arc<Mmap>, num_words: usize },
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

    /// A corpus of stretches of this one: of `length` bases, `every` so many, less where a word ends. Cost: its size.
    pub fn sample(&self, length: u64, every: u64) -> Result<Self> {
        let mut builder = CorpusBuilder::new();
        let mut codes = Vec::new();
        let mut start = 0;
        while start < self.span() {
            let mut word = self.word_after(start);
            let end = start + length;
            while word < self.num_words() && self.word(word).start < end {
                let Range { start: first, end: last } = self.word(word);
                let first = first.max(start);
                codes.resize(usize::try_from(last.min(end) - first).unwrap_or(0), 0);
                self.unpack(first, &mut codes);
                codes.iter_mut().for_each(|code| *code = LETTERS[*code as usize]);
                builder.record(b"sample");
                builder.letters(&codes)?;
                word += 1;
            }
            start += every;
        }
        Ok(builder.finish())
    }

    /// Maps a packed file after checking it. Cost: one reading of the file for its checksum.
    pub fn open(path: &Path) -> Result<Self> {
        let fail = |source| Error::io(path, source);
        let mut file = File::open(path).map_err(fail)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| damaged(path, "it is shorter than its header"))?;
        let (num_words, contents) = read_header(path, &header)?;
        let mapped = map(&file).map_err(fail)?;
        let expected =
            (HEADER as u64).checked_add(num_words.saturating_mul(8)).zip(Some(number(&header, 24)));
        let expected = expected.and_then(|(ends, arena)| ends.checked_add(arena));
        if expected != Some(mapped.len() as u64) {
            return Err(damaged(path, "its length is not what its header says"));
        }
        if blake3::hash(&mapped[HEADER..]).as_bytes() != &header[112..144] {
            return Err(damaged(path, "its checksum is wrong"));
        }
        let num_words = usize::try_from(num_words).map_err(|_| damaged(path, "it has too many words"))?;
        let mut corpus = Self { contents, store: Store::Mapped { file: Arc::new(mapped), num_words } };
        corpus.contents.bases = corpus.check_words(path)?;
        Ok(corpus)
    }

    /// Counts the bases; the ends must rise, each word have a base, and the last one end with the arena.
    fn check_words(&self, path: &Path) -> Result<u64> {
        let mut start = 0;
        let mut bases = 0;
        for word in 0..self.num_words() {
            let end = self.end(word);
            if end <= start {
                return Err(damaged(path, "its words overlap"));
            }
            bases += end - start;
            start = end.next_multiple_of(4);
        }
        if start != self.arena().len() as u64 * 4 {
            return Err(damaged(path, "its words do not fill it"));
        }
        Ok(bases)
    }

    fn end(&self, index: usize) -> u64 {
        match &self.store {
            Store::Owned { ends, .. } => ends[index],
            Store::Mapped { file, .. } => number(file, HEADER + 8 * index),
        }
    }

    fn arena(&self) -> &[u8] {
        match &self.store {
            Store::Owned { arena, .. } => arena,
            Store::Mapped { file, num_words } => &file[HEADER + 8 * num_words..],
        }
    }
}

/// Writes the words of all corpora to one packed file, whole or not at all. Returns its length in bytes.
pub fn save(corpora: &[Corpus], path: &Path, monitor: &Monitor) -> Result<u64> {
    let ends = packed_ends(corpora);
    let mut sum = blake3::Hasher::new();
    for piece in pieces(&ends, corpora) {
        monitor.check()?;
        sum.update(piece);
    }
    let header = packed_header(corpora, sum.finalize());
    let written = write_whole(path, |file| {
        file.write_all(&header)?;
        pieces(&ends, corpora).try_for_each(|piece| {
            monitor.check().map_err(std::io::Error::other)?;
            file.write_all(piece)
        })
    });
    monitor.check()?; // an interrupt comes out of there as if the system had refused to write
    written?;
    Ok(pieces(&ends, corpora).map(|piece| piece.len() as u64).sum::<u64>() + HEADER as u64)
}

/// Where each word ends in the arenas, one behind the other; as bytes of a packed file.
fn packed_ends(corpora: &[Corpus]) -> Vec<u8> {
    let mut ends = Vec::with_capacity(8 * corpora.iter().map(Corpus::num_words).sum::<usize>());
    let mut before = 0;
    for corpus in corpora {
        ends.extend((0..corpus.num_words()).flat_map(|word| (before + corpus.end(word)).to_le_bytes()));
        before += corpus.arena().len() as u64 * 4;
    }
    ends
}

/// What follows the header, in pieces small enough to look for an interrupt between them.
fn pieces<'a>(ends: &'a [u8], corpora: &'a [Corpus]) -> impl Iterator<Item = &'a [u8]> {
    ends.chunks(1 << 20).chain(corpora.iter().flat_map(|corpus| corpus.arena().chunks(1 << 20)))
}

fn packed_header(corpora: &[Corpus], payload: blake3::Hash) -> [u8; HEADER] {
    let mut contents = Contents::default();
    corpora.iter().for_each(|corpus| contents.add(corpus.contents()));
    let arena: usize = corpora.iter().map(|corpus| corpus.arena().len()).sum();
    let Contents { records, empty_records, words, skipped, fingerprint, .. } = contents;
    let mut header = [0; HEADER];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC);
    let numbers = [VERSION, words, arena as u64, records, empty_records];
    for (number, at) in numbers.iter().chain(&skipped).zip((8..).step_by(8)) {
        put(at, &number.to_le_bytes());
    }
    put(96, &fingerprint.to_le_bytes());
    put(112, payload.as_bytes());
    let sum = blake3::hash(&header[..144]);
    header[144..176].copy_from_slice(sum.as_bytes());
    header
}

/// The four base codes in each packed byte.
const FOUR_CODES: [[u8; 4]; 256] = {
    let mut table = [[0; 4]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [byte as u8 & 3, byte as u8 >> 2 & 3, byte as u8 >> 4 & 3, byte as u8 >> 6];
        byte += 1;
    }
    table
};

fn damaged(path: &Path, reason: &str) -> Error {
    Error::file(path, format!("this packed file is damaged: {reason}; make it again with `genotok pack`"))
}

/// The little-endian number at `at`.
fn number(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// The number of words and the contents, less the number of bases, which the words tell.
fn read_header(path: &Path, header: &[u8; HEADER]) -> Result<(u64, Contents)> {
    if header[..8] != MAGIC {
        return Err(Error::file(path, "this is not a packed file of genotok"));
    }
    if number(header, 8) != VERSION {
        let found = number(header, 8);
        return Err(Error::file(
            path,
            format!("packed file of version {found}; this genotok reads version {VERSION}"),
        ));
    }
    if blake3::hash(&header[..144]).as_bytes() != &header[144..176] {
        return Err(damaged(path, "the checksum of its header is wrong"));
    }
    let mut skipped = [0; LetterKind::SKIPPED.len()];
    skipped.iter_mut().zip((48..).step_by(8)).for_each(|(count, at)| *count = number(header, at));
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&header[96..112]);
    let words = number(header, 16);
    Ok((
        words,
        Contents {
            records: number(header, 32),
            empty_records: number(header, 40),
            words,
            bases: 0,
            skipped,
            fingerprint: u128::from_le_bytes(fingerprint),
        },
    ))
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is private to this process and never written. What remains is the rule of every mapped file:
    // another program must not shorten it meanwhile. Reading instead would double the memory of a large corpus.
    unsafe { Mmap::map(file) }
}

/// Collects words from letters.
#[derive(Debug, Default)]
pub struct CorpusBuilder {
    contents: Contents,
    ends: Vec<u64>,
    arena: Vec<u8>,
    /// Bases of the open byte: the codes so far and how many; fewer than four between calls.
    open: (u16, u32),
    /// Where the open word starts, in bytes.
    word_start: usize,
    record: Vec<u8>,
    /// Letters seen in the open record.
    position: u64,
    bases_before_record: u64,
    in_record: bool,
}

impl CorpusBuilder {
    /// An empty corpus.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a record; its name is kept for messages.
    pub fn record(&mut self, name: &[u8]) {
        self.end_record();
        self.record.clear();
        self.record.extend_from_slice(&name[..name.len().min(200)]);
        self.contents.records += 1;
        self.bases_before_record = self.contents.bases;
        self.position = 0;
        self.in_record = true;
    }

    /// Adds letters of the open record. Fails at a letter that stands for no nucleotide.
    pub fn letters(&mut self, letters: &[u8]) -> Result<()> {
        let (eights, tail) = letters.as_chunks::<8>();
        for eight in eights {
            let mut codes = 0;
            let mut any = 0;
            for (&letter, shift) in eight.iter().zip((0..).step_by(2)) {
                let code = CODES[letter as usize];
                any |= code;
                codes |= u32::from(code) << shift;
            }
            if any < NOT_A_BASE {
                self.eight_bases(codes);
            } else {
                eight.iter().try_for_each(|&letter| self.letter(letter))?;
            }
        }
        tail.iter().try_for_each(|&letter| self.letter(letter))
    }

    /// Closes the last word and record.
    pub fn finish(mut self) -> Corpus {
        self.end_record();
        self.arena.shrink_to_fit();
        self.contents.words = self.ends.len() as u64;
        Corpus { contents: self.contents, store: Store::Owned { ends: self.ends, arena: self.arena } }
    }

    #[allow(clippy::cast_possible_truncation)] // cut into bytes on purpose
    fn eight_bases(&mut self, codes: u32) {
        let (bits, filled) = self.open;
        let bits = u32::from(bits) | codes << (2 * filled);
        self.arena.extend_from_slice(&[bits as u8, (bits >> 8) as u8]);
        self.open.0 = (bits >> 16) as u16;
        self.contents.bases += 8;
        self.position += 8;
    }

    #[allow(clippy::cast_possible_truncation)] // cut into a byte on purpose
    fn letter(&mut self, letter: u8) -> Result<()> {
        let code = CODES[letter as usize];
        if code == NOT_A_BASE {
            self.skip(letter)?;
        } else {
            let (bits, filled) = self.open;
            let bits = bits | u16::from(code) << (2 * filled);
            self.contents.bases += 1;
            if filled == 3 {
                self.arena.push(bits as u8);
                self.open = (0, 0);
            } else {
                self.open = (bits, filled + 1);
            }
        }
        self.position += 1;
        Ok(())
    }

    fn skip(&mut self, letter: u8) -> Result<()> {
        self.end_word();
        let kind = kind(letter);
        let Some(at) = LetterKind::SKIPPED.iter().position(|&skipped| skipped == kind) else {
            let reason = if kind == LetterKind::AminoAcid {
                "stands for no nucleotide; this looks like protein, and genotok reads DNA"
            } else {
                "stands for no nucleotide"
            };
            return Err(Error::Symbol {
                record: String::from_utf8_lossy(&self.record).into_owned(),
                position: self.position,
                byte: letter,
                reason: reason.to_owned(),
            });
        };
        self.contents.skipped[at] += 1;
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation)] // cut into a byte on purpose
    fn end_word(&mut self) {
        let (bits, filled) = std::mem::take(&mut self.open);
        let end = self.arena.len() as u64 * 4 + u64::from(filled);
        if filled > 0 {
            self.arena.push(bits as u8);
        }
        let start = self.word_start;
        if self.arena.len() > start {
            let length = end - start as u64 * 4;
            let mut hasher = blake3::Hasher::new();
            hasher.update(&length.to_le_bytes()).update(&self.arena[start..]);
            let mut sum = [0; 16];
            sum.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
            self.contents.fingerprint = self.contents.fingerprint.wrapping_add(u128::from_le_bytes(sum));
            self.ends.push(end);
            self.word_start = self.arena.len();
        }
    }

    fn end_record(&mut self) {
        self.end_word();
        if std::mem::take(&mut self.in_record) && self.contents.bases == self.bases_before_record {
            self.contents.empty_records += 1;
        }
    }
}

/// Reads one input: a packed file is mapped, a sequence file is read and packed in memory.
///
/// Fails if there is not a single letter in it; whether there is a base is for [`read_all`] to see. Time and memory are linear in the bases.
pub fn read(path: &Path, monitor: &Monitor) -> Result<Corpus> {
    if is_packed(path) {
        let corpus = Corpus::open(path)?;
        monitor.add_bases(corpus.contents.bases);
        monitor.add_bytes(size(path));
        return Ok(corpus);
    }
    let mut reader = Reader::open(path)?;
    let mut builder = CorpusBuilder::new();
    let mut told = (0, 0);
    let mut pieces = 0_u32;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { name, .. } => builder.record(name),
            Event::Letters(letters) => builder.letters(letters)?,
        }
        pieces = pieces.wrapping_add(1);
        if pieces % 1024 == 0 {
            monitor.check()?;
            let now = (builder.contents.bases, reader.bytes_read());
            monitor.add_bases(now.0 - told.0);
            monitor.add_bytes(now.1 - told.1);
            told = now;
        }
    }
    monitor.check()?;
    monitor.add_bytes(reader.bytes_read() - told.1);
    let corpus = builder.finish();
    monitor.add_bases(corpus.contents.bases - told.0);
    if corpus.contents.bases + corpus.contents.skipped.iter().sum::<u64>() == 0 {
        let records = corpus.contents.records;
        return Err(Error::file(path, format!("no letter in its {records} records; is the file cut short?")));
    }
    Ok(corpus)
}

/// Reads inputs, as many at a time as the present thread pool has threads.
///
/// A file of unknown letters only may stand among others, as a scaffold that is not yet read; all files together must
/// have a base. Of several errors the one of the first file is returned.
pub fn read_all(paths: &[PathBuf], monitor: &Monitor) -> Result<Vec<Corpus>> {
    let sizes: Vec<u64> = paths.iter().map(|path| size(path)).collect();
    let bytes_total = if sizes.contains(&0) { 0 } else { sizes.iter().sum() };
    let next = AtomicUsize::new(0);
    let read_next = || {
        let file_index = next.fetch_add(1, Relaxed);
        let path = paths.get(file_index)?;
        monitor.enter(Phase::Reading { file: path.clone(), file_index, files: paths.len(), bytes_total });
        let corpus = monitor.check().and_then(|()| read(path, monitor));
        if corpus.is_err() {
            monitor.cancel(); // the other threads need not go on
        }
        Some((file_index, corpus))
    };
    let shares = rayon::broadcast(|_| std::iter::from_fn(read_next).collect::<Vec<_>>());
    let mut read: Vec<(usize, Result<Corpus>)> = shares.into_iter().flatten().collect();
    read.sort_by_key(|&(index, _)| index);
    // Others were interrupted by the first that failed.
    let failed =
        |(_, corpus): &(usize, Result<Corpus>)| matches!(corpus, Err(error) if !error.is_interrupt());
    if let Some(at) = read.iter().position(failed) {
        read.swap(0, at);
    }
    let corpora: Vec<Corpus> = read.into_iter().map(|(_, corpus)| corpus).collect::<Result<_>>()?;
    if corpora.iter().all(|corpus| corpus.contents.bases == 0) {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        let records: u64 = corpora.iter().map(|corpus| corpus.contents.records).sum();
        return Err(Error::file(
            path,
            format!("no base (A, C, G, T) in its {records} records; is this the right file?"),
        ));
    }
    Ok(corpora)
}

/// Bytes in a file, 0 if that is not known beforehand.
fn size(path: &Path) -> u64 {
    path.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len())
}

/// Whether the file begins like a packed file. What cannot be opened is left to the reader to complain about.
fn is_packed(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == MAGIC)
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
