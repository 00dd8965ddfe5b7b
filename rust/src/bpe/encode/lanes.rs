//! The automaton over long texts: in pieces, several at a time, in bounded memory.
//!
//! # Blocks
//!
//! A *lane* walks through one segment of the text in blocks of some thousand bases. Forward, the
//! automaton runs over the block and keeps every state; backward, the tokens are read off. A block
//! may hold many words: between them, and in front, stands the separator, which leads to the start
//! state, whose output is the separator again, so that both loops run through the ends of words
//! without a test. A block that ends inside a word needs a place to stop.
//!
//! ```text
//! bytes    |  A  C  G  T  |  C  C  A  G      | the separator; the second word is open at the end
//! states   0  .  .  .  .  0  .  .  .  .      the start state after each separator
//! tokens                     AC GT |  C      read off from the last boundary that is final
//! next     |  C  A  G  ...                   the rest of the open word is read again, from there
//! ```
//!
//! # Where a block may stop
//!
//! Whatever follows, the true encoding has a boundary in any window as long as the longest token.
//! So walk back from every position of the last such window of the block: where all walks have met
//! is a boundary of the true encoding. By fact 1 of [`crate::bpe`] the word may be cut there, and
//! the next block starts with the bases after it. There is no bound on how far back the walks meet;
//! if they have not met inside the block, the block is made longer.
//!
//! # Eight lanes
//!
//! The next state cannot be looked up before the last look-up is done, so a single lane waits for
//! the L2 cache most of the time. Eight lanes advance in step in one thread and hide each other's
//! latency; so do the eight walks back. Their buffers lie in one piece of memory at a distance that
//! is known at compile time, so that all lanes share a few registers. Fewer lanes with buffers of
//! their own were tried: beyond four the compiler runs out of registers, and four reach four fifths
//! of this throughput. `cargo bench --bench encode` measures it.

use super::machine::{Machine, StateId, StateOutput};
use super::stream::{SegmentQueue, TokenSink, WordCursor, WordSource};
use crate::error::Result;
use crate::monitor::Monitor;

/// Lanes that advance in step in one thread.
pub const LANES: usize = 8;
/// Bases from one lane's buffers to the next, where blocks are of the usual length: three cache
/// lines of bytes more than a block, since lanes at a distance of a power of two would compete for
/// the same sets of the cache.
const STRIDE: usize = BLOCK + 64 * 3;
/// Bases in a block, unless tokens are very long: eight lanes of bytes, states and tokens take 90
/// to 160 KB, and fit into an L2 cache beside the transition table.
pub(crate) const BLOCK: usize = 2048;

/// What all lanes read and write, lane after lane, `stride` apart. Lane `i` has the entries from
/// `i * stride` on.
struct Buffers<S, T> {
    stride: usize,
    /// The block: a separator, then bases and separators, filled up with separators.
    bytes: Vec<u8>,
    /// The state after each byte.
    states: Vec<S>,
    /// The tokens of the block, at the end of the lane's part: they are found from the last to the
    /// first.
    tokens: Vec<T>,
}

impl<S: StateId, T: Copy + Default> Buffers<S, T> {
    fn new() -> Self {
        Self { stride: 0, bytes: Vec::new(), states: Vec::new(), tokens: Vec::new() }
    }

    /// Makes the parts of all lanes `stride` long. What was in them is lost; between blocks nothing
    /// is kept there.
    fn resize(&mut self, stride: usize, separator: u8) {
        if stride != self.stride {
            self.stride = stride;
            self.bytes = vec![separator; LANES * stride];
            self.states = vec![S::default(); LANES * stride];
            self.tokens = vec![T::default(); LANES * stride];
        }
    }

    /// The part of `lane` in one of the buffers.
    fn of<'a, X>(&self, all: &'a [X], lane: usize) -> &'a [X] {
        &all[lane * self.stride..][..self.stride]
    }
}

/// One of the streams that advance in step.
struct Lane<C> {
    /// Reads the segment; `None` when all of it is read.
    cursor: Option<C>,
    /// A segment is being read, or the sink has not seen its end yet.
    active: bool,
    /// Bytes in the block, with the separator in front.
    filled: usize,
    /// The place of the separator in front of the word that the block ends in, if it ends inside
    /// one.
    open: Option<usize>,
    /// The block starts inside a word: what the sink got last was not the end of one.
    continuing: bool,
    /// The last word ended with its block, and the sink must still see a separator
    /// ([`WordCursor::EVERY_END`]).
    owing: bool,
}

