//! The automaton as it was built before: from a matrix with a bit for each pair of tokens, of which items read slices. Slow,
//! and the reference for tests.

#![allow(unreachable_pub, clippy::unnecessary_wraps)] // as it was

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::super::{Automaton, LastToken, Result};
use crate::bpe::encode::NoAutomaton;
use crate::bpe::{MergeTable, Token};

const NONE: u32 = u32::MAX;

/// The automaton of a table, without the check that each token encodes to itself.
pub(super) fn build(table: &MergeTable) -> Result<Automaton<u32>> {
    Builder::new(table)?.run()
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
}

impl Compatible {
    /// Lays out the trie and fills the matrix. Fails if two tokens spell the same string or the
    /// vocabulary is too large for an automaton. Memory: a bit for each pair of tokens, 2 MiB for
    /// 4,096, and a node for each prefix.
    pub fn new(table: &MergeTable) -> Result<Self> {
        let num_tokens = table.num_tokens() as usize;
        let words_per_row = num_tokens.div_ceil(64);
        let Trie { mut nodes, children, node_of } = Trie::new(table)?;
        let num_symbols = table.num_symbols() as usize;
        let place = walk(&mut nodes, &children, num_tokens);
        let blocked = vec![0; words_per_row * (num_tokens + 1)];
        let mut this = Self { nodes, children, num_symbols, place, blocked, words_per_row };
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
                    block.add_to(row);
                }
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
        for y in 0..table.num_tokens() {
            let node = &self.nodes[node_of[y as usize] as usize];
            let mut bits = Bits::new(self.place[y as usize], node.below.1);
            bits.set(self.place[y as usize]);
            let mut children = families.by_left(y).iter().rev().peekable();
            for &m in families.by_right(y).iter().rev() {
                while let Some(&&child) = children.peek().filter(|&&&child| child >= m) {
                    families.descendants(child, |token| bits.set(self.place[token as usize]));
                    children.next();
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
    fn descendants(&self, token: Token, mut visit: impl FnMut(Token)) {
        let mut pending = vec![token];
        while let Some(token) = pending.pop() {
            visit(token);
            pending.extend(self.by_left(token));
        }
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
        let mut codes = Vec::new();
        for token in 0..table.num_tokens() {
            let (start, rest) = match table.parts(token) {
                Some((left, right)) => (trie.node_of[left as usize], right),
                None => (0, token),
            };
            codes.clear();
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

/// One open start, as far as the future can tell: a node of the trie and a row whose slice below it
/// is the group's.
///
/// Two items are the same if their nodes are equal and their rows agree on the slice below the
/// node, whatever the rows say of tokens elsewhere in the trie: no text leads there from this
/// start.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    node: u32,
    row: u32,
}

/// Where an item goes on a base. Both fields may be set: the child is a token, and a prefix of
/// longer ones.
#[derive(Clone, Copy)]
struct Move {
    /// The token that ends there and may follow, or [`NONE`].
    token: Token,
    /// The item at the child, or [`NONE`] if no token strictly below it may follow.
    item: u32,
}

/// Interns items and states.
///
/// Invariants: an item that has a number has all its moves, and the items that these lead to have
/// numbers as well; a state that has a number has its members and its output, and gets its
/// transitions when its turn comes.
struct Builder<'a> {
    table: &'a MergeTable,
    compatible: Compatible,
    items: Vec<Item>,
    /// `moves[item * num_symbols + symbol]`.
    moves: Vec<Move>,
    num_symbols: usize,
    /// The numbers of the items, by node and slice.
    item_index: HashTable<u32>,
    /// The item that a new start opens after each token, made when first asked for.
    starts: Vec<u32>,
    /// The items of all states, concatenated: `bounds[s]..bounds[s + 1]` are those of state `s`,
    /// oldest start first.
    members: Vec<u32>,
    bounds: Vec<usize>,
    /// The token that ends in each state.
    outputs: Vec<LastToken>,
    /// The numbers of the states, by output and items.
    state_index: HashTable<u32>,
}

impl<'a> Builder<'a> {
    /// No items and no states yet, but the matrix of blocked pairs: most of the time goes there.
    fn new(table: &'a MergeTable) -> Result<Self> {
        let compatible = Compatible::new(table)?;
        Ok(Self {
            table,
            items: Vec::new(),
            moves: Vec::new(),
            num_symbols: table.num_symbols() as usize,
            item_index: HashTable::new(),
            starts: vec![NONE; table.num_tokens() as usize + 1],
            members: Vec::new(),
            bounds: vec![0],
            outputs: Vec::new(),
            state_index: HashTable::new(),
            compatible,
        })
    }

    /// Builds all states that some text reaches, breadth-first.
    ///
    /// Invariant of the loop: `next` is complete for all states below `state`, and every state that
    /// they lead to has a number. New numbers are appended, so the loop ends when none is new. By
    /// induction over the length of a text, the state that it leads to lists the open starts of
    /// that text, and its output is `last` of it: [`Self::successor`] takes the step.
    fn run(mut self) -> Result<Automaton<u32>> {
        let separator = self.table.num_tokens();
        let start = self.start_after(separator);
        self.intern_state(&[start?], LastToken { token: separator, length: 1 })?;
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.num_symbols + 1];
        let mut moved = Vec::new();
        let mut state = 0;
        while state < self.outputs.len() {
            for (input, next) in next.iter_mut().enumerate() {
                let is_symbol = input < self.num_symbols;
                next.push(if is_symbol { self.successor(state, input, &mut moved)? } else { 0 });
            }
            state += 1;
        }
        Ok(Automaton { next, outputs: self.outputs, longest: self.table.longest() as usize, separator })
    }

    /// The state after `state` on `symbol`.
    ///
    /// Every open start moves to its child or is dropped. Of the tokens that end now, exactly one
    /// is compatible with the last token before it (fact 2): two, or none, prove that the table is
    /// not one that training makes. Then a start opens after that token. The order of the items is
    /// that of their starts, so equal sets are equal lists. `moved` is a scratch buffer.
    fn successor(&mut self, state: usize, symbol: usize, moved: &mut Vec<u32>) -> Result<u32> {
        moved.clear();
        let members = self.bounds[state]..self.bounds[state + 1];
        let mut last = NONE;
        for member in members {
            let item = self.members[member];
            let Move { token, item } = self.moves[item as usize * self.num_symbols + symbol];
            if token != NONE {
                if last != NONE {
                    let (first, second) = (self.table.spelling(last), self.table.spelling(token));
                    return Err(NoAutomaton::TwoEndings { first, second });
                }
                last = token;
            }
            if item != NONE {
                moved.push(item);
            }
        }
        if last == NONE {
            return Err(NoAutomaton::NoEnding);
        }
        moved.push(self.start_after(last)?);
        self.intern_state(moved, LastToken { token: last, length: self.table.length(last) })
    }

    /// The item of a start opened after `token` (or after the separator: at the start of a word).
    fn start_after(&mut self, token: Token) -> Result<u32> {
        if self.starts[token as usize] == NONE {
            let row = if token == self.table.num_tokens() { self.compatible.start_row() } else { token };
            self.starts[token as usize] = self.intern_item(Item { node: 0, row })?;
        }
        Ok(self.starts[token as usize])
    }

    /// The number of the item; new ones get their moves, and with them all items that they lead to.
    ///
    /// Invariant of the loop: `pending` are the items that have a number and no moves yet. An item
    /// stays within the subtree of its node, so each is met once and the loop ends. Time: for each
    /// item and symbol the length of a slice.
    fn intern_item(&mut self, item: Item) -> Result<u32> {
        // Depth-first without recursion: an entry is an item whose moves are still to be filled in.
        let (root, is_new) = self.find_or_add(item);
        let mut pending = if is_new { vec![root] } else { Vec::new() };
        while let Some(number) = pending.pop() {
            let Item { node, row } = self.items[number as usize];
            for symbol in 0..self.num_symbols {
                let child = self.compatible.children(node)[symbol];
                if child == NONE {
                    continue;
                }
                let Node { token, .. } = self.compatible.nodes[child as usize];
                let place = number as usize * self.num_symbols + symbol;
                if token != NONE && !self.compatible.is_blocked(row, token) {
                    self.moves[place].token = token;
                }
                if self.anything_open(child, row) {
                    let (item, is_new) = self.find_or_add(Item { node: child, row });
                    self.moves[place].item = item;
                    pending.extend(is_new.then_some(item));
                }
            }
        }
        Ok(root)
    }

    /// Whether some token strictly below `node` may follow what `row` stands for.
    fn anything_open(&self, node: u32, row: u32) -> bool {
        let (low, high) = self.compatible.nodes[node as usize].below;
        let mut left = high - low;
        self.compatible.slice(row, (low, high)).any(|blocked| {
            let bits = left.min(64);
            left -= bits;
            blocked.count_ones() < bits
        })
    }

    /// The number of the item, and whether it is new. Items are hashed and compared by node and
    /// slice: the row is only where the slice is read.
    #[allow(clippy::cast_possible_truncation)] // items are bounded by states
    fn find_or_add(&mut self, item: Item) -> (u32, bool) {
        let range = self.compatible.nodes[item.node as usize].below;
        let (compatible, items) = (&self.compatible, &mut self.items);
        let hash = |item: &Item| {
            let mut hasher = FxHasher::default();
            hasher.write_u32(item.node);
            compatible
                .slice(item.row, compatible.nodes[item.node as usize].below)
                .for_each(|word| hasher.write_u64(word));
            hasher.finish()
        };
        let same = |&number: &u32| {
            let other = items[number as usize];
            other.node == item.node
                && (other.row == item.row
                    || compatible.slice(other.row, range).eq(compatible.slice(item.row, range)))
        };
        let hashed = hash(&item);
        if let Some(&number) = self.item_index.find(hashed, same) {
            return (number, false);
        }
        let number = items.len() as u32;
        items.push(item);
        self.moves.resize(self.moves.len() + self.num_symbols, Move { token: NONE, item: NONE });
        self.item_index.insert_unique(hashed, number, |&number| hash(&items[number as usize]));
        (number, true)
    }

    /// The number of the state with these items and this output.
    #[allow(clippy::cast_possible_truncation)] // bounded by MAX_STATES
    fn intern_state(&mut self, items: &[u32], output: LastToken) -> Result<u32> {
        let hash = |token: Token, items: &[u32]| FxBuildHasher.hash_one((token, items));
        let (members, bounds, outputs) = (&self.members, &self.bounds, &self.outputs);
        let of = |state: u32| &members[bounds[state as usize]..bounds[state as usize + 1]];
        let hashed = hash(output.token, items);
        let same = |&state: &u32| outputs[state as usize].token == output.token && of(state) == items;
        if let Some(&state) = self.state_index.find(hashed, same) {
            return Ok(state);
        }
        let state = outputs.len();
        let rehash = |&state: &u32| hash(outputs[state as usize].token, of(state));
        self.state_index.insert_unique(hashed, state as u32, rehash);
        self.members.extend_from_slice(items);
        self.bounds.push(self.members.len());
        self.outputs.push(output);
        Ok(state as u32)
    }
}
