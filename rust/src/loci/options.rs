//! The options of a search for loci.

use crate::error::{Error, Result};

/// The longest k-mers.
const MAX_K: usize = 31;

/// What sequences of one locus are.
#[derive(Clone, Copy, Debug)]
pub struct LocusOptions {
    /// Equal bases in a row, at least.
    pub min_overlap: usize,
    /// The share of equal bases in the whole overlap of similar sequences, at least; 0 to 1.
    pub min_identity: f64,
    /// Sequences that hold an indexed k-mer, at most.
    pub max_sequences: usize,
}

impl Default for LocusOptions {
    fn default() -> Self {
        Self { min_overlap: 50, min_identity: 0.9, max_sequences: 200 }
    }
}

impl LocusOptions {
    /// The length of k-mers: odd, at most 31 and `min_overlap`.
    pub(super) fn k(&self) -> usize {
        ((self.min_overlap - 1) | 1).min(MAX_K)
    }

    /// Fails if an option is out of range.
    pub(super) fn check(&self) -> Result<()> {
        if self.min_overlap < 8 || self.min_overlap > 1 << 20 {
            return Err(Error::argument("min_overlap", &self.min_overlap, "must be from 8 to 1,048,576"));
        }
        if !(0.0..=1.0).contains(&self.min_identity) {
            return Err(Error::argument("min_identity", &self.min_identity, "must be from 0 to 1"));
        }
        if self.max_sequences == 0 {
            return Err(Error::argument("max_sequences", &0, "must be at least 1"));
        }
        Ok(())
    }
}
