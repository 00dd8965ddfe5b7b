//! Counts of what was read, and what was found in rows.
//!
//! Reports add up: a reader returns what came since the last time, so that the sum over batches, over files or over
//! workers is the report of the whole.

use super::digest::RecordDigest;
use crate::alphabet::{SymbolKind, kind};

/// Record names of one file that are compared with each other, at most.
pub const MAX_NAMES: usize = 1 << 22;

/// Counts of what was read and found, since the last report or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowReport {
    /// Files read to their end.
    pub files: u64,
    /// Records started.
    pub records: u64,
    /// Rows made.
    pub rows: u64,
    /// Symbols in the rows, including those at which rows were split.
    pub symbols: u64,
    /// Of these, those outside the vocabulary, by kind, in the order of [`KINDS`].
    pub unknown: [u64; KINDS.len()],
    /// Of these, those in lower case that the vocabulary has in upper case only.
    pub lower_case: u64,
    /// Records with the name of an earlier record of the same file, among its first [`MAX_NAMES`].
    pub duplicate_names: u64,
    /// The digest of each record read to its end, if requested.
    pub digests: Vec<RecordDigest>,
    /// The BLAKE3 sum of each file read to its end, in hexadecimal digits, if requested; none of pipes and devices.
    pub checksums: Vec<Option<String>>,
}

/// The kinds of symbols that may be outside a vocabulary, in the order in which reports count them.
pub const KINDS: [SymbolKind; 6] = [
    SymbolKind::Base,
    SymbolKind::AnyBase,
    SymbolKind::Ambiguity,
    SymbolKind::Gap,
    SymbolKind::Uracil,
    SymbolKind::AminoAcid,
];

impl RowReport {
    /// Counts `count` symbols `byte` outside the vocabulary.
    pub(super) fn count(&mut self, byte: u8, count: u64, is_lower_case: bool) {
        // `SymbolKind::Other` does not pass the reader.
        if let Some(at) = KINDS.iter().position(|&of| of == kind(byte)) {
            self.unknown[at] += count;
        }
        if is_lower_case {
            self.lower_case += count;
        }
    }

    /// Adds the report that follows this one.
    pub fn add(&mut self, later: Self) {
        self.files += later.files;
        self.records += later.records;
        self.rows += later.rows;
        self.symbols += later.symbols;
        self.unknown.iter_mut().zip(later.unknown).for_each(|(sum, more)| *sum += more);
        self.lower_case += later.lower_case;
        self.duplicate_names += later.duplicate_names;
        self.digests.extend(later.digests);
        self.checksums.extend(later.checksums);
    }
}
