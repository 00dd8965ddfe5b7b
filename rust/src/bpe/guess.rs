//! What the trainer watches for: a guess, from the last counts and a sample.
//!
//! # How large `S`
//!
//! A large `S` commits more merges a round and makes more islands. `S` holds a *share* of all adjacencies, adapted
//! after each round so that the tokens in different islands stay near a target, about a 60th of the bases: the replay
//! then takes a third of the time of the pass, and chromosome 20 takes seven rounds where a 240th makes nine. Pairs known
//! from the last pass are judged by its exact counts, those of the last replay by what it left of them, pairs with new
//! tokens by a sample. A guess that is wrong costs merges, never truth.
//!
//! # Samples
//!
//! A sample steers guesses and nothing else, so it need not be exact: a stretch begins and ends anywhere. Short
//! stretches far apart see more of a genome's repeats than long ones.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::encode::{Encoder, LANES, Queue, Segment, Sink, Text};
use super::passes::MIN_SEGMENT;
use super::train::Trainer;
use super::{MergeTable, Pair, Token};
use crate::corpus::{Corpus, Stride};
use crate::error::Result;

/// Bases of one sampled stretch.
pub(super) const STRETCH: u64 = 1 << 13;

impl Trainer<'_> {
    /// `S`: pairs that look most frequent, in the order of training.
    pub(super) fn guess(&mut self, table: &MergeTable, encoder: &Encoder) -> Result<Vec<Pair>> {
        let in_the_way = self.in_the_way();
        let asked = if in_the_way > 0 && self.shards.is_some() {
            Some(self.ask_entries(table, in_the_way)?)
        } else {
            None
        };
        let (mut candidates, adjacencies) = self.estimate(table, encoder, in_the_way, asked)?;
        candidates.sort_unstable_by_key(|&(pair, count)| (Reverse(count), pair));
        if let Some(seed) = &mut self.random {
            candidates.retain(|_| splitmix(seed).is_multiple_of(3));
        }
        let wanted = if self.stuck > 0 {
            usize::MAX
        } else {
            4 * (self.options.num_merges - table.merges().len()) + 256
        };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut left = if self.stuck > 0 { u64::MAX } else { (adjacencies as f64 * self.share) as u64 };
        let chosen = candidates.into_iter().take(wanted).enumerate().take_while(|&(number, (_, count))| {
            let fits = number == 0 || count <= left;
            left = left.saturating_sub(count);
            fits
        });
        let guess: Vec<(Pair, u64)> = chosen.map(|(_, candidate)| candidate).collect();
        self.floor = guess.last().map_or(0, |&(_, count)| count);
        self.guessed = guess.into_iter().map(|(pair, _)| pair).collect();
        Ok(self.guessed.clone())
    }

    /// With shared entries and after a round without a merge, the count from which on all pairs must be known.
    ///
    /// With shared entries, all pairs are sampled: what is not in the sample is not known. If that was not enough, all
    /// pairs in the entries that were in the way are counted one by one; so next time theta is half as high.
    fn in_the_way(&self) -> u64 {
        let shared = !self.finders[0].counts.is_dense();
        if shared && self.stuck > 0 { self.theta.map_or(1, |(count, _)| (count / 2).max(1)) } else { 0 }
    }

    /// Pairs with their estimated counts, and an estimate of the number of all adjacencies; `asked` are counts that
    /// shards gave for pairs in the way.
    ///
    /// Pairs of tokens that were there in the last pass are judged by its counts, which can only have become smaller.
    /// Pairs with new tokens are judged by a sample.
    fn estimate(
        &self,
        table: &MergeTable,
        encoder: &Encoder,
        in_the_way: u64,
        asked: Option<Vec<(Pair, u64)>>,
    ) -> Result<(Vec<(Pair, u64)>, u64)> {
        let mut counts: FxHashMap<Pair, f64> = FxHashMap::default();
        let mut adjacencies = 0.0;
        let known = if self.finders[0].counts.is_dense() { self.counted_tokens } else { 0 };
        let views = if asked.is_some() { Vec::new() } else { self.views() };
        #[allow(clippy::cast_precision_loss)]
        counts.extend(asked.into_iter().flatten().map(|(pair, count)| (pair, count as f64)));
        for (text, weight) in views {
            let Sampled { samplers, scale } =
                self.sample(text, encoder, table.num_tokens(), known, in_the_way)?;
            #[allow(clippy::cast_precision_loss)]
            let weight = weight as f64 * scale;
            for sampler in samplers {
                #[allow(clippy::cast_precision_loss)]
                let sampled = sampler.adjacencies as f64;
                adjacencies += sampled * weight;
                #[allow(clippy::iter_over_hash_type)] // sums
                for (pair, count) in sampler.counts {
                    // Where the sample is a part of the text only, leave room for chance.
                    #[allow(clippy::cast_precision_loss)]
                    let count = count as f64;
                    let room = if scale > 1.0 { count.sqrt() } else { 0.0 };
                    *counts.entry(pair).or_insert(0.0) += (count + room) * weight;
                }
            }
        }
        for &pair in self.near.iter().chain(&self.guessed).chain(self.replayed.keys()) {
            counts.entry(pair).or_insert(0.0);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let judge = |(pair, sampled): (Pair, f64)| {
            let is_old = pair.0.max(pair.1) < self.counted_tokens;
            let replayed = self.replayed.get(&pair).copied();
            let counted = if is_old && in_the_way == 0 { self.count(pair) } else { sampled as u64 };
            (pair, replayed.unwrap_or(counted))
        };
        let candidates =
            counts.into_iter().filter(|&(pair, _)| self.may_merge(table, pair)).map(judge).collect();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok((candidates, adjacencies as u64))
    }

    /// Bases to sample of a part of the text that has `span`.
    fn sampled_bases(&self, span: u64) -> u64 {
        let spans = self.texts.iter().flat_map(|text| &text.corpora).map(Corpus::span).sum::<u64>().max(1);
        let wanted = (self.bases / 16).clamp(1 << 21, 1 << 25);
        let share = u128::from(wanted) * u128::from(span) / u128::from(spans);
        u64::try_from(share).unwrap_or(span).clamp(STRETCH, span.max(STRETCH)).min(span)
    }

    /// Pair counts of a part of the text, and how much larger the text is.
    fn sample(
        &self,
        text: Text<'_>,
        encoder: &Encoder,
        separator: Token,
        known: Token,
        in_the_way: u64,
    ) -> Result<Sampled<impl Fn(Pair) -> bool + Send>> {
        let span: u64 = text.corpora.iter().map(Corpus::span).sum();
        let part = self.sampled_bases(span);
        // All of the text without a gap, if it is short or everything must be known; else stretches of it.
        let (stretches, parted) = if in_the_way > 0 || part == span {
            encoder.segments(text, MIN_SEGMENT, |_| true)
        } else {
            (stretches(text, (span / (part / STRETCH)).max(STRETCH)), Vec::new())
        };
        let taken: u64 = stretches.iter().map(|stretch| stretch.range.end - stretch.range.start).sum();
        let queue = Queue::new(stretches);
        let finders = &self.finders;
        let count = move |pair| finders.iter().map(|finder| finder.counts.get(pair)).sum::<u64>();
        let is_wanted =
            move |pair: Pair| pair.0.max(pair.1) >= known && (in_the_way == 0 || count(pair) >= in_the_way);
        let samplers = (0..self.finders.len()).into_par_iter().map(|_| {
            let mut sampler = Sampler::new(separator, is_wanted);
            encoder.run(text, &queue, &mut sampler, self.monitor).map(|()| sampler)
        });
        let mut samplers: Vec<_> = samplers.collect::<Result<_>>()?;
        text.corpora.iter().for_each(Corpus::release);
        parted.into_iter().for_each(|pair| samplers[0].count(pair));
        let strands = if self.options.both_strands { 2 } else { 1 };
        let whole = if self.shards.is_some() { self.bases / strands } else { span };
        #[allow(clippy::cast_precision_loss)]
        Ok(Sampled { samplers, scale: whole as f64 / taken.max(1) as f64 })
    }
}

