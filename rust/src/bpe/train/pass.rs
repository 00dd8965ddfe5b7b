//! What training asks of a text, wherever the text lies.
//!
//! The round loop of [`super::trainer`] knows a text by the answers to three questions: a pass for a guessed set `S`, the
//! counts of pairs that share entries of the table, and the number of tokens. Each answer is a sum, so the merges do not
//! depend on who gives it. [`super::local`] reads corpora of this process, [`super::remote`] asks shards. A call is one
//! pass over the text: nothing in the loops over bases and tokens goes through this trait.

use super::corpora::Corpora;
use super::counted::PassCounts;
use crate::bpe::encode::MergeEncoder;
use crate::bpe::{MergeTable, Pair};
use crate::error::Result;

/// A text that is trained on.
pub(super) trait TrainingText {
    /// Bases that one pass reads: those of both strands if both count.
    fn bases(&self) -> u64;

    /// Bases, each as often as its word counts: the tokens before the first merge.
    fn weighted_bases(&self) -> u64;

    /// What this process holds of the text, to sample from: all of it, or itself a sample.
    fn held(&self) -> Corpora<'_>;

    /// Bases of the text, on one strand, that a part of what is held stands for; the part spans so many.
    fn represented(&self, span: u64) -> u64;

    /// Counts pairs, and islands of `guess`, under `encoder`, the one of `table`. Returns the pairs across cuts inside words,
    /// which are counted too, with their weight.
    fn pass(
        &mut self,
        table: &MergeTable,
        encoder: &MergeEncoder,
        guess: &[Pair],
        counted: &mut PassCounts,
    ) -> Result<Vec<(Pair, u64)>>;

    /// The counts of all pairs that share entries of the table in which the last pass `counted` `least` or more.
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
