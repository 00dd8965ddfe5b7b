//! The questions to shards, as they travel.
//!
//! A *shard* is some corpora that one process holds. Training needs few answers of a text, and all
//! of them add up ([`super::answer`]):
//!
//! - once, what is in it, and a sample: stretches from all over the text, 8 MB at most, which
//!   steers every guess from then on, so that no guess has to ask again;
//! - each round, one pass for a guessed set `S`: pair counts, islands, and the boundary pairs of
//!   cuts;
//! - if pairs share entries of the table and the last round made no merge, the counts of the pairs
//!   in some entries;
//! - after a run that did not see every merge, the number of tokens.
//!
//! So the merges are those of training in one process, to the bit, whatever the number of shards
//! and whoever holds them: what is committed depends on sums alone, and guesses and samples only
//! decide how many rounds it takes.
//!
//! A question is JSON, and goes to all shards as it is; an answer is bytes. Nothing here knows how
//! they travel. [`super::remote`] asks, [`super::shard`] answers. A shard keeps no state between
//! questions: each carries the merges, eight bytes or so per merge, so a shard that is started
//! again answers as before.
//!
//! ```text
//! {"version":1,"merges":[[0,1]],"word_length":1000,"both_strands":false,
//!  "about":{"Pass":{"guess":[[4,2],[2,0]],"room":16777216}}}
//! ```

use serde::{Deserialize, Serialize};

use super::options::MergeOptions;
use crate::bpe::{MergeTable, Pair};
use crate::error::{Error, Result};

/// The version of questions and answers; a shard of another version does not answer.
pub(super) const VERSION: u32 = 1;

/// A question to all shards: what is asked, and all that the answer depends on beside the corpora.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) version: u32,
    /// The table under which the text is read, by rank.
    pub(super) merges: Vec<Pair>,
    /// As in [`MergeOptions`].
    pub(super) word_length: Option<u64>,
    pub(super) both_strands: bool,
    /// What is asked.
    pub(super) about: About,
}

/// What is asked about a shard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum About {
    /// The contents: numbers of records, words and bases, and the fingerprint.
    Contents,
    /// A sample: stretches of `stretch` bases, one every `every` bases.
    Sample { stretch: u64, every: u64 },
    /// One pass that may keep `max_island_tokens` tokens of islands.
    Pass {
        guess: Vec<Pair>,
        /// Under its first name on the wire, so that version 1 stays version 1.
        #[serde(rename = "room")]
        max_island_tokens: usize,
    },
    /// The counts of all pairs that share these entries of the table.
    Entries(Vec<u32>),
    /// The number of tokens under the merges.
    Tokens,
}

/// A question as it travels.
pub(super) fn question(table: &MergeTable, options: &MergeOptions, about: About) -> Result<Vec<u8>> {
    let MergeOptions { word_length, both_strands, .. } = *options;
    let asked =
        Question { version: VERSION, merges: table.merges().to_vec(), word_length, both_strands, about };
    serde_json::to_vec(&asked).map_err(|error| Error::argument("question", &"", error.to_string()))
}
