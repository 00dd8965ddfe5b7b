//! One frame of zstd, unpacked step by step.
//!
//! A frame may state the size of its content. The library compares when it unpacks a frame at once. In steps it does not
//! if the last block is empty, so that a frame without its content would pass as an empty genome: it is compared here.

use zstd::stream::raw::{Decoder, Operation};

use super::chunk::DecoderStep;
use super::formats::Fault;

/// A frame that is being unpacked; one to be skipped counts as one of 0 bytes.
pub(super) struct ZstdFrame {
    decoder: Decoder<'static>,
    /// The size of the content, if the header states it.
    stated: Option<u64>,
    produced: u64,
}

impl ZstdFrame {
    /// A frame before its first byte; `head` starts with its header, and goes on behind it unless the source ends.
    pub(super) fn new(head: &[u8]) -> Result<Self, Fault> {
        // A header that is cut short or damaged states nothing; unpacking then fails.
        let stated = zstd::zstd_safe::get_frame_content_size(head).ok().flatten();
        Ok(Self { decoder: Decoder::new().map_err(Fault::Io)?, stated, produced: 0 })
    }

    /// Unpacks some of `input`; the frame is complete once the library would like 0 bytes more.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<DecoderStep, Fault> {
        let status = self.decoder.run_on_buffers(input, out).map_err(|error| {
            Fault::damaged(format!(
                "the zstd data is damaged or needs a window above 128 MiB ({error}); try `zstd -dc --long=31 FILE | \
                 genotok ... -`, or fetch the file again"
            ))
        })?;
        self.produced += status.bytes_written as u64;
        let ended = status.remaining == 0;
        if ended && let Some(stated) = self.stated.filter(|&stated| stated != self.produced) {
            let reason = format!("a frame states {stated} bytes and has {}", self.produced);
            return Err(Fault::damaged(format!("the zstd data is damaged ({reason}); fetch the file again")));
        }
        Ok(DecoderStep { consumed: status.bytes_read, produced: status.bytes_written, ended })
    }
}
