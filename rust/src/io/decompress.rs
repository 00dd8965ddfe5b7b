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
//! # Who unpacks
//!
//! `members` is the member loop, whose stages see to it that only a verified end is an end. It unpacks into chunks of
//! 512 KiB. The reading thread unpacks the first chunk. If the file goes on after it, in a member that only one thread can
//! unpack, the rest is unpacked by a thread of its own, up to four chunks ahead of the reader (`ahead`): a file of a few
//! kilobytes pays for no thread. BGZF blocks are unpacked by the reader's rayon pool, up to two chunks per thread ahead
//! (`bgzf`). In a pool of one thread the reading thread does everything.
//!
//! Whoever unpacks, an error is returned after the content before it, and a thread that is lost is an error. A stream that
//! is dropped waits for no thread. `sources` unpacks several files at the same time.
//!
//! # Memory
//!
//! All buffers are fixed: 256 KiB of input; six chunks of 544 KiB for what is unpacked ahead, or for BGZF two, a decoder
//! and the packed bytes per thread of the pool and one; a window of at most 128 MiB for zstd (the format's default limit)
//! and 512 MiB for xz (`xz -9` needs 65 MiB). A file that asks for more is refused before the memory is taken. How much
//! comes out does not matter: everything streams.
//!
//! # Libraries
//!
//! sirocco unpacks gzip and BGZF, liblzma xz, the zstd library zstd; all through their step-wise interfaces, so that the
//! member loop stays ours. BGZF blocks are framed here and not by a crate, because the available crate (noodles-bgzf 0.52)
//! takes a file that ends inside a block header for a complete one. It serves in the tests as an independent writer, and
//! zlib-rs as an independent decoder (`tests::oracle`). How sirocco was chosen is told in docs/decisions/0075.
//!
//! Megabytes of text per CPU second, human chromosome 20 (64 MB), two-core AMD EPYC machine, busy, 2026-11-29, best of
//! seven in turns, equal content asserted: one member by `gzip -6` 666 by zlib-rs, 1,061 by sirocco; by `gzip -1` 579 and
//! 755; by `gzip -9` 653 and 1,170; BGZF as published 639 and 1,018, by bgzip with libdeflate 467 and 664; FASTQ of
//! 150-base reads 729 and 1,415.

use std::io::Read;

use crate::io::input_sum::SharedSum;

mod ahead;
mod bgzf;
mod chunk;
mod decoder;
mod feed;
mod formats;
mod frame;
mod gzip;
mod members;

use ahead::{Ahead, Next};
use chunk::Chunk;
use feed::Feed;
use formats::{CompressionFormat, DAMAGED, HEADER_BYTES};
use members::Members;

pub(crate) use ahead::Runner;
pub(crate) use chunk::CHUNK_BYTES;
pub(crate) use formats::{Fault, UNMARKED, is_compressed, refusal};

/// Memory of a stream besides its chunks, at most: what is read at once, and a decoder or a group of BGZF blocks. The
/// windows of xz and zstd come to that.
pub(crate) const STREAM_BYTES: usize = feed::FEED_BYTES + (1 << 20);

/// A stream of plain bytes from a source of any compression.
pub(crate) struct InputStream {
    format: CompressionFormat,
    source: Source,
    /// The content that comes next, of a compressed source.
    chunk: Chunk,
    /// What comes after that content, if it is not more content.
    fault: Option<Fault>,
}

/// Who has the source.
enum Source {
    /// Uncompressed: straight through.
    Plain(Feed),
    /// The reading thread unpacks.
    Here(Box<Members>),
    /// Another thread unpacks ahead.
    Ahead(Ahead),
    /// After an error.
    Failed,
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
    pub(crate) fn open(source: Box<dyn Read + Send>, marker_optional: bool) -> Result<Self, Fault> {
        let mut feed = Feed::new(source);
        feed.ensure(HEADER_BYTES)?;
        if let Some(reason) = refusal(feed.bytes()) {
            return Err(Fault::damaged(reason));
        }
        let format = CompressionFormat::of(feed.bytes());
        let mut chunk = Chunk::none();
        chunk.bytes_read = feed.bytes_read();
        let source = match format {
            CompressionFormat::Plain => Source::Plain(feed),
            _ => Source::Here(Box::new(Members::new(feed, format, marker_optional))),
        };
        Ok(Self { format, source, chunk, fault: None })
    }

