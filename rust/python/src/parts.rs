//! Edits of a sequence from Python, and what they change in its tokens.

use std::sync::Arc;

use genotok_core::batch::{EDITS, SequenceEdit};
use genotok_core::bpe::encode::local::Change;
use genotok_core::error::Error;
use genotok_core::monitor::Monitor;
use genotok_core::threads::LITTLE;
use genotok_core::tokenizer::{Id, Tokenizer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{Number, fit_count};
use crate::errors::{ArgumentError, exception};
use crate::pools::pool;
use crate::texts::{PATIENCE, kept, text_of};
use crate::view::numpy;
use crate::watch::watch;

/// What each edit changes, as numpy arrays: starts and ends; the ids before, of all edits back to back, and where those
/// of each edit start, and the last end; the ids after likewise.
pub(crate) fn reencode<'py>(
    py: Python<'py>,
    core: &Arc<Tokenizer>,
    sequence: &Bound<'py, PyAny>,
    edits: &Bound<'py, PyAny>,
    reverse: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    let text = text_of(sequence)?;
    let edits = edits_of(edits)?;
    let changes = if core.is_ready() && text.len() <= LITTLE && edits.len() < EDITS {
        py.detach(|| core.reencode(text, &edits, reverse, &Monitor::default())).map_err(exception)?
    } else {
        let (text, core) = (kept(sequence)?, Arc::clone(core));
        watch(py, None, move |monitor| {
            // It was text before.
            let text = std::str::from_utf8((*text).as_ref()).map_err(|_| Error::Interrupted)?;
            pool(None)?.install(|| core.reencode(text, &edits, reverse, monitor))
        })?
    };
    let of = |place: fn(&Change) -> usize| -> PyResult<Vec<i64>> {
        changes.iter().map(|change| Ok(i64::try_from(place(change))?)).collect()
    };
    let (starts, ends) = (of(|change| change.start)?, of(|change| change.end)?);
    let (before, before_offsets) = joined(changes.iter().map(|change| &change.before[..]));
    let (after, after_offsets) = joined(changes.iter().map(|change| &change.after[..]));
    let arrays = [
        numpy(py, &starts.into(), 1)?,
        numpy(py, &ends.into(), 1)?,
        numpy(py, &signed(before).into(), 1)?,
        numpy(py, &before_offsets.into(), 1)?,
        numpy(py, &signed(after).into(), 1)?,
        numpy(py, &after_offsets.into(), 1)?,
    ];
    PyTuple::new(py, arrays)
}

/// Lists back to back, and where each starts, and the last ends.
fn joined<'a>(lists: impl Iterator<Item = &'a [Id]>) -> (Vec<Id>, Vec<i64>) {
    let (mut all, mut offsets) = (Vec::new(), vec![0]);
    for list in lists {
        all.extend_from_slice(list);
        offsets.push(i64::try_from(all.len()).unwrap_or(i64::MAX));
    }
    (all, offsets)
}

/// Ids as signed numbers, which models index with; there are fewer than 2^31.
pub(crate) fn signed(ids: Vec<Id>) -> Vec<i32> {
    ids.into_iter().map(Id::cast_signed).collect()
}

/// Edits of an iterable of `(start, end, replacement)`.
fn edits_of(edits: &Bound<'_, PyAny>) -> PyResult<Vec<SequenceEdit>> {
    let mut all = Vec::new();
    for (number, edit) in edits.try_iter()?.enumerate() {
        let (start, end, replacement) =
            edit?.extract::<(Number, Number, Bound<'_, PyAny>)>().map_err(|error| {
                PyTypeError::new_err(format!(
                    "edits[{number}]: (start, end, replacement) is expected, a tuple of two integers and str or bytes: {error}"
                ))
            })?;
        let replacement = text_of(&replacement).map_err(|error| {
            let text = error.value(edits.py()).to_string();
            let text = format!("edits[{number}]: replacement: {}", text.trim_start_matches("sequence: "));
            if error.is_instance_of::<PyTypeError>(edits.py()) {
                PyTypeError::new_err(text)
            } else {
                ArgumentError::new_err(text)
            }
        })?;
        all.push(SequenceEdit {
            start: fit_count(start, "edits")?,
            end: fit_count(end, "edits")?,
            replacement: replacement.to_owned(),
        });
        if number.is_multiple_of(PATIENCE) {
            edits.py().check_signals()?;
        }
    }
    Ok(all)
}
