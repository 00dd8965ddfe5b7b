//! What runs over a text, whatever its automaton was made from: transitions, outputs and the rows of bytes.

use crate::bpe::Token;

/// A state number, as wide as the automaton needs.
pub trait StateId: Copy + Default + Send + Sync + TryFrom<u32> + 'static {
    /// The next states on one symbol.
    type Row: Clone + std::fmt::Debug + Send + Sync;

    /// The number as an index.
    fn index(self) -> usize;

    /// The state that `row` has for this one.
    #[must_use]
    fn step(self, row: &Self::Row) -> Self;

    /// Rows of zeros.
    fn rows(count: usize) -> Vec<Self::Row>;

    /// What `row` has for the first `states` states, which it can hold.
    fn entries(row: &mut Self::Row, states: usize) -> &mut [Self];
}

impl StateId for u16 {
    /// As many as there can be: then no look-up can miss, and none is checked, which makes the forward loop a third
    /// faster. What is beyond the states in use is never touched and takes no memory.
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

/// What ends at a base: `last(i)` and its length. For the start state it is the separator, of length one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastToken {
    /// The token, or the number of tokens for the separator.
    pub token: Token,
    /// Bases to step back.
    pub length: u32,
}

/// What a state says of the token that ends there, in a form that is fast to read.
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
#[derive(Clone, Debug)]
pub struct Machine<'a, S: StateId, O> {
    /// The transitions on each byte.
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
    /// The tokens of a word: the plain use of the automaton, a state of memory for each byte. [`super::lanes`] is the
    /// one that streams.
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
