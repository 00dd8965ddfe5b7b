//! Progress, cancellation and limits of work that runs in another thread.
//!
//! The worker writes its phase and counts; the watcher polls as often as it likes, and may cancel. The worker notices
//! within some milliseconds, because every loop over input calls [`Monitor::check`] once per buffer. No callback crosses
//! threads, so Python's signal handlers run in Python's main thread, and a relaxed atomic load is all that a check costs;
//! with a limit on memory, some ten microseconds for asking the system what the process holds.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// The phase of the work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Before anything is read.
    #[default]
    Starting,
    /// Reading input files; the monitor's counter counts bases.
    Reading {
        /// The file being read.
        file: PathBuf,
        /// Its number, from 0.
        file_index: usize,
        /// How many files there are.
        files: usize,
        /// Bytes to read in all files, 0 if unknown.
        bytes_total: u64,
    },
    /// A round of training; the monitor's counter counts the bases passed over in this round.
    Training {
        /// The round, from 1.
        round: usize,
        /// Merges made so far.
        merges: usize,
        /// The number of merges to make.
        merges_wanted: usize,
        /// Bases in one pass.
        bases: u64,
    },
}

/// Shared between a worker and those who watch it.
#[derive(Debug)]
pub struct Monitor {
    cancelled: AtomicBool,
    bases: AtomicU64,
    bytes: AtomicU64,
    phase: Mutex<Phase>,
    /// Bytes of text in memory, and how many there may be; [`u64::MAX`] for any number.
    text: (AtomicU64, AtomicU64),
    /// Bytes that the process may hold; [`u64::MAX`] for any number.
    memory: AtomicU64,
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            cancelled: AtomicBool::default(),
            bases: AtomicU64::default(),
            bytes: AtomicU64::default(),
            phase: Mutex::default(),
            text: (AtomicU64::default(), AtomicU64::new(u64::MAX)),
            memory: AtomicU64::new(u64::MAX),
        }
    }
}

impl Monitor {
    /// Asks the work to stop; it ends with [`Error::Interrupted`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// For the worker: fails once the work was cancelled, or the process is about to hold more memory than it may.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Relaxed) {
            return Err(Error::Interrupted);
        }
        match self.memory.load(Relaxed) {
            u64::MAX => Ok(()),
            available => check_memory(available, AHEAD_BYTES),
        }
    }

    /// From now on [`check`](Self::check) compares what the process holds with this many bytes, if there is a limit. Fails
    /// if the work cannot even start, or if the system does not say what a process holds.
    pub fn limit_memory(&self, limit: Option<u64>) -> Result<()> {
        let Some(bytes) = limit else { return Ok(()) };
        if resident_bytes().is_none() {
            return Err(Error::argument(
                "memory",
                &bytes,
                "this system does not say what a process holds; leave it out",
            ));
        }
        self.memory.store(bytes, Relaxed);
        check_memory(bytes, AHEAD_BYTES)
    }

    /// For the worker: `bases` more were read or passed over.
    pub fn add_bases(&self, bases: u64) {
        self.bases.fetch_add(bases, Relaxed);
    }

    /// For the worker: `bytes` more of the input files were consumed.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// For the worker: the text that is read from now on may take this many bytes of memory.
    pub fn limit_text(&self, bytes: u64) {
        self.text.0.store(0, Relaxed);
        self.text.1.store(bytes, Relaxed);
    }

    /// For the worker: text in memory has grown by `bytes`. Fails once there is more than the limit.
    pub fn hold_text(&self, bytes: u64) -> Result<()> {
        let (held, limit) = (&self.text.0, self.text.1.load(Relaxed));
        let needed = held.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if needed <= limit {
            return Ok(());
        }
        let what = "memory in bytes for the text read so far; pack the genomes into shards, which are not held in it";
        Err(Error::Resource { what, needed, available: limit })
    }

    /// For the worker: starts a phase. A new round counts bases from 0, a new file does not.
    pub fn enter(&self, phase: Phase) {
        if matches!(phase, Phase::Training { .. }) {
            self.bases.store(0, Relaxed);
        }
        *self.phase() = phase;
    }

    /// The phase, the bases counted in it, and the bytes read so far; each is exact by itself, not all at one moment.
    pub fn look(&self) -> (Phase, u64, u64) {
        (self.phase().clone(), self.bases.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Locks the phase. A thread that panicked with the lock held leaves a complete value.
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may be asked for from one check to the next: the ids of a batch, or a list that grows.
const AHEAD_BYTES: u64 = 64 << 20;

/// Fails unless the process may hold `ahead` bytes more than it does, of the `available` ones.
pub fn check_memory(available: u64, ahead: u64) -> Result<()> {
    let needed = resident_bytes().unwrap_or(0).saturating_add(ahead);
    if needed <= available {
        return Ok(());
    }
    let what = "memory in bytes; cut long records into windows, take smaller batches, or allow more";
    Err(Error::Resource { what, needed, available })
}

/// Bytes of memory that the process holds; none if the system does not say.
fn resident_bytes() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = told.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix("kB")?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_limit_on_memory_is_compared_with_what_the_process_holds() {
        let held = resident_bytes().unwrap();
        assert!(held > 1 << 20);
        let monitor = Monitor::default();
        monitor.limit_memory(Some(held + (1 << 30))).unwrap();
        monitor.check().unwrap();
        let block = std::hint::black_box(vec![1_u8; 1 << 30]);
        assert!(matches!(monitor.check(), Err(Error::Resource { needed, .. }) if needed > held + (1 << 30)));
        drop(block);
        assert!(matches!(Monitor::default().limit_memory(Some(held / 2)), Err(Error::Resource { .. })));
    }
}
