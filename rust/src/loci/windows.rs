//! Windows of one sequence: overlaps that are equal throughout. Every overlap starts where one of both starts.

use rustc_hash::FxHashMap;

use super::index::kmers;
use super::links::{Link, LinkKind, LinkedPair};
use super::options::LocusOptions;
use super::sequences::{Heads, SequenceSet, compare, small};

/// The sequences that start with each k-mer.
pub(super) struct WindowTable<'a> {
    set: &'a SequenceSet<'a>,
    starts: FxHashMap<u64, Vec<u32>>,
    k: usize,
    min_overlap: usize,
}

impl<'a> WindowTable<'a> {
    pub(super) fn new(set: &'a SequenceSet<'a>, heads: &Heads, options: &LocusOptions) -> Self {
        let k = options.k();
        let mut starts: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
        for &row in &heads.heads {
            let codes = set.codes(row);
            if codes.len() >= options.min_overlap
                && let Some((_, kmer)) = kmers(&codes[..k], k).next()
            {
                starts.entry(kmer.forward).or_default().push(row);
            }
        }
        Self { set, starts, k, min_overlap: options.min_overlap }
    }

    /// The pairs of a sequence and those that start in it.
    pub(super) fn windows_of(&self, holder: u32) -> Vec<LinkedPair> {
        let codes = self.set.codes(holder);
        let mut found = Vec::new();
        for (position, kmer) in
            kmers(codes, self.k).take_while(|(at, _)| at + self.min_overlap <= codes.len())
        {
            for &starter in self.starts.get(&kmer.forward).into_iter().flatten() {
                // Two that start alike meet twice: the later one of them looks.
                if starter == holder || (position == 0 && starter > holder) {
                    continue;
                }
                let shift = small(position).cast_signed();
                let agreement = compare(self.set.codes(starter), codes, shift);
                if agreement.overlap >= self.min_overlap && agreement.equal == agreement.overlap {
                    let is_later = starter > holder;
                    let (row, partner) = (starter.max(holder), starter.min(holder));
                    let shift = if is_later { shift } else { -shift };
                    let overlap = small(agreement.overlap);
                    found.push(LinkedPair {
                        row,
                        link: Link { kind: LinkKind::Window, partner, shift, overlap },
                    });
                }
            }
        }
        found
    }
}
