//! Ordinary training on a small weighted dictionary: the islands of one round.
//!
//! The islands lie concatenated in one array (`layout`). For each pair there is a list of the slots
//! where it was seen; entries that have become stale are passed over. The pairs themselves wait in
//! a heap, ordered as training orders them, with the count they had when they were put there; one
//! that has lost occurrences since is put back with its present count.
//!
//! Theta is known before the replay, and most pairs do not come before it. A pair is most frequent
//! right after the merge that makes its younger token; what does not come before theta then is not
//! a candidate and is not kept. Islands are broken at pairs that are no candidates, by the same
//! proof: the candidates are a smaller `S` with the same theta.
//!
//! The counts of candidates stay exact at every step: replacing `a b` by `c` between `x` and `y`
//! takes away one `(x, a)`, `(a, b)`, `(b, y)` and adds one `(x, c)`, `(c, y)`, and these are all
//! the windows that change, in runs as well.
//!
//! Layout runs on all threads, a layout for each thread's islands; merging runs on one. Time: that
//! of the occurrences of what is merged, not that of all islands.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::islands::Islands;
use super::layout::{GAP, Layout, Slot};
use super::wire::damaged;
use crate::bpe::{MergeTable, Pair, Token};
use crate::error::Result;
use crate::monitor::Monitor;

/// A pair as training orders them: the greatest is merged first.
pub type MergePriority = (u64, Reverse<Pair>);

/// Which merges a replay may make; it stops before the first that is not allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Theta, the best pair outside `S`: only pairs that come before it are merged. `None` if there
    /// is no pair outside.
    pub theta: Option<MergePriority>,
    /// No pair that is seen less often is merged.
    pub min_count: u64,
    /// No token longer than this, in bases.
    pub max_length: u32,
    /// Merges in the table at most, those from before included.
    pub max_merges: usize,
}

/// The result of a replay, beside the merges in the table.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By how many tokens the text became shorter.
    pub replaced: u64,
    /// Tokens in the islands that were left after breaking them at pairs that are no candidates.
    pub size: usize,
    /// Whether the last merge crossed a cut; then `replaced` and `left` are not to be used.
    pub crossed: bool,
    /// The pair that would have been next, allowed or not.
    pub next: Option<MergePriority>,
    /// The counts at the end of pairs that came before theta at some time in the replay, and were
    /// not merged.
    pub left: FxHashMap<Pair, u64>,
    /// Whether a pair was passed over for being too rare.
    pub too_rare: bool,
}

/// A pair that may still be merged in this round.
#[derive(Default)]
struct Candidate {
    /// Its exact number of occurrences now, with their weights.
    count: u64,
    /// Of these, the occurrences in islands of just this pair, which are not in the dictionary.
    alone: u64,
    /// Where `lists` has the slots that it had from the start.
    listed: Range<usize>,
    /// The slots where it was made by merges. A slot may be listed and not hold the pair any more.
    slots: Vec<u32>,
}

/// Memory that a replay takes over from the one before: clearing megabytes of fresh pages would
/// cost more time than what is done in them.
#[derive(Debug, Default)]
pub struct ReplayBuffers {
    layouts: Vec<Layout>,
    lists: Vec<u32>,
}

/// Slots that are read ahead of their turn.
const AHEAD: usize = 32;

/// A replay in progress.
///
/// Invariants between merges: the tokens in `slots` are the islands under the table so far; each
/// candidate's count is exact, and each slot where it occurs in an island of three tokens or more
/// is in its lists; `queue` has an entry for each candidate that may be merged, with a count that
/// is not below the present one.
struct Replay {
    slots: Vec<Slot>,
    /// The slots that candidates had from the start, concatenated.
    lists: Vec<u32>,
    /// Whether no merge may cross the border before a slot; empty if all may be crossed.
    cuts: Vec<bool>,
    /// The pairs that may still be merged in this round: all that come before theta.
    candidates: FxHashMap<Pair, Candidate>,
    queue: BinaryHeap<MergePriority>,
    outcome: Outcome,
    limits: Limits,
    born: Born,
}

