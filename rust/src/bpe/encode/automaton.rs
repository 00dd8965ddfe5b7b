//! Byte-pair encoding as a finite automaton.
//!
//! # Claim
//!
//! Let `last(i)` be the last token of the encoding of the first `i` bases of a word. Then
//!
//! 1. `encode(first i bases) = encode(first i - |t| bases) + t` with `t = last(i)`;
//! 2. `t = last(i)` if and only if `t` ends at `i` and is [compatible](super::compatible) with `last(i - |t|)`; exactly one
//!    token qualifies.
//!
//! So the whole encoding is in the array `last`: walk back from the end. And `last` is computed by an automaton that
//! reads a base at a time.
//!
//! # States
//!
//! After `i` bases the future depends on the *open starts*: positions `s <= i` such that the bases from `s` to `i` are
//! a proper prefix of some token. Of an open start only two things matter: the trie node of its bases, and which
//! tokens strictly below that node may follow `last(s)`. The second is a slice of a row of the blocked matrix; rows
//! that agree on the slice form a *group*, named by one row of it. A pair (node, group) is an *item*; a state is the
//! list of its items, oldest start first, together with `last(i)`. Reading a base moves every item to its child, or
//! drops it where the trie ends or the whole slice is blocked; if the child is a token that is not blocked, that token
//! is `last(i + 1)`; then a new start opens at the root.
//!
//! States are interned breadth-first. There are three to four for each token of a vocabulary trained on real DNA
//! (11,379 for DNABERT-2's 4,096 tokens), and a state has three items on average.
//!
//! # Cost
//!
//! Building takes some 10 ms for 4,096 tokens; most of it is the matrix. The table has five entries a state (for DNA):
//! the four bases, and a *separator* that leads back to the start, so that many words run through the automaton
//! without a test. Entries are 16 bits wide while there are at most 65,536 states: 114 KB for the 11,379 states above.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::compatible::{Compatible, NONE, Node};
use super::machine::{LastToken, Machine, StateId};
use crate::bpe::{MergeTable, Token};
use crate::error::{Error, Result};

/// States that a vocabulary may need before it is left to the heap encoder.
const MAX_STATES: usize = 8 << 20;
/// Likewise entries of the transition table, items of states, moves of items.
const MAX_ENTRIES: usize = 32 << 20;

/// Transition table and outputs of the automaton of one merge table. State 0 is the start of a word.
#[derive(Clone, Debug)]
pub struct Automaton<S: StateId> {
    /// `next[symbol][state]`: by symbol first, so that only the last addition waits for the state. The symbols are the
    /// letters, then the separator.
    pub next: Vec<S::Row>,
    /// `steps[state]`.
    pub steps: Vec<LastToken>,
    /// Bases in the longest token.
    pub longest: usize,
    /// The number that stands for a separator among the tokens: the number of tokens.
    pub separator: Token,
}

/// An automaton with narrow or wide states.
#[derive(Clone, Debug)]
pub enum AnyAutomaton {
    /// At most 65,536 states.
    Narrow(Automaton<u16>),
    /// More.
    Wide(Automaton<u32>),
}

impl AnyAutomaton {
    /// Builds the automaton of `table` and checks that each token encodes to itself.
    ///
    /// Fails if the table breaks an invariant of trained tables or needs too many states; such tables are encoded by
    /// [`super::heap`].
    pub fn build(table: &MergeTable) -> Result<Self> {
        let wide = Builder::new(table)?.run()?;
        wide.verify(table)?;
        Ok(match wide.narrowed() {
            Some(narrow) => Self::Narrow(narrow),
            None => Self::Wide(wide),
        })
    }

    /// How many states there are.
    pub fn num_states(&self) -> usize {
        match self {
            Self::Narrow(automaton) => automaton.steps.len(),
            Self::Wide(automaton) => automaton.steps.len(),
        }
    }
}

impl<S: StateId> Automaton<S> {
    /// The state after `state` on `symbol`.
    #[inline]
    pub fn after(&self, state: S, symbol: u8) -> S {
        state.step(&self.next[symbol as usize])
    }

    /// The automaton over bytes that are codes already, with the separator after them.
    pub fn over_codes(&self) -> Machine<'_, S, LastToken> {
        let last = self.next.len() - 1;
        let rows = std::array::from_fn(|code| &self.next[code.min(last)]);
        Machine { rows, outputs: &self.steps, longest: self.longest }
    }

    /// The tokens of a word, from its base codes.
    pub fn encode(&self, codes: &[u8]) -> Vec<Token> {
        self.over_codes().encode(codes)
    }

    /// Every token encodes to itself, or the table is not one that training could have made.
    fn verify(&self, table: &MergeTable) -> Result<()> {
        let mut codes = Vec::new();
        for token in 0..table.num_tokens() {
            codes.clear();
            table.spell(token, &mut codes);
            let last = codes.iter().fold(S::default(), |state, &code| self.after(state, code));
            if self.steps[last.index()].token != token {
                return Err(Error::vocabulary(format!(
                    "token {} does not encode to itself; the merges are not in an order that training makes",
                    table.spelling(token)
                )));
            }
        }
        Ok(())
    }
}

