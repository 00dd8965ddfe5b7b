//! Interruptible work: it stops at Ctrl-C, and when the progress callback raises.
//!
//! The core works in a thread of its own. The calling thread waits without the interpreter's lock, takes it ten or
//! twenty times a second, lets Python handle signals, and calls the progress callback. So a signal
//! handler and the callback run where Python expects them, and no worker ever waits for Python.
//!
//! If either raises, the work is cancelled and given a moment to end: it notices within some milliseconds, and writes
//! its checkpoint. Where it cannot notice, as in opening a pipe that nobody writes to, it is left alone: it holds nothing
//! of Python's, and ends as soon as the system lets it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use genotok_core::error::Error;
use genotok_core::monitor::{self, Monitor, Phase};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::Number;
use crate::errors::{exception, internal};

/// How often signals are looked for.
pub(crate) const TICK: Duration = Duration::from_millis(50);
/// How often the callback is called at most.
const BETWEEN_EVENTS: Duration = Duration::from_millis(100);
/// How long cancelled work may take to end.
const PATIENCE: Duration = Duration::from_millis(700);

type Outcome<T> = thread::Result<Result<T, Error>>;

/// How work is watched.
pub(crate) struct Watched {
    /// Called with the state of the work.
    pub(crate) progress: Option<Py<PyAny>>,
    /// Bytes that the process may hold.
    pub(crate) memory: Option<u64>,
}

impl Watched {
    /// Does `work` as [`watch`] does; more memory than allowed is an error.
    pub(crate) fn watch<T: Send + 'static>(
        self,
        py: Python<'_>,
        work: impl FnOnce(&Monitor) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        watch(py, self.progress, move |monitor| {
            monitor.limit_memory(self.memory)?;
            work(monitor)
        })
    }
}

/// Fails unless the process may hold `ahead` bytes more than it does, of `available` ones.
#[pyfunction]
pub(crate) fn check_memory(available: Number, ahead: Number) -> PyResult<()> {
    let (available, ahead) = (available.fit("memory", 1)?, ahead.fit("ahead", 0)?);
    monitor::check_memory(available, ahead).map_err(exception)
}

/// Does `work` in a thread and waits for it. An exception of the callback or of a signal handler stops it.
pub(crate) fn watch<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Monitor) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    watch_for(py, progress, PATIENCE, work)
}

/// The same for work that looks at no monitor: it is not waited for after an interrupt.
pub(crate) fn watch_blind<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    watch_for(py, None, Duration::ZERO, |_| work())
}

fn watch_for<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    patience: Duration,
    work: impl FnOnce(&Monitor) -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    let monitor = Arc::new(Monitor::default());
    let (sender, mut outcome) = channel();
    let worker = Arc::clone(&monitor);
    let run = move || {
        let done = catch_unwind(AssertUnwindSafe(|| work(&worker)));
        sender.send(done).ok(); // nobody waits any more after an interrupt
    };
    thread::Builder::new().name("genotok".to_owned()).spawn(run)?;
    let mut reporter = progress.map(Reporter::new);
    loop {
        if let Some(outcome) = wait(py, &mut outcome, TICK) {
            return finish(outcome);
        }
        let looked = py.check_signals().and_then(|()| match &mut reporter {
            Some(reporter) => reporter.report(py, &monitor),
            None => Ok(()),
        });
        if let Err(raised) = looked {
            monitor.cancel();
            wait(py, &mut outcome, patience);
            return Err(raised);
        }
    }
}

/// Waits without the lock; `None` if there is no outcome yet.
fn wait<T: Send>(py: Python<'_>, outcome: &mut Receiver<Outcome<T>>, time: Duration) -> Option<Outcome<T>> {
    match py.detach(move || outcome.recv_timeout(time)) {
        Ok(outcome) => Some(outcome),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Err(Box::new("the worker vanished"))),
    }
}

fn finish<T>(outcome: Outcome<T>) -> PyResult<T> {
    outcome.map_err(|panic| internal(panic.as_ref()))?.map_err(exception)
}

/// Calls the progress callback, not too often.
pub(crate) struct Reporter {
    callback: Py<PyAny>,
    last: Instant,
}

impl Reporter {
    pub(crate) fn new(callback: Py<PyAny>) -> Self {
        Self { callback, last: Instant::now() }
    }

    pub(crate) fn report(&mut self, py: Python<'_>, monitor: &Monitor) -> PyResult<()> {
        if self.last.elapsed() < BETWEEN_EVENTS {
            return Ok(());
        }
        self.last = Instant::now();
        match event(py, monitor)? {
            Some(event) => self.callback.call1(py, (event,)).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// Where the work is, as a dictionary; nothing before it has begun.
fn event<'py>(py: Python<'py>, monitor: &Monitor) -> PyResult<Option<Bound<'py, PyDict>>> {
    let (phase, done, bytes) = monitor.look();
    let event = PyDict::new(py);
    match phase {
        Phase::Starting => return Ok(None),
        Phase::Reading { file, file_index, files, bytes_total } => {
            event.set_item("phase", "reading")?;
            event.set_item("file", file.into_os_string())?;
            event.set_item("file_index", file_index)?;
            event.set_item("files", files)?;
            event.set_item("bytes", bytes)?;
            event.set_item("bytes_total", bytes_total)?;
            event.set_item("bases", done)?;
        }
        Phase::Training { round, merges, merges_wanted, bases } => {
            event.set_item("phase", "training")?;
            event.set_item("round", round)?;
            event.set_item("merges", merges)?;
            event.set_item("merges_wanted", merges_wanted)?;
            event.set_item("bases_done", done)?;
            event.set_item("bases", bases)?;
        }
    }
    Ok(Some(event))
}
