//! Training: rounds of guess, pass and replay.
//!
//! The state between rounds is the merge list and nothing else; the text never changes. A round
//!
//! 1. *samples* the text as it is encoded now, and from the sample and the exact counts of the last round *guesses* a set
//!    `S` of pairs that look most frequent;
//! 2. *passes* over the whole text: exact pair counts and the islands of `S` ([`super::islands`], with the proof that
//!    what follows is exact whatever `S` is);
//! 3. *replays* ordinary training on the islands until the first pair outside `S` would come first.
//!
//! The first merges are made by [`super::lookahead`] instead, many in one round.
//!
//! Everything that threads, shards or machines contribute is a sum of integers, so the merges do not depend on how the
//! text is split.
//!
//! # Progress
//!
//! After a round that committed nothing the counts of all pairs are known for the present vocabulary, and the pair that
//! stopped it is in the next `S`; so the next round commits. Where pairs share entries of the table, only a bound is known:
//! then the pairs in the highest entries are counted one by one, which halves the bound, until it no longer stops the round.
//!
//! # Measured
//!
//! Human chromosome 20 in words of 1 kb, 4,096 tokens, two cores: seven rounds. A pass takes 0.07 to 0.2 s, a replay 0.02
//! to 0.1 s, looking ahead 0.2 s for the first 96 merges. Before looking ahead was there, eight rounds and a second went
//! into as many merges. Lists of megabytes that are made anew in each round wait for the kernel: since the replay keeps
//! its memory from round to round, it takes half the time.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::encode::Encoder;
use super::guess::STRETCH;
use super::islands::{Finder, Islands};
use super::lookahead::phrases;
use super::replay::{Key, Limits, Outcome, Room, replay, replay_phrases};
use super::shards::{Elsewhere, Shards};
use super::{MergeTable, NUM_BASES, Pair};
use crate::corpus::{Corpus, Stride};
use crate::error::{Error, Result};
use crate::monitor::{Monitor, Phase};

/// What to train.
#[derive(Clone, Debug)]
pub struct Options {
    /// Merges wanted in all.
    pub num_merges: usize,
    /// Pairs seen less often are not merged; 0 means 1.
    pub min_frequency: u64,
    /// The longest token allowed, in bases.
    pub max_token_length: Option<u32>,
    /// Words are cut into pieces of this many bases.
    pub word_length: Option<u64>,
    /// Each word counts together with its reverse complement.
    pub both_strands: bool,
    /// Guess at random, from this seed: slow, for tests of exactness.
    pub random_guess: Option<u64>,
    /// Bases that a text must have for [`super::lookahead`] to pay.
    pub look_ahead_from: u64,
    /// Tokens in islands that all threads together may keep: with the text what bounds the memory.
    pub island_room: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            num_merges: 4087,
            min_frequency: 0,
            max_token_length: None,
            word_length: None,
            both_strands: false,
            random_guess: None,
            look_ahead_from: 1 << 20,
            island_room: 1 << 24,
        }
    }
}

/// Texts that count with the same weight.
#[derive(Clone, Debug)]
pub struct Weighted {
    /// The texts.
    pub corpora: Vec<Corpus>,
    /// How often each word counts.
    pub weight: u64,
}

/// One round, for the log.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its number, from 1.
    pub round: usize,
    /// Merges in the table after it.
    pub merges: usize,
    /// Pairs in `S`.
    pub guessed_pairs: usize,
    /// Different islands.
    pub islands: usize,
    /// The count of the best pair outside `S`.
    pub theta: u64,
    /// Time for the guess (with the automaton), the pass and the replay.
    pub times: [Duration; 3],
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As many merges as wanted.
    Full,
    /// No two tokens stand side by side any more, or none that may be merged.
    NoPairLeft,
    /// All pairs left are rarer than the minimal frequency.
    MinFrequency,
}

/// The end of training.
#[derive(Clone, Debug)]
pub struct Summary {
    /// All rounds.
    pub rounds: Vec<Round>,
    /// Tokens that the text has under the final table.
    pub tokens: u64,
    /// Why it ended.
    pub stop: Stop,
}

/// Rounds without a merge after which training gives up; a random guess may need many.
const MAX_STUCK: usize = 200;

