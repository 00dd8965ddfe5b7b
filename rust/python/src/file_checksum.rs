//! `file_checksum`: the checksum of a file that nobody reads otherwise.

use std::path::PathBuf;

use genotok_core::io::checksum;
use genotok_core::monitor::Monitor;
use pyo3::prelude::*;

use crate::errors::exception;
use crate::watch::watch;

/// Bytes that take less time than starting a thread.
const SMALL: u64 = 1 << 18;

/// The BLAKE3 sum of a file, in 64 hexadecimal digits; None for what is not a regular file. Ctrl-C stops it.
#[pyfunction]
pub(crate) fn file_checksum(py: Python<'_>, path: PathBuf) -> PyResult<Option<String>> {
    if path.metadata().is_ok_and(|metadata| metadata.len() <= SMALL) {
        return py.detach(|| checksum::file_checksum(&path, &Monitor::default())).map_err(exception);
    }
    watch(py, None, move |monitor| checksum::file_checksum(&path, monitor))
}
