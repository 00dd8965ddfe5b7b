//! Folders of packed files: corpora larger than memory.
//!
//! Each input is cut at ends of words into packed files of about so many bases, so that a shard never holds two inputs;
//! a word that is longer than a shard makes one of its own. Beside each shard stands where its words came from, a line
//! each: record, start, end (from 0, half-open), tabs between, compressed by zstd. `manifest.json` is written last: it
//! names all shards and inputs with their checksums, and what is not in it is not in the corpus. So a folder is whole or
//! has no manifest, and adding to one that is there adds nothing until the new manifest takes the old one's place.
//!
//! What a file is called depends on the inputs and the size alone, and so do its bytes: not on the number of threads.
//!
//! A manifest is not trusted: names that no manifest of ours has, two equal ones, sizes that are not those of the files
//! and checksums that are not those of their headers are refused before a shard is read, and every byte of a shard is
//! checked when it is opened ([`super::packed`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use super::{Contents, Corpus, CorpusBuilder, Place, check_letters, is_packed, packed, read_letters, size};
use crate::alphabet::LetterKind;
use crate::atomic::{is_unfinished, write_whole};
use crate::error::{Error, Result};
use crate::monitor::{Monitor, Phase};

/// The file that says what is in the folder.
pub const MANIFEST: &str = "manifest.json";
const FORMAT: &str = "genotok packed corpus";
const VERSION: u32 = 1;
/// Bytes of the largest manifest that is read.
const MAX_BYTES: u64 = 256 << 20;
/// Bytes of the longest list of places that is read.
const MAX_PLACES: u64 = 4 << 30;
/// Letters between two looks whether a shard is full.
const PIECE: usize = 1 << 10;
const SHARD: &str = ".pack";
const WORDS: &str = ".words.tsv.zst";

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    version: u32,
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

/// How to pack into a folder.
#[derive(Clone, Debug)]
pub struct Packing {
    /// The folder.
    pub folder: PathBuf,
    /// Bases after which a new shard is begun, at the end of a word.
    pub shard_bases: u64,
    /// Add to a folder that is there.
    pub append: bool,
}

/// Packs sequence files into a folder, as many at a time as the present pool has threads. Returns the new manifest, and
/// what was read now.
///
/// Memory: for each thread a quarter of a byte a base of a shard, and its longest word. Fails, and leaves the folder as
/// it was but for files that the next run removes, if an input is in it already, cannot be read, or the disk is full.
pub fn pack(paths: &[PathBuf], packing: &Packing, monitor: &Monitor) -> Result<(Manifest, Contents)> {
    let Packing { folder, shard_bases, append } = packing;
    if *shard_bases == 0 {
        return Err(Error::argument("shard_size", &0, "a shard has at least one base"));
    }
    let mut manifest = begin(folder, *append)?;
    let inputs = checksums(paths, monitor)?;
    refuse_known(&manifest, paths, &inputs)?;
    let before = manifest.inputs.len();
    let next = AtomicUsize::new(0);
    let bytes_total = super::total_size(paths);
    let pack_next = || {
        let index = next.fetch_add(1, Relaxed);
        let path = paths.get(index)?;
        let files = paths.len();
        monitor.enter(Phase::Reading { file: path.clone(), file_index: index, files, bytes_total });
        let packed = monitor.check().and_then(|()| {
            Packer { folder, input: before + index, shards: Vec::new() }.pack(path, *shard_bases, monitor)
        });
        if packed.is_err() {
            monitor.cancel(); // the other threads need not go on
        }
        Some((index, packed))
    };
    let shares = rayon::broadcast(|_| std::iter::from_fn(pack_next).collect::<Vec<_>>());
    let mut packed: Vec<_> = shares.into_iter().flatten().collect();
    packed.sort_by_key(|&(index, _)| index);
    let failed = packed.iter().position(|(_, one)| matches!(one, Err(error) if !error.is_interrupt()));
    if let Some(at) = failed {
        packed.swap(0, at); // others were interrupted by the first that failed
    }
    let mut sum = Contents::default();
    let mut known = inputs;
    for (index, one) in packed {
        let (contents, shards) = one.inspect_err(|_| clean(folder, &manifest))?;
        let input = &mut known[index];
        (input.records, input.empty_records) = (contents.records, contents.empty_records);
        (input.words, input.bases) = (contents.words, contents.bases);
        let skipped = LetterKind::SKIPPED.iter().zip(contents.skipped);
        input.skipped = skipped
            .filter(|&(_, count)| count > 0)
            .map(|(kind, count)| (kind.name().to_owned(), count))
            .collect();
        manifest.shards.extend(shards);
        sum.add(&contents);
    }
    manifest.inputs.extend(known);
    manifest.write(folder)?;
    Ok((manifest, sum))
}

