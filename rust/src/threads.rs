//! Threads for work that is divided: pools, and threads for the time of a call.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::prelude::*;

mod pools;

pub use self::pools::{MAX_THREADS, Pool, pool};

/// Bytes or ids that the thread that calls works on alone; of edits it is [`EDITS`](crate::batch::EDITS).
///
/// It then asks for no pool, not even for that of the process: starting threads takes longer than such work, the system may
/// refuse them, and a process that was forked has none of the threads that its parent started, but would wait for them.
pub const LITTLE: usize = 1 << 14;

/// How many threads work here: those of the pool that the caller runs in, or else one per CPU core.
pub fn available() -> usize {
    // Only in a pool: elsewhere the question would start a pool for the process.
    match rayon::current_thread_index() {
        Some(_) => rayon::current_num_threads(),
        None => thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The results of `work`, in the order of `items`: by this thread where the work is [`LITTLE`], else by those of its pool.
pub fn collect<I, T, R, C>(items: I, amount: usize, work: impl Fn(T) -> R + Send + Sync) -> C
where
    I: IntoIterator<Item = T> + IntoParallelIterator<Item = T>,
    T: Send,
    R: Send,
    C: FromIterator<R> + FromParallelIterator<R>,
{
    if amount <= LITTLE {
        items.into_iter().map(work).collect()
    } else {
        items.into_par_iter().map(work).collect()
    }
}

/// The results of `work`, in the order of `tasks`, from `threads` threads of which the caller is one.
///
/// The threads are started for this call, some 50 us for each, and take one task after the other. In place of a pool
/// where the caller holds a lock: a thread of a pool that waits takes up other work, which may wait for the same lock.
pub fn map<T: Send, R: Send>(tasks: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let helpers = threads.min(tasks.len()).saturating_sub(1);
    if helpers == 0 {
        return tasks.into_iter().map(work).collect();
    }
    let queue = Mutex::new(tasks.into_iter().enumerate());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || std::iter::from_fn(take).map(|(number, task)| (number, work(task))).collect::<Vec<_>>();
    let mut done = thread::scope(|scope| {
        // Where the system refuses a thread, the others do its work.
        let started = (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, run).ok());
        let started: Vec<_> = started.collect();
        let mut done = run();
        for helper in started {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(number, _)| number);
    done.into_iter().map(|(_, result)| result).collect()
}
