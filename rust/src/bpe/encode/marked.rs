//! The automaton of a merge table over the bytes of a text, whatever they are.
//!
//! A byte that is no symbol of the alphabet ends a word as the separator of [`super::automaton`]
//! does, but must be told apart: an N becomes the unknown token, a space nothing. So there are
//! several separators, called *marks*. Each has a state of its own that is left as the start is,
//! and a row of the table that leads to that state from everywhere; its token is a number beyond
//! all tokens. Then N and the like never leave the loops that bases run through.
//!
//! Token and length of a state are packed into 32 bits, half of what the trainer uses: the walk
//! back is a tenth faster.

use super::automaton::{AnyAutomaton, Automaton};
use super::machine::{Machine, StateId, StateOutput};
use super::no_automaton::NoAutomaton;
use crate::bpe::{MergeTable, Token};

/// A byte that is no symbol of the alphabet. As a token it is the number of tokens plus its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Between sequences.
    End,
    /// White space, which becomes nothing.
    Dropped,
    /// A symbol outside the alphabet.
    Unknown,
    /// Likewise, but its upper case is in the alphabet.
    LowerCase,
}

/// All marks, by number.
pub(crate) const MARKS: [Mark; 4] = [Mark::End, Mark::Dropped, Mark::Unknown, Mark::LowerCase];

/// A token, or mark, in the lower half, and its length in the upper half.
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
    /// `None` if one of them needs more than 16 bits.
    fn new(token: Token, length: u32) -> Option<Self> {
        (token < 1 << 16 && length < 1 << 16).then_some(Self(length << 16 | token))
    }
}

/// An automaton with marks.
///
/// States are those of the plain automaton, of which the start is the state of the first mark, then
/// one for each other mark. All states of marks have the transitions of the start.
#[derive(Clone, Debug)]
pub(crate) struct Marked<S: StateId> {
    /// A row for each symbol, then one for each mark.
    rows: Vec<S::Row>,
    outputs: Vec<PackedOutput>,
    longest: usize,
}

