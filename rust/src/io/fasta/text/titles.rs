//! Titles: their lines, the bytes that no title may have, and the names in them.
//!
//! A title is collected outside the buffer, because it may be longer than that. It is cut at [`TITLE_BYTES`], long before
//! a binary file without line ends fills the memory.

use memchr::{memchr, memchr2};

use super::{MAX_RETURNS, SequenceText, all, is_blank, without_returns};
use crate::error::{Error, Result, show_byte};
use crate::io::fasta::mistakes::{MIXED, show_text};
use crate::io::fasta::names::make_text;

/// Bytes of the longest title that is allowed.
pub(crate) const TITLE_BYTES: usize = 1 << 20;

/// Why a line cannot be a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TitleFault {
    /// It is longer than [`TITLE_BYTES`].
    TooLong,
    /// It holds NUL or a line end that is not the file's: the byte, and its column, counted from 0.
    Byte(u8, u64),
}

impl SequenceText {
    /// Reads the line into the title, without its first byte, the mark, and without blanks at its end. Returns the fault if
    /// the line cannot be a title; the title is then what stands before the fault.
    pub(crate) fn read_title(&mut self) -> Result<Option<TitleFault>> {
        let mut title = std::mem::take(&mut self.title);
        let outcome = self.read_line(&mut title);
        self.title = title;
        outcome
    }

    /// Reads the line into `text` as [`Self::read_title`] reads it into the title.
    pub(crate) fn read_line(&mut self, text: &mut Vec<u8>) -> Result<Option<TitleFault>> {
        text.clear();
        let first = self.column + 1;
        let (mut skip, mut ends) = (1, false);
        while !ends && text.len() <= TITLE_BYTES + MAX_RETURNS && self.peek()?.is_some() {
            let rest = &self.buffer[self.start + skip..self.end];
            let found = memchr(self.line_end, rest);
            let length = found.unwrap_or(rest.len());
            text.extend_from_slice(&rest[..length]);
            ends = found.is_some();
            self.consume(skip + length, ends);
            skip = 0;
        }
        let length = without_returns(text);
        self.returned = length < text.len();
        text.truncate(length);
        let fault = self.settle_title(text, first);
        text.truncate(text.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1));
        Ok(fault)
    }

    /// Converts a title whose first byte is at column `first` to text. Returns the fault if there is one, and cuts the
    /// title off there.
    #[allow(clippy::needless_bitwise_bool)] // without branches it becomes vector instructions
    fn settle_title(&self, title: &mut Vec<u8>, first: u64) -> Option<TitleFault> {
        let other = self.line_end ^ b'\r' ^ b'\n';
        let mut fault = (title.len() > TITLE_BYTES).then_some(TitleFault::TooLong);
        // Nearly all titles are plain, and every short read has one: a single pass decides.
        let is_plain = |&byte: &u8| byte.is_ascii() & (byte != 0) & (byte != other) & (byte != b'\\');
        if !all(title, is_plain) {
            if let Some(at) = memchr2(0, other, title) {
                fault = Some(TitleFault::Byte(title[at], first + at as u64));
                title.truncate(at);
            }
            make_text(title);
        }
        fault
    }

    /// The error of a title that starts on `line`.
    pub(crate) fn title_error(&self, line: u64, fault: TitleFault) -> Error {
        let reason = match fault {
            TitleFault::TooLong => {
                format!("this title is longer than {} MiB: is this a sequence file?", TITLE_BYTES >> 20)
            }
            TitleFault::Byte(0, column) => {
                format!("found byte 0x00 in a title, column {}: this is not a text file", column + 1)
            }
            TitleFault::Byte(byte, column) => {
                format!("found {} inside a title, column {}; {MIXED}", show_byte(byte), column + 1)
            }
        };
        self.error_at(line, reason)
    }

    /// The record's name, quoted and shortened for a message.
    pub(crate) fn name(&self) -> String {
        show_text(split_title(&self.title).0)
    }
}

/// The name and the description of a title: its first word, and the rest. `title` has no blanks at its end.
pub(crate) fn split_title(title: &[u8]) -> (&[u8], &[u8]) {
    let title = without_blanks(title);
    let length = memchr2(b' ', b'\t', title).unwrap_or(title.len());
    (&title[..length], without_blanks(&title[length..]))
}

/// `text` without the blanks at its start.
fn without_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().position(|&byte| !is_blank(byte)).unwrap_or(text.len())..]
}
