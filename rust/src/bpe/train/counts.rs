//! Exact counts of pairs of tokens, and a set of pairs to watch for.
//!
//! Two bytes per pair hold fourteen bits of its count, whether more was *carried* to a map of
//! 64-bit counts, and in the top bit, whether the pair is in the watched set `S`: one look-up per
//! token for both.
//!
//! ```text
//! bit    15          14          13 ... 0
//!        GUESSED     CARRIED     occurrences since the last carry
//! ```
//!
//! Up to [`DENSE_TOKENS`] tokens the table has an entry for each pair. Beyond, pairs share 2^24
//! entries by a hash: the entry of a pair outside `S` is an upper bound, and pairs in `S` have
//! counters of their own. Tables of the first rounds are so small that the same entry is met again
//! before its last increment is stored; they are kept four times, and neighbouring adjacencies
//! count in different copies.
//!
//! Most pairs of a large vocabulary are met now and then all over the table, so that the pass waits
//! for memory: entries of 32 bits, 64 MB for 4,096 tokens, make training slower. With one byte per
//! pair, what memory gains, carrying every 64th increment loses.
//!
//! # Invariant
//!
//! The count of an entry is the sum of the low fourteen bits over its copies, times `weight`, and
//! what `carried` has for it. `carried` has something only if a copy has the bit `CARRIED`; so most
//! totals need no look-up in the map. All copies of an entry have the same bit `GUESSED`.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::bpe::{Pair, Token};

/// Up to this many tokens, with the separator, each pair has a table entry of its own: 32 MiB for
/// each thread.
pub const DENSE_TOKENS: u32 = 1 << 12;
/// Entries of the table beyond that, likewise 32 MiB.
const HASHED_ENTRIES: usize = 1 << 24;
/// The top bit of an entry: the pair (or some pair of this entry) is in `S`.
const GUESSED: u16 = 1 << 15;
/// Part of the count of this entry is in the map.
const CARRIED: u16 = 1 << 14;
/// The other bits count.
const COUNT: u16 = CARRIED - 1;

/// Pair counts of one thread.
#[derive(Debug)]
pub struct PairCounter {
    /// Tokens below this number, and the separator, which is this number.
    num_tokens: u32,
    /// The copies of the table, one after the other; `entries[left * (num_tokens + 1) + right]` if
    /// it is dense.
    entries: Vec<u16>,
    /// Counts moved out of `entries`, by entry, with their weight.
    carried: FxHashMap<usize, u64>,
    /// For shared entries: the exact counters of the pairs in `S`.
    exact: FxHashMap<Pair, u64>,
    /// How often each adjacency counts that is in `entries`.
    weight: u64,
}

impl Default for PairCounter {
    fn default() -> Self {
        let (carried, exact) = Default::default();
        Self { num_tokens: 0, entries: Vec::new(), carried, exact, weight: 1 }
    }
}

impl PairCounter {
    /// Forgets all and prepares for tokens below `num_tokens` (the separator's number), each
    /// adjacency counting once. Time: that of clearing the table. Its memory is kept from pass to
    /// pass.
    pub fn reset(&mut self, num_tokens: u32, guess: &[Pair]) {
        self.num_tokens = num_tokens;
        self.entries.clear();
        self.entries.resize(self.table_size() * self.copies(), 0);
        self.carried.clear();
        self.exact.clear();
        self.weight = 1;
        for &pair in guess {
            let entry = self.entry(pair);
            let size = self.table_size();
            (0..self.copies()).for_each(|copy| self.entries[copy * size + entry] = GUESSED);
            if !self.is_dense() {
                self.exact.insert(pair, 0);
            }
        }
    }

    /// How often each adjacency counts.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// From now on each adjacency counts `weight` times. What is in the table counted with the old
    /// weight and is carried.
    pub(super) fn set_weight(&mut self, weight: u64) {
        if weight != self.weight {
            self.carry_all();
            self.weight = weight;
        }
    }

    /// Whether each pair has an entry of its own.
    pub fn is_dense(&self) -> bool {
        self.num_tokens < DENSE_TOKENS
    }

    /// Entries of one table.
    pub(super) fn table_size(&self) -> usize {
        if self.is_dense() { (self.num_tokens as usize + 1).pow(2) } else { HASHED_ENTRIES }
    }

    /// How many times a small dense table is kept.
    fn copies(&self) -> usize {
        if self.num_tokens < 64 { 4 } else { 1 }
    }

