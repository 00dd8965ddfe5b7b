//! Which pairs to watch for: a guess, from the last counts and a sample.
//!
//! # How large `S`
//!
//! A large `S` commits more merges per round and makes more islands. `S` holds a *share* of all
//! adjacencies, adapted after each round so that the tokens in different islands stay near a
//! target, about a 60th of the bases: the replay then takes a third of the time of the pass, and
//! chromosome 20 takes seven rounds where a 240th makes nine. Pairs known from the last pass are
//! judged by its exact counts, those of the last replay by what it left of them, pairs with new
//! tokens by a sample. A guess that is wrong costs merges, never exactness.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::corpora::{Corpora, MIN_SEGMENT};
use super::counted::PassCounts;
use super::options::MergeOptions;
use super::pass::TrainingText;
use super::replay::MergePriority;
use super::sample::{STRETCH, Sampler, sample, stretches};
use crate::bpe::encode::{CorpusText, MergeEncoder, Segment};
use crate::bpe::{MergeTable, Pair};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::monitor::Monitor;

/// What is known when a round starts.
pub(super) struct GuessContext<'a> {
    /// The merges so far.
    pub(super) table: &'a MergeTable,
    /// The encoder of the table.
    pub(super) encoder: &'a MergeEncoder,
    /// What the last pass counted.
    pub(super) counted: &'a PassCounts,
    /// The best pair outside the last `S`.
    pub(super) theta: Option<MergePriority>,
    /// The last round made no merge.
    pub(super) is_stuck: bool,
    pub(super) options: &'a MergeOptions,
    pub(super) monitor: &'a Monitor,
}

impl GuessContext<'_> {
    /// With shared entries that kept theta high, the count from which on all pairs must be known;
    /// else 0.
    ///
    /// With shared entries, all pairs are sampled: what is not in the sample is not known. That is
    /// enough as long as theta is near `floor`, the smallest count that was expected in `S`. Once
    /// it is far above, entries are high because rare pairs share them, and a round that samples
    /// again stops at the same theta without a merge. Then all pairs in the entries that kept theta
    /// high are counted one by one; so next time theta is half as high. Vocabularies of 65,536
    /// tokens of human chromosome 20 had four rounds of nine without a merge when this was done
    /// only after such a round.
    fn count_from(&self, floor: u64, counts_new_pairs: bool) -> u64 {
        let Some((theta, _)) = self.theta else {
            return u64::from(!self.counted.is_dense() && self.is_stuck);
        };
        let is_far = counts_new_pairs && theta > 2 * floor;
        let is_blocked = !self.counted.is_dense() && (self.is_stuck || is_far);
        if is_blocked { (theta / 2).max(1) } else { 0 }
    }
}

/// Pairs with their estimated counts.
type Estimates = FxHashMap<Pair, f64>;

/// The memory of guesses: what they are made from, beside counts and samples.
#[derive(Debug)]
pub(super) struct Candidates {
    /// The smallest count that was expected in the last `S`.
    pub(super) floor: u64,
    /// Pairs outside the last `S` that came near theta.
    pub(super) near: Vec<Pair>,
    /// The counts after the last replay, where it tells: 0 for pairs that were merged.
    pub(super) replayed: FxHashMap<Pair, u64>,
    /// The last `S`.
    guessed: Vec<Pair>,
    /// The share of all adjacencies that `S` is to hold, 0.02 to 0.85.
    share: f64,
    /// The state of a random guess.
    random: Option<u64>,
}

impl Candidates {
    /// Nothing known yet. With `random` guesses are random, from this seed.
    pub(super) fn new(random: Option<u64>) -> Self {
        let (near, guessed, replayed) = (Vec::new(), Vec::new(), FxHashMap::default());
        Self { floor: 0, near, replayed, guessed, share: 0.25, random }
    }

