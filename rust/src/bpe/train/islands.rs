//! One pass over the text: exact pair counts, and the islands of a guessed set of pairs.
//!
//! # Why a pass can decide many merges
//!
//! Let `S` be any set of pairs. An *island* is a maximal run of tokens in which every adjacent pair
//! is in `S`. Order pairs as training does: larger count first, then smaller `(left, right)`; let
//! `theta` be the first pair in that order that is *not* in `S`. Now train on the islands alone,
//! starting from the exact counts of the pairs in `S`, for as long as the best pair comes before
//! `theta`. These are the merges that training on the whole text makes.
//!
//! *Proof.* Call the tokens at the start of the round old. Each token made in the round has one
//! derivation, so its first and last old tokens are fixed, and every occurrence of a pair `(X, Y)`
//! lies across one fixed adjacency `(a, b)` of old tokens, where `a` ends `X` and `b` begins `Y`.
//! If `(a, b)` is not in `S`, then `count(X, Y) <= count(a, b)`, and at equal counts
//! `(X, Y) >= (a, b)`, since a token made in the round is larger than any old one, so that
//! `X >= a`, and `X = a` implies `Y >= b`. So `(X, Y)` does not come before `(a, b)`, hence not
//! before `theta`, and is not chosen in this round. If `(a, b)` is in `S`, then the old tokens of
//! `X` and `Y` lie in one island: each merge inside them was itself chosen in this round, so by the
//! case above its adjacency is in `S`. So the islands hold all occurrences of `(X, Y)`, and the
//! counts in them are exact. A run such as `AAAA` lies in one island whole, so replacing from left
//! to right gives the same in the island as in the text. ∎
//!
//! Any `S` is safe; a bad one only commits fewer merges. If all counts are exact and `S` has the
//! first pair of the order, the round commits at least one. An upper bound in place of a count of a
//! pair outside `S` keeps the round exact too, since it can only move `theta` forward.
//!
//! # Example
//!
//! ```text
//! text     A C G A C G A C T
//! counts   (A, C) 3   (C, G) 2   (G, A) 2   (C, T) 1
//! S        (A, C), (C, G)                   so theta is (G, A) with 2
//! islands  A C G twice; A C once, which is not kept
//! replay   (A, C) comes before theta: merged into AC
//!          (AC, G) has 2, as theta has, and a larger left token: it does not come before, stop
//! ```
//!
//! On the whole text the next merge is `(G, AC)`, which lies across the adjacency `(G, A)` outside
//! `S`: the islands could not have told, and theta has stopped the replay in time.
//!
//! # Finding islands
//!
//! [`super::counts`] counts the pairs and says of each adjacency, as a bit, whether it is in `S`.
//! Islands are runs of ones in these bits, found in words of 64 without looking at each. Islands of
//! two tokens need not be kept: their only pair is counted, and after its merge nothing is left.
//! Most others are packed into one machine word: it holds 31 tokens of the first rounds and five of
//! a vocabulary of 4,096.
//!
//! Tried and dropped: an island list written in the same loop as the counts (the compiler runs out
//! of registers, and one loop takes longer than two); one branch per token on the bit (mispredicted
//! too often); shifting every token into the present island's word with masks (more instructions
//! per token than runs of bits need).
//!
//! # Bounded memory
//!
//! If a thread finds more islands than it may keep, it halves `S` (the less frequent half goes),
//! breaks up the islands it has and goes on; after the pass all threads agree on the smallest `S`.
//! That is sound because the islands of a subset of `S` are parts of the islands of `S`. If even
//! one pair has too many (a chromosome of one base), there are no islands and the round commits the
//! first pair only, which needs none.

use hashbrown::{HashMap, HashTable};
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

use super::counts::PairCounter;
use crate::bpe::encode::{LANES, TokenSink};
use crate::bpe::{Pair, Token};

/// Islands of three tokens and more with the number of their occurrences.
#[derive(Debug, Default)]
pub struct Islands {
    packing: IslandPacking,
    /// Islands that fit in a word.
    short: HashMap<u64, u64, FxBuildHasher>,
    /// All others: where they lie in `arena`, and their number.
    long: HashTable<Long>,
    arena: Vec<Token>,
}

