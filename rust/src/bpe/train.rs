//! From words to merges.
//!
//! | module | what it knows |
//! |---|---|
//! | `options` | what to train, and on what |
//! | [`counts`], [`islands`] | what a pass takes from the text, with the proof that it is enough |
//! | [`replay`] | ordinary training on a small dictionary |
//! | [`lookahead`] | the first merges from one pass |
//! | `sample`, `corpora` | pair counts of a part of a text; the corpora of this process as texts |
//! | `counted` | what the threads found in a pass |
//! | `pass` | what training asks of a text, wherever it lies |
//! | `local` | a text that this process holds |
//! | `wire`, [`answer`] | numbers as bytes; answers as bytes, and how they add up |
//! | `protocol` | what shards are asked |
//! | [`shard`] | what a shard answers |
//! | [`remote`] | a text that other processes hold: who asks |
//! | `candidates` | what to watch for |
//! | [`trainer`] | the loop of rounds |
//! | [`checkpoint`] | what an interrupted training leaves |
//!
//! Each uses those above it only, and [`encode`](super::encode).

pub mod answer;
mod candidates;
pub mod checkpoint;
mod corpora;
mod counted;
pub mod counts;
pub mod islands;
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
