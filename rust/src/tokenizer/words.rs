//! Words that are looked up whole: how a file with a `WordLevel` model cuts a text.
//!
//! Each pre-tokenizer cuts the pieces that the one before it left. What comes out is looked up in the vocabulary; a piece
//! that it lacks is one unknown token, however long it is. Where every letter of the vocabulary stands alone whatever is
//! around it, the table of [`super::letters`] says all, and such a file is as fast as any other: see [`Words::fate`].

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::numbering::Id;
use super::pattern::Class;
use super::phrase::Phrase;
use crate::error::Result;

/// What becomes of the matches of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behavior {
    /// Each is a piece.
    Isolated,
    /// They vanish.
    Removed,
    /// Those side by side are one piece.
    Contiguous,
    /// Each belongs to the piece before it, unless that is a match.
    MergedWithPrevious,
    /// Likewise behind it.
    MergedWithNext,
}

/// One pre-tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// By the matches of a pattern; if inverted, by what is between them.
    Phrase {
        /// What is looked for.
        phrase: Phrase,
        /// What becomes of it.
        behavior: Behavior,
        /// Whether matches are what is between matches.
        is_inverted: bool,
    },
    /// White space vanishes.
    WhiteSpace(Class),
    /// Into pieces of so many characters, from the left.
    Every(usize),
}

/// The pre-tokenizers of a file, and its vocabulary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) cuts: Vec<Cut>,
    pub(super) ids: FxHashMap<Box<str>, Id>,
}

/// What becomes of a character, whatever stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is a piece.
    Alone,
    /// It vanishes, and parts what stands on both sides.
    Dropped,
    /// That depends on its neighbours.
    Unsure,
}

impl Words {
    /// Takes the pieces of a text, in order, each with its id.
    pub(super) fn pieces(
        &self,
        text: &str,
        take: &mut dyn FnMut(Option<Id>, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let mut outcome = Ok(());
        pieces(&self.cuts, text, 0, &mut |piece, start| {
            if outcome.is_ok() {
                outcome = take(self.ids.get(piece).copied(), start..start + piece.len());
            }
        });
        outcome
    }

    /// What becomes of an ASCII character.
    pub(super) fn fate(&self, character: char) -> Fate {
        let mut buffer = [0; 4];
        let text = &*character.encode_utf8(&mut buffer);
        for (number, cut) in self.cuts.iter().enumerate() {
            if !cut.parts_from_all(character) {
                continue;
            }
            // From here on it is a text of its own.
            let mut remains = false;
            pieces(&self.cuts[number..], text, 0, &mut |_, _| remains = true);
            return if remains { Fate::Alone } else { Fate::Dropped };
        }
        Fate::Unsure
    }

    /// Why a text with other characters than ASCII cannot be cut exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let is_unclear = |cut: &Cut| matches!(cut, Cut::Phrase { phrase, .. } if !phrase.is_clear());
        let reason = "a class of characters in the file's pre-tokenizer may hold";
        self.cuts.iter().any(is_unclear).then(|| reason.to_owned())
    }
}

impl Cut {
    /// Whether a character is parted from all neighbours.
    fn parts_from_all(&self, character: char) -> bool {
        match self {
            Self::Every(length) => *length == 1,
            Self::WhiteSpace(class) => class.holds(character),
            Self::Phrase { phrase, behavior, is_inverted } => {
                let Some(class) = phrase.as_single() else { return false };
                match behavior {
                    Behavior::Isolated => class.holds(character),
                    Behavior::Removed => *is_inverted || class.holds(character),
                    _ => false,
                }
            }
        }
    }
}

/// Takes the pieces that `cuts` make of a text, which begins at `start` of a larger one.
fn pieces(cuts: &[Cut], text: &str, start: usize, take: &mut dyn FnMut(&str, usize)) {
    let Some((cut, rest)) = cuts.split_first() else {
        if !text.is_empty() {
            take(text, start);
        }
        return;
    };
    let mut next = |range: Range<usize>| pieces(rest, &text[range.clone()], start + range.start, take);
    match cut {
        Cut::Every(length) => {
            let mut done = 0;
            let ends = text.char_indices().map(|(at, _)| at).step_by(*length).skip(1);
            for end in ends.chain([text.len()]) {
                next(done..end);
                done = end;
            }
        }
        Cut::WhiteSpace(class) => {
            Phrase::single(class.clone()).parts(text, |range, is_match| {
                if !is_match {
                    next(range);
                }
            });
        }
        Cut::Phrase { phrase, behavior, is_inverted } => {
            let mut joiner = Joiner { behavior: *behavior, held: None, was_match: false };
            phrase.parts(text, |range, is_match| joiner.add(range, is_match != *is_inverted, &mut next));
            joiner.end(&mut next);
        }
    }
}

