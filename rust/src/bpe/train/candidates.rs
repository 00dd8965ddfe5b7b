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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bpe::train::local::LocalText;
    use crate::bpe::train::options::WeightedCorpora;
    use crate::corpus::from_words;

    fn texts(words: &[&[u8]]) -> [WeightedCorpora; 1] {
        [WeightedCorpora { corpora: vec![from_words(words).unwrap()], weight: 1 }]
    }

    /// A share, as in a [`Candidates`] that starts with a quarter, after a round.
    fn adapted(bases: u64, size: usize, overflowed: bool) -> f64 {
        let mut candidates = Candidates::new(None);
        candidates.adapt(bases, size, overflowed);
        candidates.share
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    }

    #[test]
    fn the_share_follows_the_size_of_islands_slowly() {
        // A 60th of the bases is the target, within limits.
        for (bases, target) in [(60_000_000, 1_000_000), (0, 100_000), (1 << 40, 4_000_000)] {
            assert_near(adapted(bases, target, false), 0.25);
            assert_near(adapted(bases, 2 * target, false), 0.25 * 0.5_f64.powf(0.15));
            assert_near(adapted(bases, target / 2, false), 0.25 * 2_f64.powf(0.15));
            assert_near(adapted(bases, 0, false), 0.25 * 1.35);
            assert_near(adapted(bases, usize::MAX, false), 0.25 * 0.6);
            assert_near(adapted(bases, 0, true), 0.125);
        }
        let mut candidates = Candidates::new(None);
        (0..20).for_each(|_| candidates.adapt(0, 0, false));
        assert_near(candidates.share, 0.85);
        (0..20).for_each(|_| candidates.adapt(0, 0, true));
        assert_near(candidates.share, 0.02);
    }

    #[test]
    fn shared_entries_that_block_a_round_are_counted() {
        let (table, options, monitor) = (MergeTable::new(), MergeOptions::default(), Monitor::default());
        let encoder = MergeEncoder::new(&table);
        let (mut dense, mut shared) = (PassCounts::new(), PassCounts::new());
        dense.start(4, &[], 0);
        shared.start(1 << 12, &[], 0);
        let count_from = |counted, theta: Option<u64>, is_stuck, floor, counts_new_pairs| {
            let theta = theta.map(|count| (count, Reverse((0, 0))));
            let (table, encoder, options, monitor) = (&table, &encoder, &options, &monitor);
            let known = GuessContext { table, encoder, counted, theta, is_stuck, options, monitor };
            known.count_from(floor, counts_new_pairs)
        };
        assert_eq!(count_from(&dense, Some(100), true, 0, true), 0);
        assert_eq!(count_from(&dense, None, true, 0, true), 0);
        assert_eq!(count_from(&shared, None, true, 0, true), 1);
        assert_eq!(count_from(&shared, None, false, 0, true), 0);
        assert_eq!(count_from(&shared, Some(100), true, 100, false), 50);
        assert_eq!(count_from(&shared, Some(1), true, 100, false), 1);
        assert_eq!(count_from(&shared, Some(101), false, 50, true), 50);
        assert_eq!(count_from(&shared, Some(100), false, 50, true), 0);
        assert_eq!(count_from(&shared, Some(101), false, 50, false), 0);
    }

    /// What is known before anything blocked a round.
    fn at_first<'a>(
        table: &'a MergeTable,
        encoder: &'a MergeEncoder,
        counted: &'a PassCounts,
        (options, monitor): (&'a MergeOptions, &'a Monitor),
    ) -> GuessContext<'a> {
        GuessContext { table, encoder, counted, theta: None, is_stuck: false, options, monitor }
    }

    /// What is estimated, sorted, after a pass over `words` before the first merge and the merge of
    /// A and C; `counts` are those that the replay left.
    fn estimated(words: &[&[u8]], replayed: &[(Pair, u64)]) -> (Vec<(Pair, u64)>, u64) {
        let (texts, options, monitor) = (texts(words), MergeOptions::default(), Monitor::default());
        let mut text = LocalText::new(&texts, &options, &monitor);
        let (mut table, mut counted) = (MergeTable::new(), PassCounts::new());
        text.pass(&table, &MergeEncoder::new(&table), &[], &mut counted).unwrap();
        table.push((0, 1)).unwrap();
        let encoder = MergeEncoder::new(&table);
        let mut candidates = Candidates::new(None);
        candidates.replayed.extend(replayed.iter().copied());
        candidates.near.push((2, 3));
        let known = at_first(&table, &encoder, &counted, (&options, &monitor));
        let (mut found, adjacencies) = candidates.estimate(&mut text, &known, 0).unwrap();
        found.sort_unstable();
        (found, adjacencies)
    }

    #[test]
    fn old_pairs_are_judged_by_the_pass_and_new_ones_by_the_sample() {
        // AC, G, T three times, and twice AC: no pair with the token AC is one of the pass, in
        // which the separator had its number.
        let words: [&[u8]; 5] = [b"ACGT", b"ACGT", b"ACGT", b"AC", b"AC"];
        assert_eq!(estimated(&words, &[]), (vec![((2, 3), 3), ((4, 2), 3)], 6));
        let left = [((0, 1), 0), ((1, 2), 0), ((2, 3), 2)];
        let expected = vec![((0, 1), 0), ((1, 2), 0), ((2, 3), 2), ((4, 2), 3)];
        assert_eq!(estimated(&words, &left), (expected, 6));
    }

    #[test]
    fn a_sixteenth_of_a_text_is_sampled_within_limits() {
        let span = 1 << 26;
        let corpus = |bases: u64| Corpus::from_packed(&[bases], vec![0; usize::try_from(bases / 4).unwrap()]);
        let texts = [WeightedCorpora { corpora: vec![corpus(span)], weight: 1 }];
        let options = MergeOptions::default();
        let held = Corpora::new(&texts, &options);
        assert_eq!(sampled_bases(1 << 26, &held, span), 1 << 22);
        assert_eq!(sampled_bases(1 << 26, &held, span / 4), 1 << 20);
        assert_eq!(sampled_bases(1 << 40, &held, span), 1 << 25);
        assert_eq!(sampled_bases(1 << 20, &held, span), 1 << 21);
        assert_eq!(sampled_bases(1 << 26, &held, 1000), 1000);
        assert_eq!(sampled_bases(1 << 26, &held, 2 * STRETCH), STRETCH);
        let encoder = MergeEncoder::new(&MergeTable::new());
        let text = CorpusText { corpora: &texts[0].corpora, word_length: None, reverse: false };
        let (parts, pairs) = parts_of(text, span, 1 << 22, &encoder);
        let sizes: Vec<u64> = parts.iter().map(|part| part.range.end - part.range.start).collect();
        assert_eq!((sizes, pairs), (vec![STRETCH; (1 << 22) / 8192], Vec::new()));
    }

    #[test]
    fn a_guess_takes_what_its_share_holds_and_one_pair_at_least() {
        let words: [&[u8]; 2] = [b"ACACACACACACAC", b"GGGGTTTT"];
        let (texts, monitor) = (texts(&words), Monitor::default());
        let (table, counted) = (MergeTable::new(), PassCounts::new());
        let encoder = MergeEncoder::new(&table);
        // AC 7, CA 6, GG 3, TT 3, GT 1
        let options = MergeOptions::default();
        for (share, expected) in [
            (0.02, vec![(0, 1)]),
            (0.64, vec![(0, 1)]),
            (0.65, vec![(0, 1), (1, 0)]),
            (0.8, vec![(0, 1), (1, 0), (2, 2)]),
            (1.0, vec![(0, 1), (1, 0), (2, 2), (3, 3), (2, 3)]),
        ] {
            let mut text = LocalText::new(&texts, &options, &monitor);
            let mut candidates = Candidates { share, ..Candidates::new(None) };
            let known = at_first(&table, &encoder, &counted, (&options, &monitor));
            let guess = candidates.guess(&mut text, &known).unwrap();
            assert_eq!(guess, expected, "{share}");
            let floor = [7, 6, 3, 3, 1][guess.len() - 1];
            assert_eq!((candidates.floor, &candidates.guessed), (floor, &guess));
        }
    }

    #[test]
    fn random_guesses_follow_the_published_sequence() {
        let mut seed = 0;
        let first: Vec<u64> = (0..3).map(|_| splitmix(&mut seed)).collect();
        // The first numbers of splitmix64 from the seed 0.
        assert_eq!(first, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]);
    }
}
