//! Lists that lie back to back in one piece of memory: their offsets, and the places to write them at.

/// Where lists of these lengths start, and the last ends: one more than there are lists, the first 0.
pub(super) fn offsets(lengths: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let ends = lengths.into_iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// The memory of each list, in order; `all` is as long as they are together. So threads can write them at once.
pub(super) fn places<T>(mut all: &mut [T], lengths: impl IntoIterator<Item = usize>) -> Vec<&mut [T]> {
    lengths.into_iter().map(|length| all.split_off_mut(..length).unwrap_or_default()).collect()
}
