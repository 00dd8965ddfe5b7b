//! Compressed input: found by content, unpacked in fixed buffers, checked to its last byte.
//!
//! [`Input`] turns any byte source into plain bytes. What the source holds is told by its first bytes, never by a file
//! name: gzip (RFC 1952), BGZF (blocked gzip, SAM specification section 4.1), xz, zstd, and anything else as it is.
//! bzip2 and archives are recognised and refused with a remedy.
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
//! - BGZF ends with an empty block, written for exactly this purpose; without it the file was cut at a block border.
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
//! the crate at hand (noodles-bgzf 0.52) takes a file that ends inside a block header for a complete one.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;

/// Bytes of compressed input read at a time.
const FEED_BYTES: usize = 256 << 10;
/// BGZF blocks unpacked at a time.
const BATCH_BLOCKS: usize = 32;
/// Longest content of a BGZF block.
const BLOCK_BYTES: usize = 64 << 10;
/// Length of the header of a BGZF block; none of the other signatures looked for is longer.
const HEADER_BYTES: usize = 18;
/// Most memory an xz stream may ask for.
const XZ_MEMORY_BYTES: u64 = 512 << 20;

const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
const DAMAGED: &str = "the compressed data is damaged; fetch the file again";
const CUT_SHORT: &str =
    "the compressed data is cut short, probably an unfinished download or copy; fetch the file again";

/// Why no more bytes come.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The source could not be read.
    Io(io::Error),
    /// What was read cannot be unpacked; the sentence says why and what to do.
    Damaged(String),
}

impl Fault {
    fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }
}

/// The formats that are unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Xz,
    Zstd,
}

impl Format {
    /// The format that data beginning with `head` is in.
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ if head.starts_with(XZ_MAGIC) => Self::Xz,
            _ => Self::Plain,
        }
    }
}

/// Formats that are recognised in order to be refused: first bytes, and what to say.
const REFUSED: [(&[u8], &str); 6] = [
    (
        b"BZh",
        "this is bzip2 data, which is not read (gzip, BGZF, xz and zstd are); use `bzip2 -dc FILE | genotok ... -`",
    ),
    (b"PK\x03\x04", "this is a zip archive; unpack it with `unzip` and give the files inside"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7z archive; unpack it and give the files inside"),
    (b"Rar!\x1a\x07", "this is a rar archive; unpack it and give the files inside"),
    (b"\x1f\x9d", "this is Unix compress data (.Z), which is not read; use `gzip -dc FILE | genotok ... -`"),
    (b"LZIP", "this is lzip data, which is not read; use `lzip -dc FILE | genotok ... -`"),
];

/// The remedy for data that begins with `head`, if it is of a format known but not read.
fn refusal(head: &[u8]) -> Option<&'static str> {
    REFUSED.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, reason)| *reason)
}

/// A source of plain bytes, whatever the source's compression.
pub(crate) struct Input {
    feed: Feed,
    format: Format,
    stage: Stage,
    /// Whether the member last finished was a BGZF block with content, so that the end marker is still missing.
    marker_missing: bool,
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
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Result<Self, Fault> {
        let mut feed =
            Feed { source, buffer: vec![0; FEED_BYTES], start: 0, end: 0, bytes_read: 0, ended: false };
        feed.ensure(HEADER_BYTES)?;
        if let Some(reason) = refusal(feed.bytes()) {
            return Err(Fault::damaged(reason));
        }
        let format = Format::of(feed.bytes());
        let stage = if format == Format::Plain { Stage::Plain } else { Stage::Between };
        Ok(Self { feed, format, stage, marker_missing: false })
    }

    /// Bytes taken from the source so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.feed.bytes_read
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
            return Err(match head.len() {
                0..6 => Fault::damaged(CUT_SHORT),
                _ => Fault::damaged(
                    "something that is not compressed follows the compressed data; the file is damaged or two files of \
                     different kinds were joined",
                ),
            });
        }
        self.stage = if block_length(head).is_some() {
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
        if self.marker_missing {
            return Err(Fault::damaged(
                "the BGZF end marker is missing, so the file is probably cut short; fetch it again, or make a new one \
                 with bgzip",
            ));
        }
        Ok(false)
    }
}

/// The source and the bytes read ahead from it.
struct Feed {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    bytes_read: u64,
    ended: bool,
}

