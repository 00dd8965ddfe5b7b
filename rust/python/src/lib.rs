//! `genotok._native`: the Python face of `genotok-core`.
//!
//! Every function takes owned arguments, lets go of the interpreter's lock, calls the core, and maps its error to an
//! exception. What may take long is [`watch`]ed: it hears Ctrl-C and reports progress. Nothing is decided here.

mod arguments;
mod arrow_messages;

mod atomic_file;
mod batch_writer;
mod batches;
mod bed;
mod capsule;
mod check;
mod checksum;
mod claim;
mod corpus;
mod encoded_rows;
mod errors;
mod file_checksum;
mod files;
mod id_lists;
mod loci;
mod offsets;
mod options;
mod parquet;
mod parts;
mod pools;
mod reader;
mod row_map;
mod shards;
mod slow;
mod text_table;
mod texts;
mod token_methods;
mod tokenizer;
mod tokens;
mod training_report;
mod verdict;
mod view;
mod watch;

use pyo3::prelude::*;

/// What `genotok` is made of; use that package.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::atomic_file::{AtomicFile, commit_together};
    #[pymodule_export]
    use super::batch_writer::BatchWriter;
    #[pymodule_export]
    use super::bed::IndexedBed;
    #[pymodule_export]
    use super::check::check;
    #[pymodule_export]
    use super::checksum::batch_checksum;
    #[pymodule_export]
    use super::claim::Claim;
    #[pymodule_export]
    use super::corpus::{
        check_bases, pack, pack_shards, packed_contents, read_places, shard_files, simulate, verify_shards,
    };
    #[pymodule_export]
    use super::encoded_rows::EncodedRows;
    #[pymodule_export]
    use super::file_checksum::file_checksum;
    #[pymodule_export]
    use super::loci::find_loci;
    #[pymodule_export]
    use super::reader::{RecordBatch, TokenReader};
    #[pymodule_export]
    use super::shards::{Shard, ShardTraining, add_answers};
    #[pymodule_export]
    use super::tokenizer::Tokenizer;
    #[pymodule_export]
    use super::tokens::TokenArray;
    #[pymodule_export]
    use super::verdict::{describe_unknown, judge};
    #[pymodule_export]
    use super::watch::check_memory;
    /// The share of unknown symbols that a file may have, unless the caller allows more.
    #[pymodule_export]
    const MAX_UNKNOWN: f64 = genotok_core::verdict::MAX_UNKNOWN;
    /// The version of genotok.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
