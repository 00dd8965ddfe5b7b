//! What goes in and what comes out: sequences, how to encode them, ids.

use super::output::IdStore;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::tokenizer::{Id, Template, Tokenizer};

/// Sequences back to back: number `i` is `bytes[offsets[i]..offsets[i + 1]]`, text in UTF-8.
///
/// For n sequences there are n + 1 offsets, which rise and may start above 0; the layout of an Arrow string array.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a> {
    /// The bytes of all sequences.
    pub bytes: &'a [u8],
    /// Where each sequence starts, and the last one ends.
    pub offsets: &'a [usize],
}

/// Characters of a sequence that are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceEdit {
    /// The first that is replaced.
    pub start: usize,
    /// The end of those that are replaced; `start` where something is inserted.
    pub end: usize,
    /// What takes their place; perhaps nothing.
    pub replacement: String,
}

/// How to encode.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // they are independent options
pub struct EncodeOptions {
    /// What becomes of symbols outside the vocabulary.
    pub unknown: UnknownPolicy,
    /// Read lower-case symbols as upper-case ones, whatever the file says.
    pub upper_case: bool,
    /// Put the special tokens of [`Tokenizer::template`] around each sequence.
    pub add_special_tokens: bool,
    /// Tell where each token comes from: 16 bytes per token.
    pub spans: bool,
    /// All bytes are symbols of a sequence file, none above ASCII and no bracket: then no search for others is needed.
    pub only_symbols: bool,
    /// The first sequence continues one, and the last one goes on: parts of a sequence that was cut at a
    /// [`Tokenizer::last_cut`]. No special tokens stand there.
    pub parts: [bool; 2],
}

impl EncodeOptions {
    /// What is put around each sequence: nothing, unless special tokens are asked for; fails if there are none.
    pub(super) fn template(self, tokenizer: &Tokenizer) -> Result<Template> {
        if self.add_special_tokens { tokenizer.template() } else { Ok(Template::default()) }
    }

    /// What an unknown symbol becomes, an id or nothing, and whether it is an error; `id` is that of the unknown token.
    pub(super) fn unknown_rule(self, id: Option<Id>) -> (Option<Id>, bool) {
        match self.unknown {
            UnknownPolicy::Token => (id, id.is_none()),
            UnknownPolicy::Split => (None, false),
            UnknownPolicy::Refuse => (None, true),
        }
    }
}

/// Ids, as narrow as the vocabulary allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Of a vocabulary of at most 65,536 tokens.
    Narrow(Vec<u16>),
    /// Of a larger one.
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

    /// Adds those of `other`, which are of the same vocabulary.
    pub(crate) fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Narrow(ids), Self::Narrow(other)) => append(ids, other),
            (Self::Wide(ids), Self::Wide(other)) => append(ids, other),
            (ids, other) => *ids = Self::Wide([ids.to_vec(), other.to_vec()].concat()),
        }
    }

    /// Removes all from `at` on, and returns them.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Narrow(ids) => Self::Narrow(if at == 0 { std::mem::take(ids) } else { ids.split_off(at) }),
            Self::Wide(ids) => Self::Wide(if at == 0 { std::mem::take(ids) } else { ids.split_off(at) }),
        }
    }

    /// Leaves their memory to batches to come.
    pub fn keep_memory(self) {
        match self {
            Self::Narrow(ids) => ids.keep_memory(),
            Self::Wide(ids) => ids.keep_memory(),
        }
    }

    /// All of them in 32 bits; a copy.
    pub fn to_vec(&self) -> Vec<Id> {
        match self {
            Self::Narrow(ids) => ids.iter().map(|&id| Id::from(id)).collect(),
            Self::Wide(ids) => ids.clone(),
        }
    }
}

/// Sequences as ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBatch {
    /// The ids of all sequences, back to back.
    pub ids: Ids,
    /// Where those of each sequence start, and the last end: one more than there are sequences, the first 0. Arrow's large
    /// lists have the same offsets.
    pub offsets: Vec<i64>,
    /// For each id, where in its sequence the token comes from: from and up to which character; `[0, 0]` for special
    /// tokens that were added. Only if [`EncodeOptions::spans`] asks for it.
    pub spans: Option<Vec<[i64; 2]>>,
    /// How many symbols were outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case ones whose upper case is in the vocabulary.
    pub lower_case: u64,
}

/// Adds ids to a long list, and leaves their memory to the next call.
fn append<T: Copy>(ids: &mut Vec<T>, other: Vec<T>)
where
    Vec<T>: IdStore,
{
    if ids.capacity() - ids.len() < other.len() {
        IdStore::reserve(ids, other.len().max(ids.len()));
    }
    ids.extend_from_slice(&other);
    other.keep_memory();
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

    /// Bytes of all sequences.
    pub(super) fn num_bytes(&self) -> usize {
        self.offsets.last().zip(self.offsets.first()).map_or(0, |(last, first)| last.saturating_sub(*first))
    }

    /// Fails unless the offsets rise and stay within the bytes; everything after relies on it.
    pub(super) fn check(&self) -> Result<()> {
        let rising = self.offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if rising && self.offsets.last().is_none_or(|&end| end <= self.bytes.len()) {
            return Ok(());
        }
        let rule = format!("must rise and stay within the {} bytes of all sequences", self.bytes.len());
        Err(Error::argument("offsets", &"offsets", rule))
    }
}
