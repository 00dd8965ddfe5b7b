//! Many sequences through a tokenizer of the core.

use std::sync::Arc;

use genotok_core::batch::{EncodeOptions, EncodedBatch, Sequences};
use genotok_core::error::Error;
use genotok_core::monitor::Monitor;
use genotok_core::threads::LITTLE;
use genotok_core::tokenizer::Tokenizer as Core;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::exception;
use crate::id_lists::IdLists;
use crate::pools::pool;
use crate::slow::warn_if_slow;
use crate::texts::Texts;
use crate::tokens::TokenArray;
use crate::watch::watch;

/// Bytes that are worked on in some microseconds: not worth letting go of the lock.
pub(crate) const INSTANT: usize = 1 << 12;

/// The ids of each row.
pub(crate) fn encode(
    py: Python<'_>,
    core: &Arc<Core>,
    texts: Texts,
    options: EncodeOptions,
    threads: Option<usize>,
) -> PyResult<TokenArray> {
    call(py, core, texts, threads, move |core, texts, monitor| {
        let mut encoded = core.encode_batch(texts.sequences(), &options, monitor)?;
        let Some(rows) = texts.rows() else { return Ok(TokenArray::from(encoded)) };
        count_repeats(core, texts, options, monitor, &mut encoded)?;
        let counts = (encoded.unknown, encoded.lower_case);
        Ok(TokenArray::from(encoded).take(rows.sequences())?.with_counts(counts))
    })
}

/// Counts the unknown symbols of a sequence for each row that has it; `encoded` has them once.
fn count_repeats(
    core: &Core,
    texts: &Texts,
    options: EncodeOptions,
    monitor: &Monitor,
    encoded: &mut EncodedBatch,
) -> Result<(), Error> {
    let Some(rows) = texts.rows().filter(|_| encoded.unknown > 0) else { return Ok(()) };
    let Sequences { bytes, offsets } = texts.sequences();
    let options = EncodeOptions { spans: false, ..options };
    for (ends, uses) in offsets.windows(2).zip(rows.uses(offsets.len() - 1)) {
        if uses > 1 {
            let alone = core.encode_batch(Sequences { bytes, offsets: ends }, &options, monitor)?;
            encoded.unknown += alone.unknown * (uses - 1);
            encoded.lower_case += alone.lower_case * (uses - 1);
        }
    }
    Ok(())
}

/// How many tokens each row has.
pub(crate) fn count(
    py: Python<'_>,
    core: &Arc<Core>,
    texts: Texts,
    options: EncodeOptions,
    threads: Option<usize>,
) -> PyResult<Vec<i64>> {
    call(py, core, texts, threads, move |core, texts, monitor| {
        let counts = core.count_tokens(texts.sequences(), &options, monitor)?;
        let counts: Vec<i64> = counts.into_iter().map(u64::cast_signed).collect();
        Ok(texts.rows().map(|rows| rows.spread(&counts)).unwrap_or(counts))
    })
}

/// The string of each list; None of one that is null.
pub(crate) fn decode<'py>(
    py: Python<'py>,
    core: &Arc<Core>,
    lists: IdLists,
    skip_special_tokens: bool,
) -> PyResult<Bound<'py, PyList>> {
    let lists = Arc::new(lists);
    let decode = move |core: &Core, lists: &IdLists, monitor: &Monitor| {
        if skip_special_tokens {
            core.decode_batch_without_special(&lists.ids, &lists.offsets, monitor)
        } else {
            core.decode_batch(&lists.ids, &lists.offsets, monitor)
        }
    };
    let (bytes, offsets) = if lists.ids.len() <= LITTLE {
        py.detach(|| decode(core, &lists, &Monitor::default())).map_err(exception)?
    } else {
        let (core, lists) = (Arc::clone(core), Arc::clone(&lists));
        watch(py, None, move |monitor| pool(None)?.install(|| decode(&core, &lists, monitor)))?
    };
    let texts = offsets.windows(2).enumerate().map(|(number, ends)| {
        (!lists.is_null(number)).then(|| String::from_utf8_lossy(&bytes[ends[0]..ends[1]]))
    });
    PyList::new(py, texts.collect::<Vec<_>>())
}

/// Works on many sequences: where the call is, if that is quick, or in a watched thread on many cores.
fn call<T: Send + 'static>(
    py: Python<'_>,
    core: &Arc<Core>,
    texts: Texts,
    threads: Option<usize>,
    work: impl FnOnce(&Core, &Texts, &Monitor) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    let is_quick = threads.is_none() && core.is_ready();
    let work = move |core: &Core, texts: &Texts, monitor: &Monitor| {
        work(core, texts, monitor).map_err(|error| texts.at_row(error))
    };
    match texts.work() {
        much if is_quick && much <= INSTANT => work(core, &texts, &Monitor::default()).map_err(exception),
        much if is_quick && much <= LITTLE => {
            py.detach(|| work(core, &texts, &Monitor::default())).map_err(exception)
        }
        much => {
            let own = Arc::clone(core);
            let done =
                watch(py, None, move |monitor| pool(threads)?.install(|| work(&own, &texts, monitor)))?;
            warn_if_slow(py, core, much as u64).map(|()| done)
        }
    }
}
