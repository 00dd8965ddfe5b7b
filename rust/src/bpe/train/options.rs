//! What to train, and on what.

use crate::bpe::{MergeTable, NUM_BASES, Pair};
use crate::corpus::Corpus;
use crate::error::{Error, Result};

/// What to train, and the knobs of training.
///
/// The first five decide what the merges are; the last three decide only how long training takes,
/// which the tests of exactness use to force each part of it to work.
#[derive(Clone, Debug)]
pub struct MergeOptions {
    /// Merges wanted in all.
    pub num_merges: usize,
    /// Pairs seen less often are not merged; 0 means 1.
    pub min_frequency: u64,
    /// The longest token allowed, in bases; `None` is no limit.
    pub max_token_length: Option<u32>,
    /// Words are cut into pieces of this many bases, counted from their start; no token crosses a
    /// cut.
    pub word_length: Option<u64>,
    /// Each word counts together with its reverse complement; a pass reads twice the bases.
    pub both_strands: bool,
    /// Guess at random, from this seed: slow, for tests of exactness.
    pub random_guess: Option<u64>,
    /// Bases that a text must have for [`super::lookahead`] to pay.
    pub look_ahead_from: u64,
    /// Tokens in islands that all threads together may keep, about 64 bytes each: with the text
    /// what bounds the memory.
    pub max_island_tokens: usize,
}

impl Default for MergeOptions {
    fn default() -> Self {
        Self {
            num_merges: 4087,
            min_frequency: 0,
            max_token_length: None,
            word_length: None,
            both_strands: false,
            random_guess: None,
            look_ahead_from: 1 << 20,
            max_island_tokens: 1 << 24,
        }
    }
}

impl MergeOptions {
    /// Whether the product of a pair is within the longest length allowed.
    pub(super) fn may_merge(&self, table: &MergeTable, pair: Pair) -> bool {
        table.length_joined(pair) <= self.max_token_length.unwrap_or(u32::MAX)
    }
}

/// Texts that count with the same weight.
#[derive(Clone, Debug)]
pub struct WeightedCorpora {
    /// The texts.
    pub corpora: Vec<Corpus>,
    /// How often each word counts. Weights times bases stay below 2^62, so no count overflows.
    pub weight: u64,
}

/// Merges in a vocabulary of `vocab_size` identifiers, beside the bases and `specials` special
/// tokens.
///
/// Fails if the vocabulary is too small for these alone.
pub fn merges_for(vocab_size: usize, specials: usize) -> Result<usize> {
    vocab_size.checked_sub(specials + NUM_BASES as usize).ok_or_else(|| {
        let least = specials + NUM_BASES as usize;
        Error::argument(
            "vocab_size",
            &vocab_size,
            format!("must be at least {least}: {specials} special tokens and the four bases"),
        )
    })
}
