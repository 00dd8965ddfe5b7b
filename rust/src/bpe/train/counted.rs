//! What a pass has counted: pairs and islands, a share for each thread.
//!
//! A local pass fills the share of every thread; a remote one adds the sum of the shards to the
//! first.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::counts::PairCounter;
use super::islands::{IslandFinder, Islands};
use super::replay::MergePriority;
use crate::bpe::{Pair, Token};

/// Stands for a pair that is not known, because entries are shared. It comes before all pairs of
/// equal count, so that a theta made of it is never too late.
const UNKNOWN: Pair = (0, 0);

/// What the threads found in the last pass: all of it adds up, and only sums over all threads mean
/// anything.
pub(super) struct PassCounts {
    /// A finder for each thread.
    pub(super) finders: Vec<IslandFinder>,
    /// The number of tokens when the counts were made; 0 before the first pass, and where the
    /// counts are not those of the table, so that no pair is judged by them.
    pub(super) num_tokens: Token,
}

impl PassCounts {
    /// Nothing yet, for the threads of the present pool.
    pub(super) fn new() -> Self {
        let finders = (0..rayon::current_num_threads()).map(|_| IslandFinder::default()).collect();
        Self { finders, num_tokens: 0 }
    }

    /// Starts a pass for `S` over a text in the first `num_tokens` tokens; each thread may keep
    /// `max_size` tokens of islands.
    pub(super) fn start(&mut self, num_tokens: Token, guess: &[Pair], max_size: usize) {
        self.finders.par_iter_mut().for_each(|finder| finder.start(num_tokens, guess, max_size));
        self.num_tokens = num_tokens;
    }

    /// The count of a pair in the last pass, or for a pair outside `S` an upper bound.
    pub(super) fn count(&self, pair: Pair) -> u64 {
        self.finders.iter().map(|finder| finder.counts.get(pair)).sum()
    }

    /// Whether each pair has an entry of its own.
    pub(super) fn is_dense(&self) -> bool {
        self.finders[0].counts.is_dense()
    }

    /// The pair counts of all threads, to be added up.
    pub(super) fn tables(&self) -> Vec<&PairCounter> {
        self.finders.iter().map(|finder| &finder.counts).collect()
    }

    /// The islands of all threads.
    pub(super) fn islands(&self) -> Vec<&Islands> {
        self.finders.iter().map(|finder| &finder.islands).collect()
    }

    /// Lets all threads keep the same first part of `S`, the shortest of any; returns how many
    /// pairs it has.
    ///
    /// A thread that ran out of memory has fewer; islands of different sets would not add up.
    pub(super) fn agree(&mut self) -> usize {
        let kept = self.finders.iter().map(|finder| finder.kept).min().unwrap_or(0);
        self.finders.par_iter_mut().for_each(|finder| finder.keep(kept));
        kept
    }

    /// The first pair, in the order of training, outside `S` that `may_merge`, and others that come
    /// near.
    ///
    /// Pairs with counts below `least` are passed over; if there is no other, the unknown pair with
    /// the count `least` stands for them, which only makes theta greater. Rows of the table are
    /// shared among threads.
    pub(super) fn look_outside(
        &self,
        least: u64,
        may_merge: impl Fn(Pair) -> bool + Sync,
    ) -> (Option<MergePriority>, Vec<Pair>) {
        let counts = self.tables();
        let look = |row: u32| {
            let (mut best, mut near) = (None, Vec::new());
            PairCounter::outside(&counts, row, least, |total, pair| {
                if pair.is_none_or(&may_merge) {
                    best = best.max(Some((total, Reverse(pair.unwrap_or(UNKNOWN)))));
                    near.extend(pair);
                }
            });
            (best, near)
        };
        let rows: Vec<_> = (0..counts[0].rows()).into_par_iter().map(look).collect();
        let near = rows.iter().flat_map(|(_, near)| near).copied().collect();
        // Pairs that were passed over are rarer than the least.
        let best = rows.iter().filter_map(|&(best, _)| best).max();
        (best.or((least > 1).then_some((least, Reverse(UNKNOWN)))), near)
    }
}
