//! One pass over the text: exact pair counts, and the islands of a guessed set of pairs.
//!
//! # Why a pass can decide many merges
//!
//! Let `S` be any set of pairs. An *island* is a maximal run of tokens in which every adjacent pair is in `S`. Order
//! pairs as training does: larger count first, then smaller `(left, right)`; let `theta` be the first pair in that
//! order that is *not* in `S`. Now train on the islands alone, starting from the exact counts of the pairs in `S`, for
//! as long as the best pair comes before `theta`. These are the merges that training on the whole text makes.
//!
//! *Proof.* Call the tokens at the start of the round old. Each token made in the round has one derivation, so its
//! first and last old tokens are fixed, and every occurrence of a pair `(X, Y)` lies across one fixed adjacency `(a, b)`
//! of old tokens, where `a` ends `X` and `b` begins `Y`.
//! If `(a, b)` is not in `S`, then `count(X, Y) <= count(a, b)`, and at equal counts `(X, Y) >= (a, b)`, since a token
//! made in the round is larger than any old one, so that `X >= a`, and `X = a` implies `Y >= b`. So `(X, Y)` does not
//! come before `(a, b)`, hence not before `theta`, and is not chosen in this round.
//! If `(a, b)` is in `S`, then the old tokens of `X` and `Y` lie in one island: each merge inside them was itself chosen
//! in this round, so by the case above its adjacency is in `S`. So the islands hold all occurrences of `(X, Y)`, and the
//! counts in them are exact. A run such as `AAAA` lies in one island whole, so replacing from left to right gives the
//! same in the island as in the text. ∎
//!
//! Any `S` is safe; a bad one only commits fewer merges. If all counts are exact and `S` has the first pair of the
//! order, the round commits at least one. An upper bound in place of a count of a pair outside `S` keeps the round
//! exact too, since it can only move `theta` forward.
//!
//! # The inner loop
//!
//! One table word per pair holds its count and, in the top bit, whether it is in `S`: one look-up a token for both.
//! Islands of two tokens need not be kept: their only pair is counted, and after its merge nothing is left. Where an
//! island of three begins is found without a branch from the last three of these bits.
//!
//! Up to [`DENSE_TOKENS`] tokens the table has an entry for each pair. Beyond, pairs share 2^24 entries by a hash: the
//! entry of a pair outside `S` is an upper bound, and pairs in `S` have counters of their own.
//!
//! # Bounded memory
//!
//! If a thread finds more islands than it may keep, it halves `S` (the less frequent half goes), breaks up the islands
//! it has and goes on; after the pass all threads agree on the smallest `S`. That is sound because the islands of a
//! subset of `S` are parts of the islands of `S`. If even one pair has too many (a chromosome of one letter), there are no islands and
//! the round commits the first pair only, which needs none.

use hashbrown::{HashMap, HashTable};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

use super::encode::{LANES, Sink};
use super::{Pair, Token};

/// Up to this many tokens, with the separator, each pair has a table entry of its own.
pub const DENSE_TOKENS: u32 = 1 << 12;
/// Entries of the table beyond that.
const HASHED_ENTRIES: usize = 1 << 24;
/// The top bit of an entry: the pair (or some pair of this entry) is in `S`.
const GUESSED: u32 = 1 << 31;
/// Adjacencies after which counts are moved out of the table, lest they reach the top bit.
const SPILL_AFTER: u64 = 1 << 30;

/// Pair counts of one thread.
#[derive(Debug, Default)]
pub struct PairCounts {
    num_tokens: u32,
    entries: Vec<u32>,
    /// Counts moved out of `entries`, by entry.
    spilled: FxHashMap<usize, u64>,
    /// For shared entries: the exact counters of the pairs in `S`.
    exact: FxHashMap<Pair, u64>,
    since_spill: u64,
}

impl PairCounts {
    /// Forgets all and prepares for tokens below `num_tokens` (the separator's number).
    pub fn reset(&mut self, num_tokens: u32, guess: &[Pair]) {
        self.num_tokens = num_tokens;
        let stride = num_tokens as usize + 1;
        let entries = if num_tokens < DENSE_TOKENS { stride * stride } else { HASHED_ENTRIES };
        self.entries.clear();
        self.entries.resize(entries, 0);
        self.spilled.clear();
        self.exact.clear();
        self.since_spill = 0;
        for &pair in guess {
            let entry = self.entry(pair);
            self.entries[entry] = GUESSED;
            if !self.is_dense() {
                self.exact.insert(pair, 0);
            }
        }
    }

