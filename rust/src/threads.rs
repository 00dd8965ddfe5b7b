//! The threads that work is shared among.

use crate::error::{Error, Result};

/// The most threads that work is shared among.
pub const MAX_THREADS: usize = 1024;

/// A thread pool; no number means all cores.
pub fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    let number = threads.unwrap_or(0);
    if threads == Some(0) || number > MAX_THREADS {
        return Err(Error::argument("threads", &number, format!("must be from 1 to {MAX_THREADS}")));
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(number).build();
    built.map_err(|error| Error::argument("threads", &number, error.to_string()))
}
