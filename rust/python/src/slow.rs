//! A warning where much is encoded without an automaton.

use genotok_core::tokenizer::Tokenizer;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::errors::GenotokWarning;

/// Letters that take a second or so without an automaton; fewer are not worth a word.
pub(crate) const LARGE: u64 = 1 << 24;

/// Warns if so many letters took longer for want of an automaton. The encoder must have been built.
pub(crate) fn warn_if_slow(py: Python<'_>, tokenizer: &Tokenizer, letters: u64) -> PyResult<()> {
    if letters < LARGE {
        return Ok(());
    }
    let Some(reason) = tokenizer.why_no_automaton() else { return Ok(()) };
    let message = std::ffi::CString::new(format!("encoding without an automaton is slow: {reason}"))?;
    PyErr::warn(py, &PyType::new::<GenotokWarning>(py), &message, 1)
}