    fn is_dense(&self) -> bool {
        self.num_tokens < DENSE_TOKENS
    }

    #[inline]
    fn entry(&self, (left, right): Pair) -> usize {
        if self.is_dense() {
            left as usize * (self.num_tokens as usize + 1) + right as usize
        } else {
            (left as usize).wrapping_mul(0x9E_3779_B9).wrapping_add(right as usize) % HASHED_ENTRIES
        }
    }

    /// Counts the adjacencies of `tokens`; `is_island(i)` is told, as bits, for each adjacency: the last two and this.
    #[inline]
    fn count_all(&mut self, tokens: &[Token], starts: &mut Vec<u32>) {
        if self.is_dense() { self.count_dense(tokens, starts) } else { self.count_hashed(tokens, starts) }
    }

    /// The places in `tokens` where an island of three or more begins are written to `starts`.
    fn count_dense(&mut self, tokens: &[Token], starts: &mut Vec<u32>) {
        starts.clear();
        starts.resize(tokens.len() + 1, 0);
        let Some((&first, rest)) = tokens.split_first() else { return starts.clear() };
        let stride = self.num_tokens as usize + 1;
        let entries = &mut self.entries[..];
        let (mut row, mut recent, mut found) = (first as usize * stride, 0, 0);
        for (&token, at) in rest.iter().zip(0_u32..) {
            let entry = &mut entries[row + token as usize];
            let before = *entry;
            *entry = before.wrapping_add(1);
            row = token as usize * stride;
            recent = recent << 1 & 7 | before >> 31;
            starts[found] = at.wrapping_sub(1);
            found += usize::from(recent == 0b011);
        }
        starts.truncate(found);
    }

    fn count_hashed(&mut self, tokens: &[Token], starts: &mut Vec<u32>) {
        starts.clear();
        let mut recent = 0;
        for (pair, at) in tokens.windows(2).zip(0_u32..) {
            let guessed = self.count((pair[0], pair[1]));
            recent = recent << 1 & 7 | u32::from(guessed);
            if recent == 0b011 {
                starts.push(at - 1);
            }
        }
    }

    /// Counts one adjacency; whether it is in `S`.
    fn count(&mut self, pair: Pair) -> bool {
        let at = self.entry(pair);
        let entry = &mut self.entries[at];
        let guessed = *entry & GUESSED != 0;
        if guessed && self.num_tokens >= DENSE_TOKENS {
            if let Some(count) = self.exact.get_mut(&pair) {
                *count += 1;
                return true;
            }
        }
        *entry += 1;
        guessed && self.num_tokens < DENSE_TOKENS
    }

    /// Whether the pair is in `S`.
    fn is_guessed(&self, pair: Pair) -> bool {
        self.entries[self.entry(pair)] & GUESSED != 0 && (self.is_dense() || self.exact.contains_key(&pair))
    }

    /// Takes pairs out of `S`; their counts stay.
    fn withdraw(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            let at = self.entry(pair);
            if self.is_dense() {
                self.entries[at] &= !GUESSED;
            } else if let Some(count) = self.exact.remove(&pair) {
                *self.spilled.entry(at).or_insert(0) += count;
            }
        }
    }

    /// Moves all counts out of the table, `weight` times each.
    fn spill(&mut self, weight: u64) {
        self.since_spill = 0;
        for (at, entry) in self.entries.iter_mut().enumerate() {
            let count = std::mem::replace(entry, *entry & GUESSED) & !GUESSED;
            if count > 0 {
                *self.spilled.entry(at).or_insert(0) += u64::from(count) * weight;
            }
        }
    }

    /// How often the pair was counted, or, of a pair outside `S` with a shared entry, at least that.
    pub fn get(&self, pair: Pair) -> u64 {
        if !self.is_dense() {
            if let Some(&count) = self.exact.get(&pair) {
                return count;
            }
        }
        self.total_of(self.entry(pair))
    }

    /// The count of one entry, as [`outside`](Self::outside) numbers them.
    pub fn total_of(&self, entry: usize) -> u64 {
        let spilled = if self.spilled.is_empty() { 0 } else { self.spilled.get(&entry).copied().unwrap_or(0) };
        u64::from(self.entries[entry] & !GUESSED) + spilled
    }

    /// Entries that some pair outside `S` may have counted to, with that pair if it is known, in `rows` of the table.
    pub fn outside(&self, row: u32) -> impl Iterator<Item = (usize, Option<Pair>)> + '_ {
        let width = if self.is_dense() { self.num_tokens as usize + 1 } else { HASHED_ENTRIES / self.rows() as usize };
        let dense = self.is_dense();
        (0..if dense { width - 1 } else { width }).filter_map(move |at| {
            let entry = row as usize * width + at;
            #[allow(clippy::cast_possible_truncation)] // a token
            let pair = dense.then_some((row, at as Token));
            (!dense || self.entries[entry] & GUESSED == 0).then_some((entry, pair))
        })
    }

    /// How many rows [`outside`](Self::outside) knows.
    pub fn rows(&self) -> u32 {
        if self.is_dense() { self.num_tokens } else { 4096 }
    }
}

