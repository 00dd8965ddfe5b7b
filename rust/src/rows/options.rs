//! The options of rows: which are made, in which order, and how their symbols are transformed.

use super::Regions;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::verdict::{self, MAX_UNKNOWN};

/// The default of [`RowOptions::batch_symbols`]: what is in work stays in the cache, and buffers are used again soon.
pub const BATCH_SYMBOLS: usize = 4_000_000;

/// The order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// That of the sequence files, their records, and the regions of a record as given.
    #[default]
    Files,
    /// That of the lines of BED files.
    Bed,
}

/// Which rows are made, and how their symbols are transformed.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // they are independent options
pub struct RowOptions {
    /// Symbols in a window; at least 1. Without one, records or regions are rows.
    pub window: Option<u64>,
    /// Symbols from the start of a window to that of the next; the length of the window if not given.
    pub stride: Option<u64>,
    /// The regions to read; whole records if not given.
    pub regions: Option<Regions>,
    /// The order of the rows.
    pub order: RowOrder,
    /// Whether rows are reverse-complemented. A region of strand `-` is then as the file has it.
    pub reverse_complement: bool,
    /// Whether lower case is converted to upper case.
    pub upper_case: bool,
    /// The policy for symbols outside the vocabulary.
    pub unknown: UnknownPolicy,
    /// Symbols in a batch, approximately; a row is never divided.
    pub batch_symbols: usize,
    /// Whether the digest of each record is computed.
    pub digests: bool,
    /// Whether the checksum of each file is computed.
    pub checksums: bool,
    /// The share of unknown symbols that the rows of a file may have, from 0 to 1, see [`verdict`].
    pub allow_unknown: f64,
    /// Whether at least one file must have a base; off for a worker that reads a part of all files.
    pub need_bases: bool,
}

impl Default for RowOptions {
    fn default() -> Self {
        Self {
            window: None,
            stride: None,
            regions: None,
            order: RowOrder::Files,
            reverse_complement: false,
            upper_case: false,
            unknown: UnknownPolicy::Token,
            batch_symbols: BATCH_SYMBOLS,
            digests: false,
            checksums: false,
            allow_unknown: MAX_UNKNOWN,
            need_bases: true,
        }
    }
}

impl RowOptions {
    /// Fails if an option is out of range or lacks another.
    pub(super) fn check(&self) -> Result<()> {
        verdict::check_allowed(self.allow_unknown)?;
        if self.window == Some(0) {
            return Err(Error::argument("window", &0, "a window has at least one symbol"));
        }
        match (self.stride, self.window) {
            (Some(0), _) => Err(Error::argument("stride", &0, "windows start at least one symbol apart")),
            (Some(stride), None) => Err(Error::argument("stride", &stride, "needs a window")),
            _ => Ok(()),
        }
    }
}
