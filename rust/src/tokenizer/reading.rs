//! A text taken apart, exactly as the file says: added tokens, words, and letters that are none.
//!
//! This is the way for every text and every file. Most texts are plain ([`Letters::is_plain`]): for them the table is all
//! there is to it, and [`crate::batch`] goes through many at a time.

use std::borrow::Cow;
use std::ops::Range;

use super::added::{Added, Finder, Part};
use super::letters::{Letters, Symbol};
use super::normalizer::{Normalized, Trace};
use super::numbering::Id;
use super::template::Template;
use crate::error::{Error, Result};

/// How a text is read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// What each byte is.
    pub(super) letters: Letters,
    /// The added tokens, special ones nearly always, in order of id.
    pub(super) added: Vec<Added>,
    /// The strings and ids of tokens that are neither added nor of the scheme.
    pub(super) others: Vec<(String, Id)>,
    /// The id of unknown letters; without one they are an error.
    pub(super) unknown: Option<Id>,
    /// What the file puts around a sequence, if it says so.
    pub(super) template: Option<Template>,
}

/// A part of a text. Ranges are bytes of the text.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// A maximal run of letters.
    Word(&'a Word),
    /// An added token, or a character that is a token of its own.
    Token(Id, Range<usize>),
    /// A letter that is unknown, or several that are one.
    Unknown(Range<usize>),
}

/// A maximal run of letters.
#[derive(Debug, Default)]
pub(crate) struct Word {
    /// Their codes.
    pub(crate) codes: Vec<u8>,
    /// Where each begins, and the last ends, in the normalized section.
    bounds: Vec<usize>,
    /// Where the section begins in the text.
    section: usize,
    trace: Trace,
}

impl Word {
    /// Where the letters `range`, which is not empty, stood in the text.
    pub(crate) fn origin(&self, range: Range<usize>) -> Range<usize> {
        place(self.section, &self.trace, self.bounds[range.start]..self.bounds[range.end])
    }
}

/// Where bytes of a normalized section stood in the text.
fn place(section: usize, trace: &Trace, range: Range<usize>) -> Range<usize> {
    let Range { start, end } = trace.origin(range);
    section + start..section + end
}

/// Takes `text` apart: tokens of `finder`, and between them what `letters` say.
pub(crate) fn pieces(
    text: &str,
    letters: &Letters,
    finder: &Finder,
    take: &mut impl FnMut(Piece<'_>) -> Result<()>,
) -> Result<()> {
    let mut walker = Walker { letters, word: Word::default(), unknown: None, take };
    for part in finder.raw.parts(text) {
        match part {
            Part::Token(id, range) => (walker.take)(Piece::Token(id, range))?,
            Part::Plain(range) => walker.section(text, range, finder)?,
        }
    }
    Ok(())
}

/// Turns ranges of bytes into ranges of characters; each range must not begin before the last one.
pub(crate) struct Characters<'t> {
    text: &'t str,
    is_ascii: bool,
    /// Bytes and characters counted so far.
    counted: (usize, usize),
}

impl<'t> Characters<'t> {
    /// Those of a text.
    pub(crate) fn of(text: &'t str) -> Self {
        Self { text, is_ascii: text.is_ascii(), counted: (0, 0) }
    }

    /// A range of bytes in characters.
    pub(crate) fn range(&mut self, range: &Range<usize>) -> Range<usize> {
        if self.is_ascii {
            return range.clone();
        }
        let count = |from: usize, to: usize| self.text[from..to].chars().count();
        let start = match range.start.checked_sub(self.counted.0) {
            Some(_) => self.counted.1 + count(self.counted.0, range.start),
            None => count(0, range.start),
        };
        self.counted = (range.start, start);
        start..start + count(range.start, range.end)
    }
}

/// Fails at the first character outside ASCII if what becomes of it is not certain.
fn check_others(text: &str, section: &Range<usize>, letters: &Letters) -> Result<()> {
    let found = text[section.clone()].find(|character: char| !character.is_ascii());
    let (Some(at), Some(reason)) = (found, letters.refusal()) else { return Ok(()) };
    let at = section.start + at;
    Err(Error::Symbol {
        file: None,
        line: None,
        record: "sequence".to_owned(),
        position: text[..at].chars().count() as u64,
        byte: text.as_bytes()[at],
        reason: format!("begins a character outside ASCII, which {reason}; genotok cannot tell"),
    })
}

