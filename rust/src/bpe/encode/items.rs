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
//!
//! The subtrees of a node share nothing but its pairs, so threads take one each, near the root; the
//! items of the subtrees are then put one behind the other. Which number an item has is of no
//! consequence to states.

use std::cmp::Reverse;
use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::budget::{BuildBudget, Spending};
use super::compatible::{Compatible, NONE};
use super::no_automaton::NoAutomaton;
use super::offers::{Edge, NOTHING, OfferSet, Offers};
use crate::bpe::{MergeTable, Token};
use crate::threads::map;

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// Fewer sources of a node than these are not worth another thread.
const MIN_SHARED: usize = if cfg!(test) { 4 } else { 1 << 10 };

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
    /// All items that some start leads to, made by `threads` threads. Fails if they take too much
    /// memory or time.
    pub fn new(table: &MergeTable, budget: &BuildBudget, threads: usize) -> Result<Self> {
        let compatible = Compatible::new(table)?;
        let offers = Offers::new(table, &compatible)?;
        let mut sources = Sources::new(table.num_symbols() as usize);
        let mut index = GroupIndex::new(offers.count());
        let sets = (0..table.num_tokens()).map(|token| offers.of(token)).chain([NOTHING]);
        let starts: Vec<u32> = sets.map(|set| sources.add(0, set, 0, &mut index)).collect();
        let finder = ItemFinder { compatible: &compatible, offers: &offers, budget };
        let nodes = Subtree { node: 0, end: narrow(compatible.nodes.len()) };
        let ItemsBelow { moves, item_of } = finder.find(nodes, sources, threads)?;
        let starts = starts.into_iter().map(|source| item_of[source as usize]).collect();
        Ok(Self { moves, num_symbols: table.num_symbols() as usize, starts })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.moves.len() / self.num_symbols
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

/// A node and all below it: nodes are numbered so that these are contiguous.
#[derive(Clone, Copy)]
struct Subtree {
    node: u32,
    end: u32,
}

/// The items of a subtree.
struct ItemsBelow {
    /// `moves[item * num_symbols + symbol]`.
    moves: Vec<Move>,
    /// The item of each source of the topmost node, or [`NONE`].
    item_of: Vec<u32>,
}

/// What items are found from.
#[derive(Clone, Copy)]
struct ItemFinder<'a> {
    compatible: &'a Compatible,
    offers: &'a Offers,
    budget: &'a BuildBudget,
}

impl ItemFinder<'_> {
    /// The items of a subtree, from the sources of its topmost node, which are all in `sources`.
    fn find(self, nodes: Subtree, mut sources: Sources, threads: usize) -> Result<ItemsBelow> {
        if threads > 1 && sources.all.len() >= MIN_SHARED {
            return self.find_apart(nodes, sources, threads);
        }
        let mut spending = self.budget.spending();
        sources.groups = vec![(0, 0); (nodes.end - nodes.node) as usize];
        sources.groups[0] = (0, sources.count());
        for node in nodes.node..nodes.end {
            let (start, end) = sources.groups[(node - nodes.node) as usize];
            for (symbol, child) in self.children(node) {
                let group = sources.follow((start, end), symbol, child, self, &mut spending)?;
                sources.groups[(child - nodes.node) as usize] = group;
            }
        }
        spending.end()?;
        Ok(sources.items())
    }

    /// The same by several threads, which take one child each.
    fn find_apart(self, nodes: Subtree, mut sources: Sources, threads: usize) -> Result<ItemsBelow> {
        let children: Vec<(usize, u32)> = self.children(nodes.node).collect();
        let ends = children.iter().skip(1).map(|&(_, child)| child).chain([nodes.end]);
        let mut tasks: Vec<(usize, Subtree)> =
            children.iter().zip(ends).map(|(&(symbol, node), end)| (symbol, Subtree { node, end })).collect();
        // The largest first, so that none is left to one thread while the others wait.
        tasks.sort_by_key(|(_, below)| Reverse(below.end - below.node));
        let threads_below = threads.div_ceil(tasks.len().max(1));
        let found = map(tasks, threads, |(symbol, child)| {
            self.find_child(&sources, symbol, child, threads_below).map(|found| (symbol, found))
        });
        let width = sources.num_symbols;
        let mut moves: Vec<Move> = Vec::new();
        for found in found {
            let (symbol, (steps, below)) = found?;
            let first = narrow(moves.len() / width);
            let moved = |step: Move| match step.item {
                NONE => step,
                item => Move { item: first + item, ..step },
            };
            for (source, step) in steps.into_iter().enumerate() {
                sources.moves[source * width + symbol] = moved(step);
            }
            moves.extend(below.into_iter().map(moved));
        }
        let mut item_of = vec![NONE; sources.all.len()];
        intern(&mut moves, &sources.moves, (0, sources.count()), width, &mut item_of);
        Ok(ItemsBelow { moves, item_of })
    }

    /// The moves of all `sources` on the symbol that leads to a child, and the moves of all items of
    /// its subtree, which both lead to.
    fn find_child(
        self,
        sources: &Sources,
        symbol: usize,
        child: Subtree,
        threads: usize,
    ) -> Result<(Vec<Move>, Vec<Move>)> {
        let (mut own, width) = (sources.clone(), sources.num_symbols);
        let mut spending = self.budget.spending();
        let (first, _) = own.follow((0, sources.count()), symbol, child.node, self, &mut spending)?;
        spending.end()?;
        // Those of the child are left in `own`.
        own.all.drain(..first as usize);
        let steps = own.moves.drain(..first as usize * width).skip(symbol).step_by(width);
        let mut steps: Vec<Move> = steps.collect();
        let ItemsBelow { moves, item_of } = self.find(child, own, threads)?;
        for step in steps.iter_mut().filter(|step| step.item != NONE) {
            step.item = item_of[(step.item - first) as usize];
        }
        Ok((steps, moves))
    }

    /// The children of a node, by their symbols.
    fn children(&self, node: u32) -> impl Iterator<Item = (usize, u32)> + '_ {
        self.compatible.children(node).iter().copied().enumerate().filter(|&(_, child)| child != NONE)
    }
}

