//! Union-find: connected components, from pairs in any order.

use super::sequences::small;

/// A forest in which each tree is a cluster; its root is the first of its sequences.
pub(super) struct Clusters {
    parents: Vec<u32>,
}

impl Clusters {
    pub(super) fn new(number: usize) -> Self {
        Self { parents: (0..small(number)).collect() }
    }

    /// Joins the clusters of two sequences.
    pub(super) fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// The root of a sequence; halves the path to it.
    fn root(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            let above = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = above;
            at = above;
        }
        at
    }

    /// The cluster of each sequence, numbered in the order of their first sequences.
    pub(super) fn numbered(mut self) -> Vec<u32> {
        let mut next = 0;
        let mut numbers = vec![0; self.parents.len()];
        for row in 0..small(self.parents.len()) {
            let root = self.root(row);
            if root == row {
                numbers[row as usize] = next;
                next += 1;
            } else {
                numbers[row as usize] = numbers[root as usize]; // before it, so numbered
            }
        }
        numbers
    }
}
