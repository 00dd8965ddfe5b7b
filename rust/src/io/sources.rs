//! Several files as streams of plain bytes, in order, the next ones opened and unpacked while one is read.
//!
//! [`Sources`] is an iterator over the files' streams. The first file is opened by the thread that asks for it, and so is
//! every other as long as none is compressed: a plain file needs no unpacking. From the first compressed file on, threads
//! take the files after it in order, open them, and unpack them into chunks that wait for the reader.
//!
//! - The streams come in the order of the paths, and so do the errors of opening them; an error within a file is returned
//!   by its stream, after the content before it. A file after an error is read like any other.
//! - Standard input (`-`), pipes and other files that are not regular are opened in their turn, by the reading thread.
//! - The file that is read goes on whatever the others do. Files are started in order and each has chunks of its own, so
//!   no file waits for memory that a later one holds.
//! - When the reader comes to a BGZF file that is being unpacked, the thread returns it, and the rest is unpacked by the
//!   reader's rayon pool.
//!
//! # Memory
//!
//! What waits for the reader is bounded by `budget`, and by [`MAX_AHEAD`] files. A file that is being unpacked counts with
//! all chunks that it may have; one that is done, with the content that it has; a plain one, with its first buffer. To that
//! comes what the file that is read may have. The smallest budget with effect is [`MIN_BUDGET`] per thread.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Error, Result};
use crate::io::decompress::{CHUNK_BYTES, InputStream, STREAM_BYTES};
use crate::io::input_sum::SharedSum;

/// Files that are opened ahead of the reader, at most.
const MAX_AHEAD: usize = 64;
/// Bytes per thread below which files are not unpacked ahead.
const MIN_BUDGET: usize = STREAM_BYTES + 2 * CHUNK_BYTES;

/// A file that is open.
pub(crate) struct SourceFile {
    /// Its content, unpacked.
    pub(crate) stream: InputStream,
    /// Of a plain file, a second handle, for reading at any place. Its position is that of the stream.
    pub(crate) file: Option<File>,
    /// How the bytes of the file are summed.
    pub(crate) sum: Summing,
}

/// How the bytes of a file are summed while they are read.
pub(crate) enum Summing {
    /// Not at all, or it is not a regular file.
    Off,
    /// By who reads the plain text.
    ByReader,
    /// By who unpacks it.
    ByStream(SharedSum),
}

/// Opens a file; `-` is standard input. Fails if the file cannot be read, is a directory, or is in a format that is
/// refused. With `is_summed` the bytes of a regular file are summed.
pub(crate) fn open(path: &Path, is_summed: bool) -> Result<SourceFile> {
    if path == Path::new("-") {
        let stream = InputStream::new(Box::new(std::io::stdin())).map_err(|fault| fault.at(path))?;
        return Ok(SourceFile { stream, file: None, sum: Summing::Off });
    }
    if path.is_dir() {
        let glob = path.join("*");
        return Err(Error::file(path, format!("is a directory; give its files: {}", glob.display())));
    }
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let again = if is_file { file.try_clone().ok() } else { None };
    let mut stream = InputStream::new(Box::new(file)).map_err(|fault| fault.at(path))?;
    let sum = if is_summed && is_file {
        stream.sum_source().map_or(Summing::ByReader, Summing::ByStream)
    } else {
        Summing::Off
    };
    let file = again.filter(|_| !stream.is_compressed());
    Ok(SourceFile { stream, file, sum })
}

/// The streams of files, in order.
pub(crate) struct Sources {
    shared: Arc<Shared>,
    /// The file that comes next.
    next: usize,
    threads: usize,
    /// Whether there are threads that open files ahead.
    started: bool,
}

/// What the reader and the threads share.
struct Shared {
    paths: Vec<PathBuf>,
    /// Whether their bytes are summed.
    is_summed: bool,
    budget: usize,
    /// Chunks of one file that wait, at most.
    waiting: usize,
    state: Mutex<State>,
    /// Something changed that a thread or the reader may wait for.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Files that the reader has asked for.
    read: usize,
    /// The next file that a thread may take.
    next: usize,
    /// The files from `read` to `next`.
    ahead: VecDeque<Slot>,
    /// Bytes that files from `read` on hold.
    held: usize,
    /// Whether the reader is gone.
    ended: bool,
}

/// A file that a thread has taken or left to the reader.
struct Slot {
    opened: Opened,
    /// Bytes that it holds, or may come to hold.
    held: usize,
}

enum Opened {
    /// The reader opens it in its turn.
    InTurn,
    /// A thread is opening it.
    Opening,
    /// A thread has opened it, and may be unpacking it.
    Open(Result<SourceFile>),
}