/// The pairs that one merge makes: with the product on the right of an older token, and on its
/// left.
#[derive(Default)]
struct Born {
    /// `[before, after]` by older token.
    counts: Vec<[u64; 2]>,
    /// Older token, side, slot, in the order in which they were made.
    seen: Vec<(Token, usize, u32)>,
}

/// A part of the text on which training can continue, up to its ends and up to a cut inside.
#[derive(Clone, Debug)]
pub struct TokenPhrase {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// No merge may join the token before this place to the one at it: it would depend on
    /// neighbours that are not here.
    pub cut: Option<usize>,
    /// How often it counts, modulo 2^64: negative where other phrases count the same tokens too
    /// often.
    pub weight: u64,
}

/// Trains on `phrases` up to the first merge that crosses a cut; merges go into `table`, that one
/// too.
///
/// The counts are the sums over the phrases; they must be right, and not negative, in sum, if not
/// in each. `crossed` of the outcome says whether a cut ended it. On one thread; time and memory:
/// those of the phrases.
pub fn replay_phrases(
    table: &mut MergeTable,
    phrases: Vec<TokenPhrase>,
    limits: &Limits,
    monitor: &Monitor,
) -> Result<Outcome> {
    Replay::of_phrases(phrases, *limits).run(table, monitor)
}

/// Continues training on `islands` from the exact counts of the pairs of `S`; merges go into
/// `table`.
///
/// Exact by the proof of [`super::islands`]. Memory: some 30 bytes per token in the islands, which
/// `buffers` keeps for the next time.
pub fn replay(
    table: &mut MergeTable,
    guess: impl Iterator<Item = (Pair, u64)>,
    islands: &[&Islands],
    limits: &Limits,
    buffers: &mut ReplayBuffers,
    monitor: &Monitor,
) -> Result<Outcome> {
    let mut replay = Replay::new(guess, islands, *limits, buffers)?;
    let outcome = replay.run(table, monitor);
    buffers.lists = replay.lists;
    if let Some(layout) = buffers.layouts.first_mut() {
        layout.slots = replay.slots;
    }
    outcome
}

impl Limits {
    /// Whether a pair of this count is frequent enough and comes before theta.
    fn allow(&self, key: MergePriority) -> bool {
        key.0 >= self.min_count && self.theta.is_none_or(|theta| key > theta)
    }
}

impl Replay {
    /// Lays out the islands, with candidates from the pairs of `S` that the limits allow.
    ///
    /// A candidate starts with all of its count as `alone`; laying out an occurrence takes its
    /// weight away from that.
    fn new(
        guess: impl Iterator<Item = (Pair, u64)>,
        islands: &[&Islands],
        limits: Limits,
        buffers: &mut ReplayBuffers,
    ) -> Result<Self> {
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
        this.join(&mut buffers.layouts, &pairs)?;
        this.outcome = Outcome { size: this.slots.len(), ..outcome };
        Ok(this)
    }

    /// A replay of laid-out slots, whose queue has every candidate.
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

    /// Lays out phrases. All their pairs are candidates, since there is no theta.
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

    /// Merges the best pair until the limits allow none.
    ///
    /// Invariant of the loop: the candidates include every pair that comes before theta, with its
    /// exact count; so the best of them is the best pair of the whole text as long as it is
    /// allowed.
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

