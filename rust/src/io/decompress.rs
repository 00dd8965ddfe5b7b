//! Compressed input: found by content, unpacked in fixed buffers, checked to its last byte.
//!
//! [`InputStream`] turns any byte source into plain bytes. The first bytes of the source tell its format, never the name
//! of the file: gzip (RFC 1952), BGZF (blocked gzip, SAM specification section 4.1), xz and zstd are unpacked, anything
//! else passes as it is. bzip2, lz4, old lzma and others, and archives are recognised and refused with a remedy.
//!
//! # A short genome is the worst outcome
//!
//! A download cut in the middle must never pass as a smaller genome. So the three formats are driven through one loop,
//! the *member* loop, that owns the question of what may stand where:
//!
//! - a source may hold several members in a row (`cat a.gz b.gz`, `pigz`, `pzstd`), all of one format, each unpacked;
//! - the source ending inside a member is an error: cut short;
//! - each decoder verifies the member's checksum and length where the format has them;
//! - after a member only another member may follow, or padding: zero bytes to the very end after gzip (tapes and some
//!   block devices add them; gzip(1) accepts them too), zero bytes in multiples of four after xz (its specification).
//!   Anything else is an error, as it is either damage or data that would be silently lost;
//! - BGZF ends with an empty block, written for exactly this purpose; without it the file was cut at a block border. Some
//!   writers forget it: who knows the file to be whole sets `GENOTOK_ACCEPT_UNMARKED_BGZF=1`.
//!
//! What cannot be noticed: a multi-member gzip or zstd file cut exactly between two members, and a plain file cut
//! anywhere (`fasta` notices that for FASTQ).
//!
//! # The state machine
//!
//! [`Stage`] says where the next byte comes from. A plain source stays in `Plain` for ever. A compressed one alternates
//! between `Between`, where what follows is decided and the end is verified, and `Member` or `Blocks`, where content is
//! produced. Only `Between` may report the end, so no path leads from inside a member to a successful end. Each turn of
//! the loop in [`InputStream::read`] returns content, changes the stage, or consumes input; a decoder that does neither
//! is out of input (cut short) or stuck (damaged).
//!
//! # Memory
//!
//! All buffers are fixed: 256 KiB of input, a window of at most 32 KiB for gzip, 128 MiB for zstd (the format's default
//! limit) and 512 MiB for xz (`xz -9` needs 65 MiB). A file that asks for more is refused before the memory is taken.
//! How much comes out does not matter: everything streams.
//!
//! # BGZF in parallel
//!
//! Its blocks (at most 64 KiB each) unpack independently. A batch of 32 is read, unpacked on the current rayon pool and
//! returned in order; other formats are sequential by nature. The blocks are framed here and not by a crate, because
//! the available crate (noodles-bgzf 0.52) takes a file that ends inside a block header for a complete one. It serves in
//! the tests as an independent writer.
//!
//! # Figures
//!
//! Human chromosome 20 (64 MB of text), unpacked and parsed, two-core AMD EPYC (Milan) machine, 2026-11-22, best of
//! seven: gzip 0.10 s, zstd 0.10 s, BGZF 0.07 s on two cores. flate2 with zlib-rs drives gzip and BGZF, liblzma xz, the
//! zstd library zstd; all three through their step-wise interfaces, so that the member loop stays ours.

use std::io::Read;

mod bgzf;
mod decoder;
mod feed;
mod formats;

use bgzf::Batch;
use decoder::Decoder;
use feed::Feed;
use formats::{CUT_SHORT, CompressionFormat, DAMAGED, HEADER_BYTES};

pub(crate) use formats::{Fault, is_compressed, refusal};

/// The message for data after the last member.
const JOINED: &str = "something else follows the compressed data; the file is damaged, or files of different kinds were \
                      joined";

