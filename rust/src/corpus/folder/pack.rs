//! Sequence files into shards.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::{FORMAT, Input, MANIFEST, Manifest, SHARD, Shard, VERSION, is_ours, names, words_path};
use crate::alphabet::LetterKind;
use crate::corpus::files::{each_file, read_letters};
use crate::corpus::{Contents, Corpus, CorpusBuilder, Place, is_packed, packed};
use crate::error::{Error, Result};
use crate::io::atomic::claim::OutputClaim;
use crate::io::atomic::{self, is_claim};
use crate::io::fasta::Reader;
use crate::io::sizes::size;
use crate::monitor::Monitor;
use crate::verdict::{check_allowed, no_base};

/// Letters between two looks whether a shard is full.
const PIECE: usize = 1 << 10;

/// How to pack into a folder.
#[derive(Clone, Debug)]
pub struct Packing {
    /// The folder.
    pub folder: PathBuf,
    /// Bases after which a new shard is begun, at the end of a word.
    pub shard_bases: u64,
    /// Add to a folder that is there.
    pub append: bool,
    /// The share of unknown symbols that an input may have.
    pub allow_unknown: f64,
}

/// Packs sequence files into a folder, as many at a time as the present pool has threads. Returns the new manifest, and
/// what was read now.
///
/// Memory: for each thread a quarter of a byte a base of a shard, and its longest word. Fails, and leaves the folder as
/// it was but for files that the next run removes, if an input is in it already, cannot be read, or the disk is full.
pub fn pack(paths: &[PathBuf], packing: &Packing, monitor: &Monitor) -> Result<(Manifest, Contents)> {
    let &Packing { ref folder, shard_bases, append, allow_unknown } = packing;
    check_allowed(allow_unknown)?;
    if shard_bases == 0 {
        return Err(Error::argument("shard_size", &0, "a shard has at least one base"));
    }
    let (_claim, mut manifest) = begin(folder, append)?;
    let mut inputs = checksums(paths, monitor)?;
    refuse_known(&manifest, paths, &inputs)?;
    let before = manifest.inputs.len();
    let packed = each_file(paths, monitor, |index, path| {
        let packer = Packer { folder, input: before + index, allow_unknown, shards: Vec::new() };
        packer.pack(path, shard_bases, monitor)
    });
    let packed = packed.and_then(|packed| {
        let records = packed.iter().map(|(contents, _)| contents.records).sum();
        match paths.first().filter(|_| packed.iter().all(|(contents, _)| contents.bases == 0)) {
            Some(first) => Err(no_base(first, records)),
            None => Ok(packed),
        }
    });
    let packed = packed.inspect_err(|_| clean(folder, &manifest))?;
    let mut sum = Contents::default();
    for (input, (contents, shards)) in inputs.iter_mut().zip(packed) {
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
    manifest.inputs.extend(inputs);
    manifest.write(folder)?;
    Ok((manifest, sum))
}

/// Packs one input.
struct Packer<'a> {
    folder: &'a Path,
    input: usize,
    allow_unknown: f64,
    shards: Vec<Shard>,
}

impl Packer<'_> {
    fn pack(mut self, path: &Path, shard_bases: u64, monitor: &Monitor) -> Result<(Contents, Vec<Shard>)> {
        let mut sum = Contents::default();
        let mut builder = CorpusBuilder::with_places();
        read_letters(Reader::open(path)?, monitor, &mut builder, PIECE, |builder| {
            if builder.bases_ended() >= shard_bases {
                self.shard(builder, &mut sum, monitor)?;
            }
            Ok(())
        })?;
        self.shard(&mut builder, &mut sum, monitor)?;
        sum.check(path, self.allow_unknown)?;
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
    atomic::write(path, |file| file.write_all(&compressed))?;
    Ok(blake3::hash(&compressed).to_hex().to_string())
}

/// The folder claimed, with an empty manifest if it is new, or what is there to add to; without what killed runs left.
fn begin(folder: &Path, append: bool) -> Result<(OutputClaim, Manifest)> {
    let path = folder.join(MANIFEST);
    if append && !path.exists() {
        return Err(Error::file(folder, format!("has no {MANIFEST}: there are no shards to add to")));
    }
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let claim = OutputClaim::folder(folder)?;
    if path.exists() && !append {
        return Err(Error::file(folder, "has shards already; --append adds to them, or give another name"));
    }
    if append {
        let manifest = Manifest::open(folder)?;
        clean(folder, &manifest);
        return Ok((claim, manifest));
    }
    for name in names(folder)? {
        if !is_ours(&name) {
            let reason = format!("is not empty: it holds {name:?}; give a new folder");
            return Err(Error::file(folder, reason));
        }
    }
    let manifest = Manifest { format: FORMAT.to_owned(), version: VERSION, ..Manifest::default() };
    clean(folder, &manifest);
    Ok((claim, manifest))
}

/// Removes shards that the manifest does not know: of a run that was killed, or that failed.
fn clean(folder: &Path, manifest: &Manifest) {
    let surplus = manifest.strangers(names(folder).unwrap_or_default());
    for name in surplus.filter(|name| is_ours(name) && !is_claim(name)) {
        fs::remove_file(folder.join(name)).ok(); // what stays is removed the next time, and never read
    }
}

/// Each input with its length and checksum; the rest is not known yet.
fn checksums(paths: &[PathBuf], monitor: &Monitor) -> Result<Vec<Input>> {
    let sum = |path: &PathBuf| {
        monitor.check()?;
        if is_packed(path) {
            return Err(Error::file(path, "is packed already; give the sequence file that it was made from"));
        }
        if !path.is_file() {
            let reason = "shards are made of files that can be read twice; name a file";
            return Err(Error::file(path, reason));
        }
        let checksum = checksum(path, monitor)?;
        Ok(Input {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: size(path),
            checksum,
            records: 0,
            empty_records: 0,
            words: 0,
            bases: 0,
            skipped: BTreeMap::new(),
        })
    };
    paths.par_iter().map(sum).collect()
}

/// BLAKE3 of a file, which may be long.
fn checksum(path: &Path, monitor: &Monitor) -> Result<String> {
    let fail = |source| Error::io(path, source);
    let mut file = fs::File::open(path).map_err(fail)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        monitor.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(count) => _ = hasher.update(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
    }
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
