//! The traits between the lanes and what they read and write: sources, cursors, queues and sinks.
//!
//! The trainer reads words of corpora, a batch reads bytes in memory; one counts the tokens, the
//! other turns them into ids. All calls are per block or per word, none per base, and all are
//! resolved at compile time: the lanes exist once in the source and once for each combination in
//! the program.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::bpe::Token;

/// A text of words, which threads read a segment at a time.
pub trait WordSource: Sync {
    /// A part whose ends are ends of words, or token boundaries of the encoding of the whole text.
    type Segment: Sync;
    /// What reads a segment.
    type Cursor<'a>: WordCursor
    where
        Self: 'a;

    /// A cursor at the start of `segment`, which has this number in its queue.
    fn open<'a>(&'a self, number: usize, segment: &'a Self::Segment) -> Self::Cursor<'a>;
}

/// Reads the words of a segment, one after the other, as bytes that a
/// [`Machine`](super::machine::Machine) has rows for.
pub trait WordCursor {
    /// The byte that stands between words.
    const SEPARATOR: u8;
    /// Whether the sink must see a separator between any two words. If not, none is sent where a
    /// word ends with its block: that the next block starts a new word is enough.
    const EVERY_END: bool;

    /// Bytes of the present word that are still to be read.
    fn left(&self) -> u64;
    /// Fills `bytes` with the next of the present word; it has no more than are left.
    fn read(&mut self, bytes: &mut [u8]);
    /// Goes back by `count` bytes of the present word, no more than were read of it.
    fn unread(&mut self, count: usize);
    /// Goes to the next word, when nothing of this one is left; false if there is none.
    fn advance(&mut self) -> bool;
}

/// Segments that threads take one after the other, without waiting: a counter says which is next.
#[derive(Debug)]
pub struct SegmentQueue<T> {
    segments: Vec<T>,
    next: AtomicUsize,
}

impl<T> SegmentQueue<T> {
    /// A queue of these segments.
    pub fn new(segments: Vec<T>) -> Self {
        Self { segments, next: AtomicUsize::new(0) }
    }

    /// All segments, taken or not.
    pub fn segments(&self) -> &[T] {
        &self.segments
    }

    /// The next segment and its number.
    pub(crate) fn take(&self) -> Option<(usize, &T)> {
        let number = self.next.fetch_add(1, Relaxed);
        Some((number, self.segments.get(number)?))
    }
}

/// What consumes the tokens of one thread, of all its lanes.
///
/// The lanes are independent; the calls for one lane are `start`, `tokens` any number of times,
/// `end`. The tokens of one call are the encoding of a part of the text up to a boundary that no
/// later base can move.
pub trait TokenSink<T = Token> {
    /// `lane` starts on the segment of this number.
    fn start(&mut self, _lane: usize, _number: usize) {}
    /// The next tokens of the word that `lane` is in, or, unless `continuing`, of a new one. Words
    /// within are separated by the automaton's separator. Some thousand tokens at most, unless
    /// tokens are very long.
    fn tokens(&mut self, lane: usize, tokens: &[T], continuing: bool);
    /// The segment of `lane` is done.
    fn end(&mut self, lane: usize);
    /// All lanes have advanced by a block: the time to bound memory or report.
    fn block(&mut self) {}
}