/// Joins matches with their neighbours, as a behavior says.
struct Joiner {
    behavior: Behavior,
    /// What the next part may be joined to.
    held: Option<Range<usize>>,
    /// Whether the part before was a match.
    was_match: bool,
}

impl Joiner {
    fn add(&mut self, range: Range<usize>, is_match: bool, take: &mut impl FnMut(Range<usize>)) {
        let joins = match self.behavior {
            Behavior::Removed if is_match => return,
            Behavior::Removed | Behavior::Isolated => false,
            Behavior::Contiguous => is_match == self.was_match,
            Behavior::MergedWithPrevious => is_match && !self.was_match,
            Behavior::MergedWithNext => !is_match && self.was_match,
        };
        self.was_match = is_match;
        match &mut self.held {
            Some(held) if joins => held.end = range.end,
            held => held.replace(range).into_iter().for_each(take),
        }
    }

    fn end(self, take: &mut impl FnMut(Range<usize>)) {
        self.held.into_iter().for_each(take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str, behavior: Behavior, is_inverted: bool) -> Cut {
        Cut::Phrase { phrase: Phrase::regex(source).unwrap(), behavior, is_inverted }
    }

    fn found(cuts: &[Cut], text: &str) -> Vec<String> {
        let mut found = Vec::new();
        pieces(cuts, text, 0, &mut |piece, _| found.push(piece.to_owned()));
        found
    }

    #[test]
    fn matches_are_joined_as_the_behavior_says() {
        use Behavior::{Contiguous, Isolated, MergedWithNext, MergedWithPrevious, Removed};
        for (behavior, is_inverted, expected) in [
            (Isolated, false, &["xx", "A", "A", "x", "A"][..]),
            (Removed, false, &["xx", "x"]),
            (Removed, true, &["A", "A", "A"]),
            (Contiguous, false, &["xx", "AA", "x", "A"]),
            (MergedWithPrevious, false, &["xxA", "A", "xA"]),
            (MergedWithNext, false, &["xx", "A", "Ax", "A"]),
            (MergedWithPrevious, true, &["xx", "A", "Ax", "A"]),
            (MergedWithNext, true, &["xxA", "A", "xA"]),
        ] {
            let cuts = [cut("A", behavior, is_inverted)];
            assert_eq!(found(&cuts, "xxAAxA"), expected, "{behavior:?} {is_inverted}");
        }
        assert_eq!(found(&[Cut::Every(2)], "AéCGT"), ["Aé", "CG", "T"]);
        assert_eq!(found(&[Cut::Every(2)], ""), [""; 0]);
        assert_eq!(found(&[Cut::Every(4), Cut::Every(3)], "ACGTACG"), ["ACG", "T", "ACG"]);
    }

    #[test]
    fn the_fate_of_a_letter_is_known_where_it_stands_alone() {
        let fate = |cuts: Vec<Cut>, character| Words { cuts, ..Words::default() }.fate(character);
        let each = || cut(".", Behavior::Isolated, false);
        assert_eq!(fate(vec![each()], 'A'), Fate::Alone);
        assert_eq!(fate(vec![each()], '\n'), Fate::Unsure, "two of them are one piece");
        assert_eq!(fate(vec![each(), cut("A", Behavior::Removed, false)], 'A'), Fate::Dropped);
        assert_eq!(fate(vec![cut("[ACGT]", Behavior::Removed, true)], 'N'), Fate::Dropped);
        assert_eq!(fate(vec![cut("[ACGT]{2}", Behavior::Isolated, false)], 'A'), Fate::Unsure);
        assert_eq!(fate(vec![Cut::Every(1)], '\n'), Fate::Alone);
    }
}
