//! From files to a tokenizer and a report.
//!
//! Everything that can be wrong with the arguments is found before the first file is read. Then: read (as many files at
//! a time as there are threads), train, and report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::alphabet::{CODES, NOT_A_BASE, SymbolKind};
use crate::bpe::train::checkpoint::{self, CheckpointWriter};
use crate::bpe::train::train as train_merges;
use crate::bpe::train::{
    CorpusShards, MergeOptions, RemoteCorpus, Round, StopReason, TrainingSummary, WeightedCorpora,
    merges_for, train_remote,
};
use crate::bpe::{MergeTable, NUM_BASES, Token};
use crate::corpus::folder::{self, CorpusManifest, PackOptions};
use crate::corpus::{self, Contents, Corpus, CorpusBuilder};
use crate::error::{Error, Result, show_text};
use crate::monitor::Monitor;
use crate::threads::pool;
use crate::tokenizer::{Tokenizer, check_specials};
use crate::verdict;

/// The largest vocabulary that training accepts.
pub const MAX_VOCAB_SIZE: usize = 1 << 24;
/// How many of the longest tokens the report names.
const NUM_LONGEST: usize = 10;

/// What tokenizer to train.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Number of tokens: special ones, bases and merges together.
    pub vocab_size: usize,
    /// The special tokens, in order of id.
    pub special_tokens: Vec<String>,
    /// How to train; `num_merges` is what `vocab_size` leaves and need not be set.
    pub merging: MergeOptions,
    /// Bytes of memory to stay below; packed files do not count, whatever their size.
    pub memory: Option<u64>,
    /// The share of unknown symbols that a file may have, see [`verdict`].
    pub allow_unknown: f64,
}

/// Where an interrupted training leaves its merges.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The file.
    pub path: PathBuf,
    /// Resume from it.
    pub resume: bool,
}

/// What training read and found.
#[derive(Clone, Debug)]
pub struct TrainingReport {
    /// Number of input files.
    pub files: usize,
    /// What was in them; the words as they were trained on, cut if they were to be.
    pub contents: Contents,
    /// Rounds, tokens and the reason for the end.
    pub summary: TrainingSummary,
    /// Merges that came from the checkpoint.
    pub resumed_merges: usize,
    /// Seconds of reading and of training.
    pub seconds: [f64; 2],
    /// Threads that worked.
    pub threads: usize,
    /// Bases that were counted, those of both strands if both were, to each token at the end.
    pub bases_per_token: f64,
    /// The longest tokens, the longest first.
    pub longest_tokens: Vec<String>,
}

impl TrainOptions {
    /// Checks everything, and finds the number of merges.
    fn checked(mut self) -> Result<Self> {
        check_specials(&self.special_tokens)?;
        verdict::check_allowed(self.allow_unknown)?;
        self.merging.num_merges = merges_for(self.vocab_size, self.special_tokens.len())?;
        if self.vocab_size > MAX_VOCAB_SIZE {
            let rule = format!("at most {MAX_VOCAB_SIZE} tokens are possible");
            return Err(Error::argument("vocab_size", &self.vocab_size, rule));
        }
        if self.merging.word_length == Some(0) {
            return Err(Error::argument("word_length", &0, "a word has at least one base"));
        }
        if self.merging.max_token_length == Some(0) {
            return Err(Error::argument("max_token_length", &0, "a token has at least one base"));
        }
        Ok(self)
    }
}

/// Trains a tokenizer on files.
pub fn train(
    paths: &[PathBuf],
    options: TrainOptions,
    threads: Option<usize>,
    checkpoint: Option<&Checkpoint>,
    monitor: &Monitor,
) -> Result<(Tokenizer, TrainingReport)> {
    let mut options = options.checked()?;
    check_paths(paths)?;
    let pool = pool(threads)?;
    let resume = checkpoint.filter(|checkpoint| checkpoint.resume);
    let found = resume.map(|checkpoint| checkpoint::load(&checkpoint.path, &options.merging)).transpose()?;
    let start = Instant::now();
    if let Some(available) = options.memory {
        monitor.limit_text(memory_for_text(available, pool.current_num_threads())?);
    }
    let corpora = pool.install(|| corpus::read_all(paths, options.allow_unknown, monitor))?;
    let seconds_reading = start.elapsed().as_secs_f64();
    fit_memory(&mut options, &corpora, pool.current_num_threads())?;
    let mut contents = contents_of(&corpora);
    contents.words = corpora.iter().map(|corpus| corpus.num_pieces(options.merging.word_length)).sum();
    let texts = [WeightedCorpora { corpora, weight: 1 }];
    let read = Read { files: paths.len(), contents, seconds: seconds_reading };
    finish(&read, &options, &pool, found, checkpoint, |table, on_round| {
        train_merges(&texts, &options.merging, table, monitor, on_round)
    })
}

