//! The outputs of all tasks, joined in order while they come.
//!
//! An output waits for those before it. One thread at a time joins outputs; others leave theirs and continue. The memory
//! of an output that was taken over goes to one that is still to come, for fresh memory has its price.
//!
//! Putting outputs together is copying ids, so one thread keeps up with several that encode.
//!
//! # Why none is left behind
//!
//! An output is put among the waiting before its thread tries for the lock on what is joined. If that fails, another thread
//! is joining: it may find the output, or it may just have looked in vain. Then the output stays until some thread adds a
//! later one, and at the latest until [`Joiner::finish`], which runs after all threads are done and takes the rest.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::output::{IdStore, TaskOutput};
use super::{EncodedBatch, Ids};

/// Where threads leave the outputs of tasks. The lock on `joined` is taken first, that on `waiting` within it.
pub(super) struct Joiner<I> {
    waiting: Mutex<Waiting<I>>,
    joined: Mutex<Joined<I>>,
}

struct Waiting<I> {
    /// By `place`.
    outputs: BTreeMap<usize, TaskOutput<I>>,
    /// Empty lists that have memory.
    spare: Vec<I>,
}

/// Outputs that are joined: those of the tasks from 0 up to `next`.
pub(super) struct Joined<I> {
    /// All ids so far.
    pub(super) ids: I,
    /// Where those of each sequence start, and the last end.
    pub(super) offsets: Vec<i64>,
    pub(super) unknown: u64,
    spans: Vec<[i64; 2]>,
    lower_case: u64,
    /// Characters of the sequence that is not ended yet.
    characters: i64,
    /// The place of the task that comes next.
    next: usize,
}

impl<I: IdStore> Joiner<I> {
    /// For so many sequences and tasks with so many bytes.
    pub(super) fn new(sequences: usize, tasks: usize, bytes: usize) -> Self {
        let waiting = Waiting { outputs: BTreeMap::new(), spare: Vec::new() };
        let joined = Joined::new(sequences, tasks, bytes);
        Self { waiting: Mutex::new(waiting), joined: Mutex::new(joined) }
    }

    /// An empty list for an output to come.
    pub(super) fn spare(&self) -> I {
        self.waiting().spare.pop().unwrap_or_else(|| I::recycled(0))
    }

    /// Takes the output of a task; each task's once.
    pub(super) fn add(&self, output: TaskOutput<I>) {
        self.waiting().outputs.insert(output.place, output);
        if let Ok(mut joined) = self.joined.try_lock() {
            self.drain(&mut joined);
        }
    }

    /// Joins all outputs up to the first that is missing. Joining happens outside the lock on those that wait.
    fn drain(&self, joined: &mut Joined<I>) {
        let mut spare = None;
        loop {
            let mut waiting = self.waiting();
            waiting.spare.extend(spare.take());
            let Some(output) = waiting.outputs.remove(&joined.next) else { return };
            drop(waiting);
            spare = joined.append(output);
        }
    }

    /// All outputs, once no thread adds any more.
    pub(super) fn finish(self) -> Joined<I> {
        self.drain(&mut self.joined.lock().unwrap_or_else(PoisonError::into_inner));
        self.waiting().spare.drain(..).for_each(I::keep_memory);
        self.joined.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<I>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: IdStore> Joined<I> {
    fn new(sequences: usize, tasks: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(sequences + 1);
        offsets.push(0);
        // More than there are as a rule; what is not used is never touched, and given back.
        let expected = if tasks > 1 { bytes / 4 } else { 0 };
        let mut ids = if tasks > 1 { I::recycled(expected) } else { I::default() };
        ids.reserve(expected);
        Self { ids, offsets, unknown: 0, spans: Vec::new(), lower_case: 0, characters: 0, next: 0 }
    }

    /// Adds the next output; its list comes back, unless it became the list of all.
    fn append(&mut self, mut output: TaskOutput<I>) -> Option<I> {
        let before = self.ids.len();
        // Lengths of what is in memory: far below 2^63.
        self.offsets.extend(output.ends.iter().map(|&end| i64::try_from(before + end).unwrap_or(i64::MAX)));
        self.place_spans(&mut output);
        self.unknown += output.unknown;
        self.lower_case += output.lower_case;
        self.next += 1;
        if self.ids.is_unallocated() {
            self.ids = output.ids;
            return None;
        }
        self.ids.append(&output.ids);
        output.ids.clear();
        Some(output.ids)
    }

    /// Ends the last sequence, of which only a part was encoded.
    pub(super) fn end_part(&mut self) {
        self.offsets.push(i64::try_from(self.ids.len()).unwrap_or(i64::MAX));
    }

    /// Spans in the first sequence of an output count from the task's start: makes them count from the sequence's.
    ///
    /// Those are the spans up to the first end; `characters` is what earlier tasks had of that sequence. `[0, 0]` is no
    /// place in a sequence and stays.
    fn place_spans(&mut self, output: &mut TaskOutput<I>) {
        let first = output.ends.first().copied().unwrap_or(output.ids.len());
        let before = self.characters;
        for span in output.spans.iter_mut().take(first).filter(|_| before > 0) {
            if *span != [0, 0] {
                *span = span.map(|place| place + before);
            }
        }
        self.spans.append(&mut output.spans);
        self.characters = if output.ends.is_empty() { before + output.characters } else { 0 };
    }

    /// The result; `wrap` makes the ids of it.
    pub(super) fn finish(mut self, with_spans: bool, wrap: impl Fn(I) -> Ids) -> EncodedBatch {
        self.ids.shrink();
        EncodedBatch {
            ids: wrap(self.ids),
            offsets: self.offsets,
            spans: with_spans.then_some(self.spans),
            unknown: self.unknown,
            lower_case: self.lower_case,
        }
    }
}