    /// Where the pair is counted, in the first copy.
    #[inline]
    fn entry(&self, (left, right): Pair) -> usize {
        if self.is_dense() {
            left as usize * (self.num_tokens as usize + 1) + right as usize
        } else {
            hashed_entry((left, right))
        }
    }

    /// Adds to an entry what another process counted.
    pub(super) fn add(&mut self, entry: usize, count: u64) {
        let flags = self.entries[entry] & !COUNT;
        let total = entry_count(self.entries[entry]) + count;
        let low = total % u64::from(CARRIED);
        let carried = if total > low { CARRIED } else { 0 };
        #[allow(clippy::cast_possible_truncation)] // fourteen bits
        let entry_now = flags | carried | low as u16;
        self.entries[entry] = entry_now;
        if total > low {
            *self.carried.entry(entry).or_insert(0) += total - low;
        }
    }

    /// Adds to the counter of a pair of `S`, or to its entry if it has none.
    pub(super) fn add_exact(&mut self, pair: Pair, count: u64) {
        match self.exact.get_mut(&pair) {
            Some(sum) => *sum += count,
            None => self.add(self.entry(pair), count),
        }
    }

    /// The counter of a pair that has one of its own beside the table.
    pub(super) fn exact(&self, pair: Pair) -> Option<u64> {
        self.exact.get(&pair).copied()
    }

    /// Shared entries whose pairs may have been counted `least` times, over several threads'
    /// counts, as bits: bit `i % 64` of word `i / 64` is for entry `i`. Time: a look at every
    /// entry, shared among threads.
    pub(super) fn shared_bits(all: &[&Self], least: u64) -> Vec<u64> {
        let total = |entry: usize| all.iter().map(|counts| counts.total_of(entry)).sum::<u64>();
        let word = |word: usize| {
            (0..64).fold(0, |bits, bit| bits | u64::from(total(word * 64 + bit) >= least) << bit)
        };
        let mut bits: Vec<u64> = (0..HASHED_ENTRIES / 64).into_par_iter().map(word).collect();
        let Some(this) = all.first() else { return bits };
        #[allow(clippy::iter_over_hash_type)] // bits are set in any order
        for &pair in this.exact.keys() {
            if all.iter().filter_map(|counts| counts.exact(pair)).sum::<u64>() >= least {
                let entry = hashed_entry(pair);
                bits[entry / 64] |= 1 << (entry % 64);
            }
        }
        bits
    }

    /// The same entries by number, sorted.
    pub(super) fn shared_from(all: &[&Self], least: u64) -> Vec<u32> {
        let bits = Self::shared_bits(all, least);
        let entries = 0..u32::try_from(HASHED_ENTRIES).unwrap_or(u32::MAX);
        entries.filter(|&entry| bits[entry as usize / 64] >> (entry % 64) & 1 == 1).collect()
    }

    /// Counts the adjacencies of `tokens`, and says of each, as a bit, whether it is in `S`.
    ///
    /// Bit `i % 64` of word `i / 64` is for `tokens[i], tokens[i + 1]`; a word of zeros at the end
    /// stops every run. This is where a pass spends most of its time.
    pub(super) fn count_all(&mut self, tokens: &[Token], guessed: &mut Vec<u64>) {
        guessed.clear();
        // A chunk of 65 tokens has 64 adjacencies; chunks overlap by a token, so that each adjacency is in one.
        let mut rest = tokens;
        while rest.len() > 1 {
            let chunk = &rest[..rest.len().min(65)];
            let bits = if self.is_dense() { self.count_dense(chunk) } else { self.count_hashed(chunk) };
            guessed.push(bits);
            rest = &rest[chunk.len() - 1..];
        }
        guessed.push(0);
    }

    /// Up to 65 tokens where pairs share entries.
    fn count_hashed(&mut self, tokens: &[Token]) -> u64 {
        let flags = tokens.windows(2).map(|pair| u64::from(self.count((pair[0], pair[1]))));
        flags.zip(0..).fold(0, |bits, (flag, at)| bits | flag << at)
    }

    /// Up to 65 tokens where each pair has its entry: no branch but the carry, which is rare, and
    /// the bit in `S` comes with the increment. Adjacency `at` counts in copy `at % copies`; the
    /// number of copies is a power of two.
    #[inline]
    fn count_dense(&mut self, tokens: &[Token]) -> u64 {
        let (stride, size, wrap) = (self.num_tokens as usize + 1, self.table_size(), self.copies() - 1);
        let mut row = tokens[0] as usize * stride;
        let mut bits = 0;
        for (&right, at) in tokens[1..].iter().zip(0_usize..) {
            let before = self.increment((at & wrap) * size + row + right as usize);
            bits |= u64::from(before >> 15) << at;
            row = right as usize * stride;
        }
        bits
    }