/// Looking ahead pays below this number of merges; how many merges are looked ahead, and the bases they are guessed
/// from: a seventh, but not more than this.
const LOOK_FROM: usize = 16;
const LOOK_AHEAD: usize = 120;
const LOOK_SAMPLE: u64 = 1 << 23;
/// Bases of the shortest stretch that is sampled.
const SNIPPET: u64 = 24;

/// Trains `table` further, up to the merges wanted; it may hold merges already, from an interrupted run.
///
/// `on_round` is called after each round. Runs on the threads of the present pool. Time: some ten passes over the text. Memory: that of the corpora, and for each
/// thread a byte for each pair of tokens (16 MB at most) and the islands.
pub fn train(
    texts: &[Weighted],
    options: &Options,
    table: &mut MergeTable,
    monitor: &Monitor,
    mut on_round: impl FnMut(&MergeTable, &Round) -> Result<()>,
) -> Result<Summary> {
    Trainer::new(texts, options, monitor).run(table, &mut on_round)
}

/// The same for a text that other processes hold, with the same merges.
///
/// Memory here: the sample, and counts and islands of one pass.
pub fn train_elsewhere(
    text: &Elsewhere,
    shards: &mut dyn Shards,
    options: &Options,
    table: &mut MergeTable,
    monitor: &Monitor,
    mut on_round: impl FnMut(&MergeTable, &Round) -> Result<()>,
) -> Result<Summary> {
    Trainer::elsewhere(text, shards, options, monitor).run(table, &mut on_round)
}

pub(super) struct Trainer<'a> {
    /// The text, or a sample of it if shards hold it.
    pub(super) texts: &'a [Weighted],
    pub(super) shards: Option<&'a mut dyn Shards>,
    pub(super) options: &'a Options,
    pub(super) monitor: &'a Monitor,
    /// Bases in one pass.
    pub(super) bases: u64,
    pub(super) finders: Vec<Finder>,
    /// Tokens when the counts in `finders` were made; 0 before the first pass.
    pub(super) counted_tokens: u32,
    /// The best pair outside the last `S`.
    pub(super) theta: Option<Key>,
    /// Other pairs outside the last `S` that came near.
    pub(super) near: Vec<Pair>,
    /// The last `S`, and the smallest count that was expected in it.
    pub(super) guessed: Vec<Pair>,
    pub(super) floor: u64,
    /// The counts after the last replay, where it tells: 0 for pairs that were merged.
    pub(super) replayed: FxHashMap<Pair, u64>,
    pub(super) share: f64,
    room: Room,
    /// Rounds without a merge, in a row.
    pub(super) stuck: usize,
    pub(super) random: Option<u64>,
}

impl<'a> Trainer<'a> {
    pub(super) fn new(texts: &'a [Weighted], options: &'a Options, monitor: &'a Monitor) -> Self {
        let bases: u64 =
            texts.iter().flat_map(|text| &text.corpora).map(|corpus| corpus.contents().bases).sum();
        Self {
            texts,
            shards: None,
            options,
            monitor,
            bases: bases * if options.both_strands { 2 } else { 1 },
            finders: (0..rayon::current_num_threads()).map(|_| Finder::default()).collect(),
            counted_tokens: 0,
            theta: None,
            near: Vec::new(),
            guessed: Vec::new(),
            floor: 0,
            replayed: FxHashMap::default(),
            share: 0.25,
            room: Room::default(),
            stuck: 0,
            random: options.random_guess,
        }
    }

    fn elsewhere(
        text: &'a Elsewhere,
        shards: &'a mut dyn Shards,
        options: &'a Options,
        monitor: &'a Monitor,
    ) -> Self {
        let bases = text.contents.bases * if options.both_strands { 2 } else { 1 };
        Self { bases, shards: Some(shards), ..Self::new(&text.sample, options, monitor) }
    }

