//! What a file looks for in a text, as far as it can be said exactly: a string, or runs of characters of one class.
//!
//! A `tokenizer.json` may hold any regular expression of the Oniguruma engine. Those that are written for DNA are a
//! string, a character, or a class of characters, once (`[^ACGT]`) or in runs (`N{10,}`, `\s+`). These are read here; the
//! rest is refused rather than guessed. Of characters outside ASCII a class either holds all, or none, or it cannot be
//! told without Unicode's tables of that engine.

use std::ops::Range;

use memchr::memmem;

/// What a class says of the characters outside ASCII. [`Self::Unclear`] is the safe answer: a text with such characters is
/// then refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// It holds none of them.
    No,
    /// It holds all of them.
    Yes,
    /// It holds the white space among them.
    WhiteSpace,
    /// It holds some, which are not known here.
    Unclear,
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CharacterClass {
    ascii: [bool; 128],
    pub(super) others: Others,
}

impl CharacterClass {
    /// The ASCII characters for which `is_in` holds.
    pub(super) fn of(is_in: impl Fn(char) -> bool, others: Others) -> Self {
        Self {
            ascii: std::array::from_fn(|code| u8::try_from(code).is_ok_and(|code| is_in(code.into()))),
            others,
        }
    }

    /// Whether it holds `character`; what is unclear counts as not, and must have been refused before.
    pub(super) fn holds(&self, character: char) -> bool {
        let ascii = usize::try_from(u32::from(character)).ok().and_then(|code| self.ascii.get(code));
        ascii.copied().unwrap_or_else(|| match self.others {
            Others::Yes => true,
            Others::WhiteSpace => character.is_whitespace(),
            Others::No | Others::Unclear => false,
        })
    }

    /// The characters that it does not hold.
    pub(super) fn negated(&self) -> Self {
        let others = match self.others {
            Others::No => Others::Yes,
            Others::Yes => Others::No,
            Others::WhiteSpace | Others::Unclear => Others::Unclear,
        };
        Self { ascii: self.ascii.map(|is_in| !is_in), others }
    }

    /// The characters of either.
    fn or(&self, other: &Self) -> Self {
        let others = match (self.others, other.others) {
            (Others::Yes, _) | (_, Others::Yes) => Others::Yes,
            (Others::No, Others::No) => Others::No,
            _ => Others::Unclear,
        };
        Self { ascii: std::array::from_fn(|code| self.ascii[code] || other.ascii[code]), others }
    }

    /// The only character, of a class that has one.
    fn single(&self) -> Option<char> {
        let mut held = (0_u8..128).map(char::from).filter(|&character| self.holds(character));
        held.next().filter(|_| held.next().is_none() && self.others == Others::No)
    }
}

/// How many characters of a class are one match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Each is a match.
    One,
    /// A maximal run is, if it has at least so many.
    AtLeast(usize),
}

/// What is looked for. A string of one ASCII character is a class, so that equal patterns have one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A string; never empty.
    Text(String),
    /// Characters of a class.
    Class(CharacterClass, Count),
    /// Nothing, which is found between any two characters.
    Empty,
}

impl Pattern {
    /// A pattern that is a string.
    pub(super) fn text(text: &str) -> Self {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (None, _) => Self::Empty,
            (Some(only), None) if only.is_ascii() => {
                Self::Class(CharacterClass::of(|character| character == only, Others::No), Count::One)
            }
            _ => Self::Text(text.to_owned()),
        }
    }

    /// A pattern that is a regular expression, if it is one of those that are known: plain text, or one character or class
    /// with a count.
    pub(super) fn regex(source: &str) -> Option<Self> {
        if !source.contains(|character| r".^$*+?()[]{}|\".contains(character)) {
            return Some(Self::text(source));
        }
        let (class, rest) = PatternReader { rest: source }.atom()?;
        Some(Self::Class(class, quantifier(rest)?))
    }

    /// The matches in a text, in bytes, from left to right, without overlap; none for [`Self::Empty`]. Linear.
    pub(super) fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Empty => Vec::new(),
            Self::Text(wanted) => {
                memmem::find_iter(text.as_bytes(), wanted).map(|start| start..start + wanted.len()).collect()
            }
            Self::Class(class, Count::One) => text
                .char_indices()
                .filter(|&(_, character)| class.holds(character))
                .map(|(start, character)| start..start + character.len_utf8())
                .collect(),
            Self::Class(class, Count::AtLeast(least)) => runs(class, *least, text),
        }
    }
}

