//! How a sequence is linked to a group of others.

use std::cmp::Reverse;

/// How two sequences are alike; of several the first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LinkKind {
    /// Not at all.
    #[default]
    None,
    /// The same symbols.
    Copy,
    /// An overlap that is equal throughout, on the forward strand.
    Window,
    /// One is the reverse complement of the other.
    ReverseCopy,
    /// Similar on the forward strand.
    Similar,
    /// Similar on the reverse strand.
    ReverseSimilar,
}

/// A sequence before another one, and how they are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// The relation.
    pub kind: LinkKind,
    /// The number of the other sequence.
    pub partner: u32,
    /// The base of the other at which this one starts; on the reverse strand, at which its reverse complement starts.
    pub shift: i32,
    /// Bases of the overlap.
    pub overlap: u32,
}

/// A sequence with one of its links.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkedPair {
    pub(super) row: u32,
    pub(super) link: Link,
}

/// The best link of each sequence to each group.
pub(super) struct BestLinks {
    best: Vec<Link>,
    num_groups: usize,
}

impl BestLinks {
    pub(super) fn new(num_sequences: usize, num_groups: usize) -> Self {
        Self { best: vec![Link::default(); num_sequences * num_groups], num_groups }
    }

    /// Keeps a link if it is the best one so far; the order of offers does not matter.
    pub(super) fn offer(&mut self, row: u32, group: usize, link: Link) {
        let best = &mut self.best[row as usize * self.num_groups + group];
        if link.kind != LinkKind::None && (best.kind == LinkKind::None || order(&link) < order(best)) {
            *best = link;
        }
    }

    /// Gives the links of heads to the equal sequences of their groups, which follow them.
    pub(super) fn share(&mut self, followers: &[(u32, u32)], group_of: impl Fn(u32) -> usize) {
        for &(row, head) in followers {
            for group in 0..group_of(row) {
                self.offer(row, group, self.best[head as usize * self.num_groups + group]);
            }
        }
    }

    pub(super) fn into_inner(self) -> Vec<Link> {
        self.best
    }
}

/// Smaller for a better link.
fn order(link: &Link) -> (LinkKind, Reverse<u32>, u32, LinkKind, u32, i32) {
    let rank = link.kind.min(LinkKind::Similar); // the strand decides last
    (rank, Reverse(link.overlap), link.partner, link.kind, link.shift.unsigned_abs(), link.shift)
}
