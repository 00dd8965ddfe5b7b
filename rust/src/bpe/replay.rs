//! Ordinary training on a small weighted dictionary: the islands of one round.
//!
//! The islands lie end to end in one array. A token covers a span of slots; it stands in the first, and the first and
//! the last know how long the span is, so that both neighbours are found in one step, whatever was merged before. For
//! each pair there is a list of the slots where it was seen; entries that have become stale are passed over. The pairs
//! themselves wait in a heap, ordered as training orders them, with the count they had when they were put there; one
//! that has lost occurrences since is put back with its present count.
//!
//! Counts stay exact at every step: replacing `a b` by `c` between `x` and `y` takes away one `(x, a)`, `(a, b)`, `(b, y)`
//! and adds one `(x, c)`, `(c, y)`, and these are all the windows that change, in runs as well.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::islands::Islands;
use super::{MergeTable, Pair, Token};
use crate::error::Result;
use crate::monitor::Monitor;

/// A pair as training orders them: the greatest is merged first.
pub type Key = (u64, Reverse<Pair>);

/// Fills the slot after each island.
const GAP: Token = Token::MAX;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// No pair that does not come before this one is merged: the best pair outside `S`.
    pub theta: Option<Key>,
    /// No pair that is seen less often is merged.
    pub min_count: u64,
    /// No token longer than this, in bases.
    pub max_length: u32,
    /// Merges to have in the table at most.
    pub max_merges: usize,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// By how many tokens the text became shorter.
    pub replaced: u64,
    /// The pair that would have been next.
    pub next: Option<Key>,
}

struct Candidate {
    count: u64,
    /// Of these, the occurrences in islands of just this pair, which are not in the dictionary.
    alone: u64,
    slots: Vec<u32>,
}

struct Replay {
    tokens: Vec<Token>,
    spans: Vec<u32>,
    /// Number of the island of each slot.
    island: Vec<u32>,
    weights: Vec<u64>,
    candidates: FxHashMap<Pair, Candidate>,
    queue: BinaryHeap<Key>,
    outcome: Outcome,
}

/// Goes on with training on `islands` from the exact counts of the pairs of `S`; merges go into `table`.
///
/// Memory: 12 bytes a token in the islands and as much again for the lists.
pub fn replay(
    table: &mut MergeTable,
    guess: impl Iterator<Item = (Pair, u64)>,
    islands: &[&Islands],
    limits: &Limits,
    monitor: &Monitor,
) -> Result<Outcome> {
    let mut replay = Replay::new(guess, islands);
    while table.merges().len() < limits.max_merges {
        monitor.check()?;
        let best = replay.best(table, limits.max_length);
        replay.outcome.next = best;
        let Some(key) = best else { break };
        let (count, Reverse(pair)) = key;
        if count < limits.min_count || limits.theta.is_some_and(|theta| key <= theta) {
            break;
        }
        let product = table.push(pair)?;
        replay.merge(pair, product);
    }
    Ok(replay.outcome)
}

impl Replay {
    fn new(guess: impl Iterator<Item = (Pair, u64)>, islands: &[&Islands]) -> Self {
        let mut this = Self {
            tokens: vec![GAP],
            spans: vec![1],
            island: vec![0],
            weights: Vec::new(),
            candidates: guess
                .map(|(pair, count)| (pair, Candidate { count, alone: count, slots: Vec::new() }))
                .collect(),
            queue: BinaryHeap::new(),
            outcome: Outcome::default(),
        };
        this.queue = this.candidates.iter().map(|(&pair, candidate)| (candidate.count, Reverse(pair))).collect();
        for islands in islands {
            islands.for_each(|island, weight| this.add(island, weight));
        }
        this
    }

    #[allow(clippy::cast_possible_truncation)] // islands are bounded far below 2^32 tokens
    fn add(&mut self, island: &[Token], weight: u64) {
        let first = self.tokens.len() as u32;
        self.tokens.extend_from_slice(island);
        self.tokens.push(GAP);
        self.spans.resize(self.tokens.len(), 1);
        self.island.resize(self.tokens.len(), self.weights.len() as u32);
        self.weights.push(weight);
        for (pair, slot) in island.windows(2).zip(first..) {
            if let Some(candidate) = self.candidates.get_mut(&(pair[0], pair[1])) {
                candidate.slots.push(slot);
                candidate.alone -= weight;
            }
        }
    }

    /// The pair to merge next, of those whose product is not too long.
    fn best(&mut self, table: &MergeTable, max_length: u32) -> Option<Key> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.candidates.get(&pair).map_or(0, |candidate| candidate.count);
            if table.length(pair.0).saturating_add(table.length(pair.1)) > max_length || now == 0 {
                continue;
            }
            if now == count {
                return Some((count, Reverse(pair)));
            }
            self.queue.push((now, Reverse(pair)));
        }
        None
    }

    fn merge(&mut self, pair: Pair, product: Token) {
        let Some(Candidate { slots, alone, .. }) = self.candidates.remove(&pair) else { return };
        self.outcome.replaced += alone;
        let mut born: Vec<Pair> = Vec::new();
        for slot in slots {
            let left = slot as usize;
            let right = left + self.spans[left] as usize;
            if self.tokens[left] != pair.0 || self.tokens[right] != pair.1 {
                continue;
            }
            self.replace(left, right, pair, product, &mut born);
        }
        born.sort_unstable();
        born.dedup();
        for pair in born {
            if let Some(candidate) = self.candidates.get(&pair) {
                self.queue.push((candidate.count, Reverse(pair)));
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)] // slots are u32 in the lists already
    fn replace(&mut self, left: usize, right: usize, pair: Pair, product: Token, born: &mut Vec<Pair>) {
        let weight = self.weights[self.island[left] as usize];
        self.outcome.replaced += weight;
        let after = right + self.spans[right] as usize;
        let before = left - self.spans[left - 1] as usize;
        let (x, y) = (self.tokens[before], self.tokens[after]);
        if x != GAP {
            self.lose((x, pair.0), weight);
            self.gain((x, product), weight, before as u32, born);
        }
        if y != GAP {
            self.lose((pair.1, y), weight);
            self.gain((product, y), weight, left as u32, born);
        }
        self.tokens[left] = product;
        self.tokens[right] = GAP;
        let span = (after - left) as u32;
        self.spans[left] = span;
        self.spans[after - 1] = span;
    }

    fn lose(&mut self, pair: Pair, weight: u64) {
        // The pair being merged is gone already; of a run its other windows go with it.
        if let Some(candidate) = self.candidates.get_mut(&pair) {
            candidate.count -= weight;
        }
    }

    fn gain(&mut self, pair: Pair, weight: u64, slot: u32, born: &mut Vec<Pair>) {
        let candidate = self.candidates.entry(pair).or_insert(Candidate { count: 0, alone: 0, slots: Vec::new() });
        if candidate.slots.is_empty() {
            born.push(pair);
        }
        candidate.count += weight;
        candidate.slots.push(slot);
    }
}
