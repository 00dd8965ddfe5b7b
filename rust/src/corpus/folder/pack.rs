//! Sequence files into shards.
//!
//! Each input is packed by one thread, which all that are free help to read plain text. Its builder grows until the words
//! that have ended reach the size of a shard; a second thread writes them while the next shard is packed, the open word
//! stays in the builder. An input thus needs memory for two shards, and its longest word.
//!
//! The order of the steps makes a run that stops anywhere harmless:
//!
//! 1. The folder is claimed and freed of what killed runs left.
//! 2. All inputs are checksummed, and refused if one is in the folder: nothing is written yet.
//! 3. Shards are written, each with its places before it. Until the last step no manifest names them.
//! 4. Each input is judged by the symbols counted in it; on any failure the new shards are removed.
//! 5. The new manifest replaces the old one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use rayon::prelude::*;

use super::manifest::{
    CorpusManifest, CorpusShard, FORMAT, MANIFEST, PackedInput, SHARD, VERSION, is_ours, names, words_path,
};
use crate::alphabet::SymbolKind;
use crate::corpus::files::{each_file, read_symbols};
use crate::corpus::{Contents, Corpus, CorpusBuilder, WordPlace, is_packed, packed};
use crate::error::{Error, Result};
use crate::io::atomic::claim::OutputClaim;
use crate::io::atomic::{self, is_claim};
use crate::io::checksum::file_checksum;
use crate::io::fasta::SequenceReader;
use crate::io::sizes::size;
use crate::monitor::Monitor;
use crate::verdict::{check_allowed, no_base};

/// Symbols after which the builder is asked whether a shard is full. Small, so that shards are equal in size.
const PIECE_SYMBOLS: usize = 1 << 10;

/// Options of [`pack`].
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// The output folder.
    pub folder: PathBuf,
    /// Bases after which a shard ends, at the end of a word. At least 1.
    pub shard_bases: u64,
    /// Add to the shards of an existing folder.
    pub append: bool,
    /// The share of unknown symbols that an input may have, from 0 to 1, see [`crate::verdict`].
    pub allow_unknown: f64,
}

/// Packs sequence files into a folder, one file per thread of the current pool at a time. Returns the new manifest and the
/// contents of these files.
///
/// Memory per thread: half a byte per base of a shard, the longest word, and some megabytes. Every input is read twice, first for
/// its checksum. Fails if an input is in the folder already or cannot be read, or if the disk is full; the folder then is
/// as it was, apart from files that the next run removes.
pub fn pack(
    paths: &[PathBuf],
    packing: &PackOptions,
    monitor: &Monitor,
) -> Result<(CorpusManifest, Contents)> {
    let &PackOptions { ref folder, shard_bases, append, allow_unknown } = packing;
    check_allowed(allow_unknown)?;
    if shard_bases == 0 {
        return Err(Error::argument("shard_size", &0, "a shard has at least one base"));
    }
    let (_claim, mut manifest) = open_folder(folder, append)?;
    let mut inputs = checksums(paths, monitor)?;
    refuse_known(&manifest, paths, &inputs)?;
    let before = manifest.inputs.len();
    let packed = each_file(paths, monitor, |index, path| {
        let packer = InputPacker { folder, input: before + index, allow_unknown };
        packer.pack(path, shard_bases, monitor)
    });
    let packed = packed.and_then(|packed| {
        let records = packed.iter().map(|(contents, _)| contents.records).sum();
        match paths.first().filter(|_| packed.iter().all(|(contents, _)| contents.bases == 0)) {
            Some(first) => Err(no_base(first, records)),
            None => Ok(packed),
        }
    });
    let packed = packed.inspect_err(|_| remove_leftovers(folder, &manifest))?;
    let mut sum = Contents::default();
    for (input, (contents, shards)) in inputs.iter_mut().zip(packed) {
        (input.records, input.empty_records) = (contents.records, contents.empty_records);
        (input.words, input.bases) = (contents.words, contents.bases);
        let skipped = SymbolKind::SKIPPED.iter().zip(contents.skipped);
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
struct InputPacker<'a> {
    folder: &'a Path,
    /// The index of the input in the manifest, the first number in the names of its shards.
    input: usize,
    allow_unknown: f64,
}

/// Words that make a shard, and where they come from.
type ShardWords = (Corpus, Vec<WordPlace>);

impl InputPacker<'_> {
    /// Packs the file at `path`; its contents and shards. The verdict on its symbols comes last, when all are counted.
    fn pack(&self, path: &Path, shard_bases: u64, monitor: &Monitor) -> Result<(Contents, Vec<CorpusShard>)> {
        let reader = SequenceReader::open(path)?;
        let mut sum = Contents::default();
        // Nothing waits in the channel: the next shard is handed over when the writer has written the last.
        let (to_write, full) = sync_channel(0);
        let (read, written) = thread::scope(|scope| {
            let writer = thread::Builder::new().name("genotok-shards".to_owned()).spawn_scoped(scope, || {
                (0..).zip(full).map(|(number, words)| self.write_shard(number, &words, monitor)).collect()
            });
            let writer = writer.map_err(|error| Error::io(path, error))?;
            let mut builder = CorpusBuilder::with_places();
            let mut take = |builder: &mut CorpusBuilder| {
                let words = (builder.take_words(), builder.take_places());
                sum.add(words.0.contents());
                let is_written = words.0.num_words() == 0 || to_write.send(words).is_ok();
                is_written.then_some(()).ok_or(Error::Interrupted) // the writer has failed
            };
            let read = read_symbols(reader, monitor, &mut builder, PIECE_SYMBOLS, |builder| {
                if builder.bases_ended() >= shard_bases { take(builder) } else { Ok(()) }
            });
            let read = read.and_then(|()| take(&mut builder));
            drop(to_write);
            let written: Result<Vec<CorpusShard>> =
                writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((read, written))
        })?;
        let shards = written?;
        read?;
        sum.check(path, self.allow_unknown)?;
        Ok((sum, shards))
    }

    /// Writes a shard. The places come first: a shard that exists has them.
    fn write_shard(
        &self,
        number: usize,
        (corpus, places): &ShardWords,
        monitor: &Monitor,
    ) -> Result<CorpusShard> {
        let file = format!("{:05}-{number:05}{SHARD}", self.input);
        let path = self.folder.join(&file);
        let (words, bases) = (corpus.contents().words, corpus.contents().bases);
        let places_checksum = write_places(&words_path(&path), places)?;
        let bytes = packed::save(std::slice::from_ref(corpus), &path, monitor)?;
        let checksum = Corpus::checksum(&path)?;
        Ok(CorpusShard { file, input: self.input, bytes, checksum, places_checksum, words, bases })
    }
}

