//! Which tokens may stand in place of another one.
//!
//! # Definition
//!
//! In a row `left, token, right` the *substitutions* of `token` are the tokens `t` of as many
//! symbols for which the string of `left, t, right` encodes to just these three. Where the row
//! stands in a longer encoding and a substitution takes the place of the token, the whole is the
//! encoding of its string again, since all that is adjacent is compatible ([`super::local`]). So
//! the substitutions are all tokens that bases can be changed to with no boundary moved.
//!
//! # How they are found
//!
//! By the automaton: its outputs along the string of `left, t, right` must be `left`, `t` and
//! `right` at the three ends. By claim 1 of [`super::automaton`] the encoding then is these three.
//! The state after `left` is found once, so a candidate costs a step for each symbol of it, and one
//! that passes as many more as `right` has. Without an automaton each candidate is encoded.

use super::machine::{Machine, StateId, StateOutput};
use crate::bpe::Token;

/// What stands on one side: a token with its symbols, or nothing that any merge reaches across.
pub type Neighbour<'a> = Option<(Token, &'a [u8])>;

/// Those of `candidates` that may stand between `left` and `right`, by an automaton over the bytes
/// that tokens are given in. `spell` appends those of a token.
pub fn by_machine<S: StateId, O: StateOutput>(
    machine: &Machine<'_, S, O>,
    (left, right): (Neighbour<'_>, Neighbour<'_>),
    candidates: impl IntoIterator<Item = Token>,
    mut spell: impl FnMut(Token, &mut Vec<u8>),
) -> Vec<Token> {
    let run = |state: S, bytes: &[u8]| bytes.iter().fold(state, |state, &byte| machine.after(state, byte));
    let ends_in = |state: S, token: Token| machine.outputs[state.index()].token().into() == token;
    let start = left.map_or(S::default(), |(_, bytes)| run(S::default(), bytes));
    if left.is_some_and(|(token, _)| !ends_in(start, token)) {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    let fits = |&token: &Token| {
        bytes.clear();
        spell(token, &mut bytes);
        let state = run(start, &bytes);
        ends_in(state, token) && right.is_none_or(|(next, bytes)| ends_in(run(state, bytes), next))
    };
    candidates.into_iter().filter(fits).collect()
}

/// The same by any encoder, which is the definition.
pub fn by_encoding(
    mut encode: impl FnMut(&[u8]) -> Vec<Token>,
    (left, right): (Neighbour<'_>, Neighbour<'_>),
    candidates: impl IntoIterator<Item = Token>,
    mut spell: impl FnMut(Token, &mut Vec<u8>),
) -> Vec<Token> {
    let mut bytes = Vec::new();
    let fits = |&token: &Token| {
        bytes.clear();
        bytes.extend(left.iter().flat_map(|(_, bytes)| *bytes));
        spell(token, &mut bytes);
        bytes.extend(right.iter().flat_map(|(_, bytes)| *bytes));
        let row = [left.map(|(token, _)| token), Some(token), right.map(|(token, _)| token)];
        encode(&bytes).into_iter().eq(row.into_iter().flatten())
    };
    candidates.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests;
