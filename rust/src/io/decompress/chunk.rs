//! A chunk of unpacked content, in memory that is used again.
//!
//! ```text
//! | WINDOW bytes, for what a decoder looks back to | content: start..end | free |
//! ```
//!
//! Content never moves: a decoder writes it into a chunk, threads hand the chunk on, and the reader copies from it.

use crate::io::memory::Buffer;

/// Bytes that a gzip decoder looks back to, at most.
pub(super) const WINDOW: usize = 32 << 10;
/// Bytes of content in a chunk, at most. It fits into the L2 cache of most CPU cores.
pub(crate) const CHUNK_BYTES: usize = 512 << 10;

/// What one step of a decoder did: bytes taken from the input, bytes added to the chunk, and whether the member ended
/// with them. Neither taken nor written, and not ended, means that it waits for input that does not come.
pub(super) struct DecoderStep {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) ended: bool,
}

/// Content, and how much of the source had been read when it was complete.
pub(super) struct Chunk {
    memory: Buffer,
    start: usize,
    end: usize,
    pub(super) bytes_read: u64,
}

impl Chunk {
    /// An empty chunk for `bytes` bytes of content.
    pub(super) fn of(bytes: usize) -> Self {
        Self { memory: Buffer::of(WINDOW + bytes), start: WINDOW, end: WINDOW, bytes_read: 0 }
    }

    /// A chunk without memory.
    pub(super) fn none() -> Self {
        Self { memory: Buffer::of(0), start: 0, end: 0, bytes_read: 0 }
    }

    /// Drops the content, and makes sure that `bytes` bytes fit.
    pub(super) fn prepare(&mut self, bytes: usize) {
        if self.capacity() != bytes {
            self.memory = Buffer::of(WINDOW + bytes);
        }
        (self.start, self.end) = (WINDOW, WINDOW);
    }

    /// Bytes of memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.len()
    }

    /// Bytes of content that fit.
    fn capacity(&self) -> usize {
        self.memory.len().saturating_sub(WINDOW)
    }

    /// The number of bytes of content that are not taken.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Where in the memory the content ends.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Whether no more content fits.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.memory.len()
    }

    /// All of the memory, for a decoder that looks back.
    pub(super) fn memory(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// The memory after the content.
    pub(super) fn free(&mut self) -> &mut [u8] {
        &mut self.memory[self.end..]
    }

    /// Adds the first `count` bytes of the free memory to the content.
    pub(super) fn grow(&mut self, count: usize) {
        self.end += count;
    }

    /// Moves content to the front of `out` and returns its length.
    pub(super) fn take(&mut self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.len());
        out[..count].copy_from_slice(&self.memory[self.start..self.start + count]);
        self.start += count;
        count
    }

    /// Moves the content into memory of its own size, if that saves most of it.
    pub(super) fn shrink(&mut self) {
        if self.len() < self.capacity() / 4 {
            let mut small = Self::of(self.len());
            small.bytes_read = self.bytes_read;
            let count = self.take(small.free());
            small.grow(count);
            *self = small;
        }
    }
}
