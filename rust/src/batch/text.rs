//! Plain sequences as the lanes read them.
//!
//! Within a task sequences are separated by a byte that ASCII does not have, and so no plain text either. Bytes are copied
//! as they are: what each means, [`code_or_mark`] says once for each of the 256, when the machine is made.

use super::Sequences;
use super::tasks::BatchTask;
use crate::bpe::encode::marked::Mark;
use crate::bpe::encode::{WordCursor, WordSource};
use crate::tokenizer::symbols::{DROPPED, SymbolTable, UNKNOWN};

/// Stands between sequences.
const END: u8 = 0xff;

/// What a byte of a task is: the code of a symbol of the alphabet, or a mark.
pub(super) fn code_or_mark(symbols: &SymbolTable, byte: u8) -> Result<u8, Mark> {
    match (byte, symbols.code(byte)) {
        (END, _) => Err(Mark::End),
        (_, DROPPED) => Err(Mark::Dropped),
        (_, code) if code < UNKNOWN => Ok(code),
        _ if symbols.is_lower_case(byte) => Err(Mark::LowerCase),
        _ => Err(Mark::Unknown),
    }
}

/// Bytes that make a text suspect of not being plain: those that added tokens start with, those of which the table of
/// symbols is not sure, and all outside ASCII.
pub(super) struct Suspects {
    first: Vec<u8>,
    is_first: [bool; 256],
}

impl Suspects {
    pub(super) fn new(first: impl Iterator<Item = u8>) -> Self {
        let mut is_first = [false; 256];
        first.for_each(|byte| is_first[usize::from(byte)] = true);
        Self { first: (0..=255).filter(|&byte| is_first[usize::from(byte)]).collect(), is_first }
    }

    /// Whether a byte of some kind is suspect.
    pub(super) fn has(&self, is_of_kind: impl Fn(u8) -> bool) -> bool {
        self.first.iter().any(|&byte| is_of_kind(byte))
    }

    /// Whether there is one.
    ///
    /// Up to two such bytes (`[` and `<`, nearly always) are looked for without branches, 4,096 bytes at a time, so that a
    /// text that is not plain is not read to its end.
    pub(super) fn any(&self, bytes: &[u8]) -> bool {
        let is_any = match self.first[..] {
            [] => |bytes: &[u8], _: [u8; 2]| !bytes.is_ascii(),
            [_] | [_, _] => any_of,
            _ => return bytes.iter().any(|&byte| byte >= 128 || self.is_first[usize::from(byte)]),
        };
        let of = [self.first.first(), self.first.last()].map(|byte| byte.copied().unwrap_or(0));
        bytes.chunks(4096).any(|bytes| is_any(bytes, of))
    }
}

/// Whether one of two bytes occurs, or one outside ASCII: no branch in the loop, so that it takes many at a time.
fn any_of(bytes: &[u8], [a, b]: [u8; 2]) -> bool {
    let is_one = |&byte: &u8| u8::from(byte >= 128) | u8::from(byte == a) | u8::from(byte == b);
    bytes.iter().map(is_one).fold(0, |found, one| found | one) != 0
}

/// All sequences, as the source that the lanes read tasks from.
pub(super) struct BatchText<'a> {
    sequences: Sequences<'a>,
}

impl<'a> BatchText<'a> {
    pub(super) fn new(sequences: Sequences<'a>) -> Self {
        Self { sequences }
    }
}

/// Reads the sequences of a task: the first and the last perhaps in part.
pub(super) struct SequenceCursor<'a> {
    /// Of all sequences.
    bytes: &'a [u8],
    /// The ends of the present sequence and of those after it in the task.
    offsets: &'a [usize],
    /// Where the next byte is, and the end of the present sequence and of the task.
    at: usize,
    end: usize,
    limit: usize,
}

impl WordSource for BatchText<'_> {
    type Segment = BatchTask;
    type Cursor<'a>
        = SequenceCursor<'a>
    where
        Self: 'a;

    fn open<'a>(&'a self, _: usize, task: &'a BatchTask) -> SequenceCursor<'a> {
        let Sequences { bytes, offsets } = self.sequences;
        let offsets = &offsets[task.sequences.start + 1..=task.sequences.end];
        let limit = task.bytes.end;
        SequenceCursor { bytes, offsets, at: task.bytes.start, end: offsets[0].min(limit), limit }
    }
}

impl WordCursor for SequenceCursor<'_> {
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
