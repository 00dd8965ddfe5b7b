//! Option groups from Python: a struct for each group of `genotok.options`, with the fields' names, turned into the
//! core's options.
//!
//! A group is extracted once for a call. Numbers stay Python's until they are checked, so that one out of range is an
//! `ArgumentError` with the option's name.

use std::path::PathBuf;

use genotok_core::alphabet::UnknownPolicy;
use genotok_core::batch::EncodeOptions;
use genotok_core::corpus::folder;
use genotok_core::error::Error;
use genotok_core::rows::{self, RowOrder};
use genotok_core::session::{self, Checkpoint};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::arguments::{Nulls, Number, fit, fit_count, fit_threads, unknown};
use crate::errors::exception;
use crate::watch::Watched;

/// `genotok.options.RunOptions`: how work runs.
#[derive(FromPyObject)]
pub(crate) struct RunOptions {
    threads: Option<Number>,
    memory: Option<Number>,
    progress: Option<Py<PyAny>>,
}

impl RunOptions {
    /// The number of threads, and how the work is watched.
    pub(crate) fn checked(self) -> PyResult<(Option<usize>, Watched)> {
        let memory = fit(self.memory, "memory", 1)?;
        Ok((fit_threads(self.threads)?, Watched { progress: self.progress, memory }))
    }
}

/// `genotok.options.TrainOptions`: what tokenizer to train.
#[derive(FromPyObject)]
pub(crate) struct TrainOptions {
    vocab_size: Number,
    special_tokens: Vec<String>,
    min_frequency: Number,
    max_token_length: Option<Number>,
    word_length: Option<Number>,
    both_strands: bool,
    allow_unknown: f64,
    checkpoint: Option<PathBuf>,
    resume: bool,
}

impl TrainOptions {
    /// What the core trains, and where it keeps its checkpoint.
    pub(crate) fn checked(self) -> PyResult<(session::TrainOptions, Option<Checkpoint>)> {
        let max_token_length: Option<u64> = fit(self.max_token_length, "max_token_length", 1)?;
        let merging = genotok_core::bpe::train::MergeOptions {
            min_frequency: self.min_frequency.fit("min_frequency", 0)?,
            // Beyond 32 bits it is no limit.
            max_token_length: max_token_length.map(|length| u32::try_from(length).unwrap_or(u32::MAX)),
            word_length: fit(self.word_length, "word_length", 1)?,
            both_strands: self.both_strands,
            ..Default::default()
        };
        let options = session::TrainOptions {
            vocab_size: fit_count(self.vocab_size, "vocab_size")?,
            special_tokens: self.special_tokens,
            merging,
            memory: None,
            allow_unknown: self.allow_unknown,
        };
        let checkpoint = match self.checkpoint {
            Some(path) => Some(Checkpoint { path, resume: self.resume }),
            None if self.resume => {
                let rule = "needs the checkpoint to resume from";
                return Err(exception(Error::argument("resume", &"True", rule)));
            }
            None => None,
        };
        Ok((options, checkpoint))
    }
}

/// `genotok.options.PackOptions`: how a folder of packed files is written.
#[derive(FromPyObject)]
pub(crate) struct PackOptions {
    shard_size: Number,
    append: bool,
    allow_unknown: f64,
}

impl PackOptions {
    /// How the core packs into `folder`.
    pub(crate) fn checked(self, folder: PathBuf) -> PyResult<folder::PackOptions> {
        let shard_bases = self.shard_size.fit("shard_size", 1)?;
        Ok(folder::PackOptions {
            folder,
            shard_bases,
            append: self.append,
            allow_unknown: self.allow_unknown,
        })
    }
}

/// `genotok.options.BatchOptions`: how sequences in memory become tokens.
#[derive(FromPyObject)]
#[allow(clippy::struct_excessive_bools)] // independent switches
pub(crate) struct BatchOptions {
    add_special_tokens: bool,
    unknown: String,
    uppercase: bool,
    offsets: bool,
    nulls: String,
    threads: Option<Number>,
}

impl BatchOptions {
    /// How the core encodes, what missing sequences become, and the number of threads.
    pub(crate) fn checked(self) -> PyResult<(EncodeOptions, Nulls, Option<usize>)> {
        let encode = EncodeOptions {
            only_symbols: false,
            parts: [false; 2],
            unknown: unknown(&self.unknown)?,
            upper_case: self.uppercase,
            add_special_tokens: self.add_special_tokens,
            spans: self.offsets,
        };
        Ok((encode, Nulls::of(&self.nulls)?, fit_threads(self.threads)?))
    }
}

/// `genotok.files.paths.Bed`: a BED file that was read.
#[derive(FromPyObject)]
pub(crate) struct BedFile {
    pub(crate) path: PathBuf,
    pub(crate) data: PyBackedBytes,
}

/// `genotok.options.RowOptions`: what the rows of sequence files are, and how they become tokens.
#[derive(FromPyObject)]
#[allow(clippy::struct_excessive_bools)] // independent switches
pub(crate) struct RowOptions {
    window: Option<Number>,
    stride: Option<Number>,
    pub(crate) region: Vec<String>,
    pub(crate) bed: Vec<BedFile>,
    pub(crate) bed_blocks: bool,
    bed_order: bool,
    reverse_complement: bool,
    unknown: String,
    allow_unknown: f64,
    uppercase: bool,
    add_special_tokens: bool,
}

/// `genotok.options.ReadOptions`: in which batches rows are given, and what is reported of the files.
#[derive(FromPyObject)]
pub(crate) struct ReadOptions {
    batch_bases: Number,
    digests: bool,
    checksums: bool,
    need_bases: bool,
}

impl RowOptions {
    /// Which rows the core gives, all regions still to be read, and how it encodes them.
    pub(crate) fn checked(&mut self, read: ReadOptions) -> PyResult<(rows::RowOptions, EncodeOptions)> {
        let unknown: UnknownPolicy = unknown(&self.unknown)?;
        let batch_bases: u32 = read.batch_bases.fit("batch_bases", 1)?;
        let rows = rows::RowOptions {
            window: fit(self.window.take(), "window", 1)?,
            stride: fit(self.stride.take(), "stride", 1)?,
            regions: None,
            order: if self.bed_order { RowOrder::Bed } else { RowOrder::Files },
            reverse_complement: self.reverse_complement,
            upper_case: self.uppercase,
            unknown,
            batch_symbols: batch_bases as usize,
            digests: read.digests,
            checksums: read.checksums,
            allow_unknown: self.allow_unknown,
            need_bases: read.need_bases,
        };
        let encode = EncodeOptions {
            only_symbols: false,
            parts: [false; 2],
            unknown,
            upper_case: self.uppercase,
            add_special_tokens: self.add_special_tokens,
            spans: false,
        };
        Ok((rows, encode))
    }
}