/// Packs one input.
struct Packer<'a> {
    folder: &'a Path,
    input: usize,
    shards: Vec<Shard>,
}

impl Packer<'_> {
    fn pack(mut self, path: &Path, shard_bases: u64, monitor: &Monitor) -> Result<(Contents, Vec<Shard>)> {
        let mut sum = Contents::default();
        let mut builder = CorpusBuilder::with_places();
        read_letters(path, monitor, &mut builder, PIECE, |builder| {
            if builder.bases_ended() >= shard_bases {
                self.shard(builder, &mut sum, monitor)?;
            }
            Ok(())
        })?;
        self.shard(&mut builder, &mut sum, monitor)?;
        check_letters(path, &sum)?;
        Ok((sum, self.shards))
    }

    /// Writes the words that have ended; none of no words.
    fn shard(&mut self, builder: &mut CorpusBuilder, sum: &mut Contents, monitor: &Monitor) -> Result<()> {
        let (corpus, places) = (builder.take_words(), builder.take_places());
        sum.add(corpus.contents());
        if corpus.num_words() == 0 {
            return Ok(());
        }
        let file = format!("{:05}-{:05}{SHARD}", self.input, self.shards.len());
        let path = self.folder.join(&file);
        let (words, bases) = (corpus.contents().words, corpus.contents().bases);
        let places_checksum = write_places(&words_path(&path), &places)?;
        let bytes = packed::save(&[corpus], &path, monitor)?;
        let checksum = Corpus::checksum(&path)?;
        self.shards.push(Shard { file, input: self.input, bytes, checksum, places_checksum, words, bases });
        Ok(())
    }
}

