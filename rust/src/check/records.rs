//! Statistics over all records, in bounded memory: duplicate names, and the distribution of lengths.
//!
//! Both are exact up to a bound and then say so: duplicates are found among the first [`MAX_NAMES`] names, and the
//! distribution keeps every length, whose number the size of any file bounds.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};
use rustc_hash::FxBuildHasher;

/// Names that are kept, at most: seven eighths of 2^22, beyond which the hash table would double. It has 71 MB then.
pub(crate) const MAX_NAMES: usize = 3_670_016;

/// The names so far, as 64-bit hashes, each with its line. Two different names among n share a hash with probability
/// n^2 / 2^65: one in three million for as many names as are kept. The hash is keyed at random, so no file can force it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    lines: HashMap<u64, u64, FxBuildHasher>,
    hasher: DefaultHashBuilder,
}

/// Whether a name occurred before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    New,
    /// It did, first on this line.
    Repeated(u64),
    /// It is not known, and the table is full.
    NotTracked,
}

impl Names {
    /// Adds the name of the record on `line`. The two mates of a read pair may share a name if their descriptions start
    /// with 1 and 2, as those of Illumina instruments do.
    pub(crate) fn add(&mut self, name: &[u8], description: &[u8], line: u64) -> Name {
        let mate = match description {
            [mate @ (b'1' | b'2'), b':', ..] | [mate @ (b'1' | b'2')] => *mate,
            _ => 0,
        };
        let hash = self.hasher.hash_one((name, mate));
        if self.lines.len() >= MAX_NAMES {
            return self.lines.get(&hash).map_or(Name::NotTracked, |&first| Name::Repeated(first));
        }
        let first = *self.lines.entry(hash).or_insert(line);
        if first == line { Name::New } else { Name::Repeated(first) }
    }
}

/// The number of records of each length. A terabase holds at most 1.4 million different lengths, since n of them need
/// n^2 / 2 symbols.
#[derive(Debug, Default)]
pub(crate) struct LengthHistogram {
    counts: BTreeMap<u64, u64>,
    /// The last length and how often it came in a row; most reads of a run have one length.
    last: (u64, u64),
}

/// The distribution of record lengths, in symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LengthSummary {
    /// The length of the shortest record; 0 without records.
    pub shortest: u64,
    /// The length of the longest record.
    pub longest: u64,
    /// Half of all records are at most this long.
    pub median: u64,
    /// Half of all symbols are in records at least this long.
    pub n50: u64,
}

impl LengthHistogram {
    /// Adds a record.
    pub(crate) fn add(&mut self, length: u64) {
        if self.last.0 != length {
            self.settle();
            self.last = (length, 0);
        }
        self.last.1 += 1;
    }

    /// Adds the run of equal lengths to the counts.
    fn settle(&mut self) {
        let (length, count) = std::mem::take(&mut self.last);
        if count > 0 {
            *self.counts.entry(length).or_default() += count;
        }
    }

    /// The summary of all records. Cost: linear in the different lengths.
    pub(crate) fn summary(mut self) -> LengthSummary {
        self.settle();
        let records: u64 = self.counts.values().sum();
        let symbols: u64 = self.counts.iter().map(|(length, count)| length * count).sum();
        let shortest = self.counts.first_key_value().map_or(0, |(&length, _)| length);
        let longest = self.counts.last_key_value().map_or(0, |(&length, _)| length);
        let median = reach(self.counts.iter(), records, |_, count| count);
        let n50 = reach(self.counts.iter().rev(), symbols, |length, count| length * count);
        LengthSummary { shortest, longest, median, n50 }
    }
}

/// The first length at which the weights so far reach half of `whole`.
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
