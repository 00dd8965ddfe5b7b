//! One member of gzip, xz or zstd, unpacked step by step by the library of its format.
//!
//! The three libraries answer differently; here each step tells the same three things ([`DecoderStep`]), so that the
//! member loop above asks one question: did the step make progress, and did the member end? Where the
//! format has a checksum, the library verifies it before it reports the end.

use super::chunk::{Chunk, DecoderStep};
use super::formats::{CompressionFormat, Fault};
use super::frame::ZstdFrame;
use super::gzip::GzipMember;

/// Memory that an xz stream may ask for, at most.
const XZ_MEMORY_BYTES: u64 = 512 << 20;

/// The decoder of one member; a new one is made for each.
pub(super) enum Decoder {
    Gzip(GzipMember),
    Xz(liblzma::stream::Stream),
    Zstd(ZstdFrame),
}

impl Decoder {
    /// A decoder before its first byte, for a member that starts like `head`. Fails if the library cannot allocate its
    /// state.
    pub(super) fn new(format: CompressionFormat, head: &[u8]) -> Result<Self, Fault> {
        match format {
            CompressionFormat::Xz => liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0)
                .map(Self::Xz)
                .map_err(|error| Fault::damaged(format!("xz: {error}"))),
            CompressionFormat::Zstd => ZstdFrame::new(head).map(Self::Zstd),
            CompressionFormat::Gzip | CompressionFormat::Plain => Ok(Self::Gzip(GzipMember::new())),
        }
    }

    /// Unpacks some of `input` into a chunk that is not full. Fails, with the remedy, on damaged data and on a window
    /// beyond the memory limit.
    pub(super) fn step(&mut self, input: &[u8], chunk: &mut Chunk) -> Result<DecoderStep, Fault> {
        let step = match self {
            Self::Gzip(member) => return member.step(input, chunk),
            Self::Xz(stream) => step_xz(stream, input, chunk.free())?,
            Self::Zstd(frame) => frame.step(input, chunk.free())?,
        };
        chunk.grow(step.produced);
        Ok(step)
    }
}

/// xz by liblzma, which checks the memory limit before it allocates.
fn step_xz(stream: &mut liblzma::stream::Stream, input: &[u8], out: &mut [u8]) -> Result<DecoderStep, Fault> {
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
    Ok(DecoderStep {
        consumed: narrow(consumed),
        produced: narrow(produced),
        ended: status == Status::StreamEnd,
    })
}

/// A count that the length of a buffer bounds, so that it always fits.
fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
