//! Which two tokens may stand next to each other.
//!
//! # Claim
//!
//! Tokens `l` and `t` are *compatible* if the string of both encodes to just `l, t`. They are not
//! if and only if there is a merge `m = (x, y)` with
//!
//! - `x` on the right spine of `l` (`l` itself, its right part, the right part of that, ...) and
//!   `rank(m) < rank(parent of x on that spine)`, where `l` itself has no parent and no bound;
//! - `y` on the left spine of `t` and `rank(m) <= rank(parent of y on that spine)`, likewise.
//!
//! # Proof
//!
//! Follow both strings through time, a merge at a time, as if they were alone. What faces the seam
//! is a piece `x` of `l` and a piece `y` of `t`; `x` is there from its own merge until its
//! parent's. The first merge across the seam, if there is one, joins such a pair while both are
//! there, so its rank lies before both parents' ranks. Conversely a merge with that rank finds both
//! pieces and, being due, joins them. At equal ranks two overlapping occurrences of one pair
//! compete and the left one is made first: if the rival is in `l` (`x` is the right half of its
//! parent `m = (x, x)`), it is the left one, the seam holds; if the rival is in `t`, the merge
//! across the seam is the left one and is made.
//!
//! # Representation
//!
//! Number the tokens by a walk through the forest of *left parts*, in which the parent of a token
//! is its left part: parents before children, and of the children the youngest first. The number is
//! the token's *place*. The tokens that a merge `m = (x, y)` blocks on the right are
//! `T(m) = {y} + all descendants of the children c = (y, z) with rank(c) >= rank(m)`, and in this
//! order that is an interval: it starts at the place of `y` and ends at [`Compatible::last`] of
//! `m`.
//!
//! ```text
//! merges   0: A + C   1: AC + G   2: A + A   3: A + AC   4: AC + AC
//! forest   A [ A.AC [], A.A [], A.C [ AC.AC [], AC.G [] ] ]      youngest child first
//! place    A 0   AAC 1   AA 2   AC 3   ACAC 4   ACG 5
//! blocked  by merge 2, (A, A): A, AAC and AA, places 0 to 2; not AC, which is made before
//! ```
//!
//! The tokens blocked after `l` are the union of `T(m)` over the merges that `l` *offers*, those
//! with `x` on its right spine and a rank below the bound there ([`super::offers`]). So `l` needs
//! no row of bits: it needs its offers, and most of them it shares with its right part.
//!
//! What the trie adds is the other order: below each of its nodes stand the places of the tokens
//! that the node's string is a proper prefix of, in ascending order, to cut intervals to.
//!
//! # Tried and dropped
//!
//! A matrix with a bit for each pair of tokens, filled by the union of rows of bits: 512 MiB and
//! some hundred million operations for 65,536 tokens. The tests keep it as the reference.

use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// Marks what is not there: a child of a node, the place of a node's token.
pub const NONE: u32 = u32::MAX;

/// Nodes of the trie that a vocabulary may need before it is left to the heap encoder: 48 MiB.
const MAX_NODES: usize = 4 << 20;
/// Entries of their children, likewise: 64 MiB.
const MAX_CHILDREN: usize = 16 << 20;
/// Symbols in all tokens together, likewise: 128 MiB of places.
const MAX_SYMBOLS: usize = 32 << 20;

/// One node of the trie: the string that leads to it is a prefix of a token.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The place of the token that ends here, or [`NONE`].
    pub place: u32,
    /// The node one symbol shorter.
    parent: u32,
    /// The last symbol of the string.
    symbol: u8,
}

/// The trie of all tokens, and their order in the forest of left parts.
#[derive(Debug)]
pub struct Compatible {
    /// The trie; node 0 is the root.
    pub nodes: Vec<Node>,
    /// `children[node * num_symbols + symbol]`: the node one symbol further, or [`NONE`].
    children: Vec<u32>,
    num_symbols: usize,
    /// The node of each token.
    node_of: Vec<u32>,
    /// The token at each place.
    pub tokens: Vec<Token>,
    /// `lasts[m]`: the last place that the merge with this product blocks; that of a symbol is not
    /// used.
    lasts: Vec<u32>,
    /// The places below all nodes, concatenated: `bounds[n]..bounds[n + 1]` are those of node `n`.
    below: Vec<u32>,
    bounds: Vec<u32>,
}

