//! What the trainer learns from a part of the text: pair counts of stretches at equal distances.
//!
//! A sample steers the guesses of the trainer and nothing else, so it need not be exact: a stretch begins and ends
//! anywhere. Short stretches far apart see more of a genome's repeats than long ones.

use rustc_hash::FxHashMap;

use super::encode::{LANES, Segment, Sink, Text};
use super::islands::Finder;
use super::{Pair, Token};
use crate::corpus::Corpus;

/// Bases of one sampled stretch.
pub(super) const STRETCH: u64 = 1 << 13;

/// A stretch of the text at every so many bases.
pub(super) fn stretches(text: Text<'_>, every: u64) -> Vec<Segment> {
    let mut stretches = Vec::new();
    for (corpus, span) in text.corpora.iter().map(Corpus::span).enumerate() {
        let starts = (0..span).step_by(usize::try_from(every).unwrap_or(usize::MAX));
        stretches.extend(starts.map(|start| Segment { corpus, range: start..(start + STRETCH).min(span) }));
    }
    stretches
}

/// Counts tokens.
pub(super) struct TokenCounter {
    pub(super) separator: Token,
    pub(super) tokens: u64,
}

impl Sink for TokenCounter {
    fn tokens(&mut self, _: usize, tokens: &[Token], _: bool) {
        self.tokens += tokens.iter().filter(|&&token| token != self.separator).count() as u64;
    }

    fn end(&mut self, _: usize) {}
}

/// Counts pairs of a sample, and all adjacencies.
pub(super) struct Sampler<'a> {
    separator: Token,
    /// Only pairs with such a token or a later one.
    from: Token,
    pub(super) adjacencies: u64,
    /// Only pairs that were seen so often, or share an entry with others that were, in the last pass.
    least: u64,
    finders: &'a [Finder],
    pub(super) counts: FxHashMap<Pair, u32>,
    last: [Token; LANES],
}

impl<'a> Sampler<'a> {
    pub(super) fn new(separator: Token, from: Token, finders: &'a [Finder], least: u64) -> Self {
        let counts = FxHashMap::default();
        Self { separator, from, adjacencies: 0, least, finders, counts, last: [separator; LANES] }
    }

    pub(super) fn count(&mut self, pair: Pair) {
        self.adjacencies += 1;
        if self.is_wanted(pair) {
            *self.counts.entry(pair).or_insert(0) += 1;
        }
    }

    fn is_wanted(&self, pair: Pair) -> bool {
        let count = || self.finders.iter().map(|finder| finder.counts.get(pair)).sum::<u64>();
        pair.0.max(pair.1) >= self.from && (self.least == 0 || count() >= self.least)
    }
}

impl Sink for Sampler<'_> {
    fn tokens(&mut self, lane: usize, tokens: &[Token], continuing: bool) {
        let mut left = if continuing { self.last[lane] } else { self.separator };
        for &right in tokens {
            if left != self.separator && right != self.separator {
                self.count((left, right));
            }
            left = right;
        }
        self.last[lane] = left;
    }

    fn end(&mut self, lane: usize) {
        self.last[lane] = self.separator;
    }
}
