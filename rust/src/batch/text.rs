//! Sequences as the encoder reads them: in tasks, with what is no plain text replaced by marks.
//!
//! A *task* is a group of whole sequences, or a part of a long one. Within a task sequences are separated by a byte
//! that UTF-8 does not have. Most tasks are read as they are. One that could hold a special token, a longer character or a
//! byte that is not UTF-8 (looked for at the speed of memory) is rewritten first: another such byte stands for a
//! special token, whose id is noted.

use std::ops::Range;
use std::sync::OnceLock;

use super::Sequences;
use crate::bpe::encode::{Cursor, Source};
use crate::bpe::marked::Mark;
use crate::tokenizer::letters::{DROPPED, Letters, UNKNOWN};
use crate::tokenizer::{Id, Tokenizer};

/// Stands between sequences.
pub(super) const END: u8 = 0xff;
/// Stands for a special token.
const SPECIAL: u8 = 0xfe;
/// Stands for a byte that is not UTF-8 and means one of the above.
const NOT_UTF8: u8 = 0xfd;

/// What a byte of a task is: the code of a letter, or a mark.
pub(super) fn symbol(letters: &Letters, byte: u8) -> Result<u8, Mark> {
    match (byte, letters.symbol(byte)) {
        (END, _) => Err(Mark::End),
        (SPECIAL, _) => Err(Mark::Special),
        (0x80..=0xbf, _) => Err(Mark::Continuation),
        (_, DROPPED) => Err(Mark::Dropped),
        (_, UNKNOWN) if letters.is_lower_case(byte) => Err(Mark::LowerCase),
        (_, UNKNOWN) => Err(Mark::Unknown),
        (_, code) => Ok(code),
    }
}

/// Sequences that one lane encodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which sequences.
    pub(super) sequences: Range<usize>,
    /// Their bytes; of a single sequence perhaps a part.
    pub(super) bytes: Range<usize>,
    /// Whether the first sequence begins in this task, and the last one ends.
    pub(super) is_begun: bool,
    pub(super) is_ended: bool,
}

/// A task without special tokens.
#[derive(Debug)]
struct Rewritten {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
    specials: Vec<(Id, u32)>,
}

/// All sequences.
pub(super) struct Text<'a> {
    sequences: Sequences<'a>,
    tokenizer: &'a Tokenizer,
    suspects: Suspects,
    rewritten: Vec<OnceLock<Rewritten>>,
}

/// The bytes that special tokens begin with.
pub(super) struct Suspects {
    first: Vec<u8>,
    is_first: [bool; 256],
    /// Bytes in the longest special token.
    pub(super) reach: usize,
}

impl Suspects {
    pub(super) fn of(tokenizer: &Tokenizer) -> Self {
        let mut is_first = [false; 256];
        let mut reach = 0;
        for (token, _) in tokenizer.specials() {
            is_first[usize::from(token.as_bytes()[0])] = true;
            reach = reach.max(token.len());
        }
        let first = (0..=255).filter(|&byte| is_first[usize::from(byte)]).collect();
        Self { first, is_first, reach }
    }

    /// Whether there may be something to rewrite: a special token, or a byte outside ASCII.
    pub(super) fn any(&self, bytes: &[u8]) -> bool {
        let is_first = match self.first[..] {
            [] => |bytes: &[u8], _: [u8; 2]| !bytes.is_ascii(),
            [_] | [_, _] => any_of,
            _ => return bytes.iter().any(|&byte| byte >= 128 || self.is_first[usize::from(byte)]),
        };
        let of = [self.first.first(), self.first.last()].map(|byte| byte.copied().unwrap_or(0));
        bytes.chunks(4096).any(|bytes| is_first(bytes, of))
    }
}

/// Whether one of two bytes occurs, or one outside ASCII: no branch in the loop, so that it takes many at a time.
fn any_of(bytes: &[u8], [a, b]: [u8; 2]) -> bool {
    let is_one = |&byte: &u8| u8::from(byte >= 128) | u8::from(byte == a) | u8::from(byte == b);
    bytes.iter().map(is_one).fold(0, |found, one| found | one) != 0
}

impl<'a> Text<'a> {
    pub(super) fn new(
        sequences: Sequences<'a>,
        tokenizer: &'a Tokenizer,
        suspects: Suspects,
        tasks: usize,
    ) -> Self {
        let rewritten = (0..tasks).map(|_| OnceLock::new()).collect();
        Self { sequences, tokenizer, suspects, rewritten }
    }

