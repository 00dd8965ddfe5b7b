//! The parts of all tasks, put together in order.

use rayon::prelude::*;

use super::collect::{Part, Store};
use super::{Encoded, Ids};

/// Where the ids of each sequence begin, and the last end.
pub(super) fn offsets<I: Store>(parts: &[Part<I>]) -> Vec<i64> {
    let mut offsets = Vec::with_capacity(1 + parts.iter().map(|part| part.ends.len()).sum::<usize>());
    offsets.push(0);
    let mut before = 0;
    for part in parts {
        // Lengths of what is in memory: far below 2^63.
        offsets.extend(part.ends.iter().map(|&end| i64::try_from(before + end).unwrap_or(i64::MAX)));
        before += part.ids.len();
    }
    offsets
}

/// One result of many parts; `wrap` makes the ids of it.
pub(super) fn join<T: Copy + Default + Send + Sync>(
    mut parts: Vec<Part<Vec<T>>>,
    with_spans: bool,
    wrap: impl Fn(Vec<T>) -> Ids,
) -> Encoded
where
    Vec<T>: Store,
{
    let offsets = offsets(&parts);
    let unknown = parts.iter().map(|part| part.unknown).sum();
    let lower_case = parts.iter().map(|part| part.lower_case).sum();
    place_spans(&mut parts);
    let spans =
        with_spans.then(|| concat(parts.iter_mut().map(|part| std::mem::take(&mut part.spans)).collect()));
    let ids = concat(parts.into_iter().map(|part| part.ids).collect());
    Encoded { ids: wrap(ids), offsets, spans, unknown, lower_case }
}

/// The spans of a part that goes on with a sequence count from the part's start: makes them count from the sequence's.
fn place_spans<I: Store>(parts: &mut [Part<I>]) {
    let mut before = 0;
    for part in parts {
        let first = part.ends.first().copied().unwrap_or(part.ids.len());
        for span in part.spans.iter_mut().take(first).filter(|_| before > 0) {
            if *span != [0, 0] {
                *span = span.map(|place| place + before);
            }
        }
        before = if part.ends.is_empty() { before + part.characters } else { 0 };
    }
}

/// All lists end to end, copied by all threads.
fn concat<T: Copy + Default + Send + Sync>(mut lists: Vec<Vec<T>>) -> Vec<T> {
    if lists.len() <= 1 {
        return lists.pop().unwrap_or_default();
    }
    let mut all = vec![T::default(); lists.iter().map(Vec::len).sum()];
    let mut rest = &mut all[..];
    let mut places = Vec::with_capacity(lists.len());
    for list in lists {
        let (place, after) = rest.split_at_mut(list.len());
        places.push((place, list));
        rest = after;
    }
    if rayon::current_num_threads() == 1 {
        places.into_iter().for_each(|(place, list)| place.copy_from_slice(&list));
    } else {
        places.into_par_iter().for_each(|(place, list)| place.copy_from_slice(&list));
    }
    all
}