    /// Counts one more for an entry; returns what it was before.
    ///
    /// An increment of 14 full bits spills into the bit `CARRIED`, so it is taken back by
    /// [`Self::carry`], which writes the entry anew.
    #[inline]
    fn increment(&mut self, at: usize) -> u16 {
        let entry = &mut self.entries[at];
        let before = *entry;
        *entry = before.wrapping_add(1);
        if before & COUNT == COUNT {
            self.carry(at, before);
        }
        before
    }

    /// An entry that was `before`, full, counts one more: 2^14 go to the map, and it starts from 0.
    /// Out of line, so that the loop of increments stays short.
    #[cold]
    #[inline(never)]
    fn carry(&mut self, at: usize, before: u16) {
        self.entries[at] = before & GUESSED | CARRIED;
        *self.carried.entry(at % self.table_size()).or_insert(0) += u64::from(CARRIED) * self.weight;
    }

    /// Counts one adjacency; returns whether it is in `S`.
    pub(super) fn count(&mut self, pair: Pair) -> bool {
        let at = self.entry(pair);
        if !self.is_dense() {
            if self.num_tokens == pair.0.max(pair.1) {
                // The separator is no token; it must not share an entry with pairs that are.
                return false;
            }
            if self.entries[at] & GUESSED != 0
                && let Some(count) = self.exact.get_mut(&pair)
            {
                *count += self.weight;
                return true;
            }
        }
        self.increment(at) & GUESSED != 0 && self.is_dense()
    }

    /// Whether the pair is in `S`.
    pub(super) fn is_guessed(&self, pair: Pair) -> bool {
        self.entries[self.entry(pair)] & GUESSED != 0 && (self.is_dense() || self.exact.contains_key(&pair))
    }

    /// Takes pairs out of `S`; their counts stay, of shared entries in the entry from now on.
    pub(super) fn withdraw(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            let at = self.entry(pair);
            if self.is_dense() {
                let size = self.table_size();
                (0..self.copies()).for_each(|copy| self.entries[copy * size + at] &= !GUESSED);
            } else if let Some(count) = self.exact.remove(&pair) {
                *self.carried.entry(at).or_insert(0) += count;
                self.entries[at] |= CARRIED;
            }
        }
    }

    /// The number that separates words, which is no token.
    pub(super) fn separator(&self) -> Token {
        self.num_tokens
    }

    /// Moves all counts out of the table.
    fn carry_all(&mut self) {
        let size = self.table_size();
        for (at, entry) in self.entries.iter_mut().enumerate() {
            let count = *entry & COUNT;
            if count > 0 {
                *entry = *entry & GUESSED | CARRIED;
                *self.carried.entry(at % size).or_insert(0) += u64::from(count) * self.weight;
            }
        }
    }

    /// How often the pair was counted, or, of a pair outside `S` with a shared entry, at least
    /// that.
    pub fn get(&self, pair: Pair) -> u64 {
        if !self.is_dense()
            && let Some(&count) = self.exact.get(&pair)
        {
            return count;
        }
        self.total_of(self.entry(pair))
    }

    /// What was counted in an entry: over all copies, and what was carried.
    pub(super) fn total_of(&self, entry: usize) -> u64 {
        let copies = self.entries[entry..].iter().step_by(self.table_size()).take(self.copies());
        let (sum, flags) =
            copies.fold((0, 0), |(sum, flags), &entry| (sum + entry_count(entry), flags | entry));
        let carried = if flags & CARRIED == 0 { None } else { self.carried.get(&entry) };
        sum + carried.copied().unwrap_or(0)
    }

    /// The totals, over several threads' counts, of the entries in a row of the table that pairs
    /// outside `S` count to, with that pair if it is known; only those of at least `least`.
    ///
    /// Most entries are far below: if no thread has its share of `least`, the sum cannot reach it,
    /// and nothing is added up. The test reads the entries as they are; the bit `CARRIED` makes an
    /// entry large.
    pub fn outside(all: &[&Self], row: u32, least: u64, mut visit: impl FnMut(u64, Option<Pair>)) {
        let Some(&this) = all.first() else { return };
        let (dense, width) = (this.is_dense(), this.row_width());
        let range = row as usize * width..(row as usize + 1) * width;
        let rows: Vec<&[u16]> = all.iter().map(|counts| &counts.entries[range.clone()]).collect();
        // What is small everywhere need not be added up.
        let small =
            if this.copies() == 1 { least.div_ceil(all.len() as u64).min(u64::from(CARRIED)) } else { 0 };
        let is_small = |at: usize| rows.iter().all(|row| u64::from(row[at] & !GUESSED) < small);
        for ((at, &entry), right) in rows[0].iter().enumerate().take(width - usize::from(dense)).zip(0..) {
            if dense && entry & GUESSED != 0 || is_small(at) {
                continue;
            }
            let total = all.iter().map(|counts| counts.total_of(range.start + at)).sum();
            if total >= least {
                visit(total, dense.then_some((row, right)));
            }
        }
    }

    /// Entries in a row.
    fn row_width(&self) -> usize {
        if self.is_dense() { self.num_tokens as usize + 1 } else { HASHED_ENTRIES / self.rows() as usize }
    }

    /// How many rows [`outside`](Self::outside) knows: a token's each, or parts of the shared
    /// entries. Threads share them.
    pub fn rows(&self) -> u32 {
        if self.is_dense() { self.num_tokens } else { 4096 }
    }
}

