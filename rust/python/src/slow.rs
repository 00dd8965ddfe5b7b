//! A warning where much is encoded without an automaton.

use genotok_core::session::TrainingReport;
use genotok_core::tokenizer::Tokenizer;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::errors::GenotokWarning;

/// Symbols that take about a second without an automaton; fewer need no warning.
pub(crate) const LARGE: u64 = 1 << 24;

/// Warns if so many symbols took longer because there is no automaton. The encoder must have been built.
pub(crate) fn warn_if_slow(py: Python<'_>, tokenizer: &Tokenizer, symbols: u64) -> PyResult<()> {
    if symbols < LARGE {
        return Ok(());
    }
    let Some(reason) = tokenizer.why_no_automaton() else { return Ok(()) };
    warn(py, "encoding", reason)
}

/// Warns if training on many bases took longer for want of an automaton.
pub(crate) fn warn_if_training_was_slow(py: Python<'_>, report: &TrainingReport) -> PyResult<()> {
    match &report.summary.why_no_automaton {
        Some(reason) if report.contents.bases >= LARGE => warn(py, "training", &reason.to_string()),
        _ => Ok(()),
    }
}

fn warn(py: Python<'_>, what: &str, reason: &str) -> PyResult<()> {
    let message = std::ffi::CString::new(format!("{what} without an automaton is slow: {reason}"))?;
    PyErr::warn(py, &PyType::new::<GenotokWarning>(py), &message, 1)
}
