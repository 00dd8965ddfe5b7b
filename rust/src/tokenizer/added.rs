//! Tokens that are found in a text before it is split: special ones, and others that were added to a vocabulary.
//!
//! As Hugging Face does it: those that are not *normalized* are looked for in the raw text, the others in what the
//! normalizer made of the parts between, by their own normalized strings; the leftmost, of several there the longest.
//! A token may take the white space on its left or right with it.
//!
//! One Aho-Corasick automaton for each of the two finds them in one pass, however many there are.
//!
//! Nearly all of them are special tokens such as `[SEP]`, and nearly no text has one: so [`crate::batch`] asks only whether a
//! text has a byte that one starts with, and comes here if it does.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::normalizer::Normalizer;
use super::numbering::Id;
use crate::error::{Error, Result, show_text};

/// A token that was added to a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // they are the file's
pub(super) struct AddedToken {
    /// Its string.
    pub(super) content: String,
    /// Its id.
    pub(super) id: Id,
    /// It takes white space on its left with it.
    pub(super) strips_left: bool,
    /// It takes white space on its right with it.
    pub(super) strips_right: bool,
    /// It is looked for after normalizing.
    pub(super) is_normalized: bool,
    /// The vocabulary of the model has it too.
    pub(super) is_in_vocab: bool,
    /// Its file calls it special, so that decoding may leave it out.
    pub(super) is_special: bool,
}

impl AddedToken {
    /// A special token as this program writes it.
    pub(super) fn special(content: &str, id: Id) -> Self {
        Self {
            content: content.to_owned(),
            id,
            strips_left: false,
            strips_right: false,
            is_normalized: false,
            is_in_vocab: true,
            is_special: true,
        }
    }
}

/// A part of a text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextSection {
    /// Text between tokens.
    Plain(Range<usize>),
    /// A token, and all that it covers: its string, and white space that it takes with it.
    Token(Id, Range<usize>),
}

/// Finds added tokens.
#[derive(Clone, Debug)]
pub(crate) struct AddedTokenFinder {
    /// Those that are looked for in the raw text.
    pub(super) raw: Matcher,
    /// Those that are looked for after normalizing.
    pub(super) normalized: Matcher,
}

impl AddedTokenFinder {
    /// Finds these tokens; the normalizer is that of the text.
    ///
    /// Fails if two of them are looked for by one string, or one by none, and where stripping would depend on the order in
    /// which Hugging Face finds them: white space that one token takes may start another.
    pub(super) fn new(tokens: &[AddedToken], normalizer: &Normalizer) -> Result<Self> {
        let (normalized, raw): (Vec<&AddedToken>, Vec<&AddedToken>) =
            tokens.iter().partition(|token| token.is_normalized);
        let starts_with_space = |token: &AddedToken| token.content.starts_with(char::is_whitespace);
        if tokens.iter().any(|token| token.strips_right) && tokens.iter().any(starts_with_space) {
            return Err(Error::vocabulary(
                "one added token has rstrip and one begins with white space, which genotok does not support together",
            ));
        }
        let normal: Vec<String> =
            normalized.iter().map(|token| normalizer.apply_all(&token.content)).collect();
        Ok(Self {
            raw: Matcher::new(&raw, &raw.iter().map(|token| token.content.clone()).collect::<Vec<_>>())?,
            normalized: Matcher::new(&normalized, &normal)?,
        })
    }
}

/// Finds some tokens in one kind of text.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    /// Finds all strings; nothing if there are none.
    automaton: Option<AhoCorasick>,
    /// The token of each string, by the number of its pattern.
    tokens: Vec<AddedToken>,
}

impl Matcher {
    /// Finds token `i` by string `i`.
    fn new(tokens: &[&AddedToken], strings: &[String]) -> Result<Self> {
        let mut sorted: Vec<&String> = strings.iter().collect();
        sorted.sort_unstable();
        let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        if let Some(wrong) = twice.or_else(|| sorted.first().copied().filter(|string| string.is_empty())) {
            return Err(Error::vocabulary(format!(
                "an added token is looked for as {}, which is empty or stands for another one too",
                show_text(wrong)
            )));
        }
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(strings);
        let automaton = (!strings.is_empty()).then(build).transpose();
        let automaton =
            automaton.map_err(|error| Error::vocabulary(format!("too many special tokens: {error}")))?;
        Ok(Self { automaton, tokens: tokens.iter().map(|&token| token.clone()).collect() })
    }

    /// Whether there is nothing to find.
    pub(super) fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// The parts of a text, in order, none of them empty; together they are the text.
    ///
    /// `done` is the end of the last part: a token takes white space on its left only as far as there, and the automaton
    /// continues behind its string, so that white space taken on the right is not plain text again.
    pub(super) fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = TextSection> + 'a {
        let found = self.automaton.iter().flat_map(move |automaton| automaton.find_iter(text));
        let mut done = 0;
        let tokens = found.flat_map(move |found| {
            let token = &self.tokens[found.pattern().as_usize()];
            let (mut start, mut end) = (found.start(), found.end());
            if token.strips_left {
                start = text[..start].trim_end().len().max(done);
            }
            if token.strips_right {
                end = text.len() - text[end..].trim_start().len();
            }
            let before = (done < start).then_some(TextSection::Plain(done..start));
            done = end;
            before.into_iter().chain([TextSection::Token(token.id, start..end)])
        });
        with_rest(tokens, text.len())
    }
}

/// The parts, and the plain text after the last of them.
fn with_rest(parts: impl Iterator<Item = TextSection>, length: usize) -> impl Iterator<Item = TextSection> {
    let mut end = 0;
    let mut parts = parts.fuse();
    std::iter::from_fn(move || {
        let part = parts.next().or_else(|| (end < length).then_some(TextSection::Plain(end..length)))?;
        end = match &part {
            TextSection::Plain(range) | TextSection::Token(_, range) => range.end,
        };
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(content: &str, id: Id) -> AddedToken {
        AddedToken {
            strips_left: content == "<l>",
            strips_right: content == "<r>",
            ..AddedToken::special(content, id)
        }
    }

    #[test]
    fn parts_cover_the_text() {
        let tokens = [added("<l>", 0), added("<r>", 1), added("<", 2), added("<rr>", 3)];
        let finder = AddedTokenFinder::new(&tokens, &Normalizer::default()).unwrap();
        let parts = |text: &'static str| finder.raw.parts(text).collect::<Vec<_>>();
        assert_eq!(parts(""), []);
        assert_eq!(parts("AC"), [TextSection::Plain(0..2)]);
        assert_eq!(
            parts("A  <l> <r>  <"),
            [
                TextSection::Plain(0..1),
                TextSection::Token(0, 1..6),
                TextSection::Plain(6..7),
                TextSection::Token(1, 7..12),
                TextSection::Token(2, 12..13)
            ]
        );
        assert_eq!(
            parts("<r> <l><rr>"),
            [TextSection::Token(1, 0..4), TextSection::Token(0, 4..7), TextSection::Token(3, 7..11)]
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let finder =
            |tokens: &[AddedToken]| AddedTokenFinder::new(tokens, &Normalizer::default()).map(|_| ());
        assert!(finder(&[added("<r>", 0), added(" x", 1)]).is_err());
        assert!(finder(&[added("x", 0), added("x", 1)]).is_err());
    }
}
