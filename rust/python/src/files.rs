//! From sequence files and option groups to a reader of tokens.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use genotok_core::Error;
use genotok_core::alphabet::UnknownPolicy;
use genotok_core::rows::Regions;
use genotok_core::stream::{StreamOptions, TokenStream};
use genotok_core::tokenizer::Tokenizer as Core;
use pyo3::prelude::*;

use crate::options::{ReadOptions, RowOptions, RunOptions};
use crate::reader::{ReaderOptions, TokenReader};
use crate::watch::{Watched, watch_blind};

/// The regions that are wanted; nothing for all.
fn regions(options: RowOptions) -> genotok_core::Result<Option<Regions>> {
    if options.bed_blocks && options.bed.is_empty() {
        let rule = "joins the blocks of BED files, and none is given";
        return Err(Error::argument("bed_blocks", &true, rule));
    }
    if options.region.is_empty() && options.bed.is_empty() {
        return Ok(None);
    }
    let mut regions = if options.bed_blocks { Regions::of_blocks() } else { Regions::new() };
    options.region.iter().try_for_each(|text| regions.add_text(text))?;
    options.bed.into_iter().try_for_each(|file| regions.add_bed(&file.path, Cursor::new(file.data)))?;
    Ok(Some(regions))
}

/// A reader of the tokens of files. BED files are parsed now, sequence files are read later.
pub(crate) fn open(
    py: Python<'_>,
    core: Arc<Core>,
    files: Vec<PathBuf>,
    mut options: RowOptions,
    read: ReadOptions,
    run: RunOptions,
) -> PyResult<TokenReader> {
    let (mut rows, encode) = options.checked(read)?;
    let (threads, Watched { progress, memory }) = run.checked()?;
    let reader = ReaderOptions {
        is_narrow: core.vocab_size() <= 1 << 16,
        splits: encode.unknown == UnknownPolicy::Split,
        has_digests: rows.digests,
        has_checksums: rows.checksums,
        bed: (!options.bed.is_empty()).then_some(options.bed_blocks),
        progress,
        core: Arc::clone(&core),
    };
    let stream = watch_blind(py, move || {
        rows.regions = regions(options)?;
        let stream = TokenStream::open(core, files, StreamOptions { rows, encode, threads })?;
        stream.monitor().limit_memory(memory)?;
        Ok(stream)
    })?;
    Ok(TokenReader::new(stream, reader))
}
