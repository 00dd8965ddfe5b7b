//! Thread pools that are used again.
//!
//! A pool that a call is done with waits for the next call that wants as many threads. Starting threads takes longer than
//! encoding a phage, and a folder of many small files would start them for each file.

use std::mem::forget;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use rayon::ThreadPool;

use crate::error::{Error, Result};

/// Threads in a pool, at most; more than that is a mistake in an argument.
pub const MAX_THREADS: usize = 1024;
/// Pools that wait for their next use, at most.
const MAX_IDLE: usize = 4;

/// The pools that nobody uses, the last returned at the end.
static IDLE: Mutex<Vec<IdlePool>> = Mutex::new(Vec::new());

/// A pool, and what must be known to use it again.
#[derive(Clone, Debug)]
struct IdlePool {
    pool: Arc<ThreadPool>,
    threads: usize,
    /// The process that its threads are in. One that is forked from it has only the thread that forked it.
    process: u32,
}

/// A thread pool of one user at a time. It is used again when it is dropped.
#[derive(Debug)]
pub struct Pool(IdlePool);

/// A thread pool of `threads` threads, or of one per CPU core. Fails on a number outside 1 to [`MAX_THREADS`], or if the
/// system refuses.
pub fn pool(threads: Option<usize>) -> Result<Pool> {
    let number = threads.unwrap_or(0);
    if threads == Some(0) || number > MAX_THREADS {
        return Err(Error::argument("threads", &number, format!("must be from 1 to {MAX_THREADS}")));
    }
    let process = std::process::id();
    let fits = |idle: &IdlePool| idle.threads == number && idle.process == process;
    let found = idle_pools().and_then(|mut idle| idle.iter().rposition(fits).map(|at| idle.remove(at)));
    if let Some(pool) = found {
        return Ok(Pool(pool));
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(number).build();
    let refused = |error| format!("the system refuses to start threads ({error}); use fewer, or free memory");
    let pool = built.map_err(|error| Error::argument("threads", &number, refused(error)))?;
    Ok(Pool(IdlePool { pool: Arc::new(pool), threads: number, process }))
}

/// The idle pools; none while another thread has them, which in a process that was forked meanwhile is for ever.
fn idle_pools() -> Option<MutexGuard<'static, Vec<IdlePool>>> {
    match IDLE.try_lock() {
        Ok(idle) => Some(idle),
        Err(TryLockError::Poisoned(idle)) => Some(idle.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Deref for Pool {
    type Target = ThreadPool;

    fn deref(&self) -> &ThreadPool {
        &self.0.pool
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let process = std::process::id();
        if self.0.process != process {
            // Its threads are not here, so it must not be told to end them.
            forget(Arc::clone(&self.0.pool));
            return;
        }
        let Some(mut idle) = idle_pools() else { return };
        idle.push(self.0.clone());
        if idle.len() > MAX_IDLE {
            let oldest = idle.remove(0);
            if oldest.process != process {
                forget(oldest);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_used_again_but_by_one_user_at_a_time() {
        let [first, second] = [pool(Some(7)).unwrap(), pool(Some(7)).unwrap()];
        assert!(!Arc::ptr_eq(&first.0.pool, &second.0.pool));
        assert_eq!(first.current_num_threads(), 7);
        // Other tests return pools, too, so that one may be gone or not be had at this moment.
        let is_used_again = |_| {
            let pool_before = pool(Some(7)).unwrap();
            let kept = Arc::clone(&pool_before.0.pool);
            drop(pool_before);
            Arc::ptr_eq(&kept, &pool(Some(7)).unwrap().0.pool)
        };
        assert!((0..100).any(is_used_again));
        drop((10..30).map(|threads| pool(Some(threads)).unwrap()).collect::<Vec<_>>());
        assert!(IDLE.lock().unwrap().len() <= MAX_IDLE);
    }

    #[test]
    fn numbers_of_threads_are_checked() {
        assert!(pool(Some(0)).is_err());
        assert!(pool(Some(MAX_THREADS + 1)).is_err());
        assert!(pool(None).unwrap().current_num_threads() > 0);
    }
}
