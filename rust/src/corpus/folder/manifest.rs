//! The manifest of a folder of shards: its form, what makes it valid, and the files that it names.
//!
//! The form is version 1:
//!
//! ```json
//! {
//!   "format": "genotok packed corpus",
//!   "version": 1,
//!   "inputs": [
//!     {"name": "a.fa.gz", "bytes": 812, "checksum": "5f1c...", "records": 2, "empty_records": 0, "words": 3,
//!      "bases": 2901, "skipped": {"N": 17}}
//!   ],
//!   "shards": [
//!     {"file": "00000-00000.pack", "input": 0, "bytes": 941, "checksum": "90ab...", "places_checksum": "77de...",
//!      "words": 3, "bases": 2901}
//!   ]
//! }
//! ```
//!
//! Keys that this version does not know are an error: a newer genotok may mean by them that the shards are to be read in
//! another way. The checksum of an input recognises a file that is given again, under any name. That of a shard stands in
//! the shard's own header too, so a folder is checked by reading headers, without its words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::io::atomic::{self, is_claim, is_unfinished};
use crate::io::sizes::size;

/// The name of the manifest in its folder.
pub const MANIFEST: &str = "manifest.json";
/// The first keys of a manifest, and the only version there is.
pub(super) const FORMAT: &str = "genotok packed corpus";
pub(super) const VERSION: u32 = 1;
/// Bytes of a manifest that is read, at most; a larger one is no manifest.
const MAX_BYTES: u64 = if cfg!(test) { 1 << 16 } else { 256 << 20 };
/// Bytes of an unpacked list of places, at most.
const MAX_PLACES: u64 = if cfg!(test) { 1 << 16 } else { 4 << 30 };
/// The endings of the names of a shard, and of the places of its words.
pub(super) const SHARD: &str = ".pack";
const WORDS: &str = ".words.tsv.zst";

/// The inputs and shards of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusManifest {
    pub(super) format: String,
    /// The version of the form, [`VERSION`].
    pub(super) version: u32,
    /// The inputs, in the order in which they were given.
    pub inputs: Vec<PackedInput>,
    /// The shards, in the order of their inputs.
    pub shards: Vec<CorpusShard>,
}

/// A sequence file that was packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedInput {
    /// Its name, without the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of the file as it is stored, in hexadecimal digits.
    pub checksum: String,
    /// Its records.
    pub records: u64,
    /// Its records without a base.
    pub empty_records: u64,
    /// Its words.
    pub words: u64,
    /// Its bases.
    pub bases: u64,
    /// Its skipped symbols by the name of their kind; kinds that do not occur are left out.
    pub skipped: BTreeMap<String, u64>,
}

/// A packed file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusShard {
    /// Its name.
    pub file: String,
    /// The index of its input.
    pub input: usize,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its words, as its header states it.
    pub checksum: String,
    /// BLAKE3 of the compressed file with the places of its words.
    pub places_checksum: String,
    /// Its words.
    pub words: u64,
    /// Its bases.
    pub bases: u64,
}

/// The path of the file with the places of a shard's words.
pub(super) fn words_path(shard: &Path) -> PathBuf {
    shard.with_extension(&WORDS[1..])
}

/// Reads the places of a shard's words: a line each, with record, start and end, tabs between.
pub fn places(path: &Path) -> Result<String> {
    let fail = |source| Error::io(path, source);
    let file = fs::File::open(path).map_err(fail)?;
    let mut lines = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(file).map_err(fail)?;
    // No shard has so many words that its lines are longer; this also bounds the memory for a hostile file.
    let damaged = |_| Error::file(path, "is damaged; `genotok verify` tells of all that is");
    decoder.take(MAX_PLACES + 1).read_to_end(&mut lines).map_err(damaged)?;
    if lines.len() as u64 > MAX_PLACES {
        return Err(Error::file(path, "is too large to be the places of a shard's words"));
    }
    Ok(String::from_utf8_lossy(&lines).into_owned())
}

/// The names of all files in a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::io(folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        found.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    Ok(found)
}

/// Whether this module or the atomic writer gives files such a name: two numbers with a hyphen between and an ending, or
/// a temporary name.
pub(super) fn is_ours(name: &str) -> bool {
    is_unfinished(name) || is_claim(name) || is_shard(name)
}

