//! `FileChecksums`: the checksums of files, computed in a thread while other work goes on; of small files when they are
//! asked for, which takes less time than starting a thread.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use genotok_core::error::Result;
use genotok_core::io::checksum::file_checksum;
use pyo3::prelude::*;

use crate::errors::{ArgumentError, exception};
use crate::watch::TICK;

type Sums = Result<Vec<Option<String>>>;

/// Bytes that are not worth a thread.
const SMALL: u64 = 1 << 18;

/// BLAKE3 sums of files, which a thread begins to compute at once if the files are large.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct FileChecksums {
    is_stopped: Arc<AtomicBool>,
    work: Work,
}

enum Work {
    Small(Vec<PathBuf>),
    Thread(Mutex<Receiver<Sums>>),
}

#[pymethods]
impl FileChecksums {
    #[new]
    fn new(paths: Vec<PathBuf>) -> PyResult<Self> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        if paths.iter().map(size).sum::<u64>() <= SMALL {
            return Ok(Self { is_stopped, work: Work::Small(paths) });
        }
        let (send, sums) = channel();
        let stopped = Arc::clone(&is_stopped);
        let run = move || {
            send.send(sum(&paths, &stopped)).ok(); // nobody waits any more after an interrupt
        };
        thread::Builder::new().name("genotok-sum".to_owned()).spawn(run)?;
        Ok(Self { is_stopped, work: Work::Thread(Mutex::new(sums)) })
    }

    /// Waits for the sums, in 64 hexadecimal digits each; None for what is not a regular file. Once.
    fn wait(&self, py: Python<'_>) -> PyResult<Vec<Option<String>>> {
        let sums = match &self.work {
            Work::Small(paths) => return py.detach(|| sum(paths, &self.is_stopped)).map_err(exception),
            Work::Thread(sums) => sums,
        };
        loop {
            let sums = py.detach(|| sums.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK));
            match sums {
                Ok(sums) => return sums.map_err(exception),
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(ArgumentError::new_err("checksums=taken: start again"));
                }
            }
        }
    }

    /// Ends the work: the rest is not read.
    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

fn sum(paths: &[PathBuf], stopped: &AtomicBool) -> Sums {
    paths.iter().map(|path| file_checksum(path, stopped)).collect()
}
