//! Encoding by the rule itself: a priority queue of the merges that are possible now.
//!
//! Lowest rank first, leftmost first, until no adjacent pair is in the table. This is what Hugging
//! Face `tokenizers` does, it is right for every table, and the fast encoder is tested against it.
//! Cost: O(n log n) time and about 40 bytes of memory per base.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::bpe::{MergeTable, Pair, Token};

/// Replays the merges of one table.
#[derive(Clone, Debug)]
pub struct HeapEncoder {
    /// The rank of each pair, and what it becomes.
    products: FxHashMap<Pair, (u32, Token)>,
}

/// A word under replacement: a doubly linked list of tokens in the slots of the bases that they
/// start at.
///
/// Invariant: the slots in use, followed by `next` from slot 0, spell the word; `previous` is the
/// reverse of `next`. Slot 0 is always in use, since a merge keeps its left slot.
struct Chain {
    /// The token that starts at each base, or nothing inside a token.
    tokens: Vec<Option<Token>>,
    /// The slot of the token after, or [`END`].
    next: Vec<usize>,
    /// The slot of the token before, or [`END`].
    previous: Vec<usize>,
}

/// Where a chain ends, in either direction.
const END: usize = usize::MAX;

impl HeapEncoder {
    /// Prepares the look-up of products.
    pub fn new(table: &MergeTable) -> Self {
        Self::of_merges(table.merges().iter().copied().zip(table.num_symbols()..))
    }

    /// Replays any merges, given by rank with their products. Of two merges of the same pair the
    /// last counts, as in Hugging Face.
    pub fn of_merges(merges: impl IntoIterator<Item = (Pair, Token)>) -> Self {
        Self { products: (0..).zip(merges).map(|(rank, (pair, product))| (pair, (rank, product))).collect() }
    }

    /// The tokens of the word with these symbol codes.
    pub fn encode(&self, codes: &[u8]) -> Vec<Token> {
        self.replay(codes, |_, _| ())
    }

    /// Like [`encode`](Self::encode), and shows the rank of each merge as it is made, with the
    /// tokens after it.
    pub fn explain(&self, codes: &[u8]) -> Vec<(usize, Vec<Token>)> {
        let mut steps = Vec::new();
        self.replay(codes, |rank, chain| steps.push((rank as usize, chain.tokens())));
        steps
    }

    /// Makes all merges, and calls `made` after each.
    ///
    /// Invariant: every adjacent pair that has a rank has an entry (rank, left slot) in the queue.
    /// Entries are never removed when a merge changes a side; they are recognized as stale when
    /// they come up, because the pair at their slot has another rank now. Each merge adds at most
    /// two entries, so there are at most three per base.
    fn replay(&self, codes: &[u8], mut made: impl FnMut(u32, &Chain)) -> Vec<Token> {
        let mut chain = Chain::new(codes);
        let mut possible = BinaryHeap::new();
        let merge_at =
            |chain: &Chain, left| chain.pair(left).and_then(|pair| self.products.get(&pair)).copied();
        let look = |chain: &Chain, left: usize, possible: &mut BinaryHeap<Reverse<(u32, usize)>>| {
            possible.extend(merge_at(chain, left).map(|(rank, _)| Reverse((rank, left))));
        };
        for left in 0..codes.len() {
            look(&chain, left, &mut possible);
        }
        while let Some(Reverse((rank, left))) = possible.pop() {
            // An entry is stale when an earlier merge has changed either side.
            let Some((_, product)) = merge_at(&chain, left).filter(|&(now, _)| now == rank) else { continue };
            chain.merge(left, product);
            made(rank, &chain);
            look(&chain, left, &mut possible);
            if chain.previous[left] != END {
                look(&chain, chain.previous[left], &mut possible);
            }
        }
        chain.tokens()
    }
}

impl Chain {
    /// Every base its own token.
    fn new(codes: &[u8]) -> Self {
        let num_bases = codes.len();
        Self {
            tokens: codes.iter().map(|&code| Some(Token::from(code))).collect(),
            next: (1..=num_bases).map(|slot| if slot == num_bases { END } else { slot }).collect(),
            previous: (0..num_bases).map(|slot| slot.checked_sub(1).unwrap_or(END)).collect(),
        }
    }

    /// The token in slot `left` and the one after it.
    fn pair(&self, left: usize) -> Option<Pair> {
        let right = *self.next.get(left)?;
        Some((self.tokens[left]?, (*self.tokens.get(right)?)?))
    }

    /// Puts `product` in place of the token in slot `left` and the one after it.
    fn merge(&mut self, left: usize, product: Token) {
        let right = self.next[left];
        self.tokens[left] = Some(product);
        self.tokens[right] = None;
        self.next[left] = self.next[right];
        if self.next[left] != END {
            self.previous[self.next[left]] = left;
        }
    }

    /// The tokens in the slots in use, from left to right.
    fn tokens(&self) -> Vec<Token> {
        self.tokens.iter().flatten().copied().collect()
    }
}