/// A stretch of the text at every so many bases, through all corpora.
fn stretches(text: Text<'_>, every: u64) -> Vec<Segment> {
    let mut stride = Stride::new(STRETCH, every);
    let spans = text.corpora.iter().map(Corpus::span).enumerate();
    spans.flat_map(|(corpus, span)| stride.over(span).map(move |range| Segment { corpus, range })).collect()
}

/// What was counted in a sample, and how much larger the text is.
struct Sampled<F> {
    samplers: Vec<Sampler<F>>,
    scale: f64,
}

/// Counts the pairs that are wanted, and all adjacencies.
pub(super) struct Sampler<F> {
    separator: Token,
    is_wanted: F,
    pub(super) adjacencies: u64,
    pub(super) counts: FxHashMap<Pair, u64>,
    last: [Token; LANES],
}

impl<F: Fn(Pair) -> bool> Sampler<F> {
    pub(super) fn new(separator: Token, is_wanted: F) -> Self {
        let counts = FxHashMap::default();
        Self { separator, is_wanted, adjacencies: 0, counts, last: [separator; LANES] }
    }

    pub(super) fn count(&mut self, pair: Pair) {
        self.adjacencies += 1;
        if (self.is_wanted)(pair) {
            *self.counts.entry(pair).or_insert(0) += 1;
        }
    }
}

impl<F: Fn(Pair) -> bool> Sink for Sampler<F> {
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

/// The next number of the splitmix64 sequence.
fn splitmix(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*seed ^ *seed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}
