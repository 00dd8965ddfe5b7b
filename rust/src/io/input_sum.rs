//! `InputSum`: the BLAKE3 sum of a file, from the bytes that are read of it anyway.
//!
//! BLAKE3 sums *groups* of bytes apart and joins the results in a tree. So the threads that read a file at several places
//! sum complete groups while these are in the cache ([`group_sums`]), and [`InputSum::add`] joins them in order, with the
//! bytes of groups that no thread has read completely.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// Bytes of a group: what the vector code of BLAKE3 sums at once, on the widest machines.
const GROUP_BYTES: usize = 16 << 10;

/// The sum of a subtree, not of a file.
type SubtreeSum = [u8; 32];

/// The sum of the bytes added so far.
#[derive(Default)]
pub(crate) struct InputSum {
    /// Complete subtrees, the largest first: one for each bit of `groups`, or more before they are joined.
    subtrees: Vec<SubtreeSum>,
    /// Groups in them.
    groups: u64,
    /// The group after them, and its bytes so far. A full one stays here until it is known that it is not the last: the
    /// root of a tree is summed in another way.
    last: Hasher,
    length: usize,
    /// Whether the end of the file was read.
    is_complete: bool,
}

/// Sums of the groups that lie completely in some bytes of a file.
#[derive(Default)]
pub(crate) struct GroupSums {
    /// Where their bytes lie among these.
    range: Range<usize>,
    sums: Vec<SubtreeSum>,
}

/// Sums all groups but the first that lie completely in `bytes`, which stand at `offset` in their file.
pub(crate) fn group_sums(offset: u64, bytes: &[u8]) -> GroupSums {
    let group = GROUP_BYTES as u64;
    let first = offset.div_ceil(group).max(1) * group;
    let start = usize::try_from(first - offset).unwrap_or(usize::MAX).min(bytes.len());
    let groups = bytes[start..].chunks_exact(GROUP_BYTES);
    let offsets = (first..).step_by(GROUP_BYTES);
    let sums: Vec<_> =
        groups.zip(offsets).map(|(bytes, at)| hasher(at).update(bytes).finalize_non_root()).collect();
    GroupSums { range: start..start + sums.len() * GROUP_BYTES, sums }
}

/// A hasher of a subtree that starts at `offset`.
fn hasher(offset: u64) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    hasher
}

impl InputSum {
    /// Adds the bytes that come next.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.length == GROUP_BYTES {
                self.end_group();
            }
            let (now, later) = bytes.split_at(bytes.len().min(GROUP_BYTES - self.length));
            self.last.update(now);
            self.length += now.len();
            bytes = later;
        }
    }

    /// Adds the bytes that come next, of which some groups are summed.
    pub(crate) fn add(&mut self, bytes: &[u8], summed: &GroupSums) {
        let Range { start, end } = summed.range;
        self.update(&bytes[..start]);
        if start < end {
            if self.length > 0 {
                self.end_group();
            }
            summed.sums.iter().for_each(|&sum| self.push(sum));
            self.last = hasher(self.groups * GROUP_BYTES as u64);
        }
        self.update(&bytes[end..]);
    }

    /// Notes that the end of the file was read.
    pub(crate) fn end(&mut self) {
        self.is_complete = true;
    }

    /// The sum in hexadecimal digits, once the end was read.
    pub(crate) fn digits(&self) -> Option<String> {
        self.is_complete.then(|| self.root().to_hex().to_string())
    }

    /// Ends a group that is complete and not the last.
    fn end_group(&mut self) {
        debug_assert_eq!(self.length, GROUP_BYTES);
        self.push(self.last.finalize_non_root());
        self.last = hasher(self.groups * GROUP_BYTES as u64);
        self.length = 0;
    }

    /// Adds a group.
    fn push(&mut self, sum: SubtreeSum) {
        join(&mut self.subtrees, self.groups);
        self.subtrees.push(sum);
        self.groups += 1;
    }

    /// Joins everything.
    fn root(&self) -> blake3::Hash {
        let mut subtrees = self.subtrees.clone();
        if self.length > 0 && self.groups > 0 {
            join(&mut subtrees, self.groups);
            subtrees.push(self.last.finalize_non_root());
        }
        let Some((first, others)) = subtrees.split_first() else { return self.last.finalize() };
        let mut rights = others.iter().copied().rev();
        let right = rights.next().unwrap_or_default(); // a tree with subtrees has two at least
        let right = rights.fold(right, |right, left| merge_subtrees_non_root(&left, &right, Mode::Hash));
        merge_subtrees_root(first, &right, Mode::Hash)
    }
}

/// Joins subtrees of so many groups that are of one size, since more follows.
fn join(subtrees: &mut Vec<SubtreeSum>, groups: u64) {
    while subtrees.len() > groups.count_ones() as usize
        && let (Some(right), Some(left)) = (subtrees.pop(), subtrees.pop())
    {
        subtrees.push(merge_subtrees_non_root(&left, &right, Mode::Hash));
    }
}

/// A sum that a thread which reads adds to, and another one asks for.
#[derive(Clone, Default)]
pub(crate) struct SharedSum(Arc<Mutex<InputSum>>);

impl SharedSum {
    /// Adds the bytes that come next; none are the end.
    pub(crate) fn update(&self, bytes: &[u8]) {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.is_empty() {
            sum.end();
        }
        sum.update(bytes);
    }

    /// The sum in hexadecimal digits, once the end was read.
    pub(crate) fn digits(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).digits()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes, cut at places; what is between two is added with its groups summed before, or not.
    fn check(bytes: &[u8], cuts: &[(usize, bool)]) {
        let (mut sum, mut from) = (InputSum::default(), 0);
        let mut cuts: Vec<_> = cuts.iter().map(|&(at, summed)| (at.min(bytes.len()), summed)).collect();
        cuts.push((bytes.len(), true));
        cuts.sort_unstable();
        for (at, summed) in cuts {
            let part = &bytes[from..at];
            if summed {
                sum.add(part, &group_sums(from as u64, part));
            } else {
                sum.update(part);
            }
            from = at;
        }
        assert_eq!(sum.digits(), None);
        sum.end();
        assert_eq!(sum.digits(), Some(blake3::hash(bytes).to_hex().to_string()), "{} bytes", bytes.len());
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..251).cycle().take(length).collect()
    }

    #[test]
    fn sums_at_borders_are_those_of_the_whole() {
        for groups in 0..9 {
            for around in [-1_isize, 0, 1] {
                let Some(length) = (groups * GROUP_BYTES).checked_add_signed(around) else { continue };
                let bytes = bytes(length);
                check(&bytes, &[]);
                check(&bytes, &[(length, false)]);
                check(&bytes, &[(GROUP_BYTES, false), (3 * GROUP_BYTES, true), (5 * GROUP_BYTES, false)]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sums_of_parts_are_those_of_the_whole(
            length in 0_usize..20 * GROUP_BYTES,
            cuts in proptest::collection::vec((0_usize..20 * GROUP_BYTES, any::<bool>()), 0..8),
        ) {
            check(&bytes(length), &cuts);
        }
    }
}
