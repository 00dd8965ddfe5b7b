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
//! Tokens are ordered by a walk through the trie of their strings, so that the tokens below a node
//! of the trie are a range. For a merge `m = (x, y)` the tokens blocked by it on the right are
//! `T(m) = {y} + all descendants, by left part, of the children c = (y, z) with rank(c) >= rank(m)`.
//! All of them begin with `y`, so `T(m)` is a short row of bits over the range of `y`'s node. Row
//! `l` of the matrix of blocked neighbours is the union of `T(m)` over the merges that `l` offers
//! on its right spine. With 4,096 tokens that is some millions of operations on whole machine
//! words, in place of 16 million questions, one for each pair.

use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// Marks what is not there: a child of a node, the token of a node.
pub const NONE: u32 = u32::MAX;

/// Nodes of the trie that a vocabulary may need before it is left to the heap encoder: 48 MiB.
const MAX_NODES: usize = 4 << 20;
/// Entries of their children, likewise: 64 MiB.
const MAX_CHILDREN: usize = 16 << 20;
/// Bits of the matrix of blocked pairs, likewise: 512 MiB, 65,535 tokens.
const MAX_BITS: usize = 1 << 32;
/// Machine words in all `T(m)` together, likewise: 256 MiB.
const MAX_BLOCKS: usize = 1 << 25;
/// Steps of building matrix and automaton, likewise: a second or two.
const MAX_STEPS: usize = 1 << 30;

/// Counts the steps of building, so that none takes without end.
///
/// The limits above are for memory. Time can be cubic in the number of tokens when they are made to
/// be: each of ten thousand tokens one symbol longer than the last has all others on its spine. A
/// step is an operation on a machine word or a visit to a token, some nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildBudget {
    spent: usize,
}

impl BuildBudget {
    /// Counts `steps`; fails when there have been too many.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Result<()> {
        self.spent += steps;
        if self.spent > MAX_STEPS { Err(NoAutomaton::TooSlow) } else { Ok(()) }
    }
}

/// One node of the trie: the string that leads to it is a prefix of a token.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The token that ends here, or [`NONE`].
    pub token: Token,
    /// First and last (exclusive) place, in the order of the walk, of the tokens strictly below.
    pub below: (u32, u32),
}

/// The trie of all tokens and the pairs of tokens that block each other.
#[derive(Debug)]
pub struct Compatible {
    /// The trie; node 0 is the root.
    pub nodes: Vec<Node>,
    /// `children[node * num_symbols + symbol]`: the node one symbol further, or [`NONE`].
    children: Vec<u32>,
    num_symbols: usize,
    /// Place of each token in the order of the walk: a prefix before the tokens that it is a prefix
    /// of.
    place: Vec<u32>,
    /// Row `l` has a bit for each token, in the order of the walk, that is blocked after `l`; one
    /// row of zeros at the end stands for the start of a word, after which everything may follow.
    /// Rows are concatenated.
    blocked: Vec<u64>,
    words_per_row: usize,
    /// What building has taken so far; the automaton spends of the same budget.
    pub work: BuildBudget,
}

impl Compatible {
    /// Lays out the trie and fills the matrix. Fails if two tokens spell the same string or the
    /// vocabulary is too large for an automaton. Memory: a bit for each pair of tokens, 2 MiB for
    /// 4,096, and a node for each prefix.
    pub fn new(table: &MergeTable) -> Result<Self> {
        let num_tokens = table.num_tokens() as usize;
        let words_per_row = num_tokens.div_ceil(64);
        if words_per_row * 64 * (num_tokens + 1) > MAX_BITS {
            return Err(NoAutomaton::TooMany { what: "tokens", count: num_tokens });
        }
        let Trie { mut nodes, children, node_of } = Trie::new(table)?;
        let num_symbols = table.num_symbols() as usize;
        let place = walk(&mut nodes, &children, num_tokens);
        let blocked = vec![0; words_per_row * (num_tokens + 1)];
        let work = BuildBudget::default();
        let mut this = Self { nodes, children, num_symbols, place, blocked, words_per_row, work };
        this.fill(table, &node_of)?;
        Ok(this)
    }

    /// The node one symbol further than `node`, by the code of the symbol, or [`NONE`].
    pub fn children(&self, node: u32) -> &[u32] {
        &self.children[node as usize * self.num_symbols..][..self.num_symbols]
    }

    /// The row number that stands for the start of a word.
    #[allow(clippy::cast_possible_truncation)] // tokens are u32
    pub fn start_row(&self) -> u32 {
        self.place.len() as u32
    }

    /// Whether `token` may not follow what row `l` stands for.
    pub fn is_blocked(&self, l: u32, token: Token) -> bool {
        let place = self.place[token as usize] as usize;
        self.row(l)[place / 64] >> (place % 64) & 1 == 1
    }

