//! Where text comes from: a stream of any compression, or a plain file that is read at several places at once.
//!
//! The strict reader takes text through [`TextSource::read`]. The plain one takes it in *turns*: the text that is read
//! and not consumed, and what follows it, in one buffer ([`TextSource::read_turn`]). What a turn leaves comes first in the
//! next read.

use std::fs::File;
use std::io;
use std::ops::Range;

use rayon::prelude::*;

use crate::io::decompress::{Fault, InputStream};
use crate::io::input_sum::{GroupSums, InputSum, group_sums};
use crate::io::memory::Buffer;

/// A source, and text read ahead from it.
pub(crate) struct TextSource {
    input: InputStream,
    /// The file, if it is plain and can be read at any place; from the first turn on `input` is not read any more.
    file: Option<File>,
    is_file_in_use: bool,
    /// Bytes that were taken from the source.
    taken: u64,
    /// The text of the last turn, of which `ahead` is not consumed.
    turn: Option<Buffer>,
    ahead: Range<usize>,
    /// The sum of the bytes taken, if it is asked for and they are those of the file.
    sum: Option<InputSum>,
}

/// Where a turn ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct TurnEnd {
    /// In its text.
    pub(crate) at: usize,
    /// Line ends before it, and bytes of its line before it.
    pub(crate) lines: u64,
    pub(crate) column: usize,
    /// The title that was read last, if one was.
    pub(crate) title: Option<Range<usize>>,
    /// Whether there is text behind it that is not plain.
    pub(crate) is_early: bool,
}

impl TextSource {
    /// A stream.
    pub(crate) fn new(input: InputStream) -> Self {
        Self { input, file: None, is_file_in_use: false, taken: 0, turn: None, ahead: 0..0, sum: None }
    }

    /// A file that is not compressed, from which `input` reads, too.
    pub(crate) fn with_file(input: InputStream, file: File) -> Self {
        debug_assert!(!input.is_compressed());
        Self { file: cfg!(unix).then_some(file), ..Self::new(input) }
    }

    /// The same, summing the bytes that are read.
    pub(crate) fn summed(self) -> Self {
        Self { sum: Some(InputSum::default()), ..self }
    }

    /// The sum of the file's bytes, once its end was read.
    pub(crate) fn checksum(&self) -> Option<String> {
        self.sum.as_ref().and_then(InputSum::digits)
    }

    /// The stream, for what is known of it.
    pub(crate) fn input(&self) -> &InputStream {
        &self.input
    }

