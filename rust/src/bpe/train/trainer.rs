//! Training: rounds of guess, pass and replay.
//!
//! The state between rounds is the merge list and nothing else; the text never changes. A round
//!
//! 1. *samples* the text as it is encoded now, and from the sample and the exact counts of the last
//!    round *guesses* a set `S` of pairs that look most frequent;
//! 2. *passes* over the whole text: exact pair counts and the islands of `S` ([`super::islands`],
//!    with the proof that what follows is exact whatever `S` is);
//! 3. *replays* ordinary training on the islands until the first pair outside `S` would come first.
//!
//! The first merges are made by [`super::lookahead`] instead, many in one round.
//!
//! Everything that threads, shards or machines contribute is a sum of integers, so the merges do
//! not depend on how the text is split.
//!
//! # Progress
//!
//! After a round that committed nothing the counts of all pairs are known for the present
//! vocabulary, and the pair that stopped it is in the next `S`; so the next round commits. Where
//! pairs share entries of the table, only a bound is known: then the pairs in the highest entries
//! are counted one by one, which halves the bound, until it no longer stops the round.
//!
//! # Cost
//!
//! Human chromosome 20 in words of 1 kb, 4,096 tokens: seven rounds, of which the pass takes most
//! of the time, the replay on its one thread up to a third of that, and the guess less.
//! `python -m benchmarks.train` measures all of it, and the report of a training has the times of
//! each round. Where a table has no automaton, each pass is slower by far, and the summary says so.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::candidates::{Candidates, GuessContext};
use super::counted::PassCounts;
use super::local::LocalText;
use super::lookahead::phrases;
use super::options::{MergeOptions, WeightedCorpora};
use super::pass::TrainingText;
use super::remote::{CorpusShards, RemoteCorpus, RemoteText};
use super::replay::{Limits, MergePriority, Outcome, ReplayBuffers, replay, replay_phrases};
use super::wire::damaged;
use crate::bpe::encode::{MergeEncoder, NoAutomaton};
use crate::bpe::{MergeTable, Pair};
use crate::error::{Error, Result};
use crate::monitor::{Monitor, Phase};

/// One round, for the log: what it committed, and what that took.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its number, from 1.
    pub round: usize,
    /// Merges in the table after it.
    pub merges: usize,
    /// Pairs in `S`.
    pub guessed_pairs: usize,
    /// The number of different islands, over all threads.
    pub islands: usize,
    /// The count of the best pair outside `S`.
    pub theta: u64,
    /// Time of the guess (with building the automaton), of the pass and of the replay.
    pub times: [Duration; 3],
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The table has as many merges as wanted.
    Full,
    /// No two tokens stand next to each other any more, or none whose product would be short
    /// enough.
    NoPairLeft,
    /// All pairs left are rarer than the minimal frequency.
    MinFrequency,
}

/// The result of training, beside the merges.
#[derive(Clone, Debug)]
pub struct TrainingSummary {
    /// All rounds.
    pub rounds: Vec<Round>,
    /// Tokens that the text has under the final table.
    pub tokens: u64,
    /// Why training ended.
    pub stop: StopReason,
    /// Why the last rounds were slow: the reason why their merges had no automaton. `None` if they
    /// had one.
    pub why_no_automaton: Option<NoAutomaton>,
}

/// Rounds without a merge after which training gives up; a random guess may need many.
const MAX_STUCK: usize = 200;

/// Looking ahead pays below this number of merges: later passes are faster.
const LOOK_FROM: usize = 16;
/// How many merges are looked ahead: the phrases are pairs of so many tokens.
const LOOK_AHEAD: usize = 120;

/// Trains `table` further, up to the merges wanted; it may hold merges already, from an interrupted
/// run.
///
/// `on_round` is called after each round, with all merges so far; its error ends training. Runs on
/// the threads of the present pool. Time: some ten passes over the text. Memory: that of the
/// corpora, and for each thread two bytes for each pair of tokens (32 MiB at most) and the islands.
pub fn train(
    texts: &[WeightedCorpora],
    options: &MergeOptions,
    table: &mut MergeTable,
    monitor: &Monitor,
    mut on_round: impl FnMut(&MergeTable, &Round) -> Result<()>,
) -> Result<TrainingSummary> {
    let mut text = LocalText::new(texts, options, monitor);
    Trainer::new(&mut text, options, monitor).run(table, &mut on_round)
}

