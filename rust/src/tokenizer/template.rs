//! What stands around a sequence.

use super::numbering::Id;

/// The special tokens around a sequence, for callers that ask for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Before its tokens.
    pub before: Vec<Id>,
    /// After them.
    pub after: Vec<Id>,
}
