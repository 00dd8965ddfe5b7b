//! From words to merges.
//!
//! | module | what it knows |
//! |---|---|
//! | `options` | what to train, and on what |
//! | [`counts`], [`islands`] | what a pass takes from the text, with the proof that it is enough |
//! | `layout` | islands in one array |
//! | [`replay`] | ordinary training on a small dictionary |
//! | [`lookahead`] | the first merges from one pass |
//! | `sample`, `corpora` | pair counts of a part of a text; the corpora of this process as texts |
//! | `counted` | what the threads found in a pass |
//! | `pass` | the trait for a text that is trained on, local or remote |
//! | `local` | a text that this process holds |
//! | `wire`, [`answer`] | numbers as bytes; answers as bytes, and how they add up |
//! | `protocol` | the questions to shards |
//! | [`shard`] | the answers of a shard |
//! | [`remote`] | a text that other processes hold, known by their answers |
//! | `candidates` | which pairs to watch for |
//! | [`trainer`] | the loop of rounds |
//! | [`checkpoint`] | the state of an interrupted training, as a file |
//!
//! Each uses those above it only, and [`encode`](super::encode).
//!
//! What costs time is the pass: it reads the whole text, on all threads, some ten times for 4,096
//! tokens. All else works on samples and summaries. What costs memory is the text, at 2 bits per
//! base, or nothing if it is mapped or remote.

pub mod answer;
mod candidates;
pub mod checkpoint;
mod corpora;
mod counted;
pub mod counts;
pub mod islands;
mod layout;
mod local;
pub mod lookahead;
mod options;
mod pass;
mod protocol;
pub mod remote;
pub mod replay;
mod sample;
pub mod shard;
pub mod trainer;
mod wire;

pub use self::options::{MergeOptions, WeightedCorpora, merges_for};
pub use self::remote::{CorpusShards, RemoteCorpus};
pub use self::trainer::{Round, StopReason, TrainingSummary, train, train_remote};
