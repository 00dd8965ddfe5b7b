//! Words that are looked up whole: how a file with a `WordLevel` model cuts a text.
//!
//! Each pre-tokenizer cuts the pieces that the one before it left. What comes out is looked up in the vocabulary; a piece
//! that it lacks is one unknown token, however long it is. Where every symbol of the vocabulary stands alone whatever is
//! around it, the table of [`super::symbols`] says all, and such a file is as fast as any other: see [`WordLookup::fate`].
//!
//! Nesting is by recursion: [`pieces`] hands each piece of one pre-tokenizer to the next, and takes what the last one leaves.
//! So no list of pieces is ever made. A file may have 16 pre-tokenizers, so the recursion is shallow.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::numbering::Id;
use super::pattern::CharacterClass;
use super::split_pattern::SplitPattern;
use crate::error::Result;

/// What becomes of the matches of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behavior {
    /// Each is a piece.
    Isolated,
    /// They vanish.
    Removed,
    /// Neighbouring ones are one piece.
    Contiguous,
    /// Each belongs to the piece before it, unless that is a match.
    MergedWithPrevious,
    /// Likewise behind it.
    MergedWithNext,
}

/// One pre-tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WordCut {
    /// By the matches of a pattern; if inverted, by what is between them.
    Pattern {
        /// What is looked for.
        pattern: SplitPattern,
        /// What becomes of it.
        behavior: Behavior,
        /// Whether matches are what is between matches.
        is_inverted: bool,
    },
    /// White space vanishes.
    WhiteSpace(CharacterClass),
    /// Into pieces of so many characters, from the left.
    Every(usize),
}

/// The pre-tokenizers of a file, and its vocabulary: the id of each word, special ones among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WordLookup {
    pub(super) cuts: Vec<WordCut>,
    pub(super) ids: FxHashMap<Box<str>, Id>,
}

/// What becomes of a character, whatever stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is a piece.
    Alone,
    /// It vanishes, and there is a cut where it stood.
    Dropped,
    /// That depends on its neighbours.
    Unsure,
}

impl WordLookup {
    /// Takes the pieces of a text, in order, each with its id, or none if the vocabulary lacks it, and its range in bytes.
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
    ///
    /// The first pre-tokenizer that cuts it off from all neighbours decides: from there on the character is a text of its own,
    /// on which the rest is tried out. Those before it may cut as they like, but if one may take the character out with its
    /// neighbours, they decide.
    pub(super) fn fate(&self, character: char) -> Fate {
        let mut buffer = [0; 4];
        let text = &*character.encode_utf8(&mut buffer);
        for (number, cut) in self.cuts.iter().enumerate() {
            if cut.cuts_off(character) {
                let mut remains = false;
                pieces(&self.cuts[number..], text, 0, &mut |_, _| remains = true);
                return if remains { Fate::Alone } else { Fate::Dropped };
            }
            if cut.may_remove(character) {
                return Fate::Unsure;
            }
        }
        Fate::Unsure
    }

    /// Why a text with other characters than ASCII cannot be cut exactly, if so: a class may hold some of them.
    pub(super) fn refusal(&self) -> Option<String> {
        let is_unclear =
            |cut: &WordCut| matches!(cut, WordCut::Pattern { pattern, .. } if !pattern.is_clear());
        let reason = "a class of characters in the file's pre-tokenizer may hold";
        self.cuts.iter().any(is_unclear).then(|| reason.to_owned())
    }
}

impl WordCut {
    /// Whether it may take a character out, in some company.
    fn may_remove(&self, character: char) -> bool {
        match self {
            Self::WhiteSpace(class) => class.holds(character),
            Self::Pattern { pattern, behavior: Behavior::Removed, is_inverted: false } => {
                pattern.may_match(character)
            }
            Self::Pattern { pattern, behavior: Behavior::Removed, is_inverted: true } => {
                !pattern.always_matches(character)
            }
            Self::Every(_) | Self::Pattern { .. } => false,
        }
    }

    /// Whether a character is cut off from all neighbours, whatever they are.
    fn cuts_off(&self, character: char) -> bool {
        match self {
            Self::Every(length) => *length == 1,
            Self::WhiteSpace(class) => class.holds(character),
            Self::Pattern { pattern, behavior, is_inverted } => {
                let Some(class) = pattern.as_single() else { return false };
                match behavior {
                    Behavior::Isolated => class.holds(character),
                    Behavior::Removed => *is_inverted || class.holds(character),
                    _ => false,
                }
            }
        }
    }
}

