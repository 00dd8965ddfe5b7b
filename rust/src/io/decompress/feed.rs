//! Compressed bytes, read ahead far enough to tell what they are.
//!
//! The buffer holds one window of the source: `buffer[start..end]` are the bytes that are read and not yet consumed, and
//! `bytes_read` counts all that ever left the source, consumed or not. [`Feed::ensure`] moves the window to the front
//! before it reads, so a caller sees up to [`FEED_BYTES`] contiguous bytes; a header (18 bytes) or a BGZF block (64 KiB)
//! never straddles two reads.

use std::io::{self, Read};

use super::formats::Fault;
use crate::io::input_sum::SharedSum;
use crate::io::memory::Buffer;

/// Bytes of compressed input read at a time.
pub(super) const FEED_BYTES: usize = 256 << 10;

/// A source and the bytes read ahead from it.
pub(super) struct Feed {
    source: Box<dyn Read + Send>,
    buffer: Buffer,
    start: usize,
    end: usize,
    bytes_read: u64,
    ended: bool,
    /// The sum of all bytes, if it is asked for.
    sum: Option<SharedSum>,
}

impl Feed {
    /// Reads nothing yet.
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: Buffer::of(FEED_BYTES),
            start: 0,
            end: 0,
            bytes_read: 0,
            ended: false,
            sum: None,
        }
    }

    /// Sums all bytes, those that were read among them. Nothing was consumed yet.
    pub(super) fn sum(&mut self) -> SharedSum {
        let sum = SharedSum::default();
        match self.bytes() {
            [] => {}
            bytes => sum.update(bytes),
        }
        if self.ended {
            sum.update(&[]);
        }
        self.sum = Some(sum.clone());
        sum
    }

    /// Bytes taken from the source so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The bytes read ahead; empty at the end of the source if [`ensure`](Self::ensure) was called before.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes of memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Closes the source, which is at its end, and gives the buffer back.
    pub(super) fn close(&mut self) {
        (self.source, self.buffer) = (Box::new(io::empty()), Buffer::of(0));
        (self.start, self.end, self.ended) = (0, 0, true);
    }

    /// Drops the first `count` of them.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads until `count` bytes are available or the source ends, and returns how many are; fewer than `count` mean the
    /// end. `count` is at most [`FEED_BYTES`]. Cost: the bytes still unread are moved if there are too few.
    pub(super) fn ensure(&mut self, count: usize) -> Result<usize, Fault> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < count && !self.ended {
                let got = read_some(&mut self.source, &mut self.buffer[self.end..])?;
                self.advance(got);
                self.sum.iter().for_each(|sum| sum.update(&self.buffer[self.end..self.end + got]));
                self.end += got;
            }
        }
        Ok(self.end - self.start)
    }

    /// Plain bytes: those read ahead first, then directly from the source into `out`, without a copy. 0 is the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let ahead = self.end - self.start;
        if ahead > 0 {
            let count = ahead.min(out.len());
            out[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
            self.start += count;
            return Ok(count);
        }
        if self.ended {
            return Ok(0);
        }
        let got = read_some(&mut self.source, out)?;
        self.advance(got);
        self.sum.iter().for_each(|sum| sum.update(&out[..got]));
        Ok(got)
    }

    /// Counts what a read got; a read of nothing is the end, after which the source is not read again (a terminal would wait).
    fn advance(&mut self, got: usize) {
        self.bytes_read += got as u64;
        self.ended = got == 0;
    }
}

/// One read, again if a signal interrupted it.
fn read_some(source: &mut impl Read, out: &mut [u8]) -> Result<usize, Fault> {
    loop {
        match source.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(Fault::Io),
        }
    }
}
