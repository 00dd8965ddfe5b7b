//! Ordinary training on a small weighted dictionary: the islands of one round.
//!
//! The islands lie end to end in one array. A token covers a span of slots; it stands in the first, and the first and
//! the last know how long the span is, so that both neighbours are found in one step, whatever was merged before. For
//! each pair there is a list of the slots where it was seen; entries that have become stale are passed over. The pairs
//! themselves wait in a heap, ordered as training orders them, with the count they had when they were put there; one
//! that has lost occurrences since is put back with its present count.
//!
//! Theta is known before the replay, and most pairs do not come before it. A pair is most frequent right after the
//! merge that makes its younger token; what does not come before theta then is not a candidate and is not kept. Islands
//! are broken at pairs that are no candidates, by the same proof: the candidates are a smaller `S` with the same theta.
//!
//! The counts of candidates stay exact at every step: replacing `a b` by `c` between `x` and `y` takes away
//! one `(x, a)`, `(a, b)`, `(b, y)` and adds one `(x, c)`, `(c, y)`, and these are all the windows that change, in runs as well.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::islands::Islands;
use crate::bpe::{MergeTable, Pair, Token};
use crate::error::Result;
use crate::monitor::Monitor;

/// A pair as training orders them: the greatest is merged first.
pub type MergePriority = (u64, Reverse<Pair>);

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// No pair that does not come before this one is merged: the best pair outside `S`.
    pub theta: Option<MergePriority>,
    /// No pair that is seen less often is merged.
    pub min_count: u64,
    /// No token longer than this, in bases.
    pub max_length: u32,
    /// Merges to have in the table at most.
    pub max_merges: usize,
}

/// What a replay did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By how many tokens the text became shorter.
    pub replaced: u64,
    /// Tokens in the islands that were left after breaking them at pairs that are no candidates.
    pub size: usize,
    /// Whether the last merge crossed a cut; then `replaced` and `left` are not to be used.
    pub crossed: bool,
    /// The pair that would have been next.
    pub next: Option<MergePriority>,
    /// The counts now of pairs that came before theta at some time in the replay, and were not merged.
    pub left: FxHashMap<Pair, u64>,
    /// Whether a pair was passed over for being too rare.
    pub too_rare: bool,
}

#[derive(Default)]
struct Candidate {
    count: u64,
    /// Of these, the occurrences in islands of just this pair, which are not in the dictionary.
    alone: u64,
    /// The slots where it is from the start, in the common list, and those where it was made.
    listed: Range<usize>,
    slots: Vec<u32>,
}

/// Memory that a replay takes over from the one before: fresh memory costs more than what is done in it.
#[derive(Debug, Default)]
pub struct ReplayBuffers {
    layouts: Vec<Layout>,
    lists: Vec<u32>,
}

/// Places that are looked at ahead of their turn.
const AHEAD: usize = 32;

/// One place of the array.
#[derive(Clone, Copy, Debug)]
struct Slot {
    token: Token,
    /// Slots that the token covers; right in its first and in its last.
    span: u32,
    /// How often the island occurs.
    weight: u64,
}

/// What fills the place after each island.
const GAP: Slot = Slot { token: Token::MAX, span: 1, weight: 0 };

struct Replay {
    slots: Vec<Slot>,
    /// The slots of all candidates from the start, end to end.
    lists: Vec<u32>,
    /// Whether the border before a slot may not be crossed; empty if all may.
    cuts: Vec<bool>,
    /// The pairs that may still be merged in this round: all that come before theta.
    candidates: FxHashMap<Pair, Candidate>,
    queue: BinaryHeap<MergePriority>,
    outcome: Outcome,
    limits: Limits,
    born: Born,
}

/// Islands laid out by one thread.
#[derive(Debug, Default)]
struct Layout {
    slots: Vec<Slot>,
    /// Number of the candidate pair, and the slot it begins at.
    seen: Vec<(u32, u32)>,
    /// Of each candidate how often it is in `seen`, and with what weight in all.
    sizes: Vec<usize>,
    weights: Vec<u64>,
    /// The tokens of the island at hand and the numbers of its pairs.
    numbers: Vec<u32>,
}

