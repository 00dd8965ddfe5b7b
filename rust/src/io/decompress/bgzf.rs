//! BGZF: a gzip file of small blocks, unpacked in parallel.
//!
//! Each block is a gzip member of at most 64 KiB whose extra field tells its compressed length, so that blocks can be
//! framed without unpacking them. A [`Batch`] frames up to [`BATCH_BLOCKS`] of them, unpacks them on the current rayon
//! pool, each into another buffer, and returns the contents in the order of the file. Memory: 32 blocks of 128 KiB
//! and their decoders, kept from batch to batch.

use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;

use super::decoder::narrow;
use super::feed::Feed;
use super::formats::{CUT_SHORT, DAMAGED, Fault, HEADER_BYTES};

/// BGZF blocks unpacked at a time.
const BATCH_BLOCKS: usize = 32;
/// Longest content of a BGZF block.
const BLOCK_BYTES: usize = 64 << 10;

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

/// Blocks that are unpacked in parallel and returned in order: `blocks[..filled]` are in use, and all content before byte
/// `offset` of block `current` is returned.
pub(super) struct Batch {
    /// Longer than `filled` after a short batch: buffers and decoders are reused.
    blocks: Vec<Block>,
    filled: usize,
    current: usize,
    offset: usize,
}

/// One block: its bytes in the file and its content.
struct Block {
    packed: Vec<u8>,
    /// Always [`BLOCK_BYTES`] long; the content is as much of its front as `outcome` tells.
    content: Vec<u8>,
    inflate: Decompress,
    /// The content's length, or why the block could not be unpacked. An error is returned in its turn, after the content
    /// of the blocks before it.
    outcome: Result<usize, &'static str>,
}

impl Batch {
    /// An empty batch, before the first blocks are read.
    pub(super) fn new() -> Self {
        Self { blocks: Vec::new(), filled: 0, current: 0, offset: 0 }
    }

    /// Whether the batch's last block is empty, as the end marker is. An empty block in the middle of a file is legal.
    pub(super) fn ends_with_marker(&self) -> bool {
        self.filled > 0 && self.blocks[self.filled - 1].outcome == Ok(0)
    }

    /// Reads and unpacks the next blocks; false if the source ends or something else follows. Fails if the source ends
    /// inside a block.
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

    /// Copies content to the front of `out` and returns its length; 0 when the batch is used up.
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
    /// Buffers and a decoder for one block.
    fn new() -> Self {
        Self {
            packed: Vec::new(),
            content: vec![0; BLOCK_BYTES],
            inflate: Decompress::new_gzip(15),
            outcome: Ok(0),
        }
    }

    /// Unpacks the block. It is good if its gzip member ends exactly where the block does: the decoder has then verified
    /// checksum and length, and nothing hides behind the member.
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
