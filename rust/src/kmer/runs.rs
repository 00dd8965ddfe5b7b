//! Where runs of bases start and end.
//!
//! A genome is a few long runs, reads are many short ones. So the end of a run is looked for 64 symbols at a time, then 16,
//! then one: each chunk is judged as a whole, without branches, which the compiler turns into vector instructions.

use std::ops::Range;

/// Symbols in a large chunk, and in a small one.
const MANY: usize = 64;
const FEW: usize = 16;

/// A maximal part of a sequence that is all bases, or has none; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SymbolRun {
    pub(super) range: Range<usize>,
    pub(super) is_bases: bool,
}

/// The runs of a sequence in order; they cover it, and runs of bases alternate with the others.
///
/// With `upper_case` a lower-case base is a base; otherwise it ends a run like any other symbol.
pub(super) fn runs(symbols: &[u8], upper_case: bool) -> impl Iterator<Item = SymbolRun> {
    let case = case(upper_case);
    let is_base = move |symbol: u8| matches!(symbol & case, b'A' | b'C' | b'G' | b'T');
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &symbols[start..];
        let is_bases = is_base(*rest.first()?);
        let length = if is_bases {
            prefix_length(rest, is_base)
        } else {
            prefix_length(rest, move |symbol| !is_base(symbol))
        };
        start += length;
        Some(SymbolRun { range: start - length..start, is_bases })
    })
}

/// The mask that makes ASCII case disappear (bit 5), or keeps it. Comparisons with A, C, G, T and N stay exact: each has
/// exactly two preimages, its upper and its lower case.
pub(super) fn case(upper_case: bool) -> u8 {
    if upper_case { 0xdf } else { 0xff }
}

/// How many symbols from the start on `pass`.
fn prefix_length(symbols: &[u8], pass: impl Fn(u8) -> bool + Copy) -> usize {
    let many = chunks_that_pass::<MANY>(symbols, pass);
    let few = many + chunks_that_pass::<FEW>(&symbols[many..], pass);
    let rest = &symbols[few..];
    few + rest.iter().position(|symbol| !pass(*symbol)).unwrap_or(rest.len())
}

/// How many symbols from the start on, a multiple of `SIZE`, `pass`.
fn chunks_that_pass<const SIZE: usize>(symbols: &[u8], pass: impl Fn(u8) -> bool) -> usize {
    let whole = |chunk: &&[u8; SIZE]| chunk.iter().fold(true, |all, symbol| all & pass(*symbol));
    symbols.as_chunks::<SIZE>().0.iter().take_while(whole).count() * SIZE
}