/// Whether this is the name of a shard or of its places.
fn is_shard(name: &str) -> bool {
    let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS));
    stem.and_then(|stem| stem.split_once('-')).is_some_and(|(input, part)| {
        let is_number = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(input) && is_number(part)
    })
}

impl CorpusManifest {
    /// Reads and validates the manifest of a folder; the shards themselves are not read, see [`shards`].
    ///
    /// Fails if it is missing, too large, of another format or version, or inconsistent.
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
        let head: ManifestHead = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
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

    /// Those of `names` that belong to none of its shards.
    pub(super) fn unknown_files(&self, names: Vec<String>) -> impl Iterator<Item = String> {
        let stems: BTreeSet<&str> =
            self.shards.iter().filter_map(|shard| shard.file.strip_suffix(SHARD)).collect();
        names.into_iter().filter(move |name| {
            let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS)).unwrap_or(name);
            !stems.contains(stem)
        })
    }

    /// Writes the manifest to its folder, atomically: from then on the folder holds what it names.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        atomic::write(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }
}

/// The fields that a manifest of any version has, read first so that another version is not called damaged.
#[derive(Deserialize)]
#[serde(default)]
struct ManifestHead {
    format: String,
    version: u32,
}

impl Default for ManifestHead {
    fn default() -> Self {
        Self { format: String::new(), version: VERSION }
    }
}

/// The paths of a folder's shards, in the order of the manifest. Fails if one is missing or has another size or checksum
/// than the manifest states. Cost: reads the manifest and a header per shard.
pub fn shards(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.join(MANIFEST).exists() {
        let reason = format!(
            "is a folder without a {MANIFEST}: not one of shards, or not completely packed; `genotok pack` makes one"
        );
        return Err(Error::file(folder, reason));
    }
    let manifest = CorpusManifest::open(folder)?;
    let check = |shard: &CorpusShard| {
        let path = folder.join(&shard.file);
        match fault(&path, shard) {
            Some(reason) => Err(Error::file(&path, reason)),
            None => Ok(path),
        }
    };
    manifest.shards.iter().map(check).collect()
}

/// The defect of a shard that its size and header show, if any; the words are not read.
pub(super) fn fault(path: &Path, shard: &CorpusShard) -> Option<String> {
    if !path.is_file() {
        return Some(format!("this shard is missing; its checksum is {}", shard.checksum));
    }
    let found = size(path);
    if found != shard.bytes {
        let CorpusShard { bytes, checksum, .. } = shard;
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

/// The paths with each folder replaced by its shards.
pub(in crate::corpus) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { found.extend(shards(path)?) } else { found.push(path.clone()) }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_by_two_numbers() {
        for (name, expected) in [
            ("00000-00000.pack", true),
            ("123456-00001.words.tsv.zst", true),
            ("0000-00000.pack", false),
            ("00000-0000.pack", false),
            ("00000-0000a.words.tsv.zst", false),
            ("0000a-00000.words.tsv.zst", false),
            ("0000000000.pack", false),
            ("00000-00000.txt", false),
        ] {
            assert_eq!((is_shard(name), is_ours(name)), (expected, expected), "{name}");
        }
    }

    #[test]
    fn a_manifest_that_is_too_large_is_not_parsed() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = " ".repeat(usize::try_from(MAX_BYTES).unwrap());
        for said in ["damaged", "too large"] {
            fs::write(folder.path().join(MANIFEST), &text).unwrap();
            let error = CorpusManifest::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            text.push(' ');
        }
    }

    #[test]
    fn places_that_are_too_many_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("00000-00000.words.tsv.zst");
        let lines = "a\t0\t1\n".repeat(usize::try_from(MAX_PLACES / 6).unwrap());
        for (more, expected) in [(4, true), (5, false), (600, false)] {
            let text = format!("{lines}{}", "a".repeat(more));
            fs::write(&path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
            let read = places(&path);
            assert_eq!(read.as_ref().is_ok_and(|found| *found == text), expected, "{} bytes", text.len());
            assert!(expected || read.unwrap_err().to_string().contains("is too large"));
        }
    }
}