/// Where the words of a shard came from, as a file; its checksum.
fn write_places(path: &Path, places: &[Place]) -> Result<String> {
    let mut lines = Vec::new();
    for Place { record, start, end } in places {
        // A name has no tab or line end: it ends at the first white space.
        lines.extend_from_slice(record);
        lines.extend_from_slice(format!("\t{start}\t{end}\n").as_bytes());
    }
    let compressed = zstd::bulk::compress(&lines, 3).map_err(|source| Error::io(path, source))?;
    write_whole(path, |file| file.write_all(&compressed))?;
    Ok(blake3::hash(&compressed).to_hex().to_string())
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

/// The file with the places of a shard's words.
fn words_path(shard: &Path) -> PathBuf {
    shard.with_extension(&WORDS[1..])
}

/// An empty manifest for a folder that is new, or what is there to add to; without what killed runs left.
fn begin(folder: &Path, append: bool) -> Result<Manifest> {
    let there = folder.join(MANIFEST).exists();
    if there && !append {
        return Err(Error::file(folder, "has shards already; --append adds to them, or give another name"));
    }
    if there {
        let manifest = Manifest::open(folder)?;
        clean(folder, &manifest);
        return Ok(manifest);
    }
    if append {
        return Err(Error::file(folder, format!("has no {MANIFEST}: there are no shards to add to")));
    }
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    for name in names(folder)? {
        if !is_ours(&name) {
            let reason = format!("is not empty: it holds {name:?}; give a new folder");
            return Err(Error::file(folder, reason));
        }
    }
    let manifest = Manifest { format: FORMAT.to_owned(), version: VERSION, ..Manifest::default() };
    clean(folder, &manifest);
    Ok(manifest)
}

/// Removes shards that the manifest does not know: of a run that was killed, or that failed.
fn clean(folder: &Path, manifest: &Manifest) {
    let surplus = names(folder).unwrap_or_default();
    for name in surplus.iter().filter(|name| is_ours(name) && !manifest.has(name)) {
        fs::remove_file(folder.join(name)).ok(); // what stays is removed the next time, and never read
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let fail = |source| Error::io(folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        found.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    Ok(found)
}

/// Whether a file is called as those that are written here, whole or not: two numbers with a line between, and an ending.
fn is_ours(name: &str) -> bool {
    is_unfinished(name) || is_shard(name)
}

fn is_shard(name: &str) -> bool {
    let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS));
    stem.and_then(|stem| stem.split_once('-')).is_some_and(|(input, part)| {
        let is_number = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(input) && is_number(part)
    })
}

/// Each input with its length and checksum; the rest is not known yet.
fn checksums(paths: &[PathBuf], monitor: &Monitor) -> Result<Vec<Input>> {
    use rayon::prelude::*;
    let sum = |path: &PathBuf| {
        monitor.check()?;
        if is_packed(path) {
            return Err(Error::file(path, "is packed already; give the sequence file that it was made from"));
        }
        if !path.is_file() {
            let reason = "shards are made of files that can be read twice; name a file";
            return Err(Error::file(path, reason));
        }
        let mut hasher = blake3::Hasher::new();
        let file = fs::File::open(path).map_err(|source| Error::io(path, source))?;
        hasher.update_reader(file).map_err(|source| Error::io(path, source))?;
        Ok(Input {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: size(path),
            checksum: hasher.finalize().to_hex().to_string(),
            records: 0,
            empty_records: 0,
            words: 0,
            bases: 0,
            skipped: BTreeMap::new(),
        })
    };
    paths.par_iter().map(sum).collect()
}

/// An error if an input is in the folder already, or given twice: it would count twice.
fn refuse_known(manifest: &Manifest, paths: &[PathBuf], inputs: &[Input]) -> Result<()> {
    let mut known: BTreeMap<&str, &str> =
        manifest.inputs.iter().map(|input| (&*input.checksum, &*input.name)).collect();
    for (path, input) in paths.iter().zip(inputs) {
        if let Some(name) = known.insert(&input.checksum, &input.name) {
            let reason = format!("is the same as {name:?}, and would count twice");
            return Err(Error::file(path, reason));
        }
    }
    Ok(())
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

    fn has(&self, name: &str) -> bool {
        let stem = name.strip_suffix(SHARD).or_else(|| name.strip_suffix(WORDS)).unwrap_or(name);
        self.shards.iter().any(|shard| shard.file.strip_suffix(SHARD) == Some(stem))
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        write_whole(&path, |file| {
            let mut writer = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut writer, self)?;
            writer.write_all(b"\n")?;
            writer.flush()
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
fn fault(path: &Path, shard: &Shard) -> Option<String> {
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
fn reason_of(error: Error) -> String {
    match error {
        Error::File { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// Paths with each folder replaced by its shards.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { found.extend(shards(path)?) } else { found.push(path.clone()) }
    }
    Ok(found)
}

/// Every defect of a folder: the file, and what is wrong with it. Cost: one reading of all shards.
pub fn verify(folder: &Path, monitor: &Monitor) -> Result<Vec<(PathBuf, String)>> {
    let manifest = Manifest::open(folder)?;
    let mut defects = Vec::new();
    for shard in &manifest.shards {
        monitor.check()?;
        let path = folder.join(&shard.file);
        let reason = fault(&path, shard).or_else(|| contents_fault(&path, shard));
        defects.extend(reason.map(|reason| (path.clone(), reason)));
        let places = words_path(&path);
        match fs::read(&places).map(|bytes| blake3::hash(&bytes).to_hex().to_string()) {
            Ok(found) if found == shard.places_checksum => {}
            Ok(found) => {
                let expected = &shard.places_checksum;
                defects.push((places, format!("has the checksum {found}, not {expected}")));
            }
            Err(error) => defects.push((places, format!("cannot be read: {error}"))),
        }
    }
    for name in names(folder)?.iter().filter(|name| *name != MANIFEST && !manifest.has(name)) {
        defects.push((folder.join(name), format!("is not in {MANIFEST}")));
    }
    Ok(defects)
}

/// What is wrong with the words of a shard.
fn contents_fault(path: &Path, shard: &Shard) -> Option<String> {
    match Corpus::open(path) {
        Ok(corpus) => {
            let contents = corpus.contents();
            let found = (contents.words, contents.bases);
            let differs = found != (shard.words, shard.bases);
            differs.then(|| format!("holds {} words and {} bases, which {MANIFEST} denies", found.0, found.1))
        }
        Err(error) => Some(format!("{} (checksum {} in {MANIFEST})", reason_of(error), shard.checksum)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
