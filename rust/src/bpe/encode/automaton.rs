//! Byte-pair encoding as a finite automaton.
//!
//! What is said of bases here holds for the symbols of any alphabet of a [`MergeTable`].
//!
//! # Claim
//!
//! Let `last(i)` be the last token of the encoding of the first `i` bases of a word. Then
//!
//! 1. `encode(first i bases) = encode(first i - |t| bases) + t` with `t = last(i)`;
//! 2. `t = last(i)` if and only if `t` ends at `i` and is [compatible](super::compatible) with
//!    `last(i - |t|)`; exactly one token qualifies.
//!
//! So the whole encoding is in the array `last`: walk back from the end. And `last` is computed by
//! an automaton that reads one base at a time.
//!
//! ```text
//! merges   0: A + C = AC     1: C + G = CG
//! prefix   A    AC   ACG   ACGC   ACGCG
//! last     A    AC   G     C      CG
//! ```
//!
//! At `ACG` the token `CG` ends as well, but is not compatible with the `A` before it: the string
//! of both encodes to `AC, G`. Walking back from the end gives `CG`, `G`, `AC`.
//!
//! # States
//!
//! After `i` bases the future depends on the *open starts*: positions `s <= i` such that the bases
//! from `s` to `i` are a proper prefix of some token. Of an open start only two things matter: the
//! trie node of its bases, and which tokens strictly below that node may follow `last(s)`. The
//! second is a slice of a row of the blocked matrix; rows that agree on the slice form a *group*,
//! named by one row of it. A pair (node, group) is an *item*; a state is the list of its items,
//! oldest start first, together with `last(i)`. Reading a base moves every item to its child, or
//! drops it where the trie ends or the whole slice is blocked; if the child is a token that is not
//! blocked, that token is `last(i + 1)`; then a new start opens at the root.
//!
//! States are interned breadth-first. There are three to four for each token of a vocabulary
//! trained on real DNA (11,379 for DNABERT-2's 4,096 tokens), and a state has three items on
//! average.
//!
//! # Ancestors
//!
//! Fact 1, and fact 2 as a test of candidates, are the basis of the `bpe` crate of GitHub's
//! rust-gems: an Aho-Corasick automaton lists the tokens that end at a position, and each is tested
//! against the last token before it until one is compatible. The candidates are tested while the
//! text is encoded.
//!
//! That byte-pair encoding is the work of a finite automaton is due to Berglund, Martens and van
//! der Merwe, "Constructing a BPE Tokenization DFA" (arXiv 2405.07671). They turn an automaton over
//! characters into one over *tokens*, which accepts the correct tokenizations and no others. It
//! serves to match patterns in tokenized text, to compare dictionaries and to compose languages;
//! bounds on the number of states follow, and a subsequential transducer from strings to
//! tokenizations.
//!
//! New here:
//!
//! - The automaton reads *bases* and says for each prefix which token ends it: a Moore machine,
//!   with one look-up per base and no candidates. Tokens are read off backwards, so a state holds
//!   no pending output, as a transducer's would, and the number of states stays near that of trie
//!   nodes.
//! - It is built from the trie and the matrix of blocked pairs, only in the states that some text
//!   reaches, and not from an automaton to begin with.
//! - Open starts whose futures agree share an item, by slices of the matrix. Without groups each
//!   start would carry its own last token, and many states would differ that no text can tell
//!   apart.
//! - Tables that break what training guarantees are refused with a reason ([`NoAutomaton`]), not
//!   encoded wrongly.
//!
//! # Cost
//!
//! Building takes milliseconds for 4,096 tokens, most of them for the matrix. The table has five
//! entries per state (for DNA): the four bases, and a *separator* that leads back to the start, so
//! that many words run through the automaton without a test. Entries are 16 bits wide while there
//! are at most 65,536 states: 114 KB for the 11,379 states above, which the L2 cache holds.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::compatible::{Compatible, NONE, Node};
use super::machine::{LastToken, Machine, StateId};
use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// States that a vocabulary may need before it is left to the heap encoder.
const MAX_STATES: usize = 8 << 20;
/// Likewise entries of the transition table, items of states, moves of items: 128 MiB of each, 256
/// of the last.
const MAX_ENTRIES: usize = 32 << 20;