/// A number of nodes, sources or items.
#[allow(clippy::cast_possible_truncation)] // all are bounded far below 2^32
fn narrow(number: usize) -> u32 {
    number as u32
}

/// The sources of a node and of all below it that were found.
///
/// Invariant: the sources of a node are different, and lie together; those of nodes that were
/// followed have their moves, with sources in place of items.
#[derive(Clone)]
struct Sources {
    num_symbols: usize,
    all: Vec<Source>,
    runs: Vec<Run>,
    /// `moves[source * num_symbols + symbol]`.
    moves: Vec<Move>,
    /// The first source of each node, and the last (exclusive), from the topmost node on.
    groups: Vec<(u32, u32)>,
}

impl Sources {
    /// No source yet.
    fn new(num_symbols: usize) -> Self {
        let (all, runs, moves, groups) = Default::default();
        Self { num_symbols, all, runs, moves, groups }
    }

    /// How many there are.
    fn count(&self) -> u32 {
        narrow(self.all.len())
    }

    /// Finds the moves on a symbol of the sources of a node, and so the sources of its child, which
    /// it returns.
    fn follow(
        &mut self,
        (start, end): (u32, u32),
        symbol: usize,
        child: u32,
        ItemFinder { compatible, offers, .. }: ItemFinder<'_>,
        spending: &mut Spending<'_>,
    ) -> Result<(u32, u32)> {
        let place = compatible.nodes[child as usize].place;
        let below = compatible.below(child);
        let (first, before) = (self.count(), self.runs.len());
        let mut index = GroupIndex::new((end - start) as usize);
        for number in start as usize..end as usize {
            let Source { set, first_run, num_runs } = self.all[number];
            spending.spend(1 + num_runs as usize)?;
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
                let own = (last != NONE && !is_in_run).then_some((place, last));
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
        let made = (self.count() - first) as usize * self.num_symbols;
        spending.fill(made.max(self.runs.len() - before))?;
        Ok((first, self.count()))
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

    /// The items of all sources.
    ///
    /// Nodes come after their parents, so from the last to the first all moves lead to sources
    /// whose items are known.
    fn items(mut self) -> ItemsBelow {
        let width = self.num_symbols;
        let mut item_of = vec![NONE; self.all.len()];
        let mut moves: Vec<Move> = Vec::with_capacity(self.moves.len());
        for &(start, end) in self.groups.iter().rev() {
            let steps = &mut self.moves[start as usize * width..end as usize * width];
            for step in steps.iter_mut().filter(|step| step.item != NONE) {
                step.item = item_of[step.item as usize];
            }
            intern(&mut moves, &self.moves, (start, end), width, &mut item_of);
        }
        item_of.truncate(self.groups.first().map_or(0, |&(_, end)| end as usize));
        ItemsBelow { moves, item_of }
    }
}

/// Appends the items of one node to `items`: the moves of its sources, equal ones once. The items
/// of its children must be there.
fn intern(
    items: &mut Vec<Move>,
    moves: &[Move],
    (start, end): (u32, u32),
    width: usize,
    item_of: &mut [u32],
) {
    let first = narrow(items.len() / width);
    let mut index = GroupIndex::new((end - start) as usize);
    for source in start as usize..end as usize {
        let moves = &moves[source * width..][..width];
        if moves.iter().all(|&step| step == NOWHERE) {
            continue;
        }
        let next = narrow(items.len() / width);
        let of = |item: u32| if item == next { moves } else { &items[item as usize * width..][..width] };
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
