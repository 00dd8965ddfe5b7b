//! The encoder of a merge table over the words of corpora: its automaton, or the heap where there
//! is none.

use super::automaton::{AnyAutomaton, Automaton};
use super::corpus_text::{CorpusText, Segment, whole_words};
use super::heap::HeapEncoder;
use super::lanes::{BLOCK, run};
use super::no_automaton::NoAutomaton;
use super::seams::segments;
use super::stream::{SegmentQueue, TokenSink, WordCursor, WordSource};
use crate::bpe::{MergeTable, Pair, Token};
use crate::error::Result;
use crate::monitor::Monitor;

/// The encoder of a merge table: its automaton, or the heap where it has none.
///
/// It reads base codes, as corpora hold them. Trainers build one in each round; `marked` is its
/// counterpart for text.
#[derive(Clone, Debug)]
pub enum MergeEncoder {
    /// An automaton of at most 65,536 states.
    Narrow(Automaton<u16>),
    /// An automaton of more.
    Wide(Automaton<u32>),
    /// The heap, which is slower by far, and why there is no automaton.
    Heap(HeapEncoder, NoAutomaton),
}

impl MergeEncoder {
    /// Builds the automaton, or falls back to the heap;
    /// [`why_no_automaton`](Self::why_no_automaton) says why.
    pub fn new(table: &MergeTable) -> Self {
        match AnyAutomaton::build(table) {
            Ok(AnyAutomaton::Narrow(automaton)) => Self::Narrow(automaton),
            Ok(AnyAutomaton::Wide(automaton)) => Self::Wide(automaton),
            Err(reason) => Self::Heap(HeapEncoder::new(table), reason),
        }
    }

    /// Why encoding is slow; `None` if there is an automaton.
    pub fn why_no_automaton(&self) -> Option<&NoAutomaton> {
        match self {
            Self::Narrow(_) | Self::Wide(_) => None,
            Self::Heap(_, reason) => Some(reason),
        }
    }

    /// The tokens of one word, from its base codes.
    pub fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Narrow(automaton) => automaton.over_codes().encode(codes),
            Self::Wide(automaton) => automaton.over_codes().encode(codes),
            Self::Heap(heap, _) => heap.encode(codes),
        }
    }

    /// Cuts a text for threads to share: see `seams`. The heap has no seams and cuts between words
    /// only.
    pub fn segments(
        &self,
        text: CorpusText<'_>,
        bases: u64,
        may_cut: impl Fn(Pair) -> bool + Sync,
    ) -> (Vec<Segment>, Vec<Pair>) {
        match self {
            Self::Narrow(automaton) => segments(automaton, text, bases, may_cut),
            Self::Wide(automaton) => segments(automaton, text, bases, may_cut),
            Self::Heap(..) => (whole_words(text), Vec::new()),
        }
    }

    /// Encodes the segments of `queue`, as one of the threads that do: see [`lanes`](super::lanes).
    pub fn run(
        &self,
        text: CorpusText<'_>,
        queue: &SegmentQueue<Segment>,
        sink: &mut impl TokenSink,
        monitor: &Monitor,
    ) -> Result<()> {
        match self {
            Self::Narrow(automaton) => {
                run(&automaton.over_codes(), &text, queue, sink, monitor, BLOCK.max(4 * automaton.longest))
            }
            Self::Wide(automaton) => {
                run(&automaton.over_codes(), &text, queue, sink, monitor, BLOCK.max(4 * automaton.longest))
            }
            Self::Heap(heap, _) => run_heap(heap, text, queue, sink, monitor),
        }
    }
}

/// The slow way through a text: a piece at a time, in lane 0. Memory: that of the heap for the
/// longest piece.
fn run_heap(
    heap: &HeapEncoder,
    text: CorpusText<'_>,
    queue: &SegmentQueue<Segment>,
    sink: &mut impl TokenSink,
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
