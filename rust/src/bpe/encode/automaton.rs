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
//! from `s` to `i` are a proper prefix of some token. All that matters of an open start is its
//! *item* ([`super::items`]): the trie node of its bases, and which tokens strictly below that node
//! may follow `last(s)`. A state is the list of its items, oldest start first, together with
//! `last(i)`. Reading a base moves every item to its child, or drops it where the trie ends or all
//! that is below is blocked; if the child is a token that is not blocked, that token is
//! `last(i + 1)`; then a new start opens at the root.
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
//! - It is built from the trie and the offers of merges, only in the states that some text reaches,
//!   and not from an automaton to begin with, in time near linear in the number of tokens.
//! - Open starts whose futures agree share an item. Otherwise each start would carry its own last
//!   token, and many states would differ that no text can tell apart.
//! - Tables that break what training guarantees are refused with a reason ([`NoAutomaton`]), not
//!   encoded wrongly.
//!
//! # Cost
//!
//! For 65,536 tokens of human chromosome 20, building makes 448,664 items and 297,519 states, and
//! takes 0.30 s with one thread and 0.19 s with two, on two CPU cores. Items and states are found
//! by all threads; trie and offers, 0.045 s, and the numbers of new states by one. From a matrix of
//! blocked pairs, with a table of hashes over slices of its rows, it took 1.6 s and 512 MiB, and
//! time grew with the square of the vocabulary. So trainers build an automaton in each round that
//! has new merges, and extend none. The tests build both ways and compare state by state.
//!
//! The table has five
//! entries per state (for DNA): the four bases, and a *separator* that leads back to the start, so
//! that many words run through the automaton without a test. Entries are 16 bits wide while there
//! are at most 65,536 states: 114 KB for the 11,379 states above, which the L2 cache holds.

use super::budget::{BuildBudget, Spending};
use super::compatible::NONE;
use super::items::{Items, Move};
use super::machine::{LastToken, Machine, StateId};
use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};
use crate::threads::{available, map};

/// The result of a step of building.
type Result<T> = std::result::Result<T, NoAutomaton>;