/// Goes through sections of a text.
struct Walker<'a, T> {
    letters: &'a Letters,
    word: Word,
    /// An unknown letter that another may join.
    unknown: Option<Range<usize>>,
    take: &'a mut T,
}

impl<T: FnMut(Piece<'_>) -> Result<()>> Walker<'_, T> {
    /// A part of `text` without tokens that are found in raw text.
    fn section(&mut self, text: &str, section: Range<usize>, finder: &Finder) -> Result<()> {
        check_others(text, &section, self.letters)?;
        let raw = &text[section.clone()];
        let is_by_table = self.letters.rest.words.is_none() && self.letters.is_plain(raw);
        let upper = if self.letters.is_upper_cased() && !is_by_table {
            Cow::Owned(raw.to_ascii_uppercase())
        } else {
            Cow::Borrowed(raw)
        };
        let Normalized { text: normal, is_folded, trace } = self.letters.rest.normalizer.apply(&upper);
        self.word.section = section.start;
        self.word.trace = trace;
        for part in finder.normalized.parts(&normal) {
            match part {
                Part::Plain(range) => self.stretch(&normal, range, is_folded)?,
                Part::Token(id, range) => {
                    let range = place(section.start, &self.word.trace, range);
                    (self.take)(Piece::Token(id, range))?;
                }
            }
        }
        Ok(())
    }

    /// A part of a normalized section without any tokens.
    fn stretch(&mut self, normal: &str, range: Range<usize>, is_folded: bool) -> Result<()> {
        if self.letters.rest.words.is_some() {
            return self.words(&normal[range.clone()], range.start, is_folded);
        }
        let mut at = range.start;
        while let Some(character) = normal[at..range.end].chars().next() {
            let end = at + character.len_utf8();
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => {
                    self.symbol(self.letters.symbol_after(byte, is_folded), at..end)?;
                }
                _ => {
                    for symbol in self.letters.symbols_of_other(character) {
                        self.symbol(symbol, at..end)?;
                    }
                }
            }
            at = end;
        }
        self.end_word()
    }

    /// The same in a file that looks words up whole; the part begins at `start` of the section.
    fn words(&mut self, part: &str, start: usize, is_folded: bool) -> Result<()> {
        let Self { letters, word, take, .. } = self;
        let Some(words) = &letters.rest.words else { return Ok(()) };
        let part = if is_folded { letters.rest.normalizer.fold(part) } else { Cow::Borrowed(part) };
        words.pieces(&part, &mut |id, piece| {
            let range = place(word.section, &word.trace, start + piece.start..start + piece.end);
            take(id.map_or(Piece::Unknown(range.clone()), |id| Piece::Token(id, range)))
        })
    }

    /// What stands at `range` of the normalized section.
    fn symbol(&mut self, symbol: Symbol, range: Range<usize>) -> Result<()> {
        if let Symbol::Letter(code) = symbol {
            self.end_unknown()?;
            if self.word.codes.is_empty() {
                self.word.bounds.push(range.start);
            }
            self.word.codes.push(code);
            self.word.bounds.push(range.end);
            return Ok(());
        }
        if !self.word.codes.is_empty() {
            self.end_word()?;
        }
        let range = place(self.word.section, &self.word.trace, range);
        match symbol {
            Symbol::Unknown if self.letters.fuses_unknown() && self.unknown.is_some() => {
                self.unknown.iter_mut().for_each(|unknown| unknown.end = range.end);
                Ok(())
            }
            Symbol::Unknown => {
                self.end_unknown()?;
                self.unknown = Some(range);
                Ok(())
            }
            Symbol::Dropped | Symbol::Letter(_) => self.end_unknown(),
            Symbol::Alone(id) => {
                self.end_unknown()?;
                (self.take)(Piece::Token(id, range))
            }
        }
    }

    fn end_unknown(&mut self) -> Result<()> {
        self.unknown.take().map_or(Ok(()), |range| (self.take)(Piece::Unknown(range)))
    }

    fn end_word(&mut self) -> Result<()> {
        self.end_unknown()?;
        if !self.word.codes.is_empty() {
            (self.take)(Piece::Word(&self.word))?;
            self.word.codes.clear();
            self.word.bounds.clear();
        }
        Ok(())
    }
}