/// The environment variable that lets BGZF files without their end marker pass, if it is 1. It is no option of a command
/// nor an argument, so that it holds for all that read, workers on other machines among them.
pub(crate) const UNMARKED: &str = "GENOTOK_ACCEPT_UNMARKED_BGZF";

/// A stream of plain bytes from a source of any compression.
pub(crate) struct InputStream {
    feed: Feed,
    format: CompressionFormat,
    stage: Stage,
    /// Whether the member last finished was a BGZF block with content, so that the end marker is still missing.
    marker_missing: bool,
    /// Whether a missing end marker is accepted.
    marker_optional: bool,
}

/// Where in the source the next byte comes from.
enum Stage {
    /// Uncompressed: straight through.
    Plain,
    /// Before a member, or at the end.
    Between,
    /// Inside a member.
    Member(Decoder),
    /// Inside a batch of BGZF blocks.
    Blocks(Batch),
}

impl InputStream {
    /// Takes a source and finds its format from the first bytes.
    ///
    /// A BGZF file without its end marker is accepted if [`UNMARKED`] is set to 1. Fails if the source cannot be read or its
    /// format is refused.
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Result<Self, Fault> {
        let marker_optional = std::env::var_os(UNMARKED).is_some_and(|value| value == "1");
        Self::open(source, marker_optional)
    }

    /// [`new`](Self::new) with the environment's answer passed in, for tests.
    fn open(source: Box<dyn Read + Send>, marker_optional: bool) -> Result<Self, Fault> {
        let mut feed = Feed::new(source);
        feed.ensure(HEADER_BYTES)?;
        if let Some(reason) = refusal(feed.bytes()) {
            return Err(Fault::damaged(reason));
        }
        let format = CompressionFormat::of(feed.bytes());
        let stage = if format == CompressionFormat::Plain { Stage::Plain } else { Stage::Between };
        Ok(Self { feed, format, stage, marker_missing: false, marker_optional })
    }

    /// Bytes taken from the source so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.feed.bytes_read()
    }

    /// How the source is compressed: "plain", "gzip", "xz" or "zstd".
    pub(crate) fn compression(&self) -> &'static str {
        match self.format {
            CompressionFormat::Plain => "plain",
            CompressionFormat::Gzip => "gzip",
            CompressionFormat::Xz => "xz",
            CompressionFormat::Zstd => "zstd",
        }
    }

    /// Whether the source is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.format != CompressionFormat::Plain
    }

    /// Fills the front of `out` with plain bytes and says how many; 0 is the verified end.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.stage {
                Stage::Plain => return self.feed.read(out),
                Stage::Between => {
                    if !self.open_member()? {
                        return Ok(0);
                    }
                }
                Stage::Member(decoder) => {
                    // A decoder may hold content back although it has taken all input, so it is asked even then.
                    let available = self.feed.ensure(1)?;
                    let step = decoder.step(self.feed.bytes(), out)?;
                    self.feed.consume(step.consumed);
                    if step.ended {
                        self.stage = Stage::Between;
                    } else if step.consumed == 0 && step.produced == 0 {
                        return Err(Fault::damaged(if available == 0 { CUT_SHORT } else { DAMAGED }));
                    }
                    if step.produced > 0 {
                        return Ok(step.produced);
                    }
                }
                Stage::Blocks(batch) => {
                    let produced = batch.take(out)?;
                    if produced > 0 {
                        return Ok(produced);
                    }
                    self.marker_missing = !batch.ends_with_marker();
                    if !batch.fill(&mut self.feed)? {
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
            let mut batch = Batch::new();
            batch.fill(&mut self.feed)?;
            Stage::Blocks(batch)
        } else {
            self.marker_missing = false;
            Stage::Member(Decoder::new(self.format)?)
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

    /// At the end: whether this is a BGZF file without its end marker, accepted as such.
    pub(crate) fn is_unmarked(&self) -> bool {
        self.marker_missing
    }
}

#[cfg(test)]
pub(crate) mod tests;
