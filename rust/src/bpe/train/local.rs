//! A text that this process holds, read by its threads.
//!
//! The work of a pass is shared by segments: a queue of some hundreds, from which each thread takes
//! eight at a time, one for each lane. Each thread counts for itself; nothing is locked and nothing
//! is shared but the queue and the text.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::corpora::{Corpora, MAX_SEGMENT};
use super::counted::PassCounts;
use super::counts::{PairCounter, hashed_entry};
use super::options::{MergeOptions, WeightedCorpora};
use super::pass::TrainingText;
use super::sample::{Sampler, sample};
use crate::bpe::encode::{CorpusText, MergeEncoder, SegmentQueue, TokenSink};
use crate::bpe::{MergeTable, Pair, Token};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::monitor::Monitor;

/// Corpora in memory or mapped.
pub(super) struct LocalText<'a> {
    corpora: Corpora<'a>,
    options: &'a MergeOptions,
    monitor: &'a Monitor,
}

impl<'a> LocalText<'a> {
    /// The texts, read as `options` say.
    pub(super) fn new(texts: &'a [WeightedCorpora], options: &'a MergeOptions, monitor: &'a Monitor) -> Self {
        Self { corpora: Corpora::new(texts, options), options, monitor }
    }

    /// Counts the pairs that are wanted, each by itself, over all of the text. In no order.
    ///
    /// Exact where the table of counts is not, and slower: a hash map in place of an index. Memory:
    /// that of the pairs.
    pub(super) fn count_pairs(
        &self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        is_wanted: impl Fn(Pair) -> bool + Copy + Send + Sync,
    ) -> Result<Vec<(Pair, u64)>> {
        let mut counts: FxHashMap<Pair, u64> = FxHashMap::default();
        let threads = rayon::current_num_threads();
        for (text, weight) in self.corpora.views() {
            let parts = encoder.segments(text, self.corpora.segment(threads), |_| true);
            let make = || Sampler::new(table.num_tokens(), is_wanted);
            for sampler in sample(text, encoder, parts, make, self.monitor)? {
                #[allow(clippy::iter_over_hash_type)] // sums
                for (pair, count) in sampler.counts {
                    *counts.entry(pair).or_insert(0) += count * weight;
                }
            }
        }
        Ok(counts.into_iter().collect())
    }

    /// The number of tokens of one view, which is cut at any token: their number does not depend on
    /// that.
    fn tokens_of(&self, text: CorpusText<'_>, encoder: &MergeEncoder, separator: Token) -> Result<u64> {
        let queue = SegmentQueue::new(encoder.segments(text, MAX_SEGMENT, |_| true).0);
        let count = |_| {
            let mut counter = TokenCounter { separator, tokens: 0 };
            encoder.run(text, &queue, &mut counter, self.monitor).map(|()| counter.tokens)
        };
        let counted = (0..rayon::current_num_threads()).into_par_iter().map(count).sum();
        text.corpora.iter().for_each(Corpus::release);
        counted
    }
}

impl TrainingText for LocalText<'_> {
    fn bases(&self) -> u64 {
        self.corpora.bases()
    }

    fn weighted_bases(&self) -> u64 {
        let bases = |(text, weight): (CorpusText<'_>, u64)| {
            text.corpora.iter().map(|corpus| corpus.contents().bases).sum::<u64>() * weight
        };
        self.corpora.views().into_iter().map(bases).sum()
    }

    fn held(&self) -> Corpora<'_> {
        self.corpora
    }

    /// A part stands for itself: all of the text is here.
    fn represented(&self, span: u64) -> u64 {
        span
    }

    /// One pass by all threads, a view after the other.
    ///
    /// Invariant: after each view the finders together have counted every adjacency of it once,
    /// with its weight, and all islands of the part of `S` that they kept. Segments hold all
    /// adjacencies but those across cuts, and no cut lies inside an island. Memory: a table of
    /// counts for each thread, and the islands, within their capacity.
    fn pass(
        &mut self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        guess: &[Pair],
        counted: &mut PassCounts,
    ) -> Result<Vec<(Pair, u64)>> {
        let mut boundary_pairs = Vec::new();
        let max_size = self.options.max_island_tokens / counted.finders.len();
        counted.start(table.num_tokens(), guess, max_size);
        let finders = &mut counted.finders;
        let in_guess: FxHashSet<Pair> = guess.iter().copied().collect();
        let segment = self.corpora.segment(finders.len());
        for (text, weight) in self.corpora.views() {
            finders.iter_mut().for_each(|finder| finder.set_weight(weight));
            // A cut between the two tokens of a guessed pair would cut an island. Any other cut hides one adjacency
            // from both segments, which is counted here: so the counts are those of the uncut text.
            let (segments, cut_pairs) = encoder.segments(text, segment, |pair| !in_guess.contains(&pair));
            cut_pairs.iter().for_each(|&pair| finders[0].count_boundary_pair(pair));
            boundary_pairs.extend(cut_pairs.into_iter().map(|pair| (pair, weight)));
            let (queue, monitor) = (SegmentQueue::new(segments), self.monitor);
            finders.par_iter_mut().try_for_each(|finder| encoder.run(text, &queue, finder, monitor))?;
            text.corpora.iter().for_each(Corpus::release);
        }
        finders.par_iter_mut().for_each(|finder| finder.set_weight(1));
        Ok(boundary_pairs)
    }

    fn counts_new_pairs(&self) -> bool {
        true
    }

    /// Counts each pair of these entries in a map, in a pass of its own.
    fn count_shared(
        &mut self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        counted: &PassCounts,
        least: u64,
    ) -> Result<Vec<(Pair, u64)>> {
        let ends = OldEnds::new(table, counted.num_tokens);
        let bits = PairCounter::shared_bits(&counted.tables(), least);
        let (ends, bits) = (&ends, &bits);
        self.count_pairs(table, encoder, move |pair| {
            let entry = hashed_entry(ends.across(pair));
            bits[entry / 64] >> (entry % 64) & 1 == 1
        })
    }

    fn count_tokens(&mut self, table: &MergeTable) -> Result<u64> {
        let encoder = MergeEncoder::new(table);
        let weighted = |(text, weight): (CorpusText<'_>, u64)| {
            self.tokens_of(text, &encoder, table.num_tokens()).map(|tokens| tokens * weight)
        };
        self.corpora.views().into_iter().map(weighted).sum()
    }
}

/// The first and the last of the older tokens that each token is made of.
struct OldEnds(Vec<Pair>);

impl OldEnds {
    /// Of all tokens, in those below `num_old`.
    fn new(table: &MergeTable, num_old: Token) -> Self {
        let mut ends: Vec<Pair> = Vec::with_capacity(table.num_tokens() as usize);
        for token in 0..table.num_tokens() {
            ends.push(match table.parts(token).filter(|_| token >= num_old) {
                Some((left, right)) => (ends[left as usize].0, ends[right as usize].1),
                None => (token, token),
            });
        }
        Self(ends)
    }

    /// The adjacency of older tokens that a pair lies across.
    fn across(&self, (left, right): Pair) -> Pair {
        (self.0[left as usize].1, self.0[right as usize].0)
    }
}

/// Counts tokens, without the separators between words.
struct TokenCounter {
    /// The number that is no token.
    separator: Token,
    tokens: u64,
}

impl TokenSink for TokenCounter {
    fn tokens(&mut self, _: usize, tokens: &[Token], _: bool) {
        self.tokens += tokens.iter().filter(|&&token| token != self.separator).count() as u64;
    }

    fn end(&mut self, _: usize) {}
}
