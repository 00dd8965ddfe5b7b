//! The names of all k-mers in a run of bases, many at a time.
//!
//! Bases become codes of two bits; these become *units*, the names of the 2-mers or 4-mers at each position, in one
//! byte each, by doubling: a pair is two codes, a quad two pairs. A longer name is put together from the unit at the start
//! of the k-mer, the one next to it if three are needed, and the one that ends where the k-mer ends. Where these
//! overlap they say the same bits, so OR joins them. Each step is a loop over arrays without branches, which the compiler
//! turns into vector instructions, on plain x86-64 too.
//!
//! In the obvious loop, `name = ((name << 2) | code) & mask`, each name waits for the one before, whatever k is.
//!
//! For k = 7, with units of four bases at positions 0 and 3 (`last` = 3):
//!
//! ```text
//! bases        A  T  C  G  A  T  C
//! unit at 0    A  T  C  G              << 2 * 3
//! unit at 3             G  A  T  C     OR: both say the G
//! ```
//!
//! # Canonical names
//!
//! [`canonical::name`] takes the first half of the k-mer and the first half of its reverse complement. The first is made of
//! units as above, with `half` in the place of k. The second needs the other strand: the complement of each code, and units
//! whose first base is the least significant, so that the unit at the k-mer's end holds the first bases of its reverse
//! complement. The same arrays are read, at places counted from the end.

use super::canonical;
use super::width::IdWidth;

/// Positions in a block, that is, k-mers named at once.
const BLOCK: usize = 240;
/// Bases of a block and of the k-mers that start in it, `BLOCK + MAX_K - 1` at most, in whole steps.
const BLOCK_BASES: usize = 256;
/// Loops over bases run to a multiple of this, whatever stands there: vector instructions like that, and nobody reads
/// the names of what was not there.
const STEP: usize = 64;
/// Positions behind a block that [`double`] and [`Namer::name`] may look at; they are zero or stale, and unused.
const MARGIN: usize = 8;

/// Names the k-mers of runs of bases in either case, block by block. Two kilobytes, to be kept for many runs.
#[derive(Debug)]
pub(super) struct Namer {
    k: usize,
    /// Bases in a unit: 1, 2 or 4, the most that a name, or a half of a canonical one, is long.
    unit: usize,
    /// The units at each position, for the lengths 1, 2 and 4; those longer than `unit` are not made.
    forward: [Units; 3],
    /// The same on the other strand, for canonical k-mers.
    backward: Option<[Units; 3]>,
}

/// The names of the units of one length at each position of a block.
type Units = [u8; BLOCK_BASES + MARGIN];

impl Namer {
    pub(super) fn new(k: usize, canonical: bool) -> Self {
        let composed = if canonical { k.div_ceil(2) } else { k };
        let unit = if composed >= 4 { 4 } else { composed.min(2) };
        let units = || [[0; BLOCK_BASES + MARGIN]; 3];
        Self { k, unit, forward: units(), backward: canonical.then(units) }
    }