/// An island that does not fit in a word: where it lies in the arena, and how often it occurs.
#[derive(Clone, Copy, Debug)]
struct Long {
    start: usize,
    length: usize,
    count: u64,
}

/// Short islands as one word: a one, then the tokens, all of the same number of bits. The leading
/// one says where the first token starts, so islands of different lengths differ. With tokens of 4
/// bits the island 2, 8, 1 is `1 0010 1000 0001`.
#[derive(Clone, Copy, Debug)]
struct IslandPacking {
    bits: u32,
    /// Tokens that fit behind the leading one.
    capacity: u32,
}

impl Default for IslandPacking {
    fn default() -> Self {
        Self::new(1 << 16)
    }
}

impl IslandPacking {
    /// For tokens below `num_tokens`.
    fn new(num_tokens: u32) -> Self {
        let bits = (u32::BITS - (num_tokens - 1).leading_zeros()).max(2);
        Self { bits, capacity: 63 / bits }
    }

    /// The island as a word; `None` if it is too long.
    fn pack(self, island: &[Token]) -> Option<u64> {
        let fits = island.len() <= self.capacity as usize;
        fits.then(|| island.iter().fold(1, |word, &token| word << self.bits | u64::from(token)))
    }

    /// The island of a word, into a scratch buffer.
    #[allow(clippy::cast_possible_truncation)] // cut into tokens
    fn unpack(self, word: u64, tokens: &mut Vec<Token>) {
        let mut shift = u64::BITS - 1 - word.leading_zeros();
        tokens.clear();
        while shift > 0 {
            shift -= self.bits;
            tokens.push((word >> shift & ((1 << self.bits) - 1)) as Token);
        }
    }
}

impl Islands {
    /// Counts `count` more occurrences of an island.
    pub fn add(&mut self, island: &[Token], count: u64) {
        if let Some(word) = self.packing.pack(island) {
            *self.short.entry(word).or_insert(0) += count;
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
        let mut tokens = Vec::new();
        #[allow(clippy::iter_over_hash_type)]
        for (&word, &count) in &self.short {
            self.packing.unpack(word, &mut tokens);
            visit(&tokens, count);
        }
        for long in &self.long {
            visit(&self.arena[long.start..][..long.length], long.count);
        }
    }

    /// The number of different islands.
    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens in all different islands, about: five for a short one, and one more for each long
    /// one.
    fn size(&self) -> usize {
        5 * self.short.len() + self.arena.len() + self.long.len()
    }

    /// Forgets all; tokens are below `num_tokens` from now on. The memory is kept.
    fn clear(&mut self, num_tokens: u32) {
        self.packing = IslandPacking::new(num_tokens);
        self.short.clear();
        self.long.clear();
        self.arena.clear();
    }
}

/// What one thread finds in a pass: it counts every adjacency and collects the islands of `S`.
///
/// Invariant between calls: every adjacency that was seen is in `counts`, and every island that has
/// ended is in `islands`. `open[lane]` is the maximal run of pairs of `S` at the end of what the
/// lane has seen, which the next tokens may make longer; it holds at least the last token, so that
/// the adjacency across two calls is counted by the second.
#[derive(Debug, Default)]
pub struct IslandFinder {
    /// The pair counts.
    pub counts: PairCounter,
    /// The islands.
    pub islands: Islands,
    /// `S`, first pair first; the first `kept` of it are still in use.
    guess: Vec<Pair>,
    /// How many pairs of `S` are still in use.
    pub kept: usize,
    /// The run of pairs of `S` at the end of what each lane has seen, its last token at least.
    open: [Vec<Token>; LANES],
    /// Of each adjacency just seen, as a bit, whether it is in `S`: a scratch buffer.
    guessed: Vec<u64>,
    /// Tokens in islands that may be kept.
    max_size: usize,
}

impl IslandFinder {
    /// Starts a pass for `S`, given in the order of training, which may keep islands of `max_size`
    /// tokens.
    pub fn start(&mut self, num_tokens: u32, guess: &[Pair], max_size: usize) {
        self.counts.reset(num_tokens, guess);
        self.islands.clear(num_tokens);
        self.guess = guess.to_vec();
        self.kept = guess.len();
        self.open = Default::default();
        self.max_size = max_size;
    }

