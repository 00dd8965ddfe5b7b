//! `judge` and `describe_unknown`: the verdict on sequences that Python has read itself.

use std::collections::HashMap;
use std::path::PathBuf;

use genotok_core::Error;
use genotok_core::rows::KINDS;
use genotok_core::verdict::{SymbolTally, judge_counts};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::exception;

/// Judges a table by how often each byte stands in its `rows` sequences, and which bytes are known; gives the unknown
/// symbols by kind.
#[pyfunction]
#[pyo3(signature = (path, counts, known, *, rows, allow_unknown))]
#[allow(clippy::needless_pass_by_value)] // Python's arguments come as values
pub(crate) fn judge(
    py: Python<'_>,
    path: PathBuf,
    counts: Vec<u64>,
    known: Vec<u8>,
    rows: u64,
    allow_unknown: f64,
) -> PyResult<Bound<'_, PyDict>> {
    let length = counts.len();
    let counts: [u64; 256] = counts.try_into().map_err(|_| {
        exception(Error::argument("counts", &length, "256 numbers are expected, one for each byte"))
    })?;
    let unknown =
        judge_counts(&path, &counts, rows, allow_unknown, |byte| known.contains(&byte)).map_err(exception)?;
    let dictionary = PyDict::new(py);
    for (kind, count) in unknown {
        dictionary.set_item(kind.name(), count)?;
    }
    Ok(dictionary)
}

/// A note on the unknown symbols among `total`, counted by kind; None if there are none but N and lower case.
#[pyfunction]
#[pyo3(signature = (total, unknown))]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn describe_unknown(total: u64, unknown: HashMap<String, u64>) -> Option<String> {
    let mut symbols =
        SymbolTally { known: total.saturating_sub(unknown.values().sum()), ..SymbolTally::default() };
    for kind in KINDS {
        symbols.add_unknown(kind, unknown.get(kind.name()).copied().unwrap_or(0));
    }
    symbols.describe()
}
