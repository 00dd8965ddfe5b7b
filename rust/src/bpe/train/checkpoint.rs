//! The state of an interrupted training, as a file from which it can be resumed to the same result.
//!
//! Between rounds the merge list is all there is to know, and any first part of it is right. A
//! checkpoint is that list with what it was made from: the corpus by its fingerprint, and every
//! option that has a say in the merges. The size of the vocabulary has none: training can resume
//! from a checkpoint to a larger one, or cut it to a smaller.
//!
//! JSON, written atomically, at most every few seconds and always when training ends early. It is
//! not trusted: version, corpus, options and a checksum of the merges are compared, and the merges
//! checked, before one is used.
//!
//! ```text
//! {"format":"genotok checkpoint","version":1,"fingerprint":"0123...cdef","word_length":1000,
//!  "both_strands":false,"min_frequency":1,"max_token_length":null,"checksum":"89ab...4567",
//!  "merges":[[0,1],[4,2]]}
//! ```

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::options::MergeOptions;
use crate::bpe::{MergeTable, Pair};
use crate::error::{Error, Result};
use crate::io::atomic;

/// What the file says that it is.
const FORMAT: &str = "genotok checkpoint";
/// The version that is written and read.
const VERSION: u32 = 1;
/// Bytes of the largest checkpoint that is read.
const MAX_BYTES: u64 = if cfg!(test) { 1 << 18 } else { 256 << 20 };
/// A round is written if the last one was written longer ago than this.
const INTERVAL: Duration = Duration::from_secs(5);

/// What has a say in the merges: the corpus and the options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// Of the corpus, in hexadecimal digits.
    fingerprint: String,
    word_length: Option<u64>,
    both_strands: bool,
    min_frequency: u64,
    max_token_length: Option<u32>,
}

/// The file. The order of its fields is that of the bytes.
#[derive(Serialize, Deserialize)]
struct Content {
    format: String,
    version: u32,
    #[serde(flatten)]
    origin: Origin,
    checksum: String,
    merges: Vec<Pair>,
}

/// A fingerprint as it is written: 32 hexadecimal digits.
pub fn hex(fingerprint: u128) -> String {
    format!("{fingerprint:032x}")
}

/// A checkpoint that was read but not yet compared with the corpus.
#[derive(Debug)]
pub struct LoadedCheckpoint {
    path: PathBuf,
    origin: Origin,
    table: MergeTable,
}

/// Reads a checkpoint. Fails if it is none, is damaged, or was made with other options.
///
/// That it comes from the same sequences is tested by [`LoadedCheckpoint::table_for`], when these
/// have been read.
pub fn load(path: &Path, options: &MergeOptions) -> Result<LoadedCheckpoint> {
    let fail = |source| Error::io(path, source);
    let mut text = Vec::new();
    File::open(path).map_err(fail)?.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(fail)?;
    let damaged = |reason: &str| {
        Error::file(path, format!("this is no checkpoint of genotok, or a damaged one: {reason}"))
    };
    if text.len() as u64 > MAX_BYTES {
        return Err(damaged("it is too large"));
    }
    let content: Content = serde_json::from_slice(&text).map_err(|error| {
        damaged(&format!("line {}, column {}: {:?} error", error.line(), error.column(), error.classify()))
    })?;
    if content.format != FORMAT {
        return Err(damaged("it does not say so"));
    }
    if content.version != VERSION {
        let found = content.version;
        return Err(Error::file(
            path,
            format!("checkpoint of version {found}; this genotok reads version {VERSION}"),
        ));
    }
    if content.checksum != checksum(&content.merges) {
        return Err(damaged("its checksum is wrong"));
    }
    let table = MergeTable::from_merges(content.merges).map_err(|error| damaged(&error.to_string()))?;
    let found = LoadedCheckpoint { path: path.to_path_buf(), origin: content.origin, table };
    found.compare(&Origin::new(options, found.origin.fingerprint.clone()))?;
    Ok(found)
}

