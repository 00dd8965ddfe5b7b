//! Letters to ids: runs of bases are found, their k-mers named all at once, and what lies between them is filled in.
//!
//! # Cost
//!
//! Finding the end of a run looks at 64 letters at a time, and naming the k-mers of a run is free of branches
//! (`windows`). A run costs some tens of nanoseconds besides, so a text with a foreign letter at every tenth place is
//! encoded at about a tenth of a gigabase a second, and a clean one ten to thirty times as fast: `examples/kmers.rs`
//! measures both. Memory: the ids, and two kilobytes.
//!
//! # Parts
//!
//! A long sequence is shared among threads in parts that are encoded alone and put end to end ([`Kmer::cut`]).
//! Overlapping k-mers may be parted anywhere: the tokens whose k-mers begin in `a..b` are those of the letters
//! `a..b + k - 1`. Non-overlapping ones may be parted between runs, and a multiple of k letters after the start of a
//! run; so these cuts are found from left to right, as fast as runs are found.

use std::borrow::Cow;
use std::ops::Range;

use super::kinds::{BASES, Kmer};
use super::runs::{Piece, case, pieces};
use super::width::Width;
use super::windows::Namer;

/// Letters that are encoded before the ids get more memory: what is fresh in the cache is written at once.
const PART: usize = 1 << 14;

/// How letters become ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Lower-case letters are read as upper-case ones.
    pub upper_case: bool,
    /// The id of the first k-mer; those of the other tokens follow.
    pub first: u32,
    /// The id of letters outside the vocabulary; without one they cut the sequence and are left out.
    pub unknown: Option<u32>,
}

/// The letters of a sequence that its vocabulary lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Letters outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case letters whose upper case is in the vocabulary.
    pub lower_case: u64,
}

/// The letters of UTF-8 text, one byte each: of a character of several bytes the first.
pub fn letters_of(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let starts_a_character = |byte: &u8| byte & 0xc0 != 0x80;
    Cow::Owned(text.iter().copied().filter(starts_a_character).collect())
}

impl Kmer {
    /// Appends the ids of UTF-8 text.
    ///
    /// Ids must fit into `W`: the largest is `reading.first + self.num_tokens() - 1`, or the unknown one.
    pub fn encode_into<W: Width>(&self, text: &[u8], reading: &Reading, ids: &mut Vec<W>) {
        let letters = letters_of(text);
        for part in self.cut(&letters, reading.upper_case, PART) {
            let start = ids.len();
            ids.resize(start + self.count(&letters[part.clone()], reading), W::default());
            self.fill(&letters[part], reading, &mut ids[start..]);
        }
    }

    /// How many ids these letters make.
    pub fn count(&self, letters: &[u8], reading: &Reading) -> usize {
        if self.overlap && reading.unknown.is_some() {
            return self.positions(letters.len());
        }
        pieces(letters, reading.upper_case).map(|piece| self.count_piece(letters, reading, &piece)).sum()
    }

    fn count_piece(&self, letters: &[u8], reading: &Reading, piece: &Piece) -> usize {
        let length = piece.range.len();
        match (piece.is_bases, self.overlap) {
            (true, true) => self.positions(length),
            (true, false) => length / self.k + length % self.k,
            (false, true) => 0,
            (false, false) if reading.unknown.is_some() => length,
            (false, false) => self.known(&letters[piece.range.clone()], reading.upper_case).count(),
        }
    }

    /// The k-mers in so many letters.
    fn positions(&self, num_letters: usize) -> usize {
        (num_letters + 1).saturating_sub(self.k)
    }

    /// Writes the ids of letters, one byte each, to `out`, which is as long as [`Self::count`] says.
    pub fn fill<W: Width>(&self, letters: &[u8], reading: &Reading, mut out: &mut [W]) {
        match reading.unknown.map(W::of) {
            Some(unknown) if self.overlap => return self.fill_positions(letters, reading, unknown, out),
            _ => {}
        }
        let mut namer = Namer::new(self.k, self.canonical);
        for piece in pieces(letters, reading.upper_case) {
            let part = &letters[piece.range.clone()];
            let count = self.count_piece(letters, reading, &piece);
            let out = out.split_off_mut(..count).unwrap_or_default();
            match (piece.is_bases, self.overlap) {
                (true, true) => namer.every(part, reading.first, out),
                (true, false) => self.fill_end_to_end(&mut namer, part, reading, out),
                (false, true) => {}
                (false, false) => self.fill_others(part, reading, out),
            }
        }
    }

