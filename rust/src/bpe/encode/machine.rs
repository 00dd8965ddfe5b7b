//! What runs over a text, whatever its automaton was made from: transitions, outputs and the rows
//! of bytes.
//!
//! The lanes are compiled for each combination of a width of states ([`StateId`]) and a form of
//! outputs ([`StateOutput`]): the trainer reads base codes with 64-bit outputs, a batch reads bytes
//! with 32-bit ones.

use crate::bpe::Token;

/// A state number, as wide as the automaton needs. The default is state 0, the start of a word.
pub trait StateId: Copy + Default + Send + Sync + TryFrom<u32> + 'static {
    /// The next states on one symbol.
    type Row: Clone + std::fmt::Debug + Send + Sync;

    /// The number as an index.
    fn index(self) -> usize;

    /// The state that `row` has for this one.
    #[must_use]
    fn step(self, row: &Self::Row) -> Self;

    /// `count` rows of zeros.
    fn rows(count: usize) -> Vec<Self::Row>;

    /// What `row` has for the first `states` states, which it can hold.
    fn entries(row: &mut Self::Row, states: usize) -> &mut [Self];
}

impl StateId for u16 {
    /// As many entries as there are numbers: then no look-up can miss, and none is checked, which
    /// makes the forward loop a third faster. What is beyond the states in use is never touched and
    /// takes no memory.
    type Row = [Self; 1 << 16];

    fn index(self) -> usize {
        self as usize
    }

    #[inline]
    fn step(self, row: &Self::Row) -> Self {
        row[self as usize]
    }

    #[allow(clippy::large_stack_arrays)] // zeros are asked of the system, not copied
    fn rows(count: usize) -> Vec<Self::Row> {
        vec![[0; 1 << 16]; count]
    }

    fn entries(row: &mut Self::Row, states: usize) -> &mut [Self] {
        &mut row[..states]
    }
}

impl StateId for u32 {
    /// As many entries as there are states: 2^32 would be too many, so look-ups are checked.
    type Row = Vec<Self>;

    fn index(self) -> usize {
        self as usize
    }

    #[inline]
    fn step(self, row: &Self::Row) -> Self {
        row[self as usize]
    }

    fn rows(count: usize) -> Vec<Self::Row> {
        vec![Vec::new(); count]
    }

    fn entries(row: &mut Self::Row, states: usize) -> &mut [Self] {
        row.resize(states, 0);
        row
    }
}

/// The token that ends at a base: `last(i)` and its length. For the start state it is the
/// separator, of length one, so that a walk back passes over the ends of words like over tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastToken {
    /// The token, or the number of tokens for the separator.
    pub token: Token,
    /// Bases to step back.
    pub length: u32,
}

/// What a state says of the token that ends there, in a form that is fast to read.
///
/// The length is at least one: a walk back always ends.
pub trait StateOutput: Copy + Sync {
    /// How tokens are written.
    type Token: Copy + Default + Into<Token>;
    /// The token, or a number beyond all tokens.
    fn token(self) -> Self::Token;
    /// Bases to step back.
    fn length(self) -> usize;
}

impl StateOutput for LastToken {
    type Token = Token;

    fn token(self) -> Token {
        self.token
    }

    fn length(self) -> usize {
        self.length as usize
    }
}

/// What runs over a text: an automaton and how the bytes of the text choose its rows.
///
/// A row for every byte, so that no byte needs a test. Bytes that mean the same share a row: 256
/// references, 2 KiB.
#[derive(Clone, Debug)]
pub struct Machine<'a, S: StateId, O> {
    /// The transitions on each byte: `rows[byte][state]`.
    pub rows: [&'a S::Row; 256],
    /// What ends in each state.
    pub outputs: &'a [O],
    /// Bases in the longest token.
    pub longest: usize,
}

impl<S: StateId, O> Machine<'_, S, O> {
    /// The state after `state` on `byte`.
    #[inline]
    pub fn after(&self, state: S, byte: u8) -> S {
        state.step(self.rows[usize::from(byte)])
    }
}

impl<S: StateId, O: StateOutput> Machine<'_, S, O> {
    /// The tokens of a word: the plain use of the automaton, a state of memory for each byte.
    /// [`super::lanes`] is the one that streams.
    pub fn encode(&self, word: &[u8]) -> Vec<Token> {
        let mut states = Vec::with_capacity(word.len() + 1);
        let mut state = S::default();
        states.push(state);
        for &byte in word {
            state = self.after(state, byte);
            states.push(state);
        }
        let mut tokens = Vec::new();
        let mut end = word.len();
        while end > 0 {
            let output = self.outputs[states[end].index()];
            tokens.push(output.token().into());
            end -= output.length();
        }
        tokens.reverse();
        tokens
    }
}
