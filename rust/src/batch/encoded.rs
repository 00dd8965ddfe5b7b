//! What goes in and what comes out: sequences, how to encode them, ids.

use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::tokenizer::Id;

/// Sequences end to end: number `i` is `bytes[offsets[i]..offsets[i + 1]]`, text in UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a> {
    /// All letters.
    pub bytes: &'a [u8],
    /// Where each sequence begins, and the last one ends.
    pub offsets: &'a [usize],
}

/// How to encode.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeOptions {
    /// What becomes of letters outside the vocabulary.
    pub unknown: UnknownPolicy,
    /// Read lower-case letters as upper-case ones, whatever the file says.
    pub upper_case: bool,
    /// Put the special tokens of [`Tokenizer::template`](crate::tokenizer::Tokenizer::template) around each sequence.
    pub add_special_tokens: bool,
    /// Tell where each token comes from.
    pub spans: bool,
}

/// Ids, as narrow as the vocabulary allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Of at most 65,536 different ids.
    Narrow(Vec<u16>),
    /// Of more.
    Wide(Vec<u32>),
}

impl Ids {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(ids) => ids.len(),
            Self::Wide(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in 32 bits.
    pub fn to_vec(&self) -> Vec<Id> {
        match self {
            Self::Narrow(ids) => ids.iter().map(|&id| Id::from(id)).collect(),
            Self::Wide(ids) => ids.clone(),
        }
    }
}

/// Sequences as ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The ids of all sequences, end to end.
    pub ids: Ids,
    /// Where those of each sequence begin, and the last end.
    pub offsets: Vec<i64>,
    /// The letters of its sequence that each token comes from, from where to where, as characters; `[0, 0]` for
    /// special tokens that were added.
    pub spans: Option<Vec<[i64; 2]>>,
    /// Letters that were outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case letters whose upper case is in the vocabulary.
    pub lower_case: u64,
}

impl Sequences<'_> {
    /// How many sequences there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn check(&self) -> Result<()> {
        let rising = self.offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if rising && self.offsets.last().is_none_or(|&end| end <= self.bytes.len()) {
            return Ok(());
        }
        let rule = format!("must rise and stay within the {} bytes of all sequences", self.bytes.len());
        Err(Error::argument("offsets", &"offsets", rule))
    }
}
