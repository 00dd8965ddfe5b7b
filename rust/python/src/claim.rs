//! Claims of outputs.

use std::path::PathBuf;

use genotok_core::io::atomic::claim;
use pyo3::prelude::*;

use crate::errors::exception;

/// The right to write an output, until it is released or the process ends.
#[pyclass(module = "genotok._native")]
pub(crate) struct Claim(claim::OutputClaim);

#[pymethods]
impl Claim {
    /// Claims the file `path`, or the folder that is there.
    #[new]
    #[pyo3(signature = (path, *, folder=false))]
    fn new(py: Python<'_>, path: PathBuf, folder: bool) -> PyResult<Self> {
        let take =
            move || if folder { claim::OutputClaim::folder(&path) } else { claim::OutputClaim::file(&path) };
        py.detach(take).map(Self).map_err(exception)
    }

    /// Gives the output free; nothing the second time.
    fn release(&mut self) {
        self.0.release();
    }
}