impl Automaton<u32> {
    fn narrowed(&self) -> Option<Automaton<u16>> {
        u16::try_from(self.steps.len() - 1).ok()?;
        let mut next = u16::rows(self.next.len());
        for (narrow, wide) in next.iter_mut().zip(&self.next) {
            for (narrow, &wide) in narrow.iter_mut().zip(wide) {
                *narrow = u16::try_from(wide).ok()?;
            }
        }
        Some(Automaton { next, steps: self.steps.clone(), longest: self.longest, separator: self.separator })
    }
}

/// One open start, as far as the future can tell: a node of the trie and a row whose slice below it is the group's.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    node: u32,
    row: u32,
}

/// Where an item goes on a base.
#[derive(Clone, Copy)]
struct Move {
    /// The token that ends there and may follow, or [`NONE`].
    token: Token,
    /// The item at the child, or [`NONE`].
    item: u32,
}

/// Interns items and states.
struct Builder<'a> {
    table: &'a MergeTable,
    compatible: Compatible,
    items: Vec<Item>,
    /// The moves of each item, letter by letter.
    moves: Vec<Move>,
    num_symbols: usize,
    item_index: HashTable<u32>,
    /// The item that a new start opens after each token, made when first asked for.
    starts: Vec<u32>,
    /// States, end to end: `bounds[s]..bounds[s + 1]` are the items of state `s`.
    members: Vec<u32>,
    bounds: Vec<usize>,
    steps: Vec<LastToken>,
    state_index: HashTable<u32>,
}

