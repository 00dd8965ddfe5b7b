//! Exact byte-pair tokenizers for genomes.
pub mod alphabet;
pub mod atomic;
pub mod bpe;
pub mod corpus;
mod decompress;
pub mod error;
pub mod fasta;
pub mod monitor;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub use error::{Error, Result};