/// Takes the pieces that `cuts` make of a text, which starts at byte `start` of a larger one. No piece is empty.
fn pieces(cuts: &[WordCut], text: &str, start: usize, take: &mut dyn FnMut(&str, usize)) {
    let Some((cut, rest)) = cuts.split_first() else {
        if !text.is_empty() {
            take(text, start);
        }
        return;
    };
    let mut next = |range: Range<usize>| pieces(rest, &text[range.clone()], start + range.start, take);
    match cut {
        WordCut::Every(length) => {
            let mut done = 0;
            let ends = text.char_indices().map(|(at, _)| at).step_by(*length).skip(1);
            for end in ends.chain([text.len()]) {
                next(done..end);
                done = end;
            }
        }
        WordCut::WhiteSpace(class) => {
            SplitPattern::single(class.clone()).parts(text, |range, is_match| {
                if !is_match {
                    next(range);
                }
            });
        }
        WordCut::Pattern { pattern, behavior, is_inverted } => {
            let mut joiner = MatchJoiner { behavior: *behavior, held: None, was_match: false };
            pattern.parts(text, |range, is_match| joiner.add(range, is_match != *is_inverted, &mut next));
            joiner.end(&mut next);
        }
    }
}

/// Joins matches with their neighbours, as a behavior says. A part is held back until the next one shows whether it joins.
struct MatchJoiner {
    behavior: Behavior,
    /// What the next part may be joined to.
    held: Option<Range<usize>>,
    /// Whether the part before was a match.
    was_match: bool,
}

impl MatchJoiner {
    /// The next part, a match or what is between matches; hands out the one before unless they join.
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

    /// No more parts.
    fn end(self, take: &mut impl FnMut(Range<usize>)) {
        self.held.into_iter().for_each(take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str, behavior: Behavior, is_inverted: bool) -> WordCut {
        WordCut::Pattern { pattern: SplitPattern::regex(source).unwrap(), behavior, is_inverted }
    }

    fn found(cuts: &[WordCut], text: &str) -> Vec<String> {
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
        assert_eq!(found(&[WordCut::Every(2)], "AéCGT"), ["Aé", "CG", "T"]);
        assert_eq!(found(&[WordCut::Every(2)], ""), [""; 0]);
        assert_eq!(found(&[WordCut::Every(4), WordCut::Every(3)], "ACGTACG"), ["ACG", "T", "ACG"]);
    }

    #[test]
    fn the_fate_of_a_character_is_known_where_it_stands_alone() {
        let fate =
            |cuts: Vec<WordCut>, character| WordLookup { cuts, ..WordLookup::default() }.fate(character);
        let each = || cut(".", Behavior::Isolated, false);
        assert_eq!(fate(vec![each()], 'A'), Fate::Alone);
        assert_eq!(fate(vec![each()], '\n'), Fate::Unsure, "two of them are one piece");
        assert_eq!(fate(vec![each(), cut("A", Behavior::Removed, false)], 'A'), Fate::Dropped);
        assert_eq!(fate(vec![cut("[ACGT]", Behavior::Removed, true)], 'N'), Fate::Dropped);
        assert_eq!(fate(vec![cut("N", Behavior::Removed, false), each()], 'A'), Fate::Alone);
        for (pattern, is_inverted) in [("AC", false), ("[ACG]{2}", true), (r"[^\w\s]+|G+", true)] {
            let cuts = || vec![cut(pattern, Behavior::Removed, is_inverted), each()];
            assert_eq!(fate(cuts(), 'A'), Fate::Unsure, "{pattern}: it may go, with its neighbours");
        }
        let words = || vec![cut(r"\w+|[^\w\s]+", Behavior::Removed, true), each()];
        assert_eq!([fate(words(), 'A'), fate(words(), ' ')], [Fate::Alone, Fate::Unsure]);
        assert_eq!(fate(vec![cut("AC", Behavior::Removed, false), each()], 'G'), Fate::Alone);
        assert_eq!(fate(vec![cut("[ACGT]{2}", Behavior::Isolated, false)], 'A'), Fate::Unsure);
        assert_eq!(fate(vec![WordCut::Every(1)], '\n'), Fate::Alone);
    }

    #[test]
    fn a_class_that_may_hold_any_character_keeps_texts_beyond_ascii_out() {
        let refusal = |cuts| WordLookup { cuts, ..WordLookup::default() }.refusal();
        let bases = || cut("[ACGT]{2}|N", Behavior::Isolated, false);
        assert_eq!(refusal(vec![WordCut::Every(2), bases()]), None);
        let said = refusal(vec![bases(), cut(r"A|\w+", Behavior::Isolated, false)]);
        assert!(said.is_some_and(|reason| reason.starts_with("a class of characters")));
    }
}
