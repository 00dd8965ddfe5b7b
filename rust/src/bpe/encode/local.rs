//! What a change of a text changes in its tokens, without encoding the rest.
//!
//! # Claim
//!
//! A row of two tokens or more is the encoding of its string if and only if every two adjacent
//! tokens of it are [compatible](super::compatible): the string of both encodes to just these two.
//!
//! # Proof
//!
//! The rule takes, of all adjacent pairs that are merges, the one of the lowest rank, of equal ones
//! the leftmost. As long as no merge crosses a seam between two tokens of the row, the parts of the
//! string change independently, and the order in which the rule takes steps of two adjacent parts
//! depends on these two alone: comparing rank, then place, among fewer candidates keeps their
//! order. So look at the first merge that crosses a seam, if there is one. The two parts at that
//! seam have changed until then exactly as they do when they are alone, and the merge, lowest of
//! all, is the lowest of the two. So alone they merge across the seam as well, and are not
//! compatible. Conversely, let two adjacent tokens of an encoding not be compatible. Alone, they
//! reach a first merge across their seam. Beside others they reach the same state, since no seam is
//! crossed; from there on that merge goes before every step of the two, so neither changes, and it
//! is made when the steps of lower rank elsewhere have come to an end. But an encoding has no such
//! merge.
//!
//! Nothing is asked of the ranks: the claim holds for merges in any order ([`super::rules`]). Symbols
//! that end words, unknown ones for example, are tokens that any token may stand beside; where files
//! make one token of several unknown symbols, two unknown tokens are not compatible.
//!
//! # Use
//!
//! Let a text have the encoding `T`, and let a part of the text be replaced. Take the *surroundings*
//! of the part: all tokens of `T` that it touches, and one more at least on each side. Encode their
//! string with the change in it, alone. If what comes out begins with the first of these tokens and
//! ends with the last one, the changed text has the encoding `T` with the surroundings replaced: the
//! seams at both ends are between tokens that were adjacent in `T`. So they are compatible, as are
//! all others. If one end differs, twice as many tokens are taken on that side, up to the end of the
//! text, which needs no seam.
//!
//! ```text
//! merges   0: A + C   1: C + G   2: AC + G
//! before   T   AC  CG  T  T       of TACCGTT the second C becomes A
//! taken        AC  CG  T
//! encoded      AC  A  G  T        the AC and the last T are there again: done
//! after    T   AC  A  G  T  T
//! ```
//!
//! The tokens that both have at the ends are then dropped. What remains, `[a, b)`, lies between the
//! last common boundary at or before the change and the first one at or after it: where both
//! encodings have a boundary before the change, what stands before it encodes the same way in both.
//!
//! # Cost
//!
//! A search for the place among the tokens, and the encoding of some tens of bases. Nothing bounds
//! the surroundings: in a run of one base a change may move all boundaries up to the end of the run.
//! Then they are doubled until they hold the run.

/// Tokens beside those that a change touches, on each side, that are encoded at first.
const CONTEXT: usize = if cfg!(test) { 1 } else { 3 };

/// A token and where it stands in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedToken {
    /// The token: a number that stands for it.
    pub token: u32,
    /// How many bytes it covers; at least one.
    pub length: u32,
    /// Where it starts.
    pub start: usize,
}

impl PlacedToken {
    /// Where it ends.
    pub fn end(&self) -> usize {
        self.start + self.length as usize
    }
}

/// The bytes `start..end` of a text are replaced.
#[derive(Clone, Copy, Debug)]
pub struct ByteEdit<'a> {
    /// The first byte that is replaced.
    pub start: usize,
    /// The end of those that are replaced; `start` if there is none.
    pub end: usize,
    /// What takes their place.
    pub replacement: &'a [u8],
}

impl ByteEdit<'_> {
    /// Where something behind the change stands after it.
    pub fn moved(&self, at: usize) -> usize {
        at - self.end + self.start + self.replacement.len()
    }

    /// Writes the bytes `from..to` of `text`, changed, to `changed`. They hold the change.
    pub fn apply(&self, text: &[u8], (from, to): (usize, usize), changed: &mut Vec<u8>) {
        changed.clear();
        changed.extend_from_slice(&text[from..self.start]);
        changed.extend_from_slice(self.replacement);
        changed.extend_from_slice(&text[self.end..to]);
    }
}

