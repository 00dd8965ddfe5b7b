//! Passes over the text: what the trainer counts, in threads of this process or on shards elsewhere.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::answer::{absorb, body, read_pairs, read_tokens};
use super::counts::PairCounts;
use super::encode::{Encoder, LANES, Queue, Sink, Text};
use super::replay::Key;
use super::shards::{About, question};
use super::train::{Trainer, Weighted};
use super::wire::damaged;
use super::{MergeTable, Pair, Token, answer};
use crate::corpus::Corpus;
use crate::error::Result;

/// Bases of mapped files that a pass holds in memory at a time.
const MAPPED_AT_ONCE: u64 = 1 << 28;
/// Bases in a segment: small enough to share the work, large enough that seams do not matter.
const MAX_SEGMENT: u64 = 1 << 22;
pub(super) const MIN_SEGMENT: u64 = 1 << 16;

impl<'a> Trainer<'a> {
    /// Every text on every strand that counts, with its weight; many mapped files one after the other.
    pub(super) fn views(&self) -> Vec<(Text<'a>, u64)> {
        let strands: &[bool] = if self.options.both_strands { &[false, true] } else { &[false] };
        let word_length = self.options.word_length;
        let of_text = |text: &'a Weighted| {
            let views = groups(&text.corpora).into_iter().flat_map(move |corpora| {
                strands.iter().map(move |&reverse| Text { corpora, word_length, reverse })
            });
            views.map(|view| (view, text.weight)).collect::<Vec<_>>()
        };
        self.texts.iter().flat_map(of_text).collect()
    }

    /// Counts under `encoder`, the one of `table`. Returns the pairs counted across cuts, with their weight.
    pub(super) fn pass(
        &mut self,
        table: &MergeTable,
        encoder: &Encoder,
        guess: &[Pair],
    ) -> Result<Vec<(Pair, u64)>> {
        if self.shards.is_some() {
            return self.pass_elsewhere(table, guess);
        }
        let mut all_parted = Vec::new();
        let max_size = self.options.island_room / self.finders.len();
        self.finders.par_iter_mut().for_each(|finder| finder.begin(table.num_tokens(), guess, max_size));
        self.counted_tokens = table.num_tokens();
        let in_guess: rustc_hash::FxHashSet<Pair> = guess.iter().copied().collect();
        let segment =
            (self.bases / (8 * (LANES * self.finders.len()) as u64)).clamp(MIN_SEGMENT, MAX_SEGMENT);
        for (text, weight) in self.views() {
            self.finders.iter_mut().for_each(|finder| finder.set_weight(weight));
            let (segments, parted) = encoder.segments(text, segment, |pair| !in_guess.contains(&pair));
            parted.iter().for_each(|&pair| self.finders[0].count_parted(pair));
            all_parted.extend(parted.into_iter().map(|pair| (pair, weight)));
            let queue = Queue::new(segments);
            let monitor = self.monitor;
            self.finders.par_iter_mut().try_for_each(|finder| encoder.run(text, &queue, finder, monitor))?;
            text.corpora.iter().for_each(Corpus::release);
        }
        self.finders.par_iter_mut().for_each(|finder| finder.set_weight(1));
        Ok(all_parted)
    }

    /// The same on shards: their sum is what one thread of this process might have found.
    fn pass_elsewhere(&mut self, table: &MergeTable, guess: &[Pair]) -> Result<Vec<(Pair, u64)>> {
        let room = self.options.island_room;
        let found = self.ask(table, About::Pass { guess: guess.to_vec(), room })?;
        let (first, others) = self.finders.split_at_mut(1);
        first[0].begin(table.num_tokens(), guess, room);
        others.par_iter_mut().for_each(|finder| finder.begin(table.num_tokens(), guess, room));
        self.counted_tokens = table.num_tokens();
        self.monitor.add_bases(self.bases);
        absorb(&mut first[0], &found)
    }

    /// Counts of all pairs that share entries in which `least` or more were counted.
    pub(super) fn ask_entries(&mut self, table: &MergeTable, least: u64) -> Result<Vec<(Pair, u64)>> {
        let counts: Vec<&PairCounts> = self.finders.iter().map(|finder| &finder.counts).collect();
        let entries = PairCounts::shared_from(&counts, least);
        let found = read_pairs(body(&self.ask(table, About::Entries(entries))?, answer::PAIRS)?)?;
        let is_there = |&(pair, _): &(Pair, u64)| pair.0.max(pair.1) < table.num_tokens();
        if found.iter().all(is_there) { Ok(found) } else { Err(damaged()) }
    }

    fn ask(&mut self, table: &MergeTable, about: About) -> Result<Vec<u8>> {
        self.monitor.check()?;
        let asked = question(table, self.options, about)?;
        self.shards.as_mut().map_or_else(|| Ok(Vec::new()), |shards| shards.ask(asked))
    }

    /// The count of a pair in the last pass, or for a pair outside `S` an upper bound.
    pub(super) fn count(&self, pair: Pair) -> u64 {
        self.finders.iter().map(|finder| finder.counts.get(pair)).sum()
    }

    /// Bases in the whole text, each as often as its word counts.
    pub(super) fn weighted_bases(&self) -> u64 {
        if self.shards.is_some() {
            return self.bases;
        }
        let bases = |(text, weight): (Text<'_>, u64)| {
            text.corpora.iter().map(|corpus| corpus.contents().bases).sum::<u64>() * weight
        };
        self.views().into_iter().map(bases).sum()
    }

    /// The tokens under the final table, by a pass of its own.
    pub(super) fn recount(&mut self, table: &MergeTable) -> Result<u64> {
        if self.shards.is_some() {
            return read_tokens(body(&self.ask(table, About::Tokens)?, answer::TOKENS)?);
        }
        let encoder = Encoder::new(table);
        let mut tokens = 0;
        for (text, weight) in self.views() {
            let make = || TokenCounter { separator: table.num_tokens(), tokens: 0 };
            let counters = self.count_all(text, &encoder, make)?;
            tokens += counters.iter().map(|counter| counter.tokens).sum::<u64>() * weight;
        }
        Ok(tokens)
    }

    /// Runs a sink for each thread over all of a text, which is cut at any token; what it counts must not depend on that.
    pub(super) fn count_all<S: Sink + Send>(
        &self,
        text: Text<'_>,
        encoder: &Encoder,
        make: impl Fn() -> S + Sync,
    ) -> Result<Vec<S>> {
        let queue = Queue::new(encoder.segments(text, MAX_SEGMENT, |_| true).0);
        let count = |_| {
            let mut sink = make();
            encoder.run(text, &queue, &mut sink, self.monitor).map(|()| sink)
        };
        let counted = (0..self.finders.len()).into_par_iter().map(count).collect();
        text.corpora.iter().for_each(Corpus::release);
        counted
    }

    /// The first pair, in the order of training, outside `S`; those that come near are noted for the next guess.
    pub(super) fn look_outside(&mut self, table: &MergeTable, least: u64) -> Option<Key> {
        let counts: Vec<&PairCounts> = self.finders.iter().map(|finder| &finder.counts).collect();
        let look = |row: u32| {
            let (mut best, mut near) = (None, Vec::new());
            PairCounts::outside(&counts, row, least, |total, pair| {
                if pair.is_none_or(|pair| self.may_merge(table, pair)) {
                    best = best.max(Some((total, Reverse(pair.unwrap_or(UNKNOWN)))));
                    near.extend(pair);
                }
            });
            (best, near)
        };
        let rows: Vec<_> = (0..counts[0].rows()).into_par_iter().map(look).collect();
        self.near = rows.iter().flat_map(|(_, near)| near).copied().collect();
        // Pairs that were not looked at are rarer than the least.
        rows.iter().filter_map(|&(best, _)| best).max().or((least > 1).then_some((least, Reverse(UNKNOWN))))
    }
}

/// Corpora in groups: all that are in memory together, mapped ones so many bases at a time.
fn groups(corpora: &[Corpus]) -> Vec<&[Corpus]> {
    let mut mapped = 0;
    let mut starts = vec![0];
    for (number, corpus) in corpora.iter().enumerate().filter(|(_, corpus)| corpus.is_mapped()) {
        if mapped > 0 && mapped + corpus.span() > MAPPED_AT_ONCE {
            starts.push(number);
            mapped = 0;
        }
        mapped += corpus.span();
    }
    let ends = starts.iter().copied().skip(1).chain([corpora.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &corpora[start..end]).collect()
}

/// Counts tokens.
struct TokenCounter {
    separator: Token,
    tokens: u64,
}

impl Sink for TokenCounter {
    fn tokens(&mut self, _: usize, tokens: &[Token], _: bool) {
        self.tokens += tokens.iter().filter(|&&token| token != self.separator).count() as u64;
    }

    fn end(&mut self, _: usize) {}
}

/// Stands for a pair that is not known: of a shared entry of the table. It comes before all pairs of equal count.
const UNKNOWN: Pair = (0, 0);
