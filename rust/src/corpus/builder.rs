//! From the symbols of records to words in an arena.
//!
//! The builder takes symbols in pieces of any length. Between calls, up to three bases wait in the *open byte*; all others
//! of the open word are in the arena already. `word_start` is the byte at which the open word starts, so its length is
//! known without a counter: four bases for each byte after it, and those in the open byte.
//!
//! Sixty-four symbols are packed together ([`pack_block`]): if all are bases, their codes are 128 bits, which are shifted behind
//! the open byte and written as sixteen bytes. Anything else takes the path for single symbols. Both leave the same state.

use super::arena::{Contents, Corpus};
use crate::alphabet::{CODES, NOT_A_BASE, SymbolKind, kind};
use crate::error::Result;
use crate::instructions::for_this_cpu;
use crate::verdict::{NAME_BYTES, no_nucleotide};

/// Symbols that are packed together.
const BLOCK: usize = 64;

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

    /// Bytes of memory that the words take, those of the open word included.
    pub(super) fn bytes_held(&self) -> u64 {
        self.arena.len() as u64 + 8 * self.ends.len() as u64
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
        add_symbols(self, symbols)
    }

    /// [`Self::symbols`], to be compiled for several CPUs.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn add_symbols(&mut self, symbols: &[u8]) -> Result<()> {
        let (blocks, tail) = symbols.as_chunks::<BLOCK>();
        for block in blocks {
            match pack_block(block) {
                Some(codes) => self.block(codes),
                None if block == &[block[0]; BLOCK] => self.run(block[0])?,
                None => block.iter().try_for_each(|&symbol| self.symbol(symbol))?,
            }
        }
        tail.iter().try_for_each(|&symbol| self.symbol(symbol))
    }

    /// Closes the last record and returns the words not taken before.
    pub fn finish(mut self) -> Corpus {
        self.end_record();
        self.take_words()
    }

    /// Adds the codes of a block, the first in the lowest bits: 128 bits behind the up to six of the open byte.
    #[allow(clippy::cast_possible_truncation)] // cut into a byte on purpose
    fn block(&mut self, codes: u128) {
        let (bits, filled) = self.open;
        self.arena.extend_from_slice(&(u128::from(bits) | (codes << (2 * filled))).to_le_bytes());
        self.open.0 = ((codes >> 64) >> (64 - 2 * filled)) as u16;
        self.contents.bases += BLOCK as u64;
        self.position += BLOCK as u64;
    }

    /// Adds a block of one symbol that is no base, as the gaps of assemblies are.
    fn run(&mut self, symbol: u8) -> Result<()> {
        let kind = self.skip(symbol)?;
        self.contents.skipped[kind] += BLOCK as u64 - 1;
        self.position += BLOCK as u64;
        Ok(())
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

    /// Ends the word at a symbol that is no base, and counts the symbol. Returns its place among the counts.
    fn skip(&mut self, symbol: u8) -> Result<usize> {
        self.end_word();
        let kind = kind(symbol);
        let Some(at) = SymbolKind::SKIPPED.iter().position(|&skipped| skipped == kind) else {
            return Err(no_nucleotide(&self.record, self.position, symbol));
        };
        self.contents.skipped[at] += 1;
        Ok(at)
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

for_this_cpu! {
    /// Adds symbols by the best instructions that the CPU has.
    fn add_symbols(builder: &mut CorpusBuilder, symbols: &[u8]) -> Result<()> = builder.add_symbols(symbols);
}

/// The codes of a block of bases, in either case, two bits each; none if a symbol is no base.
///
/// Bits 1 and 2 of the symbols A, C, T and G are 0, 1, 2 and 3. From them follow the code, and the symbol that a byte must
/// be to be a base. All of it is arithmetic on eight bytes at a time, which the compiler makes vector instructions of.
#[inline(always)]
#[allow(clippy::inline_always)] // compiled for several CPUs
#[allow(clippy::cast_possible_truncation)] // the sixteen bits that are left
fn pack_block(block: &[u8; BLOCK]) -> Option<u128> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut eights = [0; BLOCK / 8];
    let mut strange = 0;
    for (eight, out) in block.as_chunks::<8>().0.iter().zip(&mut eights) {
        let symbols = u64::from_le_bytes(*eight);
        let order = (symbols >> 1) & (3 * EACH);
        let is_t = (order >> 1) & !order & EACH;
        let upper = symbols & !(0x20 * EACH);
        strange |= upper ^ ((0x41 * EACH) | (order << 1)) ^ (0x10 * is_t) ^ is_t;
        let code = order ^ ((order >> 1) & EACH);
        let pairs = (code | (code >> 6)) & 0x000f_000f_000f_000f;
        let fours = (pairs | (pairs >> 12)) & 0x0000_00ff_0000_00ff;
        *out = fours | (fours >> 24);
    }
    let mut codes = [0; BLOCK / 4];
    for (&eight, out) in eights.iter().zip(codes.as_chunks_mut::<2>().0) {
        *out = (eight as u16).to_le_bytes();
    }
    (strange == 0).then(|| u128::from_le_bytes(codes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_is_packed_if_all_its_symbols_are_bases() {
        for byte in 0..=255 {
            for at in [0, 7, 8, 62, 63] {
                let mut block = *b"ACGTacgtTTGGCCAAttggccaaACGTACGTGCATgcatCATGcatgAAAAccccGGGGtttt";
                block[at] = byte;
                let codes = block.map(|symbol| CODES[usize::from(symbol)]);
                let expected = codes.iter().rev().fold(0, |all, &code| (all << 2) | u128::from(code & 3));
                let expected = (!codes.contains(&NOT_A_BASE)).then_some(expected);
                assert_eq!(pack_block(&block), expected, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn every_symbol_of_a_gap_is_counted() {
        let mut builder = CorpusBuilder::new();
        builder.record(b"a");
        builder.symbols(&[b"AC".as_slice(), &[b'N'; 5 * BLOCK], b"GT"].concat()).unwrap();
        let contents = builder.finish().contents().clone();
        assert_eq!(contents.skipped.iter().sum::<u64>(), 5 * BLOCK as u64);
        assert_eq!((contents.words, contents.bases), (2, 4));
    }

    #[test]
    fn the_open_word_takes_memory_and_stays_when_words_are_taken() {
        let mut builder = CorpusBuilder::new();
        builder.record(b"a");
        builder.symbols(b"ACGTANACGTAC").unwrap();
        // A word of two bytes has its end in eight; of the open one, a byte is full and two bases wait.
        assert_eq!((builder.bytes_held(), builder.bases_ended(), builder.position()), (2 + 8 + 1, 5, 12));
        let corpus = builder.take_words();
        assert_eq!((corpus.contents().words, corpus.contents().bases, corpus.arena().len()), (1, 5, 2));
        assert_eq!((builder.bytes_held(), builder.bases_ended(), builder.position()), (1, 0, 12));
        builder.symbols(b"GT").unwrap();
        let rest = builder.finish();
        assert_eq!((rest.contents().words, rest.contents().bases, rest.word(0)), (1, 8, 0..8));
        assert_eq!(rest.arena(), from_words([b"ACGTACGT"]).unwrap().arena());
    }

    #[test]
    fn places_are_ranges_of_the_symbols_of_records() {
        let mut builder = CorpusBuilder::with_places();
        builder.record(b"a");
        builder.symbols(&[&b"NNACG"[..], &[b'N'; 64], b"T"].concat()).unwrap();
        builder.record(&[b'b'; 300]);
        builder.symbols(b"AC").unwrap();
        builder.end_record();
        let place = |record: &[u8], start, end| WordPlace { record: record.to_vec(), start, end };
        let expected = [place(b"a", 2, 5), place(b"a", 69, 70), place(&[b'b'; 200], 0, 2)];
        assert_eq!(builder.take_places(), expected);
        assert_eq!(builder.take_places(), []);
    }

    #[test]
    fn records_without_a_base_are_counted_once() {
        let mut builder = CorpusBuilder::new();
        for symbols in [&b"NN"[..], b"A", b"", b"ANA"] {
            builder.record(b"a");
            builder.symbols(symbols).unwrap();
        }
        builder.end_record();
        builder.end_record();
        assert_eq!((builder.contents().records, builder.contents().empty_records), (4, 2));
        assert_eq!(builder.contents().total_symbols(), 6);
    }

    #[test]
    fn a_corpus_is_copied_behind_the_words() {
        let words = [&b"ACGTA"[..], b"CG", b"T"];
        let mut builder = CorpusBuilder::new();
        builder.record(b"word");
        builder.symbols(words[0]).unwrap();
        builder.append(&from_words(&words[1..]).unwrap());
        let (all, expected) = (builder.finish(), from_words(words).unwrap());
        assert_eq!((all.contents(), all.arena()), (expected.contents(), expected.arena()));
        assert!((0..3).all(|word| all.word(word) == expected.word(word)));
    }

    proptest! {
        #[test]
        fn blocks_and_single_symbols_leave_the_same_words(
            text in "([ACGTacgt]{0,150}[NRn-]{0,2}){0,6}",
            cuts in prop::collection::vec(0_usize..500, 0..5),
        ) {
            let whole = from_words([&text]).unwrap();
            let mut builder = CorpusBuilder::new();
            builder.record(b"word");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut from = 0;
            for to in cuts.into_iter().chain([text.len()]) {
                builder.symbols(&text.as_bytes()[from..to]).unwrap();
                from = to;
            }
            let mut single = CorpusBuilder::new();
            single.record(b"word");
            text.bytes().try_for_each(|symbol| single.symbol(symbol)).unwrap();
            let (parts, single) = (builder.finish(), single.finish());
            for other in [&parts, &single] {
                prop_assert_eq!(whole.arena(), other.arena());
                prop_assert_eq!(whole.contents(), other.contents());
            }
        }
    }
}
