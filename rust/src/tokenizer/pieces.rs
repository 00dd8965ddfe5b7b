//! A text taken apart, exactly as the file says: added tokens, words, and characters that are neither.
//!
//! This is the way for every text and every file. Most texts are plain ([`SymbolTable::is_plain`]): for them the table is all
//! there is to it, and [`crate::batch`] goes through many at a time.
//!
//! # Sections, stretches, pieces
//!
//! Added tokens that are found in the raw text divide it into *sections*. Each section is normalized by itself, as Hugging
//! Face does it; added tokens that are found after that divide it into *stretches*; each character of a stretch is looked up
//! in the table. What comes out are *pieces*. All positions of a section are those of its normalized form, until a piece is
//! handed out: then the [`Trace`] says where it stood in the text.
//!
//! ```text
//! text      ACGN-TT[SEP]acg
//! sections  ACGN-TT        | acg              [SEP] is an added token
//! pieces    ACG  N  -  TT  [SEP]  acg         two words, two unknown characters, a token, a word
//! ```

use std::borrow::Cow;
use std::ops::Range;

use super::added::{AddedToken, AddedTokenFinder, TextSection};
use super::normalizer::{Normalized, Trace};
use super::numbering::Id;
use super::refusal::refused_symbol;
use super::symbols::{CharacterKind, SymbolTable};
use super::template::Template;
use crate::error::Result;

/// How a text is read, and the tokens that are not the model's.
#[derive(Clone, Debug)]
pub(super) struct TextRules {
    /// What each byte is.
    pub(super) symbols: SymbolTable,
    /// The added tokens, special ones nearly always, in order of id.
    pub(super) added: Vec<AddedToken>,
    /// The strings and ids of tokens that are neither added nor of the model.
    pub(super) others: Vec<(String, Id)>,
    /// The id of unknown symbols; without one they are an error.
    pub(super) unknown: Option<Id>,
    /// What the file puts around a sequence, if it says so.
    pub(super) template: Option<Template>,
}

/// A piece of a text. Ranges are bytes of the text, as it was before normalizing.
#[derive(Debug)]
pub(crate) enum TextPiece<'a> {
    /// A maximal run of symbols of the alphabet, to be encoded.
    Word(&'a CodedWord),
    /// An added token, or a character that is a token of its own.
    Token(Id, Range<usize>),
    /// A character that is unknown, or several that are one.
    Unknown(Range<usize>),
}

/// A maximal run of symbols of the alphabet; one for all words of a text, emptied after each.
#[derive(Debug, Default)]
pub(crate) struct CodedWord {
    /// Their codes.
    pub(crate) codes: Vec<u8>,
    /// Where each starts, and the last ends, in the normalized section: one more than `codes`, or none.
    bounds: Vec<usize>,
    /// Where the section starts in the text, in bytes.
    section: usize,
    /// Where the bytes of the normalized section stood in the section.
    trace: Trace,
}

impl CodedWord {
    /// Where the symbols `range`, which is not empty, stood in the text, in bytes.
    pub(crate) fn origin(&self, range: Range<usize>) -> Range<usize> {
        place(self.section, &self.trace, self.bounds[range.start]..self.bounds[range.end])
    }
}

/// Where bytes of a normalized section stood in the text.
fn place(section: usize, trace: &Trace, range: Range<usize>) -> Range<usize> {
    let Range { start, end } = trace.origin(range);
    section + start..section + end
}

/// Takes `text` apart: tokens of `finder`, and between them what `symbols` say. Pieces come in the order of the text.
///
/// Linear in the length of the text, for each step of the normalizer.
pub(crate) fn take_apart(
    text: &str,
    symbols: &SymbolTable,
    finder: &AddedTokenFinder,
    take: &mut impl FnMut(TextPiece<'_>) -> Result<()>,
) -> Result<()> {
    let mut walker = Walker { symbols, word: CodedWord::default(), unknown: None, take };
    for part in finder.raw.parts(text) {
        match part {
            TextSection::Token(id, range) => (walker.take)(TextPiece::Token(id, range))?,
            TextSection::Plain(range) => walker.section(text, range, finder)?,
        }
    }
    Ok(())
}

/// Turns ranges of bytes into ranges of characters.
///
/// Linear over all calls while starts do not fall; a range that starts before the last one is counted from the text's start.
pub(crate) struct CharacterRanges<'t> {
    text: &'t str,
    is_ascii: bool,
    /// The start of the last range: in bytes, and in characters.
    counted: (usize, usize),
}