impl Layout {
    /// Lays out islands, broken where a pair is not a candidate. `numbers` numbers the candidates.
    fn fill(&mut self, islands: &Islands, numbers: &FxHashMap<Pair, u32>) {
        self.slots.clear();
        self.slots.push(GAP);
        self.seen.clear();
        self.sizes.clear();
        self.sizes.resize(numbers.len(), 0);
        self.weights.clear();
        self.weights.resize(numbers.len(), 0);
        islands.for_each(|island, weight| {
            let mut start = 0;
            for (at, pair) in island.windows(2).enumerate() {
                if let Some(&number) = numbers.get(&(pair[0], pair[1])) {
                    self.numbers.push(number);
                } else {
                    self.add(&island[start..=at], weight);
                    start = at + 1;
                }
            }
            self.add(&island[start..], weight);
        });
    }

    /// Lays out a part of an island; of two tokens and less nothing is left after the first merge.
    #[allow(clippy::cast_possible_truncation)] // islands are bounded far below 2^32 tokens
    fn add(&mut self, part: &[Token], weight: u64) {
        if part.len() > 2 {
            for (&number, slot) in self.numbers.iter().zip(self.slots.len() as u32..) {
                self.seen.push((number, slot));
                self.sizes[number as usize] += 1;
                self.weights[number as usize] += weight;
            }
            self.slots.extend(part.iter().map(|&token| Slot { token, span: 1, weight }));
            self.slots.push(GAP);
        }
        self.numbers.clear();
    }
}

/// The pairs that one merge makes: with the product on the right of an older token, and on its left.
#[derive(Default)]
struct Born {
    /// `[before, after]` by older token.
    counts: Vec<[u64; 2]>,
    /// Older token, side, slot.
    seen: Vec<(Token, usize, u32)>,
}

/// A part of the text that training may go on in, up to its ends and up to a cut inside.
#[derive(Clone, Debug)]
pub struct TokenPhrase {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// No merge may join the token before this place to the one at it.
    pub cut: Option<usize>,
    /// How often it counts; below zero, as a number modulo 2^64, where it is counted elsewhere too often.
    pub weight: u64,
}

/// Trains on `phrases` up to the first merge that crosses a cut; merges go into `table`, that one too.
///
/// The counts are the sums over the phrases; they must be right, and not below zero, in sum, if not in each.
pub fn replay_phrases(
    table: &mut MergeTable,
    phrases: Vec<TokenPhrase>,
    limits: &Limits,
    monitor: &Monitor,
) -> Result<Outcome> {
    Replay::of_phrases(phrases, *limits).run(table, monitor)
}

/// Goes on with training on `islands` from the exact counts of the pairs of `S`; merges go into `table`.
///
/// Memory: some 30 bytes a token in the islands, which `buffers` keeps for the next time.
pub fn replay(
    table: &mut MergeTable,
    guess: impl Iterator<Item = (Pair, u64)>,
    islands: &[&Islands],
    limits: &Limits,
    buffers: &mut ReplayBuffers,
    monitor: &Monitor,
) -> Result<Outcome> {
    let mut replay = Replay::new(guess, islands, *limits, buffers);
    let outcome = replay.run(table, monitor);
    buffers.lists = replay.lists;
    if let Some(layout) = buffers.layouts.first_mut() {
        layout.slots = replay.slots;
    }
    outcome
}

impl Limits {
    fn allow(&self, key: MergePriority) -> bool {
        key.0 >= self.min_count && self.theta.is_none_or(|theta| key > theta)
    }
}

impl Replay {
    fn new(
        guess: impl Iterator<Item = (Pair, u64)>,
        islands: &[&Islands],
        limits: Limits,
        buffers: &mut ReplayBuffers,
    ) -> Self {
        let mut outcome = Outcome::default();
        let candidates: FxHashMap<Pair, Candidate> = guess
            .inspect(|&(_, count)| outcome.too_rare |= 0 < count && count < limits.min_count)
            .filter(|&(pair, count)| limits.allow((count, Reverse(pair))))
            .map(|(pair, count)| (pair, Candidate { count, alone: count, ..Candidate::default() }))
            .collect();
        let pairs: Vec<Pair> = candidates.keys().copied().collect();
        let numbers: FxHashMap<Pair, u32> = pairs.iter().copied().zip(0..).collect();
        buffers.layouts.resize_with(islands.len(), Layout::default);
        buffers
            .layouts
            .par_iter_mut()
            .zip(islands)
            .for_each(|(layout, islands)| layout.fill(islands, &numbers));
        let mut this = Self::start(Vec::new(), Vec::new(), candidates, limits);
        this.lists = std::mem::take(&mut buffers.lists);
        this.join(&mut buffers.layouts, &pairs);
        this.outcome = Outcome { size: this.slots.len(), ..outcome };
        this
    }

