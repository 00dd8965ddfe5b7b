//! From letters to words at two bits a base.

use super::arena::{Contents, Corpus};
use crate::alphabet::{CODES, LetterKind, NOT_A_BASE, kind};
use crate::error::Result;
use crate::verdict::no_nucleotide;

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
    record_has_bases: bool,
    in_record: bool,
    /// Where each word came from, if that is asked for.
    places: Option<Vec<Place>>,
}

/// Where a word came from: a record, and letters of it, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The record's name, its first 200 bytes.
    pub record: Vec<u8>,
    /// From this letter on.
    pub start: u64,
    /// To before this one.
    pub end: u64,
}

impl CorpusBuilder {
    /// An empty corpus.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty corpus that notes where its words come from.
    pub fn with_places() -> Self {
        Self { places: Some(Vec::new()), ..Self::default() }
    }

    /// Where the words came from that [`take_words`](Self::take_words) gives next, if that was asked for.
    pub fn take_places(&mut self) -> Vec<Place> {
        self.places.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// All words that have ended, with what was read since the last time; the open word stays. Cost: its length.
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

    /// What was read since words were last taken, but for the number of words.
    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Adds all that is in a corpus, after the last record.
    pub(super) fn append(&mut self, corpus: &Corpus) {
        self.end_record();
        let begun = 4 * self.arena.len() as u64;
        self.ends.extend((0..corpus.num_words()).map(|word| begun + corpus.end(word)));
        self.arena.extend_from_slice(corpus.arena());
        self.word_start = self.arena.len();
        self.contents.add(corpus.contents());
    }

    /// Letters of the open record so far.
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

    /// Opens a record; its name is kept for messages.
    pub fn record(&mut self, name: &[u8]) {
        self.end_record();
        self.record.clear();
        self.record.extend_from_slice(&name[..name.len().min(200)]);
        self.contents.records += 1;
        self.record_has_bases = false;
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
        self.take_words()
    }

    /// Closes the last word and record; all words can be [taken](Self::take_words) then.
    pub fn close(&mut self) {
        self.end_record();
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
            return Err(no_nucleotide(&self.record, self.position, letter));
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
            self.record_has_bases = true;
            if let Some(places) = &mut self.places {
                let start = self.position - length;
                places.push(Place { record: self.record.clone(), start, end: self.position });
            }
            self.ends.push(end);
            self.word_start = self.arena.len();
        }
    }

    fn end_record(&mut self) {
        self.end_word();
        if std::mem::take(&mut self.in_record) && !self.record_has_bases {
            self.contents.empty_records += 1;
        }
    }
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
