//! From the symbols of records to words in an arena.
//!
//! The builder takes symbols in pieces of any length. Between calls, up to three bases wait in the *open byte*; all others
//! of the open word are in the arena already. `word_start` is the byte at which the open word starts, so its length is
//! known without a counter: four bases for each byte after it, and those in the open byte.
//!
//! Eight symbols are looked up together: if all are bases, their codes are 16 bits, which are shifted behind the open
//! byte and written as two bytes. Anything else takes the path for single symbols. Both leave the same state.

use super::arena::{Contents, Corpus};
use crate::alphabet::{CODES, NOT_A_BASE, SymbolKind, kind};
use crate::error::Result;
use crate::verdict::{NAME_BYTES, no_nucleotide};

/// Collects the words of records.
#[derive(Debug, Default)]
pub struct CorpusBuilder {
    contents: Contents,
    ends: Vec<u64>,
    arena: Vec<u8>,
    /// The open byte: the codes so far, lowest bits first, and how many; fewer than four between calls.
    open: (u16, u32),
    /// Where the open word starts, in bytes.
    word_start: usize,
    /// The open record's name, its first [`NAME_BYTES`].
    record: Vec<u8>,
    /// Symbols read of the open record.
    position: u64,
    record_has_bases: bool,
    in_record: bool,
    /// Where each word comes from, if that is recorded.
    places: Option<Vec<WordPlace>>,
}

/// Where a word comes from: a record, and a half-open range of its symbols, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordPlace {
    /// The record's name, its first 200 bytes.
    pub record: Vec<u8>,
    /// Its first symbol.
    pub start: u64,
    /// The symbol after its last.
    pub end: u64,
}

impl CorpusBuilder {
    /// A builder without words.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder that records where words come from, at the cost of a [`WordPlace`] per word.
    pub fn with_places() -> Self {
        Self { places: Some(Vec::new()), ..Self::default() }
    }

    /// The places of the words that [`take_words`](Self::take_words) returns next; none if they are not recorded.
    pub fn take_places(&mut self) -> Vec<WordPlace> {
        self.places.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes all words that have ended, with the contents read since the last time; the open word stays. Cost: its length.
    pub fn take_words(&mut self) -> Corpus {
        let open_bases = self.bases_open();
        let open = self.arena.split_off(self.word_start);
        let mut arena = std::mem::replace(&mut self.arena, open);
        self.word_start = 0;
        arena.shrink_to_fit();
        let ends = std::mem::take(&mut self.ends);
        let mut contents = std::mem::take(&mut self.contents);
        contents.bases -= open_bases;
        contents.words = ends.len() as u64;
        self.contents.bases = open_bases;
        Corpus::owned(contents, ends, arena)
    }

    /// What was read since words were last taken. The number of words is missing, it is known when they are taken.
    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Copies a corpus behind the words so far; an open record is closed first.
    pub(super) fn append(&mut self, corpus: &Corpus) {
        self.end_record();
        let start = 4 * self.arena.len() as u64;
        self.ends.extend((0..corpus.num_words()).map(|word| start + corpus.end(word)));
        self.arena.extend_from_slice(corpus.arena());
        self.word_start = self.arena.len();
        self.contents.add(corpus.contents());
    }

    /// Symbols of the open record so far, the position of its next symbol.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bases of the words that have ended.
    pub fn bases_ended(&self) -> u64 {
        self.contents.bases - self.bases_open()
    }

    /// Bases of the word that is open.
    fn bases_open(&self) -> u64 {
        (self.arena.len() - self.word_start) as u64 * 4 + u64::from(self.open.1)
    }

    /// Opens a record, and closes the one before. The name appears in messages and places.
    pub fn record(&mut self, name: &[u8]) {
        self.end_record();
        self.record.clear();
        self.record.extend_from_slice(&name[..name.len().min(NAME_BYTES)]);
        self.contents.records += 1;
        self.record_has_bases = false;
        self.position = 0;
        self.in_record = true;
    }

    /// Adds symbols of the open record. Fails at a symbol that stands for no nucleotide, with its position.
    pub fn symbols(&mut self, symbols: &[u8]) -> Result<()> {
        let (eights, tail) = symbols.as_chunks::<8>();
        for eight in eights {
            let mut codes = 0;
            let mut any = 0;
            for (&symbol, shift) in eight.iter().zip((0..).step_by(2)) {
                let code = CODES[symbol as usize];
                any |= code;
                codes |= u32::from(code) << shift;
            }
            if any < NOT_A_BASE {
                self.eight_bases(codes);
            } else {
                eight.iter().try_for_each(|&symbol| self.symbol(symbol))?;
            }
        }
        tail.iter().try_for_each(|&symbol| self.symbol(symbol))
    }

    /// Closes the last record and returns the words not taken before.
    pub fn finish(mut self) -> Corpus {
        self.end_record();
        self.take_words()
    }

    /// Adds eight base codes, the first in the lowest bits: 16 bits behind the up to six of the open byte.
    #[allow(clippy::cast_possible_truncation)] // cut into bytes on purpose
    fn eight_bases(&mut self, codes: u32) {
        let (bits, filled) = self.open;
        let bits = u32::from(bits) | codes << (2 * filled);
        self.arena.extend_from_slice(&[bits as u8, (bits >> 8) as u8]);
        self.open.0 = (bits >> 16) as u16;
        self.contents.bases += 8;
        self.position += 8;
    }

    /// Adds one symbol, of any kind.
    #[allow(clippy::cast_possible_truncation)] // cut into a byte on purpose
    fn symbol(&mut self, symbol: u8) -> Result<()> {
        let code = CODES[symbol as usize];
        if code == NOT_A_BASE {
            self.skip(symbol)?;
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

    /// Ends the word at a symbol that is no base, and counts the symbol.
    fn skip(&mut self, symbol: u8) -> Result<()> {
        self.end_word();
        let kind = kind(symbol);
        let Some(at) = SymbolKind::SKIPPED.iter().position(|&skipped| skipped == kind) else {
            return Err(no_nucleotide(&self.record, self.position, symbol));
        };
        self.contents.skipped[at] += 1;
        Ok(())
    }

    /// Ends the open word, if it has a base: pads its last byte with zeros and adds it to fingerprint and places.
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
            self.record_has_bases = true;
            if let Some(places) = &mut self.places {
                let start = self.position - length;
                places.push(WordPlace { record: self.record.clone(), start, end: self.position });
            }
            self.ends.push(end);
            self.word_start = self.arena.len();
        }
    }

    /// Ends the open word and the open record, if there are any. All words can be [taken](Self::take_words) then.
    pub fn end_record(&mut self) {
        self.end_word();
        if std::mem::take(&mut self.in_record) && !self.record_has_bases {
            self.contents.empty_records += 1;
        }
    }
}

/// A corpus of words that are in memory, each a record.
pub fn from_words<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Result<Corpus> {
    let mut builder = CorpusBuilder::new();
    for word in words {
        builder.record(b"word");
        builder.symbols(word.as_ref())?;
    }
    Ok(builder.finish())
}
