//! From the arguments of `encode_files` to a reader.

use std::path::PathBuf;
use std::sync::Arc;

use genotok_core::batch::EncodeOptions;
use genotok_core::batch::Unknown;
use genotok_core::rows::{Regions, RowOptions};
use genotok_core::stream::{StreamOptions, TokenStream};
use genotok_core::tokenizer::Tokenizer as Core;
use pyo3::prelude::*;

use crate::reader::{Manner, TokenReader};
use crate::watch::watch_blind;

/// What is wanted of files.
pub(crate) struct Files {
    pub(crate) window: Option<u64>,
    pub(crate) stride: Option<u64>,
    pub(crate) batch_bases: u32,
    pub(crate) encode: EncodeOptions,
    pub(crate) threads: Option<usize>,
    pub(crate) regions: Vec<String>,
    pub(crate) beds: Vec<PathBuf>,
    pub(crate) reverse_complement: bool,
    pub(crate) digests: bool,
}

impl Files {
    fn regions(&self) -> genotok_core::Result<Option<Regions>> {
        if self.regions.is_empty() && self.beds.is_empty() {
            return Ok(None);
        }
        let mut regions = Regions::new();
        self.regions.iter().try_for_each(|text| regions.add_text(text))?;
        self.beds.iter().try_for_each(|bed| regions.add_bed(bed))?;
        Ok(Some(regions))
    }

    fn options(self) -> genotok_core::Result<StreamOptions> {
        let rows = RowOptions {
            window: self.window,
            stride: self.stride,
            regions: self.regions()?,
            reverse_complement: self.reverse_complement,
            upper_case: self.encode.upper_case,
            unknown: self.encode.unknown,
            batch_letters: self.batch_bases as usize,
            digests: self.digests,
        };
        Ok(StreamOptions { rows, encode: self.encode, threads: self.threads })
    }
}

/// A reader of the tokens of files. BED files are read now, sequence files later.
pub(crate) fn open(
    py: Python<'_>,
    core: Arc<Core>,
    files: Vec<PathBuf>,
    wanted: Files,
    progress: Option<Py<PyAny>>,
) -> PyResult<TokenReader> {
    let manner = Manner {
        is_narrow: core.vocab_size() <= 1 << 16,
        splits: wanted.encode.unknown == Unknown::Split,
        has_digests: wanted.digests,
        progress,
        core: Arc::clone(&core),
    };
    let stream = watch_blind(py, move || TokenStream::open(core, files, wanted.options()?))?;
    Ok(TokenReader::new(stream, manner))
}