/// Writes the places of a shard's words to a file, and returns its checksum.
fn write_places(path: &Path, places: &[WordPlace]) -> Result<String> {
    let mut lines = Vec::new();
    for WordPlace { record, start, end } in places {
        // A name holds no tab or line end: it ends at the first white space of its title.
        lines.extend_from_slice(record);
        lines.extend_from_slice(format!("\t{start}\t{end}\n").as_bytes());
    }
    let compressed = zstd::bulk::compress(&lines, 3).map_err(|source| Error::io(path, source))?;
    atomic::write(path, |file| file.write_all(&compressed))?;
    Ok(blake3::hash(&compressed).to_hex().to_string())
}

/// Claims the folder, removes what killed runs left, and returns the manifest to add to; an empty one for a new folder.
///
/// Fails if the folder holds shards and `append` is not set, or the reverse, or if it holds files of anyone else.
fn open_folder(folder: &Path, append: bool) -> Result<(OutputClaim, CorpusManifest)> {
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
        let manifest = CorpusManifest::open(folder)?;
        remove_leftovers(folder, &manifest);
        return Ok((claim, manifest));
    }
    for name in names(folder)? {
        if !is_ours(&name) {
            let reason = format!("is not empty: it holds {name:?}; give a new folder");
            return Err(Error::file(folder, reason));
        }
    }
    let manifest =
        CorpusManifest { format: FORMAT.to_owned(), version: VERSION, ..CorpusManifest::default() };
    remove_leftovers(folder, &manifest);
    Ok((claim, manifest))
}

/// Removes shards that the manifest does not name, which runs left that were killed or failed.
fn remove_leftovers(folder: &Path, manifest: &CorpusManifest) {
    let surplus = manifest.unknown_files(names(folder).unwrap_or_default());
    for name in surplus.filter(|name| is_ours(name) && !is_claim(name)) {
        fs::remove_file(folder.join(name)).ok(); // one that stays is removed the next time, and never read
    }
}

/// The inputs with names, sizes and checksums; the counts are not known yet.
fn checksums(paths: &[PathBuf], monitor: &Monitor) -> Result<Vec<PackedInput>> {
    let sum = |path: &PathBuf| {
        monitor.check()?;
        if is_packed(path) {
            return Err(Error::file(path, "is packed already; give the sequence file that it was made from"));
        }
        let not_a_file = || Error::file(path, "shards are made of files that can be read twice; name a file");
        if !path.is_file() {
            return Err(not_a_file());
        }
        let checksum = file_checksum(path, monitor)?.ok_or_else(not_a_file)?;
        Ok(PackedInput {
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

/// Fails if the content of an input is in the folder already, or given twice: its words would count twice.
fn refuse_known(manifest: &CorpusManifest, paths: &[PathBuf], inputs: &[PackedInput]) -> Result<()> {
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
