//! BGZF: a gzip file of small blocks, unpacked side by side.

use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;

use super::decoder::narrow;
use super::feed::Feed;
use super::formats::{CUT_SHORT, DAMAGED, Fault, HEADER_BYTES};

/// BGZF blocks unpacked at a time.
const BATCH_BLOCKS: usize = 32;
/// Longest content of a BGZF block.
const BLOCK_BYTES: usize = 64 << 10;

/// The whole length of the BGZF block that begins with `head`, if it is one.
pub(super) fn block_length(head: &[u8]) -> Option<usize> {
    match head {
        [0x1f, 0x8b, 8, 4, _, _, _, _, _, _, 6, 0, b'B', b'C', 2, 0, low, high, ..] => {
            Some(usize::from(u16::from_le_bytes([*low, *high])) + 1)
        }
        _ => None,
    }
}

/// Some BGZF blocks, unpacked side by side and handed out in order.
pub(super) struct Batch {
    blocks: Vec<Block>,
    filled: usize,
    current: usize,
    offset: usize,
}

/// One block: as it is in the file, and its content.
struct Block {
    packed: Vec<u8>,
    content: Vec<u8>,
    inflate: Decompress,
    outcome: Result<usize, &'static str>,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { blocks: Vec::new(), filled: 0, current: 0, offset: 0 }
    }

    /// Whether the batch's last block is empty, as the end marker is.
    pub(super) fn ends_with_marker(&self) -> bool {
        self.filled > 0 && self.blocks[self.filled - 1].outcome == Ok(0)
    }

    /// Reads and unpacks the next blocks; false if none is next.
    pub(super) fn fill(&mut self, feed: &mut Feed) -> Result<bool, Fault> {
        (self.filled, self.current, self.offset) = (0, 0, 0);
        while self.filled < BATCH_BLOCKS {
            feed.ensure(HEADER_BYTES)?;
            let Some(length) = block_length(feed.bytes()) else { break };
            if feed.ensure(length)? < length {
                return Err(Fault::damaged(CUT_SHORT));
            }
            if self.filled == self.blocks.len() {
                self.blocks.push(Block::new());
            }
            let packed = &mut self.blocks[self.filled].packed;
            packed.clear();
            packed.extend_from_slice(&feed.bytes()[..length]);
            feed.consume(length);
            self.filled += 1;
        }
        self.blocks[..self.filled].par_iter_mut().for_each(Block::unpack);
        Ok(self.filled > 0)
    }

    /// Moves content to the front of `out`; 0 when the batch is used up.
    pub(super) fn take(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        while self.current < self.filled {
            let block = &self.blocks[self.current];
            let length = block.outcome.map_err(Fault::damaged)?;
            let count = out.len().min(length - self.offset);
            if count > 0 {
                out[..count].copy_from_slice(&block.content[self.offset..self.offset + count]);
                self.offset += count;
                return Ok(count);
            }
            (self.current, self.offset) = (self.current + 1, 0);
        }
        Ok(0)
    }
}

impl Block {
    fn new() -> Self {
        Self {
            packed: Vec::new(),
            content: vec![0; BLOCK_BYTES],
            inflate: Decompress::new_gzip(15),
            outcome: Ok(0),
        }
    }

    /// Unpacks and verifies; the outcome is the content's length.
    fn unpack(&mut self) {
        self.inflate = Decompress::new_gzip(15);
        let status = self.inflate.decompress(&self.packed, &mut self.content, FlushDecompress::Finish);
        let whole = self.inflate.total_in() == self.packed.len() as u64;
        self.outcome = match status {
            Ok(Status::StreamEnd) if whole => Ok(narrow(self.inflate.total_out())),
            _ => Err(DAMAGED),
        };
    }
}