impl<'t> CharacterRanges<'t> {
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
fn check_others(text: &str, section: &Range<usize>, symbols: &SymbolTable) -> Result<()> {
    let found = text[section.clone()].find(|character: char| !character.is_ascii());
    let (Some(at), Some(reason)) = (found, symbols.refusal()) else { return Ok(()) };
    let at = section.start + at;
    let reason = format!("begins a character outside ASCII, which {reason}; genotok cannot tell");
    Err(refused_symbol("sequence", text[..at].chars().count(), text.as_bytes()[at], reason))
}

/// Goes through the sections of a text.
///
/// At most one of the two is pending: a word that may grow, or an unknown character that may join others. Whatever else
/// comes ends both first ([`Self::end_word`], [`Self::end_unknown`]), so pieces are handed out in order.
struct Walker<'a, T> {
    symbols: &'a SymbolTable,
    word: CodedWord,
    /// Unknown characters that others may join, as a range of the text.
    unknown: Option<Range<usize>>,
    take: &'a mut T,
}

impl<T: FnMut(TextPiece<'_>) -> Result<()>> Walker<'_, T> {
    /// A part of `text` without tokens that are found in raw text. Where the table is the whole truth it also does the
    /// upper-casing; elsewhere the text itself is made upper case first, since normalizer and words must see it so.
    fn section(&mut self, text: &str, section: Range<usize>, finder: &AddedTokenFinder) -> Result<()> {
        check_others(text, &section, self.symbols)?;
        let raw = &text[section.clone()];
        let is_by_table = self.symbols.rules.words.is_none() && self.symbols.is_plain(raw);
        let upper = if self.symbols.is_upper_cased() && !is_by_table {
            Cow::Owned(raw.to_ascii_uppercase())
        } else {
            Cow::Borrowed(raw)
        };
        let Normalized { text: normal, is_folded, trace } = self.symbols.rules.normalizer.apply(&upper);
        self.word.section = section.start;
        self.word.trace = trace;
        for part in finder.normalized.parts(&normal) {
            match part {
                TextSection::Plain(range) => self.stretch(&normal, range, is_folded)?,
                TextSection::Token(id, range) => {
                    let range = place(section.start, &self.word.trace, range);
                    (self.take)(TextPiece::Token(id, range))?;
                }
            }
        }
        Ok(())
    }

    /// A part of a normalized section without added tokens. Words do not reach over its ends.
    fn stretch(&mut self, normal: &str, range: Range<usize>, is_folded: bool) -> Result<()> {
        if self.symbols.rules.words.is_some() {
            return self.words(&normal[range.clone()], range.start, is_folded);
        }
        let mut at = range.start;
        while let Some(character) = normal[at..range.end].chars().next() {
            let end = at + character.len_utf8();
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => {
                    self.character(self.symbols.kind_after(byte, is_folded), at..end)?;
                }
                _ => {
                    for kind in self.symbols.kinds_of_other(character) {
                        self.character(kind, at..end)?;
                    }
                }
            }
            at = end;
        }
        self.end_word()
    }

    /// The same in a file that looks words up whole; the part starts at `start` of the section.
    fn words(&mut self, part: &str, start: usize, is_folded: bool) -> Result<()> {
        let Self { symbols, word, take, .. } = self;
        let Some(words) = &symbols.rules.words else { return Ok(()) };
        let part = if is_folded { symbols.rules.normalizer.fold(part) } else { Cow::Borrowed(part) };
        words.pieces(&part, &mut |id, piece| {
            let range = place(word.section, &word.trace, start + piece.start..start + piece.end);
            take(id.map_or(TextPiece::Unknown(range.clone()), |id| TextPiece::Token(id, range)))
        })
    }

    /// What stands at `range` of the normalized section.
    fn character(&mut self, kind: CharacterKind, range: Range<usize>) -> Result<()> {
        if let CharacterKind::Known(code) = kind {
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
        match kind {
            CharacterKind::Unknown if self.symbols.fuses_unknown() && self.unknown.is_some() => {
                self.unknown.iter_mut().for_each(|unknown| unknown.end = range.end);
                Ok(())
            }
            CharacterKind::Unknown => {
                self.end_unknown()?;
                self.unknown = Some(range);
                Ok(())
            }
            CharacterKind::Dropped | CharacterKind::Known(_) => self.end_unknown(),
            CharacterKind::Alone(id) => {
                self.end_unknown()?;
                (self.take)(TextPiece::Token(id, range))
            }
        }
    }

    /// Hands out the unknown characters that are pending, as one piece.
    fn end_unknown(&mut self) -> Result<()> {
        self.unknown.take().map_or(Ok(()), |range| (self.take)(TextPiece::Unknown(range)))
    }

    /// Hands out what is pending.
    fn end_word(&mut self) -> Result<()> {
        self.end_unknown()?;
        if !self.word.codes.is_empty() {
            (self.take)(TextPiece::Word(&self.word))?;
            self.word.codes.clear();
            self.word.bounds.clear();
        }
        Ok(())
    }
}
