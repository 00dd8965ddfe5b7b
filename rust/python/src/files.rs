//! From the arguments of `encode_files` to a reader.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use genotok_core::Error;
use genotok_core::alphabet::UnknownPolicy;
use genotok_core::batch::EncodeOptions;
use genotok_core::rows::{Regions, RowOptions, RowOrder};
use genotok_core::stream::{StreamOptions, TokenStream};
use genotok_core::tokenizer::Tokenizer as Core;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::reader::{Manner, TokenReader};
use crate::watch::watch_blind;

/// What is wanted of files.
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub(crate) struct Files {
    pub(crate) window: Option<u64>,
    pub(crate) stride: Option<u64>,
    pub(crate) batch_bases: u32,
    pub(crate) encode: EncodeOptions,
    pub(crate) threads: Option<usize>,
    pub(crate) regions: Vec<String>,
    /// BED files, and what is in them.
    pub(crate) beds: Vec<(PathBuf, PyBackedBytes)>,
    pub(crate) bed_blocks: bool,
    pub(crate) order: RowOrder,
    pub(crate) reverse_complement: bool,
    pub(crate) digests: bool,
    pub(crate) allow_unknown: f64,
    pub(crate) need_bases: bool,
}

impl Files {
    fn regions(&mut self) -> genotok_core::Result<Option<Regions>> {
        if self.bed_blocks && self.beds.is_empty() {
            let rule = "joins the blocks of BED files, and none is given";
            return Err(Error::argument("bed_blocks", &true, rule));
        }
        if self.regions.is_empty() && self.beds.is_empty() {
            return Ok(None);
        }
        let mut regions = if self.bed_blocks { Regions::of_blocks() } else { Regions::new() };
        self.regions.iter().try_for_each(|text| regions.add_text(text))?;
        self.beds.drain(..).try_for_each(|(path, bytes)| regions.add_bed(&path, Cursor::new(bytes)))?;
        Ok(Some(regions))
    }

    fn options(mut self) -> genotok_core::Result<StreamOptions> {
        let rows = RowOptions {
            window: self.window,
            stride: self.stride,
            regions: self.regions()?,
            order: self.order,
            reverse_complement: self.reverse_complement,
            upper_case: self.encode.upper_case,
            unknown: self.encode.unknown,
            batch_symbols: self.batch_bases as usize,
            digests: self.digests,
            allow_unknown: self.allow_unknown,
            need_bases: self.need_bases,
        };
        Ok(StreamOptions { rows, encode: self.encode, threads: self.threads })
    }
}

/// A reader of the tokens of files. What BED files say is looked at now, sequence files are read later.
pub(crate) fn open(
    py: Python<'_>,
    core: Arc<Core>,
    files: Vec<PathBuf>,
    wanted: Files,
    progress: Option<Py<PyAny>>,
) -> PyResult<TokenReader> {
    let manner = Manner {
        is_narrow: core.vocab_size() <= 1 << 16,
        splits: wanted.encode.unknown == UnknownPolicy::Split,
        has_digests: wanted.digests,
        bed: (!wanted.beds.is_empty()).then_some(wanted.bed_blocks),
        progress,
        core: Arc::clone(&core),
    };
    let stream = watch_blind(py, move || TokenStream::open(core, files, wanted.options()?))?;
    Ok(TokenReader::new(stream, manner))
}