/// The entry of a pair where several share one. The same in every process: shards name entries to
/// each other.
pub(super) fn hashed_entry((left, right): Pair) -> usize {
    (left as usize).wrapping_mul(0x9E37_79B9).wrapping_add(right as usize) % HASHED_ENTRIES
}

/// What an entry itself has counted, without flags.
fn entry_count(entry: u16) -> u64 {
    u64::from(entry & COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_outside_are_shown_from_the_least_count_on() {
        // A small table is kept four times, a large one once; two threads share the counts.
        for (num_tokens, threads) in [(8, 1), (8, 2), (100, 1), (100, 2)] {
            let mut all: Vec<PairCounter> = (0..threads).map(|_| PairCounter::default()).collect();
            all.iter_mut().for_each(|counts| counts.reset(num_tokens, &[(3, 5)]));
            for (right, count) in [(1, 1), (2, 2), (4, 3), (5, 6), (6, 4), (7, 20_000)] {
                (0..count).for_each(|number| _ = all[number % threads].count((3, right)));
                _ = all[0].count((3, num_tokens));
            }
            let all: Vec<&PairCounter> = all.iter().collect();
            for least in 1..6 {
                let mut found = Vec::new();
                PairCounter::outside(&all, 3, least, |total, pair| found.push((total, pair)));
                let of = |right, total| (total >= least).then_some((total, Some((3, right))));
                let expected = [of(1, 1), of(2, 2), of(4, 3), of(6, 4), of(7, 20_000)];
                assert_eq!(found, expected.into_iter().flatten().collect::<Vec<_>>(), "from {least} on");
            }
        }
    }

    #[test]
    fn what_others_counted_is_added_whatever_its_size() {
        let mut counts = PairCounter::default();
        counts.reset(4, &[(1, 2)]);
        let entry = counts.entry((1, 2));
        let mut sum = 0;
        for count in [5, 16_378, 1, 20_000, (1 << 40) + 3] {
            counts.add(entry, count);
            sum += count;
            assert_eq!((counts.get((1, 2)), counts.is_guessed((1, 2))), (sum, true));
            let mut alone = PairCounter::default();
            alone.reset(4, &[]);
            alone.add(entry, count);
            assert_eq!((alone.get((1, 2)), alone.is_guessed((1, 2))), (count, false));
        }
        counts.add_exact((2, 1), 7);
        assert_eq!((counts.get((2, 1)), counts.is_guessed((2, 1)), counts.exact((2, 1))), (7, false, None));

        counts.reset(DENSE_TOKENS, &[(1, 2)]);
        counts.add_exact((1, 2), 7);
        counts.add_exact((2, 1), 9);
        assert_eq!((counts.exact((1, 2)), counts.exact((2, 1)), counts.get((2, 1))), (Some(7), None, 9));
    }

    #[test]
    fn tables_are_as_large_as_they_say() {
        let mut counts = PairCounter::default();
        for (num_tokens, size, copies, rows) in
            [(4, 25, 4, 4), (63, 64 * 64, 4, 63), (64, 65 * 65, 1, 64), (DENSE_TOKENS, 1 << 24, 1, 4096)]
        {
            counts.reset(num_tokens, &[]);
            assert_eq!((counts.table_size(), counts.copies(), counts.rows()), (size, copies, rows));
            assert_eq!(counts.entries.len(), size * copies);
            assert_eq!(counts.is_dense(), num_tokens < 4096);
        }
    }
}
