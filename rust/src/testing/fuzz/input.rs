//! How the bytes of an input are read.

use std::io::{self, Read};

/// Takes bytes from the front of an input, to choose sizes and options; zeros when none are left.
pub(super) struct Knobs<'a>(pub(super) &'a [u8]);

impl<'a> Knobs<'a> {
    pub(super) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A number from 1 on, small ones for small bytes, up to 16,129.
    pub(super) fn size(&mut self) -> usize {
        let byte = usize::from(self.byte());
        if byte < 128 { byte + 1 } else { (byte - 127) * (byte - 127) }
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Up to `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let (part, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        part
    }
}

/// Gives its bytes in portions of a size.
pub(super) struct Portions {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
}

impl Portions {
    pub(super) fn new(bytes: &[u8], size: usize) -> Self {
        Self { bytes: bytes.to_vec(), at: 0, size }
    }
}

impl Read for Portions {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.size.min(out.len()).min(self.bytes.len() - self.at);
        out[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
