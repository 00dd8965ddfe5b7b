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

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::automaton::{AnyAutomaton, Automaton, Machine, Output, StateId};
use super::heap::HeapEncoder;
use super::seams::segments;
use super::text::whole_words;
pub use super::text::{Segment, Text};
use super::{MergeTable, Pair, Token};
use crate::error::Result;
use crate::monitor::Monitor;

/// Lanes that advance in step in one thread.
pub const LANES: usize = 4;
/// Bases in a block, unless tokens are very long.
pub(crate) const BLOCK: usize = 4096;

/// A text of words, parts of which are read at a time.
pub trait Source: Sync {
    /// A part that begins and ends where words may be cut.
    type Segment: Sync;
    /// What reads a part.
    type Cursor<'a>: Cursor
    where
        Self: 'a;

    /// Begins to read `segment`, which has this number in its queue.
    fn open<'a>(&'a self, number: usize, segment: &'a Self::Segment) -> Self::Cursor<'a>;
}

/// Reads words, one after the other.
pub trait Cursor {
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
pub struct Queue<T = Segment> {
    segments: Vec<T>,
    next: AtomicUsize,
}

impl<T> Queue<T> {
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
pub trait Sink<T = Token> {
    /// `lane` begins the segment of this number.
    fn begin(&mut self, _lane: usize, _number: usize) {}
    /// The next tokens of the word that `lane` is in, or, unless `continuing`, of a new one. Words within are separated
    /// by the automaton's separator.
    fn tokens(&mut self, lane: usize, tokens: &[T], continuing: bool);
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
            Self::Narrow(automaton) => {
                run(&automaton.over_codes(), &text, queue, sink, monitor, BLOCK.max(4 * automaton.longest))
            }
            Self::Wide(automaton) => {
                run(&automaton.over_codes(), &text, queue, sink, monitor, BLOCK.max(4 * automaton.longest))
            }
            Self::Heap(heap) => run_heap(heap, text, queue, sink, monitor),
        }
    }
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
    while let Some((number, segment)) = queue.take() {
        let mut cursor = text.open(number, segment);
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

/// One of the streams that advance in step.
struct Lane<C, S, T> {
    cursor: Option<C>,
    /// A segment is being read, or its end is still to be told.
    active: bool,
    bytes: Vec<u8>,
    states: Vec<S>,
    tokens: Vec<T>,
    /// Bytes in the block, with the separator in front.
    filled: usize,
    /// Where the word that the block ends in begins (its separator), if it ends in one.
    open: Option<usize>,
    /// The block begins inside a word.
    continuing: bool,
    /// A separator is still to come before the present word.
    owing: bool,
}

impl<C: Cursor, S: StateId, T: Copy + Default> Lane<C, S, T> {
    fn new() -> Self {
        Self {
            cursor: None,
            active: false,
            bytes: Vec::new(),
            states: Vec::new(),
            tokens: Vec::new(),
            filled: 1,
            open: None,
            continuing: false,
            owing: false,
        }
    }

    fn resize(&mut self, block: usize) {
        self.bytes.resize(block, C::SEPARATOR);
        self.states.resize(block, S::default());
        self.tokens.resize(block, T::default());
    }

    /// Fills the block from the cursor; what is left over becomes separators.
    fn fill(&mut self) {
        let block = self.bytes.len();
        let mut word = usize::from(self.owing);
        (self.filled, self.open) = (1 + word, None);
        self.bytes[word] = C::SEPARATOR;
        self.owing = false;
        while let Some(cursor) = &mut self.cursor {
            let room = block - self.filled;
            let take = usize::try_from(cursor.left()).unwrap_or(usize::MAX).min(room);
            cursor.read(&mut self.bytes[self.filled..self.filled + take]);
            self.filled += take;
            if cursor.left() > 0 {
                self.open = Some(word);
                break;
            }
            if !cursor.advance() {
                self.cursor = None;
            } else if self.filled < block {
                word = self.filled;
                self.bytes[self.filled] = C::SEPARATOR;
                self.filled += 1;
            } else {
                self.owing = C::EVERY_END;
                break;
            }
        }
        self.bytes[self.filled..].fill(C::SEPARATOR);
    }

    /// The position to walk back from: the end of the block, or the last final boundary of the open word. `None` if
    /// there is none to be found.
    fn settle<O: Output>(&mut self, machine: &Machine<'_, S, O>, marks: &mut Vec<bool>) -> Option<usize> {
        let last = self.filled - 1;
        let Some(word) = self.open else { return Some(last) };
        let end = final_boundary(machine, &self.states[..self.filled], word, marks)?;
        if let Some(cursor) = &mut self.cursor {
            cursor.unread(last - end);
        }
        (end > 0).then_some(end)
    }
}

/// The last position that every encoding, however the word goes on, has a boundary at; `None` if that would lie before
/// the first state. `word` is where the word starts, and the first state is that of the first position known.
pub(super) fn final_boundary<S: StateId, O: Output>(
    machine: &Machine<'_, S, O>,
    states: &[S],
    word: usize,
    marks: &mut Vec<bool>,
) -> Option<usize> {
    let last = states.len() - 1;
    let low = (last + 1).saturating_sub(machine.longest).max(word);
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
            let Some(to) = at.checked_sub(machine.outputs[states[at].index()].length()) else {
                marks[..=at].fill(false);
                return None;
            };
            marked -= usize::from(std::mem::replace(&mut marks[to], true));
        }
        at -= 1;
    }
}

