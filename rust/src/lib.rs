//! Exact byte-pair tokenizers for genomes.
//!
//! ```text
//!  FASTA, FASTQ ──> fasta ──> corpus ──> bpe::train ──> tokenizer ──> tokenizer.json
//!  (decompress)               │    ▲        │   ▲           │
//!                   packed file ───┘        ▼   │           ├── encode: text to ids
//!                                        checkpoint         └── decode: ids to text
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`error`] | everything that can go wrong |
//! | [`monitor`], [`threads`] | progress and cancellation of work; thread pools |
//! | [`alphabet`] | which symbols are bases, what the others stand for, and the policies for unknown ones |
//! | [`verdict`] | whether a file is a nucleotide file |
//! | [`io`] | files and memory: sequence files of any compression, atomic writes |
//! | [`corpus`] | words packed at 2 bits per base, in memory or in a file |
//! | [`check`] | every defect of a sequence file, not only the first |
//! | [`bpe`] | byte-pair encoding: the rule, encoding, training |
//! | [`kmer`] | k-mers of any kind: their vocabularies, encoding and decoding |
//! | [`loci`] | sequences of one locus: copies, overlapping windows, clusters |
//! | [`tokenizer`] | merges with special tokens and ids, and their file |
//! | [`batch`] | many sequences to ids and back, in parallel |
//! | [`rows`] | sequence files as records, windows or regions, with their places |
//! | [`stream`] | files to tokens, batch by batch |
//! | [`session`] | from files to a tokenizer and a report |
//!
//! Each uses those above it only; `tests/test_repository.py` says so too.
//!
//! [`session::train`] is the way through all of it; `genotok-python` binds it to Python.
pub mod alphabet;
pub mod batch;
pub mod bpe;
pub mod check;
pub mod corpus;
pub mod error;
mod instructions;
pub mod io;
pub mod kmer;
pub mod loci;
pub mod monitor;
pub mod rows;
pub mod session;
pub mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod threads;
pub mod tokenizer;
pub mod verdict;

pub use error::{Error, Result};
pub use io::checksum::ContentChecksum;
pub use monitor::Monitor;
pub use tokenizer::Tokenizer;
