//! The trait for a text that is trained on, wherever the text lies.
//!
//! The round loop of [`super::trainer`] knows a text by the answers to three questions: a pass for
//! a guessed set `S`, the counts of pairs that share entries of the table, and the number of
//! tokens. Each answer is a sum, so the merges do not depend on who gives it. [`super::local`]
//! reads corpora of this process, [`super::remote`] asks shards. A call is one pass over the text:
//! nothing in the loops over bases and tokens goes through this trait.

use super::corpora::Corpora;
use super::counted::PassCounts;
use crate::bpe::encode::MergeEncoder;
use crate::bpe::{MergeTable, Pair};
use crate::error::Result;

/// A text that is trained on.
pub(super) trait TrainingText {
    /// Bases that one pass reads: those of both strands if both count.
    fn bases(&self) -> u64;

    /// Bases, each as often as its word counts: the number of tokens before the first merge.
    fn weighted_bases(&self) -> u64;

    /// The part of the text that this process holds, to sample from: all of it, or itself a sample.
    fn held(&self) -> Corpora<'_>;

    /// Bases of the text, on one strand, that a part of `span` bases of what is held stands for.
    fn represented(&self, span: u64) -> u64;

    /// Counts pairs, and islands of `guess`, under `encoder`, the one of `table`. Replaces what was
    /// in `counted`.
    ///
    /// Returns the boundary pairs of cuts inside words, with their weight. They are counted too;
    /// look-ahead needs them apart, because the token before a cut does not end a word.
    fn pass(
        &mut self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        guess: &[Pair],
        counted: &mut PassCounts,
    ) -> Result<Vec<(Pair, u64)>>;

    /// Whether [`Self::count_shared`] may be asked when there are more merges than at the last pass.
    fn counts_new_pairs(&self) -> bool;

    /// The counts of all pairs that may occur `least` times or more, by the entries that they share
    /// in the table of the last pass, `counted`.
    ///
    /// A pair with a token that is newer than that pass lies across an adjacency of older tokens,
    /// and occurs no more often ([`super::islands`]).
    fn count_shared(
        &mut self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        counted: &PassCounts,
        least: u64,
    ) -> Result<Vec<(Pair, u64)>>;

    /// The number of tokens under `table`, by a pass of its own.
    fn count_tokens(&mut self, table: &MergeTable) -> Result<u64>;
}
