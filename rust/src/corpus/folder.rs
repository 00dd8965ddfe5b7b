//! Folders of packed files: corpora larger than memory.
//!
//! | file | what |
//! |---|---|
//! | `manifest.json` | format, version, and all inputs and shards with sizes and checksums |
//! | `00003-00012.pack` | shard 12 of input 3, a packed file |
//! | `00003-00012.words.tsv.zst` | a line for each word of that shard: record, start, end, tabs between |
//!
//! Each input is cut at ends of words into shards of about `shard_bases` bases. A shard never holds two inputs, and a word
//! longer than that makes a shard by itself. Positions of words count from 0, the end excluded.
//!
//! # Crash safety
//!
//! The manifest is written last, atomically, and what it does not name is not in the corpus. A folder is therefore
//! complete or has no manifest, and a run that appends adds nothing until its manifest replaces the old one. Shards of a
//! run that was killed are removed by the next run. One run at a time writes to a folder ([`crate::io::atomic::claim`]).
//!
//! # Determinism
//!
//! Names and bytes of all files depend on the inputs and `shard_bases` alone, not on the number of threads.
//!
//! # Trust
//!
//! A manifest is not trusted. Names that this module would not write, duplicate names, sizes other than those of the files
//! and checksums other than those of their headers are refused before a shard is read, and every byte of a shard is
//! checked when it is opened (`packed`).

mod manifest;
mod pack;
mod verify;

pub(super) use self::manifest::expand;
pub use self::manifest::{CorpusManifest, CorpusShard, MANIFEST, PackedInput, places, shards};
pub use self::pack::{PackOptions, pack};
pub use self::verify::verify;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
