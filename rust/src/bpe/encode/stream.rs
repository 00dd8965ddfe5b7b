//! What a text gives to an encoder, and who takes the tokens: sources, cursors, queues and sinks.
//!
//! These are the seams between the lanes and everything around them: the trainer reads words of corpora, a batch
//! reads bytes in memory; one counts the tokens, the other turns them into ids. All calls are per block or per word,
//! none per base, and all are resolved at compile time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::bpe::Token;

/// A text of words, parts of which are read at a time.
pub trait WordSource: Sync {
    /// A part that begins and ends where words may be cut.
    type Segment: Sync;
    /// What reads a part.
    type Cursor<'a>: WordCursor
    where
        Self: 'a;

    /// Begins to read `segment`, which has this number in its queue.
    fn open<'a>(&'a self, number: usize, segment: &'a Self::Segment) -> Self::Cursor<'a>;
}

/// Reads words, one after the other.
pub trait WordCursor {
    /// The byte that stands between words.
    const SEPARATOR: u8;
    /// Whether there must be a separator between any two words, or none is needed where a block ends.
    const EVERY_END: bool;

    /// How much of the present word is still to be read.
    fn left(&self) -> u64;
    /// Reads the next of the present word.
    fn read(&mut self, bytes: &mut [u8]);
    /// Goes back, not further than `count` that were read of the present word.
    fn unread(&mut self, count: usize);
    /// Goes to the next word; false if there is none.
    fn advance(&mut self) -> bool;
}

/// Segments that threads take one after the other.
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

/// What takes the tokens.
pub trait TokenSink<T = Token> {
    /// `lane` begins the segment of this number.
    fn start(&mut self, _lane: usize, _number: usize) {}
    /// The next tokens of the word that `lane` is in, or, unless `continuing`, of a new one. Words within are separated
    /// by the automaton's separator.
    fn tokens(&mut self, lane: usize, tokens: &[T], continuing: bool);
    /// The segment of `lane` is done.
    fn end(&mut self, lane: usize);
    /// All lanes have advanced by a block.
    fn block(&mut self) {}
}