    /// The same with chunks of another size, so that tests cut content at every byte.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn with_chunks(mut self, bytes: usize) -> Self {
        if let Source::Here(members) = std::mem::replace(&mut self.source, Source::Failed) {
            self.source = Source::Here(Box::new(members.with_chunks(bytes)));
        }
        self
    }

    /// Sums the bytes of a compressed source of which nothing is unpacked yet; none if the source is plain.
    pub(crate) fn sum_source(&mut self) -> Option<SharedSum> {
        match &mut self.source {
            Source::Here(members) => Some(members.sum_source()),
            _ => None,
        }
    }

    /// Lets another thread unpack the stream ahead: the [`Runner`] it is to run, and the stream to read meanwhile. `waiting`
    /// chunks wait for the reader, at most, and one more is being filled. None if the stream is plain.
    pub(crate) fn unpack_ahead(&mut self, waiting: usize) -> Option<Runner> {
        match std::mem::replace(&mut self.source, Source::Failed) {
            Source::Here(members) => {
                let (ahead, runner) = Ahead::new(members, waiting);
                self.source = Source::Ahead(ahead);
                Some(runner)
            }
            other => {
                self.source = other;
                None
            }
        }
    }

    /// Tells the thread that unpacks ahead that the stream is being read from now on.
    pub(crate) fn arrive(&self) {
        if let Source::Ahead(ahead) = &self.source {
            ahead.arrive();
        }
    }

    /// Bytes taken from the source so far. Of a compressed source: until the content that is being read was complete.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.source {
            Source::Plain(feed) => feed.bytes_read(),
            _ => self.chunk.bytes_read,
        }
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
        if let Source::Plain(feed) = &mut self.source {
            return feed.read(out);
        }
        loop {
            let count = self.chunk.take(out);
            if count > 0 {
                return Ok(count);
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if !self.next_chunk()? {
                return Ok(0);
            }
        }
    }

    /// Gets the next content, or the fault after it; false at the verified end.
    fn next_chunk(&mut self) -> Result<bool, Fault> {
        let outcome = match std::mem::replace(&mut self.source, Source::Failed) {
            Source::Here(members) if members.in_member() && has_threads() => match Ahead::start(members) {
                Ok(ahead) => self.receive(ahead)?,
                Err(members) => self.unpack_here(members),
            },
            Source::Here(members) => self.unpack_here(members),
            Source::Ahead(ahead) => self.receive(ahead)?,
            Source::Plain(_) | Source::Failed => Err(Fault::damaged(DAMAGED)),
        };
        match outcome {
            Ok(more) => Ok(more),
            Err(fault) => {
                self.source = Source::Failed;
                self.fault = Some(fault);
                Ok(true)
            }
        }
    }

    /// The next content, unpacked by this thread.
    fn unpack_here(&mut self, mut members: Box<Members>) -> Result<bool, Fault> {
        let outcome = members.next(&mut self.chunk);
        self.source = Source::Here(members);
        outcome
    }

    /// The next content from the thread that unpacks ahead.
    fn receive(&mut self, ahead: Ahead) -> Result<Result<bool, Fault>, Fault> {
        Ok(match ahead.next(&mut self.chunk)? {
            Next::More => {
                self.source = Source::Ahead(ahead);
                Ok(true)
            }
            Next::Last(mut members, outcome) => {
                members.spread = true;
                self.source = Source::Here(members);
                outcome
            }
        })
    }

    /// At the end: whether this is a BGZF file without its end marker, accepted as such.
    pub(crate) fn is_unmarked(&self) -> bool {
        matches!(&self.source, Source::Here(members) if members.is_unmarked())
    }
}

/// Whether the work may be divided: the current rayon pool, or the machine, has several threads.
fn has_threads() -> bool {
    match rayon::current_thread_index() {
        Some(_) => rayon::current_num_threads() > 1,
        None => std::thread::available_parallelism().is_ok_and(|threads| threads.get() > 1),
    }
}

#[cfg(test)]
pub(crate) mod tests;