/// The same for a text that other processes hold, with the same merges.
///
/// `corpus` must have been asked of these shards, with these options. Memory here: the sample, and
/// counts and islands of one pass.
pub fn train_remote(
    corpus: &RemoteCorpus,
    shards: &mut dyn CorpusShards,
    options: &MergeOptions,
    table: &mut MergeTable,
    monitor: &Monitor,
    mut on_round: impl FnMut(&MergeTable, &Round) -> Result<()>,
) -> Result<TrainingSummary> {
    let mut text = RemoteText::new(corpus, shards, options, monitor);
    Trainer::new(&mut text, options, monitor).run(table, &mut on_round)
}

/// What the rounds share. The merges themselves are the caller's: whenever a round ends, what is in
/// the table is final.
struct Trainer<'a> {
    text: &'a mut dyn TrainingText,
    options: &'a MergeOptions,
    monitor: &'a Monitor,
    /// What the last pass found.
    counted: PassCounts,
    /// The memory of the guesses.
    candidates: Candidates,
    /// The best pair outside the last `S`.
    theta: Option<MergePriority>,
    /// Memory of the replay, which is kept from round to round.
    buffers: ReplayBuffers,
    /// The encoder of the last round, and how many merges it has: after a round without a merge it
    /// is not built again.
    encoder: Option<(usize, MergeEncoder)>,
    /// Rounds without a merge, in a row.
    stuck: usize,
    /// Why the last encoder had no automaton.
    why_no_automaton: Option<NoAutomaton>,
}

impl<'a> Trainer<'a> {
    /// A trainer that has seen nothing of the text yet.
    fn new(text: &'a mut dyn TrainingText, options: &'a MergeOptions, monitor: &'a Monitor) -> Self {
        let (counted, candidates) = (PassCounts::new(), Candidates::new(options.random_guess));
        Self {
            text,
            options,
            monitor,
            counted,
            candidates,
            theta: None,
            buffers: ReplayBuffers::default(),
            encoder: None,
            stuck: 0,
            why_no_automaton: None,
        }
    }

