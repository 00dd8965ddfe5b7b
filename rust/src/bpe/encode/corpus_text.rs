//! The words of corpora as a text that the lanes read.
//!
//! Words are cut into pieces of a fixed length if that is wanted, and a piece is read forward or as
//! its reverse complement. Positions are bases of the arena, 0-based and half-open.

use std::ops::Range;

use super::stream::{WordCursor, WordSource};
use crate::bpe::NUM_BASES;
use crate::corpus::Corpus;

/// Words to encode: those of some corpora, cut into pieces, on one strand.
#[derive(Clone, Copy, Debug)]
pub struct CorpusText<'a> {
    /// The corpora.
    pub corpora: &'a [Corpus],
    /// Bases in a piece: words are cut every so many, counted from their start. `None` leaves them
    /// whole.
    pub word_length: Option<u64>,
    /// Each piece is read as its reverse complement.
    pub reverse: bool,
}

/// A part of one corpus whose ends are ends of pieces or verified token boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of the corpus in its text.
    pub corpus: usize,
    /// Bases of its arena.
    pub range: Range<u64>,
}

impl WordSource for CorpusText<'_> {
    type Segment = Segment;
    type Cursor<'a>
        = CorpusCursor<'a>
    where
        Self: 'a;

    fn open<'a>(&'a self, _: usize, segment: &'a Segment) -> CorpusCursor<'a> {
        CorpusCursor::new(*self, segment)
    }
}

impl CorpusText<'_> {
    /// The piece of word `word` that `position` is in, or its first one.
    pub(super) fn piece(&self, corpus: &Corpus, word: usize, position: u64) -> Range<u64> {
        let Range { start, end } = corpus.word(word);
        let Some(length) = self.word_length else { return start..end };
        let start = start + position.saturating_sub(start) / length * length;
        start..(start + length).min(end)
    }
}

/// Reads the pieces of a segment, as base codes.
///
/// Invariant: `piece` lies in word number `word` and in the segment. Where the segment cuts a
/// piece, only the rest of the piece is read; on the reverse strand the complement of that rest, so
/// that both halves of a cut piece together are the piece.
#[derive(Debug)]
pub struct CorpusCursor<'a> {
    text: CorpusText<'a>,
    corpus: &'a Corpus,
    word: usize,
    piece: Range<u64>,
    /// Bases of the piece that are read already, in reading direction.
    offset: u64,
    /// The end of the segment.
    end: u64,
}

impl<'a> CorpusCursor<'a> {
    /// A cursor at the start of `segment`.
    fn new(text: CorpusText<'a>, segment: &Segment) -> Self {
        let corpus = &text.corpora[segment.corpus];
        let word = corpus.word_after(segment.range.start);
        let mut this = Self { text, corpus, word, piece: 0..0, offset: 0, end: segment.range.end };
        this.piece = this.piece_from(segment.range.start);
        this
    }

    /// The rest, from `position` on, of the piece of the present word that `position` is in or
    /// before.
    fn piece_from(&self, position: u64) -> Range<u64> {
        let Range { start, end } = self.text.piece(self.corpus, self.word, position);
        start.max(position)..end.min(self.end)
    }
}

impl WordCursor for CorpusCursor<'_> {
    #[allow(clippy::cast_possible_truncation)] // it is 4
    const SEPARATOR: u8 = NUM_BASES as u8;
    const EVERY_END: bool = false;

    fn left(&self) -> u64 {
        self.piece.end - self.piece.start - self.offset
    }

    fn read(&mut self, codes: &mut [u8]) {
        if self.text.reverse {
            self.corpus.unpack_complement(&self.piece, self.offset, codes);
        } else {
            self.corpus.unpack(self.piece.start + self.offset, codes);
        }
        self.offset += codes.len() as u64;
    }

    fn unread(&mut self, count: usize) {
        self.offset -= count as u64;
    }

    fn advance(&mut self) -> bool {
        let position = self.piece.end;
        self.word += usize::from(position == self.corpus.word(self.word).end);
        self.offset = 0;
        if position >= self.end || self.word >= self.corpus.num_words() {
            return false;
        }
        self.piece = self.piece_from(position);
        self.piece.start < self.end
    }
}

/// One segment per word, for an encoder that cannot cut words.
pub(super) fn whole_words(text: CorpusText<'_>) -> Vec<Segment> {
    let words = |corpus: &Corpus| (0..corpus.num_words()).map(|word| corpus.word(word)).collect::<Vec<_>>();
    let numbered = text.corpora.iter().map(words).enumerate();
    numbered
        .flat_map(|(corpus, words)| words.into_iter().map(move |range| Segment { corpus, range }))
        .collect()
}