/// Trains a tokenizer on what shards hold, with the merges and the report of training on it here.
///
/// `files` is how many files they read. Runs on a few threads here, and on whatever the shards have.
pub fn train_on_shards(
    shards: &mut dyn CorpusShards,
    files: usize,
    options: TrainOptions,
    threads: Option<usize>,
    checkpoint: Option<&Checkpoint>,
    monitor: &Monitor,
) -> Result<(Tokenizer, TrainingReport)> {
    let options = options.checked()?;
    let pool = pool(threads)?;
    let resume = checkpoint.filter(|checkpoint| checkpoint.resume);
    let found = resume.map(|checkpoint| checkpoint::load(&checkpoint.path, &options.merging)).transpose()?;
    let start = Instant::now();
    let text = RemoteCorpus::of(shards, &options.merging)?;
    let contents = Contents { words: text.pieces, ..text.contents.clone() };
    if contents.bases == 0 {
        return Err(verdict::no_base(Path::new("files"), contents.records));
    }
    let read = Read { files, contents, seconds: start.elapsed().as_secs_f64() };
    finish(&read, &options, &pool, found, checkpoint, |table, on_round| {
        train_remote(&text, shards, &options.merging, table, monitor, on_round)
    })
}

/// What is needed whatever the text: the program, and pages of files that are read ahead.
const FIXED_BYTES: u64 = 224 << 20;
/// What a thread needs: its counts of pairs, buffers and samples.
const THREAD_BYTES: u64 = 96 << 20;
/// What a token in an island takes: while it is found, and while training on the islands.
const ISLAND_TOKEN_BYTES: u64 = 64;
/// With fewer tokens in islands a pass gives hardly a merge.
const MIN_ISLAND_TOKENS: u64 = 1 << 18;

/// What a limit leaves for the text, before any of it is read.
fn memory_for_text(available: u64, threads: usize) -> Result<u64> {
    let needed = FIXED_BYTES + THREAD_BYTES * threads as u64 + ISLAND_TOKEN_BYTES * MIN_ISLAND_TOKENS;
    let what = "memory in bytes, whatever is read; use fewer threads or allow more";
    available.checked_sub(needed).ok_or(Error::Resource { what, needed, available })
}

/// Gives islands the memory that nothing else needs.
fn fit_memory(options: &mut TrainOptions, corpora: &[Corpus], threads: usize) -> Result<()> {
    let Some(available) = options.memory else { return Ok(()) };
    let held: u64 = corpora.iter().map(Corpus::bytes_held).sum();
    let fixed = FIXED_BYTES + THREAD_BYTES * threads as u64 + held;
    let needed = fixed + ISLAND_TOKEN_BYTES * MIN_ISLAND_TOKENS;
    if available < needed {
        let what = if held > available / 4 {
            "memory in bytes; pack the genomes into shards, which are not held in it"
        } else {
            "memory in bytes; use fewer threads or allow more"
        };
        return Err(Error::Resource { what, needed, available });
    }
    let max_tokens = usize::try_from((available - fixed) / ISLAND_TOKEN_BYTES).unwrap_or(usize::MAX);
    options.merging.max_island_tokens = options.merging.max_island_tokens.min(max_tokens);
    Ok(())
}

/// What was read before training.
struct Read {
    files: usize,
    contents: Contents,
    seconds: f64,
}

