//! `AtomicFile`: a file under a temporary name until it is complete; see `genotok_core::io::atomic`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use genotok_core::Error;
use genotok_core::io::atomic::{self, AtomicFile as Core, AtomicOptions};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{ArgumentError, exception};

/// A file that is being written; writers of this module write to it from threads of their own.
#[derive(Clone)]
pub(crate) struct SharedFile {
    path: PathBuf,
    /// None once the file has its name, or was dropped.
    file: Arc<Mutex<Option<Core>>>,
}

impl SharedFile {
    fn lock(&self) -> MutexGuard<'_, Option<Core>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends bytes; does nothing to a file that was dropped, whose writer may still be at work.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.lock().as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// The exception for an error, which names the path that the user gave and not the temporary file.
    pub(crate) fn exception(&self, error: io::Error) -> PyErr {
        exception(Error::io(&self.path, error))
    }
}

/// A file under its temporary name, which gets its name by `commit`; dropped, it is removed.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct AtomicFile {
    shared: SharedFile,
}

impl AtomicFile {
    pub(crate) fn shared(&self) -> SharedFile {
        self.shared.clone()
    }
}

#[pymethods]
impl AtomicFile {
    /// Creates the temporary file in the folder of `path`.
    #[new]
    #[pyo3(signature = (path, *, checksum=false, deferred=false))]
    fn new(py: Python<'_>, path: PathBuf, checksum: bool, deferred: bool) -> PyResult<Self> {
        let options = AtomicOptions { checksum, deferred };
        let file = py.detach(|| Core::create(&path, options));
        let file = file.map_err(|error| exception(Error::io(&path, error)))?;
        Ok(Self { shared: SharedFile { path, file: Arc::new(Mutex::new(Some(file))) } })
    }

    /// Appends contiguous bytes; their number. Does nothing after `discard`.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let append = |bytes: &[u8]| {
            let written = py.detach(|| self.shared.append(bytes));
            written.map(|()| bytes.len()).map_err(|error| self.shared.exception(error))
        };
        match data.cast::<PyBytes>() {
            Ok(bytes) => append(bytes.as_bytes()),
            // Another thread may change what a buffer holds, so it is copied.
            Err(_) => append(&PyBuffer::<u8>::get(data)?.to_vec(py)?),
        }
    }

    /// Brings the bytes to the disk unless that is deferred; their number, and their checksum if it was asked for.
    fn sync(&self, py: Python<'_>) -> PyResult<(u64, Option<String>)> {
        let synced = py.detach(|| self.shared.lock().as_mut().map(Core::sync));
        let synced = synced.ok_or_else(|| ArgumentError::new_err("file=closed: start again"))?;
        synced.map_err(|error| self.shared.exception(error))
    }

    /// Brings the bytes to the disk and gives the file its name.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let committed = py.detach(|| self.shared.lock().take().map_or(Ok(()), Core::commit));
        committed.map_err(|error| self.shared.exception(error))
    }

    /// Removes the file; does nothing after `commit`.
    fn discard(&self, py: Python<'_>) {
        py.detach(|| drop(self.shared.lock().take()));
    }
}

/// Commits files that belong together, the last one last: all of them, or none and an error.
#[pyfunction]
pub(crate) fn commit_together(py: Python<'_>, files: Vec<Py<AtomicFile>>) -> PyResult<()> {
    let shared: Vec<SharedFile> = files.into_iter().map(|file| file.get().shared()).collect();
    let committed = py.detach(|| {
        let open = shared.iter().enumerate().map(|(at, file)| {
            file.lock().take().ok_or_else(|| (at, io::Error::other("is closed already; start again")))
        });
        atomic::commit_together(open.collect::<Result<_, _>>()?)
    });
    committed.map_err(|(at, error)| shared[at].exception(error))
}
