//! Unpacking ahead of the reader, in a thread of its own.
//!
//! A [`Runner`] unpacks chunk after chunk and sends them through a channel of fixed length; used chunks come back and are
//! filled again. The reader holds the other end, [`Ahead`]. The runner's last message returns the source, whether it is at
//! its end, damaged, or in BGZF blocks, which the reader's pool unpacks in parallel.
//!
//! Nobody waits for a thread to end. A runner whose reader is gone ends at the next chunk; one that waits for a pipe holds
//! it open until something arrives. A runner that ends without its last message is an error, not an end of the file.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::chunk::Chunk;
use super::formats::Fault;
use super::members::Members;

/// Chunks that wait for the reader of a single file, at most. One more is being filled, and one is read.
const WAITING_CHUNKS: usize = 3;

/// The reader's end.
pub(super) struct Ahead {
    filled: Receiver<Message>,
    empty: Sender<Chunk>,
    /// Tells the runner that the reader has come to this file.
    arrived: Arc<AtomicBool>,
}

/// The thread's end.
pub(crate) struct Runner {
    members: Box<Members>,
    filled: SyncSender<Message>,
    empty: Receiver<Chunk>,
    arrived: Arc<AtomicBool>,
}

enum Message {
    Content(Chunk),
    Last(Box<Members>, Chunk, Result<bool, Fault>),
}

/// What comes next, besides the content of a chunk.
pub(super) enum Next {
    /// More content will come.
    More,
    /// The source is returned, with the outcome of its last chunk; see [`Members::next`].
    Last(Box<Members>, Result<bool, Fault>),
}

impl Ahead {
    /// Both ends for a source. `waiting` chunks are filled ahead of the reader, at most, and one more.
    pub(super) fn new(members: Box<Members>, waiting: usize) -> (Self, Runner) {
        let ((filled, chunks), (empty, used)) = (sync_channel(waiting), channel());
        let arrived = Arc::new(AtomicBool::new(false));
        let reader = Self { filled: chunks, empty, arrived: Arc::clone(&arrived) };
        (reader, Runner { members, filled, empty: used, arrived })
    }

    /// Starts a thread that unpacks the rest of `members`; returns them if the system has no thread left.
    pub(super) fn start(members: Box<Members>) -> Result<Self, Box<Members>> {
        // The thread takes the runner from a channel, since a thread that does not start would keep it.
        let (hand_over, hand) = channel::<Runner>();
        let name = "genotok-unpack".to_owned();
        let started = thread::Builder::new().name(name).spawn(move || hand.recv().map_or(0, Runner::run));
        if started.is_err() {
            return Err(members);
        }
        let (ahead, runner) = Self::new(members, WAITING_CHUNKS);
        ahead.arrive();
        // The receiver lives as long as the thread waits for this.
        hand_over.send(runner).ok();
        Ok(ahead)
    }

    /// Tells the runner that the file is being read, so that the pool may unpack its blocks.
    pub(super) fn arrive(&self) {
        self.arrived.store(true, Relaxed);
    }

    /// Exchanges `chunk`, which is used up, for the next; waits for it.
    pub(super) fn next(&self, chunk: &mut Chunk) -> Result<Next, Fault> {
        let gone = |_| Fault::Io(io::Error::other("the thread that unpacks it ended unexpectedly"));
        match self.filled.recv().map_err(gone)? {
            Message::Content(next) => {
                // A runner that has ended needs no chunks.
                self.empty.send(std::mem::replace(chunk, next)).ok();
                Ok(Next::More)
            }
            Message::Last(members, last, outcome) => {
                *chunk = last;
                Ok(Next::Last(members, outcome))
            }
        }
    }
}

impl Runner {
    /// Unpacks until the source is at its end, damaged, or in blocks while the reader is there; or the reader is gone.
    /// Returns how many bytes of memory then wait for the reader.
    pub(crate) fn run(self) -> usize {
        let Self { mut members, filled, empty, arrived } = self;
        members.spread = false;
        let mut sent = 0_usize;
        loop {
            let used = empty.try_recv().ok();
            sent = sent.saturating_sub(used.as_ref().map_or(0, Chunk::memory_bytes));
            let mut chunk = used.unwrap_or_else(Chunk::none);
            let more = members.next(&mut chunk);
            let hands_back = members.in_blocks() && arrived.load(Relaxed);
            if !matches!(more, Ok(true)) || hands_back {
                if matches!(more, Ok(false)) {
                    members.release();
                }
                chunk.shrink();
                sent += chunk.memory_bytes() + members.memory_bytes();
                filled.send(Message::Last(members, chunk, more)).ok();
                return sent;
            }
            sent += chunk.memory_bytes();
            if filled.send(Message::Content(chunk)).is_err() {
                return 0;
            }
        }
    }
}