/// What an edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// From the last common boundary at or before the change, in the text as it was.
    pub start: usize,
    /// To the first one at or after it.
    pub end: usize,
    /// The tokens between them.
    pub before: Vec<u32>,
    /// The tokens there in the changed text.
    pub after: Vec<u32>,
}

impl Change {
    /// The change between the tokens `before` and those after an edit, of the same part of a text:
    /// it ends at `ends`, where both have a boundary.
    ///
    /// `after` counts its places in the changed text.
    pub fn between(
        edit: &ByteEdit<'_>,
        before: &[PlacedToken],
        after: &[PlacedToken],
        ends: (usize, usize),
    ) -> Self {
        let is_left = |token: &PlacedToken| token.end() <= edit.start;
        let mut same = before.iter().zip(after).take_while(|(old, new)| is_left(old) && old == new).count();
        while !(is_boundary(before, same) && is_boundary(after, same)) {
            same -= 1;
        }
        let is_right = |old: &PlacedToken, new: &PlacedToken| {
            old.start >= edit.end && *new == PlacedToken { start: edit.moved(old.start), ..*old }
        };
        let pairs = before[same..].iter().rev().zip(after[same..].iter().rev());
        let mut right = pairs.take_while(|(old, new)| is_right(old, new)).count();
        while !(is_boundary(before, before.len() - right) && is_boundary(after, after.len() - right)) {
            right -= 1;
        }
        let (old, new) = (same..before.len() - right, same..after.len() - right);
        let tokens = |row: &[PlacedToken]| row.iter().map(|placed| placed.token).collect();
        Self {
            start: same.checked_sub(1).map_or(ends.0, |last| before[last].end()),
            end: before.get(old.end).map_or(ends.1, |first| first.start),
            before: tokens(&before[old]),
            after: tokens(&after[new]),
        }
    }
}

/// Whether a row has a boundary before its token `at`: where several tokens stand for one character, there is none
/// between them. There is one before the first token and one behind the last.
fn is_boundary(row: &[PlacedToken], at: usize) -> bool {
    let (Some(last), Some(next)) = (at.checked_sub(1).map(|last| row[last]), row.get(at)) else {
        return true;
    };
    last.end() <= next.start
}

/// Memory for [`reencode`], to be used again.
#[derive(Debug, Default)]
pub struct Surroundings {
    text: Vec<u8>,
    tokens: Vec<PlacedToken>,
}

/// What `edit` changes in the encoding `row` of `text`. `encode` appends the tokens of a text, which
/// is a word or several, with places from its start on.
///
/// Invariant: the surroundings are `row[from..to]` and hold every token that the edit touches; they
/// have one on the left that it does not touch, or start with the text, and likewise on the right. So
/// the loop ends at the latest when they are the text.
pub fn reencode<E>(
    text: &[u8],
    row: &[PlacedToken],
    edit: &ByteEdit<'_>,
    taken: &mut Surroundings,
    mut encode: impl FnMut(&[u8], &mut Vec<PlacedToken>) -> Result<(), E>,
) -> Result<Change, E> {
    let left = row.partition_point(|placed| placed.end() <= edit.start);
    let right = left + row[left..].partition_point(|placed| placed.start < edit.end);
    let (mut on_left, mut on_right) = (CONTEXT, CONTEXT);
    loop {
        let (from, to) = (left.saturating_sub(on_left), row.len().min(right.saturating_add(on_right)));
        let start = if from == 0 { 0 } else { row[from].start };
        let end = if to == row.len() { text.len() } else { row[to - 1].end() };
        edit.apply(text, (start, end), &mut taken.text);
        taken.tokens.clear();
        encode(&taken.text, &mut taken.tokens)?;
        taken.tokens.iter_mut().for_each(|placed| placed.start += start);
        let (first, last) = (taken.tokens.first(), taken.tokens.last());
        let holds_left = from == 0 || first == Some(&row[from]);
        let holds_right = to == row.len() || {
            let old = row[to - 1];
            last == Some(&PlacedToken { start: edit.moved(old.start), ..old })
        };
        if holds_left && holds_right {
            return Ok(Change::between(edit, &row[from..to], &taken.tokens, (start, end)));
        }
        on_left = if holds_left { on_left } else { on_left.saturating_mul(2) };
        on_right = if holds_right { on_right } else { on_right.saturating_mul(2) };
    }
}

#[cfg(test)]
mod tests;
