//! Packed files: a corpus that is mapped instead of read (`genotok pack`). Version 1:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `GENOTOK\x1a` |
//! | 8..16 | version, 1 |
//! | 16..24 | number of words |
//! | 24..32 | length of the arena in bytes |
//! | 32..48 | records, records without a base |
//! | 48..96 | skipped symbols by kind, in the order of [`SymbolKind::SKIPPED`], padded with zeros |
//! | 96..112 | fingerprint |
//! | 112..144 | BLAKE3 of all that follows the header |
//! | 144..176 | BLAKE3 of bytes 0..144 |
//! | 176..192 | zeros |
//! | 192.. | the end of each word in bases, eight bytes each; then the arena |
//!
//! Numbers are little-endian and 64 bits wide. The arena is the one of [`super`], byte for byte, so a mapped file is used
//! as it is. Nothing of the header is trusted: sizes are compared with the length of the file first, both checksums are
//! verified when the file is opened, and the ends of words must be those of an arena. A damaged file is refused and never
//! read as a genome.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::arena::{Contents, Corpus, CorpusStorage};
use super::layout::{HEADER, MAGIC, number};
use crate::alphabet::SymbolKind;
use crate::error::{Error, Result};
use crate::io::atomic;
use crate::monitor::Monitor;

const VERSION: u64 = 1;
/// Bytes that are summed or written between two checks for an interrupt.
const PIECE: usize = 1 << 23;

impl Corpus {
    /// Maps a packed file after checking it. Cost: one pass over the file for its checksum; the memory of that pass is
    /// given back to the system at once.
    ///
    /// Fails if the file is damaged, of another version, or not a packed file.
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
        let mut sum = blake3::Hasher::new();
        add(&mut sum, &mapped[HEADER..]);
        if sum.finalize().as_bytes() != &header[112..144] {
            return Err(damaged(path, "its checksum is wrong"));
        }
        let num_words = usize::try_from(num_words).map_err(|_| damaged(path, "it has too many words"))?;
        let mut corpus =
            Self { contents, store: CorpusStorage::Mapped { file: Arc::new(mapped), num_words } };
        corpus.contents.bases = corpus.check_words(path)?;
        corpus.release();
        Ok(corpus)
    }

    /// Gives the memory of a mapped file back to the system, which reads pages again where they are needed. A pass over
    /// many files thus holds one of them at a time.
    pub fn release(&self) {
        if let CorpusStorage::Mapped { file, .. } = &self.store {
            forget(file);
        }
    }

    /// The checksum that a packed file's header states, in hexadecimal digits. Checks the header, not the contents.
    pub(super) fn checksum(path: &Path) -> Result<String> {
        let mut header = [0; HEADER];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
        read.map_err(|source| Error::io(path, source))?;
        read_header(path, &header)?;
        let mut sum = [0; 32];
        sum.copy_from_slice(&header[112..144]);
        Ok(blake3::Hash::from_bytes(sum).to_hex().to_string())
    }

    /// Counts the bases. Fails unless the ends rise, every word has a base, and the last word ends in the last byte of the
    /// arena: the invariants that all reading relies on.
    fn check_words(&self, path: &Path) -> Result<u64> {
        let (mut start, mut bases) = (0, 0);
        let span = self.arena().len() as u64 * 4;
        for word in 0..self.num_words() {
            let end = self.end(word);
            if end <= start {
                return Err(damaged(path, "its words overlap"));
            }
            // Also keeps the next multiple below 2^64.
            if end > span {
                return Err(damaged(path, "a word ends behind its bases"));
            }
            bases += end - start;
            start = end.next_multiple_of(4);
        }
        if start != span {
            return Err(damaged(path, "its words do not fill it"));
        }
        Ok(bases)
    }
}

/// Writes the words of all corpora to one packed file, atomically. Returns its length in bytes.
///
/// Cost: two passes over the words, since the checksum stands in front of them, the first by all threads of the current
/// pool; and eight bytes of memory per word.
pub fn save(corpora: &[Corpus], path: &Path, monitor: &Monitor) -> Result<u64> {
    let ends = packed_ends(corpora);
    let mut sum = blake3::Hasher::new();
    for piece in pieces(&ends, corpora) {
        monitor.check()?;
        add(&mut sum, piece);
    }
    let header = packed_header(corpora, sum.finalize());
    let written = atomic::write(path, |file| {
        file.write_all(&header)?;
        pieces(&ends, corpora).try_for_each(|piece| {
            monitor.check().map_err(std::io::Error::other)?;
            file.write_all(piece)
        })
    });
    monitor.check()?; // an interrupt leaves the writer as an error of the system
    written?;
    Ok(pieces(&ends, corpora).map(|piece| piece.len() as u64).sum::<u64>() + HEADER as u64)
}

/// Adds bytes to a sum, with all threads of the pool that the caller works in, if it works in one.
fn add(sum: &mut blake3::Hasher, bytes: &[u8]) {
    if rayon::current_thread_index().is_some() {
        sum.update_rayon(bytes);
    } else {
        sum.update(bytes);
    }
}

/// The ends of all words as bytes of a packed file, for the arenas of all corpora back to back.
fn packed_ends(corpora: &[Corpus]) -> Vec<u8> {
    let mut ends = Vec::with_capacity(8 * corpora.iter().map(Corpus::num_words).sum::<usize>());
    let mut before = 0;
    for corpus in corpora {
        ends.extend((0..corpus.num_words()).flat_map(|word| (before + corpus.end(word)).to_le_bytes()));
        before += corpus.arena().len() as u64 * 4;
    }
    ends
}

/// Everything after the header, in pieces of at most [`PIECE`] bytes: an interrupt is noticed between two of them.
fn pieces<'a>(ends: &'a [u8], corpora: &'a [Corpus]) -> impl Iterator<Item = &'a [u8]> {
    ends.chunks(PIECE).chain(corpora.iter().flat_map(|corpus| corpus.arena().chunks(PIECE)))
}

/// The header for these corpora and the checksum of what follows it.
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

/// The error of a damaged file, with its remedy.
fn damaged(path: &Path, reason: &str) -> Error {
    Error::file(path, format!("this packed file is damaged: {reason}; make it again with `genotok pack`"))
}

/// Checks a header and returns the number of words and the contents. The number of bases is 0: only the ends tell it.
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
    let mut skipped = [0; SymbolKind::SKIPPED.len()];
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

/// Maps a file for reading.
#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is private to this process and never written. What remains is the rule of every mapped file:
    // another program must not shorten it meanwhile. Reading instead would double the memory of a large corpus.
    unsafe { Mmap::map(file) }
}

/// Drops the pages of a mapped file from this process.
#[cfg(unix)]
#[allow(unsafe_code)]
fn forget(file: &Mmap) {
    // SAFETY: the map is of a file and never written, so that pages which were taken back are read from the file again.
    // That it fails where the system does not know the advice changes nothing.
    unsafe { file.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) }.ok();
}

#[cfg(not(unix))]
fn forget(_: &Mmap) {}
