//! Folders of packed files: corpora larger than memory.
//!
//! Each input is cut at ends of words into packed files of about so many bases, so that a shard never holds two inputs;
//! a word that is longer than a shard makes one of its own. Beside each shard stands where its words came from, a line
//! each: record, start, end (from 0, half-open), tabs between, compressed by zstd. `manifest.json` is written last: it
//! names all shards and inputs with their checksums, and what is not in it is not in the corpus. So a folder is whole or
//! has no manifest, and adding to one that is there adds nothing until the new manifest takes the old one's place.
//!
//! One run at a time writes to a folder ([`crate::io::atomic::claim`]).
//!
//! What a file is called depends on the inputs and the size alone, and so do its bytes: not on the number of threads.
//!
//! A manifest is not trusted: names that no manifest of ours has, two equal ones, sizes that are not those of the files
//! and checksums that are not those of their headers are refused before a shard is read, and every byte of a shard is
//! checked when it is opened (`packed`).

mod manifest;
mod pack;
mod verify;

pub(super) use self::manifest::expand;
pub use self::manifest::{Input, MANIFEST, Manifest, Shard, places, shards};
pub use self::pack::{Packing, pack};
pub use self::verify::verify;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
