//! The kinds of k-mers: how a text is cut, how tokens are named, and what they spell.

use super::canonical;
use super::width::KmerToken;
use super::windows::Namer;
use crate::error::{Error, Result};

/// The largest k: 4^12 names still fit into any model's table of them.
pub const MAX_K: usize = 12;

/// The bases in the order of the published vocabularies.
pub(super) const BASES: [u8; 4] = *b"ATCG";

/// A way to cut and to name k-mers.
///
/// Tokens are numbered from 0: the k-mers, then the single bases that are left at the end of a run, then N. Overlapping
/// k-mers have neither of the latter two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kmer {
    pub(super) k: usize,
    pub(super) overlap: bool,
    pub(super) canonical: bool,
}

impl Kmer {
    /// k-mers of `k` bases, 1 to [`MAX_K`]; fails for any other k.
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

    /// How many k-mers there are, at most 2^24; they are the first tokens.
    pub fn num_kmers(&self) -> u32 {
        let all = 1 << (2 * self.k);
        match (self.canonical, self.k % 2) {
            (false, _) => all,
            (true, 1) => all / 2,
            (true, _) => u32::midpoint(all, 1 << self.k),
        }
    }

    /// How many tokens there are: k-mers and, if they do not overlap, single bases and N.
    pub fn num_tokens(&self) -> u32 {
        self.num_kmers() + self.num_singles() + u32::from(!self.overlap)
    }

    /// Tokens of one base that are not the k-mers themselves: A, T, C, G, or canonical A, C.
    pub(super) fn num_singles(&self) -> u32 {
        match (self.overlap || self.k == 1, self.canonical) {
            (true, _) => 0,
            (_, true) => 2,
            (_, false) => 4,
        }
    }

    /// The token N, if there is one: the last.
    pub fn any_base(&self) -> Option<KmerToken> {
        (!self.overlap).then(|| self.num_tokens() - 1)
    }

    /// The string of a token, which must be below [`Self::num_tokens`].
    pub fn string(&self, token: KmerToken) -> String {
        let mut text = Vec::new();
        self.spell(token, &mut text);
        text.iter().map(|&symbol| char::from(symbol)).collect()
    }

    /// How many symbols a token has: k, or 1.
    pub fn length(&self, token: KmerToken) -> u32 {
        if token < self.num_kmers() { u32::try_from(self.k).unwrap_or(1) } else { 1 }
    }

    /// Appends the string of a token.
    pub(super) fn spell(&self, token: KmerToken, text: &mut Vec<u8>) {
        let base = |number: u32, order: &[u8]| order[number as usize % order.len()];
        match token.checked_sub(self.num_kmers()) {
            None if self.canonical => canonical::spell(self.k, token, text),
            None => text.extend((0..self.k).rev().map(|place| base((token >> (2 * place)) & 3, &BASES))),
            Some(number) if number >= self.num_singles() => text.push(b'N'),
            Some(number) if self.canonical => text.push(base(number, b"AC")),
            Some(number) => text.push(base(number, &BASES)),
        }
    }

    /// The token of a string, if it is one; a k-mer is named as in encoding, so that both agree.
    ///
    /// Of canonical k-mers only the canonical form is a token's string; hence the look back at what the token spells.
    pub fn token(&self, text: &[u8]) -> Option<KmerToken> {
        let is_own = |token: &KmerToken| {
            let mut spelled = Vec::new();
            self.spell(*token, &mut spelled);
            spelled == text
        };
        let token = match text {
            _ if text.len() == self.k && text.iter().all(|symbol| BASES.contains(symbol)) => {
                let mut out = [0_u32];
                Namer::new(self.k, self.canonical).every(text, 0, &mut out);
                Some(out[0])
            }
            [_] => (self.num_kmers()..self.num_tokens()).find(is_own),
            _ => None,
        };
        token.filter(is_own)
    }

    /// The symbols of the vocabulary: the bases, and N if k-mers do not overlap.
    pub fn alphabet(&self) -> &'static [u8] {
        if self.overlap { &BASES } else { b"ATCGN" }
    }

    /// Whether a symbol is in the vocabulary; upper case only.
    pub fn knows(&self, symbol: u8) -> bool {
        self.alphabet().contains(&symbol)
    }
}
