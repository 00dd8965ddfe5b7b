//! The automaton over long texts: in pieces, several at a time, in bounded memory.
//!
//! # Blocks
//!
//! A *lane* walks through one segment of the text in blocks of some thousand bases. Forward, the automaton runs over
//! the block and keeps every state; backward, the tokens are read off. A block may hold many words: between them, and
//! in front, stands the separator, which leads to the start state, whose step is the separator again, so that both
//! loops run through word ends without noticing. A block that ends inside a word needs a place to stop.
//!
//! # Where a block may stop
//!
//! Whatever follows, the true encoding has a boundary in any window as long as the longest token. So walk back from
//! every position of the last such window of the block: where all walks have met is a boundary of the true encoding.
//! By fact 1 of [`super`] the word may be cut there, and the next block begins with the bases after it. There is no
//! bound on how far back the walks meet; if they have not met inside the block, the block is made longer.
//!
//! # Four lanes
//!
//! The next state cannot be looked up before the last look-up is done, so a single lane waits for the cache most of
//! the time. Four lanes advance in step in one thread and hide each other's waiting; so do the four walks back.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::automaton::{AnyAutomaton, Automaton, StateId, Step};
use super::heap::HeapEncoder;
use super::seams::segments;
use super::{MergeTable, NUM_BASES, Pair, Token};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::monitor::Monitor;

/// Lanes that advance in step in one thread.
pub const LANES: usize = 4;
/// Bases in a block, unless tokens are very long.
const BLOCK: usize = 8192;
/// The symbol between words, and how many symbols there are: corpora hold DNA.
#[allow(clippy::cast_possible_truncation)] // it is 4
const SEPARATOR: u8 = NUM_BASES as u8;
const SYMBOLS: usize = NUM_BASES as usize + 1;

/// Words to encode: those of some corpora, cut into pieces, on one strand.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The corpora.
    pub corpora: &'a [Corpus],
    /// Bases at which words are cut, from their start on.
    pub word_length: Option<u64>,
    /// Each piece is read as its reverse complement.
    pub reverse: bool,
}

/// A part of one corpus that begins and ends where words may be cut, in bases of its arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which corpus.
    pub corpus: usize,
    /// From where to where.
    pub range: Range<u64>,
}

/// Segments that threads take one after the other.
#[derive(Debug)]
pub struct Queue {
    segments: Vec<Segment>,
    next: AtomicUsize,
}

impl Queue {
    /// A queue of these segments.
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments, next: AtomicUsize::new(0) }
    }

    fn take(&self) -> Option<&Segment> {
        self.segments.get(self.next.fetch_add(1, Relaxed))
    }
}

/// What takes the tokens.
pub trait Sink {
    /// The next tokens of the word that `lane` is in, or, unless `continuing`, of a new one. Words within are separated
    /// by the automaton's separator.
    fn tokens(&mut self, lane: usize, tokens: &[Token], continuing: bool);
    /// The segment of `lane` is done.
    fn end(&mut self, lane: usize);
    /// All lanes have advanced by a block.
    fn block(&mut self) {}
}

/// The encoder of a merge table: its automaton, or the heap where it has none.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// An automaton of at most 65,536 states.
    Narrow(Automaton<u16>),
    /// An automaton of more.
    Wide(Automaton<u32>),
    /// The heap, for tables that training does not make or whose automaton would be too large.
    Heap(HeapEncoder),
}

impl Encoder {
    /// Builds the automaton, or falls back to the heap.
    pub fn new(table: &MergeTable) -> Self {
        match AnyAutomaton::build(table) {
            Ok(AnyAutomaton::Narrow(automaton)) => Self::Narrow(automaton),
            Ok(AnyAutomaton::Wide(automaton)) => Self::Wide(automaton),
            Err(_) => Self::Heap(HeapEncoder::new(table)),
        }
    }

    /// The tokens of one word, from its base codes.
    pub fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Narrow(automaton) => automaton.encode(codes),
            Self::Wide(automaton) => automaton.encode(codes),
            Self::Heap(heap) => heap.encode(codes),
        }
    }

    /// Cuts a text for threads to share: see [`segments`]. The heap has no seams and cuts between words only.
    pub fn segments(
        &self,
        text: Text<'_>,
        bases: u64,
        may_part: impl Fn(Pair) -> bool + Sync,
    ) -> (Vec<Segment>, Vec<Pair>) {
        match self {
            Self::Narrow(automaton) => segments(automaton, text, bases, may_part),
            Self::Wide(automaton) => segments(automaton, text, bases, may_part),
            Self::Heap(..) => (whole_words(text), Vec::new()),
        }
    }

    /// Encodes the segments of `queue`, as one of the threads that do: see [`run`].
    pub fn run(&self, text: Text<'_>, queue: &Queue, sink: &mut impl Sink, monitor: &Monitor) -> Result<()> {
        match self {
            Self::Narrow(automaton) => run(automaton, text, queue, sink, monitor),
            Self::Wide(automaton) => run(automaton, text, queue, sink, monitor),
            Self::Heap(heap) => run_heap(heap, text, queue, sink, monitor),
        }
    }
}