/// Transition table and outputs of the automaton of one merge table. State 0 is the start of a
/// word.
///
/// Invariants: from every state each input leads to a state below `outputs.len()`; and walking back
/// through the states of a text, by the lengths of their outputs, meets the separator in front of
/// the word.
#[derive(Clone, Debug)]
pub struct Automaton<S: StateId> {
    /// `next[input][state]`: by input first, so that only the last addition waits for the state.
    /// The inputs are the codes of the symbols, then the separator.
    pub next: Vec<S::Row>,
    /// `outputs[state]`: the token that ends there.
    pub outputs: Vec<LastToken>,
    /// Bases in the longest token: how far back a boundary can depend on what follows.
    pub longest: usize,
    /// The number that stands for a separator among the tokens: the number of tokens.
    pub separator: Token,
}

/// An automaton with narrow or wide states.
#[derive(Clone, Debug)]
pub enum AnyAutomaton {
    /// At most 65,536 states, of 16 bits: half the memory traffic, and no bounds check in the
    /// forward loop.
    Narrow(Automaton<u16>),
    /// More states, of 32 bits.
    Wide(Automaton<u32>),
}

impl AnyAutomaton {
    /// Builds the automaton of `table` and checks that each token encodes to itself.
    ///
    /// Fails with the reason if the table breaks an invariant of trained tables, or if memory or
    /// time would exceed fixed limits; such tables are encoded by [`super::heap`]. Time:
    /// milliseconds for 4,096 tokens, at most a second or two. Memory while building: a gigabyte at
    /// most, by the limits here and in [`super::compatible`].
    pub fn build(table: &MergeTable) -> Result<Self> {
        let wide = Builder::new(table)?.run()?;
        wide.verify(table)?;
        Ok(match wide.narrowed() {
            Some(narrow) => Self::Narrow(narrow),
            None => Self::Wide(wide),
        })
    }
}

impl<S: StateId> Automaton<S> {
    /// The automaton over bytes that are codes already, with the separator after them. Larger bytes
    /// are separators.
    pub fn over_codes(&self) -> Machine<'_, S, LastToken> {
        let last = self.next.len() - 1;
        let rows = std::array::from_fn(|code| &self.next[code.min(last)]);
        Machine { rows, outputs: &self.outputs, longest: self.longest }
    }

    /// Every token encodes to itself, or the table is not one that training could have made.
    ///
    /// Fact 2 rests on two properties of trained tables, unique strings and parts that are older
    /// than their product. `Compatible` checks the first, [`MergeTable::push`] the second; this
    /// catches merges whose order contradicts the strings, which neither sees. Time: the sum of all
    /// token lengths.
    fn verify(&self, table: &MergeTable) -> Result<()> {
        let mut codes = Vec::new();
        for token in 0..table.num_tokens() {
            codes.clear();
            table.spell(token, &mut codes);
            let after = |state: S, &code: &u8| state.step(&self.next[usize::from(code)]);
            let last = codes.iter().fold(S::default(), after);
            if self.outputs[last.index()].token != token {
                return Err(NoAutomaton::NotItself { spelling: table.spelling(token) });
            }
        }
        Ok(())
    }
}

impl Automaton<u32> {
    /// The same automaton with states of 16 bits; `None` if there are too many.
    fn narrowed(&self) -> Option<Automaton<u16>> {
        u16::try_from(self.outputs.len() - 1).ok()?;
        let mut next = u16::rows(self.next.len());
        for (narrow, wide) in next.iter_mut().zip(&self.next) {
            for (narrow, &wide) in narrow.iter_mut().zip(wide) {
                *narrow = u16::try_from(wide).ok()?;
            }
        }
        Some(Automaton {
            next,
            outputs: self.outputs.clone(),
            longest: self.longest,
            separator: self.separator,
        })
    }
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
        self.compatible.work.spend(members.len())?;
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
                let Node { token, below: (low, high) } = self.compatible.nodes[child as usize];
                self.compatible.work.spend(1 + (high - low) as usize / 16)?; // the slice is read thrice, and hashed
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
        let entries = ((state + 1) * (self.num_symbols + 1)).max(self.members.len() + items.len());
        if state >= MAX_STATES || entries.max(self.moves.len()) > MAX_ENTRIES {
            return Err(NoAutomaton::TooManyStates);
        }
        let rehash = |&state: &u32| hash(outputs[state as usize].token, of(state));
        self.state_index.insert_unique(hashed, state as u32, rehash);
        self.members.extend_from_slice(items);
        self.bounds.push(self.members.len());
        self.outputs.push(output);
        Ok(state as u32)
    }
}

#[cfg(test)]
mod tests;
