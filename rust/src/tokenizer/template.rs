//! What is put around a sequence: `[CLS]` and `[SEP]` of BERT, say.

use super::numbering::Id;

/// The special tokens around a sequence, for callers that ask for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Before its tokens, in order.
    pub before: Vec<Id>,
    /// After them, in order.
    pub after: Vec<Id>,
}