impl LoadedCheckpoint {
    /// The merges, at most as many as wanted, if they were made from this corpus.
    pub fn table_for(&self, fingerprint: u128, options: &MergeOptions) -> Result<MergeTable> {
        self.compare(&Origin::new(options, hex(fingerprint)))?;
        Ok(self.table.truncated(options.num_merges))
    }

    /// Fails if the checkpoint was made from other sequences or with other options, and names the
    /// first that differs.
    fn compare(&self, wanted: &Origin) -> Result<()> {
        let differs = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
            let reason = format!(
                "this checkpoint was made with {what} {found:?}, not {wanted:?}; give the same, or start anew"
            );
            Err(Error::file(&self.path, reason))
        };
        let Origin { fingerprint, word_length, both_strands, min_frequency, max_token_length } = &self.origin;
        if *word_length != wanted.word_length {
            return differs("word_length", word_length, &wanted.word_length);
        }
        if *both_strands != wanted.both_strands {
            return differs("both_strands", both_strands, &wanted.both_strands);
        }
        if *min_frequency != wanted.min_frequency {
            return differs("min_frequency", min_frequency, &wanted.min_frequency);
        }
        if *max_token_length != wanted.max_token_length {
            return differs("max_token_length", max_token_length, &wanted.max_token_length);
        }
        if *fingerprint != wanted.fingerprint {
            let reason = "this checkpoint was made from other sequences; give the same files, or start anew";
            return Err(Error::file(&self.path, reason));
        }
        Ok(())
    }
}

impl Origin {
    /// Of a training with these options; limits that mean the same compare equal.
    fn new(options: &MergeOptions, fingerprint: String) -> Self {
        Self {
            fingerprint,
            word_length: options.word_length,
            both_strands: options.both_strands,
            min_frequency: options.min_frequency.max(1), // 0 means 1
            max_token_length: options.max_token_length,
        }
    }
}

/// A checksum of the merges: BLAKE3 over both parts of each, as 32-bit little-endian numbers.
pub(crate) fn checksum(merges: &[Pair]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (left, right) in merges {
        hasher.update(&left.to_le_bytes()).update(&right.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Writes checkpoints while training goes on.
#[derive(Debug)]
pub struct CheckpointWriter {
    path: PathBuf,
    origin: Origin,
    /// Merges at the end of the last round, and in the file.
    complete: usize,
    written: usize,
    last: Instant,
}

impl CheckpointWriter {
    /// For a training of `options` on the corpus of this fingerprint, which starts with `resumed`
    /// merges.
    pub fn new(path: &Path, fingerprint: u128, options: &MergeOptions, resumed: usize) -> Self {
        let origin = Origin::new(options, hex(fingerprint));
        Self { path: path.to_path_buf(), origin, complete: resumed, written: resumed, last: Instant::now() }
    }

    /// A round is complete; it is written if it is time.
    pub fn round(&mut self, table: &MergeTable) -> Result<()> {
        self.complete = table.merges().len();
        if self.last.elapsed() < INTERVAL { Ok(()) } else { self.write(table) }
    }

    /// Training ended early: writes the last complete round, unless that is done. The table may
    /// hold merges of a round that is not complete; they are left out.
    pub fn stop(&mut self, table: &MergeTable) -> Result<()> {
        if self.complete == self.written { Ok(()) } else { self.write(table) }
    }

    /// Writes the merges of the last complete round.
    fn write(&mut self, table: &MergeTable) -> Result<()> {
        let merges = table.merges()[..self.complete].to_vec();
        let content = Content {
            format: FORMAT.to_owned(),
            version: VERSION,
            origin: self.origin.clone(),
            checksum: checksum(&merges),
            merges,
        };
        atomic::write(&self.path, |file| Ok(serde_json::to_writer(file, &content)?))?;
        self.written = self.complete;
        self.last = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