/// One segment a word.
fn whole_words(text: Text<'_>) -> Vec<Segment> {
    let words = |corpus: &Corpus| (0..corpus.num_words()).map(|word| corpus.word(word)).collect::<Vec<_>>();
    let numbered = text.corpora.iter().map(words).enumerate();
    numbered
        .flat_map(|(corpus, words)| words.into_iter().map(move |range| Segment { corpus, range }))
        .collect()
}

/// The slow way through a text: a piece at a time, in one lane.
fn run_heap(
    heap: &HeapEncoder,
    text: Text<'_>,
    queue: &Queue,
    sink: &mut impl Sink,
    monitor: &Monitor,
) -> Result<()> {
    let mut codes = Vec::new();
    while let Some(segment) = queue.take() {
        let mut cursor = Cursor::new(text, segment);
        loop {
            monitor.check()?;
            codes.resize(usize::try_from(cursor.left()).unwrap_or(usize::MAX), 0);
            cursor.read(&mut codes);
            monitor.add_bases(codes.len() as u64);
            sink.tokens(0, &heap.encode(&codes), false);
            sink.block();
            if !cursor.advance() {
                break;
            }
        }
        sink.end(0);
    }
    Ok(())
}

/// Reads the pieces of a segment, base by base.
struct Cursor<'a> {
    text: Text<'a>,
    corpus: &'a Corpus,
    word: usize,
    piece: Range<u64>,
    /// Bases of the piece that are read already, in reading direction.
    offset: u64,
    end: u64,
}

impl<'a> Cursor<'a> {
    fn new(text: Text<'a>, segment: &Segment) -> Self {
        let corpus = &text.corpora[segment.corpus];
        let word = corpus.word_after(segment.range.start);
        let mut this = Self { text, corpus, word, piece: 0..0, offset: 0, end: segment.range.end };
        this.piece = this.piece_from(segment.range.start);
        this
    }

    /// The rest, from `position` on, of the piece of the present word that `position` is in or before.
    fn piece_from(&self, position: u64) -> Range<u64> {
        let Range { start, end } = self.text.piece(self.corpus, self.word, position);
        start.max(position)..end.min(self.end)
    }

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

    /// Goes to the next piece; false at the end of the segment.
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

impl Text<'_> {
    /// The piece of word `word` that `position` is in, or its first one.
    pub(super) fn piece(&self, corpus: &Corpus, word: usize, position: u64) -> Range<u64> {
        let Range { start, end } = corpus.word(word);
        let Some(length) = self.word_length else { return start..end };
        let start = start + position.saturating_sub(start) / length * length;
        start..(start + length).min(end)
    }
}

/// One of the streams that advance in step.
struct Lane<'a, S> {
    cursor: Option<Cursor<'a>>,
    codes: Vec<u8>,
    states: Vec<S>,
    tokens: Vec<Token>,
    /// Symbols in the block, with the separator in front.
    filled: usize,
    /// Where the word that the block ends in begins (its separator), if it ends in one.
    open: Option<usize>,
    /// The block begins inside a word.
    continuing: bool,
}

impl<S: StateId> Lane<'_, S> {
    fn new() -> Self {
        Self {
            cursor: None,
            codes: Vec::new(),
            states: Vec::new(),
            tokens: Vec::new(),
            filled: 1,
            open: None,
            continuing: false,
        }
    }

    fn resize(&mut self, block: usize) {
        self.codes.resize(block, SEPARATOR);
        self.states.resize(block, S::default());
        self.tokens.resize(block, 0);
    }

    /// Fills the block from the cursor; what is left over becomes separators.
    fn fill(&mut self) {
        let block = self.codes.len();
        (self.filled, self.open) = (1, None);
        let mut word = 0;
        while let Some(cursor) = &mut self.cursor {
            let room = block - self.filled;
            let take = usize::try_from(cursor.left()).unwrap_or(usize::MAX).min(room);
            cursor.read(&mut self.codes[self.filled..self.filled + take]);
            self.filled += take;
            if cursor.left() > 0 {
                self.open = Some(word);
                break;
            }
            if !cursor.advance() {
                self.cursor = None;
            } else if self.filled < block {
                word = self.filled;
                self.codes[self.filled] = SEPARATOR;
                self.filled += 1;
            } else {
                break;
            }
        }
        self.codes[self.filled..].fill(SEPARATOR);
    }

    /// The position to walk back from: the end of the block, or the last final boundary of the open word. `None` if
    /// there is none to be found.
    fn settle(&mut self, automaton: &Automaton<S>, marks: &mut Vec<bool>) -> Option<usize> {
        let last = self.filled - 1;
        let Some(word) = self.open else { return Some(last) };
        let end = final_boundary(automaton, &self.states[..self.filled], word, marks)?;
        if let Some(cursor) = &mut self.cursor {
            cursor.offset -= (last - end) as u64;
        }
        (end > 0).then_some(end)
    }

    /// Reads the tokens of the block back from `end`; they stand at the end of `tokens`, from the place returned.
    fn walk(&mut self, automaton: &Automaton<S>, mut end: usize, mut first: usize) -> usize {
        while end > 0 {
            let Step { token, length } = automaton.steps[self.states[end].index()];
            first -= 1;
            self.tokens[first] = token;
            end -= length as usize;
        }
        first
    }
}

