//! The sequences as codes of bases, in groups; copies among them.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::links::LinkKind;
use crate::alphabet::{CODES, NOT_A_BASE, complement};
use crate::error::{Error, Result};

/// None among numbers of sequences.
const NONE: u32 = u32::MAX;
/// Equals no code of another sequence.
const NEVER: u8 = NOT_A_BASE + 1;

/// Sequences back to back, in groups.
pub(super) struct SequenceSet<'a> {
    bytes: &'a [u8],
    offsets: &'a [usize],
    /// The code of each byte, [`NOT_A_BASE`] for other symbols.
    codes: Vec<u8>,
    /// Where each group ends.
    ends: Vec<u32>,
}

/// What two sequences have in common on a diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) overlap: usize,
    pub(super) equal: usize,
    pub(super) longest_run: usize,
}

/// The first sequence of each text in each group, and those that follow it.
#[derive(Default)]
pub(super) struct Heads {
    pub(super) heads: Vec<u32>,
    /// A sequence, and the head that it equals.
    pub(super) followers: Vec<(u32, u32)>,
}

impl<'a> SequenceSet<'a> {
    pub(super) fn new(bytes: &'a [u8], offsets: &'a [usize], sizes: &[usize]) -> Result<Self> {
        let number = offsets.len().saturating_sub(1);
        if sizes.iter().sum::<usize>() != number {
            let rule = format!("must add up to the number of sequences, {number}");
            return Err(Error::argument("sizes", &format!("{sizes:?}"), rule));
        }
        let longest = offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        if i32::try_from(number.max(longest)).is_err() {
            let rule = "at most 2,147,483,647 of at most as many bases are expected";
            return Err(Error::argument("sequences", &number, rule));
        }
        let mut ends = Vec::with_capacity(sizes.len());
        let mut end = 0;
        for &size in sizes {
            end += size;
            ends.push(small(end));
        }
        let codes = bytes.par_iter().map(|&byte| CODES[usize::from(byte)]).collect();
        Ok(Self { bytes, offsets, codes, ends })
    }

    pub(super) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The group of a sequence.
    pub(super) fn group(&self, row: u32) -> usize {
        self.ends.partition_point(|&end| end <= row)
    }

    /// The codes of a sequence.
    pub(super) fn codes(&self, row: u32) -> &[u8] {
        &self.codes[self.offsets[row as usize]..self.offsets[row as usize + 1]]
    }

    pub(super) fn length(&self, row: u32) -> u32 {
        small(self.codes(row).len())
    }

    /// Reports copies and reverse copies of sequences before each, of each group the first; returns the heads.
    pub(super) fn copies(&self, mut found: impl FnMut(u32, u32, LinkKind)) -> Heads {
        let num_groups = self.ends.len();
        let mut numbers: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
        let mut firsts: Vec<u32> = Vec::new(); // of each text, the first sequence in each group
        let mut heads = Heads::default();
        for row in 0..small(self.len()) {
            let group = self.group(row);
            let text =
                self.bytes[self.offsets[row as usize]..self.offsets[row as usize + 1]].to_ascii_uppercase();
            let reverse: Vec<u8> =
                text.iter().rev().map(|&symbol| COMPLEMENTS[usize::from(symbol)]).collect();
            if let Some(&number) = numbers.get(&reverse) {
                for &first in firsts[number * num_groups..][..=group].iter().filter(|&&first| first != NONE) {
                    found(row, first, LinkKind::ReverseCopy);
                }
            }
            let next = numbers.len();
            let number = *numbers.entry(text).or_insert(next);
            if number == next {
                firsts.resize(firsts.len() + num_groups, NONE);
            }
            let own = &mut firsts[number * num_groups..][..=group];
            for &first in own.iter().filter(|&&first| first != NONE) {
                found(row, first, LinkKind::Copy);
            }
            if own[group] == NONE {
                own[group] = row;
                heads.heads.push(row);
            } else {
                heads.followers.push((row, own[group]));
            }
        }
        heads
    }
}

/// Compares a sequence with another one at whose base `shift` it starts.
pub(super) fn compare(row: &[u8], partner: &[u8], shift: i32) -> Agreement {
    let ahead = usize::try_from(-i64::from(shift)).unwrap_or(0);
    let behind = usize::try_from(shift).unwrap_or(0);
    let (row, partner) = (&row[ahead.min(row.len())..], &partner[behind.min(partner.len())..]);
    let overlap = row.len().min(partner.len());
    let (mut equal, mut run, mut longest_run) = (0, 0, 0);
    for (&one, &other) in row.iter().zip(partner) {
        let same = one == other && one < NOT_A_BASE;
        equal += usize::from(same);
        run = if same { run + 1 } else { 0 };
        longest_run = longest_run.max(run);
    }
    Agreement { overlap, equal, longest_run }
}

/// The reverse complement of codes; other symbols become a code that equals none of another sequence.
pub(super) fn reverse_complement(codes: &[u8]) -> Vec<u8> {
    codes.iter().rev().map(|&code| if code < NOT_A_BASE { complement(code) } else { NEVER }).collect()
}

/// A number of sequences or bases, of which there are less than 2^31.
#[allow(clippy::cast_possible_truncation)] // `SequenceSet::new` checks it
pub(super) const fn small(number: usize) -> u32 {
    number as u32
}

/// The symbol of the other strand for each symbol in upper case; what has none is its own.
const COMPLEMENTS: [u8; 256] = complements();

#[allow(clippy::cast_possible_truncation)] // below 256
const fn complements() -> [u8; 256] {
    let (from, to) = (b"ACGTURYSWKMBDHVN", b"TGCAAYRSWMKVHDBN");
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte as u8;
        byte += 1;
    }
    let mut at = 0;
    while at < from.len() {
        table[from[at] as usize] = to[at];
        at += 1;
    }
    table
}