    /// Writes an id for each position: of its k-mer, or the unknown one if not all of it is bases.
    fn fill_positions<W: Width>(&self, letters: &[u8], reading: &Reading, unknown: W, out: &mut [W]) {
        let mut namer = Namer::new(self.k, self.canonical);
        let mut done = 0;
        let runs = pieces(letters, reading.upper_case).filter(|piece| piece.is_bases);
        for run in runs.map(|piece| piece.range).filter(|run| run.len() >= self.k) {
            let named = run.start..run.end + 1 - self.k;
            out[done..named.start].fill(unknown);
            done = named.end;
            namer.every(&letters[run], reading.first, &mut out[named]);
        }
        out[done..].fill(unknown);
    }

    /// Writes the ids of a run: k-mers end to end, then the letters that remain.
    fn fill_end_to_end<W: Width>(&self, namer: &mut Namer, run: &[u8], reading: &Reading, out: &mut [W]) {
        let (whole, singles) = out.split_at_mut(run.len() / self.k);
        namer.stepped(run, reading.first, whole);
        for (out, letter) in singles.iter_mut().zip(&run[whole.len() * self.k..]) {
            *out = W::of(reading.first + self.num_kmers() + self.single(*letter));
        }
    }

    /// Writes the ids of letters that are not bases: N, and the unknown one if there is one.
    fn fill_others<W: Width>(&self, letters: &[u8], reading: &Reading, out: &mut [W]) {
        let any_base = W::of(reading.first + self.num_tokens() - 1);
        let Some(unknown) = reading.unknown.map(W::of) else { return out.fill(any_base) };
        let case = case(reading.upper_case);
        for (out, letter) in out.iter_mut().zip(letters) {
            *out = if letter & case == b'N' { any_base } else { unknown };
        }
    }

    /// The number of a base in either case among the letters that follow the k-mers.
    fn single(&self, letter: u8) -> u32 {
        let letter = letter.to_ascii_uppercase();
        if self.canonical {
            return u32::from(matches!(letter, b'C' | b'G'));
        }
        (0..).zip(BASES).find_map(|(number, base)| (base == letter).then_some(number)).unwrap_or(0)
    }

    /// The letters in the vocabulary.
    fn known<'a>(&'a self, letters: &'a [u8], upper_case: bool) -> impl Iterator<Item = &'a u8> {
        let case = case(upper_case);
        letters.iter().filter(move |letter| self.is_letter(**letter & case))
    }

    /// What of these letters is not in the vocabulary.
    pub fn census(&self, letters: &[u8], upper_case: bool) -> Counts {
        let mut counts = Counts::default();
        for piece in pieces(letters, upper_case).filter(|piece| !piece.is_bases) {
            let part = &letters[piece.range];
            let known = self.known(part, upper_case).count();
            counts.unknown += (part.len() - known) as u64;
            counts.lower_case += (self.known(part, true).count() - known) as u64;
        }
        counts
    }

    /// The place of the first letter that is not in the vocabulary.
    pub fn first_unknown(&self, letters: &[u8], upper_case: bool) -> Option<usize> {
        let case = case(upper_case);
        letters.iter().position(|letter| !self.is_letter(letter & case))
    }

    /// Hands out the letters, from where to where, of each token.
    pub fn spans(&self, letters: &[u8], reading: &Reading, mut take: impl FnMut(Range<usize>)) {
        if self.overlap && reading.unknown.is_some() {
            return (0..self.positions(letters.len())).for_each(|at| take(at..at + self.k));
        }
        let case = case(reading.upper_case);
        for Piece { range, is_bases } in pieces(letters, reading.upper_case) {
            let mut at = range.start;
            while is_bases && at + self.k <= range.end {
                take(at..at + self.k);
                at += if self.overlap { 1 } else { self.k };
            }
            let is_token = |at: &usize| {
                !self.overlap && (reading.unknown.is_some() || self.is_letter(letters[*at] & case))
            };
            (at..range.end).filter(is_token).for_each(|at| take(at..at + 1));
        }
    }

    /// Parts of about `size` letters that are encoded alone; they have letters in common if k-mers overlap.
    pub fn cut(&self, letters: &[u8], upper_case: bool, size: usize) -> Vec<Range<usize>> {
        let size = size.max(self.k);
        if letters.len() <= size {
            return std::iter::once(0..letters.len()).collect();
        }
        if self.overlap {
            let part = |start: usize| start..(start + size + self.k - 1).min(letters.len());
            return (0..letters.len()).step_by(size).map(part).collect();
        }
        let (mut parts, mut start) = (Vec::new(), 0);
        for Piece { range, is_bases } in pieces(letters, upper_case) {
            let step = if is_bases { self.k } else { 1 };
            let mut at = range.start;
            while range.end - start > size {
                at += (start + size - at) / step * step;
                parts.push(start..at);
                start = at;
            }
        }
        parts.push(start..letters.len());
        parts
    }
}