impl<C: WordCursor> Lane<C> {
    fn new() -> Self {
        Self { cursor: None, active: false, filled: 1, open: None, continuing: false, owing: false }
    }

    /// Fills the block from the cursor; what is left over becomes separators.
    ///
    /// Invariant: `bytes[..filled]` is the separator in front and then words with one separator
    /// between two, and `word` is the place of the separator before the last of them. The cursor is
    /// behind the last byte taken.
    fn fill(&mut self, bytes: &mut [u8]) {
        let block = bytes.len();
        let mut word = usize::from(self.owing);
        (self.filled, self.open) = (1 + word, None);
        bytes[word] = C::SEPARATOR;
        self.owing = false;
        while let Some(cursor) = &mut self.cursor {
            let free = block - self.filled;
            let take = usize::try_from(cursor.left()).unwrap_or(usize::MAX).min(free);
            cursor.read(&mut bytes[self.filled..self.filled + take]);
            self.filled += take;
            if cursor.left() > 0 {
                self.open = Some(word);
                break;
            }
            if !cursor.advance() {
                self.cursor = None;
            } else if self.filled < block {
                word = self.filled;
                bytes[self.filled] = C::SEPARATOR;
                self.filled += 1;
            } else {
                self.owing = C::EVERY_END;
                break;
            }
        }
        bytes[self.filled..].fill(C::SEPARATOR);
    }

    /// The position to walk back from: the end of the block, or the last final boundary of the open
    /// word; the cursor goes back to it. `None` if there is none in the block, or only its start,
    /// so that a longer block is needed.
    fn settle<S: StateId, O: StateOutput>(
        &mut self,
        machine: &Machine<'_, S, O>,
        states: &[S],
        marks: &mut Vec<bool>,
    ) -> Option<usize> {
        let last = self.filled - 1;
        let Some(word) = self.open else { return Some(last) };
        let end = final_boundary(machine, &states[..self.filled], word, marks)?;
        if let Some(cursor) = &mut self.cursor {
            cursor.unread(last - end);
        }
        (end > 0).then_some(end)
    }
}

