//! Sequences divided among threads and lanes: short ones in groups, long ones in parts.
//!
//! Eight lanes of each thread work on a task each, so tasks should be many, of about the same size, and not so small that
//! starting one shows. The ids do not depend on how sequences are divided: a group holds whole sequences, and a part ends
//! where every encoding of the sequence has a token boundary.
//!
//! ```text
//! sequences  |--|-|---|--------------------------------------------|--|-----|
//! tasks      [ group ][ part         ][ part         ][ part       ][ group ]
//! started      yes      yes             no              no            yes
//! ended        yes      no              no              yes           yes
//! ```
//!
//! Special tokens go in front where a sequence starts and behind where it ends; within a group a separator does both.

use std::ops::Range;

use rayon::prelude::*;

use super::Sequences;
use crate::bpe::encode::lanes::{BLOCK, LANES};
use crate::bpe::encode::machine::{Machine, StateId, StateOutput};
use crate::bpe::encode::seams::seam;

/// Sequences, or a part of one, that are encoded together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchTask {
    /// Its number among all tasks, which are in the order of the sequences.
    pub(super) place: usize,
    /// Which sequences; never none.
    pub(super) sequences: Range<usize>,
    /// Their bytes; of a single sequence perhaps a part.
    pub(super) bytes: Range<usize>,
    /// Whether the first sequence starts in this task, and the last one ends.
    pub(super) is_started: bool,
    pub(super) is_ended: bool,
    /// Whether all of it is plain text.
    pub(super) is_plain: bool,
}

/// How large tasks are, in bytes; tests make everything small.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskSizes {
    /// The least and the most in a group of sequences.
    pub(super) group: [usize; 2],
    /// Likewise in a part of one.
    pub(super) part: [usize; 2],
    /// Bytes that all states are run over in the search for a seam.
    pub(super) search: usize,
    /// Bytes in a block.
    pub(super) block: usize,
}

impl Default for TaskSizes {
    fn default() -> Self {
        Self { group: [1 << 12, 1 << 18], part: [1 << 16, 1 << 20], search: 4096, block: BLOCK }
    }
}

/// Tasks for so many threads, in the order of the sequences; together they cover every byte of every sequence once.
///
/// A task is plain or not as a whole; `cut` finds a place at or after a wish where a long plain sequence may be cut.
///
/// `first` is the first sequence that is in no task yet. A group is closed when it is large enough, when plainness changes,
/// and before a sequence that is cut.
pub(super) fn divide(
    sequences: Sequences<'_>,
    sizes: &TaskSizes,
    threads: usize,
    is_plain: impl Fn(usize) -> bool,
    cut: impl Fn(usize, usize) -> Option<usize> + Sync,
) -> Vec<BatchTask> {
    let (offsets, total) = (sequences.offsets, sequences.num_bytes());
    // Each lane gets one part if all is short, several if it is long: a cut costs as much as encoding 40,000 bases.
    let lanes = threads * LANES;
    let part = (total / lanes).clamp(sizes.part[0], sizes.part[1]);
    let group = (total / (lanes * 4)).clamp(sizes.group[0], sizes.group[1]);
    let mut tasks = Vec::new();
    let mut first = 0;
    let mut was_plain = true;
    for number in 0..sequences.len() {
        let (start, end, plain) = (offsets[number], offsets[number + 1], is_plain(number));
        if plain != was_plain {
            tasks.extend(whole(offsets, first..number, was_plain));
            (first, was_plain) = (number, plain);
        }
        if plain && end - start > part + part / 2 {
            tasks.extend(whole(offsets, first..number, plain));
            tasks.extend(parts(number, start..end, part, &cut));
            first = number + 1;
        } else if end - offsets[first] >= group {
            tasks.extend(whole(offsets, first..number + 1, plain));
            first = number + 1;
        }
    }
    tasks.extend(whole(offsets, first..sequences.len(), was_plain));
    tasks.iter_mut().zip(0..).for_each(|(task, place)| task.place = place);
    tasks
}

/// A task of whole sequences, if there are any.
fn whole(offsets: &[usize], sequences: Range<usize>, is_plain: bool) -> Option<BatchTask> {
    let bytes = *offsets.get(sequences.start)?..*offsets.get(sequences.end)?;
    let is_some = !sequences.is_empty();
    is_some.then_some(BatchTask { place: 0, sequences, bytes, is_started: true, is_ended: true, is_plain })
}

/// One sequence, cut at about every `part` bytes. Where no cut is found two parts stay one; cuts that pass the next wish
/// may come out of order or twice, and only those that advance count.
fn parts(
    number: usize,
    bytes: Range<usize>,
    part: usize,
    cut: &(impl Fn(usize, usize) -> Option<usize> + Sync),
) -> Vec<BatchTask> {
    let Range { start, end } = bytes;
    let wishes: Vec<usize> = (1..(end - start).div_ceil(part)).map(|n| start + n * part).collect();
    let found: Vec<Option<usize>> = wishes.into_par_iter().map(|wish| cut(wish, end)).collect();
    let mut at = start;
    let mut tasks = Vec::new();
    for to in found.into_iter().flatten().chain([end]) {
        if to > at {
            tasks.push(BatchTask {
                place: 0,
                sequences: number..number + 1,
                bytes: at..to,
                is_started: at == start,
                is_ended: to == end,
                is_plain: true,
            });
            at = to;
        }
    }
    tasks
}

/// A place at or after `wish` where any encoding of the plain text has a boundary; `None` if eight windows have none, as
/// in a long repeat of one base.
pub(super) fn find_cut<S: StateId, O: StateOutput>(
    machine: &Machine<'_, S, O>,
    bytes: &[u8],
    search: usize,
    wish: usize,
    end: usize,
) -> Option<usize> {
    let length = 2 * search.max(4 * machine.longest);
    for attempt in 0..8 {
        let from = wish.checked_add(attempt * length).filter(|&from| from < end)?;
        let window = &bytes[from..end.min(from + length)];
        let Some((cut, _)) = seam(machine, window, search, |_| true) else { continue };
        let cut = from + cut;
        if cut < end {
            return Some(cut);
        }
    }
    None
}