    fn start(
        slots: Vec<Slot>,
        cuts: Vec<bool>,
        candidates: FxHashMap<Pair, Candidate>,
        limits: Limits,
    ) -> Self {
        let queue = candidates.iter().map(|(&pair, candidate)| (candidate.count, Reverse(pair))).collect();
        let (lists, outcome, born) = Default::default();
        Self { slots, lists, cuts, candidates, queue, outcome, limits, born }
    }

    #[allow(clippy::cast_possible_truncation)] // phrases are bounded far below 2^32 tokens
    fn of_phrases(phrases: Vec<TokenPhrase>, limits: Limits) -> Self {
        let (mut slots, mut cuts) = (vec![GAP], vec![false]);
        let mut candidates: FxHashMap<Pair, Candidate> = FxHashMap::default();
        for TokenPhrase { tokens, cut, weight } in phrases {
            for (pair, slot) in tokens.windows(2).zip(slots.len() as u32..) {
                let candidate = candidates.entry((pair[0], pair[1])).or_default();
                candidate.count = candidate.count.wrapping_add(weight);
                candidate.slots.push(slot);
            }
            let first = slots.len();
            slots.extend(tokens.into_iter().map(|token| Slot { token, span: 1, weight }));
            slots.push(GAP);
            cuts.resize(slots.len(), false);
            if let Some(cut) = cut {
                cuts[first + cut] = true;
            }
        }
        Self::start(slots, cuts, candidates, limits)
    }

    fn run(&mut self, table: &mut MergeTable, monitor: &Monitor) -> Result<Outcome> {
        while table.merges().len() < self.limits.max_merges {
            monitor.check()?;
            let best = self.best(table);
            self.outcome.next = best;
            let Some((_, Reverse(pair))) = best.filter(|&key| self.limits.allow(key)) else { break };
            let product = table.push(pair)?;
            if !self.merge(pair, product) {
                // It is the right merge; but what comes after it is not known.
                self.outcome.crossed = true;
                break;
            }
        }
        #[allow(clippy::iter_over_hash_type)] // into another map
        for (&pair, candidate) in &self.candidates {
            self.outcome.left.insert(pair, candidate.count);
        }
        Ok(std::mem::take(&mut self.outcome))
    }

    /// Takes over islands that were laid out apart: those of the first layout where they are, the others after them.
    #[allow(clippy::cast_possible_truncation)] // islands are bounded far below 2^32 tokens
    fn join(&mut self, layouts: &mut [Layout], pairs: &[Pair]) {
        let mut ends: Vec<usize> = Vec::with_capacity(pairs.len());
        let mut total = 0;
        for (number, pair) in pairs.iter().enumerate() {
            ends.push(total);
            let start = total;
            total += layouts.iter().map(|layout| layout.sizes[number]).sum::<usize>();
            if let Some(candidate) = self.candidates.get_mut(pair) {
                candidate.alone -= layouts.iter().map(|layout| layout.weights[number]).sum::<u64>();
                candidate.listed = start..total;
            }
        }
        self.lists.clear();
        self.lists.resize(total, 0);
        for layout in layouts {
            let first = self.slots.len() as u32;
            if self.slots.is_empty() {
                self.slots = std::mem::take(&mut layout.slots);
            } else {
                self.slots.extend_from_slice(&layout.slots);
            }
            for &(number, slot) in &layout.seen {
                let end = &mut ends[number as usize];
                self.lists[*end] = first + slot;
                *end += 1;
            }
        }
    }

