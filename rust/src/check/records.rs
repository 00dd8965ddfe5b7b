//! What there is to know of all records: their names and their lengths, in bounded memory.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};
use rustc_hash::FxBuildHasher;

/// Most names that are kept: seven eighths of 2^22, at which size the table would double. It is then 71 MB.
pub(crate) const MOST_NAMES: usize = 3_670_016;

/// The names so far: of each a hash of 64 bits, and its line. Two different names are taken for one with a
/// probability of n^2 / 2^65 among n of them: one in three million for as many as are kept.
#[derive(Debug, Default)]
pub(crate) struct Names {
    lines: HashMap<u64, u64, FxBuildHasher>,
    hasher: DefaultHashBuilder,
}

/// What a name turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    New,
    /// The line of the record that had it first.
    Repeated(u64),
    /// There is no room for it.
    NotTracked,
}

impl Names {
    /// Takes note of the name of the record on `line`. The two mates of a pair may share it, if their descriptions
    /// begin with 1 and 2, as those of Illumina's machines do.
    pub(crate) fn add(&mut self, name: &[u8], description: &[u8], line: u64) -> Name {
        let mate = match description {
            [mate @ (b'1' | b'2'), b':', ..] | [mate @ (b'1' | b'2')] => *mate,
            _ => 0,
        };
        let hash = self.hasher.hash_one((name, mate));
        if self.lines.len() >= MOST_NAMES {
            return self.lines.get(&hash).map_or(Name::NotTracked, |&first| Name::Repeated(first));
        }
        let first = *self.lines.entry(hash).or_insert(line);
        if first == line { Name::New } else { Name::Repeated(first) }
    }
}

/// How long the records are: a count for each length. Different lengths add up quickly, so a terabase has 1.4 million
/// of them at most.
#[derive(Debug, Default)]
pub(crate) struct Lengths {
    counts: BTreeMap<u64, u64>,
    /// The length last seen, and how often in a row.
    last: (u64, u64),
}

/// The lengths of records, in letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LengthSummary {
    /// Of the shortest.
    pub shortest: u64,
    /// Of the longest.
    pub longest: u64,
    /// Half of all records are at most this long.
    pub median: u64,
    /// Half of all letters are in records at least this long.
    pub n50: u64,
}

impl Lengths {
    pub(crate) fn add(&mut self, length: u64) {
        if self.last.0 != length {
            self.settle();
            self.last = (length, 0);
        }
        self.last.1 += 1;
    }

    fn settle(&mut self) {
        let (length, count) = std::mem::take(&mut self.last);
        if count > 0 {
            *self.counts.entry(length).or_default() += count;
        }
    }

    pub(crate) fn summary(mut self) -> LengthSummary {
        self.settle();
        let records: u64 = self.counts.values().sum();
        let letters: u64 = self.counts.iter().map(|(length, count)| length * count).sum();
        let shortest = self.counts.first_key_value().map_or(0, |(&length, _)| length);
        let longest = self.counts.last_key_value().map_or(0, |(&length, _)| length);
        let median = reach(self.counts.iter(), records, |_, count| count);
        let n50 = reach(self.counts.iter().rev(), letters, |length, count| length * count);
        LengthSummary { shortest, longest, median, n50 }
    }
}

/// The first length at which the weights sum up to half of `whole`.
fn reach<'a>(
    counts: impl Iterator<Item = (&'a u64, &'a u64)>,
    whole: u64,
    weight: impl Fn(u64, u64) -> u64,
) -> u64 {
    let mut sum = 0;
    for (&length, &count) in counts {
        sum += weight(length, count);
        if 2 * sum >= whole {
            return length;
        }
    }
    0
}