/// From what was read to the tokenizer: resumes from a checkpoint, trains, writes checkpoints, reports.
fn finish(
    read: &Read,
    options: &TrainOptions,
    pool: &rayon::ThreadPool,
    found: Option<checkpoint::LoadedCheckpoint>,
    checkpoint: Option<&Checkpoint>,
    train: impl FnOnce(&mut MergeTable, &mut OnRound<'_>) -> Result<TrainingSummary> + Send,
) -> Result<(Tokenizer, TrainingReport)> {
    let contents = read.contents.clone();
    let mut table = match found {
        Some(found) => found.table_for(contents.fingerprint, &options.merging)?,
        None => MergeTable::new(),
    };
    let resumed_merges = table.merges().len();
    let writer = checkpoint
        .map(|to| CheckpointWriter::new(&to.path, contents.fingerprint, &options.merging, resumed_merges));
    let start = Instant::now();
    let summary = pool.install(|| train_with_checkpoints(&mut table, writer, train))?;
    let seconds = [read.seconds, start.elapsed().as_secs_f64()];
    #[allow(clippy::cast_precision_loss)]
    let bases_per_token = {
        let bases = contents.bases * if options.merging.both_strands { 2 } else { 1 };
        bases as f64 / summary.tokens.max(1) as f64
    };
    let longest_tokens = longest(&table);
    let report = TrainingReport {
        files: read.files,
        contents,
        summary,
        resumed_merges,
        seconds,
        threads: pool.current_num_threads(),
        bases_per_token,
        longest_tokens,
    };
    Ok((Tokenizer::new(table, &options.special_tokens)?, report))
}

type OnRound<'a> = dyn FnMut(&MergeTable, &Round) -> Result<()> + Send + 'a;

/// Trains, and writes a checkpoint now and then and when training ends early.
fn train_with_checkpoints(
    table: &mut MergeTable,
    mut writer: Option<CheckpointWriter>,
    train: impl FnOnce(&mut MergeTable, &mut OnRound<'_>) -> Result<TrainingSummary>,
) -> Result<TrainingSummary> {
    let mut on_round =
        |table: &MergeTable, _: &Round| writer.as_mut().map_or(Ok(()), |writer| writer.round(table));
    let trained = train(table, &mut on_round);
    if let (Err(_), Some(writer)) = (&trained, &mut writer) {
        writer.stop(table)?;
    }
    trained
}

/// Trains on words with weights: a word of weight n counts as n equal words.
///
/// Fails at a word that is not over A, C, G, T, and if counts could exceed 63 bits.
pub fn train_words(
    words: &[(String, u64)],
    options: TrainOptions,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Tokenizer> {
    let options = options.checked()?;
    let pool = pool(threads)?;
    check_weights(words)?;
    let mut by_weight: BTreeMap<u64, CorpusBuilder> = BTreeMap::new();
    for (number, (word, weight)) in words.iter().enumerate() {
        let is_base = |byte: u8| byte.is_ascii_uppercase() && CODES[usize::from(byte)] < NOT_A_BASE;
        if let Some(position) = word.bytes().position(|byte| !is_base(byte)) {
            return Err(Error::Symbol {
                file: None,
                line: None,
                record: format!("word {number}"),
                position: position as u64,
                byte: word.as_bytes()[position],
                reason: "is not one of the bases A, C, G, T".to_owned(),
            });
        }
        let builder = by_weight.entry(*weight).or_default();
        builder.record(b"word");
        builder.symbols(word.as_bytes())?;
    }
    let weighted =
        |(weight, builder): (u64, CorpusBuilder)| WeightedCorpora { corpora: vec![builder.finish()], weight };
    let texts: Vec<WeightedCorpora> =
        by_weight.into_iter().filter(|&(weight, _)| weight > 0).map(weighted).collect();
    let mut table = MergeTable::new();
    pool.install(|| train_merges(&texts, &options.merging, &mut table, monitor, |_, _| Ok(())))?;
    Tokenizer::new(table, &options.special_tokens)
}

/// A pair cannot be counted more often than there are bases: their number must fit.
fn check_weights(words: &[(String, u64)]) -> Result<()> {
    let mut sum = 0_u64;
    for (word, weight) in words {
        let bases = (word.len() as u64).checked_mul(*weight);
        sum =
            bases.and_then(|bases| sum.checked_add(bases)).filter(|&sum| sum < 1 << 62).ok_or_else(|| {
                let rule =
                    format!("counts of {} would exceed 62 bits; give smaller weights", show_text(word));
                Error::argument("weight", weight, rule)
            })?;
    }
    Ok(())
}

/// Reads files and writes them as one packed file; returns its length in bytes, and what is in it.
pub fn pack(
    paths: &[PathBuf],
    output: &Path,
    allow_unknown: f64,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(u64, Contents)> {
    check_paths(paths)?;
    verdict::check_allowed(allow_unknown)?;
    pool(threads)?.install(|| {
        let corpora = corpus::read_all(paths, allow_unknown, monitor)?;
        let bytes = corpus::save(&corpora, output, monitor)?;
        Ok((bytes, contents_of(&corpora)))
    })
}

/// Packs sequence files into a folder of shards. Returns its manifest, and what was read now.
pub fn pack_shards(
    paths: &[PathBuf],
    packing: &PackOptions,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<(CorpusManifest, Contents)> {
    check_paths(paths)?;
    pool(threads)?.install(|| folder::pack(paths, packing, monitor))
}

fn check_paths(paths: &[PathBuf]) -> Result<()> {
    if paths.is_empty() {
        return Err(Error::argument("files", "[]", "at least one sequence file is needed"));
    }
    Ok(())
}

fn contents_of(corpora: &[Corpus]) -> Contents {
    let mut contents = Contents::default();
    corpora.iter().for_each(|corpus| contents.add(corpus.contents()));
    contents
}

/// The longest tokens made by merges, of equal length the older first.
fn longest(table: &MergeTable) -> Vec<String> {
    let mut tokens: Vec<Token> = (NUM_BASES..table.num_tokens()).collect();
    tokens.sort_by_key(|&token| std::cmp::Reverse(table.length(token)));
    tokens.iter().take(NUM_LONGEST).map(|&token| table.spelling(token)).collect()
}

impl TrainingReport {
    /// Why training ended, as reports say it.
    pub fn stopped(&self) -> &'static str {
        match self.summary.stop {
            StopReason::Full => "vocabulary full",
            StopReason::NoPairLeft => "no pair left",
            StopReason::MinFrequency => "min_frequency",
        }
    }
}

/// The kinds of symbols that were left out and occur, and how many of each.
pub fn skipped(contents: &Contents) -> impl Iterator<Item = (&'static str, u64)> {
    let counts = SymbolKind::SKIPPED.iter().zip(contents.skipped);
    counts.filter(|&(_, count)| count > 0).map(|(kind, count)| (kind.name(), count))
}

#[cfg(test)]
mod tests;