/// Islands of three tokens and more with the number of their occurrences.
#[derive(Debug, Default)]
pub struct Islands {
    /// Three or four tokens of 16 bits in one key.
    short: HashMap<u64, u64, FxBuildHasher>,
    /// All others: where they lie in `arena`, and their number.
    long: HashTable<Long>,
    arena: Vec<Token>,
}

#[derive(Clone, Copy, Debug)]
struct Long {
    start: usize,
    length: usize,
    count: u64,
}

impl Islands {
    /// Counts `count` more occurrences of an island.
    pub fn add(&mut self, island: &[Token], count: u64) {
        if let Some(key) = short_key(island) {
            *self.short.entry(key).or_insert(0) += count;
            return;
        }
        let Self { long, arena, .. } = self;
        let hash = FxBuildHasher.hash_one(island);
        if let Some(found) = long.find_mut(hash, |long| &arena[long.start..][..long.length] == island) {
            found.count += count;
            return;
        }
        let new = Long { start: arena.len(), length: island.len(), count };
        arena.extend_from_slice(island);
        long.insert_unique(hash, new, |long| FxBuildHasher.hash_one(&arena[long.start..][..long.length]));
    }

    /// Shows each island once, in no particular order: everything made of them is a sum.
    pub fn for_each(&self, mut visit: impl FnMut(&[Token], u64)) {
        #[allow(clippy::iter_over_hash_type)]
        for (&key, &count) in &self.short {
            let tokens = [0, 16, 32, 48].map(|shift| (key >> shift & 0xFFFF) as Token);
            let length = if tokens[3] == 0xFFFF { 3 } else { 4 };
            visit(&tokens[..length], count);
        }
        for long in &self.long {
            visit(&self.arena[long.start..][..long.length], long.count);
        }
    }

    /// Different islands.
    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens in all different islands.
    fn size(&self) -> usize {
        4 * self.short.len() + self.arena.len() + self.long.len()
    }

    fn clear(&mut self) {
        self.short.clear();
        self.long.clear();
        self.arena.clear();
    }
}

/// Three or four small tokens as one number.
fn short_key(island: &[Token]) -> Option<u64> {
    let (&[a, b, c], d) = (match island.len() {
        3 | 4 => island.first_chunk::<3>()?,
        _ => return None,
    }, island.get(3).copied());
    let fits = a.max(b).max(c).max(d.unwrap_or(0)) < 0xFFFF;
    let key = u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d.unwrap_or(0xFFFF)) << 48;
    fits.then_some(key)
}

/// What one thread finds in a pass.
#[derive(Debug, Default)]
pub struct Finder {
    /// The pair counts.
    pub counts: PairCounts,
    /// The islands.
    pub islands: Islands,
    /// `S`, first pair first; the first `kept` of it are still in use.
    guess: Vec<Pair>,
    /// How many pairs of `S` are still in use.
    pub kept: usize,
    /// The run of pairs of `S` at the end of what each lane has seen, its last token at least.
    open: [Vec<Token>; LANES],
    starts: Vec<u32>,
    weight: u64,
    max_size: usize,
    /// Tokens seen, `weight` times each.
    pub tokens: u64,
}

impl Finder {
    /// Begins a pass for `S`, given in training's order, which may keep islands of `max_size` tokens.
    pub fn begin(&mut self, num_tokens: u32, guess: &[Pair], max_size: usize) {
        self.counts.reset(num_tokens, guess);
        self.islands.clear();
        self.guess = guess.to_vec();
        self.kept = guess.len();
        self.open = Default::default();
        self.weight = 1;
        self.max_size = max_size;
        self.tokens = 0;
    }

