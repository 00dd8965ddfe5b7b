//! What a folder says of itself, and what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::io::atomic::{self, is_claim, is_unfinished};
use crate::io::sizes::size;

/// The file that says what is in the folder.
pub const MANIFEST: &str = "manifest.json";
pub(super) const FORMAT: &str = "genotok packed corpus";
pub(super) const VERSION: u32 = 1;
/// Bytes of the largest manifest that is read.
const MAX_BYTES: u64 = 256 << 20;
/// Bytes of the longest list of places that is read.
const MAX_PLACES: u64 = 4 << 30;
pub(super) const SHARD: &str = ".pack";
const WORDS: &str = ".words.tsv.zst";

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(super) format: String,
    pub(super) version: u32,
    /// The inputs, in the order in which they were given.
    pub inputs: Vec<Input>,
    /// The shards, in the order of their inputs.
    pub shards: Vec<Shard>,
}

/// A sequence file that was packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name, without the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of it as it was, compressed or not.
    pub checksum: String,
    /// Records in it.
    pub records: u64,
    /// Records without a base.
    pub empty_records: u64,
    /// Words in it.
    pub words: u64,
    /// Bases in it.
    pub bases: u64,
    /// Letters that are no bases, by kind.
    pub skipped: BTreeMap<String, u64>,
}

/// A packed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its name.
    pub file: String,
    /// The number of its input, from 0.
    pub input: usize,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its words, as its header has it.
    pub checksum: String,
    /// BLAKE3 of the file that says where its words came from.
    pub places_checksum: String,
    /// Words in it.
    pub words: u64,
    /// Bases in it.
    pub bases: u64,
}

/// The file with the places of a shard's words.
pub(super) fn words_path(shard: &Path) -> PathBuf {
    shard.with_extension(&WORDS[1..])
}

/// The lines with the places of a shard's words: record, start, end, tabs between.
pub fn places(path: &Path) -> Result<String> {
    let fail = |source| Error::io(path, source);
    let file = fs::File::open(path).map_err(fail)?;
    let mut lines = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(file).map_err(fail)?;
    // No shard has so many words that its lines are longer; a file that unpacks to more is not ours.
    let damaged = |_| Error::file(path, "is damaged; `genotok verify` tells of all that is");
    decoder.take(MAX_PLACES + 1).read_to_end(&mut lines).map_err(damaged)?;
    if lines.len() as u64 > MAX_PLACES {
        return Err(Error::file(path, "is too large to be the places of a shard's words"));
    }
    Ok(String::from_utf8_lossy(&lines).into_owned())
}

pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::io(folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        found.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    Ok(found)
}

/// Whether a file is called as those that are written here, whole or not: two numbers with a line between, and an ending.
pub(super) fn is_ours(name: &str) -> bool {
    is_unfinished(name) || is_claim(name) || is_shard(name)
}

fn is_shard(name: &str) -> bool {
    let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS));
    stem.and_then(|stem| stem.split_once('-')).is_some_and(|(input, part)| {
        let is_number = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(input) && is_number(part)
    })
}

impl Manifest {
    /// Reads the manifest of a folder.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let fail = |source| Error::io(&path, source);
        let wrong = |reason: String| Error::file(&path, reason);
        let mut text = Vec::new();
        fs::File::open(&path).map_err(fail)?.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(fail)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(wrong("too large for a manifest".to_owned()));
        }
        let damaged = |reason: String| wrong(format!("not a manifest of shards, or a damaged one: {reason}"));
        let head: Head = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if head.format != FORMAT {
            let found = if head.format.is_empty() { "something else" } else { &head.format };
            return Err(wrong(format!("is of {found:?}, not of packed shards, which `genotok pack` makes")));
        }
        if head.version != VERSION {
            let found = head.version;
            return Err(wrong(format!("of version {found}; this genotok reads version {VERSION}")));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        let mut seen = BTreeSet::new();
        for shard in &manifest.shards {
            if !is_shard(&shard.file) || !shard.file.ends_with(SHARD) {
                return Err(damaged(format!("no shard is called {:?}", shard.file)));
            }
            if !seen.insert(&shard.file) {
                return Err(damaged(format!("{:?} is there twice", shard.file)));
            }
            if shard.input >= manifest.inputs.len() {
                return Err(damaged(format!("{:?} is of an input that is not there", shard.file)));
            }
        }
        Ok(manifest)
    }

    /// Names among these that are no files of its shards.
    pub(super) fn strangers(&self, names: Vec<String>) -> impl Iterator<Item = String> {
        let stems: BTreeSet<&str> =
            self.shards.iter().filter_map(|shard| shard.file.strip_suffix(SHARD)).collect();
        names.into_iter().filter(move |name| {
            let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS)).unwrap_or(name);
            !stems.contains(stem)
        })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        atomic::write(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }
}

/// What every manifest begins with, whatever its version.
#[derive(Deserialize)]
#[serde(default)]
struct Head {
    format: String,
    version: u32,
}

impl Default for Head {
    fn default() -> Self {
        Self { format: String::new(), version: VERSION }
    }
}

/// The packed files of a folder, each of the length and with the checksum that its manifest has.
pub fn shards(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.join(MANIFEST).exists() {
        let reason = format!(
            "is a folder without a {MANIFEST}: not one of shards, or not completely packed; `genotok pack` makes one"
        );
        return Err(Error::file(folder, reason));
    }
    let manifest = Manifest::open(folder)?;
    let check = |shard: &Shard| {
        let path = folder.join(&shard.file);
        match fault(&path, shard) {
            Some(reason) => Err(Error::file(&path, reason)),
            None => Ok(path),
        }
    };
    manifest.shards.iter().map(check).collect()
}

/// What is wrong with a shard, as far as its length and header say.
pub(super) fn fault(path: &Path, shard: &Shard) -> Option<String> {
    if !path.is_file() {
        return Some(format!("this shard is missing; its checksum is {}", shard.checksum));
    }
    let found = size(path);
    if found != shard.bytes {
        let Shard { bytes, checksum, .. } = shard;
        return Some(format!("this shard has {found} bytes, not {bytes}; its checksum is {checksum}"));
    }
    match Corpus::checksum(path) {
        Ok(checksum) if checksum == shard.checksum => None,
        Ok(checksum) => {
            Some(format!("this shard has the checksum {checksum}, not {} as in {MANIFEST}", shard.checksum))
        }
        Err(error) => Some(reason_of(error)),
    }
}

/// An error without the name of the file in front.
pub(super) fn reason_of(error: Error) -> String {
    match error {
        Error::File { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// Paths with each folder replaced by its shards.
pub(in crate::corpus) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { found.extend(shards(path)?) } else { found.push(path.clone()) }
    }
    Ok(found)
}
