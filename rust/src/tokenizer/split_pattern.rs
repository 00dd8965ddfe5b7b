//! What the pre-tokenizers of k-mers look for: rows of characters.
//!
//! Of regular expressions these are alternatives, each of which is a row of characters or classes with counts, such as
//! `.{3}`, `[ACGT]{6}|[\s\S]`, `\w+|[^\w\s]+`. Only the last place of a row may leave its count open. Then taking as many as
//! there are is what a backtracking engine does too: at every place before the last the count is fixed, so there is nothing to
//! give back. No text takes longer than its length times that of the expression.

use std::ops::Range;

use super::pattern::{CharacterClass, Others, PatternReader};

/// Places, alternatives, and characters in one place, at most.
const MAX_PLACES: usize = 256;
const MAX_COUNT: usize = 64;

/// Alternatives, the first of which that fits is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SplitPattern(Vec<Row>);

/// Places, one behind the other; never none.
type Row = Vec<Place>;

/// Characters of a class: at least and at most how many. They differ in the last place of a row only.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    class: CharacterClass,
    least: usize,
    most: usize,
}

impl SplitPattern {
    /// A string, which must not be empty; `None` for characters outside ASCII, or too many.
    pub(super) fn text(text: &str) -> Option<Self> {
        let single = |character: char| Place {
            class: CharacterClass::of(|other| other == character, Others::No),
            least: 1,
            most: 1,
        };
        let fits = !text.is_empty() && text.is_ascii() && text.len() <= MAX_PLACES;
        fits.then(|| Self(vec![text.chars().map(single).collect()]))
    }

    /// One character of a class.
    pub(super) fn single(class: CharacterClass) -> Self {
        Self(vec![vec![Place { class, least: 1, most: 1 }]])
    }

    /// A regular expression, if it is one of those that are known. Linear in its length, which is bounded.
    pub(super) fn regex(source: &str) -> Option<Self> {
        let mut rows = Vec::new();
        let mut row = Row::new();
        let mut rest = source;
        let mut places = 0;
        loop {
            let (class, after) = PatternReader { rest }.atom()?;
            let (least, most, after) = quantifier(after)?;
            row.push(Place { class, least, most });
            places += 1;
            let is_open = least != most;
            rest = match after.strip_prefix('|') {
                Some(next) => {
                    rows.push(std::mem::take(&mut row));
                    next
                }
                None if after.is_empty() => {
                    rows.push(row);
                    return Some(Self(rows));
                }
                None if is_open => return None,
                None => after,
            };
            if places == MAX_PLACES {
                return None;
            }
        }
    }

    /// The only class, if each match is one character of it.
    pub(super) fn as_single(&self) -> Option<&CharacterClass> {
        match &self.0[..] {
            [row] => match &row[..] {
                [Place { class, least: 1, most: 1 }] => Some(class),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether some match may hold the character.
    pub(super) fn may_match(&self, character: char) -> bool {
        self.0.iter().flatten().any(|place| place.class.holds(character))
    }

    /// Whether the character is part of a match wherever it stands: then some row takes it alone.
    pub(super) fn always_matches(&self, character: char) -> bool {
        let takes_it =
            |row: &Row| matches!(&row[..], [Place { class, least: 1, .. }] if class.holds(character));
        self.0.iter().any(takes_it)
    }

    /// Whether it is certain what its classes hold of a text with characters outside ASCII.
    pub(super) fn is_clear(&self) -> bool {
        let unclear = |place: &Place| place.class.others == Others::Unclear;
        !self.0.iter().flatten().any(unclear)
    }

    /// The length of the match at the start of a text, in bytes; never 0.
    fn at(&self, text: &str) -> Option<usize> {
        self.0.iter().find_map(|row| fit(row, text))
    }

    /// A text in parts, in order: matches, from left to right, and what is between them. No part is empty.
    ///
    /// `done` is the end of the last match and `at` where the next is looked for; between them nothing matched.
    pub(super) fn parts(&self, text: &str, mut take: impl FnMut(Range<usize>, bool)) {
        let (mut done, mut at) = (0, 0);
        while let Some(first) = text[at..].chars().next() {
            let Some(length) = self.at(&text[at..]) else {
                at += first.len_utf8();
                continue;
            };
            if done < at {
                take(done..at, false);
            }
            take(at..at + length, true);
            at += length;
            done = at;
        }
        if done < at {
            take(done..at, false);
        }
    }
}

/// How many bytes of a text a row takes from its start, if it fits.
fn fit(row: &Row, text: &str) -> Option<usize> {
    let mut end = 0;
    for place in row {
        let mut count = 0;
        for character in text[end..].chars().take_while(|&character| place.class.holds(character)) {
            if count == place.most {
                break;
            }
            count += 1;
            end += character.len_utf8();
        }
        if count < place.least {
            return None;
        }
    }
    Some(end)
}

/// How often, and what follows: `+`, `{n}`, `{n,}` or `{n,m}`; without any, once. `None` for what is not known.
fn quantifier(source: &str) -> Option<(usize, usize, &str)> {
    let (least, most, rest) = if let Some(rest) = source.strip_prefix('+') {
        (1, usize::MAX, rest)
    } else if let Some(counts) = source.strip_prefix('{') {
        let (counts, rest) = counts.split_once('}')?;
        let number = |text: &str| text.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count));
        match counts.split_once(',') {
            None => (number(counts)?, number(counts)?, rest),
            Some((least, "")) => (number(least)?, usize::MAX, rest),
            Some((least, most)) => (number(least)?, number(most)?, rest),
        }
    } else {
        (1, 1, source)
    };
    // Behind a count these would mean: as few as possible, never giving back, the count several times.
    let is_plain = !rest.starts_with(['?', '+', '*', '{']) && least <= most;
    is_plain.then_some((least, most, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(source: &str, text: &str) -> Vec<(Range<usize>, bool)> {
        let mut found = Vec::new();
        SplitPattern::regex(source).unwrap().parts(text, |range, is_match| found.push((range, is_match)));
        found
    }

    #[test]
    fn rows_are_found_from_the_left() {
        assert_eq!(parts(".{3}", "ACGTA"), [(0..3, true), (3..5, false)]);
        assert_eq!(parts(".{1,3}", "ACGTA"), [(0..3, true), (3..5, true)]);
        assert_eq!(parts("...", "\nACG"), [(0..1, false), (1..4, true)]);
        assert_eq!(
            parts(r"[ACGT]{2}|[\s\S]", "ACGN\né"),
            [(0..2, true), (2..3, true), (3..4, true), (4..5, true), (5..7, true)]
        );
        assert_eq!(parts("AC|A+", "AAACA"), [(0..3, true), (3..4, false), (4..5, true)]);
        assert_eq!(parts("ATG[ACGT]{2}N{2,}", "ATGACNNN"), [(0..8, true)]);
        assert_eq!(parts("A{2}", ""), []);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for source in [
            "", "|", "A|", "A+C", "A{1,2}C", "A*", "A?", "A{0,3}", "A{65}", "A+?", "A{2}+", "(ACG)", "^A",
            "A{2", "A{3,2}", "é",
        ] {
            assert_eq!(SplitPattern::regex(source), None, "{source}");
        }
        assert_eq!(SplitPattern::regex(&"A|".repeat(1000)), None);
    }
}