    /// The names, from `first` on, of the k-mers at all positions of a run; as many as `out` holds.
    pub(super) fn every<W: IdWidth>(&mut self, run: &[u8], first: u32, out: &mut [W]) {
        for (out, start) in out.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            self.read(&run[start..start + out.len() + self.k - 1]);
            self.name(W::of(first), out, |units| units.iter());
        }
    }

    /// The names, from `first` on, of the non-overlapping k-mers from the start of a run; as many as `out` holds.
    ///
    /// Units are made at all positions and read at every k-th: making them is the smaller part of the work.
    pub(super) fn stepped<W: IdWidth>(&mut self, run: &[u8], first: u32, out: &mut [W]) {
        let in_block = BLOCK / self.k;
        if self.k == 1 {
            return self.every(run, first, out);
        }
        for (out, start) in out.chunks_mut(in_block).zip((0..).step_by(in_block * self.k)) {
            self.read(&run[start..start + out.len() * self.k]);
            self.name(W::of(first), out, |units| units.iter().step_by(self.k));
        }
    }

    /// Takes the bases of a block, at most [`BLOCK_BASES`], and names the units at each position.
    ///
    /// Afterwards `forward[i]` and `backward[i]` hold the units of 2^i bases, up to `unit` bases.
    fn read(&mut self, run: &[u8]) {
        let mut bases = [0; BLOCK_BASES];
        bases[..run.len()].copy_from_slice(run);
        let bases = &bases[..run.len().next_multiple_of(STEP)];
        let [codes, pairs, quads] = &mut self.forward;
        if self.backward.is_some() {
            codes.iter_mut().zip(bases).for_each(|(to, base)| *to = alphabetical(*base));
        } else {
            codes.iter_mut().zip(bases).for_each(|(to, base)| *to = published(*base));
        }
        if self.unit >= 2 {
            double(codes, pairs, bases.len(), 1, |left, right| (left << 2) | right);
        }
        if self.unit == 4 {
            double(pairs, quads, bases.len(), 2, |left, right| (left << 4) | right);
        }
        let Some([others, other_pairs, other_quads]) = &mut self.backward else { return };
        others.iter_mut().zip(&codes[..bases.len()]).for_each(|(to, code)| *to = 3 - *code);
        if self.unit >= 2 {
            double(others, other_pairs, bases.len(), 1, |left, right| left | (right << 2));
        }
        if self.unit == 4 {
            double(other_pairs, other_quads, bases.len(), 2, |left, right| left | (right << 4));
        }
    }

    /// The names of the k-mers in the block, at the places that `some` chooses.
    ///
    /// Of k bases the first unit lies at 0 and the last at `last = k - unit`; up to eight bases (sixteen bits) these two
    /// cover the k-mer, up to twelve a third at 4 lies between them. A name's last unit is never shifted: its bases are
    /// the least significant ones.
    fn name<'a, W: IdWidth, I: Iterator<Item = &'a u8>>(
        &'a self,
        first: W,
        out: &mut [W],
        some: impl Fn(&'a [u8]) -> I,
    ) {
        let forward = |place: usize| some(&self.forward[self.unit / 2][place..]);
        let last = self.k - self.unit;
        if let Some(backward) = &self.backward {
            let backward = |place: usize| some(&backward[self.unit / 2][place..]);
            let half = self.k.div_ceil(2);
            let (start, step) = (self.k - half, half - self.unit);
            let halves = forward(0).zip(forward(step)).zip(backward(start).zip(backward(last)));
            for (out, ((a, b), (c, d))) in out.iter_mut().zip(halves) {
                let this = (u16::from(*a) << (2 * step)) | u16::from(*b);
                let other = u16::from(*c) | (u16::from(*d) << (2 * step));
                *out = first + canonical::name(self.k, this, other);
            }
        } else if self.k <= 8 {
            for ((out, a), b) in out.iter_mut().zip(forward(0)).zip(forward(last)) {
                *out = first + W::from((u16::from(*a) << (2 * last)) | u16::from(*b));
            }
        } else {
            for (((out, a), b), c) in out.iter_mut().zip(forward(0)).zip(forward(4)).zip(forward(last)) {
                let back = (u16::from(*b) << (2 * last - 8)) | u16::from(*c);
                *out = first + ((W::from(u16::from(*a)) << (2 * last)) | W::from(back));
            }
        }
    }
}

/// Units of double length: at each of the first `positions`, the unit there joined with the one `size` bases on.
fn double(from: &Units, to: &mut Units, positions: usize, size: usize, join: impl Fn(u8, u8) -> u8) {
    for ((to, left), right) in to[..positions].iter_mut().zip(from).zip(&from[size..]) {
        *to = join(*left, *right);
    }
}

/// The code of a base in either case in the order A, T, C, G: the second bit of its ASCII code, then the third.
fn published(base: u8) -> u8 {
    (base & 2) | ((base >> 2) & 1)
}

/// The code of a base in either case in the order A, C, G, T: its ASCII code's second and third bits say A, C, T, G.
fn alphabetical(base: u8) -> u8 {
    let code = (base >> 1) & 3;
    code ^ (code >> 1)
}
