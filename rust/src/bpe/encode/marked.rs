//! The automaton of a merge table over the bytes of a text, letters or not.
//!
//! What is not a letter ends a word as the separator of [`super::automaton`] does, but must be told apart: an N becomes
//! the unknown token, a space nothing. So there are several separators, called *marks*. Each has a state of its own
//! that is left as the start is, and a row of the table that leads to that state from everywhere; its token is a
//! number beyond all tokens. Then N and the like never leave the loops that letters run through.
//!
//! Token and length of a state are packed into 32 bits, half of what the trainer uses: the walk back is a tenth
//! faster.

use super::automaton::{AnyAutomaton, Automaton};
use super::machine::{Machine, StateId, StateOutput};
use crate::bpe::{MergeTable, Token};
use crate::error::{Error, Result};

/// A byte that is no letter. As a token it is the number of tokens plus its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Between sequences.
    End,
    /// White space that vanishes.
    Dropped,
    /// Outside the vocabulary.
    Unknown,
    /// Likewise, but its upper case is not.
    LowerCase,
}

/// All marks, by number.
pub(crate) const MARKS: [Mark; 4] = [Mark::End, Mark::Dropped, Mark::Unknown, Mark::LowerCase];

/// A token, or mark, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedOutput(u32);

impl StateOutput for PackedOutput {
    type Token = u16;

    #[allow(clippy::cast_possible_truncation)] // the lower half
    fn token(self) -> u16 {
        self.0 as u16
    }

    fn length(self) -> usize {
        (self.0 >> 16) as usize
    }
}

impl PackedOutput {
    fn new(token: Token, length: u32) -> Option<Self> {
        (token < 1 << 16 && length < 1 << 16).then_some(Self(length << 16 | token))
    }
}

/// An automaton with marks.
#[derive(Clone, Debug)]
pub(crate) struct Marked<S: StateId> {
    /// By letter, then by mark.
    rows: Vec<S::Row>,
    outputs: Vec<PackedOutput>,
    longest: usize,
}

impl<S: StateId> Marked<S> {
    /// Adds marks to an automaton; `None` if tokens, lengths or states do not fit.
    fn new<P: StateId>(plain: &Automaton<P>, num_symbols: usize) -> Option<Self> {
        let old = u32::try_from(plain.steps.len()).ok()?;
        let packed = plain.steps.iter().map(|step| PackedOutput::new(step.token, step.length));
        let mut outputs: Vec<PackedOutput> = packed.collect::<Option<_>>()?;
        // The separator is the first mark, and the start its state; the others have states after all old ones.
        for token in (plain.separator..).skip(1).take(MARKS.len() - 1) {
            outputs.push(PackedOutput::new(token, 1)?);
        }
        let state = |number: u32| S::try_from(number).ok();
        state(u32::try_from(outputs.len() - 1).ok()?)?;
        let mut rows = S::rows(num_symbols + MARKS.len());
        for (letter, row) in (0..num_symbols).zip(&mut rows) {
            let after = |from: u32| {
                let from = P::try_from(if from < old { from } else { 0 }).ok()?;
                state(u32::try_from(from.step(&plain.next[letter]).index()).ok()?)
            };
            for (from, to) in (0..).zip(S::entries(row, outputs.len())) {
                *to = after(from)?;
            }
        }
        for (mark, row) in (0..).zip(&mut rows[num_symbols..]) {
            S::entries(row, outputs.len()).fill(state(if mark == 0 { 0 } else { old + mark - 1 })?);
        }
        Some(Self { rows, outputs, longest: plain.longest })
    }

    /// The automaton over bytes, of which `symbol` tells the code of the letter or the mark.
    pub(crate) fn over(&self, symbol: impl Fn(u8) -> Result<u8, Mark>) -> Machine<'_, S, PackedOutput> {
        let num_symbols = self.rows.len() - MARKS.len();
        let mut rows = [&self.rows[0]; 256];
        for (byte, row) in (0..=255).zip(&mut rows) {
            *row = match symbol(byte) {
                Ok(code) => &self.rows[usize::from(code)],
                Err(mark) => &self.rows[num_symbols + mark as usize],
            };
        }
        Machine { rows, outputs: &self.outputs, longest: self.longest }
    }

    /// The automaton over codes.
    fn over_codes(&self) -> Machine<'_, S, PackedOutput> {
        self.over(
            |code| if usize::from(code) < self.rows.len() - MARKS.len() { Ok(code) } else { Err(Mark::End) },
        )
    }

    /// States, and bytes in memory.
    pub(crate) fn size(&self) -> (usize, usize) {
        let states = self.outputs.len();
        (states, states * (self.rows.len() * size_of::<S>() + size_of::<PackedOutput>()))
    }
}

/// Fails if tokens or lengths do not fit into 16 bits each: before anything is built, which takes seconds for so many.
fn check_size(table: &MergeTable) -> Result<()> {
    let (tokens, most) = (table.num_tokens() as usize, (1 << 16) - MARKS.len());
    if tokens > most {
        return Err(Error::vocabulary(format!(
            "it has {tokens} letters and merges, and an automaton has up to {most}"
        )));
    }
    let longest = (0..table.num_tokens()).map(|token| table.length(token)).max().unwrap_or(0);
    if u16::try_from(longest).is_ok() {
        return Ok(());
    }
    Err(Error::vocabulary(format!(
        "its longest token has {longest} letters, and those of an automaton have up to {}",
        u16::MAX
    )))
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
    /// The automaton of a table; fails with the reason if it has none.
    pub(crate) fn build(table: &MergeTable) -> Result<Self> {
        check_size(table)?;
        let num_symbols = table.num_symbols() as usize;
        let marked = match AnyAutomaton::build(table)? {
            AnyAutomaton::Narrow(plain) => Marked::new(&plain, num_symbols)
                .map(Self::Narrow)
                .or_else(|| Marked::new(&plain, num_symbols).map(Self::Wide)),
            AnyAutomaton::Wide(plain) => Marked::new(&plain, num_symbols).map(Self::Wide),
        };
        marked.ok_or_else(|| Error::vocabulary("the vocabulary needs too many states for an automaton"))
    }

    /// The tokens of a word, from the codes of its letters.
    pub(crate) fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Narrow(marked) => marked.over_codes().encode(codes),
            Self::Wide(marked) => marked.over_codes().encode(codes),
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
