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
//! | [`alphabet`] | which letters are bases, and what the others stand for |
//! | [`verdict`] | what is a nucleotide file, and what is not |
//! | [`fasta`] | sequence files, record by record, plain or compressed |
//! | [`check`] | every defect of a sequence file, not only the first |
//! | [`corpus`] | words at two bits a base, in memory or in a packed file |
//! | [`bpe`] | byte-pair encoding: the rule, the automaton, the trainer |
//! | [`kmer`] | k-mers of any kind: their vocabularies, encoding and decoding |
//! | [`tokenizer`] | merges with special tokens and ids, and their file |
//! | [`batch`] | many sequences to ids and back, in parallel |
//! | [`rows`] | sequence files as records, windows or regions, with their places |
//! | [`stream`] | files to tokens, batch by batch |
//! | [`session`] | from files to a tokenizer and a report |
//! | [`checksum`] | checksums of structured contents |
//! | [`monitor`] | watching and stopping work from another thread |
//! | [`atomic`] | atomic writes, what killed writers left, and whose an output is |
//! | [`tabix`] | BED lines compressed in blocks, with their index |
//! | [`memory`] | fresh memory for large results |
//! | [`error`] | everything that can go wrong |
//!
//! [`session::train`] is the way through all of it; `genotok-python` is a thin coat around it.
pub mod alphabet;
pub mod atomic;
pub mod batch;
pub mod bpe;
pub mod check;
pub mod checksum;
pub mod corpus;
mod decompress;
pub mod error;
pub mod fasta;
pub mod kmer;
pub mod memory;
pub mod monitor;
pub mod rows;
pub mod session;
pub mod stream;
pub mod tabix;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokenizer;
pub mod verdict;

pub use checksum::Checksum;
pub use error::{Error, Result};
pub use monitor::Monitor;
pub use tokenizer::Tokenizer;