    /// From now on each word counts `weight` times.
    pub fn set_weight(&mut self, weight: u64) {
        self.counts.set_weight(weight);
    }

    /// Counts a boundary pair: the adjacency across a cut, which no segment contains.
    pub fn count_boundary_pair(&mut self, pair: Pair) {
        self.counts.count(pair);
    }

    /// `S` as it was at the start of the pass.
    pub(super) fn guess(&self) -> &[Pair] {
        &self.guess
    }

    /// Leaves only the first `kept` pairs in `S`, and breaks up the islands accordingly; larger
    /// `kept` changes nothing.
    ///
    /// The islands of a subset of `S` are parts of the islands of `S`, so no text has to be read
    /// again. The same goes for the open ones: what is before their last run is complete now.
    pub fn keep(&mut self, kept: usize) {
        if kept >= self.kept {
            return;
        }
        self.counts.withdraw(&self.guess[kept..self.kept]);
        self.kept = kept;
        let empty = Islands { packing: self.islands.packing, ..Islands::default() };
        let broken = std::mem::replace(&mut self.islands, empty);
        broken.for_each(|island, count| self.add_parts(island, count));
        for lane in 0..LANES {
            let open = std::mem::take(&mut self.open[lane]);
            let tail = self.island_at_end(&open);
            self.add_parts(&open[..tail], self.counts.weight());
            self.open[lane] = open[tail..].to_vec();
        }
    }

    /// Counts the islands of `S` in a run of tokens that occurs `count` times.
    pub(super) fn add_parts(&mut self, tokens: &[Token], count: u64) {
        let counts = &self.counts;
        for island in tokens.chunk_by(|&left, &right| counts.is_guessed((left, right))) {
            if island.len() > 2 {
                self.islands.add(island, count);
            }
        }
    }

    /// Halves `S` until the islands are within the capacity. Called between blocks, so it is
    /// exceeded by a block at most.
    pub(super) fn bound(&mut self) {
        let open: usize = self.open.iter().map(Vec::len).sum();
        while self.kept > 0 && self.islands.size() + open > self.max_size {
            self.keep(self.kept / 2);
            if self.islands.is_empty() {
                break;
            }
        }
    }

    /// Where the island starts that `tokens` end with.
    fn island_at_end(&self, tokens: &[Token]) -> usize {
        let mut start = tokens.len().saturating_sub(1);
        while start > 0 && self.counts.is_guessed((tokens[start - 1], tokens[start])) {
            start -= 1;
        }
        start
    }

    /// Ends the word that the lane is in.
    fn end_word(&mut self, lane: usize) {
        let separator = self.counts.separator();
        if let Some(&last) = self.open[lane].last().filter(|&&last| last != separator) {
            self.counts.count((last, separator));
        }
        self.close(lane);
    }

    /// The open island of the lane has ended.
    fn close(&mut self, lane: usize) {
        if self.open[lane].len() > 2 {
            self.islands.add(&self.open[lane], self.counts.weight());
        }
        self.open[lane].clear();
    }

    /// Joins the first of `tokens` to the lane's open island, and returns where the next one
    /// starts.
    ///
    /// It counts the adjacency from the last token before to the first of `tokens`, and those that
    /// it goes on over: so from the returned place on, adjacencies are still to be counted.
    fn join(&mut self, lane: usize, tokens: &[Token], continuing: bool) -> usize {
        let mut joined = 0;
        if !continuing {
            self.end_word(lane);
        }
        if continuing && let Some(&last) = self.open[lane].last() {
            let mut last = last;
            while joined < tokens.len() && self.counts.count((last, tokens[joined])) {
                last = tokens[joined];
                self.open[lane].push(last);
                joined += 1;
            }
        }
        if joined < tokens.len() {
            self.close(lane);
        }
        joined
    }
}

/// Runs of ones in a row of bits, as [`PairCounter::count_all`] writes it: with a zero behind the
/// last bit.
struct Runs<'a>(&'a [u64]);