impl<S: StateId> Marked<S> {
    /// Adds marks to an automaton; `None` if tokens, lengths or states do not fit. Time: that of a
    /// copy of the table.
    fn new<P: StateId>(plain: &Automaton<P>, num_symbols: usize) -> Option<Self> {
        let outputs = marked_outputs(plain)?;
        let old = u32::try_from(plain.outputs.len()).ok()?;
        let state = |number: u32| S::try_from(number).ok();
        state(u32::try_from(outputs.len() - 1).ok()?)?;
        let mut rows = S::rows(num_symbols + MARKS.len());
        for (symbol, row) in (0..num_symbols).zip(&mut rows) {
            let after = |from: u32| {
                let from = P::try_from(if from < old { from } else { 0 }).ok()?;
                state(u32::try_from(from.step(&plain.next[symbol]).index()).ok()?)
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

    /// The automaton over bytes, of which `symbol` gives the code or the mark.
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
    pub(crate) fn over_codes(&self) -> Machine<'_, S, PackedOutput> {
        self.over(
            |code| if usize::from(code) < self.rows.len() - MARKS.len() { Ok(code) } else { Err(Mark::End) },
        )
    }

    /// The number of states, and the bytes of transitions and outputs that are in use.
    fn size(&self) -> (usize, usize) {
        let states = self.outputs.len();
        (states, states * (self.rows.len() * size_of::<S>() + size_of::<PackedOutput>()))
    }
}

/// The outputs of an automaton, and those of marks; `None` if they do not fit.
///
/// The separator is the first mark, and the start its state; the others have states after all old
/// ones.
fn marked_outputs<S: StateId>(plain: &Automaton<S>) -> Option<Vec<PackedOutput>> {
    let packed = plain.outputs.iter().map(|last| PackedOutput::new(last.token, last.length));
    let marks = (plain.separator..).skip(1).take(MARKS.len() - 1).map(|token| PackedOutput::new(token, 1));
    packed.chain(marks).collect()
}

impl Marked<u32> {
    /// Adds marks to an automaton of wide states, whose rows it takes over; `None` if tokens or
    /// lengths do not fit.
    fn of_wide(plain: Automaton<u32>, num_symbols: usize) -> Option<Self> {
        let outputs = marked_outputs(&plain)?;
        let old = u32::try_from(plain.outputs.len()).ok()?;
        let mut rows = plain.next;
        rows.truncate(num_symbols);
        for row in &mut rows {
            let after_start = *row.first()?;
            row.resize(outputs.len(), after_start);
        }
        let states = (0..).take(MARKS.len()).map(|mark| if mark == 0 { 0 } else { old + mark - 1 });
        rows.extend(states.map(|state| vec![state; outputs.len()]));
        Some(Self { rows, outputs, longest: plain.longest })
    }
}

/// Fails if tokens or lengths do not fit into 16 bits each: before anything is built, which takes
/// seconds for so many.
fn check_size(table: &MergeTable) -> Result<(), NoAutomaton> {
    let (found, max) = (table.num_tokens() as usize, (1 << 16) - MARKS.len());
    if found > max {
        return Err(NoAutomaton::TooManyTokens { found, max });
    }
    let (found, max) = (table.longest(), u32::from(u16::MAX));
    if found > max { Err(NoAutomaton::TooLong { found, max }) } else { Ok(()) }
}

/// An automaton with marks and narrow or wide states.
#[derive(Clone, Debug)]
pub(crate) enum AnyMarked {
    /// At most 65,536 states with those of the marks.
    Narrow(Marked<u16>),
    /// More states.
    Wide(Marked<u32>),
}

impl AnyMarked {
    /// The automaton of a table; fails with the reason if it has none.
    pub(crate) fn build(table: &MergeTable) -> Result<Self, NoAutomaton> {
        check_size(table)?;
        let num_symbols = table.num_symbols() as usize;
        let marked = match AnyAutomaton::build(table)? {
            AnyAutomaton::Narrow(plain) => Marked::new(&plain, num_symbols)
                .map(Self::Narrow)
                .or_else(|| Marked::new(&plain, num_symbols).map(Self::Wide)),
            AnyAutomaton::Wide(plain) => Marked::of_wide(plain, num_symbols).map(Self::Wide),
        };
        marked.ok_or(NoAutomaton::TooManyStates)
    }

    /// The tokens of a word, from the codes of its symbols.
    pub(crate) fn encode(&self, codes: &[u8]) -> Vec<Token> {
        match self {
            Self::Narrow(marked) => marked.over_codes().encode(codes),
            Self::Wide(marked) => marked.over_codes().encode(codes),
        }
    }

    /// The number of states, and the bytes of transitions and outputs that are in use.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Narrow(marked) => marked.size(),
            Self::Wide(marked) => marked.size(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn size_is_that_of_the_states_in_use() {
        // The start, a state for each base and three for marks; a row for each base and each mark.
        let table = MergeTable::new();
        assert_eq!(AnyMarked::build(&table).unwrap().size(), (8, 8 * (8 * 2 + 4)));
        let AnyAutomaton::Narrow(plain) = AnyAutomaton::build(&table).unwrap() else { panic!("wide") };
        let wide: Marked<u32> = Marked::new(&plain, 4).unwrap();
        assert_eq!(AnyMarked::Wide(wide).size(), (8, 8 * (8 * 4 + 4)));
    }

    #[test]
    fn tokens_and_lengths_need_16_bits_each() {
        let packed = PackedOutput::new(0xFFFF, 0xFFFE).unwrap();
        assert_eq!((packed.token(), packed.length()), (0xFFFF, 0xFFFE));
        assert!(PackedOutput::new(0x1_0000, 1).is_none() && PackedOutput::new(1, 0x1_0000).is_none());
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused_before_it_is_built() {
        let mut table = MergeTable::new();
        while table.num_tokens() < 65_532 {
            table.push((0, 1)).unwrap();
        }
        check_size(&table).unwrap();
        table.push((0, 1)).unwrap();
        assert_eq!(check_size(&table), Err(NoAutomaton::TooManyTokens { found: 65_533, max: 65_532 }));

        let doubled = (4..19).map(|token| (token, token));
        let mut table = MergeTable::from_merges([(0, 0)].into_iter().chain(doubled)).unwrap();
        assert_eq!(check_size(&table), Err(NoAutomaton::TooLong { found: 1 << 16, max: 65_535 }));
        table = table.truncated(15);
        for half in (4..18).rev().chain([0]) {
            table.push((table.num_tokens() - 1, half)).unwrap();
        }
        assert_eq!(table.longest(), 65_535);
        check_size(&table).unwrap();
    }
}
