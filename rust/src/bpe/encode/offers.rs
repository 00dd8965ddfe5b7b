//! What each token offers to its right neighbour.
//!
//! A token `l` *offers* a merge `m = (x, y)` if `x` is on its right spine and `m` is made before
//! the parent of `x` there ([`super::compatible`]). Per `y` one offer matters, the first: it blocks
//! the places from `y` to its last.
//!
//! # Sets that share their parts
//!
//! The offers of a token lie in a trie of their right parts `y`, laid over the trie of all tokens.
//! A set is never changed: adding an offer makes new nodes along the string of `y` and shares all
//! others. Nodes with the same content are one node, so equal sets have equal numbers, at every
//! depth.
//!
//! Sets are made in the order of training. When token `l = (a, b)` is made, the offers of `b` that
//! count for `l` are those that `b` has so far: a merge `(b, y)` that is made later comes after the
//! parent of `b` in `l`. So
//!
//! ```text
//! for each merge l = (a, b), by rank:
//!     offers(l) = offers(b)                    all made before l
//!     offers(a) = offers(a) + (b, last of l)   from now on, for a itself and for tokens yet to come
//! ```
//!
//! which is one addition for each merge. Time and memory: the sum of the lengths of all right
//! parts; with 65,536 tokens a set has 75 offers on average, and all sets together have ten nodes
//! for each token.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::compatible::{Compatible, NONE};
use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};

/// The number of a set of offers, below a node of the trie of tokens.
pub type OfferSet = u32;

/// The set without offers.
pub const NOTHING: OfferSet = 0;

/// Entries of all sets that a vocabulary may need before it is left to the heap encoder: 256 MiB.
const MAX_EDGES: usize = 32 << 20;

/// What a set has one symbol further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The last place that the offer of the token there blocks, or [`NONE`] if it is not offered.
    pub last: u32,
    /// The offers of tokens below.
    pub set: OfferSet,
}

/// An edge to nothing.
const NO_EDGE: Edge = Edge { last: NONE, set: NOTHING };

/// The offers of all tokens.
#[derive(Debug)]
pub struct Offers {
    /// `edges[set * num_symbols + symbol]`.
    edges: Vec<Edge>,
    num_symbols: usize,
    /// The node that each set is below. Edges alone do not tell: offers of different right parts may
    /// block up to the same place.
    pub(super) nodes: Vec<u32>,
    /// The numbers of the sets, by node and edges.
    index: HashTable<OfferSet>,
    /// The set of each token.
    of: Vec<OfferSet>,
}

impl Offers {
    /// The offers of all tokens of `table`. Fails if they take too much memory.
    pub fn new(table: &MergeTable, compatible: &Compatible) -> Result<Self, NoAutomaton> {
        let num_symbols = table.num_symbols() as usize;
        let edges = vec![NO_EDGE; num_symbols];
        let of = vec![NOTHING; table.num_tokens() as usize];
        let index = HashTable::with_capacity(8 * of.len());
        let mut this = Self { edges, num_symbols, nodes: vec![0], index, of };
        let mut path = Vec::new();
        for (&(left, right), product) in table.merges().iter().zip(table.num_symbols()..) {
            this.of[product as usize] = this.of[right as usize];
            path.clear();
            path.extend(compatible.reversed(right).map(|(node, symbol)| (node, symbol, NO_EDGE)));
            this.of[left as usize] =
                this.with(this.of[left as usize], &mut path, compatible.last(product))?;
        }
        Ok(this)
    }

    /// How many sets there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The offers of `token`.
    pub fn of(&self, token: Token) -> OfferSet {
        self.of[token as usize]
    }

    /// What a set has for each symbol.
    #[inline]
    pub fn edges(&self, set: OfferSet) -> &[Edge] {
        &self.edges[set as usize * self.num_symbols..][..self.num_symbols]
    }

    /// `set` with one offer more: of the token of these symbols, the last one first, which blocks
    /// up to `last`. An offer that is there already is older, blocks no less, and stays.
    ///
    /// `path` gets the edge that leads to each symbol; then sets are made from the end to the start.
    fn with(
        &mut self,
        set: OfferSet,
        path: &mut [(u32, u8, Edge)],
        last: u32,
    ) -> Result<OfferSet, NoAutomaton> {
        let mut edge = Edge { last: NONE, set };
        for (_, symbol, before) in path.iter_mut().rev() {
            *before = edge;
            edge = self.edges(edge.set)[usize::from(*symbol)];
        }
        if edge.last != NONE {
            return Ok(set);
        }
        edge.last = last;
        for &mut (node, symbol, before) in path {
            edge = Edge { set: self.replaced(before.set, node, symbol, edge)?, ..before };
        }
        Ok(edge.set)
    }

    /// The number of the set, below `node`, that is `set` but for one edge.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_EDGES
    fn replaced(
        &mut self,
        set: OfferSet,
        node: u32,
        symbol: u8,
        edge: Edge,
    ) -> Result<OfferSet, NoAutomaton> {
        let (width, number) = (self.num_symbols, self.edges.len() / self.num_symbols);
        if self.edges.len() + width > MAX_EDGES {
            return Err(NoAutomaton::TooMany { what: "offers of merges", count: number });
        }
        let first = set as usize * width;
        self.edges.extend_from_within(first..first + width);
        self.edges[number * width + usize::from(symbol)] = edge;
        let (known, new) = self.edges.split_at(number * width);
        let nodes = &self.nodes;
        let of = |set: OfferSet| (nodes[set as usize], &known[set as usize * width..][..width]);
        let hashed = hash(node, new);
        if let Some(&same) = self.index.find(hashed, |&set| of(set) == (node, new)) {
            self.edges.truncate(number * width);
            return Ok(same);
        }
        self.index.insert_unique(hashed, number as OfferSet, |&set| {
            let (node, edges) = of(set);
            hash(node, edges)
        });
        self.nodes.push(node);
        Ok(number as OfferSet)
    }
}

/// A hash of a set.
fn hash(node: u32, edges: &[Edge]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u32(node);
    for &Edge { last, set } in edges {
        hasher.write_u64(u64::from(last) << 32 | u64::from(set));
    }
    hasher.finish()
}
