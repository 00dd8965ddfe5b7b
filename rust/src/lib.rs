//! Exact byte-pair tokenizers for genomes.
pub mod alphabet;
mod decompress;
pub mod error;
pub mod fasta;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub use error::{Error, Result};