    /// The bits `range` of row `l`, shifted to start at bit 0 of the first word and cut at the end:
    /// so slices of two rows over one range are equal words exactly if they are equal sets.
    pub fn slice(&self, l: u32, range: (u32, u32)) -> impl Iterator<Item = u64> + '_ {
        let (low, high) = (range.0 as usize, range.1 as usize);
        let row = self.row(l);
        let (first, shift) = (low / 64, low % 64);
        (0..(high - low).div_ceil(64)).map(move |word| {
            let here = row[first + word] >> shift;
            let rest =
                if shift == 0 { 0 } else { row.get(first + word + 1).map_or(0, |next| next << (64 - shift)) };
            let left = high - low - word * 64;
            (here | rest) & if left >= 64 { u64::MAX } else { (1 << left) - 1 }
        })
    }

    /// The blocked followers of `l`, or of the start of a word.
    fn row(&self, l: u32) -> &[u64] {
        &self.blocked[l as usize * self.words_per_row..][..self.words_per_row]
    }

    /// Fills the matrix, by the claim above.
    ///
    /// Invariant of the inner loop: `spine` is on the right spine of `l`, and `parent` is its
    /// parent there, or a bound above all tokens for `l` itself. Tokens are numbered by rank, so a
    /// merge is due before the parent exactly if its product is smaller, and the merges of one left
    /// part are sorted: the first that are smaller are those that count.
    fn fill(&mut self, table: &MergeTable, node_of: &[u32]) -> Result<()> {
        let families = Families::new(table);
        let blocks: Vec<Bits> = self.right_blocks(table, node_of, &families)?;
        for l in 0..table.num_tokens() {
            let row = &mut self.blocked[l as usize * self.words_per_row..][..self.words_per_row];
            let (mut spine, mut parent) = (Some(l), Token::MAX);
            while let Some(x) = spine {
                for &m in families.by_left(x).iter().take_while(|&&m| m < parent) {
                    let block = &blocks[(m - table.num_symbols()) as usize];
                    self.work.spend(block.words.len())?;
                    block.add_to(row);
                }
                self.work.spend(1)?;
                (spine, parent) = (table.parts(x).map(|(_, right)| right), x);
            }
        }
        Ok(())
    }

    /// `T(m)` for every merge `m`, by rank.
    ///
    /// Invariant: merges `m` with the right part `y` come in falling rank, and `bits` holds `T(m)`
    /// for the present one; a smaller rank lets more children of `y` in and none out. So each
    /// descendant of `y` is visited once for `y`.
    fn right_blocks(
        &mut self,
        table: &MergeTable,
        node_of: &[u32],
        families: &Families,
    ) -> Result<Vec<Bits>> {
        let mut blocks = vec![Bits::default(); table.merges().len()];
        let mut num_words = 0;
        for y in 0..table.num_tokens() {
            let node = &self.nodes[node_of[y as usize] as usize];
            let mut bits = Bits::new(self.place[y as usize], node.below.1);
            bits.set(self.place[y as usize]);
            let mut children = families.by_left(y).iter().rev().peekable();
            for &m in families.by_right(y).iter().rev() {
                while let Some(&&child) = children.peek().filter(|&&&child| child >= m) {
                    families.descendants(child, |token| {
                        bits.set(self.place[token as usize]);
                        self.work.spend(1)
                    })?;
                    children.next();
                }
                num_words += bits.words.len();
                if num_words > MAX_BLOCKS {
                    return Err(NoAutomaton::TooMany { what: "words of blocked pairs", count: num_words });
                }
                blocks[(m - table.num_symbols()) as usize] = bits.clone();
            }
        }
        Ok(blocks)
    }
}

/// The products of each token, as left part and as right part, in the order of rank.
struct Families {
    /// `left[token]`: the products whose left part is `token`.
    left: Vec<Vec<Token>>,
    /// `right[token]`: those whose right part it is.
    right: Vec<Vec<Token>>,
}

impl Families {
    /// Of all merges. Rank by rank, so that each list is sorted.
    fn new(table: &MergeTable) -> Self {
        let empty = vec![Vec::new(); table.num_tokens() as usize];
        let (mut left, mut right) = (empty.clone(), empty);
        for (&(l, r), product) in table.merges().iter().zip(table.num_symbols()..) {
            left[l as usize].push(product);
            right[r as usize].push(product);
        }
        Self { left, right }
    }

    /// The products whose left part is `token`, by rank.
    fn by_left(&self, token: Token) -> &[Token] {
        &self.left[token as usize]
    }

    /// The products whose right part is `token`, by rank.
    fn by_right(&self, token: Token) -> &[Token] {
        &self.right[token as usize]
    }

