//! The member loop: the content of a compressed source, member by member, chunk by chunk.
//!
//! [`Stage`] says where the next byte comes from: `Between` members, where what follows is decided and the end is verified,
//! or in a `Member` or in `Blocks`, where content is produced. Only `Between` may report the end, so no path leads from
//! inside a member to a successful end. Each turn of the loop in [`Members::next`] produces content, changes the stage, or
//! consumes input; a decoder that does neither is out of input (cut short) or stuck (damaged).

use super::bgzf::{self, Blocks};
use super::chunk::{CHUNK_BYTES, Chunk};
use super::decoder::Decoder;
use super::feed::Feed;
use super::formats::{CUT_SHORT, CompressionFormat, DAMAGED, Fault, HEADER_BYTES, UNMARKED};
use crate::io::input_sum::SharedSum;

/// The message for data after the last member.
const JOINED: &str = "something else follows the compressed data; the file is damaged, or files of different kinds were \
                      joined";

/// A compressed source, and how far it is unpacked.
pub(super) struct Members {
    feed: Feed,
    format: CompressionFormat,
    stage: Stage,
    /// Whether the member last finished was a BGZF block with content, so that the end marker is still missing.
    marker_missing: bool,
    /// Whether a missing end marker is accepted.
    marker_optional: bool,
    /// Whether the current rayon pool helps with BGZF blocks.
    pub(super) spread: bool,
    /// Bytes of content in a chunk.
    chunk_bytes: usize,
}

/// Where in the source the next byte comes from.
enum Stage {
    /// Before a member, or at the end.
    Between,
    /// Inside a member.
    Member(Decoder),
    /// Inside a row of BGZF blocks.
    Blocks(Blocks),
}

impl Members {
    /// A source of which nothing is unpacked.
    pub(super) fn new(feed: Feed, format: CompressionFormat, marker_optional: bool) -> Self {
        Self {
            feed,
            format,
            stage: Stage::Between,
            marker_missing: false,
            marker_optional,
            spread: true,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    /// The same with chunks of another size, so that tests cut content at every byte.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn with_chunks(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Sums the bytes of the source.
    pub(super) fn sum_source(&mut self) -> SharedSum {
        self.feed.sum()
    }

    /// At the verified end: closes the source and gives its buffer back.
    pub(super) fn release(&mut self) {
        self.feed.close();
    }

    /// Bytes of memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.feed.memory_bytes() + size_of::<Self>()
    }

    /// Whether the next byte comes from within BGZF blocks, which are unpacked in parallel.
    pub(super) fn in_blocks(&self) -> bool {
        matches!(self.stage, Stage::Blocks(_))
    }

    /// Whether the next byte comes from within a member that one thread unpacks.
    pub(super) fn in_member(&self) -> bool {
        matches!(self.stage, Stage::Member(_))
    }

    /// At the end: whether this is a BGZF file without its end marker, accepted as such.
    pub(super) fn is_unmarked(&self) -> bool {
        self.marker_missing
    }

    /// Replaces the content of `chunk` by the next of the source; false, without content, is the verified end. An error may
    /// come with content, which is before it.
    pub(super) fn next(&mut self, chunk: &mut Chunk) -> Result<bool, Fault> {
        chunk.prepare(self.chunk_bytes);
        let more = self.fill(chunk);
        if !self.in_blocks() {
            chunk.bytes_read = self.feed.bytes_read();
        }
        more
    }

    /// Fills an empty chunk, with as much content as is to be had without waiting for blocks.
    fn fill(&mut self, chunk: &mut Chunk) -> Result<bool, Fault> {
        loop {
            match &mut self.stage {
                Stage::Between => {
                    if !self.open_member()? {
                        return Ok(chunk.len() > 0);
                    }
                }
                Stage::Member(decoder) => {
                    if chunk.is_full() {
                        return Ok(true);
                    }
                    // A decoder may hold content back although it has taken all input, so it is asked even then.
                    let available = self.feed.ensure(1)?;
                    let step = decoder.step(self.feed.bytes(), chunk)?;
                    self.feed.consume(step.consumed);
                    if step.ended {
                        self.stage = Stage::Between;
                    } else if step.consumed == 0 && step.produced == 0 {
                        return Err(Fault::damaged(if available == 0 { CUT_SHORT } else { DAMAGED }));
                    }
                }
                Stage::Blocks(blocks) => {
                    if chunk.len() > 0 {
                        return Ok(true);
                    }
                    if blocks.next(&mut self.feed, chunk, self.spread)? {
                        if chunk.len() > 0 {
                            return Ok(true);
                        }
                    } else {
                        self.marker_missing = !blocks.ends_with_marker();
                        self.stage = Stage::Between;
                    }
                }
            }
        }
    }

    /// Decides what follows a member, or opens the first: another member, padding, or the end. False at the verified end.
    fn open_member(&mut self) -> Result<bool, Fault> {
        if self.feed.ensure(HEADER_BYTES)? == 0 {
            return self.check_end();
        }
        let head = self.feed.bytes();
        if head[0] == 0 && self.format != CompressionFormat::Zstd {
            return self.skip_padding();
        }
        if CompressionFormat::of(head) != self.format {
            let cut = self.format.magic().starts_with(head);
            return Err(Fault::damaged(if cut { CUT_SHORT } else { JOINED }));
        }
        self.stage = if bgzf::block_length(head).is_some() {
            Stage::Blocks(Blocks::new())
        } else {
            self.marker_missing = false;
            Stage::Member(Decoder::new(self.format, head)?)
        };
        Ok(true)
    }

    /// Skips zero bytes after a member. They must reach to the end; for xz, another member may follow a multiple of four.
    /// False at the end.
    fn skip_padding(&mut self) -> Result<bool, Fault> {
        let mut zeros: u64 = 0;
        while self.feed.ensure(1)? > 0 {
            let run = self.feed.bytes().iter().take_while(|&&byte| byte == 0).count();
            if run == 0 {
                break;
            }
            zeros += run as u64;
            self.feed.consume(run);
        }
        let at_end = self.feed.bytes().is_empty();
        let legal = if self.format == CompressionFormat::Xz { zeros.is_multiple_of(4) } else { at_end };
        match (legal, at_end) {
            (false, _) => {
                Err(Fault::damaged("zero bytes interrupt the compressed data; fetch the file again"))
            }
            (true, true) => self.check_end(),
            (true, false) => Ok(true),
        }
    }

    /// At the end of the source: false, or an error if the BGZF end marker is missing and must not be.
    fn check_end(&self) -> Result<bool, Fault> {
        if self.marker_missing && !self.marker_optional {
            return Err(Fault::damaged(format!(
                "the BGZF end marker is missing, so the file is probably cut short; fetch it again, or make a new one \
                 with bgzip, or set {UNMARKED}=1 if you know that the file is whole"
            )));
        }
        Ok(false)
    }
}
