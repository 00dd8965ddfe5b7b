//! One member of gzip, xz or zstd, unpacked step by step by the library of its format.

use flate2::{Decompress, FlushDecompress, Status};

use super::formats::{Fault, Format};

/// Most memory an xz stream may ask for.
const XZ_MEMORY_BYTES: u64 = 512 << 20;

/// What one step of a decoder did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) ended: bool,
}

/// The decoder of one member.
pub(super) enum Decoder {
    Gzip(Decompress),
    Xz(liblzma::stream::Stream),
    Zstd(zstd::stream::raw::Decoder<'static>),
}

impl Decoder {
    pub(super) fn new(format: Format) -> Result<Self, Fault> {
        match format {
            Format::Xz => liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0)
                .map(Self::Xz)
                .map_err(|error| Fault::damaged(format!("xz: {error}"))),
            Format::Zstd => zstd::stream::raw::Decoder::new().map(Self::Zstd).map_err(Fault::Io),
            Format::Gzip | Format::Plain => Ok(Self::Gzip(Decompress::new_gzip(15))),
        }
    }

    /// Unpacks some of `input` into `out`.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
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
pub(super) fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