    fn run(
        mut self,
        table: &mut MergeTable,
        on_round: &mut dyn FnMut(&MergeTable, &Round) -> Result<()>,
    ) -> Result<Summary> {
        let mut rounds = Vec::new();
        // Known as long as every merge was: from the bases on, without rounds that had no islands.
        let mut tokens = table.merges().is_empty().then(|| self.weighted_bases());
        let stop = loop {
            if table.merges().len() >= self.options.num_merges {
                break Stop::Full;
            }
            self.monitor.enter(Phase::Training {
                round: rounds.len() + 1,
                merges: table.merges().len(),
                merges_wanted: self.options.num_merges,
                bases: self.bases,
            });
            let merges = table.merges().len();
            let (mut round, outcome) = match self.look_ahead(table)? {
                Some((round, outcome)) => (round, (!outcome.crossed).then_some(outcome)),
                None => self.round(table)?,
            };
            round.round = rounds.len() + 1;
            self.note_progress(table.merges().len() - merges)?;
            tokens = tokens.zip(outcome.as_ref()).map(|(tokens, outcome)| tokens - outcome.replaced);
            on_round(table, &round)?;
            rounds.push(round);
            if let Some(stop) = outcome.and_then(|outcome| self.stop(&outcome)) {
                break stop;
            }
        };
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => self.recount(table)?,
        };
        Ok(Summary { rounds, tokens, stop })
    }

    /// The first merges at once, from a sample, in a large text: see [`super::lookahead`].
    fn look_ahead(&mut self, table: &mut MergeTable) -> Result<Option<(Round, Outcome)>> {
        if table.merges().len() >= LOOK_FROM || self.bases < self.options.look_ahead_from {
            return Ok(None);
        }
        let start = Instant::now();
        let mut guess = table.clone();
        let wanted = (table.merges().len() + LOOK_AHEAD).min(self.options.num_merges);
        let look_ahead_from = self.options.look_ahead_from.max(1 << 20);
        let options = Options { num_merges: wanted, look_ahead_from, ..self.options.clone() };
        let sample = self.sampled_texts();
        let monitor = Monitor::default();
        let trainer = Trainer::new(&sample, &options, &monitor);
        // The trainer of the sample looks ahead as well: each has half of the text of the one before, at most.
        if trainer.bases > self.bases / 2 {
            return Ok(None);
        }
        trainer.run(&mut guess, &mut |_, _| self.monitor.check())?;
        let guessed = start.elapsed();
        let parted = self.pass(&guess, &Encoder::new(&guess), &[])?;
        let passed = start.elapsed();
        let separator = guess.num_tokens();
        let mut ends: Vec<u64> = (0..separator).map(|token| self.count((token, separator))).collect();
        for ((left, _), weight) in parted {
            // A cut inside a word ends no word.
            ends[left as usize] -= weight;
        }
        let limits = Limits { theta: None, ..self.limits(wanted) };
        let phrases = phrases(&guess, table.num_tokens(), |pair| self.count(pair), ends);
        let outcome = replay_phrases(table, phrases, &limits, self.monitor)?;
        // The counts are those of the guess, not of the table.
        self.counted_tokens = 0;
        let times = [guessed, passed.saturating_sub(guessed), start.elapsed().saturating_sub(passed)];
        let round =
            Round { round: 0, merges: table.merges().len(), guessed_pairs: 0, islands: 0, theta: 0, times };
        Ok(Some((round, outcome)))
    }

    /// A text of stretches of the text, one stride through all corpora of all weights.
    fn sampled_texts(&self) -> Vec<Weighted> {
        let span: u64 = self.texts.iter().flat_map(|text| &text.corpora).map(Corpus::span).sum();
        // A random guess is to be wrong often: a sample of snippets. So is that of a text of snippets.
        let stretch = if self.random.is_some() { SNIPPET } else { (span / 28).clamp(SNIPPET, STRETCH) };
        let sample = (self.bases / 7).min(LOOK_SAMPLE);
        let every = (span / (sample / stretch).max(1)).max(stretch);
        let mut stride = Stride::new(stretch, every);
        let sampled =
            |text: &Weighted| Weighted { corpora: vec![stride.sample(&text.corpora)], weight: text.weight };
        self.texts.iter().map(sampled).collect()
    }

    fn limits(&self, max_merges: usize) -> Limits {
        Limits {
            theta: self.theta,
            min_count: self.options.min_frequency.max(1),
            max_length: self.options.max_token_length.unwrap_or(u32::MAX),
            max_merges,
        }
    }

    /// One round. No outcome if it was one without islands.
    fn round(&mut self, table: &mut MergeTable) -> Result<(Round, Option<Outcome>)> {
        let start = Instant::now();
        let encoder = Encoder::new(table);
        let guess = self.guess(table, &encoder)?;
        let guessed = start.elapsed();
        self.pass(table, &encoder, &guess)?;
        let passed = start.elapsed();
        let kept = self.finders.iter().map(|finder| finder.kept).min().unwrap_or(0);
        self.finders.par_iter_mut().for_each(|finder| finder.keep(kept));
        // Without islands the first of all pairs must be known, however rare it is.
        let least = if kept == 0 { 1 } else { self.floor / 4 + 1 };
        self.theta = self.look_outside(table, least);
        let limits = self.limits(self.options.num_merges);
        let outcome = if kept == 0 && !guess.is_empty() {
            self.commit_first(table, &limits)?
        } else {
            let mut room = std::mem::take(&mut self.room);
            let counts = guess[..kept].iter().map(|&pair| (pair, self.count(pair)));
            let islands: Vec<&Islands> = self.finders.iter().map(|finder| &finder.islands).collect();
            let known = table.merges().len();
            let mut outcome = replay(table, counts, &islands, &limits, &mut room, self.monitor)?;
            self.room = room;
            self.replayed = std::mem::take(&mut outcome.left);
            self.replayed.extend(table.merges()[known..].iter().map(|&pair| (pair, 0)));
            Some(outcome)
        };
        let islands = self.finders.iter().map(|finder| finder.islands.len()).sum();
        self.adapt(outcome.as_ref().map_or(0, |outcome| outcome.size), kept < guess.len());
        let times = [guessed, passed.saturating_sub(guessed), start.elapsed().saturating_sub(passed)];
        let theta = self.theta.map_or(0, |(count, _)| count);
        Ok((
            Round { round: 0, merges: table.merges().len(), guessed_pairs: kept, islands, theta, times },
            outcome,
        ))
    }

    /// Without islands only the first of all pairs can be committed. No outcome if it was, since how many tokens it
    /// joined is not known in runs.
    fn commit_first(&self, table: &mut MergeTable, limits: &Limits) -> Result<Option<Outcome>> {
        let Some((count, Reverse(pair))) = self.theta.filter(|&(count, _)| count >= limits.min_count) else {
            return Ok(Some(Outcome::default()));
        };
        if !self.finders[0].counts.is_dense() {
            let available = self.options.island_room as u64;
            return Err(Error::Resource { what: "memory for islands", needed: count, available });
        }
        table.push(pair)?;
        Ok(None)
    }

    fn stop(&self, outcome: &Outcome) -> Option<Stop> {
        let min_count = self.options.min_frequency.max(1);
        let best = outcome.next.max(self.theta).map_or(0, |(count, _)| count);
        let rare = best > 0 || outcome.too_rare;
        (best < min_count).then_some(if rare { Stop::MinFrequency } else { Stop::NoPairLeft })
    }

    /// More tokens in islands than the target: a smaller share next time; fewer: a larger one.
    fn adapt(&mut self, size: usize, overflowed: bool) {
        #[allow(clippy::cast_precision_loss)]
        let target = (self.bases as f64 / 60.0).clamp(100_000.0, 4_000_000.0);
        #[allow(clippy::cast_precision_loss)]
        let ratio = (target / (size as f64).max(1.0)).powf(0.15).clamp(0.6, 1.35);
        self.share = (self.share * if overflowed { 0.5 } else { ratio }).clamp(0.02, 0.85);
    }

    /// A round without a merge is followed by one that makes some, or with shared entries in the table by one that
    /// knows twice as much.
    fn note_progress(&mut self, merges: usize) -> Result<()> {
        self.stuck = if merges > 0 { 0 } else { self.stuck + 1 };
        if self.stuck > MAX_STUCK {
            let available = self.options.island_room as u64;
            return Err(Error::Resource {
                what: "memory to tell the next pair",
                needed: available + 1,
                available,
            });
        }
        Ok(())
    }

    pub(super) fn may_merge(&self, table: &MergeTable, pair: Pair) -> bool {
        table.length_joined(pair) <= self.options.max_token_length.unwrap_or(u32::MAX)
    }
}

/// Merges that a vocabulary of `vocab_size` identifiers has room for, beside the bases and `specials` special tokens.
pub fn merges_for(vocab_size: usize, specials: usize) -> Result<usize> {
    vocab_size.checked_sub(specials + NUM_BASES as usize).ok_or_else(|| {
        let least = specials + NUM_BASES as usize;
        Error::argument(
            "vocab_size",
            &vocab_size,
            format!("must be at least {least}: {specials} special tokens and the four bases"),
        )
    })
}