/// The last position that every encoding, however the word goes on, has a boundary at; `None` if
/// that would lie before the first state. `word` is where the word starts, and the first state is
/// that of the first position known.
///
/// Invariant of the loop: `marks` is set where some walk back has arrived and not yet moved on,
/// `marked` counts these places, and none is behind `at`. The walk at the highest place moves
/// first, so walks that meet become one mark; when one mark is left, all have met there. Time: the
/// distance from the end to that place. On return no mark is set, so that `marks` is a scratch
/// buffer for the next call.
pub(super) fn final_boundary<S: StateId, O: StateOutput>(
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

/// Runs the automaton over the segments of `queue`, as one of the threads that do, in blocks of
/// `block` bytes or more.
///
/// Invariant of the loop: what the sink has got of a lane is the true encoding of its segment up to
/// a boundary, and the cursor stands at that boundary. A block starts there from the start state,
/// which is right by fact 1 of [`crate::bpe`]. A lane that finds no boundary in its block has sent
/// nothing and gets the same bases again, in a block twice as long; `unread` has put them back, as
/// its `end` is the start of the block.
///
/// Memory: some hundred kilobytes, more if tokens are longer than a thousand bases. Each thread has
/// its own.
pub(crate) fn run<S: StateId, O: StateOutput, R: WordSource>(
    machine: &Machine<'_, S, O>,
    source: &R,
    queue: &SegmentQueue<R::Segment>,
    sink: &mut impl TokenSink<O::Token>,
    monitor: &Monitor,
    block: usize,
) -> Result<()> {
    let mut lanes: [Lane<R::Cursor<'_>>; LANES] = std::array::from_fn(|_| Lane::new());
    let mut buffers: Buffers<S, O::Token> = Buffers::new();
    let mut marks = Vec::new();
    let mut block = if block == BLOCK { STRIDE } else { block.max(2) };
    loop {
        monitor.check()?;
        buffers.resize(block, <R::Cursor<'_> as WordCursor>::SEPARATOR);
        for (number, lane) in lanes.iter_mut().enumerate() {
            let taken = if lane.active { None } else { queue.take() };
            if let Some((place, segment)) = taken {
                sink.start(number, place);
                lane.cursor = Some(source.open(place, segment));
                (lane.active, lane.continuing) = (true, false);
            }
            if lane.active {
                lane.fill(&mut buffers.bytes[number * block..][..block]);
            }
        }
        let Some(last) = lanes.iter().rposition(|lane| lane.active) else { return Ok(()) };
        let used = last + 1;
        forward(machine, &mut buffers, used);
        let mut ends = [Some(0); LANES];
        for (number, (lane, end)) in
            lanes.iter_mut().zip(&mut ends).enumerate().filter(|(_, (lane, _))| lane.active)
        {
            *end = lane.settle(machine, buffers.of(&buffers.states, number), &mut marks);
        }
        let firsts = backward(machine.outputs, &mut buffers, ends.map(|end| end.unwrap_or(0)), used);
        let mut next = block;
        let found = lanes.iter_mut().zip(ends.into_iter().zip(firsts)).enumerate().take(used);
        for (number, (lane, (end, first))) in found {
            let Some(end) = end else {
                next = block * 2;
                continue;
            };
            if lane.active {
                monitor.add_bases(end as u64);
                sink.tokens(number, &buffers.of(&buffers.tokens, number)[first..], lane.continuing);
                lane.continuing = lane.open.is_some_and(|word| end > word);
                if lane.cursor.is_none() {
                    lane.active = false;
                    sink.end(number);
                }
            }
        }
        block = next;
        sink.block();
    }
}

/// Runs the first `used` lanes over their blocks: in step, if most of them are used.
///
/// Invariant: `states[i]` is the state after `bytes[..=i]` of the lane, from the start state on. In
/// step, lanes that are not used read what is left in their bytes, and nobody reads their states.
/// The constant stride and the arrays of known length are what lets the compiler keep all eight
/// states in registers and drop all bounds checks.
fn forward<S: StateId, O, T>(machine: &Machine<'_, S, O>, buffers: &mut Buffers<S, T>, used: usize) {
    let Buffers { stride, bytes, states, .. } = buffers;
    let step = |state: S, byte: u8| state.step(machine.rows[usize::from(byte)]);
    if 2 * used > LANES
        && *stride == STRIDE
        && let (Some(bytes), Some(states)) = (all_lanes(bytes), all_lanes_mut(states))
    {
        let mut now = [S::default(); LANES];
        for at in 0..STRIDE {
            for lane in 0..LANES {
                now[lane] = step(now[lane], bytes[lane * STRIDE + at]);
                states[lane * STRIDE + at] = now[lane];
            }
        }
        return;
    }
    for (bytes, states) in bytes.chunks(*stride).zip(states.chunks_mut(*stride)).take(used) {
        let mut now = S::default();
        for (&byte, state) in bytes.iter().zip(states) {
            now = step(now, byte);
            *state = now;
        }
    }
}

/// Reads the tokens of the first `used` lanes off their states, from `ends` back to the start.
/// Returns where in the lanes' tokens the first one is.
///
/// Invariant: `ends[lane]` is a boundary of the lane's encoding, and its tokens from there on lie
/// at the end of its part. The separator at place 0 is not read: it is the one in front. All lanes
/// write at the same distance from the end, so one counter serves them as long as none is done.
fn backward<S: StateId, O: StateOutput>(
    outputs: &[O],
    buffers: &mut Buffers<S, O::Token>,
    mut ends: [usize; LANES],
    used: usize,
) -> [usize; LANES] {
    let Buffers { stride, states, tokens, .. } = buffers;
    let mut first = *stride;
    if used == LANES
        && *stride == STRIDE
        && let (Some(states), Some(tokens)) = (all_lanes(states), all_lanes_mut(tokens))
    {
        while ends.iter().all(|&end| end > 0) {
            first -= 1;
            for lane in 0..LANES {
                let output = outputs[states[lane * STRIDE + ends[lane]].index()];
                tokens[lane * STRIDE + first] = output.token();
                ends[lane] -= output.length();
            }
        }
    }
    // Lanes with more tokens, as in a stretch of N, go on, still in step.
    let mut firsts = [first; LANES];
    while ends.iter().any(|&end| end > 0) {
        for (lane, (end, first)) in ends.iter_mut().zip(&mut firsts).enumerate().take(used) {
            if *end > 0 {
                *first -= 1;
                let output = outputs[states[lane * *stride + *end].index()];
                tokens[lane * *stride + *first] = output.token();
                *end -= output.length();
            }
        }
    }
    firsts
}

/// All lanes' buffers as an array, in which the distance between two lanes is known to the
/// compiler.
fn all_lanes<X>(buffer: &[X]) -> Option<&[X; LANES * STRIDE]> {
    buffer.first_chunk()
}

/// Likewise, to be written.
fn all_lanes_mut<X>(buffer: &mut [X]) -> Option<&mut [X; LANES * STRIDE]> {
    buffer.first_chunk_mut()
}
