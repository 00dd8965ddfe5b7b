//! Sequences that come from one locus: copies, overlapping windows, and similar ones, over several groups of them.
//!
//! A labelled set whose test rows overlap rows of train measures memory. This module finds those rows. The sequences come
//! in *groups*, one behind the other: the splits of a set, or one side of the pairs of a split.
//!
//! # Definitions
//!
//! A *diagonal* of two sequences puts base 0 of the one at base `shift` of the other; its *overlap* is where both have a
//! base. A symbol other than A, C, G and T equals nothing, not even itself; case does not count. Two sequences are
//!
//! 1. *copies* if they have the same symbols;
//! 2. *windows* of one sequence if some diagonal of the forward strand has an overlap of at least
//!    [`LocusOptions::min_overlap`] bases that are equal throughout;
//! 3. *reverse copies* if one is the reverse complement of the other;
//! 4. *similar* if some diagonal of either strand has a run of at least `min_overlap` equal bases and at least the share
//!    [`LocusOptions::min_identity`] of its overlap is equal.
//!
//! Every sequence gets a [`Link`] to each group: the first of these kinds for which some sequence before it in the order of
//! all is in that relation, and of these sequences the one with the longest overlap, then the first. A *cluster* is a
//! connected component under all four relations, so two sequences without a common cluster share no locus.
//!
//! # How copies and windows are found
//!
//! Copies by a table of all texts. Of equal texts in a group only the first is compared further: the others would give
//! the same links. An overlap of two windows begins where one of both sequences starts. So a table of the first k-mer of
//! each sequence, looked up at every position of every sequence, meets every pair of windows; the overlap is then
//! compared. No pair is missed, whatever repeats there are.
//!
//! # How similar sequences are found
//!
//! k is the largest odd number up to 31 and `min_overlap`: then a k-mer has 62 bits and is never its own reverse
//! complement. Of each sequence the index holds the k-mers at the multiples of `min_overlap - k + 1`, under the smaller of
//! the k-mer and its reverse complement. *Claim:* every run of `min_overlap` equal bases holds an indexed k-mer. The run has
//! `min_overlap - k + 1` consecutive positions of k-mers, and one of them is a multiple. So the k-mers of a sequence at all
//! positions, looked up in the index, give every diagonal that may satisfy the rule, on either strand; each is compared
//! once, base by base.
//!
//! K-mers of repeats would link thousands of sequences that are no copies of one locus. A k-mer that the index holds for
//! more than [`LocusOptions::max_sequences`] sequences is left out, and counted. A pair is missed if all indexed k-mers that
//! it shares are such. Copies and windows do not depend on this limit.
//!
//! # Cost
//!
//! Time is linear in the bases, plus the comparison of each diagonal that is met. Memory: 2 bytes per base, 40 bytes for each
//! indexed k-mer (one in `min_overlap - k + 1` bases: 2 bytes per base with the defaults), 16 bytes for each sequence
//! and group, and the pairs of a block of sequences: in sets of nothing but one repeat, such as runs of A of all lengths,
//! these are the larger part.
//!
//! # Alternatives
//!
//! An alignment (BLAST, as homology-aware splits use it) also finds homologs with gaps; it needs minutes and another program.
//! A sketch of few k-mers for each sequence finds copies with substitutions, but not windows that share a quarter.

mod clusters;
mod index;
mod links;
mod options;
mod sequences;
mod windows;

pub use links::{Link, LinkKind};
pub use options::LocusOptions;

use rayon::prelude::*;

use crate::error::Result;
use crate::monitor::Monitor;
use clusters::Clusters;
use index::LocusIndex;
use links::{BestLinks, LinkedPair};
use sequences::SequenceSet;
use windows::WindowTable;

/// Sequences whose pairs are in memory together, and that are compared between two looks for a cancellation.
const BLOCK: usize = 64;

/// What was found.
#[derive(Debug)]
pub struct FoundLoci {
    /// For each sequence its link to each group: `num_sequences * num_groups`, those of a sequence in a row. Groups behind
    /// its own have none.
    pub links: Vec<Link>,
    /// The cluster of each sequence, numbered in the order of their first sequences.
    pub clusters: Vec<u32>,
    /// Number of k-mers that were left out, as more than `max_sequences` hold them.
    pub frequent_kmers: u64,
    /// Number of sequences for which the index lacks a k-mer for this reason.
    pub frequent_sequences: u64,
}

/// Finds the loci of sequences, in the current thread pool.
///
/// `bytes` are the sequences back to back and `offsets` their starts and the end of the last; `sizes` is the number of
/// sequences in each group. Fails if an option is out of range, if there are 2^31 sequences or bases in one of them, or
/// if cancelled.
pub fn find_loci(
    bytes: &[u8],
    offsets: &[usize],
    sizes: &[usize],
    options: &LocusOptions,
    monitor: &Monitor,
) -> Result<FoundLoci> {
    options.check()?;
    let set = SequenceSet::new(bytes, offsets, sizes)?;
    let mut links = BestLinks::new(set.len(), sizes.len());
    let mut clusters = Clusters::new(set.len());
    let heads = set.copies(|row, partner, kind| {
        let group = set.group(partner);
        links.offer(row, group, Link { kind, partner, shift: 0, overlap: set.length(row) });
        clusters.join(row, partner);
    });
    monitor.check()?;

    let mut take = |pairs: Vec<LinkedPair>| {
        for LinkedPair { row, link } in pairs {
            links.offer(row, set.group(link.partner), link);
            clusters.join(row, link.partner);
        }
    };
    let table = WindowTable::new(&set, &heads, options);
    for block in heads.heads.chunks(BLOCK) {
        monitor.check()?;
        take(block.par_iter().flat_map_iter(|&row| table.windows_of(row)).collect());
    }
    drop(table);
    let index = LocusIndex::new(&set, &heads, options);
    for block in heads.heads.chunks(BLOCK) {
        monitor.check()?;
        take(block.par_iter().flat_map_iter(|&row| index.similar_to(row)).collect());
    }
    links.share(&heads.followers, |row| set.group(row));
    Ok(FoundLoci {
        links: links.into_inner(),
        clusters: clusters.numbered(),
        frequent_kmers: index.frequent_kmers,
        frequent_sequences: index.frequent_sequences,
    })
}

#[cfg(test)]
mod tests;