    /// Takes over islands that were laid out apart: those of the first layout where they are, the
    /// others after them.
    ///
    /// A counting sort: `ends[number]` is where the next slot of a candidate goes in `lists`.
    /// Layouts come in order and each lists its slots from left to right, so the slots of a
    /// candidate ascend, as [`Self::merge_at`] needs.
    ///
    /// Fails if islands have a pair more often than it was counted: only shards that lie do.
    #[allow(clippy::cast_possible_truncation)] // islands are bounded far below 2^32 tokens
    fn join(&mut self, layouts: &mut [Layout], pairs: &[Pair]) -> Result<()> {
        let mut ends: Vec<usize> = Vec::with_capacity(pairs.len());
        let mut total = 0;
        for (number, pair) in pairs.iter().enumerate() {
            ends.push(total);
            let start = total;
            total += layouts.iter().map(|layout| layout.sizes[number]).sum::<usize>();
            if let Some(candidate) = self.candidates.get_mut(pair) {
                for layout in layouts.iter() {
                    candidate.alone =
                        candidate.alone.checked_sub(layout.weights[number]).ok_or_else(damaged)?;
                }
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
        Ok(())
    }

    /// The pair to merge next: the first in the order of training among the candidates that are
    /// short enough.
    ///
    /// Counts only fall once a pair is in the queue, so the entry on top has the greatest count
    /// that any pair may have; if that is its present count, it is the best.
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

    /// Merges a pair everywhere; false, with the work half done, if that would cross a cut. Time:
    /// its occurrences.
    fn merge(&mut self, pair: Pair, product: Token) -> bool {
        let Some(Candidate { listed, slots, alone, .. }) = self.candidates.remove(&pair) else {
            return false;
        };
        self.outcome.replaced = self.outcome.replaced.wrapping_add(alone);
        self.born.counts.resize(product as usize + 1, [0, 0]);
        let lists = std::mem::take(&mut self.lists);
        let is_whole = self.merge_at(&lists[listed], pair, product) && self.merge_at(&slots, pair, product);
        self.lists = lists;
        if is_whole {
            self.keep_born(product);
        }
        is_whole
    }

    /// Merges a pair at these slots, from left to right, which decides overlaps in a run as
    /// training does; false at a cut.
    ///
    /// A listed slot is stale if its token is another now, or its right neighbour is. `live` is
    /// filled before the merges of its chunk, so the test is made again when a slot's turn comes.
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

    /// Puts `product` in place of the pair at `left` and `right`, and corrects the counts of all
    /// adjacencies that change.
    ///
    /// Those are `(x, a)` and `(b, y)`, which become `(x, c)` and `(c, y)`. If `x` is the product
    /// itself, the replacement just before made `(c, a)` of what is `(c, c)` now, and that is
    /// corrected. The span is written to both ends of the new token, so that its neighbours find
    /// each other.
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

    /// A pair occurs less often, if it is a candidate; no count of the others is kept.
    fn lose(&mut self, pair: Pair, weight: u64) {
        if let Some(candidate) = self.candidates.get_mut(&pair) {
            candidate.count = candidate.count.wrapping_sub(weight);
        }
    }

    /// Of the pairs just made, those that come before theta become candidates. The others never
    /// will: a pair is most frequent right after the merge that makes its younger token. Leaves
    /// `born` empty.
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
    /// One occurrence more, with an older token on one side: 0 if it is on the left of the product,
    /// 1 if on the right.
    #[allow(clippy::cast_possible_truncation)] // slots are u32 in the lists already
    fn add(&mut self, token: Token, side: usize, slot: usize, weight: u64) {
        let count = &mut self.counts[token as usize][side];
        *count = count.wrapping_add(weight);
        self.seen.push((token, side, slot as u32));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_made_too_rare_are_noted() {
        let mut islands = Islands::default();
        islands.add(&[0, 1, 2], 2);
        islands.add(&[3, 1, 2], 2);
        let counts = [((0, 1), 4), ((3, 1), 4), ((1, 2), 4)];
        for (min_count, merges, too_rare) in [(2, 4, false), (3, 2, true)] {
            let limits = Limits { theta: None, min_count, max_length: 9, max_merges: 9 };
            let (mut table, mut buffers) = (MergeTable::new(), ReplayBuffers::default());
            let guess = counts.into_iter();
            let outcome =
                replay(&mut table, guess, &[&islands], &limits, &mut buffers, &Monitor::default()).unwrap();
            assert_eq!((table.merges().len(), outcome.too_rare, outcome.next), (merges, too_rare, None));
            // Each island becomes shorter by two tokens, or one; two others have but one pair each.
            assert_eq!((outcome.replaced, outcome.size), (2 * merges as u64 + 4, 9));
        }
    }
}