impl Runs<'_> {
    /// Shows where each run of two or more ones starts and ends (exclusive).
    ///
    /// `starts` has a one where a run starts: a one with a one after it and none before, across
    /// words too. So the loop runs once for each run, and not for each bit.
    fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let Self(words) = *self;
        let mut before = 0;
        for (number, &word) in words.iter().enumerate() {
            let after = words.get(number + 1).map_or(0, |next| next << 63);
            let mut starts = word & (word >> 1 | after) & !(word << 1 | before);
            before = word >> 63;
            while starts != 0 {
                let start = number * 64 + starts.trailing_zeros() as usize;
                visit(start, self.end(start));
                starts &= starts - 1;
            }
        }
    }

    /// The first zero after `at`. There is one.
    fn end(&self, at: usize) -> usize {
        let mut number = at / 64;
        let mut zeros = !self.0[number] >> (at % 64) << (at % 64);
        while zeros == 0 {
            number += 1;
            zeros = !self.0[number];
        }
        number * 64 + zeros.trailing_zeros() as usize
    }

    /// Whether the bit at `at` is one.
    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }
}

impl TokenSink for IslandFinder {
    /// Counts a block of one lane in two loops: one over tokens that only counts, one over runs
    /// that only collects.
    ///
    /// Adjacency `i` lies between `tokens[i]` and `tokens[i + 1]`, so a run of ones from `start` to
    /// `end` is an island of the tokens from `start` to `end` inclusive. The run that reaches the
    /// last token stays open.
    fn tokens(&mut self, lane: usize, tokens: &[Token], continuing: bool) {
        let joined = self.join(lane, tokens, continuing);
        let tokens = &tokens[joined..];
        if tokens.is_empty() {
            return;
        }
        self.counts.count_all(tokens, &mut self.guessed);
        let runs = Runs(&self.guessed);
        let last = tokens.len() - 1;
        runs.for_each(|start, end| {
            if end < last {
                self.islands.add(&tokens[start..=end], self.counts.weight());
            }
        });
        let tail = (0..last).rev().take_while(|&at| runs.has(at)).count();
        self.open[lane].extend_from_slice(&tokens[last - tail..]);
    }

    fn end(&mut self, lane: usize) {
        self.end_word(lane);
    }

    fn block(&mut self) {
        self.bound();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_the_tokens_that_fit_behind_a_one() {
        for (num_tokens, bits, capacity) in [(4, 2, 31), (5, 3, 21), (4096, 12, 5), (4097, 13, 4)] {
            let packing = IslandPacking::new(num_tokens);
            assert_eq!((packing.bits, packing.capacity), (bits, capacity));
            let island = vec![num_tokens - 1; capacity as usize];
            let mut found = Vec::new();
            packing.unpack(packing.pack(&island).unwrap_or(1), &mut found);
            assert_eq!(found, island);
            assert_eq!(packing.pack(&vec![0; capacity as usize + 1]), None);
        }
    }

    #[test]
    fn size_counts_different_islands_and_bounds_what_is_kept() {
        let mut islands = Islands::default();
        assert!(islands.is_empty());
        islands.add(&[1, 2, 3], 1);
        islands.add(&[1, 2, 3], 1);
        assert_eq!((islands.len(), islands.size()), (1, 5));
        islands.add(&[1, 2, 3, 4, 5, 6], 1);
        islands.add(&[1, 2, 3, 4, 5, 6], 1);
        assert_eq!((islands.len(), islands.size(), islands.is_empty()), (2, 5 + 6 + 1, false));
        islands.clear(4);
        assert_eq!((islands.len(), islands.size(), islands.is_empty()), (0, 0, true));
    }

    #[test]
    fn a_finder_halves_its_pairs_only_when_it_keeps_too_much() {
        let guess = [(0, 1), (1, 2), (2, 3), (3, 0)];
        // An island of three tokens, and a token that stays open: six in all.
        let tokens = [[0, 1, 2, 2], [2, 3, 0, 0]];
        for (tokens, max_size, kept) in [(tokens[0], 6, 4), (tokens[0], 5, 1), (tokens[1], 5, 2)] {
            let mut finder = IslandFinder::default();
            finder.start(4, &guess, max_size);
            finder.tokens(0, &tokens, false);
            finder.block();
            assert_eq!((finder.kept, finder.islands.len()), (kept, usize::from(max_size == 6)));
            assert_eq!(finder.counts.get((tokens[0], tokens[1])), 1);
        }
    }
}
