//! Open starts, as far as the future can tell.
//!
//! After `i` bases of a word the *open starts* are the positions `s <= i` such that the bases from
//! `s` to `i` are a proper prefix of some token. Of an open start only two things matter: the trie
//! node of its bases, and which tokens strictly below that node may follow `last(s)`, the last
//! token before `s`. A pair of a node and such a set of tokens is an *item*. On a base an item
//! moves to its child, or is dropped where the trie ends or all tokens below are blocked; if the
//! child is a token that is not blocked, that token may end there.
//!
//! # What an item is made of
//!
//! Which tokens below a node are blocked is known from two things:
//!
//! - of the offers of `last(s)` whose right part is at the node or above it, the *runs*: the places
//!   that they block, cut to the places below the node. Offers block intervals
//!   ([`super::compatible`]), and cut to a node they are again intervals of its list. Runs that
//!   touch in the list are joined, so equal sets are equal runs;
//! - the offers whose right part is below the node: a set of [`super::offers`], by its number.
//!
//! On a base the runs are cut to the child, and an offer whose right part is the child becomes a
//! run. So the moves of an item cost a binary search for each run, of which there are few, and not
//! a slice of a row of bits.
//!
//! # Equal items
//!
//! Two such pairs may stand for the same set: an offer below may block only what a run blocks
//! already. Items are known by their *moves*, which are made from the longest strings to the
//! shortest: two items at a node have the same moves if and only if the same tokens below are
//! blocked. (By induction over the trie: a move says whether the child is blocked, and leads to the
//! same item if and only if the same tokens are blocked below it.) So the states of
//! [`super::automaton`] are the same as with sets of tokens, and only the work is less: with 65,536
//! tokens there are 2 % more pairs than items.
//!
//! # Order of work
//!
//! Node by node, twice: from the root down all pairs are found, those of a node from those of its
//! parent; then from the leaves up their moves, and so the items. Pairs of two nodes are never
//! compared, so that each node needs a small table, and memory is read nearly in order. Depth-first
//! from each start, with one table for all pairs, takes twice the time for 65,536 tokens.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::compatible::{Compatible, NONE};
use super::no_automaton::NoAutomaton;
use super::offers::{Edge, NOTHING, OfferSet, Offers};
use crate::bpe::{MergeTable, Token};

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// Steps of building items and states that a vocabulary may need before it is left to the heap
/// encoder: some seconds.
const MAX_STEPS: usize = 1 << 27;
/// Moves of items, and runs, likewise: 256 MiB of each.
const MAX_MOVES: usize = 32 << 20;

/// Counts the steps of building, so that none takes without end.
///
/// The limits elsewhere are for memory. Time can be cubic in the number of tokens when they are
/// made to be: each of ten thousand tokens one symbol longer than the last has all others on its
/// spine. A step is some nanoseconds.
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

/// Where an item goes on a symbol. Both fields may be set: the child is a token, and a prefix of
/// longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The token that ends there and may follow, or [`NONE`].
    pub token: Token,
    /// The item at the child, or [`NONE`] if no token strictly below it may follow.
    pub item: u32,
}

/// A move to nothing.
const NOWHERE: Move = Move { token: NONE, item: NONE };

/// The items of a merge table.
#[derive(Debug)]
pub struct Items {
    /// `moves[item * num_symbols + symbol]`.
    moves: Vec<Move>,
    num_symbols: usize,
    /// The item that a start opens after each token; after the last one, at the start of a word.
    /// [`NONE`] where nothing may follow, which no trained table has.
    starts: Vec<u32>,
}