/// States that a vocabulary may need before it is left to the heap encoder.
const MAX_STATES: usize = 8 << 20;
/// Likewise entries of the transition table, items of states: 128 MiB of each.
const MAX_ENTRIES: usize = 32 << 20;
/// Below so many tokens building takes a few milliseconds, and one thread.
const MIN_SHARED: Token = 6_000;
/// States whose successors are found together.
const CHUNK: usize = if cfg!(test) { 8 } else { 1 << 10 };
/// Chunks for each thread before new states get their numbers.
const CHUNKS_PER_THREAD: usize = 4;

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
    /// milliseconds for 4,096 tokens, at most some seconds. Memory while building: a gigabyte at
    /// most, by the limits here and in the modules that it uses.
    ///
    /// Runs on as many threads as the pool of the caller has, if the vocabulary is large.
    pub fn build(table: &MergeTable) -> Result<Self> {
        let threads = if table.num_tokens() < MIN_SHARED { 1 } else { available() };
        let wide = Builder::new(table, &BuildBudget::default(), threads)?.run()?;
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
    /// catches merges whose order contradicts the strings, which neither sees. Time: the sum of the
    /// lengths of all right parts.
    fn verify(&self, table: &MergeTable) -> Result<()> {
        let mut codes = Vec::new();
        // The state after each token: that after its left part, moved on by its right part.
        let mut after: Vec<S> = Vec::with_capacity(table.num_tokens() as usize);
        for token in 0..table.num_tokens() {
            let (start, rest) = match table.parts(token) {
                Some((left, right)) => (after[left as usize], right),
                None => (S::default(), token),
            };
            codes.clear();
            table.spell(rest, &mut codes);
            let next = |state: S, &code: &u8| state.step(&self.next[usize::from(code)]);
            let last = codes.iter().fold(start, next);
            if self.outputs[last.index()].token != token {
                return Err(NoAutomaton::NotItself { spelling: table.spelling(token) });
            }
            after.push(last);
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

/// Interns states.
///
/// Invariant: a state that has a number has its members and its output, and gets its transitions
/// when its turn comes.
struct Builder<'a> {
    table: &'a MergeTable,
    items: Items,
    budget: &'a BuildBudget,
    threads: usize,
    num_symbols: usize,
    /// The items of all states, concatenated, oldest start first.
    members: Vec<u32>,
    states: Vec<State>,
    /// By item: the youngest state that has it as its oldest, or [`NONE`].
    youngest: Vec<u32>,
}

/// A state that has a number.
#[derive(Clone, Copy)]
struct State {
    /// Where its items lie among the members, and how many they are.
    first: u32,
    count: u32,
    /// The token that ends there.
    last: Token,
    /// The next older state with the same oldest item, or [`NONE`].
    older: u32,
}

impl State {
    fn members(self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.count) as usize
    }
}

/// The successors of some states, state by state and symbol by symbol.
#[derive(Default)]
struct Successors {
    steps: Vec<Step>,
    /// The items of those that are not known, concatenated.
    items: Vec<u32>,
}

/// One successor.
struct Step {
    /// Its number, or [`NONE`] if no state that had a number is the same.
    known: u32,
    /// The token that ends there.
    last: Token,
    /// Where its items end in [`Successors::items`]; they start where those before end.
    end: usize,
}

impl<'a> Builder<'a> {
    /// The items, and no states yet. `threads` threads work.
    fn new(table: &'a MergeTable, budget: &'a BuildBudget, threads: usize) -> Result<Self> {
        let items = Items::new(table, budget, threads)?;
        // One more, for a state without items, which no trained table has.
        let youngest = vec![NONE; items.count() + 1];
        let num_symbols = table.num_symbols() as usize;
        let (members, states) = Default::default();
        Ok(Self { table, items, budget, threads, num_symbols, members, states, youngest })
    }

    /// Builds all states that some text reaches, breadth-first.
    ///
    /// Invariant of the loop: `next` is complete for all states below `done`, and every state that
    /// they lead to has a number. New numbers are appended, so the loop ends when none is new. By
    /// induction over the length of a text, the state that it leads to lists the open starts of
    /// that text, and its output is `last` of it: [`Self::successors`] takes the step.
    ///
    /// Threads find the successors of some chunks of states, and which of them have a number; then
    /// the others get theirs, in the order of states and symbols, so that numbers do not depend on
    /// the threads.
    fn run(mut self) -> Result<Automaton<u32>> {
        let separator = self.table.num_tokens();
        let start = self.items.start_after(separator);
        let mut spending = self.budget.spending();
        self.intern_state(&[start], separator, 0, &mut spending)?;
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.num_symbols + 1];
        let mut done = 0;
        while done < self.states.len() {
            let known = self.states.len();
            let end = known.min(done + CHUNK * CHUNKS_PER_THREAD * self.threads);
            let chunks = (done..end).step_by(CHUNK).map(|start| start..end.min(start + CHUNK)).collect();
            for found in map(chunks, self.threads, |states| self.successors(states)) {
                let Successors { steps, items } = found?;
                let mut start = 0;
                for (Step { known: number, last, end }, symbol) in
                    steps.into_iter().zip((0..self.num_symbols).cycle())
                {
                    next[symbol].push(match number {
                        NONE => self.intern_state(&items[start..end], last, known, &mut spending)?,
                        _ => number,
                    });
                    start = end;
                }
            }
            done = end;
        }
        next[self.num_symbols].resize(done, 0);
        let output = |state: &State| LastToken {
            token: state.last,
            length: if state.last == separator { 1 } else { self.table.length(state.last) },
        };
        let outputs = self.states.iter().map(output).collect();
        Ok(Automaton { next, outputs, longest: self.table.longest() as usize, separator })
    }

    /// The states after each of `states` on each symbol.
    ///
    /// Every open start moves to its child or is dropped. Of the tokens that end now, exactly one
    /// is compatible with the last token before it (fact 2): two, or none, prove that the table is
    /// not one that training makes. Then a start opens after that token. The order of the items is
    /// that of their starts, so equal sets are equal lists.
    fn successors(&self, states: std::ops::Range<usize>) -> Result<Successors> {
        let mut spending = self.budget.spending();
        let Successors { mut steps, mut items } = Successors::default();
        steps.reserve(states.len() * self.num_symbols);
        for state in &self.states[states] {
            for symbol in 0..self.num_symbols {
                let first = items.len();
                let mut last = NONE;
                spending.spend(state.count as usize)?;
                for &member in &self.members[state.members()] {
                    let Move { token, item } = self.items.moves(member)[symbol];
                    if token != NONE {
                        if last != NONE {
                            let (first, second) = (self.table.spelling(last), self.table.spelling(token));
                            return Err(NoAutomaton::TwoEndings { first, second });
                        }
                        last = token;
                    }
                    if item != NONE {
                        items.push(item);
                    }
                }
                if last == NONE {
                    return Err(NoAutomaton::NoEnding);
                }
                let start = self.items.start_after(last);
                items.extend((start != NONE).then_some(start));
                let known = self.known_state(&items[first..], last, 0, &mut spending)?;
                if known != NONE {
                    items.truncate(first);
                }
                steps.push(Step { known, last, end: items.len() });
            }
        }
        spending.end()?;
        Ok(Successors { steps, items })
    }

    /// The number of the state with these items and this output, or [`NONE`]; those below `from`
    /// are not asked.
    ///
    /// States with one oldest item are few, less than one on average, and are compared one by one.
    /// With a table of hashes of states the whole build takes a tenth longer.
    fn known_state(
        &self,
        items: &[u32],
        last: Token,
        from: usize,
        spending: &mut Spending<'_>,
    ) -> Result<u32> {
        let oldest = items.first().map_or(self.items.count(), |&oldest| oldest as usize);
        let mut known = self.youngest[oldest];
        while known != NONE && known as usize >= from {
            let state = self.states[known as usize];
            if state.last == last && self.members[state.members()] == *items {
                return Ok(known);
            }
            spending.spend(1)?;
            known = state.older;
        }
        Ok(NONE)
    }

    /// The number of the state with these items and this output, which none below `from` is.
    #[allow(clippy::cast_possible_truncation)] // bounded by MAX_STATES and MAX_ENTRIES
    fn intern_state(
        &mut self,
        items: &[u32],
        last: Token,
        from: usize,
        spending: &mut Spending<'_>,
    ) -> Result<u32> {
        let known = self.known_state(items, last, from, spending)?;
        if known != NONE {
            return Ok(known);
        }
        let number = self.states.len();
        let entries = ((number + 1) * (self.num_symbols + 1)).max(self.members.len() + items.len());
        if number >= MAX_STATES || entries > MAX_ENTRIES {
            return Err(NoAutomaton::TooManyStates);
        }
        let oldest = items.first().map_or(self.items.count(), |&oldest| oldest as usize);
        let older = std::mem::replace(&mut self.youngest[oldest], number as u32);
        let (first, count) = (self.members.len() as u32, items.len() as u32);
        self.states.push(State { first, count, last, older });
        self.members.extend_from_slice(items);
        Ok(number as u32)
    }
}

#[cfg(test)]
mod tests;