/// Runs the automaton over the segments of `queue`, as one of the threads that do, in blocks of `block` bytes or more.
///
/// Memory: some hundred kilobytes, more if tokens are longer than a thousand bases.
pub(crate) fn run<S: StateId, O: Output, R: Source>(
    machine: &Machine<'_, S, O>,
    source: &R,
    queue: &Queue<R::Segment>,
    sink: &mut impl Sink<O::Token>,
    monitor: &Monitor,
    block: usize,
) -> Result<()> {
    let mut lanes: [Lane<R::Cursor<'_>, S, O::Token>; LANES] = std::array::from_fn(|_| Lane::new());
    let mut marks = Vec::new();
    let mut block = block.max(2);
    loop {
        monitor.check()?;
        for (number, lane) in lanes.iter_mut().enumerate() {
            lane.resize(block);
            let taken = if lane.active { None } else { queue.take() };
            if let Some((place, segment)) = taken {
                sink.begin(number, place);
                lane.cursor = Some(source.open(place, segment));
                (lane.active, lane.continuing) = (true, false);
            }
            lane.fill();
        }
        if lanes.iter().all(|lane| !lane.active) {
            return Ok(());
        }
        forward(machine, &mut lanes);
        let ends = lanes.each_mut().map(|lane| lane.settle(machine, &mut marks));
        let firsts = backward(machine.outputs, &mut lanes, ends.map(|end| end.unwrap_or(0)));
        for (number, (lane, (end, first))) in lanes.iter_mut().zip(ends.into_iter().zip(firsts)).enumerate() {
            let Some(end) = end else {
                block = lane.bytes.len() * 2;
                continue;
            };
            if lane.active {
                monitor.add_bases(end as u64);
                sink.tokens(number, &lane.tokens[first..], lane.continuing);
                lane.continuing = lane.open.is_some_and(|word| end > word);
                if lane.cursor.is_none() {
                    lane.active = false;
                    sink.end(number);
                }
            }
        }
        sink.block();
    }
}

fn forward<C, S: StateId, O, T>(machine: &Machine<'_, S, O>, lanes: &mut [Lane<C, S, T>; LANES]) {
    let [a, b, c, d] = lanes;
    let (mut s, mut t, mut u, mut v) = (S::default(), S::default(), S::default(), S::default());
    let step = |state: S, byte: u8| state.step(machine.rows[usize::from(byte)]);
    let ab = a.bytes.iter().zip(&mut a.states).zip(b.bytes.iter().zip(&mut b.states));
    let cd = c.bytes.iter().zip(&mut c.states).zip(d.bytes.iter().zip(&mut d.states));
    for (((ca, sa), (cb, sb)), ((cc, sc), (cd, sd))) in ab.zip(cd) {
        s = step(s, *ca);
        t = step(t, *cb);
        u = step(u, *cc);
        v = step(v, *cd);
        (*sa, *sb, *sc, *sd) = (s, t, u, v);
    }
}

fn backward<C: Cursor, S: StateId, O: Output>(
    outputs: &[O],
    lanes: &mut [Lane<C, S, O::Token>; LANES],
    mut ends: [usize; LANES],
) -> [usize; LANES] {
    let mut first = lanes[0].tokens.len();
    {
        let [a, b, c, d] = &mut *lanes;
        let step = |lane: &mut Lane<C, S, O::Token>, end: &mut usize, first: usize| {
            let output = outputs[lane.states[*end].index()];
            lane.tokens[first] = output.token();
            *end -= output.length();
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
    // Lanes with more tokens, as in a stretch of N, go on, still in step.
    let mut firsts = [first; LANES];
    while ends.iter().any(|&end| end > 0) {
        for ((lane, end), first) in lanes.iter_mut().zip(&mut ends).zip(&mut firsts) {
            if *end > 0 {
                *first -= 1;
                let output = outputs[lane.states[*end].index()];
                lane.tokens[*first] = output.token();
                *end -= output.length();
            }
        }
    }
    firsts
}