impl Compatible {
    /// Lays out trie and forest. Fails if two tokens spell the same string or the vocabulary is too
    /// large for an automaton. Time and memory: the sum of all token lengths.
    pub fn new(table: &MergeTable) -> Result<Self> {
        let symbols = (0..table.num_tokens()).map(|token| table.length(token) as usize).sum();
        if symbols > MAX_SYMBOLS {
            return Err(NoAutomaton::TooMany { what: "symbols in all tokens", count: symbols });
        }
        let Trie { mut nodes, children, node_of } = Trie::new(table)?;
        let Forest { tokens, lasts } = Forest::new(table);
        for (place, &token) in (0..).zip(&tokens) {
            nodes[node_of[token as usize] as usize].place = place;
        }
        let (below, bounds) = places_below(&nodes, tokens.iter().map(|&token| node_of[token as usize]));
        let num_symbols = table.num_symbols() as usize;
        Ok(Self { nodes, children, num_symbols, node_of, tokens, lasts, below, bounds })
    }

    /// The nodes one symbol further than `node`, by the code of the symbol, or [`NONE`].
    #[inline]
    pub fn children(&self, node: u32) -> &[u32] {
        &self.children[node as usize * self.num_symbols..][..self.num_symbols]
    }

    /// The places of the tokens strictly below `node`, ascending.
    #[inline]
    pub fn below(&self, node: u32) -> &[u32] {
        let bounds = &self.bounds[node as usize..][..2];
        &self.below[bounds[0] as usize..bounds[1] as usize]
    }

    /// The last place that the merge with this product blocks after its left part; the first is
    /// that of its right part.
    pub fn last(&self, product: Token) -> u32 {
        self.lasts[product as usize]
    }

    /// The symbols of `token`, the last one first, and the node before each.
    pub fn reversed(&self, token: Token) -> impl Iterator<Item = (u32, u8)> + '_ {
        let mut node = self.node_of[token as usize];
        std::iter::from_fn(move || {
            let Node { parent, symbol, .. } = self.nodes[node as usize];
            (node != 0).then(|| {
                node = parent;
                (parent, symbol)
            })
        })
    }
}

/// The places of the tokens strictly below each node, and where those of each node start. `ends`
/// are the nodes of the tokens by place.
///
/// A counting sort: places come in ascending order, so each node's are sorted.
#[allow(clippy::cast_possible_truncation)] // at most MAX_SYMBOLS
fn places_below(nodes: &[Node], ends: impl Iterator<Item = u32> + Clone) -> (Vec<u32>, Vec<u32>) {
    let above = |mut node: u32| {
        std::iter::from_fn(move || {
            (node != 0).then(|| {
                node = nodes[node as usize].parent;
                node as usize
            })
        })
    };
    let mut bounds = vec![0; nodes.len() + 1];
    ends.clone().flat_map(above).for_each(|node| bounds[node] += 1);
    let mut total = 0;
    for bound in &mut bounds {
        total += std::mem::replace(bound, total);
    }
    let mut below = vec![0; total as usize];
    for (place, end) in (0..).zip(ends) {
        for node in above(end) {
            below[bounds[node] as usize] = place;
            bounds[node] += 1;
        }
    }
    // Each bound has moved on to the start of the next node.
    bounds.rotate_right(1);
    bounds[0] = 0;
    (below, bounds)
}

/// The tokens in the order of the forest of left parts, and the last place that each merge blocks.
struct Forest {
    tokens: Vec<Token>,
    lasts: Vec<u32>,
}