    /// Visits `token` and everything that has it on its left spine. Without recursion: chains are
    /// as long as there are merges.
    fn descendants(&self, token: Token, mut visit: impl FnMut(Token) -> Result<()>) -> Result<()> {
        let mut pending = vec![token];
        while let Some(token) = pending.pop() {
            visit(token)?;
            pending.extend(self.by_left(token));
        }
        Ok(())
    }
}

/// A row of bits over a range of places, in whole words of the full row, so that it is added
/// without a shift.
#[derive(Clone, Debug, Default)]
struct Bits {
    /// The word of the full row that `words[0]` belongs to.
    first_word: usize,
    words: Vec<u64>,
}

impl Bits {
    /// No bit set, for places from `low` to `high` (exclusive).
    fn new(low: u32, high: u32) -> Self {
        let first_word = low as usize / 64;
        Self { first_word, words: vec![0; (high as usize).div_ceil(64) - first_word] }
    }

    /// Sets the bit of a place in the range.
    fn set(&mut self, place: u32) {
        self.words[place as usize / 64 - self.first_word] |= 1 << (place % 64);
    }

    /// The union with a full row, in place: one operation per word, and no shift.
    fn add_to(&self, row: &mut [u64]) {
        for (word, bits) in row[self.first_word..].iter_mut().zip(&self.words) {
            *word |= bits;
        }
    }
}

/// The trie of all tokens, with the ranges of its nodes still to be found ([`walk`]).
struct Trie {
    nodes: Vec<Node>,
    /// `children[node * num_symbols + symbol]`, as in [`Compatible`].
    children: Vec<u32>,
    /// The node of each token.
    node_of: Vec<u32>,
}

impl Trie {
    /// Inserts all tokens. A product starts from the node of its left part, so that only its right
    /// part is spelled: time is the sum of the lengths of all right parts, limited to 16 times the
    /// nodes.
    fn new(table: &MergeTable) -> Result<Self> {
        let mut trie = Self { nodes: Vec::new(), children: Vec::new(), node_of: Vec::new() };
        trie.add_node(table)?;
        let (mut codes, mut spelled) = (Vec::new(), 0);
        for token in 0..table.num_tokens() {
            let (start, rest) = match table.parts(token) {
                Some((left, right)) => (trie.node_of[left as usize], right),
                None => (0, token),
            };
            codes.clear();
            spelled += table.length(rest) as usize;
            if spelled > 16 * MAX_NODES {
                return Err(NoAutomaton::TooMany { what: "symbols in all tokens", count: spelled });
            }
            table.spell(rest, &mut codes);
            let node = trie.descend(table, start, &codes)?;
            let taken = std::mem::replace(&mut trie.nodes[node as usize].token, token);
            if taken != NONE {
                let spelling = table.spelling(token);
                return Err(NoAutomaton::SameSpelling { first: taken, second: token, spelling });
            }
            trie.node_of.push(node);
        }
        Ok(trie)
    }

    /// The node that `codes` lead to from `node`, made if it is not there.
    fn descend(&mut self, table: &MergeTable, mut node: u32, codes: &[u8]) -> Result<u32> {
        for &code in codes {
            let place = node as usize * table.num_symbols() as usize + code as usize;
            if self.children[place] == NONE {
                self.children[place] = self.add_node(table)?;
            }
            node = self.children[place];
        }
        Ok(node)
    }

    /// A new node without children.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_NODES
    fn add_node(&mut self, table: &MergeTable) -> Result<u32> {
        let number = self.nodes.len() as u32;
        if self.nodes.len() >= MAX_NODES || self.children.len() >= MAX_CHILDREN {
            return Err(NoAutomaton::TooMany { what: "prefixes of tokens", count: self.nodes.len() });
        }
        self.nodes.push(Node { token: NONE, below: (0, 0) });
        self.children.resize(self.children.len() + table.num_symbols() as usize, NONE);
        Ok(number)
    }
}

/// Numbers the tokens in the order of a depth-first walk, parents before children, and notes each
/// node's range.
///
/// Invariant: all tokens with numbers below `next_place` are done, so those strictly below a node
/// are numbered between the two times that the walk meets it.
fn walk(nodes: &mut [Node], children: &[u32], num_tokens: usize) -> Vec<u32> {
    let num_symbols = children.len() / nodes.len();
    let mut place = vec![0; num_tokens];
    let mut next_place = 0;
    // A node is met twice: on the way down (`false`) and when all below it is numbered (`true`).
    let mut pending = vec![(0, false)];
    while let Some((node, done)) = pending.pop() {
        let this = &mut nodes[node as usize];
        if done {
            this.below.1 = next_place;
            continue;
        }
        if this.token != NONE {
            place[this.token as usize] = next_place;
            next_place += 1;
        }
        this.below.0 = next_place;
        pending.push((node, true));
        let children = children[node as usize * num_symbols..][..num_symbols].iter().rev();
        pending.extend(children.filter(|&&child| child != NONE).map(|&child| (child, false)));
    }
    place
}
