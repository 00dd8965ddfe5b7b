//! One member of gzip, unpacked into chunks.
//!
//! The decoder looks back up to 32 KiB in what it has written, and expects it in front of what it writes next. A member
//! that fills a chunk is continued in another: the end of the old chunk is kept, and put in front of the new content.

use sirocco::Format;
use sirocco::inflate::Decoder;

use super::chunk::{Chunk, DecoderStep, WINDOW};
use super::formats::{DAMAGED, Fault};

/// A member that is being unpacked.
pub(super) struct GzipMember {
    inflate: Box<Decoder>,
    /// What the decoder counts as written: its content starts this many bytes before the end of the chunk.
    written: usize,
    /// Where in the chunk's memory the decoder's content starts.
    origin: usize,
    /// The end of the chunk that was filled last.
    history: Vec<u8>,
}

impl GzipMember {
    /// A member before its first byte.
    pub(super) fn new() -> Self {
        Self { inflate: decoder(), written: 0, origin: 0, history: Vec::new() }
    }

    /// Unpacks some of `input` into a chunk that is not full; one without content starts with the next byte.
    pub(super) fn step(&mut self, input: &[u8], chunk: &mut Chunk) -> Result<DecoderStep, Fault> {
        if self.written == 0 {
            self.origin = chunk.end();
        } else if chunk.len() == 0 && chunk.end() == WINDOW {
            self.move_to(chunk);
        }
        let (consumed, produced, ended) = {
            let progress = self.inflate.decompress(input, &mut chunk.memory()[self.origin..], false);
            let progress = progress.map_err(|error| {
                Fault::damaged(format!("the gzip data is damaged ({error}); fetch the file again"))
            })?;
            (progress.consumed, progress.output.len(), progress.done)
        };
        self.written += produced;
        chunk.grow(produced);
        if chunk.is_full() && !ended {
            let end = chunk.end();
            self.history.clear();
            self.history.extend_from_slice(&chunk.memory()[end - self.written.min(WINDOW)..end]);
        }
        Ok(DecoderStep { consumed, produced, ended })
    }

    /// Puts the history in front of the content of an empty chunk, twice with the same result.
    fn move_to(&mut self, chunk: &mut Chunk) {
        let kept = self.history.len();
        if self.written <= WINDOW {
            self.origin = WINDOW - kept;
            chunk.memory()[self.origin..WINDOW].copy_from_slice(&self.history);
            return;
        }
        // The decoder moves its history to the front itself, from where it would lie if all content were there.
        self.origin = 0;
        let memory = chunk.memory();
        memory[self.written - kept..self.written].copy_from_slice(&self.history);
        if self.inflate.make_room(memory) > 0 {
            self.written = WINDOW;
        }
    }
}

/// A decoder of gzip members, one after another.
pub(super) fn decoder() -> Box<Decoder> {
    Box::new(Decoder::new(Format::Gzip))
}

/// Unpacks a whole member into memory of exactly the size of its content. It is good if it ends exactly where `packed`
/// does: the decoder has then verified checksum and length, and nothing hides behind the member.
pub(super) fn unpack_whole(
    inflate: &mut Decoder,
    packed: &[u8],
    content: &mut [u8],
) -> Result<(), &'static str> {
    let size = content.len();
    let whole = match inflate.decompress(packed, content, true) {
        Ok(progress) => progress.done && progress.consumed == packed.len() && progress.output.len() == size,
        Err(_) => false,
    };
    if whole {
        return Ok(());
    }
    inflate.reset();
    Err(DAMAGED)
}
