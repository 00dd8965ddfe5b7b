//! The kinds of k-mers: how a text is cut, how tokens are named, and what they spell.

use super::canonical;
use super::width::Token;
use super::windows::Namer;
use crate::error::{Error, Result};

/// The largest k: 4^12 names still fit into any model's table of them.
pub const MAX_K: usize = 12;

/// The bases in the order of the vocabulary.
pub(super) const BASES: [u8; 4] = *b"ATCG";

/// A way to cut and to name k-mers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kmer {
    pub(super) k: usize,
    pub(super) overlap: bool,
    pub(super) canonical: bool,
}

impl Kmer {
    /// k-mers of `k` bases, 1 to 12.
    pub fn new(k: usize, overlap: bool, canonical: bool) -> Result<Self> {
        if (1..=MAX_K).contains(&k) {
            return Ok(Self { k, overlap, canonical });
        }
        Err(Error::argument("k", &k, format!("k-mers have 1 to {MAX_K} bases")))
    }

    /// Bases in a k-mer.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Whether there is a k-mer at each position.
    pub fn is_overlapping(&self) -> bool {
        self.overlap
    }

    /// Whether a k-mer and its reverse complement are one token.
    pub fn is_canonical(&self) -> bool {
        self.canonical
    }

    /// How many k-mers there are; they are the first tokens.
    pub fn num_kmers(&self) -> u32 {
        let all = 1 << (2 * self.k);
        match (self.canonical, self.k % 2) {
            (false, _) => all,
            (true, 1) => all / 2,
            (true, _) => u32::midpoint(all, 1 << self.k),
        }
    }

    /// How many tokens there are: k-mers and, if they do not overlap, letters.
    pub fn num_tokens(&self) -> u32 {
        self.num_kmers() + self.num_letters() + u32::from(!self.overlap)
    }

    /// Tokens of one base that are not the k-mers themselves.
    pub(super) fn num_letters(&self) -> u32 {
        match (self.overlap || self.k == 1, self.canonical) {
            (true, _) => 0,
            (_, true) => 2,
            (_, false) => 4,
        }
    }

    /// The token N, if there is one: the last.
    pub fn any_base(&self) -> Option<Token> {
        (!self.overlap).then(|| self.num_tokens() - 1)
    }

    /// The string of a token, which must be below [`Self::num_tokens`].
    pub fn letters(&self, token: Token) -> String {
        let mut letters = Vec::new();
        self.spell(token, &mut letters);
        letters.iter().map(|&letter| char::from(letter)).collect()
    }

    /// How many letters a token has.
    pub fn length(&self, token: Token) -> u32 {
        if token < self.num_kmers() { u32::try_from(self.k).unwrap_or(1) } else { 1 }
    }

    /// Appends the string of a token.
    pub(super) fn spell(&self, token: Token, letters: &mut Vec<u8>) {
        let letter = |number: u32, name: &[u8]| name[number as usize % name.len()];
        match token.checked_sub(self.num_kmers()) {
            None if self.canonical => canonical::spell(self.k, token, letters),
            None => letters.extend((0..self.k).rev().map(|place| letter((token >> (2 * place)) & 3, &BASES))),
            Some(number) if number >= self.num_letters() => letters.push(b'N'),
            Some(number) if self.canonical => letters.push(letter(number, b"AC")),
            Some(number) => letters.push(letter(number, &BASES)),
        }
    }

    /// The token of a string, if it is one.
    pub fn token(&self, letters: &[u8]) -> Option<Token> {
        let is_own = |token: &Token| {
            let mut spelled = Vec::new();
            self.spell(*token, &mut spelled);
            spelled == letters
        };
        let token = match letters {
            _ if letters.len() == self.k && letters.iter().all(|letter| BASES.contains(letter)) => {
                let mut out = [0_u32];
                Namer::new(self.k, self.canonical).every(letters, 0, &mut out);
                Some(out[0])
            }
            [_] => (self.num_kmers()..self.num_tokens()).find(is_own),
            _ => None,
        };
        token.filter(is_own)
    }

    /// The letters of the vocabulary: the bases, and N if k-mers do not overlap.
    pub fn alphabet(&self) -> &'static [u8] {
        if self.overlap { &BASES } else { b"ATCGN" }
    }

    /// Whether a letter is in the vocabulary.
    pub fn is_letter(&self, letter: u8) -> bool {
        self.alphabet().contains(&letter)
    }
}