    /// `S`: pairs that look most frequent, in the order of training.
    ///
    /// Takes the first of the estimates until the share of adjacencies is full, one pair at least,
    /// and no more than four for each merge still wanted. After a round without a merge, and where
    /// pairs were counted one by one, it takes every pair that it knows of: the pair that stopped
    /// the round is among them, so the next round commits.
    pub(super) fn guess(
        &mut self,
        text: &mut dyn TrainingText,
        known: &GuessContext<'_>,
    ) -> Result<Vec<Pair>> {
        let count_from = known.count_from(self.floor, text.counts_new_pairs());
        let takes_all = known.is_stuck || count_from > 0;
        let (mut candidates, adjacencies) = self.estimate(text, known, count_from)?;
        candidates.sort_unstable_by_key(|&(pair, count)| (Reverse(count), pair));
        if let Some(seed) = &mut self.random {
            candidates.retain(|_| splitmix(seed).is_multiple_of(3));
        }
        let wanted = if takes_all {
            usize::MAX
        } else {
            4 * (known.options.num_merges - known.table.merges().len()) + 256
        };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut left = if takes_all { u64::MAX } else { (adjacencies as f64 * self.share) as u64 };
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

    /// Pairs with their estimated counts, and an estimate of the number of all adjacencies.
    ///
    /// Pairs of tokens that were there in the last pass are judged by its counts, which can only
    /// have become smaller. Pairs with new tokens are judged by a sample; where the sample was not
    /// enough, all of these are counted instead.
    ///
    /// Invariant: the result holds the pairs that came near theta, those of the last `S` and those
    /// of the last replay, whatever the sample has. So a pair is never forgotten because a sample
    /// missed it. A pair that was merged stands at 0, the count that the replay left of it.
    fn estimate(
        &self,
        text: &mut dyn TrainingText,
        known: &GuessContext<'_>,
        count_from: u64,
    ) -> Result<(Vec<(Pair, u64)>, u64)> {
        let (mut counts, adjacencies) = if count_from > 0 {
            // What is rarer than half of that may stay outside: two of them in an entry do not reach it. All of them in
            // `S` make the pass wait for a larger table.
            let exact = text.count_shared(known.table, known.encoder, known.counted, count_from)?;
            let is_needed = |&(_, count): &(Pair, u64)| known.is_stuck || count >= count_from / 2;
            #[allow(clippy::cast_precision_loss)]
            let counts =
                exact.into_iter().filter(is_needed).map(|(pair, count)| (pair, count as f64)).collect();
            (counts, 0.0) // such a round takes every candidate, whatever their share
        } else {
            sampled_counts(text, known)?
        };
        for &pair in self.near.iter().chain(&self.guessed).chain(self.replayed.keys()) {
            counts.entry(pair).or_insert(0.0);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let judge = |(pair, sampled): (Pair, f64)| {
            let is_old = pair.0.max(pair.1) < known.counted.num_tokens;
            let replayed = self.replayed.get(&pair).copied();
            let counted = if is_old && count_from == 0 { known.counted.count(pair) } else { sampled as u64 };
            (pair, replayed.unwrap_or(counted))
        };
        let may_merge = |&(pair, _): &(Pair, f64)| known.options.may_merge(known.table, pair);
        let candidates = counts.into_iter().filter(may_merge).map(judge).collect();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok((candidates, adjacencies as u64))
    }

    /// After a round of a text of `bases`: more tokens in islands than the target make a smaller
    /// share next time, fewer a larger one. Halved if a thread had to drop pairs of `S` for want of
    /// memory.
    ///
    /// The small exponent damps: a share that follows the number of islands closely swings between
    /// too many and too few.
    pub(super) fn adapt(&mut self, bases: u64, size: usize, overflowed: bool) {
        #[allow(clippy::cast_precision_loss)]
        let target = (bases as f64 / 60.0).clamp(100_000.0, 4_000_000.0);
        #[allow(clippy::cast_precision_loss)]
        let ratio = (target / (size as f64).max(1.0)).powf(0.15).clamp(0.6, 1.35);
        self.share = (self.share * if overflowed { 0.5 } else { ratio }).clamp(0.02, 0.85);
    }
}

/// Pair counts and adjacencies of the whole text, estimated from a sample of what is held.
fn sampled_counts(text: &dyn TrainingText, known: &GuessContext<'_>) -> Result<(Estimates, f64)> {
    let mut counts = Estimates::default();
    let mut adjacencies = 0.0;
    let (held, separator) = (text.held(), known.table.num_tokens());
    let first_new = if known.counted.is_dense() { known.counted.num_tokens } else { 0 };
    let is_wanted = move |pair: Pair| pair.0.max(pair.1) >= first_new;
    for (view, weight) in held.views() {
        let span: u64 = view.corpora.iter().map(Corpus::span).sum();
        let parts = parts_of(view, span, sampled_bases(text.bases(), &held, span), known.encoder);
        let taken: u64 = parts.0.iter().map(|part| part.range.end - part.range.start).sum();
        #[allow(clippy::cast_precision_loss)]
        let scale = text.represented(span) as f64 / taken.max(1) as f64;
        #[allow(clippy::cast_precision_loss)]
        let weight = weight as f64 * scale;
        let make = || Sampler::new(separator, is_wanted);
        for sampler in sample(view, known.encoder, parts, make, known.monitor)? {
            #[allow(clippy::cast_precision_loss)]
            let sampled = sampler.adjacencies as f64;
            adjacencies += sampled * weight;
            #[allow(clippy::iter_over_hash_type)] // sums
            for (pair, count) in sampler.counts {
                // Where the sample is a part of the text only, add one standard deviation: a pair too many in `S` costs
                // islands, a pair too few ends the round.
                #[allow(clippy::cast_precision_loss)]
                let count = count as f64;
                let margin = if scale > 1.0 { count.sqrt() } else { 0.0 };
                *counts.entry(pair).or_insert(0.0) += (count + margin) * weight;
            }
        }
    }
    Ok((counts, adjacencies))
}

/// Bases to sample of a part of what is held that has `span`, for a text of `bases` in all: a
/// sixteenth, within limits.
fn sampled_bases(bases: u64, held: &Corpora<'_>, span: u64) -> u64 {
    let wanted = (bases / 16).clamp(1 << 21, 1 << 25);
    let share = u128::from(wanted) * u128::from(span) / u128::from(held.span().max(1));
    u64::try_from(share).unwrap_or(span).clamp(STRETCH, span.max(STRETCH)).min(span)
}

/// The segments to sample: all of a short text without a gap, with the pairs across cuts; else
/// stretches of it.
fn parts_of(text: CorpusText<'_>, span: u64, part: u64, encoder: &MergeEncoder) -> (Vec<Segment>, Vec<Pair>) {
    if part == span {
        return encoder.segments(text, MIN_SEGMENT, |_| true);
    }
    (stretches(text, (span / (part / STRETCH)).max(STRETCH)), Vec::new())
}

/// The next number of the splitmix64 sequence.
fn splitmix(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*seed ^ *seed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}
