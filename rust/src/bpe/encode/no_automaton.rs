//! Why a merge table has no automaton.
//!
//! Every table can be encoded by [`heap`](super::heap). Few cannot be encoded by the
//! [`automaton`](super::automaton): those that training could not have made, and those whose
//! automaton would take too much memory or time to build. The heap is slower by far, so the reason
//! is kept with the encoder and shown to the user.

use crate::bpe::Token;

/// Why a merge table has no automaton.
///
/// The first four say what training could not have made; the others name a limit. The text of each
/// is one line that completes "encoding is slow: ...".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAutomaton {
    /// Two tokens spell the same string.
    #[error("tokens {first} and {second} are both {spelling}; a string can be made in one way only")]
    SameSpelling {
        /// The older token.
        first: Token,
        /// The younger one.
        second: Token,
        /// What both spell.
        spelling: String,
    },
    /// Two tokens that end at the same place are both compatible with what stands before them.
    #[error(
        "a string could end in {first} as well as in {second}; the merges are not in an order that training makes"
    )]
    TwoEndings {
        /// What one token spells.
        first: String,
        /// What the other one spells.
        second: String,
    },
    /// No token that ends at some place is compatible with what stands before it.
    #[error("a string has no encoding; the merges are not in an order that training makes")]
    NoEnding,
    /// The string of a token encodes to something else.
    #[error("token {spelling} does not encode to itself; the merges are not in an order that training makes")]
    NotItself {
        /// What the token spells.
        spelling: String,
    },
    /// A structure that building needs would exceed its memory limit.
    #[error("{count} {what} are too many for an automaton")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many, when building stopped.
        count: usize,
    },
    /// The transition table would exceed its memory limit.
    #[error("the vocabulary needs too many states for an automaton")]
    TooManyStates,
    /// Building would take more than some seconds.
    #[error("the vocabulary would take too long to make an automaton of")]
    TooSlow,
    /// Token numbers do not fit into the 16 bits that `marked` has for them.
    #[error("it has {found} symbols and merges, and an automaton has up to {max}")]
    TooManyTokens {
        /// Tokens in the table.
        found: usize,
        /// Tokens that fit.
        max: usize,
    },
    /// Token lengths do not fit into the 16 bits that `marked` has for them.
    #[error("its longest token has {found} symbols, and those of an automaton have up to {max}")]
    TooLong {
        /// Symbols in the longest token.
        found: u32,
        /// Symbols that fit.
        max: u32,
    },
}
