//! Islands in one array, in which a replay merges.
//!
//! A token covers a span of slots. It stands in the first of them, and the first and the last know
//! how long the span is, so that both neighbours of a token are found in one step, whatever was
//! merged before:
//!
//! ```text
//! slots   GAP  a    b    b    GAP  c    d    e    GAP      before
//! slots   GAP  ab   -    b    GAP  c    de   -    GAP      after merging (a, b) and (d, e)
//! spans   1    2    2    1    1    1    2    2    1
//! ```
//!
//! A gap stands before the first island and after each, so every token has a neighbour on both
//! sides, and no pair reaches across. Each thread lays out its own islands; the layouts are joined
//! after that.

use rustc_hash::FxHashMap;

use super::islands::Islands;
use crate::bpe::{Pair, Token};

/// One place of the array: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The token that starts here; in a slot that a merge has emptied, that of [`GAP`].
    pub(super) token: Token,
    /// Slots that the token covers; right in its first and in its last, anything in between.
    pub(super) span: u32,
    /// How often the island occurs.
    pub(super) weight: u64,
}

/// The slot before the first island and after each: no pair reaches across it, and every island has
/// a neighbour.
pub(super) const GAP: Slot = Slot { token: Token::MAX, span: 1, weight: 0 };

/// Islands laid out by one thread. Slots are counted from its own first; the replay shifts them
/// when it joins layouts.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    /// Number of the candidate pair, and the slot that it starts at.
    pub(super) seen: Vec<(u32, u32)>,
    /// How often each candidate is in `seen`.
    pub(super) sizes: Vec<usize>,
    /// The sum of the weights of these.
    pub(super) weights: Vec<u64>,
    /// The numbers of the pairs in the part that is being laid out: a scratch buffer.
    numbers: Vec<u32>,
}

impl Layout {
    /// Lays out islands, broken where a pair is not a candidate. `numbers` numbers the candidates.
    pub(super) fn fill(&mut self, islands: &Islands, numbers: &FxHashMap<Pair, u32>) {
        self.slots.clear();
        self.slots.push(GAP);
        self.seen.clear();
        self.sizes.clear();
        self.sizes.resize(numbers.len(), 0);
        self.weights.clear();
        self.weights.resize(numbers.len(), 0);
        islands.for_each(|island, weight| {
            let mut start = 0;
            for (at, pair) in island.windows(2).enumerate() {
                if let Some(&number) = numbers.get(&(pair[0], pair[1])) {
                    self.numbers.push(number);
                } else {
                    self.add(&island[start..=at], weight);
                    start = at + 1;
                }
            }
            self.add(&island[start..], weight);
        });
    }

    /// Lays out a part of an island whose pairs are all candidates, with `numbers` for them.
    ///
    /// Parts of two tokens are left out: their pair stays in the count as `alone`, and after its
    /// merge nothing is left that could change a count.
    #[allow(clippy::cast_possible_truncation)] // islands are bounded far below 2^32 tokens
    fn add(&mut self, part: &[Token], weight: u64) {
        if part.len() > 2 {
            for (&number, slot) in self.numbers.iter().zip(self.slots.len() as u32..) {
                self.seen.push((number, slot));
                self.sizes[number as usize] += 1;
                self.weights[number as usize] += weight;
            }
            self.slots.extend(part.iter().map(|&token| Slot { token, span: 1, weight }));
            self.slots.push(GAP);
        }
        self.numbers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn islands_are_broken_at_other_pairs_and_parts_of_two_tokens_left_out() {
        let mut islands = Islands::default();
        islands.add(&[1, 2, 3], 5);
        islands.add(&[1, 2, 3, 9, 1, 2], 7);
        let numbers: FxHashMap<Pair, u32> = [((1, 2), 0), ((2, 3), 1)].into_iter().collect();
        let mut layout = Layout::default();
        for _ in 0..2 {
            layout.fill(&islands, &numbers);
            let tokens: Vec<Token> = layout.slots.iter().map(|slot| slot.token).collect();
            assert_eq!(tokens, [GAP.token, 1, 2, 3, GAP.token, 1, 2, 3, GAP.token]);
            assert_eq!(layout.seen, [(0, 1), (1, 2), (0, 5), (1, 6)]);
            assert_eq!((&layout.sizes[..], &layout.weights[..]), (&[2, 2][..], &[12, 12][..]));
        }
    }
}
