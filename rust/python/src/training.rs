//! How to train, from Python's arguments.

use std::path::PathBuf;

use genotok_core::bpe::train::MergeOptions;
use genotok_core::error::Error;
use genotok_core::session::{Checkpoint, Wanted};
use genotok_core::verdict::MAX_UNKNOWN;
use pyo3::prelude::*;

use crate::arguments::{Number, fit, fit_count, fit_threads};
use crate::errors::exception;

/// How to train.
pub(crate) struct Training {
    pub(crate) wanted: Wanted,
    pub(crate) threads: Option<usize>,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Training {
    #[allow(clippy::too_many_arguments)] // those of Python's function
    pub(crate) fn new(
        vocab_size: Number,
        min_frequency: Number,
        special_tokens: Vec<String>,
        word_length: Option<Number>,
        max_token_length: Option<Number>,
        both_strands: bool,
        threads: Option<Number>,
        memory: Option<Number>,
        checkpoint: Option<PathBuf>,
        resume: bool,
    ) -> PyResult<Self> {
        let options = MergeOptions {
            min_frequency: min_frequency.fit("min_frequency", 0)?,
            max_token_length: longest(max_token_length)?,
            word_length: fit(word_length, "word_length", 1)?,
            both_strands,
            ..MergeOptions::default()
        };
        let vocab_size = fit_count(vocab_size, "vocab_size")?;
        let memory = fit(memory, "memory", 1)?;
        let wanted = Wanted { vocab_size, special_tokens, options, memory, allow_unknown: MAX_UNKNOWN };
        let checkpoint = match checkpoint {
            Some(path) => Some(Checkpoint { path, resume }),
            None if resume => {
                let rule = "needs the checkpoint to go on from";
                return Err(exception(Error::argument("resume", &"True", rule)));
            }
            None => None,
        };
        Ok(Self { wanted, threads: fit_threads(threads)?, checkpoint })
    }
}

/// The longest token allowed; beyond 32 bits it is no limit.
pub(crate) fn longest(number: Option<Number>) -> PyResult<Option<u32>> {
    let length: Option<u64> = fit(number, "max_token_length", 1)?;
    Ok(length.map(|length| u32::try_from(length).unwrap_or(u32::MAX)))
}
