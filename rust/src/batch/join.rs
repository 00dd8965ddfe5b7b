//! The parts of all tasks, put together in order while they come.
//!
//! A part waits for those before it. One thread at a time puts parts together; others leave theirs and go on. The memory
//! of a part that was taken over goes to one that is still to come, for fresh memory has its price.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::part::{Part, Store};
use super::{Encoded, Ids};

/// Where threads leave parts.
pub(super) struct Joiner<I> {
    waiting: Mutex<Waiting<I>>,
    joined: Mutex<Joined<I>>,
}

struct Waiting<I> {
    parts: BTreeMap<usize, Part<I>>,
    /// Empty lists that have memory.
    spare: Vec<I>,
}

/// Parts that are together.
pub(super) struct Joined<I> {
    /// All ids so far.
    pub(super) ids: I,
    /// Where those of each sequence begin, and the last end.
    pub(super) offsets: Vec<i64>,
    pub(super) unknown: u64,
    spans: Vec<[i64; 2]>,
    lower_case: u64,
    /// Characters of the sequence that is not ended yet.
    characters: i64,
    /// The place of the task that comes next.
    next: usize,
}

impl<I: Store> Joiner<I> {
    /// For so many sequences and tasks with so many bytes.
    pub(super) fn new(sequences: usize, tasks: usize, bytes: usize) -> Self {
        let waiting = Waiting { parts: BTreeMap::new(), spare: Vec::new() };
        let joined = Joined::new(sequences, tasks, bytes);
        Self { waiting: Mutex::new(waiting), joined: Mutex::new(joined) }
    }

    /// An empty list for a part to come.
    pub(super) fn spare(&self) -> I {
        self.waiting().spare.pop().unwrap_or_default()
    }

    /// Takes a part.
    pub(super) fn add(&self, part: Part<I>) {
        self.waiting().parts.insert(part.place, part);
        // Who puts parts together just now may find it still; if not, the next one does, or the end.
        if let Ok(mut joined) = self.joined.try_lock() {
            self.drain(&mut joined);
        }
    }

    fn drain(&self, joined: &mut Joined<I>) {
        let mut spare = None;
        loop {
            let mut waiting = self.waiting();
            waiting.spare.extend(spare.take());
            let Some(part) = waiting.parts.remove(&joined.next) else { return };
            drop(waiting);
            spare = joined.append(part);
        }
    }

    /// All parts.
    pub(super) fn finish(self) -> Joined<I> {
        self.drain(&mut self.joined.lock().unwrap_or_else(PoisonError::into_inner));
        self.joined.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<I>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Store> Joined<I> {
    fn new(sequences: usize, tasks: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(sequences + 1);
        offsets.push(0);
        let mut ids = I::default();
        if tasks > 1 {
            // More than there are as a rule; what is not used is never touched, and given back.
            ids.reserve(bytes / 4);
        }
        Self { ids, offsets, unknown: 0, spans: Vec::new(), lower_case: 0, characters: 0, next: 0 }
    }

    /// Adds the next part; its list comes back, if it is not the first.
    fn append(&mut self, mut part: Part<I>) -> Option<I> {
        let before = self.ids.len();
        // Lengths of what is in memory: far below 2^63.
        self.offsets.extend(part.ends.iter().map(|&end| i64::try_from(before + end).unwrap_or(i64::MAX)));
        self.place_spans(&mut part);
        self.unknown += part.unknown;
        self.lower_case += part.lower_case;
        self.next += 1;
        if self.ids.is_unallocated() {
            self.ids = part.ids;
            return None;
        }
        self.ids.append(&part.ids);
        part.ids.clear();
        Some(part.ids)
    }

    /// The spans of a part that goes on with a sequence count from the part's start: makes them count from the sequence's.
    fn place_spans(&mut self, part: &mut Part<I>) {
        let first = part.ends.first().copied().unwrap_or(part.ids.len());
        let before = self.characters;
        for span in part.spans.iter_mut().take(first).filter(|_| before > 0) {
            if *span != [0, 0] {
                *span = span.map(|place| place + before);
            }
        }
        self.spans.append(&mut part.spans);
        self.characters = if part.ends.is_empty() { before + part.characters } else { 0 };
    }

    /// The result; `wrap` makes the ids of it.
    pub(super) fn finish(mut self, with_spans: bool, wrap: impl Fn(I) -> Ids) -> Encoded {
        self.ids.shrink();
        Encoded {
            ids: wrap(self.ids),
            offsets: self.offsets,
            spans: with_spans.then_some(self.spans),
            unknown: self.unknown,
            lower_case: self.lower_case,
        }
    }
}