impl Feed {
    /// The bytes at hand.
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads until `count` bytes are at hand (at most the buffer's length) or the source ends; says how many are.
    fn ensure(&mut self, count: usize) -> Result<usize, Fault> {
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
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
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

/// What one step of a decoder did.
struct Step {
    consumed: usize,
    produced: usize,
    ended: bool,
}

/// The decoder of one member.
enum Decoder {
    Gzip(Decompress),
    Xz(liblzma::stream::Stream),
    Zstd(zstd::stream::raw::Decoder<'static>),
}

impl Decoder {
    fn new(format: Format) -> Result<Self, Fault> {
        match format {
            Format::Xz => liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0)
                .map(Self::Xz)
                .map_err(|error| Fault::damaged(format!("xz: {error}"))),
            Format::Zstd => zstd::stream::raw::Decoder::new().map(Self::Zstd).map_err(Fault::Io),
            Format::Gzip | Format::Plain => Ok(Self::Gzip(Decompress::new_gzip(15))),
        }
    }

    /// Unpacks some of `input` into `out`.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
        match self {
            Self::Gzip(inflate) => step_gzip(inflate, input, out),
            Self::Xz(stream) => step_xz(stream, input, out),
            Self::Zstd(decoder) => step_zstd(decoder, input, out),
        }
    }
}

fn step_gzip(inflate: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
    let (consumed, produced) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, FlushDecompress::None).map_err(|error| {
        Fault::damaged(format!("the gzip data is damaged ({error}); fetch the file again"))
    })?;
    let (consumed, produced) = (inflate.total_in() - consumed, inflate.total_out() - produced);
    Ok(Step { consumed: narrow(consumed), produced: narrow(produced), ended: status == Status::StreamEnd })
}

fn step_xz(stream: &mut liblzma::stream::Stream, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
    use liblzma::stream::{Action, Error, Status};
    let (consumed, produced) = (stream.total_in(), stream.total_out());
    let status = stream.process(input, out, Action::Run).map_err(|error| match error {
        Error::MemLimit => Fault::damaged(format!(
            "unpacking this xz file takes more than {} MiB of memory; use `xz -dc FILE | genotok ... -`",
            XZ_MEMORY_BYTES >> 20
        )),
        _ => Fault::damaged(format!("the xz data is damaged ({error}); fetch the file again")),
    })?;
    let (consumed, produced) = (stream.total_in() - consumed, stream.total_out() - produced);
    Ok(Step { consumed: narrow(consumed), produced: narrow(produced), ended: status == Status::StreamEnd })
}

fn step_zstd(
    decoder: &mut zstd::stream::raw::Decoder<'static>,
    input: &[u8],
    out: &mut [u8],
) -> Result<Step, Fault> {
    use zstd::stream::raw::Operation;
    let status = decoder.run_on_buffers(input, out).map_err(|error| {
        Fault::damaged(format!(
            "the zstd data is damaged or needs a window above 128 MiB ({error}); try `zstd -dc --long=31 FILE | \
             genotok ... -`, or fetch the file again"
        ))
    })?;
    Ok(Step { consumed: status.bytes_read, produced: status.bytes_written, ended: status.remaining == 0 })
}

/// A count that is bounded by the length of a buffer.
fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The whole length of the BGZF block that begins with `head`, if it is one.
fn block_length(head: &[u8]) -> Option<usize> {
    match head {
        [0x1f, 0x8b, 8, 4, _, _, _, _, _, _, 6, 0, b'B', b'C', 2, 0, low, high, ..] => {
            Some(usize::from(u16::from_le_bytes([*low, *high])) + 1)
        }
        _ => None,
    }
}

/// Some BGZF blocks, unpacked side by side and handed out in order.
struct Batch {
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
    fn new() -> Self {
        Self { blocks: Vec::new(), filled: 0, current: 0, offset: 0 }
    }

    /// Whether the batch's last block is empty, as the end marker is.
    fn ends_with_marker(&self) -> bool {
        self.filled > 0 && self.blocks[self.filled - 1].outcome == Ok(0)
    }

    /// Reads and unpacks the next blocks; false if none is next.
    fn fill(&mut self, feed: &mut Feed) -> Result<bool, Fault> {
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
    fn take(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
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