    /// From now on each word counts `weight` times.
    pub fn set_weight(&mut self, weight: u64) {
        if weight != self.weight {
            self.counts.spill(self.weight);
            self.weight = weight;
        }
    }

    /// Ends the pass.
    pub fn finish(&mut self) {
        if self.weight != 1 {
            self.counts.spill(self.weight);
            self.weight = 1;
        }
    }

    /// Counts an adjacency that lies across a cut.
    pub fn count_parted(&mut self, pair: Pair) {
        self.counts.count(pair);
    }

    /// Leaves only the first `kept` pairs in `S`, and breaks up the islands accordingly.
    pub fn keep(&mut self, kept: usize) {
        if kept >= self.kept {
            return;
        }
        self.counts.withdraw(&self.guess[kept..self.kept]);
        self.kept = kept;
        let broken = std::mem::take(&mut self.islands);
        broken.for_each(|island, count| self.add_parts(island, count));
        for lane in 0..LANES {
            let open = std::mem::take(&mut self.open[lane]);
            let tail = self.island_at_end(&open);
            self.add_parts(&open[..tail], self.weight);
            self.open[lane] = open[tail..].to_vec();
        }
    }

    /// Counts the islands in a run of tokens.
    fn add_parts(&mut self, tokens: &[Token], count: u64) {
        let counts = &self.counts;
        for island in tokens.chunk_by(|&left, &right| counts.is_guessed((left, right))) {
            if island.len() > 2 {
                self.islands.add(island, count);
            }
        }
    }

    /// Where the island begins that `tokens` end with.
    fn island_at_end(&self, tokens: &[Token]) -> usize {
        let mut start = tokens.len().saturating_sub(1);
        while start > 0 && self.counts.is_guessed((tokens[start - 1], tokens[start])) {
            start -= 1;
        }
        start
    }

    fn island_end(&self, tokens: &[Token], start: usize) -> usize {
        let mut end = start + 1;
        while end < tokens.len() && self.counts.is_guessed((tokens[end - 1], tokens[end])) {
            end += 1;
        }
        end
    }

    fn close(&mut self, lane: usize) {
        if self.open[lane].len() > 2 {
            self.islands.add(&self.open[lane], self.weight);
        }
        self.open[lane].clear();
    }

    /// Joins the beginning of `tokens` to the lane's open island, and returns where the next island may begin.
    fn join(&mut self, lane: usize, tokens: &[Token], continuing: bool) -> usize {
        let last = self.open[lane].last().copied().filter(|_| continuing);
        if let Some(last) = last
            && self.counts.count((last, tokens[0]))
        {
            let end = self.island_end(tokens, 0);
            self.open[lane].extend_from_slice(&tokens[..end]);
            return end;
        }
        self.close(lane);
        0
    }
}

impl Sink for Finder {
    fn tokens(&mut self, lane: usize, tokens: &[Token], continuing: bool) {
        if tokens.is_empty() {
            return;
        }
        let joined = self.join(lane, tokens, continuing);
        let mut starts = std::mem::take(&mut self.starts);
        self.counts.count_all(tokens, &mut starts);
        self.counts.since_spill += tokens.len() as u64;
        let separator = self.counts.num_tokens;
        self.tokens += self.weight * tokens.iter().filter(|&&token| token != separator).count() as u64;
        if joined < tokens.len() {
            self.close(lane);
            let tail = self.island_at_end(tokens).max(joined);
            for &start in &starts {
                let start = start as usize;
                if (joined..tail).contains(&start) {
                    let end = self.island_end(tokens, start);
                    self.islands.add(&tokens[start..end], self.weight);
                }
            }
            self.open[lane].extend_from_slice(&tokens[tail..]);
        }
        self.starts = starts;
    }

    fn end(&mut self, lane: usize) {
        self.close(lane);
    }

    fn block(&mut self) {
        if self.counts.since_spill > SPILL_AFTER {
            self.counts.spill(self.weight);
        }
        let open: usize = self.open.iter().map(Vec::len).sum();
        while self.kept > 0 && self.islands.size() + open > self.max_size {
            self.keep(self.kept / 2);
            if self.islands.is_empty() {
                break;
            }
        }
    }
}