/// The maximal runs of characters of a class that have at least `least` of them.
///
/// Every run is walked to its end, also one that is too short: the search continues behind it, never within it, so each
/// character is read twice at most.
fn runs(class: &CharacterClass, least: usize, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(first) = next_run(class, least, &text[start..]) {
        let (mut end, mut length) = (start + first, 0);
        for character in text[end..].chars().take_while(|&character| class.holds(character)) {
            end += character.len_utf8();
            length += 1;
        }
        if length >= least {
            found.push(start + first..end);
        }
        start = end;
    }
    found
}

/// Where a run may start: for a class of one character, where enough of it stand in a row, which `memmem` finds faster than a
/// loop over characters does.
fn next_run(class: &CharacterClass, least: usize, text: &str) -> Option<usize> {
    const MAX_NEEDLE: usize = 256;
    match class.single() {
        Some(only) => {
            memmem::find(text.as_bytes(), only.to_string().repeat(least.min(MAX_NEEDLE)).as_bytes())
        }
        None => text.find(|character| class.holds(character)),
    }
}

/// How often, at the end of an expression.
fn quantifier(source: &str) -> Option<Count> {
    match source {
        "" => Some(Count::One),
        "+" => Some(Count::AtLeast(1)),
        _ => {
            let least = source.strip_prefix('{')?.strip_suffix(",}")?.parse().ok()?;
            (1..=100_000).contains(&least).then_some(Count::AtLeast(least))
        }
    }
}

/// Reads the part of an expression that matches one character. `None` anywhere means that the expression is not one of those
/// that are known.
pub(super) struct PatternReader<'a> {
    /// The expression from there on.
    pub(super) rest: &'a str,
}

