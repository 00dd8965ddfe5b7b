//! Pair counts of a part of a text.
//!
//! A sample steers guesses and nothing else, so it need not be exact: a stretch starts and ends
//! anywhere, and the tokens at its ends may be wrong. Short stretches far apart see more of a
//! genome's repeats than long ones.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::bpe::encode::{CorpusText, LANES, MergeEncoder, Segment, SegmentQueue, TokenSink};
use crate::bpe::{Pair, Token};
use crate::corpus::{Corpus, Stride};
use crate::error::Result;
use crate::monitor::Monitor;

/// Bases of one sampled stretch: long beside a token, so that its ends do not matter.
pub(super) const STRETCH: u64 = 1 << 13;

/// A stretch of the text at every so many bases, through all corpora.
pub(super) fn stretches(text: CorpusText<'_>, every: u64) -> Vec<Segment> {
    let mut stride = Stride::new(STRETCH, every);
    let spans = text.corpora.iter().map(Corpus::span).enumerate();
    spans.flat_map(|(corpus, span)| stride.over(span).map(move |range| Segment { corpus, range })).collect()
}

/// Runs a sampler for each thread of the present pool over some segments, and counts the boundary
/// pairs of their cuts.
///
/// Returns the samplers; what they counted adds up. Over all segments of a text the counts are
/// exact.
pub(super) fn sample<F: Fn(Pair) -> bool + Send>(
    text: CorpusText<'_>,
    encoder: &MergeEncoder,
    (segments, boundary_pairs): (Vec<Segment>, Vec<Pair>),
    make: impl Fn() -> Sampler<F> + Sync,
    monitor: &Monitor,
) -> Result<Vec<Sampler<F>>> {
    let queue = SegmentQueue::new(segments);
    let samplers = (0..rayon::current_num_threads()).into_par_iter().map(|_| {
        let mut sampler = make();
        encoder.run(text, &queue, &mut sampler, monitor).map(|()| sampler)
    });
    let mut samplers: Vec<_> = samplers.collect::<Result<_>>()?;
    text.corpora.iter().for_each(Corpus::release);
    boundary_pairs.into_iter().for_each(|pair| samplers[0].count(pair));
    Ok(samplers)
}

/// Counts the pairs that are wanted, and all adjacencies.
///
/// A map, not the table of [`super::counts`]: a sample meets few pairs, and threads need not clear
/// megabytes for it.
pub(super) struct Sampler<F> {
    separator: Token,
    is_wanted: F,
    /// Adjacencies of two tokens, wanted or not.
    pub(super) adjacencies: u64,
    /// The wanted pairs.
    pub(super) counts: FxHashMap<Pair, u64>,
    /// The last token of each lane, or the separator where a word has ended.
    last: [Token; LANES],
}

impl<F: Fn(Pair) -> bool> Sampler<F> {
    /// Nothing counted yet.
    pub(super) fn new(separator: Token, is_wanted: F) -> Self {
        let counts = FxHashMap::default();
        Self { separator, is_wanted, adjacencies: 0, counts, last: [separator; LANES] }
    }

    /// Counts one adjacency.
    pub(super) fn count(&mut self, pair: Pair) {
        self.adjacencies += 1;
        if (self.is_wanted)(pair) {
            *self.counts.entry(pair).or_insert(0) += 1;
        }
    }
}

impl<F: Fn(Pair) -> bool> TokenSink for Sampler<F> {
    /// Counts the adjacencies of one call, and the one to the call before.
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
