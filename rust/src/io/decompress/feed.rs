//! Reading ahead.

use std::io::{self, Read};

use super::formats::Fault;
use crate::io::memory::Buffer;

/// Bytes of compressed input read at a time.
const FEED_BYTES: usize = 256 << 10;

/// The source and the bytes read ahead from it.
pub(super) struct Feed {
    source: Box<dyn Read + Send>,
    buffer: Buffer,
    start: usize,
    end: usize,
    bytes_read: u64,
    ended: bool,
}

impl Feed {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, buffer: Buffer::of(FEED_BYTES), start: 0, end: 0, bytes_read: 0, ended: false }
    }

    /// Bytes taken from the source so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The bytes at hand.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads until `count` bytes are at hand (at most the buffer's length) or the source ends; says how many are.
    pub(super) fn ensure(&mut self, count: usize) -> Result<usize, Fault> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < count && !self.ended {
                let got = read_some(&mut self.source, &mut self.buffer[self.end..])?;
                self.advance(got);
                self.end += got;
            }
        }
        Ok(self.end - self.start)
    }

    /// Plain bytes: what is at hand first, then directly from the source.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let at_hand = self.end - self.start;
        if at_hand > 0 {
            let count = at_hand.min(out.len());
            out[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
            self.start += count;
            return Ok(count);
        }
        if self.ended {
            return Ok(0);
        }
        let got = read_some(&mut self.source, out)?;
        self.advance(got);
        Ok(got)
    }

    fn advance(&mut self, got: usize) {
        self.bytes_read += got as u64;
        self.ended = got == 0;
    }
}

fn read_some(source: &mut impl Read, out: &mut [u8]) -> Result<usize, Fault> {
    loop {
        match source.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(Fault::Io),
        }
    }
}
