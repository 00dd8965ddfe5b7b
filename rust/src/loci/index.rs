//! Similar sequences: an index of some k-mers of each, and the comparison of the diagonals that it gives.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::links::{Link, LinkKind, LinkedPair};
use super::options::LocusOptions;
use super::sequences::{Agreement, Heads, SequenceSet, compare, reverse_complement, small};

/// A k-mer and its reverse complement, at 2 bits per base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StrandedKmer {
    pub(super) forward: u64,
    pub(super) reverse: u64,
}

impl StrandedKmer {
    fn canonical(self) -> u64 {
        self.forward.min(self.reverse)
    }

    fn is_forward(self) -> bool {
        self.forward < self.reverse
    }
}

/// The k-mers of codes with their positions, without those that hold another symbol; k is at most 31.
pub(super) fn kmers(codes: &[u8], k: usize) -> impl Iterator<Item = (usize, StrandedKmer)> + '_ {
    let mask = (1 << (2 * k)) - 1;
    let top = 2 * (k - 1);
    let (mut forward, mut reverse, mut known) = (0_u64, 0_u64, 0);
    codes.iter().enumerate().filter_map(move |(at, &code)| {
        if code > 3 {
            known = 0;
            return None;
        }
        known += 1;
        forward = (forward << 2 | u64::from(code)) & mask;
        reverse = reverse >> 2 | u64::from(code ^ 3) << top;
        (known >= k).then(|| (at + 1 - k, StrandedKmer { forward, reverse }))
    })
}

/// Where an indexed k-mer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    row: u32,
    /// Twice the position; one more if the k-mer is the greater one of itself and its reverse complement.
    position: u32,
}

/// A diagonal to be compared: the partner, whether on the reverse strand, and the shift.
type Diagonal = (u32, bool, i32);

/// The k-mers at every `step`-th position of each sequence.
pub(super) struct LocusIndex<'a> {
    set: &'a SequenceSet<'a>,
    places: Vec<Place>,
    /// Of each k-mer its first place and their number.
    ranges: FxHashMap<u64, (u32, u32)>,
    options: LocusOptions,
    pub(super) frequent_kmers: u64,
    pub(super) frequent_sequences: u64,
}

impl<'a> LocusIndex<'a> {
    pub(super) fn new(set: &'a SequenceSet<'a>, heads: &Heads, options: &LocusOptions) -> Self {
        let k = options.k();
        let step = options.min_overlap + 1 - k;
        let places_of = |&row: &u32| {
            let every = kmers(set.codes(row), k).filter(move |(at, _)| at.is_multiple_of(step));
            every.map(move |(at, kmer)| {
                let position = small(at) << 1 | u32::from(!kmer.is_forward());
                (kmer.canonical(), Place { row, position })
            })
        };
        let mut entries: Vec<(u64, Place)> = heads.heads.par_iter().flat_map_iter(places_of).collect();
        entries.par_sort_unstable();
        let mut index = Self {
            set,
            places: Vec::with_capacity(entries.len()),
            ranges: FxHashMap::default(),
            options: *options,
            frequent_kmers: 0,
            frequent_sequences: 0,
        };
        let mut is_marked = vec![false; set.len()];
        for same in entries.chunk_by(|one, other| one.0 == other.0) {
            let holders = same.chunk_by(|one, other| one.1.row == other.1.row);
            if holders.count() > options.max_sequences {
                index.frequent_kmers += 1;
                same.iter().for_each(|(_, place)| is_marked[place.row as usize] = true);
            } else {
                index.ranges.insert(same[0].0, (small(index.places.len()), small(same.len())));
                index.places.extend(same.iter().map(|(_, place)| place));
            }
        }
        index.frequent_sequences = is_marked.iter().map(|&one| u64::from(one)).sum();
        index
    }

    /// The pairs of a sequence and the similar ones before it.
    pub(super) fn similar_to(&self, row: u32) -> Vec<LinkedPair> {
        let codes = self.set.codes(row);
        let reverse = reverse_complement(codes);
        let mut found = Vec::new();
        for (partner, is_reverse, shift) in self.diagonals(row) {
            let own = if is_reverse { &reverse } else { codes };
            let agreement = compare(own, self.set.codes(partner), shift);
            if self.is_similar(agreement) {
                let kind = if is_reverse { LinkKind::ReverseSimilar } else { LinkKind::Similar };
                let overlap = small(agreement.overlap);
                found.push(LinkedPair { row, link: Link { kind, partner, shift, overlap } });
            }
        }
        found
    }

    /// The diagonals on which a sequence shares an indexed k-mer with one before it, each once.
    fn diagonals(&self, row: u32) -> Vec<Diagonal> {
        let k = self.options.k();
        let codes = self.set.codes(row);
        let mut found: Vec<Diagonal> = Vec::new();
        for (at, kmer) in kmers(codes, k) {
            let Some(&(first, number)) = self.ranges.get(&kmer.canonical()) else { continue };
            for place in &self.places[first as usize..][..number as usize] {
                if place.row >= row {
                    break; // places are in the order of their sequences
                }
                let is_reverse = (place.position & 1 == 0) != kmer.is_forward();
                let own = if is_reverse { codes.len() - k - at } else { at };
                found.push((
                    place.row,
                    is_reverse,
                    (place.position >> 1).cast_signed() - small(own).cast_signed(),
                ));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    #[allow(clippy::cast_precision_loss)] // less than 2^31 bases
    fn is_similar(&self, found: Agreement) -> bool {
        found.longest_run >= self.options.min_overlap
            && found.equal as f64 >= self.options.min_identity * found.overlap as f64
    }
}
