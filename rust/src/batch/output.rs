//! What comes of one task: ids, or their number, and where its sequences end.

use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::io::memory;
use crate::tokenizer::Id;

/// The ids of a task or a batch, as they come: a list of 16 or 32 bits each, or a counter.
///
/// Encoding and counting are one code; which of them it is, is decided at compile time.
pub(super) trait IdStore: Default + Send {
    /// Adds ids.
    fn add_ids(&mut self, ids: impl ExactSizeIterator<Item = Id>);
    /// How many there are.
    fn len(&self) -> usize;
    /// Makes memory ready for so many more, if there is any.
    fn reserve(&mut self, _ids: usize) {}
    /// Adds those of another store.
    fn append(&mut self, other: &Self);
    /// Forgets the ids and keeps their memory.
    fn clear(&mut self);
    /// Whether it has no memory yet.
    fn is_unallocated(&self) -> bool {
        false
    }
    /// Gives memory back if much of it is not used.
    fn shrink(&mut self) {}
    /// An empty store, with memory for so many ids if an earlier call has left some.
    fn recycled(_ids: usize) -> Self {
        Self::default()
    }
    /// Leaves the memory to later calls.
    fn keep_memory(self) {}
}

/// Lists that calls leave to later ones, at most, and ids in all of them: fresh memory costs a tenth of the time of
/// encoding.
const MAX_SPARES: usize = 64;
const MAX_SPARE_IDS: usize = 1 << 23;

/// What lists of ids have in common, whatever their width.
macro_rules! list {
    ($spares:ident) => {
        fn len(&self) -> usize {
            self.len()
        }

        fn reserve(&mut self, ids: usize) {
            memory::try_reserve(self, ids).ok(); // a wish: what is needed is asked for when it is
        }

        fn append(&mut self, other: &Self) {
            self.extend_from_slice(other);
        }

        fn clear(&mut self) {
            self.clear();
        }

        fn is_unallocated(&self) -> bool {
            self.capacity() == 0
        }

        fn shrink(&mut self) {
            if self.capacity() > self.len() + self.len() / 2 {
                self.shrink_to_fit();
            }
        }

        fn recycled(ids: usize) -> Self {
            let Some(mut spares) = spares(&$spares) else { return Self::default() };
            let fits = spares.iter().position(|spare| spare.capacity() >= ids);
            fits.map(|at| spares.swap_remove(at)).unwrap_or_default()
        }

        fn keep_memory(mut self) {
            let Some(mut spares) = spares(&$spares) else { return };
            let kept: usize = spares.iter().map(Self::capacity).sum();
            if self.capacity() > 0 && kept + self.capacity() <= MAX_SPARE_IDS && spares.len() < MAX_SPARES {
                self.clear();
                spares.push(self);
            }
        }
    };
}

static NARROW_SPARES: Mutex<Vec<Vec<u16>>> = Mutex::new(Vec::new());
static WIDE_SPARES: Mutex<Vec<Vec<u32>>> = Mutex::new(Vec::new());

/// The lists that are kept; none while another thread takes or leaves one, for ever in a process that was forked then.
fn spares<T>(kept: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match kept.try_lock() {
        Ok(spares) => Some(spares),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl IdStore for Vec<u16> {
    #[allow(clippy::cast_possible_truncation)] // chosen only where ids fit
    fn add_ids(&mut self, ids: impl ExactSizeIterator<Item = Id>) {
        self.extend(ids.map(|id| id as u16));
    }

    list!(NARROW_SPARES);
}

impl IdStore for Vec<u32> {
    fn add_ids(&mut self, ids: impl ExactSizeIterator<Item = Id>) {
        self.extend(ids);
    }

    list!(WIDE_SPARES);
}

/// A store that only counts.
#[derive(Default)]
pub(super) struct IdCounter(usize);

impl IdStore for IdCounter {
    fn add_ids(&mut self, ids: impl ExactSizeIterator<Item = Id>) {
        self.0 += ids.len();
    }

    fn len(&self) -> usize {
        self.0
    }

    fn append(&mut self, other: &Self) {
        self.0 += other.0;
    }

    fn clear(&mut self) {
        self.0 = 0;
    }
}

/// What comes of one task.
///
/// A task that is a part of a long sequence knows neither how many characters stand before it nor whether another task
/// goes on: its spans count from its own start, and [`super::join`] moves them.
#[derive(Default)]
pub(super) struct TaskOutput<I> {
    /// The task's number among all, which says where the output belongs.
    pub(super) place: usize,
    /// All ids.
    pub(super) ids: I,
    /// How many ids there were when each sequence ended.
    pub(super) ends: Vec<usize>,
    /// Where each token comes from, if spans are wanted; in the first sequence from the task's start on.
    pub(super) spans: Vec<[i64; 2]>,
    /// Characters of the sequence that is not ended yet.
    pub(super) characters: i64,
    /// Symbols outside the vocabulary, and lower-case ones among them.
    pub(super) unknown: u64,
    pub(super) lower_case: u64,
    /// Whether the last sequence ends in this task.
    pub(super) is_ended: bool,
}