impl<'a> PatternReader<'a> {
    /// One character or class, and what follows it.
    pub(super) fn atom(mut self) -> Option<(CharacterClass, &'a str)> {
        let class = match self.next()? {
            '[' => self.bracket()?,
            '\\' => self.escape()?,
            '.' => CharacterClass::of(|character| character != '\n', Others::Yes),
            character if r"^$*+?()]{}|".contains(character) || !character.is_ascii() => return None,
            character => CharacterClass::of(|other| other == character, Others::No),
        };
        Some((class, self.rest))
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<CharacterClass> {
        let is_space = |character: char| matches!(character, '\t'..='\r' | ' ');
        Some(match self.next()? {
            's' => CharacterClass::of(is_space, Others::Unclear),
            'S' => CharacterClass::of(is_space, Others::Unclear).negated(),
            'd' => CharacterClass::of(|character| character.is_ascii_digit(), Others::Unclear),
            'D' => CharacterClass::of(|character| character.is_ascii_digit(), Others::Unclear).negated(),
            'w' => CharacterClass::of(is_word, Others::Unclear),
            'W' => CharacterClass::of(is_word, Others::Unclear).negated(),
            'n' => CharacterClass::of(|character| character == '\n', Others::No),
            't' => CharacterClass::of(|character| character == '\t', Others::No),
            'r' => CharacterClass::of(|character| character == '\r', Others::No),
            punctuation if punctuation.is_ascii_punctuation() => {
                CharacterClass::of(|character| character == punctuation, Others::No)
            }
            _ => return None,
        })
    }

    /// What follows an opening bracket, up to the closing one: characters, ranges and escapes, negated as a whole perhaps.
    ///
    /// A class and its own negation, as in `[\s\S]`, are everything, whatever Unicode's tables say.
    fn bracket(&mut self) -> Option<CharacterClass> {
        let is_negated = self.rest.starts_with('^');
        if is_negated {
            self.next();
        }
        let mut class = CharacterClass::of(|_| false, Others::No);
        let mut is_empty = true;
        let mut escaped: Vec<CharacterClass> = Vec::new();
        loop {
            let first = match self.next()? {
                ']' if !is_empty => break,
                '[' | ']' | '&' => return None,
                '\\' => {
                    let other = self.escape()?;
                    class = class.or(&other);
                    if escaped.contains(&other.negated()) {
                        class.others = Others::Yes; // as in [\s\S]
                    }
                    escaped.push(other);
                    is_empty = false;
                    continue;
                }
                character if character.is_ascii() => character,
                _ => return None,
            };
            let last = self.end_of_range(first)?;
            class =
                class.or(&CharacterClass::of(|character| (first..=last).contains(&character), Others::No));
            is_empty = false;
        }
        Some(if is_negated { class.negated() } else { class })
    }

    /// The last character of a range such as `a-z`, or the same if it is none.
    fn end_of_range(&mut self, first: char) -> Option<char> {
        let Some(after) = self.rest.strip_prefix('-') else { return Some(first) };
        let last = after.chars().next()?;
        if last == ']' {
            return Some(first);
        }
        self.rest = &after[last.len_utf8()..];
        (last.is_ascii_alphanumeric() && first <= last).then_some(last)
    }
}

/// What `\w` holds within ASCII.
pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, text: &str) -> Vec<Range<usize>> {
        Pattern::regex(source).unwrap().find_in(text)
    }

    #[test]
    fn strings_classes_and_runs_are_found() {
        assert_eq!(found("NN", "ANNNNA"), [1..3, 3..5]);
        assert_eq!(found("N{3,}", "NNANNNNCNNN"), [3..7, 8..11]);
        assert_eq!(found("[AC]+", "CCAGCTNA"), [0..3, 4..5, 7..8]);
        assert_eq!(found("[AC]{2,}", "CAGATCCC"), [0..2, 5..8]);
        assert_eq!(found("[^ACGT]", "AéC N"), [1..3, 4..5, 5..6]);
        assert_eq!(found("[^ACGT]+", "AéC N"), [1..3, 4..6]);
        assert_eq!(found(r"[a-c\n\-]", "ad-\nc"), [0..1, 2..3, 3..4, 4..5]);
        assert_eq!(found(r"\.", "a.b."), [1..2, 3..4]);
        assert_eq!(found(".", "a\nb"), [0..1, 2..3]);
        assert_eq!(found(r"\s+", " a\t\n"), [0..1, 2..4]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for source in [
            "a|b",
            "(N)",
            "^N",
            "N$",
            "N*",
            "N?",
            "N{2}",
            "N{2,3}",
            "[[:alpha:]]",
            "[é]",
            r"\p{L}",
            "NA+",
            "[",
            "[]",
            r"\b",
        ] {
            assert_eq!(Pattern::regex(source), None, "{source}");
        }
    }

    #[test]
    fn a_class_knows_what_it_says_of_other_characters() {
        let others = |source: &str| match Pattern::regex(source) {
            Some(Pattern::Class(class, _)) => class.others,
            other => panic!("{other:?}"),
        };
        assert_eq!(others("[ACGT]"), Others::No);
        assert_eq!(others("[^ACGT]"), Others::Yes);
        assert_eq!(others(r"[\sA]"), Others::Unclear);
        assert_eq!(others(r"[^\s]"), Others::Unclear);
        assert_eq!(others(r"[\s\S]"), Others::Yes);
        assert_eq!(others(r"[\s\w]"), Others::Unclear);
    }
}
