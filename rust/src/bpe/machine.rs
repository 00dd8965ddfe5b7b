//! What runs over a text, whatever its automaton was made from: transitions, outputs and the rows of bytes.

use super::Token;

/// A state number, as wide as the automaton needs.
pub trait StateId: Copy + Default + Send + Sync + TryFrom<u32> + 'static {
    /// The number as an index.
    fn index(self) -> usize;
}

impl StateId for u16 {
    fn index(self) -> usize {
        self as usize
    }
}

impl StateId for u32 {
    fn index(self) -> usize {
        self as usize
    }
}

/// What ends at a base: `last(i)` and its length. For the start state it is the separator, of length one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The token, or the number of tokens for the separator.
    pub token: Token,
    /// Bases to step back.
    pub length: u32,
}

/// What a state says of the token that ends there, in a form that is fast to read.
pub trait Output: Copy + Sync {
    /// How tokens are written.
    type Token: Copy + Default + Into<Token>;
    /// The token, or a number beyond all tokens.
    fn token(self) -> Self::Token;
    /// Bases to step back.
    fn length(self) -> usize;
}

impl Output for Step {
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
pub struct Machine<'a, S, O> {
    /// The transitions, row after row.
    pub next: &'a [S],
    /// What ends in each state.
    pub outputs: &'a [O],
    /// Where the row of each byte begins.
    pub rows: [u32; 256],
    /// Bases in the longest token.
    pub longest: usize,
}

impl<S: StateId, O> Machine<'_, S, O> {
    /// The state after `state` on `byte`.
    #[inline]
    pub fn after(&self, state: S, byte: u8) -> S {
        self.next[self.rows[usize::from(byte)] as usize + state.index()]
    }
}