/// The last position that every encoding, however the word goes on, has a boundary at; `None` if that would lie before
/// the first state. `word` is where the word starts, and the first state is that of the first position known.
pub(super) fn final_boundary<S: StateId>(
    automaton: &Automaton<S>,
    states: &[S],
    word: usize,
    marks: &mut Vec<bool>,
) -> Option<usize> {
    let last = states.len() - 1;
    let low = (last + 1).saturating_sub(automaton.longest).max(word);
    if marks.len() <= last {
        marks.resize(last + 1, false);
    }
    marks[low..=last].fill(true);
    let mut marked = last + 1 - low;
    let mut at = last;
    loop {
        if marks[at] {
            marks[at] = false;
            if marked == 1 {
                return Some(at);
            }
            let Some(to) = at.checked_sub(automaton.steps[states[at].index()].length as usize) else {
                marks[..=at].fill(false);
                return None;
            };
            marked -= usize::from(std::mem::replace(&mut marks[to], true));
        }
        at -= 1;
    }
}

/// Runs the automaton over the segments of `queue`, as one of the threads that do.
///
/// Memory: some hundred kilobytes, more if tokens are longer than a thousand bases.
pub fn run<S: StateId>(
    automaton: &Automaton<S>,
    text: Text<'_>,
    queue: &Queue,
    sink: &mut impl Sink,
    monitor: &Monitor,
) -> Result<()> {
    let mut lanes: [Lane<'_, S>; LANES] = std::array::from_fn(|_| Lane::new());
    let mut marks = Vec::new();
    let mut block = BLOCK.max(4 * automaton.longest);
    loop {
        monitor.check()?;
        for lane in &mut lanes {
            lane.resize(block);
            if lane.cursor.is_none() {
                lane.cursor = queue.take().map(|segment| Cursor::new(text, segment));
                lane.continuing = false;
            }
            lane.fill();
        }
        if lanes.iter().all(|lane| lane.filled == 1) {
            return Ok(());
        }
        forward(automaton, &mut lanes);
        let ends = lanes.each_mut().map(|lane| lane.settle(automaton, &mut marks));
        let firsts = backward(automaton, &mut lanes, ends.map(|end| end.unwrap_or(0)));
        for (number, (lane, (end, first))) in lanes.iter_mut().zip(ends.into_iter().zip(firsts)).enumerate() {
            let Some(end) = end else {
                block = lane.codes.len() * 2;
                continue;
            };
            if lane.filled > 1 {
                monitor.add_bases(end as u64);
                sink.tokens(number, &lane.tokens[first..], lane.continuing);
                lane.continuing = lane.open.is_some_and(|word| end > word);
                if lane.cursor.is_none() {
                    sink.end(number);
                }
            }
        }
        sink.block();
    }
}

fn forward<S: StateId>(automaton: &Automaton<S>, lanes: &mut [Lane<'_, S>; LANES]) {
    let next = &automaton.next[..];
    let [a, b, c, d] = lanes;
    let (mut s, mut t, mut u, mut v) = (S::default(), S::default(), S::default(), S::default());
    let rows: [usize; SYMBOLS] = std::array::from_fn(|symbol| symbol * automaton.steps.len());
    let step = |state: S, code: u8| next[rows[code as usize] + state.index()];
    let ab = a.codes.iter().zip(&mut a.states).zip(b.codes.iter().zip(&mut b.states));
    let cd = c.codes.iter().zip(&mut c.states).zip(d.codes.iter().zip(&mut d.states));
    for (((ca, sa), (cb, sb)), ((cc, sc), (cd, sd))) in ab.zip(cd) {
        s = step(s, *ca);
        t = step(t, *cb);
        u = step(u, *cc);
        v = step(v, *cd);
        (*sa, *sb, *sc, *sd) = (s, t, u, v);
    }
}

fn backward<S: StateId>(
    automaton: &Automaton<S>,
    lanes: &mut [Lane<'_, S>; LANES],
    mut ends: [usize; LANES],
) -> [usize; LANES] {
    let steps = &automaton.steps[..];
    let mut first = lanes[0].tokens.len();
    {
        let [a, b, c, d] = &mut *lanes;
        let step = |lane: &mut Lane<'_, S>, end: &mut usize, first: usize| {
            let Step { token, length } = steps[lane.states[*end].index()];
            lane.tokens[first] = token;
            *end -= length as usize;
        };
        let [ea, eb, ec, ed] = &mut ends;
        while *ea > 0 && *eb > 0 && *ec > 0 && *ed > 0 {
            first -= 1;
            step(a, ea, first);
            step(b, eb, first);
            step(c, ec, first);
            step(d, ed, first);
        }
    }
    let mut firsts = [first; LANES];
    for ((lane, end), first) in lanes.iter_mut().zip(ends).zip(&mut firsts) {
        *first = lane.walk(automaton, end, *first);
    }
    firsts
}
