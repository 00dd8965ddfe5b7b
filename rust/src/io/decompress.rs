//! Compressed input: found by content, unpacked in fixed buffers, checked to its last byte.
//!
//! [`Input`] turns any byte source into plain bytes. What the source holds is told by its first bytes, never by a file
//! name: gzip (RFC 1952), BGZF (blocked gzip, SAM specification section 4.1), xz, zstd, and anything else as it is.
//! bzip2, lz4, old lzma and others, and archives are recognised and refused with a remedy.
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
//! # Memory
//!
//! All buffers are fixed: 256 KiB of input, a window of at most 32 KiB for gzip, 128 MiB for zstd (the format's default
//! limit) and 512 MiB for xz (`xz -9` needs 65 MiB). A file that asks for more is refused before the memory is taken.
//! How much comes out does not matter: everything streams.
//!
//! # BGZF in parallel
//!
//! Its blocks (at most 64 KiB each) unpack independently. A batch of 32 is read, unpacked on the current rayon pool and
//! handed out in order; other formats are sequential by nature. The blocks are framed here and not by a crate, because
//! the crate at hand (noodles-bgzf 0.52) takes a file that ends inside a block header for a complete one. It serves in
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
use formats::{CUT_SHORT, DAMAGED, Format, HEADER_BYTES};

pub(crate) use formats::{Fault, is_compressed, refusal};

const JOINED: &str = "something else follows the compressed data; the file is damaged, or files of different kinds were \
                      joined";

/// The environment variable that lets BGZF files without their end marker pass, if it is 1. It is no option of a command
/// nor an argument, so that it holds for all that read, workers on other machines among them.
pub(crate) const UNMARKED: &str = "GENOTOK_ACCEPT_UNMARKED_BGZF";

/// A source of plain bytes, whatever the source's compression.
pub(crate) struct Input {
    feed: Feed,
    format: Format,
    stage: Stage,
    /// Whether the member last finished was a BGZF block with content, so that the end marker is still missing.
    marker_missing: bool,
    /// Whether that is let pass.
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

impl Input {
    /// Takes a source and finds its format from the first bytes.
    ///
    /// A BGZF file without its end marker is let pass if the environment has [`UNMARKED`].
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Result<Self, Fault> {
        let marker_optional = std::env::var_os(UNMARKED).is_some_and(|value| value == "1");
        Self::open(source, marker_optional)
    }

    fn open(source: Box<dyn Read + Send>, marker_optional: bool) -> Result<Self, Fault> {
        let mut feed = Feed::new(source);
        feed.ensure(HEADER_BYTES)?;
        if let Some(reason) = refusal(feed.bytes()) {
            return Err(Fault::damaged(reason));
        }
        let format = Format::of(feed.bytes());
        let stage = if format == Format::Plain { Stage::Plain } else { Stage::Between };
        Ok(Self { feed, format, stage, marker_missing: false, marker_optional })
    }

    /// Bytes taken from the source so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.feed.bytes_read()
    }

    /// How the source is compressed: "plain", "gzip", "xz" or "zstd".
    pub(crate) fn compression(&self) -> &'static str {
        match self.format {
            Format::Plain => "plain",
            Format::Gzip => "gzip",
            Format::Xz => "xz",
            Format::Zstd => "zstd",
        }
    }

    /// Whether the source is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.format != Format::Plain
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
                    if !self.begin_member()? {
                        return Ok(0);
                    }
                }
                Stage::Member(decoder) => {
                    // A decoder may hold content back although it has taken all input, so it is asked even then.
                    let at_hand = self.feed.ensure(1)?;
                    let step = decoder.step(self.feed.bytes(), out)?;
                    self.feed.consume(step.consumed);
                    if step.ended {
                        self.stage = Stage::Between;
                    } else if step.consumed == 0 && step.produced == 0 {
                        return Err(Fault::damaged(if at_hand == 0 { CUT_SHORT } else { DAMAGED }));
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

    /// Looks at what follows a member (or opens the first); false at the verified end.
    fn begin_member(&mut self) -> Result<bool, Fault> {
        if self.feed.ensure(HEADER_BYTES)? == 0 {
            return self.check_end();
        }
        let head = self.feed.bytes();
        if head[0] == 0 && self.format != Format::Zstd {
            return self.skip_padding();
        }
        if Format::of(head) != self.format {
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

    /// Skips zero bytes after a member; nothing may follow them but, for xz, another member. False at the end.
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
        let legal = if self.format == Format::Xz { zeros.is_multiple_of(4) } else { at_end };
        match (legal, at_end) {
            (false, _) => {
                Err(Fault::damaged("zero bytes interrupt the compressed data; fetch the file again"))
            }
            (true, true) => self.check_end(),
            (true, false) => Ok(true),
        }
    }

    /// At the end of the source: false, unless the format demands an end marker that is not there.
    fn check_end(&self) -> Result<bool, Fault> {
        if self.marker_missing && !self.marker_optional {
            return Err(Fault::damaged(format!(
                "the BGZF end marker is missing, so the file is probably cut short; fetch it again, or make a new one \
                 with bgzip, or set {UNMARKED}=1 if you know that the file is whole"
            )));
        }
        Ok(false)
    }

    /// At the end: whether a BGZF file has no end marker, and that was let pass.
    pub(crate) fn is_unmarked(&self) -> bool {
        self.marker_missing
    }
}

#[cfg(test)]
pub(crate) mod tests;
