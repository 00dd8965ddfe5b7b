//! What the fuzz targets assert, as plain functions of bytes.
//!
//! Feature `fuzzing`; not part of the stable interface. libFuzzer calls these functions with bytes that it makes up
//! (`fuzz/fuzz_targets`), and `rust/tests/fuzz_corpus.rs` with those of the corpus (`fuzz/corpus`). A function returns
//! if all is well and panics if not: where the specification has a slow reference, the fast path must equal it, and what
//! is hostile must be refused by an error. What each asserts is told in docs/contributing/fuzzing.md.
//!
//! The first bytes of an input choose sizes and options (`input`); the rest is a file, a text or an answer. No target
//! starts a thread if the present rayon pool has one thread, and files are in memory where the system has such a folder.
//!
//! | module | targets |
//! |---|---|
//! | `sequences` | `reading`, `packing`: turns of any size against the strict reader |
//! | `unpacking` | `gzip`, `bgzf`, `xz`, `zstd`, `refused` |
//! | `tokens` | `merges`, `tokenizer`: against the heap encoder |
//! | `regions` | `regions`, `bed`, `rows` |
//! | `training` | `training` against [`super::naive`]; `checkpoint` |
//! | `shards` | `shard`, `manifest` |
//! | `answers` | `answers`, `questions`, `remote` |
//! | `input`, `scratch` | none: how inputs are read, and files for what is read by path |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)] // a violation ends the target
#![allow(clippy::cast_possible_truncation)] // lengths of small inputs

mod answers;
mod input;
mod regions;
mod scratch;
mod sequences;
mod shards;
mod tokens;
mod training;
mod unpacking;

/// A fuzz target: returns if all is well, panics if not.
pub type FuzzTarget = fn(&[u8]);

/// All targets by name, which is that of the folder of its corpus.
pub const TARGETS: [(&str, FuzzTarget); 19] = [
    ("answers", answers::answers),
    ("bed", regions::bed),
    ("bgzf", unpacking::bgzf),
    ("checkpoint", training::checkpoint),
    ("gzip", unpacking::gzip),
    ("manifest", shards::manifest),
    ("merges", tokens::merges),
    ("packing", sequences::packing),
    ("questions", answers::questions),
    ("reading", sequences::reading),
    ("refused", unpacking::refused),
    ("regions", regions::regions),
    ("remote", answers::remote),
    ("rows", regions::rows),
    ("shard", shards::shard),
    ("tokenizer", tokens::tokenizer),
    ("training", training::training),
    ("xz", unpacking::xz),
    ("zstd", unpacking::zstd),
];

/// The target of this name.
///
/// # Panics
///
/// If there is none.
pub fn target(name: &str) -> FuzzTarget {
    TARGETS.iter().find(|(known, _)| *known == name).expect("a target of this name").1
}

/// Makes the calling thread the whole of the global rayon pool: a run of a target then starts no thread.
pub fn single_thread() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().ok();
}
