//! Tokens back to letters.
//!
//! # Overlapping k-mers
//!
//! The n tokens of a sequence lie at n neighbouring positions and stand for n + k - 1 letters. Each of these is what the
//! k-mers over it say, and the unknown token's name where none says anything. So the letters come back, and every one that
//! was outside the vocabulary is `[UNK]`, one for one, as in the decoding of other tokenizers here.
//!
//! (A known letter comes back as unknown if it has a letter outside the vocabulary within k - 1 letters, or the end
//! of the sequence, on both sides: then no token held it.)
//!
//! Tokens of different sequences may follow one another, and a model may predict what cannot be: where a k-mer
//! contradicts those before it a new sequence begins, as it does at every special token. Nothing of it is lost: the text
//! is then the texts of the parts, one after the other.
//!
//! # Canonical k-mers
//!
//! Which strand each token was read on is forgotten, so there is no way back to the sequence. Decoding gives the names
//! of the tokens: of non-overlapping k-mers joined, so that each letter stands in its place but some k-mers are
//! turned over; of overlapping ones with a space between.

use super::kinds::{BASES, Kmer};
use super::width::Token;

/// A token to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol<'a> {
    /// One of the k-mers or letters.
    Token(Token),
    /// The unknown token.
    Unknown,
    /// Any other special token, by its name.
    Special(&'a str),
}

impl Kmer {
    /// Appends what the tokens stand for; `unknown` is the name of the unknown token. Linear.
    pub fn decode<'a>(
        &self,
        symbols: impl IntoIterator<Item = Symbol<'a>>,
        unknown: &str,
        text: &mut Vec<u8>,
    ) {
        if self.overlap && !self.canonical {
            let mut chain = Chain { kmer: self, letters: Vec::new(), last: None };
            for symbol in symbols {
                chain.add(symbol, unknown, text);
            }
            return chain.end(unknown, text);
        }
        for (number, symbol) in symbols.into_iter().enumerate() {
            if self.overlap && number > 0 {
                text.push(b' ');
            }
            match symbol {
                Symbol::Token(token) => self.spell(token, text),
                Symbol::Unknown => text.extend_from_slice(unknown.as_bytes()),
                Symbol::Special(name) => text.extend_from_slice(name.as_bytes()),
            }
        }
    }
}

/// Overlapping k-mers at neighbouring positions.
struct Chain<'a> {
    kmer: &'a Kmer,
    /// The letters so far, k - 1 more than tokens; 0 is one that nothing is known of.
    letters: Vec<u8>,
    /// The token before, if it is a k-mer.
    last: Option<Token>,
}

impl Chain<'_> {
    fn add(&mut self, symbol: Symbol<'_>, unknown: &str, text: &mut Vec<u8>) {
        let k = self.kmer.k;
        let next = self.last.map(|last| (last << 2) & (self.kmer.num_kmers() - 1));
        match symbol {
            Symbol::Token(token) if next == Some(token & !3) => {
                self.letters.push(BASES[(token & 3) as usize]);
                self.last = Some(token);
            }
            Symbol::Token(token) => {
                if !self.allows(token) {
                    self.end(unknown, text);
                }
                let known = self.letters.len().saturating_sub(k - 1);
                self.letters.truncate(known);
                self.kmer.spell(token, &mut self.letters);
                self.last = Some(token);
            }
            Symbol::Unknown => {
                let length = if self.letters.is_empty() { k } else { self.letters.len() + 1 };
                self.letters.resize(length, 0);
                self.last = None;
            }
            Symbol::Special(name) => {
                self.end(unknown, text);
                text.extend_from_slice(name.as_bytes());
            }
        }
    }

    /// Whether the last k - 1 letters may be the first of this k-mer.
    fn allows(&self, token: Token) -> bool {
        let mut spelled = Vec::new();
        self.kmer.spell(token, &mut spelled);
        let tail = &self.letters[self.letters.len().saturating_sub(self.kmer.k - 1)..];
        tail.iter().zip(&spelled).all(|(known, letter)| *known == 0 || known == letter)
    }

    /// Ends the sequence.
    fn end(&mut self, unknown: &str, text: &mut Vec<u8>) {
        for letter in self.letters.drain(..) {
            if letter == 0 {
                text.extend_from_slice(unknown.as_bytes());
            } else {
                text.push(letter);
            }
        }
        self.last = None;
    }
}