impl Forest {
    /// Walks through the forest. Without recursion: chains are as long as there are merges.
    ///
    /// `next[t]` is the sibling of `t` that is older by one, `first[t]` its youngest child. The
    /// subtree of the oldest child `c = (y, z)` with `rank(c) >= rank(m)` ends `T(m)`; if there is
    /// none, `T(m)` is `y` alone. From the youngest merge to the oldest, `c` is the last child of
    /// `y` that was met.
    #[allow(clippy::cast_possible_truncation)] // tokens are u32
    fn new(table: &MergeTable) -> Self {
        let num_tokens = table.num_tokens() as usize;
        let (mut first, mut next) = (vec![NONE; num_tokens], vec![NONE; num_tokens]);
        for (&(left, _), product) in table.merges().iter().zip(table.num_symbols()..) {
            next[product as usize] = std::mem::replace(&mut first[left as usize], product);
        }
        let mut tokens: Vec<Token> = Vec::with_capacity(num_tokens);
        // The places of each token and of the last one in its subtree.
        let (mut place, mut end) = (vec![0; num_tokens], vec![0; num_tokens]);
        for root in 0..table.num_symbols() {
            let mut at = root;
            // Down to the youngest child, or up to the next sibling of the nearest ancestor that has one.
            'tree: loop {
                place[at as usize] = tokens.len() as u32;
                tokens.push(at);
                if first[at as usize] != NONE {
                    at = first[at as usize];
                    continue;
                }
                loop {
                    end[at as usize] = tokens.len() as u32 - 1;
                    if at == root {
                        break 'tree;
                    }
                    if next[at as usize] != NONE {
                        at = next[at as usize];
                        break;
                    }
                    at = table.parts(at).map_or(root, |(left, _)| left);
                }
            }
        }
        // The oldest child that is not older than the merge.
        let mut oldest: Vec<Token> = vec![NONE; num_tokens];
        let mut lasts = vec![0; num_tokens];
        for product in (table.num_symbols()..table.num_tokens()).rev() {
            let Some((left, right)) = table.parts(product) else { break };
            oldest[left as usize] = product;
            let child = oldest[right as usize];
            lasts[product as usize] = if child == NONE { place[right as usize] } else { end[child as usize] };
        }
        Self { tokens, lasts }
    }
}

/// The trie of all tokens, without their places.
struct Trie {
    nodes: Vec<Node>,
    /// `children[node * num_symbols + symbol]`, as in [`Compatible`].
    children: Vec<u32>,
    /// The node of each token.
    node_of: Vec<u32>,
}

impl Trie {
    /// Inserts all tokens. A product starts from the node of its left part, so that only its right
    /// part is spelled.
    fn new(table: &MergeTable) -> Result<Self> {
        let mut trie = Self { nodes: Vec::new(), children: Vec::new(), node_of: Vec::new() };
        trie.add_node(table, 0, 0)?;
        let mut codes = Vec::new();
        for token in 0..table.num_tokens() {
            let (start, rest) = match table.parts(token) {
                Some((left, right)) => (trie.node_of[left as usize], right),
                None => (0, token),
            };
            codes.clear();
            table.spell(rest, &mut codes);
            let node = trie.descend(table, start, &codes)?;
            // Places are not known yet: what is here is the token.
            let taken = std::mem::replace(&mut trie.nodes[node as usize].place, token);
            if taken != NONE {
                let spelling = table.spelling(token);
                return Err(NoAutomaton::SameSpelling { first: taken, second: token, spelling });
            }
            trie.node_of.push(node);
        }
        Ok(trie.in_order())
    }

    /// The same with nodes numbered by a walk, parents before children and subtrees together: what
    /// is done node by node then reads memory nearly in order.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_NODES
    fn in_order(self) -> Self {
        let width = self.children.len() / self.nodes.len();
        let mut numbers = vec![NONE; self.nodes.len()];
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let mut children = vec![NONE; self.children.len()];
        let mut pending = vec![0];
        while let Some(old) = pending.pop() {
            let node = self.nodes[old as usize];
            let number = nodes.len();
            numbers[old as usize] = number as u32;
            let parent = numbers[node.parent as usize];
            if number > 0 {
                children[parent as usize * width + usize::from(node.symbol)] = number as u32;
            }
            nodes.push(Node { parent, ..node });
            let below = self.children[old as usize * width..][..width].iter().rev();
            pending.extend(below.filter(|&&child| child != NONE));
        }
        let node_of = self.node_of.into_iter().map(|old| numbers[old as usize]).collect();
        Self { nodes, children, node_of }
    }

    /// The node that `codes` lead to from `node`, made if it is not there.
    fn descend(&mut self, table: &MergeTable, mut node: u32, codes: &[u8]) -> Result<u32> {
        for &code in codes {
            let place = node as usize * table.num_symbols() as usize + code as usize;
            if self.children[place] == NONE {
                self.children[place] = self.add_node(table, node, code)?;
            }
            node = self.children[place];
        }
        Ok(node)
    }

    /// A new node without children.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_NODES
    fn add_node(&mut self, table: &MergeTable, parent: u32, symbol: u8) -> Result<u32> {
        let number = self.nodes.len() as u32;
        if self.nodes.len() >= MAX_NODES || self.children.len() >= MAX_CHILDREN {
            return Err(NoAutomaton::TooMany { what: "prefixes of tokens", count: self.nodes.len() });
        }
        self.nodes.push(Node { place: NONE, parent, symbol });
        self.children.resize(self.children.len() + table.num_symbols() as usize, NONE);
        Ok(number)
    }
}