    /// The special tokens of an opened task in order, with their numbers of characters.
    pub(super) fn specials(&self, task: usize) -> &[(Id, u32)] {
        self.rewritten[task].get().map_or(&[], |rewritten| &rewritten.specials)
    }

    fn rewrite(&self, task: &Task) -> Rewritten {
        let mut new = Rewritten { bytes: Vec::new(), offsets: vec![0], specials: Vec::new() };
        for sequence in task.sequences.clone() {
            let start = self.sequences.offsets[sequence].max(task.bytes.start);
            let end = self.sequences.offsets[sequence + 1].min(task.bytes.end);
            let text = &self.sequences.bytes[start..end];
            let mut done = 0;
            for (start, end, id) in self.tokenizer.find_specials(text) {
                new.plain(&text[done..start], self.tokenizer.letters());
                new.bytes.push(SPECIAL);
                let characters = text[start..end].iter().filter(|&&byte| !is_continuation(byte)).count();
                new.specials.push((id, u32::try_from(characters).unwrap_or(u32::MAX)));
                done = end;
            }
            new.plain(&text[done..], self.tokenizer.letters());
            new.offsets.push(new.bytes.len());
        }
        new
    }
}

/// Whether a byte belongs to a character that began before.
pub(super) fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

impl Rewritten {
    fn plain(&mut self, text: &[u8], letters: &Letters) {
        for chunk in text.utf8_chunks() {
            if letters.drops_white_space() {
                for character in chunk.valid().chars() {
                    match letters.symbol_of(character) {
                        DROPPED => self.bytes.push(b' '),
                        _ => self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                }
            } else {
                self.bytes.extend_from_slice(chunk.valid().as_bytes());
            }
            self.bytes.extend(chunk.invalid().iter().map(|&byte| byte.min(NOT_UTF8)));
        }
    }
}

/// Reads the sequences of a task.
pub(super) struct Sequence<'a> {
    bytes: &'a [u8],
    offsets: &'a [usize],
    /// Where the next byte is, and the end of the present sequence and of the task.
    at: usize,
    end: usize,
    limit: usize,
}

impl Source for Text<'_> {
    type Segment = Task;
    type Cursor<'a>
        = Sequence<'a>
    where
        Self: 'a;

    fn open<'a>(&'a self, number: usize, task: &'a Task) -> Sequence<'a> {
        let Sequences { bytes, offsets } = self.sequences;
        if self.suspects.any(&bytes[task.bytes.clone()]) {
            let Rewritten { bytes, offsets, .. } = self.rewritten[number].get_or_init(|| self.rewrite(task));
            return Sequence { bytes, offsets: &offsets[1..], at: 0, end: offsets[1], limit: bytes.len() };
        }
        let offsets = &offsets[task.sequences.start + 1..=task.sequences.end];
        let Range { start, end } = task.bytes;
        Sequence { bytes, offsets, at: start, end: offsets[0].min(end), limit: end }
    }
}

impl Cursor for Sequence<'_> {
    const SEPARATOR: u8 = END;
    const EVERY_END: bool = true;

    fn left(&self) -> u64 {
        (self.end - self.at) as u64
    }

    fn read(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.bytes[self.at..self.at + bytes.len()]);
        self.at += bytes.len();
    }

    fn unread(&mut self, count: usize) {
        self.at -= count;
    }

    fn advance(&mut self) -> bool {
        self.offsets = &self.offsets[1..];
        self.at = self.end;
        let Some(&end) = self.offsets.first() else { return false };
        self.end = end.min(self.limit);
        true
    }
}

/// Where the first unknown letter is that no special token covers.
pub(super) fn first_unknown(bytes: &[u8], specials: &[(usize, usize)], letters: &Letters) -> Option<usize> {
    let is_covered = |at| {
        let after = specials.partition_point(|&(_, end)| end <= at);
        specials.get(after).is_some_and(|&(start, _)| start <= at)
    };
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for (offset, character) in chunk.valid().char_indices() {
            if letters.symbol_of(character) == UNKNOWN && !is_covered(at + offset) {
                return Some(at + offset);
            }
        }
        at += chunk.valid().len();
        if let Some(bad) = chunk.invalid().iter().position(|&byte| !is_continuation(byte)) {
            return Some(at + bad);
        }
        at += chunk.invalid().len();
    }
    None
}
