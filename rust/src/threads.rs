//! Thread pools for work that is divided.

use crate::error::{Error, Result};

/// Threads in a pool, at most; more than that is a mistake in an argument.
pub const MAX_THREADS: usize = 1024;

/// A thread pool of `threads` threads, or of one per CPU core. Fails on a number outside 1 to [`MAX_THREADS`], or if the
/// system refuses.
pub fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    let number = threads.unwrap_or(0);
    if threads == Some(0) || number > MAX_THREADS {
        return Err(Error::argument("threads", &number, format!("must be from 1 to {MAX_THREADS}")));
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(number).build();
    built.map_err(|error| Error::argument("threads", &number, error.to_string()))
}
