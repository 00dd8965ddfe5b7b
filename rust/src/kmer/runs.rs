//! Where bases begin and end.

use std::ops::Range;

/// Letters that are looked at together, many and few.
const MANY: usize = 64;
const FEW: usize = 16;

/// A maximal part of a sequence that is all bases, or has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) is_bases: bool,
}

/// The pieces of a sequence in order.
pub(super) fn pieces(letters: &[u8], upper_case: bool) -> impl Iterator<Item = Piece> {
    let case = case(upper_case);
    let is_base = move |letter: u8| matches!(letter & case, b'A' | b'C' | b'G' | b'T');
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &letters[start..];
        let is_bases = is_base(*rest.first()?);
        let length = if is_bases {
            all_the_way(rest, is_base)
        } else {
            all_the_way(rest, move |letter| !is_base(letter))
        };
        start += length;
        Some(Piece { range: start - length..start, is_bases })
    })
}

/// What a letter is masked with so that its case does not matter, or does.
pub(super) fn case(upper_case: bool) -> u8 {
    if upper_case { 0xdf } else { 0xff }
}

/// How many letters from the start on `pass`.
fn all_the_way(letters: &[u8], pass: impl Fn(u8) -> bool + Copy) -> usize {
    let many = chunks_that_pass::<MANY>(letters, pass);
    let few = many + chunks_that_pass::<FEW>(&letters[many..], pass);
    let rest = &letters[few..];
    few + rest.iter().position(|letter| !pass(*letter)).unwrap_or(rest.len())
}

/// How many letters from the start on, a multiple of `SIZE`, `pass`; a chunk is looked at whole, without branches.
fn chunks_that_pass<const SIZE: usize>(letters: &[u8], pass: impl Fn(u8) -> bool) -> usize {
    let whole = |chunk: &&[u8; SIZE]| chunk.iter().fold(true, |all, letter| all & pass(*letter));
    letters.as_chunks::<SIZE>().0.iter().take_while(whole).count() * SIZE
}