    /// The pair to merge next.
    fn best(&mut self, table: &MergeTable) -> Option<MergePriority> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.candidates.get(&pair).map_or(0, |candidate| candidate.count);
            if table.length_joined(pair) > self.limits.max_length || now == 0 {
                continue;
            }
            if now == count {
                return Some((count, Reverse(pair)));
            }
            self.queue.push((now, Reverse(pair)));
        }
        None
    }

    /// Merges a pair everywhere; false, with the work half done, if that would cross a cut.
    fn merge(&mut self, pair: Pair, product: Token) -> bool {
        let Some(Candidate { listed, slots, alone, .. }) = self.candidates.remove(&pair) else {
            return false;
        };
        self.outcome.replaced += alone;
        self.born.counts.resize(product as usize + 1, [0, 0]);
        let lists = std::mem::take(&mut self.lists);
        let is_whole = self.merge_at(&lists[listed], pair, product) && self.merge_at(&slots, pair, product);
        self.lists = lists;
        if is_whole {
            self.keep_born(product);
        }
        is_whole
    }

    /// Merges a pair at these slots, from left to right.
    fn merge_at(&mut self, slots: &[u32], pair: Pair, product: Token) -> bool {
        // The places are far apart in memory: looking at some of them ahead lets the cache fetch them together.
        let mut live = Vec::with_capacity(AHEAD);
        for slots in slots.chunks(AHEAD) {
            live.clear();
            live.extend(
                slots.iter().map(|&slot| slot as usize).filter(|&left| self.slots[left].token == pair.0),
            );
            for &left in &live {
                let Slot { token, span, .. } = self.slots[left];
                let right = left + span as usize;
                if token == pair.0 && self.slots[right].token == pair.1 {
                    if self.cuts.get(right).is_some_and(|&cut| cut) {
                        return false;
                    }
                    self.replace(left, right, pair, product);
                }
            }
        }
        true
    }

    #[allow(clippy::cast_possible_truncation)] // slots are u32 in the lists already
    fn replace(&mut self, left: usize, right: usize, pair: Pair, product: Token) {
        let weight = self.slots[left].weight;
        self.outcome.replaced = self.outcome.replaced.wrapping_add(weight);
        let after = right + self.slots[right].span as usize;
        let before = left - self.slots[left - 1].span as usize;
        let (x, y) = (self.slots[before].token, self.slots[after].token);
        if x != GAP.token {
            if x == product {
                // The last replacement was just here; the pair that it made with our left half is gone again.
                let made = &mut self.born.counts[pair.0 as usize][1];
                *made = made.wrapping_sub(weight);
            } else {
                self.lose((x, pair.0), weight);
            }
            self.born.add(x, 0, before, weight);
        }
        if y != GAP.token {
            self.lose((pair.1, y), weight);
            self.born.add(y, 1, left, weight);
        }
        let span = (after - left) as u32;
        self.slots[left] = Slot { token: product, span, weight };
        self.slots[right].token = GAP.token;
        self.slots[after - 1].span = span;
    }

    fn lose(&mut self, pair: Pair, weight: u64) {
        if let Some(candidate) = self.candidates.get_mut(&pair) {
            candidate.count = candidate.count.wrapping_sub(weight);
        }
    }

    /// Of the pairs just made, those that come before theta become candidates. The others never will: a pair is most
    /// frequent right after the merge that makes its younger token.
    fn keep_born(&mut self, product: Token) {
        let mut seen = std::mem::take(&mut self.born.seen);
        for &(token, side, slot) in &seen {
            let count = self.born.counts[token as usize][side];
            let pair = if side == 0 { (token, product) } else { (product, token) };
            if !self.limits.allow((count, Reverse(pair))) {
                self.outcome.too_rare |= 0 < count && count < self.limits.min_count;
                continue;
            }
            let candidate = self.candidates.entry(pair).or_insert_with(|| {
                self.queue.push((count, Reverse(pair)));
                Candidate { count, ..Candidate::default() }
            });
            candidate.slots.push(slot);
        }
        for &(token, side, _) in &seen {
            self.born.counts[token as usize][side] = 0;
        }
        seen.clear();
        self.born.seen = seen;
    }
}

impl Born {
    #[allow(clippy::cast_possible_truncation)] // slots are u32 in the lists already
    fn add(&mut self, token: Token, side: usize, slot: usize, weight: u64) {
        let count = &mut self.counts[token as usize][side];
        *count = count.wrapping_add(weight);
        self.seen.push((token, side, slot as u32));
    }
}
