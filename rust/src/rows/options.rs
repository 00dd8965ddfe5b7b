//! Which rows are wanted, and what is done to their letters.

use super::Regions;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::verdict::{self, MAX_UNKNOWN};

/// Letters in a batch, if nothing else is said.
pub const BATCH_LETTERS: usize = 16_000_000;

/// The order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// That of the sequence files, their records, and the regions of a record as given.
    #[default]
    Files,
    /// That of the lines of BED files.
    Bed,
}

/// Which rows, and what is done to their letters.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub struct RowOptions {
    /// Letters in a window.
    pub window: Option<u64>,
    /// Letters from the begin of a window to that of the next; the window's length if not given.
    pub stride: Option<u64>,
    /// The regions that are wanted; all if not given.
    pub regions: Option<Regions>,
    /// In which order.
    pub order: RowOrder,
    /// Each row is read from the other strand; one of a BED file's other strand from that of the file.
    pub reverse_complement: bool,
    /// Lower-case letters become upper-case ones.
    pub upper_case: bool,
    /// What happens to letters outside the vocabulary.
    pub unknown: UnknownPolicy,
    /// Letters in a batch, about.
    pub batch_letters: usize,
    /// Whether the digest of each record is computed.
    pub digests: bool,
    /// The share of unknown symbols that the rows of a file may have, see [`verdict`].
    pub allow_unknown: f64,
    /// Whether it is an error if no file has a base; a part of all files may have none.
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
            batch_letters: BATCH_LETTERS,
            digests: false,
            allow_unknown: MAX_UNKNOWN,
            need_bases: true,
        }
    }
}

impl RowOptions {
    pub(super) fn check(&self) -> Result<()> {
        verdict::check_allowed(self.allow_unknown)?;
        if self.window == Some(0) {
            return Err(Error::argument("window", &0, "a window has at least one letter"));
        }
        match (self.stride, self.window) {
            (Some(0), _) => Err(Error::argument("stride", &0, "windows begin at least one letter apart")),
            (Some(stride), None) => Err(Error::argument("stride", &stride, "needs a window")),
            _ => Ok(()),
        }
    }
}
