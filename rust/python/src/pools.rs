//! The threads that work.
//!
//! Without a number given, all calls of a process share one pool with a thread for each core. A process that was forked
//! has only the thread that forked it; it gets a pool of its own, where waiting for the threads of its parent would be
//! for ever.

use std::sync::{Arc, Mutex, TryLockError};

use genotok_core::error::Result;
use genotok_core::threads::{self, Pool};

static SHARED: Mutex<Option<(u32, Arc<Pool>)>> = Mutex::new(None);

/// A pool of so many threads, or that of all cores.
pub(crate) fn pool(threads: Option<usize>) -> Result<Arc<Pool>> {
    if threads.is_some() {
        return threads::pool(threads).map(Arc::new);
    }
    let mut shared = match SHARED.try_lock() {
        Ok(shared) => shared,
        Err(TryLockError::Poisoned(shared)) => shared.into_inner(),
        // Another thread makes it, or did so while this process was forked.
        Err(TryLockError::WouldBlock) => return threads::pool(None).map(Arc::new),
    };
    let process = std::process::id();
    if let Some((owner, pool)) = &*shared
        && *owner == process
    {
        return Ok(Arc::clone(pool));
    }
    let pool = Arc::new(threads::pool(None)?);
    // The threads of a pool of the parent are not here, so it must not be told to end them.
    std::mem::forget(shared.replace((process, Arc::clone(&pool))));
    Ok(pool)
}
