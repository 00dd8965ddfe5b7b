//! BGZF: a gzip file of small blocks, unpacked in parallel.
//!
//! Each block is a gzip member of at most 64 KiB whose extra field tells its compressed length, and whose last four bytes
//! tell the length of its content. So blocks can be framed without unpacking them, and each is unpacked by one call into
//! its place in a chunk. A [`Group`] is as many blocks as fill a chunk.
//!
//! # Who unpacks
//!
//! The reading thread frames groups ahead of the one it returns, twice as many as the current rayon pool has threads, and
//! offers each to the pool. It returns them in the order of the file. A group that no thread of the pool has started is
//! unpacked by the reading thread itself; while another thread unpacks the next group, it unpacks a later one. It waits
//! only for a thread that is unpacking, never for one that has not started: a pool of one thread, or one that is busy,
//! cannot block it. Groups of a stream that is dropped are withdrawn from the pool.

use std::collections::VecDeque;
use std::mem::{replace, swap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sirocco::inflate::Decoder;

use super::chunk::{CHUNK_BYTES, Chunk};
use super::feed::Feed;
use super::formats::{CUT_SHORT, Fault, HEADER_BYTES};
use super::gzip;

/// Longest content of a BGZF block.
const BLOCK_BYTES: usize = 64 << 10;
/// Shortest gzip member: a header, and a trailer of eight bytes.
const MEMBER_BYTES: usize = HEADER_BYTES + 8;

/// The compressed length, header included, of the BGZF block that starts with `head`; none if it is not one. Needs
/// [`HEADER_BYTES`] bytes.
pub(super) fn block_length(head: &[u8]) -> Option<usize> {
    match head {
        [0x1f, 0x8b, 8, 4, _, _, _, _, _, _, 6, 0, b'B', b'C', 2, 0, low, high, ..] => {
            Some(usize::from(u16::from_le_bytes([*low, *high])) + 1)
        }
        _ => None,
    }
}

/// The blocks of a file, from one on: groups in the order of the file, those at the front unpacked or being unpacked.
pub(super) struct Blocks {
    groups: VecDeque<Arc<Group>>,
    spare: Vec<Work>,
    /// Why no more groups are framed, once that is so: the blocks are over, or a fault, which is returned after their
    /// content.
    framed_all: Option<Result<(), Fault>>,
    /// Whether the block last framed is empty, as the end marker is. An empty block in the middle of a file is legal.
    marked: bool,
}

/// Some blocks that one thread unpacks.
struct Group {
    state: Mutex<GroupState>,
    done: Condvar,
}

enum GroupState {
    Waiting(Work),
    Running,
    Done(Work),
    Taken,
}

/// The bytes of the blocks in the file, one after another, and their content.
struct Work {
    packed: Vec<u8>,
    /// The lengths of each block, packed and unpacked.
    lengths: Vec<(usize, usize)>,
    chunk: Chunk,
    inflate: Box<Decoder>,
    /// Of all content: no block before a damaged one is lost.
    outcome: Result<(), &'static str>,
}

impl Blocks {
    /// The blocks that start at the next byte.
    pub(super) fn new() -> Self {
        Self { groups: VecDeque::new(), spare: Vec::new(), framed_all: None, marked: false }
    }

    /// Whether the last block of all is empty.
    pub(super) fn ends_with_marker(&self) -> bool {
        self.marked
    }

    /// Puts the next content into `chunk`; false if there are no more blocks. An error may come with content, which is
    /// before it. With `spread`, the current rayon pool helps.
    pub(super) fn next(&mut self, feed: &mut Feed, chunk: &mut Chunk, spread: bool) -> Result<bool, Fault> {
        let threads = if spread { rayon::current_num_threads() } else { 1 };
        self.frame_ahead(feed, if threads > 1 { 2 * threads } else { 1 });
        let Some(group) = self.groups.pop_front() else {
            return self.framed_all.take().unwrap_or(Ok(())).map(|()| false);
        };
        let mut work = self.finish(&group);
        swap(chunk, &mut work.chunk);
        let outcome = work.outcome;
        self.spare.push(work);
        outcome.map(|()| true).map_err(Fault::damaged)
    }

    /// Frames groups until `count` are in the queue. All but the first are offered to the pool.
    fn frame_ahead(&mut self, feed: &mut Feed, count: usize) {
        while self.framed_all.is_none() && self.groups.len() < count {
            let mut work = self.spare.pop().unwrap_or_else(Work::new);
            match work.frame(feed) {
                Ok(0) => self.framed_all = Some(Ok(())),
                Ok(_) => {}
                Err(fault) => self.framed_all = Some(Err(fault)),
            }
            if let Some(&(_, content)) = work.lengths.last() {
                self.marked = content == 0;
                let group = Group { state: Mutex::new(GroupState::Waiting(work)), done: Condvar::new() };
                let group = Arc::new(group);
                if !self.groups.is_empty() {
                    let offered = Arc::clone(&group);
                    rayon::spawn(move || offered.run_if_waiting());
                }
                self.groups.push_back(group);
            }
        }
    }

    /// The unpacked content of `group`, the first of all that are left.
    fn finish(&self, group: &Group) -> Work {
        group.run_if_waiting();
        for later in &self.groups {
            if let Some(work) = group.take_done() {
                return work;
            }
            later.run_if_waiting();
        }
        group.wait()
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.groups.iter().for_each(|group| group.withdraw());
    }
}

impl Group {
    /// The state. No thread panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unpacks the blocks, unless another thread has started or the group is withdrawn.
    fn run_if_waiting(&self) {
        let mut state = self.lock();
        if !matches!(*state, GroupState::Waiting(_)) {
            return;
        }
        let GroupState::Waiting(mut work) = replace(&mut *state, GroupState::Running) else { return };
        drop(state);
        work.unpack();
        *self.lock() = GroupState::Done(work);
        self.done.notify_one();
    }

    /// The content, if it is unpacked.
    fn take_done(&self) -> Option<Work> {
        let mut state = self.lock();
        if !matches!(*state, GroupState::Done(_)) {
            return None;
        }
        match replace(&mut *state, GroupState::Taken) {
            GroupState::Done(work) => Some(work),
            _ => None,
        }
    }

    /// The content, once the thread that is unpacking it is done.
    fn wait(&self) -> Work {
        let mut state = self.lock();
        loop {
            match replace(&mut *state, GroupState::Running) {
                GroupState::Done(work) => return work,
                other => *state = other,
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets no thread start any more.
    fn withdraw(&self) {
        let mut state = self.lock();
        if matches!(*state, GroupState::Waiting(_)) {
            *state = GroupState::Taken;
        }
    }
}

impl Work {
    fn new() -> Self {
        Self {
            packed: Vec::new(),
            lengths: Vec::new(),
            chunk: Chunk::none(),
            inflate: gzip::decoder(),
            outcome: Ok(()),
        }
    }

    /// Takes the next blocks from the source, as many as fill a chunk, and returns their number; 0 if the source ends or
    /// something else follows. Fails if the source ends inside a block; the blocks before it are kept.
    fn frame(&mut self, feed: &mut Feed) -> Result<usize, Fault> {
        self.packed.clear();
        self.lengths.clear();
        let mut total = 0;
        loop {
            feed.ensure(HEADER_BYTES)?;
            let Some(length) = block_length(feed.bytes()) else { break };
            if feed.ensure(length)? < length {
                return Err(Fault::damaged(CUT_SHORT));
            }
            let block = &feed.bytes()[..length];
            let content = content_length(block);
            if total + content > CHUNK_BYTES {
                break;
            }
            total += content;
            self.packed.extend_from_slice(block);
            self.lengths.push((length, content));
            feed.consume(length);
            self.chunk.bytes_read = feed.bytes_read();
        }
        Ok(self.lengths.len())
    }

    /// Unpacks the blocks, up to the first that is damaged.
    fn unpack(&mut self) {
        self.chunk.prepare(CHUNK_BYTES);
        let mut packed = &self.packed[..];
        self.outcome = self.lengths.iter().try_for_each(|&(length, content)| {
            let (block, rest) = packed.split_at(length);
            packed = rest;
            gzip::unpack_whole(&mut self.inflate, block, &mut self.chunk.free()[..content])?;
            self.chunk.grow(content);
            Ok(())
        });
    }
}

/// The length of a block's content, as its last bytes tell. A block that tells more than the format allows is damaged; that
/// shows when it does not fit into what is allowed.
fn content_length(block: &[u8]) -> usize {
    match block {
        [.., a, b, c, d] if block.len() >= MEMBER_BYTES => {
            usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES)
        }
        _ => 0,
    }
}