    /// Bytes of the source as stored, taken so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        if self.is_file_in_use { self.taken } else { self.input.bytes_read() }
    }

    /// Fills the front of `out` and says how many bytes; 0 is the verified end.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let mut count = 0;
        if let Some(turn) = &self.turn {
            count = self.ahead.len().min(out.len());
            out[..count].copy_from_slice(&turn[self.ahead.start..self.ahead.start + count]);
            self.ahead.start += count;
        }
        let out = &mut out[count..];
        if count > 0 && out.is_empty() {
            return Ok(count); // a read of nothing would be taken for the end
        }
        let got = match &self.file {
            Some(file) if self.is_file_in_use => read_at(file, out, self.taken).map_err(Fault::Io)?,
            _ => self.input.read(out)?,
        };
        self.taken += got as u64;
        if let Some(sum) = &mut self.sum {
            sum.update(&out[..got]);
            if got == 0 {
                sum.end();
            }
        }
        Ok(count + got)
    }

    /// Bytes that a turn would have: at most `limit`, or what is read and not consumed if that is more; `limit` if it is not
    /// known.
    pub(crate) fn available(&self, unread: usize, limit: usize) -> usize {
        let kept = unread + self.ahead.len();
        let Some(file) = &self.file else { return limit.max(kept) };
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        let rest = usize::try_from(size.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        rest.saturating_add(kept).min(limit).max(kept)
    }

    /// Reads a turn: `unread`, which was read and not consumed, then the text read ahead, then new text up to `bytes` in all.
    /// `work` is called for each `chunk` bytes of it, as they are read, on all threads of the present pool; `states` has
    /// one entry for each.
    pub(crate) fn read_turn<S: Send>(
        &mut self,
        unread: &[u8],
        bytes: usize,
        chunk: usize,
        states: &mut [S],
        work: impl Fn(usize, &[u8], &mut S) + Sync,
    ) -> Result<(), Fault> {
        let kept = unread.len() + self.ahead.len();
        debug_assert!(bytes >= kept && states.len() == bytes.div_ceil(chunk));
        let mut turn = match self.turn.take() {
            Some(turn) if turn.len() >= bytes => turn,
            old => {
                let mut turn = Buffer::of(bytes);
                if let Some(old) = old {
                    turn[..self.ahead.len()].copy_from_slice(&old[self.ahead.clone()]);
                    self.ahead = 0..self.ahead.len();
                }
                turn
            }
        };
        turn.copy_within(self.ahead.clone(), unread.len());
        turn[..unread.len()].copy_from_slice(unread);
        let mut end = kept;
        self.is_file_in_use = self.file.is_some();
        if self.file.is_none() {
            while end < bytes {
                let got = self.input.read(&mut turn[end..bytes])?;
                if got == 0 {
                    break;
                }
                end += got;
            }
            self.sum.iter_mut().for_each(|sum| sum.update(&turn[kept..end]));
        }
        let (file, taken) = (self.file.as_ref(), self.taken);
        let is_summed = self.sum.is_some(); // of a stream no text is new here: it is summed already
        let chunks = turn[..bytes].par_chunks_mut(chunk).zip(states).enumerate();
        let filled: Result<Vec<(usize, GroupSums)>, io::Error> = chunks
            .map(|(number, (text, state))| {
                let start = number * chunk;
                let mut length = end.saturating_sub(start).min(text.len());
                let old = length;
                if let Some(file) = file {
                    while length < text.len() {
                        let at = taken + (start + length - kept) as u64;
                        match read_at(file, &mut text[length..], at)? {
                            0 => break,
                            got => length += got,
                        }
                    }
                }
                work(number, &text[..length], state);
                let sums = if is_summed {
                    group_sums(taken + (start + old).saturating_sub(kept) as u64, &text[old..length])
                } else {
                    GroupSums::default()
                };
                Ok((length, sums))
            })
            .collect();
        if self.file.is_some() {
            end = 0;
            for (length, sums) in filled.map_err(Fault::Io)? {
                let new = &turn[end.max(kept)..(end + length).max(kept)];
                self.sum.iter_mut().for_each(|sum| sum.add(new, &sums));
                end += length;
                if length < chunk {
                    break; // the end of the file
                }
            }
        }
        self.taken += (end - kept) as u64;
        self.ahead = 0..end;
        self.turn = Some(turn);
        Ok(())
    }

    /// Consumes the first `count` bytes of the last turn.
    pub(crate) fn consume(&mut self, count: usize) {
        self.ahead.start += count;
    }

    /// All text of the last turn.
    pub(crate) fn turn(&self) -> &[u8] {
        self.turn.as_ref().map_or(&[], |turn| &turn[..self.ahead.end])
    }
}

/// Reads at a place of a file, again if a signal interrupted it.
#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    loop {
        match file.read_at(out, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Other systems read through the stream.
#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    #[test]
    fn turns_of_a_file_are_summed_and_use_one_buffer() -> Result<(), Box<dyn std::error::Error>> {
        let bytes: Vec<u8> = (0..=250).cycle().take(300_000).collect();
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        let input = InputStream::new(Box::new(Cursor::new(Vec::new()))).map_err(|_| "not valid")?;
        let mut source = TextSource::with_file(input, file).summed();
        let (mut read, mut buffers) = (0, Vec::new());
        while read < bytes.len() {
            let size = source.available(0, 100_000);
            let mut lengths = vec![0; size.div_ceil(33_000)];
            let work = |_: usize, text: &[u8], length: &mut usize| *length = text.len();
            source.read_turn(&[], size, 33_000, &mut lengths, work).map_err(|_| "not read")?;
            assert_eq!((lengths.iter().sum(), source.turn()), (size, &bytes[read..read + size]));
            buffers.push(source.turn().as_ptr());
            // All but five bytes are consumed; these come again.
            let consumed = if read + size < bytes.len() { size - 5 } else { size };
            source.consume(consumed);
            read += consumed;
        }
        assert_eq!(buffers, [buffers[0]; 4]);
        assert_eq!(source.read(&mut [0; 9]).map_err(|_| "not read")?, 0);
        assert_eq!(source.checksum(), Some(blake3::hash(&bytes).to_hex().to_string()));
        Ok(())
    }
}