impl<'a> Builder<'a> {
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
            steps: Vec::new(),
            state_index: HashTable::new(),
            compatible,
        })
    }

    fn run(mut self) -> Result<Automaton<u32>> {
        let separator = self.table.num_tokens();
        let start = self.start_after(separator);
        self.intern_state(&[start?], LastToken { token: separator, length: 1 })?;
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.num_symbols + 1];
        let mut moved = Vec::new();
        let mut state = 0;
        while state < self.steps.len() {
            for (symbol, next) in next.iter_mut().enumerate() {
                let is_letter = symbol < self.num_symbols;
                next.push(if is_letter { self.successor(state, symbol, &mut moved)? } else { 0 });
            }
            state += 1;
        }
        Ok(Automaton { next, steps: self.steps, longest: self.table.longest() as usize, separator })
    }

    /// The state after `state` on `letter`.
    fn successor(&mut self, state: usize, letter: usize, moved: &mut Vec<u32>) -> Result<u32> {
        moved.clear();
        let members = self.bounds[state]..self.bounds[state + 1];
        self.compatible.work.spend(members.len())?;
        let mut last = NONE;
        for member in members {
            let item = self.members[member];
            let Move { token, item } = self.moves[item as usize * self.num_symbols + letter];
            if token != NONE {
                if last != NONE {
                    return Err(two_endings(self.table, last, token));
                }
                last = token;
            }
            if item != NONE {
                moved.push(item);
            }
        }
        if last == NONE {
            return Err(Error::vocabulary(
                "a string has no encoding; the merges are not in an order that training makes",
            ));
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
    fn intern_item(&mut self, item: Item) -> Result<u32> {
        // Depth-first without recursion: an entry is an item whose moves are still to be filled in.
        let (root, is_new) = self.find_or_add(item);
        let mut pending = if is_new { vec![root] } else { Vec::new() };
        while let Some(number) = pending.pop() {
            let Item { node, row } = self.items[number as usize];
            for letter in 0..self.num_symbols {
                let child = self.compatible.children(node)[letter];
                if child == NONE {
                    continue;
                }
                let Node { token, below: (low, high) } = self.compatible.nodes[child as usize];
                self.compatible.work.spend(1 + (high - low) as usize / 16)?; // looked at thrice, and hashed
                let place = number as usize * self.num_symbols + letter;
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

    /// Whether some token strictly below `node` may follow.
    fn anything_open(&self, node: u32, row: u32) -> bool {
        let (low, high) = self.compatible.nodes[node as usize].below;
        let mut left = high - low;
        self.compatible.slice(row, (low, high)).any(|blocked| {
            let bits = left.min(64);
            left -= bits;
            blocked.count_ones() < bits
        })
    }

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

    #[allow(clippy::cast_possible_truncation)] // bounded by MAX_STATES
    fn intern_state(&mut self, items: &[u32], step: LastToken) -> Result<u32> {
        let hash = |token: Token, items: &[u32]| FxBuildHasher.hash_one((token, items));
        let (members, bounds, steps) = (&self.members, &self.bounds, &self.steps);
        let of = |state: u32| &members[bounds[state as usize]..bounds[state as usize + 1]];
        let hashed = hash(step.token, items);
        let same = |&state: &u32| steps[state as usize].token == step.token && of(state) == items;
        if let Some(&state) = self.state_index.find(hashed, same) {
            return Ok(state);
        }
        let state = steps.len();
        let entries = ((state + 1) * (self.num_symbols + 1)).max(self.members.len() + items.len());
        if state >= MAX_STATES || entries.max(self.moves.len()) > MAX_ENTRIES {
            return Err(Error::vocabulary("the vocabulary needs too many states for an automaton"));
        }
        let rehash = |&state: &u32| hash(steps[state as usize].token, of(state));
        self.state_index.insert_unique(hashed, state as u32, rehash);
        self.members.extend_from_slice(items);
        self.bounds.push(self.members.len());
        self.steps.push(step);
        Ok(state as u32)
    }
}

fn two_endings(table: &MergeTable, first: Token, second: Token) -> Error {
    Error::vocabulary(format!(
        "a string could end in {} as well as in {}; the merges are not in an order that training makes",
        table.spelling(first),
        table.spelling(second)
    ))
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // small numbers
mod tests {
    use super::*;
    use crate::bpe::encode::heap::HeapEncoder;

    /// A plain trainer on one word: enough to make valid tables.
    fn train(mut tokens: Vec<Token>, num_merges: usize) -> MergeTable {
        let mut table = MergeTable::new();
        for _ in 0..num_merges {
            let mut counts = std::collections::BTreeMap::new();
            tokens.windows(2).for_each(|pair| *counts.entry((pair[0], pair[1])).or_insert(0) += 1);
            let Some((&pair, _)) =
                counts.iter().max_by_key(|&(&pair, &count)| (count, std::cmp::Reverse(pair)))
            else {
                break;
            };
            let product = table.push(pair).unwrap();
            let mut merged = Vec::new();
            let mut i = 0;
            while i < tokens.len() {
                if i + 1 < tokens.len() && (tokens[i], tokens[i + 1]) == pair {
                    merged.push(product);
                    i += 2;
                } else {
                    merged.push(tokens[i]);
                    i += 1;
                }
            }
            tokens = merged;
        }
        table
    }

    fn bits(mut seed: u64) -> impl FnMut() -> u64 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        }
    }

    /// Words full of runs: each next base repeats the last, or an earlier stretch, more often than not.
    fn runs(seed: u64, length: usize, letters: u64) -> Vec<u8> {
        let mut random = bits(seed);
        let mut word: Vec<u8> = Vec::new();
        while word.len() < length {
            match random() % 4 {
                0 => word.push((random() % letters) as u8),
                1 if !word.is_empty() => {
                    let last = word[word.len() - 1];
                    (0..random() % 9).for_each(|_| word.push(last));
                }
                2 if word.len() > 3 => {
                    let start = random() as usize % (word.len() - 2);
                    let copy: Vec<u8> =
                        word[start..word.len().min(start + 1 + random() as usize % 12)].to_vec();
                    word.extend(copy);
                }
                _ => word.push((random() % 4) as u8),
            }
        }
        word
    }

    #[test]
    fn agrees_with_the_heap_on_run_heavy_vocabularies() {
        for seed in 0..300 {
            let letters = 1 + seed % 4;
            let corpus = runs(seed, 60 + 10 * (seed as usize % 60), letters);
            let table =
                train(corpus.iter().map(|&code| Token::from(code)).collect(), 4 + seed as usize % 120);
            let heap = HeapEncoder::new(&table);
            let AnyAutomaton::Narrow(automaton) = AnyAutomaton::build(&table).unwrap() else {
                panic!("wide")
            };
            assert_eq!(automaton.encode(&corpus), heap.encode(&corpus));
            for other in 0..20 {
                let word = runs(seed * 1000 + other, 1 + other as usize * 13, 1 + other % 4);
                assert_eq!(automaton.encode(&word), heap.encode(&word), "seed {seed}, word {other}");
            }
        }
    }

    #[test]
    fn compatibility_is_what_it_says() {
        for seed in 0..60 {
            let corpus = runs(seed, 300, 1 + seed % 4);
            let table = train(corpus.iter().map(|&code| Token::from(code)).collect(), 40);
            let heap = HeapEncoder::new(&table);
            let compatible = Compatible::new(&table).unwrap();
            for l in 0..table.num_tokens() {
                for t in 0..table.num_tokens() {
                    let mut codes = Vec::new();
                    table.spell(l, &mut codes);
                    table.spell(t, &mut codes);
                    assert_eq!(
                        !compatible.is_blocked(l, t),
                        heap.encode(&codes) == [l, t],
                        "{seed}: {l} {t}"
                    );
                }
            }
        }
    }

    #[test]
    fn refuses_a_token_made_twice() {
        // AA + A and A + AA spell the same.
        let table = MergeTable::from_merges([(0, 0), (4, 0), (0, 4)]).unwrap();
        assert!(AnyAutomaton::build(&table).is_err());
    }
}