impl Items {
    /// All items that some start leads to. Fails if they take too much memory or time.
    pub fn new(table: &MergeTable, budget: &mut BuildBudget) -> Result<Self> {
        let compatible = Compatible::new(table)?;
        let offers = Offers::new(table, &compatible)?;
        let mut sources = Sources::new(table, &compatible);
        let mut index = GroupIndex::new(offers.len());
        let sets = (0..table.num_tokens()).map(|token| offers.of(token)).chain([NOTHING]);
        let starts: Vec<u32> = sets.map(|set| sources.add(0, set, 0, &mut index)).collect();
        sources.groups[0] = (0, sources.count());
        for node in 0..compatible.nodes.len() {
            sources.follow(node, &compatible, &offers, budget)?;
        }
        let (moves, item_of) = sources.items();
        let starts = starts.into_iter().map(|source| item_of[source as usize]).collect();
        Ok(Self { moves, num_symbols: table.num_symbols() as usize, starts })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.moves.len() / self.num_symbols
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// The item of a start that is opened after `token`, or, after the number of tokens, at the
    /// start of a word.
    #[inline]
    pub fn start_after(&self, token: Token) -> u32 {
        self.starts[token as usize]
    }

    /// Where an item goes on each symbol.
    #[inline]
    pub fn moves(&self, item: u32) -> &[Move] {
        &self.moves[item as usize * self.num_symbols..][..self.num_symbols]
    }
}

/// A run of places that are blocked: the first and the last, both in the list of a node.
type Run = (u32, u32);

/// What an item is made of, beside its node: what is blocked below it.
#[derive(Clone, Copy, Debug)]
struct Source {
    /// The offers whose right part is below the node.
    set: OfferSet,
    /// Where its runs lie among all runs, and how many they are.
    first_run: u32,
    num_runs: u32,
}

/// All sources, node by node.
///
/// Invariant: the sources of a node are different, and lie together; those of nodes that were
/// followed have their moves, with sources in place of items.
struct Sources {
    num_symbols: usize,
    all: Vec<Source>,
    runs: Vec<Run>,
    /// `moves[source * num_symbols + symbol]`.
    moves: Vec<Move>,
    /// The first source of each node, and the last (exclusive).
    groups: Vec<(u32, u32)>,
}

impl Sources {
    /// No source yet.
    fn new(table: &MergeTable, compatible: &Compatible) -> Self {
        let groups = vec![(0, 0); compatible.nodes.len()];
        let (all, runs, moves) = Default::default();
        Self { num_symbols: table.num_symbols() as usize, all, runs, moves, groups }
    }

    /// How many there are.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_MOVES
    fn count(&self) -> u32 {
        self.all.len() as u32
    }

    /// Finds the moves of the sources of a node, and so the sources of its children.
    fn follow(
        &mut self,
        node: usize,
        compatible: &Compatible,
        offers: &Offers,
        budget: &mut BuildBudget,
    ) -> Result<()> {
        let (start, end) = self.groups[node];
        #[allow(clippy::cast_possible_truncation)] // nodes are u32
        let children = compatible.children(node as u32);
        for (symbol, &child) in children.iter().enumerate().filter(|&(_, &child)| child != NONE) {
            let place = compatible.nodes[child as usize].place;
            let below = compatible.below(child);
            let first = self.count();
            let mut index = GroupIndex::new((end - start) as usize);
            for number in start as usize..end as usize {
                let Source { set, first_run, num_runs } = self.all[number];
                budget.spend(1 + num_runs as usize)?;
                let runs = first_run as usize..(first_run + num_runs) as usize;
                let Edge { last, set } = offers.edges(set)[symbol];
                let is_in_run = place != NONE
                    && self.runs[runs.clone()].iter().any(|&(first, last)| first <= place && place <= last);
                let mut step = NOWHERE;
                if place != NONE && !is_in_run && last == NONE {
                    step.token = compatible.tokens[place as usize];
                }
                if !below.is_empty() {
                    // The offer of the child itself blocks what stands below it, from its place on.
                    let own = (last != NONE && !is_in_run).then(|| (place + 1, last));
                    let first_run = self.runs.len();
                    self.cut(runs, own, below);
                    if self.runs[first_run..] == [(below[0], below[below.len() - 1])] {
                        self.runs.truncate(first_run);
                    } else {
                        step.item = self.add(first, set, first_run, &mut index);
                    }
                }
                self.moves[number * self.num_symbols + symbol] = step;
            }
            self.groups[child as usize] = (first, self.count());
            if self.moves.len().max(self.runs.len()) > MAX_MOVES {
                return Err(NoAutomaton::TooMany { what: "open starts", count: self.all.len() });
            }
        }
        Ok(())
    }

    /// Appends the runs of a node, and `own`, cut to a list of places below it; runs that touch
    /// there are joined. `own` meets no other run.
    fn cut(&mut self, runs: std::ops::Range<usize>, own: Option<Run>, below: &[u32]) {
        let mut own = own;
        let mut end = usize::MAX;
        let mut add = |all: &mut Vec<Run>, (first, last): Run| {
            let start = below.partition_point(|&place| place < first);
            let stop = start + below[start..].partition_point(|&place| place <= last);
            if start == stop {
                return;
            }
            match all.last_mut().filter(|_| start == end) {
                Some(run) => run.1 = below[stop - 1],
                None => all.push((below[start], below[stop - 1])),
            }
            end = stop;
        };
        for run in runs {
            let run = self.runs[run];
            if let Some(before) = own.filter(|own| own.0 < run.0) {
                add(&mut self.runs, before);
                own = None;
            }
            add(&mut self.runs, run);
        }
        if let Some(own) = own {
            add(&mut self.runs, own);
        }
    }

