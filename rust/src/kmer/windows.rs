//! The names of all k-mers in a run of bases, many at a time.
//!
//! Letters become codes of two bits; these become *units*, the names of the 2-mers or 4-mers at each position, in one
//! byte each, by doubling: a pair is two codes, a quad two pairs. A longer name is put together from the unit at the start
//! of the k-mer, the one next to it if there is room for three, and the one that ends where the k-mer ends. Where these
//! overlap they say the same bits, so OR joins them. Each step is a loop over arrays without branches, which the compiler
//! turns into vector instructions, on plain x86-64 as elsewhere.
//!
//! In the obvious loop, `name = ((name << 2) | code) & mask`, each name waits for the one before, whatever k is.

use super::canonical;
use super::width::Width;

/// Positions in a block.
const BLOCK: usize = 240;
/// Letters of a block and of the k-mers that begin in it, in whole steps.
const LETTERS: usize = 256;
/// Loops over letters go on to a multiple of this, whatever stands there: vector instructions like that.
const STEP: usize = 64;
/// Letters behind a block that are looked at.
const MARGIN: usize = 8;

/// Names the k-mers of runs of bases in either case, block by block.
#[derive(Debug)]
pub(super) struct Namer {
    k: usize,
    /// Letters in a unit: 1, 2 or 4.
    unit: usize,
    /// The units at each position, for each of their lengths.
    forward: [Units; 3],
    /// The same on the other strand, for canonical k-mers.
    backward: Option<[Units; 3]>,
}

/// The names of the units of one length at each position of a block.
type Units = [u8; LETTERS + MARGIN];

impl Namer {
    pub(super) fn new(k: usize, canonical: bool) -> Self {
        let composed = if canonical { k.div_ceil(2) } else { k };
        let unit = if composed >= 4 { 4 } else { composed.min(2) };
        let units = || [[0; LETTERS + MARGIN]; 3];
        Self { k, unit, forward: units(), backward: canonical.then(units) }
    }

    /// The names, from `first` on, of the k-mers at all positions of a run; as many as `out` holds.
    pub(super) fn every<W: Width>(&mut self, run: &[u8], first: u32, out: &mut [W]) {
        for (out, start) in out.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            self.read(&run[start..start + out.len() + self.k - 1]);
            self.name(W::of(first), out, |units| units.iter());
        }
    }

    /// The names, from `first` on, of the k-mers that stand end to end from the start of a run; as many as `out` holds.
    pub(super) fn stepped<W: Width>(&mut self, run: &[u8], first: u32, out: &mut [W]) {
        let in_block = BLOCK / self.k;
        if self.k == 1 {
            return self.every(run, first, out);
        }
        for (out, start) in out.chunks_mut(in_block).zip((0..).step_by(in_block * self.k)) {
            self.read(&run[start..start + out.len() * self.k]);
            self.name(W::of(first), out, |units| units.iter().step_by(self.k));
        }
    }

    /// Takes the letters of a block and names the units.
    fn read(&mut self, run: &[u8]) {
        let mut letters = [0; LETTERS];
        letters[..run.len()].copy_from_slice(run);
        let letters = &letters[..run.len().next_multiple_of(STEP)];
        let [codes, pairs, quads] = &mut self.forward;
        if self.backward.is_some() {
            codes.iter_mut().zip(letters).for_each(|(to, letter)| *to = alphabetical(*letter));
        } else {
            codes.iter_mut().zip(letters).for_each(|(to, letter)| *to = published(*letter));
        }
        if self.unit >= 2 {
            join(codes, pairs, letters.len(), 1, |left, right| (left << 2) | right);
        }
        if self.unit == 4 {
            join(pairs, quads, letters.len(), 2, |left, right| (left << 4) | right);
        }
        let Some([others, other_pairs, other_quads]) = &mut self.backward else { return };
        others.iter_mut().zip(&codes[..letters.len()]).for_each(|(to, code)| *to = 3 - *code);
        if self.unit >= 2 {
            join(others, other_pairs, letters.len(), 1, |left, right| left | (right << 2));
        }
        if self.unit == 4 {
            join(other_pairs, other_quads, letters.len(), 2, |left, right| left | (right << 4));
        }
    }

    /// The names of k-mers, at the places that `some` chooses.
    fn name<'a, W: Width, I: Iterator<Item = &'a u8>>(
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

/// Units of double length: at each of the first `letters` positions, the unit there and the one `size` letters on.
fn join(from: &Units, to: &mut Units, letters: usize, size: usize, join: impl Fn(u8, u8) -> u8) {
    for ((to, left), right) in to[..letters].iter_mut().zip(from).zip(&from[size..]) {
        *to = join(*left, *right);
    }
}

/// The code of a base in either case in the order A, T, C, G: the second bit of its letter, then the third.
fn published(letter: u8) -> u8 {
    (letter & 2) | ((letter >> 2) & 1)
}

/// The code of a base in either case in the order A, C, G, T.
fn alphabetical(letter: u8) -> u8 {
    let code = (letter >> 1) & 3;
    code ^ (code >> 1)
}
