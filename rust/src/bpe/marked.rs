//! The automaton of a merge table over the bytes of a text, letters or not.
//!
//! What is not a letter ends a word as the separator of [`super::automaton`] does, but must be told apart: an N becomes
//! the unknown token, a space nothing. So there are several separators, called *marks*. Each has a state of its own
//! that is left as the start is, and a row of the table that leads to that state from everywhere; its token is a
//! number beyond all tokens. Then N and the like never leave the loops that letters run through.
//!
//! Token and length of a state are packed into 32 bits, half of what the trainer uses: the walk back is a tenth
//! faster.

use super::automaton::{AnyAutomaton, Automaton, Machine, Output, StateId};
use super::{MergeTable, Token};

/// A byte that is no letter. As a token it is the number of tokens plus its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Between sequences.
    End,
    /// White space that vanishes.
    Dropped,
    /// A byte of a character after its first.
    Continuation,
    /// In place of a special token.
    Special,
    /// Outside the vocabulary.
    Unknown,
    /// Likewise, but its upper case is not.
    LowerCase,
}

/// All marks, by number.
pub(crate) const MARKS: [Mark; 6] =
    [Mark::End, Mark::Dropped, Mark::Continuation, Mark::Special, Mark::Unknown, Mark::LowerCase];

/// A token, or mark, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed(u32);

impl Output for Packed {
    type Token = u16;

    #[allow(clippy::cast_possible_truncation)] // the lower half
    fn token(self) -> u16 {
        self.0 as u16
    }

    fn length(self) -> usize {
        (self.0 >> 16) as usize
    }
}

impl Packed {
    fn new(token: Token, length: u32) -> Option<Self> {
        (token < 1 << 16 && length < 1 << 16).then_some(Self(length << 16 | token))
    }
}

/// An automaton with marks.
#[derive(Clone, Debug)]
pub(crate) struct Marked<S> {
    next: Vec<S>,
    outputs: Vec<Packed>,
    num_letters: usize,
    longest: usize,
}

impl<S: StateId> Marked<S> {
    /// Adds marks; `None` if tokens, lengths or states do not fit.
    fn new(plain: &Automaton<S>, num_letters: usize) -> Option<Self> {
        let states = plain.steps.len();
        let packed = plain.steps.iter().map(|step| Packed::new(step.token, step.length));
        let mut outputs: Vec<Packed> = packed.collect::<Option<_>>()?;
        let mut next = Vec::with_capacity((num_letters + MARKS.len()) * (states + MARKS.len() - 1));
        for row in plain.next.chunks_exact(states).take(num_letters) {
            next.extend_from_slice(row);
            next.extend(std::iter::repeat_n(row[0], MARKS.len() - 1));
        }
        // The separator is the first mark, and the start its state.
        for (mark, token) in (0..MARKS.len()).zip(plain.separator..) {
            let state = if mark == 0 { 0 } else { states + mark - 1 };
            let state = u32::try_from(state).ok().and_then(|state| S::try_from(state).ok())?;
            next.extend(std::iter::repeat_n(state, states + MARKS.len() - 1));
            let output = Packed::new(token, 1)?;
            if mark > 0 {
                outputs.push(output);
            }
        }
        Some(Self { next, outputs, num_letters, longest: plain.longest })
    }

    /// The automaton over bytes, of which `symbol` tells the code of the letter or the mark.
    #[allow(clippy::cast_possible_truncation)] // bounded by MAX_STATES and MAX_LETTERS
    pub(crate) fn over(&self, symbol: impl Fn(u8) -> Result<u8, Mark>) -> Machine<'_, S, Packed> {
        let row = |byte| match symbol(byte) {
            Ok(code) => usize::from(code),
            Err(mark) => self.num_letters + mark as usize,
        };
        let mut rows = [0; 256];
        (0..=255).zip(&mut rows).for_each(|(byte, place)| *place = (row(byte) * self.outputs.len()) as u32);
        Machine { next: &self.next, outputs: &self.outputs, rows, longest: self.longest }
    }

    /// States, and bytes in memory.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.outputs.len(), size_of_val(&self.next[..]) + size_of_val(&self.outputs[..]))
    }
}

/// An automaton with marks and narrow or wide states.
#[derive(Clone, Debug)]
pub(crate) enum AnyMarked {
    /// At most 65,536 states.
    Narrow(Marked<u16>),
    /// More.
    Wide(Marked<u32>),
}

impl AnyMarked {
    /// The automaton of a table; `None` if it has none.
    pub(crate) fn build(table: &MergeTable) -> Option<Self> {
        let num_letters = table.num_letters() as usize;
        match AnyAutomaton::build(table).ok()? {
            AnyAutomaton::Narrow(plain) => match Marked::new(&plain, num_letters) {
                Some(marked) => Some(Self::Narrow(marked)),
                None => Some(Self::Wide(Marked::new(&plain.widened(), num_letters)?)),
            },
            AnyAutomaton::Wide(plain) => Marked::new(&plain, num_letters).map(Self::Wide),
        }
    }

    /// States, and bytes in memory.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Narrow(marked) => marked.size(),
            Self::Wide(marked) => marked.size(),
        }
    }
}