    /// The number of a source of the node whose sources start at `first`. Its runs are the last
    /// ones; they are taken back if it is known.
    #[allow(clippy::cast_possible_truncation)] // runs are bounded
    fn add(&mut self, first: u32, set: OfferSet, first_run: usize, index: &mut GroupIndex) -> u32 {
        let new = Source { set, first_run: first_run as u32, num_runs: (self.runs.len() - first_run) as u32 };
        let (all, runs) = (&self.all, &self.runs);
        let of = |source: &Source| &runs[source.first_run as usize..][..source.num_runs as usize];
        let hash = |number: u32| {
            let source = all.get(number as usize).unwrap_or(&new);
            let mut hasher = FxHasher::default();
            hasher.write_u32(source.set);
            of(source).iter().for_each(|&run| hasher.write_u64(word(run.0, run.1)));
            hasher.finish()
        };
        let same = |number: u32| all[number as usize].set == set && of(&all[number as usize]) == of(&new);
        let number = index.find_or_add(first, self.count(), hash, same);
        if number == self.count() {
            self.all.push(new);
            self.moves.resize(self.moves.len() + self.num_symbols, NOWHERE);
        } else {
            self.runs.truncate(first_run);
        }
        number
    }

    /// The moves of all items, and the item of each source.
    ///
    /// Nodes come after their parents, so from the last to the first all moves lead to sources
    /// whose items are known.
    #[allow(clippy::cast_possible_truncation)] // at most MAX_MOVES
    fn items(mut self) -> (Vec<Move>, Vec<u32>) {
        let width = self.num_symbols;
        let mut item_of = vec![NONE; self.all.len()];
        let mut items: Vec<Move> = Vec::with_capacity(self.moves.len());
        for &(start, end) in self.groups.iter().rev() {
            let first = (items.len() / width) as u32;
            let mut index = GroupIndex::new((end - start) as usize);
            for source in start as usize..end as usize {
                let moves = &mut self.moves[source * width..][..width];
                for step in moves.iter_mut().filter(|step| step.item != NONE) {
                    step.item = item_of[step.item as usize];
                }
                if moves.iter().all(|&step| step == NOWHERE) {
                    continue;
                }
                let next = (items.len() / width) as u32;
                let of = |item: u32| {
                    if item == next { &*moves } else { &items[item as usize * width..][..width] }
                };
                let hash = |item: u32| {
                    let mut hasher = FxHasher::default();
                    of(item).iter().for_each(|step| hasher.write_u64(word(step.token, step.item)));
                    hasher.finish()
                };
                item_of[source] = index.find_or_add(first, next, hash, |item| of(item) == moves);
                if item_of[source] == next {
                    items.extend_from_slice(moves);
                }
            }
        }
        (items, item_of)
    }
}

/// Two numbers in one, to be hashed at once.
fn word(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// What tells which of the things of one node are the same: a table, or, for few, nothing.
enum GroupIndex {
    /// All are compared.
    Few,
    /// The numbers of things, by content.
    Many(HashTable<u32>),
}

impl GroupIndex {
    /// For so many things, equal ones counted.
    fn new(count: usize) -> Self {
        if count <= 8 { Self::Few } else { Self::Many(HashTable::with_capacity(count.min(1 << 16))) }
    }

    /// The number of the thing `next`: one from `first` on that is the same, or `next` itself.
    fn find_or_add(
        &mut self,
        first: u32,
        next: u32,
        hash: impl Fn(u32) -> u64,
        same: impl Fn(u32) -> bool,
    ) -> u32 {
        match self {
            Self::Few => (first..next).find(|&number| same(number)).unwrap_or(next),
            Self::Many(table) => {
                let hashed = hash(next);
                if let Some(&number) = table.find(hashed, |&number| same(number)) {
                    return number;
                }
                table.insert_unique(hashed, next, |&number| hash(number));
                next
            }
        }
    }
}
