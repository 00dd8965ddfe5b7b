//! What was read and found, in rows.

use super::digest::RecordDigest;
use crate::alphabet::{LetterKind, kind};

/// Record names of one file that are compared with each other.
pub const MOST_NAMES: usize = 1 << 22;

/// What was read and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowReport {
    /// Files read to their end.
    pub files: u64,
    /// Records begun.
    pub records: u64,
    /// Rows.
    pub rows: u64,
    /// Letters in the rows, those at which rows were split included.
    pub letters: u64,
    /// Of these, letters outside the vocabulary, by kind, in the order of [`KINDS`].
    pub unknown: [u64; KINDS.len()],
    /// Of these, lower-case letters that are in the vocabulary in upper case.
    pub lower_case: u64,
    /// Records that have the name of an earlier one in the same file, among the first [`MOST_NAMES`] of the file.
    pub duplicate_names: u64,
    /// The digest of each record read to its end, if asked for.
    pub digests: Vec<RecordDigest>,
}

/// The kinds of letters that may be outside a vocabulary, as reports count them.
pub const KINDS: [LetterKind; 6] = [
    LetterKind::Base,
    LetterKind::AnyBase,
    LetterKind::Ambiguity,
    LetterKind::Gap,
    LetterKind::Uracil,
    LetterKind::AminoAcid,
];

impl RowReport {
    pub(super) fn count(&mut self, byte: u8, count: u64, is_lower_case: bool) {
        // No other kind is counted.
        if let Some(at) = KINDS.iter().position(|&of| of == kind(byte)) {
            self.unknown[at] += count;
        }
        if is_lower_case {
            self.lower_case += count;
        }
    }

    /// Adds what came later.
    pub fn add(&mut self, later: Self) {
        self.files += later.files;
        self.records += later.records;
        self.rows += later.rows;
        self.letters += later.letters;
        self.unknown.iter_mut().zip(later.unknown).for_each(|(sum, more)| *sum += more);
        self.lower_case += later.lower_case;
        self.duplicate_names += later.duplicate_names;
        self.digests.extend(later.digests);
    }
}
