//! Tokens back to symbols.
//!
//! # Overlapping k-mers
//!
//! The n tokens of a sequence lie at n neighbouring positions and stand for n + k - 1 symbols. Each of these is what the
//! k-mers over it say, and the unknown token's name where none says anything. So the symbols come back, and every one that
//! was outside the vocabulary is `[UNK]`, one for one, as in the decoding of other tokenizers here.
//!
//! ```text
//! ACG CGT  ?   ?   ?  TTT    k = 3
//! A C G T
//!         ?                  of it no k-mer says anything
//!           T T T            ACGT?TTT, as long as it was
//! ```
//!
//! (A known symbol comes back as unknown if it has a symbol outside the vocabulary within k - 1 symbols, or the end
//! of the sequence, on both sides: then no token held it.)
//!
//! Tokens of different sequences may follow one another, and a model may predict what cannot be: where a k-mer
//! contradicts those before it a new sequence starts, as it does at every special token. Nothing of it is lost: the text
//! is then the texts of the parts, one after the other.
//!
//! # Canonical k-mers
//!
//! Which strand each token was read on is forgotten, so there is no way back to the sequence. Decoding gives the names
//! of the tokens: of non-overlapping k-mers joined, so that each base stands in its place but some k-mers are
//! reverse-complemented; of overlapping ones with a space between.

use super::kinds::{BASES, Kmer};
use super::width::KmerToken;

/// What an id means in a vocabulary of k-mers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmerMeaning<'a> {
    /// One of the k-mers, a single base, or N.
    Token(KmerToken),
    /// The unknown token.
    Unknown,
    /// Any other special token, by its name.
    Special(&'a str),
}

impl Kmer {
    /// Appends what the ids stand for; `unknown` is the name of the unknown token. Linear in the number of ids.
    pub fn decode<'a>(
        &self,
        ids: impl IntoIterator<Item = KmerMeaning<'a>>,
        unknown: &str,
        text: &mut Vec<u8>,
    ) {
        if self.overlap && !self.canonical {
            let mut chain = Chain { kmer: self, symbols: Vec::new(), last: None };
            for meaning in ids {
                chain.add(meaning, unknown, text);
            }
            return chain.end(unknown, text);
        }
        for (number, meaning) in ids.into_iter().enumerate() {
            if self.overlap && number > 0 {
                text.push(b' ');
            }
            match meaning {
                KmerMeaning::Token(token) => self.spell(token, text),
                KmerMeaning::Unknown => text.extend_from_slice(unknown.as_bytes()),
                KmerMeaning::Special(name) => text.extend_from_slice(name.as_bytes()),
            }
        }
    }
}

/// Overlapping k-mers at neighbouring positions, as far as they agree with each other.
struct Chain<'a> {
    kmer: &'a Kmer,
    /// The symbols so far, none or k - 1 more than tokens; 0 is one that nothing is known of.
    symbols: Vec<u8>,
    /// The token before, if it is a k-mer.
    last: Option<KmerToken>,
}

impl Chain<'_> {
    /// Adds the token at the next position.
    ///
    /// In the usual case it is one of the four that may follow the k-mer before, as numbers show: `last` without its
    /// first base, times four, plus the new base. Only then is the k-mer not spelled out.
    fn add(&mut self, meaning: KmerMeaning<'_>, unknown: &str, text: &mut Vec<u8>) {
        let k = self.kmer.k;
        let next = self.last.map(|last| (last << 2) & (self.kmer.num_kmers() - 1));
        match meaning {
            KmerMeaning::Token(token) if next == Some(token & !3) => {
                self.symbols.push(BASES[(token & 3) as usize]);
                self.last = Some(token);
            }
            KmerMeaning::Token(token) => {
                if !self.allows(token) {
                    self.end(unknown, text);
                }
                let known = self.symbols.len().saturating_sub(k - 1);
                self.symbols.truncate(known);
                self.kmer.spell(token, &mut self.symbols);
                self.last = Some(token);
            }
            KmerMeaning::Unknown => {
                let length = if self.symbols.is_empty() { k } else { self.symbols.len() + 1 };
                self.symbols.resize(length, 0);
                self.last = None;
            }
            KmerMeaning::Special(name) => {
                self.end(unknown, text);
                text.extend_from_slice(name.as_bytes());
            }
        }
    }

    /// Whether the last k - 1 symbols, as far as they are known, may be the first of this k-mer.
    fn allows(&self, token: KmerToken) -> bool {
        let mut spelled = Vec::new();
        self.kmer.spell(token, &mut spelled);
        let tail = &self.symbols[self.symbols.len().saturating_sub(self.kmer.k - 1)..];
        tail.iter().zip(&spelled).all(|(known, base)| *known == 0 || known == base)
    }

    /// Ends the sequence: its symbols become text, and the chain is empty again.
    fn end(&mut self, unknown: &str, text: &mut Vec<u8>) {
        for symbol in self.symbols.drain(..) {
            if symbol == 0 {
                text.extend_from_slice(unknown.as_bytes());
            } else {
                text.push(symbol);
            }
        }
        self.last = None;
    }
}
