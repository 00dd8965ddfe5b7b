//! Memory for large results.
//!
//! The system provides fresh memory a page at a time, when each page is first touched: with pages of 4 kB the ids of a
//! chromosome, two bytes per base, cost some thirty thousand page faults. Where Linux has pages of 2 MB on request
//! (`/sys/kernel/mm/transparent_hugepage/enabled` says `madvise`), the request is one call. It is advice: where it is not
//! followed, nothing else changes.
//!
//! Measured on one core of a shared AMD EPYC, human chromosome 20, a call from Python, without and with: overlapping 6-mers
//! 732 and 1,206 Mbp/s, canonical ones 604 and 1,017, BPE of 4,096 tokens 692 and 744, non-overlapping 6-mers, with a
//! sixth of the ids, 1,304 and 1,281.

use std::cell::RefCell;
use std::collections::TryReserveError;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes from which large pages are requested; below, the call costs more than it saves.
#[cfg(any(test, target_os = "linux"))]
const LARGE: usize = 4 << 20;

/// A vector of `length` default values. Zeros are fresh memory, which no page fault has touched yet.
pub(crate) fn defaults<T: Clone + Default>(length: usize) -> Vec<T> {
    let mut values = vec![T::default(); length];
    advise(values.as_mut_ptr(), length);
    values
}

/// Reserves capacity for `more` values. Fails where the system does not have so much memory.
///
/// The request is for all pages of the vector: Linux extends a large one by moving its pages to other addresses, without a
/// copy, only if the same was requested for all of them.
pub fn try_reserve<T>(values: &mut Vec<T>, more: usize) -> Result<(), TryReserveError> {
    let before = values.capacity();
    values.try_reserve(more)?;
    if values.capacity() > before {
        advise(values.as_mut_ptr(), values.capacity());
    }
    Ok(())
}

/// Large buffers that go back to whoever fills them next: fresh memory costs more than reading a file into it.
///
/// Clones share the buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    /// Buffers that are kept, at most; what is given beyond that is freed.
    const MAX: usize = 3;

    /// An empty buffer, with memory if one was given.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next [`take`](Self::take).
    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.lock();
        if buffer.capacity() > 0 && kept.len() < Self::MAX {
            kept.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scratch buffer that its thread keeps for the next reader: zeroing a new one takes longer than reading a small file.
///
/// It still holds what an earlier reader left in it; a reader keeps track of how much it has filled.
#[derive(Debug)]
pub(crate) struct Buffer(Vec<u8>);

/// Buffers that a thread keeps, at most: the last that were dropped.
const SPARE_BUFFERS: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Buffer {
    /// A buffer of exactly `bytes` bytes, with any content.
    pub(crate) fn of(bytes: usize) -> Self {
        let kept = SPARE.with_borrow_mut(|spare| {
            let at = spare.iter().position(|buffer| buffer.len() == bytes)?;
            Some(spare.swap_remove(at))
        });
        Self(kept.unwrap_or_else(|| vec![0; bytes]))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        if buffer.is_empty() {
            return;
        }
        let keep = |spare: &RefCell<Vec<Vec<u8>>>| {
            let mut spare = spare.borrow_mut();
            if spare.len() == SPARE_BUFFERS {
                spare.remove(0); // the one that was not wanted for longest
            }
            spare.push(buffer);
        };
        SPARE.try_with(keep).ok(); // a thread that ends keeps nothing
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Requests large pages under `length` values from `start` on.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn advise<T>(start: *mut T, length: usize) {
    let bytes = length.saturating_mul(size_of::<T>());
    if bytes < LARGE {
        return;
    }
    // SAFETY: it asks for a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(usize::MAX);
    let before = start.addr() % page; // in the page where the allocation starts
    let start = start.cast::<u8>().wrapping_sub(before);
    // SAFETY: the pages are those of one allocation; the advice changes neither what is in memory nor who may use it. A
    // system that does not know it answers with an error, as good as none.
    unsafe { libc::madvise(start.cast(), bytes + before, libc::MADV_HUGEPAGE) };
}

/// Other systems choose the size of pages themselves.
#[cfg(not(target_os = "linux"))]
fn advise<T>(_start: *mut T, _length: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_kept_for_the_next_reader() {
        let mut first = Buffer::of(1000);
        first.fill(7);
        let place = first.as_ptr();
        drop(first);
        let (second, other) = (Buffer::of(1000), Buffer::of(10));
        assert_eq!((second.as_ptr(), second.len(), other.len()), (place, 1000, 10));
        drop((0..20).map(Buffer::of).collect::<Vec<_>>());
        assert!(SPARE.with_borrow(Vec::len) <= SPARE_BUFFERS);
    }

    #[test]
    fn values_are_the_same_on_pages_of_any_size() {
        for length in [0, 1, LARGE / 4 - 1, LARGE / 4, LARGE + 12_345] {
            let mut values: Vec<u32> = defaults(length);
            assert!(values.len() == length && values.iter().all(|value| *value == 0));
            values.push(7);
            assert!(try_reserve(&mut values, length).is_ok());
            assert!(values.capacity() > 2 * length && values[length] == 7);
            values.extend((0..).take(length));
            assert!(values[length + 1..].iter().zip(0_u32..).all(|(value, number)| *value == number));
        }
    }

    #[test]
    fn memory_that_the_system_lacks_is_an_error() {
        let mut values = vec![7_u32];
        assert!(try_reserve(&mut values, usize::MAX / 8).is_err());
        assert_eq!(values, [7]);
    }

    #[test]
    fn values_before_the_spare_capacity_are_kept() {
        for offset in 0..100 {
            let mut bytes: Vec<u8> = defaults(LARGE + offset);
            bytes.truncate(offset);
            assert!(try_reserve(&mut bytes, LARGE + offset).is_ok());
            assert_eq!(bytes, vec![0; offset]);
        }
    }
}