    /// Rounds until there are enough merges, or no pair may be merged.
    ///
    /// Invariant: before each round the merges in the table are the first that training makes.
    /// `tokens` is the number of tokens under them, as long as every round knew how many its merges
    /// replaced; a round without islands, or one that stopped inside a merge, does not, and then a
    /// pass at the end counts.
    fn run(
        mut self,
        table: &mut MergeTable,
        on_round: &mut dyn FnMut(&MergeTable, &Round) -> Result<()>,
    ) -> Result<TrainingSummary> {
        let mut rounds = Vec::new();
        // Known as long as every merge was: from the bases on, without rounds that had no islands.
        let mut tokens = table.merges().is_empty().then(|| self.text.weighted_bases());
        let stop = loop {
            if table.merges().len() >= self.options.num_merges {
                break StopReason::Full;
            }
            self.monitor.enter(Phase::Training {
                round: rounds.len() + 1,
                merges: table.merges().len(),
                merges_wanted: self.options.num_merges,
                bases: self.text.bases(),
            });
            let merges = table.merges().len();
            let (mut round, outcome) = match self.look_ahead(table)? {
                Some((round, outcome)) => (round, (!outcome.crossed).then_some(outcome)),
                None => self.round(table)?,
            };
            round.round = rounds.len() + 1;
            self.note_progress(table.merges().len() - merges)?;
            tokens = match tokens.zip(outcome.as_ref()) {
                // Only shards that lie replace more tokens than they have.
                Some((tokens, outcome)) => Some(tokens.checked_sub(outcome.replaced).ok_or_else(damaged)?),
                None => None,
            };
            on_round(table, &round)?;
            rounds.push(round);
            if let Some(stop) = outcome.and_then(|outcome| self.stop(&outcome)) {
                break stop;
            }
        };
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => self.text.count_tokens(table)?,
        };
        Ok(TrainingSummary { rounds, tokens, stop, why_no_automaton: self.why_no_automaton })
    }

    /// The first merges at once, from a sample, in a large text: see [`super::lookahead`]. `None`
    /// if it does not pay: the table has merges enough, or the text is small.
    ///
    /// The guess is what this trainer makes of a sample, with the same options. One pass counts the
    /// text as the guess encodes it; `ends` are the words that end in each token, which the counter
    /// has as pairs with the separator. A cut ends a segment and looks like the end of a word, so
    /// its token is taken out again. What the replay commits is exact for the table, but the counts
    /// are of the guess: `num_tokens` 0 keeps the next round from judging pairs by them.
    fn look_ahead(&mut self, table: &mut MergeTable) -> Result<Option<(Round, Outcome)>> {
        if table.merges().len() >= LOOK_FROM || self.text.bases() < self.options.look_ahead_from {
            return Ok(None);
        }
        let start = Instant::now();
        let mut guess = table.clone();
        let wanted = (table.merges().len() + LOOK_AHEAD).min(self.options.num_merges);
        let look_ahead_from = self.options.look_ahead_from.max(1 << 20);
        let options = MergeOptions { num_merges: wanted, look_ahead_from, ..self.options.clone() };
        let sample = self.text.held().sample(self.text.bases(), self.options.random_guess.is_some());
        let monitor = Monitor::default();
        let mut sample = LocalText::new(&sample, &options, &monitor);
        // The trainer of the sample looks ahead as well: each has half of the text of the one before, at most.
        if sample.bases() > self.text.bases() / 2 {
            return Ok(None);
        }
        Trainer::new(&mut sample, &options, &monitor).run(&mut guess, &mut |_, _| self.monitor.check())?;
        let guessed = start.elapsed();
        let boundary_pairs = self.text.pass(&guess, &MergeEncoder::new(&guess), &[], &mut self.counted)?;
        let passed = start.elapsed();
        let separator = guess.num_tokens();
        let mut ends: Vec<u64> = (0..separator).map(|token| self.counted.count((token, separator))).collect();
        for ((left, _), weight) in boundary_pairs {
            // A cut inside a word ends no word.
            ends[left as usize] -= weight;
        }
        let limits = Limits { theta: None, ..self.limits(wanted) };
        let phrases = phrases(&guess, table.num_tokens(), |pair| self.counted.count(pair), ends);
        let outcome = replay_phrases(table, phrases, &limits, self.monitor)?;
        // The counts are those of the guess, not of the table.
        self.counted.num_tokens = 0;
        let times = [guessed, passed.saturating_sub(guessed), start.elapsed().saturating_sub(passed)];
        let round =
            Round { round: 0, merges: table.merges().len(), guessed_pairs: 0, islands: 0, theta: 0, times };
        Ok(Some((round, outcome)))
    }

    /// The limits of a replay in this round.
    fn limits(&self, max_merges: usize) -> Limits {
        Limits {
            theta: self.theta,
            min_count: self.options.min_frequency.max(1),
            max_length: self.options.max_token_length.unwrap_or(u32::MAX),
            max_merges,
        }
    }

    /// One round: guess, pass, replay. No outcome if it was one without islands.
    ///
    /// Invariant: `kept` pairs of `S`, its first, were watched by all threads to the end of the
    /// pass; their counts and islands are exact, and all other pairs count as outside, so `theta`
    /// is the best of these. The order of the steps matters: theta must be known before the replay,
    /// and the counts must be those of the encoder of this round.
    fn round(&mut self, table: &mut MergeTable) -> Result<(Round, Option<Outcome>)> {
        let start = Instant::now();
        let known = table.merges().len();
        let kept = self.encoder.take().filter(|&(merges, _)| merges == known);
        let encoder = kept.map_or_else(|| MergeEncoder::new(table), |(_, encoder)| encoder);
        self.why_no_automaton = encoder.why_no_automaton().cloned();
        let guess = self.guess(table, &encoder)?;
        let guessed = start.elapsed();
        self.text.pass(table, &encoder, &guess, &mut self.counted)?;
        self.encoder = Some((known, encoder));
        let passed = start.elapsed();
        let kept = self.counted.agree();
        // Without islands the first of all pairs must be known, however rare it is.
        let least = if kept == 0 { 1 } else { self.candidates.floor / 4 + 1 };
        (self.theta, self.candidates.near) =
            self.counted.look_outside(least, |pair| self.options.may_merge(table, pair));
        let limits = self.limits(self.options.num_merges);
        let outcome = if kept == 0 && !guess.is_empty() {
            self.commit_first(table, &limits)?
        } else {
            let mut buffers = std::mem::take(&mut self.buffers);
            let counts = guess[..kept].iter().map(|&pair| (pair, self.counted.count(pair)));
            let islands = self.counted.islands();
            let mut outcome = replay(table, counts, &islands, &limits, &mut buffers, self.monitor)?;
            self.buffers = buffers;
            self.candidates.replayed = std::mem::take(&mut outcome.left);
            self.candidates.replayed.extend(table.merges()[known..].iter().map(|&pair| (pair, 0)));
            Some(outcome)
        };
        let islands = self.counted.islands().iter().map(|islands| islands.len()).sum();
        let size = outcome.as_ref().map_or(0, |outcome| outcome.size);
        self.candidates.adapt(self.text.bases(), size, kept < guess.len());
        let times = [guessed, passed.saturating_sub(guessed), start.elapsed().saturating_sub(passed)];
        let theta = self.theta.map_or(0, |(count, _)| count);
        Ok((
            Round { round: 0, merges: table.merges().len(), guessed_pairs: kept, islands, theta, times },
            outcome,
        ))
    }

    /// The next `S`, from what is known of the text now.
    fn guess(&mut self, table: &MergeTable, encoder: &MergeEncoder) -> Result<Vec<Pair>> {
        let known = GuessContext {
            table,
            encoder,
            counted: &self.counted,
            theta: self.theta,
            is_stuck: self.stuck > 0,
            options: self.options,
            monitor: self.monitor,
        };
        self.candidates.guess(self.text, &known)
    }

    /// Commits the first of all pairs, all that can be known without islands. No outcome if it was
    /// committed, since how many tokens it joined is not known in runs.
    ///
    /// Fails if pairs share entries: then the first is not known, and there is no memory to find
    /// out.
    fn commit_first(&self, table: &mut MergeTable, limits: &Limits) -> Result<Option<Outcome>> {
        let Some((count, Reverse(pair))) = self.theta.filter(|&(count, _)| count >= limits.min_count) else {
            return Ok(Some(Outcome::default()));
        };
        if !self.counted.is_dense() {
            let available = self.options.max_island_tokens as u64;
            return Err(Error::Resource { what: "memory for islands", needed: count, available });
        }
        table.push(pair)?;
        Ok(None)
    }

    /// Whether training ends with this outcome, and why: the best pair of all is too rare, or there
    /// is none.
    fn stop(&self, outcome: &Outcome) -> Option<StopReason> {
        let min_count = self.options.min_frequency.max(1);
        let best = outcome.next.max(self.theta).map_or(0, |(count, _)| count);
        let rare = best > 0 || outcome.too_rare;
        (best < min_count).then_some(if rare { StopReason::MinFrequency } else { StopReason::NoPairLeft })
    }

    /// Counts rounds without a merge; fails when they are more than guesses and shared entries
    /// explain, so that training never hangs.
    ///
    /// A round without a merge is followed by one that makes some, or with shared entries in the
    /// table by one that knows twice as much.
    fn note_progress(&mut self, merges: usize) -> Result<()> {
        self.stuck = if merges > 0 { 0 } else { self.stuck + 1 };
        if self.stuck > MAX_STUCK {
            let available = self.options.max_island_tokens as u64;
            return Err(Error::Resource {
                what: "memory to tell the next pair",
                needed: available + 1,
                available,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::from_words;
    use crate::testing::RandomGenome;

    /// One word of so many bases of a genome.
    fn genome(bases: usize) -> [WeightedCorpora; 1] {
        let mut text = Vec::new();
        RandomGenome::new(11).bases(&mut text, bases);
        [WeightedCorpora { corpora: vec![from_words([text]).unwrap()], weight: 1 }]
    }

    #[test]
    fn a_training_that_gets_nowhere_ends() {
        let (texts, options, monitor) = (genome(100), MergeOptions::default(), Monitor::default());
        let mut text = LocalText::new(&texts, &options, &monitor);
        let mut trainer = Trainer::new(&mut text, &options, &monitor);
        (0..MAX_STUCK).for_each(|_| trainer.note_progress(0).unwrap());
        trainer.note_progress(1).unwrap();
        (0..MAX_STUCK).for_each(|_| trainer.note_progress(0).unwrap());
        let error = trainer.note_progress(0).unwrap_err();
        let expected = options.max_island_tokens as u64;
        let Error::Resource { needed, available, .. } = error else { panic!("{error}") };
        assert_eq!((needed, available), (expected + 1, expected));
    }

    #[test]
    fn after_a_round_without_a_merge_all_pairs_are_guessed() {
        let (texts, options, monitor) = (genome(5000), MergeOptions::default(), Monitor::default());
        let mut text = LocalText::new(&texts, &options, &monitor);
        let mut trainer = Trainer::new(&mut text, &options, &monitor);
        let table = MergeTable::new();
        let encoder = MergeEncoder::new(&table);
        let few = trainer.guess(&table, &encoder).unwrap();
        assert!((1..9).contains(&few.len()), "a quarter of all adjacencies: {few:?}");
        trainer.note_progress(0).unwrap();
        let all = trainer.guess(&table, &encoder).unwrap();
        assert_eq!((all.len(), &all[..few.len()]), (16, &few[..]));
    }

    #[test]
    fn a_large_text_is_looked_ahead_until_some_merges_are_made() {
        let (texts, monitor) = (genome(5000), Monitor::default());
        let looked = |known: usize, look_ahead_from, num_merges| {
            let options = MergeOptions { num_merges, look_ahead_from, ..MergeOptions::default() };
            let mut text = LocalText::new(&texts, &options, &monitor);
            let mut trainer = Trainer::new(&mut text, &options, &monitor);
            let mut table = MergeTable::from_merges((0..known).map(|_| (0, 1))).unwrap();
            let round = trainer.look_ahead(&mut table).unwrap().map(|(round, _)| round.merges);
            assert_eq!(round.is_some(), table.merges().len() > known);
            round
        };
        assert!(looked(0, 5000, 200).is_some());
        assert_eq!(looked(0, 5001, 200), None);
        assert_eq!(looked(LOOK_FROM, 5000, 200), None);
        assert_eq!(looked(0, 5000, 1), Some(1), "no more than are wanted");
    }

    #[test]
    fn a_round_tells_what_it_did_and_keeps_its_encoder() {
        let options = MergeOptions { num_merges: 200, ..MergeOptions::default() };
        let (texts, monitor, mut table) = (genome(5000), Monitor::default(), MergeTable::new());
        let mut rounds = Vec::new();
        let note = |table: &MergeTable, round: &Round| {
            rounds.push((round.round, round.merges, table.merges().len(), round.guessed_pairs));
            Ok(())
        };
        let summary = train(&texts, &options, &mut table, &monitor, note).unwrap();
        assert_eq!(rounds.len(), summary.rounds.len());
        let mut before = 0;
        for (number, (round, merges, in_table, guessed)) in (1..).zip(rounds) {
            assert_eq!((round, merges), (number, in_table));
            assert!(merges > before && guessed > 0, "a round without a merge");
            before = merges;
        }
        assert_eq!((before, summary.stop), (200, StopReason::Full));
    }
}