impl Sources {
    /// The streams of `paths`. At most `threads` threads unpack ahead, and `budget` bytes wait for the reader.
    pub(crate) fn new(paths: Vec<PathBuf>, is_summed: bool, threads: usize, budget: usize) -> Self {
        let chunks = (budget / threads.max(1)).saturating_sub(STREAM_BYTES) / CHUNK_BYTES;
        let shared = Shared {
            paths,
            is_summed,
            budget,
            waiting: chunks.saturating_sub(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let threads = if budget / threads.max(1) < MIN_BUDGET { 0 } else { threads };
        Self { shared: Arc::new(shared), next: 0, threads, started: false }
    }

    /// The streams of `paths`, unpacked ahead by as many threads as the current rayon pool has, if it has several. 32 MiB
    /// per thread wait for the reader, and at most 512 MiB, or [`MIN_BUDGET`] per thread if that is more.
    pub(crate) fn for_pool(paths: Vec<PathBuf>, is_summed: bool) -> Self {
        let threads = if paths.len() > 1 { rayon::current_num_threads() } else { 1 };
        let threads = if threads > 1 { threads } else { 0 };
        Self::new(paths, is_summed, threads, (threads * (32 << 20)).min(512 << 20).max(threads * MIN_BUDGET))
    }

    /// Starts the threads, at the file that comes next. Where the system has no threads left there are fewer.
    fn start(&mut self) {
        self.started = true;
        let mut state = self.shared.lock();
        (state.read, state.next) = (self.next, self.next);
        drop(state);
        for _ in 0..self.threads.min(self.shared.paths.len() - self.next) {
            let shared = Arc::clone(&self.shared);
            let name = "genotok-files".to_owned();
            thread::Builder::new().name(name).spawn(move || while shared.unpack_next() {}).ok();
        }
    }

    /// The stream of a file that threads may have opened.
    fn take_opened(&self, index: usize) -> Result<SourceFile> {
        let opened = self.shared.take(index);
        let source = opened.unwrap_or_else(|| open(&self.shared.paths[index], self.shared.is_summed));
        if let Ok(source) = &source {
            source.stream.arrive();
        }
        source
    }
}

impl Iterator for Sources {
    type Item = Result<SourceFile>;

    fn next(&mut self) -> Option<Result<SourceFile>> {
        let index = self.next;
        let path = self.shared.paths.get(index)?;
        self.next += 1;
        if self.started {
            return Some(self.take_opened(index));
        }
        let source = open(path, self.shared.is_summed);
        if source.as_ref().is_ok_and(|source| source.stream.is_compressed()) && self.threads > 0 {
            self.start();
        }
        Some(source)
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        // Threads that wait for the reader of these end now.
        let ahead = std::mem::take(&mut state.ahead);
        drop(state);
        drop(ahead);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// The state. No thread panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the reader file `index`, once it is open; none if the reader opens it.
    fn take(&self, index: usize) -> Option<Result<SourceFile>> {
        let mut state = self.lock();
        while let Some(Slot { opened: Opened::Opening, .. }) = state.ahead.front() {
            state = self.wait(state);
        }
        let slot = state.ahead.pop_front();
        state.read = index + 1;
        state.next = state.next.max(index + 1);
        state.held -= slot.as_ref().map_or(0, |slot| slot.held);
        drop(state);
        self.changed.notify_all();
        match slot?.opened {
            Opened::Open(stream) => Some(stream),
            Opened::InTurn | Opened::Opening => None,
        }
    }

    /// What a thread does: takes the next file, opens it and unpacks it; false if there is no more to do.
    fn unpack_next(&self) -> bool {
        let Some(index) = self.claim() else { return false };
        let may_hold = STREAM_BYTES + (self.waiting + 1) * CHUNK_BYTES;
        let mut opening = OpeningGuard { shared: self, index, result: None };
        let mut source = open(&self.paths[index], self.is_summed);
        let runner = source.as_mut().ok().and_then(|source| source.stream.unpack_ahead(self.waiting));
        opening.result = Some((source, if runner.is_some() { may_hold } else { STREAM_BYTES }));
        drop(opening);
        if let Some(runner) = runner {
            let holds = runner.run();
            self.update(index, |slot| slot.held = holds);
        }
        true
    }

    /// The next file for a thread, once the budget allows it; none if there is none, or the reader is gone.
    fn claim(&self) -> Option<usize> {
        let may_hold = STREAM_BYTES + (self.waiting + 1) * CHUNK_BYTES;
        let mut state = self.lock();
        loop {
            if state.ended || state.next >= self.paths.len() {
                return None;
            }
            if state.ahead.len() >= MAX_AHEAD || state.held + may_hold > self.budget {
                state = self.wait(state);
                continue;
            }
            let index = state.next;
            state.next += 1;
            let path = &self.paths[index];
            // The system is asked while the lock is held: it takes a microsecond, and keeps the files in order.
            let is_regular = path != Path::new("-") && path.is_file();
            let (opened, held) = if is_regular { (Opened::Opening, may_hold) } else { (Opened::InTurn, 0) };
            state.held += held;
            state.ahead.push_back(Slot { opened, held });
            if is_regular {
                return Some(index);
            }
            self.changed.notify_all();
        }
    }

    /// Changes the slot of a file, unless the reader has taken it.
    fn update(&self, index: usize, change: impl FnOnce(&mut Slot)) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(slot) = index.checked_sub(state.read).and_then(|at| state.ahead.get_mut(at)) {
            state.held -= slot.held;
            change(slot);
            state.held += slot.held;
        }
        drop(guard);
        self.changed.notify_all();
    }
}

/// Tells the reader that a file is open, or that the thread that was to open it ended.
struct OpeningGuard<'a> {
    shared: &'a Shared,
    index: usize,
    result: Option<(Result<SourceFile>, usize)>,
}

impl Drop for OpeningGuard<'_> {
    fn drop(&mut self) {
        let (stream, held) = match self.result.take() {
            Some((stream, held)) => (Opened::Open(stream), held),
            None => (Opened::InTurn, 0),
        };
        self.shared.update(self.index, |slot| *slot = Slot { opened: stream, held });
    }
}

#[cfg(test)]
mod tests;
