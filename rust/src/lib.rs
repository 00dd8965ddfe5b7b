//! Exact byte-pair tokenizers for genomes.
pub mod error;
pub use error::{Error, Result};
