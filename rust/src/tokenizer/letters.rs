//! How the bytes of a text become symbols.
//!
//! All that a supported file says about plain text, its normalizer and pre-tokenizer included, is in one table: for each
//! byte a letter of the alphabet, or one of three things that cut words: [`UNKNOWN`], which becomes the unknown token;
//! [`DROPPED`], white space that vanishes; and [`ALONE`], a character that is a token but that no merge joins. (Special
//! tokens are found in the raw text before.) A character of several bytes is never a letter: it is unknown as a whole,
//! or white space, or a token of its own; in a file that sees bytes, each of its bytes is unknown or a token.
//!
//! What a normalizer does beyond turning letters into letters is done before the table is asked ([`Letters::is_plain`],
//! and [`super::normalizer`]).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::normalizer::Normalizer;
use super::numbering::Id;
use super::splitting::Splitting;
use super::words::{Fate, Words};
use crate::bpe::MAX_SYMBOLS;

/// The symbol of what is outside the alphabet.
#[allow(clippy::cast_possible_truncation)] // it is 32
pub const UNKNOWN: u8 = MAX_SYMBOLS as u8;
/// The symbol of what vanishes.
pub const DROPPED: u8 = UNKNOWN + 1;
/// The symbol of what is a token of its own, whose id the table has beside it.
pub const ALONE: u8 = UNKNOWN + 2;

/// The symbol of each byte: the code of a letter, that is its place in the alphabet, or one of [`UNKNOWN`], [`DROPPED`]
/// and [`ALONE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters {
    /// For bytes of a plain text.
    folded: Table,
    /// For bytes of a text that all steps of the normalizer have been carried out on.
    unfolded: Table,
    /// What a file says of characters beyond the table.
    pub(super) rest: Rest,
    /// Lower-case letters are read as upper-case ones, whatever the file says.
    is_upper_cased: bool,
    /// Bytes of which the table does not say all: what becomes of them depends on what stands beside them.
    unsure: Box<[bool; 256]>,
}

/// The symbols of bytes, and the tokens of those that stand alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    symbols: [u8; 256],
    alone: Box<[Id; 256]>,
}

/// What a file says of text, apart from its letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// What is done before the text is split.
    pub(super) normalizer: Normalizer,
    /// How it is split.
    pub(super) splitting: Splitting,
    /// The characters that are tokens of their own, of those not in the alphabet; in a file that sees bytes, by the
    /// bytes they stand for.
    pub(super) singles: FxHashMap<char, Id>,
    /// The tokens of bytes that unknown characters fall back to.
    pub(super) fallback: Option<Box<[Id; 256]>>,
    /// The letter that unknown characters are read as, where the unknown token is one.
    pub(super) unknown_letter: Option<u8>,
    /// Unknown characters side by side are one.
    pub(super) fuses_unknown: bool,
    /// The words that a text is cut into, in a file that looks them up whole.
    pub(super) words: Option<Arc<Words>>,
}

/// What a character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A letter, by its code.
    Letter(u8),
    /// Nothing known.
    Unknown,
    /// Nothing at all.
    Dropped,
    /// A token of its own.
    Alone(Id),
}

impl Letters {
    /// Each letter of `alphabet` stands for itself, and nothing else is known.
    pub fn new(alphabet: &[u8]) -> Self {
        Self::read(alphabet, Rest::default())
    }

    /// The letters of a file.
    pub(super) fn read(alphabet: &[u8], rest: Rest) -> Self {
        let table = |normalize: &dyn Fn(char) -> char| {
            let mut table = Table { symbols: [UNKNOWN; 256], alone: Box::new([0; 256]) };
            for byte in 0..=255_u8 {
                let symbol = match byte {
                    0..128 => rest.symbol(normalize(byte.into()), alphabet),
                    _ => rest.symbol_of_byte(byte),
                };
                table.symbols[usize::from(byte)] = match symbol {
                    Symbol::Letter(code) => code,
                    Symbol::Unknown => UNKNOWN,
                    Symbol::Dropped => DROPPED,
                    Symbol::Alone(_) => ALONE,
                };
                if let Symbol::Alone(id) = symbol {
                    table.alone[usize::from(byte)] = id;
                }
            }
            table
        };
        let folded = table(&|character| rest.normalizer.folded(character));
        let unfolded = table(&|character| character);
        let unsure = Box::new(std::array::from_fn(|byte| {
            let byte = u8::try_from(byte).unwrap_or(0);
            byte.is_ascii() && rest.is_unsure(rest.normalizer.folded(byte.into()), alphabet)
        }));
        Self { folded, unfolded, rest, is_upper_cased: false, unsure }
    }

    /// Lower-case letters are read as upper-case ones.
    #[must_use]
    pub fn upper_cased(mut self) -> Self {
        for lower in b'a'..=b'z' {
            let upper = usize::from(lower.to_ascii_uppercase());
            let lower = usize::from(lower);
            self.folded.symbols[lower] = self.folded.symbols[upper];
            self.folded.alone[lower] = self.folded.alone[upper];
            self.unsure[lower] = self.unsure[upper];
        }
        self.is_upper_cased = true;
        self
    }

    /// White space, also that outside ASCII, vanishes and cuts words.
    #[must_use]
    pub fn without_white_space(mut self) -> Self {
        for byte in (0..128).filter(|&byte| char::from(byte).is_whitespace()) {
            self.folded.symbols[usize::from(byte)] = DROPPED;
            self.unfolded.symbols[usize::from(byte)] = DROPPED;
        }
        self.rest.splitting = Splitting::new(Splitting::white_space());
        self
    }

    /// Whether the table says all about a text without special tokens: it is ASCII, and the normalizer would only turn
    /// letters into letters.
    pub fn is_plain(&self, text: &str) -> bool {
        text.is_ascii() && self.leaves(text.as_bytes())
    }

    /// Whether the normalizer leaves an ASCII text as it is, apart from turning letters into letters.
    pub(crate) fn leaves(&self, text: &[u8]) -> bool {
        self.leaves_all() || std::str::from_utf8(text).is_ok_and(|text| self.rest.normalizer.leaves(text))
    }

    /// Whether it leaves all ASCII texts so.
    pub(crate) fn leaves_all(&self) -> bool {
        self.rest.normalizer.is_folding()
    }

    /// Whether the table knows nothing but letters, unknown ones and white space, each by itself.
    pub(super) fn is_simple(&self) -> bool {
        !self.rest.fuses_unknown && !self.folded.symbols.contains(&ALONE)
    }

    /// The bytes of which the table does not say all.
    pub(crate) fn unsure_bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let bytes = || (0..=255_u8).filter(|&byte| self.unsure[usize::from(byte)]);
        self.rest.words.iter().flat_map(move |_| bytes())
    }

    /// The symbol of a byte of a plain text. Bytes of longer characters are unknown.
    #[inline]
    pub fn symbol(&self, byte: u8) -> u8 {
        self.folded.symbols[usize::from(byte)]
    }

    /// The symbol of a character of a plain text.
    pub fn symbol_of(&self, character: char) -> u8 {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.symbol(byte),
            _ if self.rest.splitting.drops(character) => DROPPED,
            _ => UNKNOWN,
        }
    }

    /// Whether unknown characters that stand side by side in a word are one unknown token.
    pub fn fuses_unknown(&self) -> bool {
        self.rest.fuses_unknown
    }

    /// Whether a byte stands for a letter of the alphabet.
    #[inline]
    pub fn is_letter(&self, byte: u8) -> bool {
        self.symbol(byte) < UNKNOWN
    }

    /// Whether a byte is unknown only because it is a lower-case letter.
    pub fn is_lower_case(&self, byte: u8) -> bool {
        byte.is_ascii_lowercase() && self.symbol(byte) == UNKNOWN && self.is_letter(byte.to_ascii_uppercase())
    }

    /// Why a text with other characters than ASCII cannot be read exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let words = self.rest.words.as_ref();
        let refusal = self.rest.normalizer.refusal().or_else(|| self.rest.splitting.refusal());
        refusal.or_else(|| words.and_then(|words| words.refusal()))
    }

    /// The symbol of a byte, after the normalizer's head or after all of it.
    pub(super) fn symbol_after(&self, byte: u8, is_folded: bool) -> Symbol {
        let table = if is_folded { &self.folded } else { &self.unfolded };
        match table.symbols[usize::from(byte)] {
            UNKNOWN => Symbol::Unknown,
            DROPPED => Symbol::Dropped,
            ALONE => Symbol::Alone(table.alone[usize::from(byte)]),
            code => Symbol::Letter(code),
        }
    }

    /// The symbols of a character outside ASCII, after the normalizer: one, or one for each of its bytes.
    pub(super) fn symbols_of_other(&self, character: char) -> impl Iterator<Item = Symbol> + '_ {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).len();
        let whole = self.rest.symbol_of_other(character);
        let count = if whole.is_some() { 1 } else { bytes };
        (0..count).map(move |place| whole.unwrap_or_else(|| self.rest.symbol_of_byte(buffer[place])))
    }

    /// Whether the text must be made upper case before the normalizer sees it.
    pub(super) fn is_upper_cased(&self) -> bool {
        self.is_upper_cased
    }
}

impl Rest {
    /// Whether a normalized ASCII character is not what the table says whatever stands beside it.
    fn is_unsure(&self, character: char, alphabet: &[u8]) -> bool {
        let Some(words) = &self.words else { return false };
        let is_letter = alphabet.iter().any(|&letter| char::from(letter) == character);
        let is_other_token = !is_letter && words.ids.contains_key(&*character.encode_utf8(&mut [0; 4]));
        is_other_token || words.fate(character) == Fate::Unsure
    }

    /// What a normalized ASCII character is.
    #[allow(clippy::cast_possible_truncation)] // alphabets have at most 32 letters
    fn symbol(&self, character: char, alphabet: &[u8]) -> Symbol {
        if self.splitting.drops(character) {
            return Symbol::Dropped;
        }
        let code = alphabet.iter().position(|&letter| char::from(letter) == character);
        if let Some(code) = code {
            return Symbol::Letter(code as u8);
        }
        if let Some(&id) = self.singles.get(&character) {
            return Symbol::Alone(id);
        }
        match (&self.fallback, u8::try_from(character)) {
            (Some(ids), Ok(byte)) => Symbol::Alone(ids[usize::from(byte)]),
            _ => self.unknown(),
        }
    }

    fn unknown(&self) -> Symbol {
        self.unknown_letter.map_or(Symbol::Unknown, Symbol::Letter)
    }

    /// What a character outside ASCII is, unless its bytes are asked one by one.
    fn symbol_of_other(&self, character: char) -> Option<Symbol> {
        if self.splitting.drops(character) {
            return Some(Symbol::Dropped);
        }
        if self.splitting.is_by_byte() {
            return None;
        }
        let single = self.singles.get(&character).map(|&id| Symbol::Alone(id));
        single.or_else(|| self.fallback.is_none().then(|| self.unknown()))
    }

    /// What a byte of a longer character is, in a file that sees bytes.
    fn symbol_of_byte(&self, byte: u8) -> Symbol {
        let single = if self.splitting.is_by_byte() { self.singles.get(&char::from(byte)) } else { None };
        let id = single.or_else(|| self.fallback.as_ref().map(|ids| &ids[usize::from(byte)]));
        id.map_or_else(|| self.unknown(), |&id| Symbol::Alone(id))
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_letter_unknown_or_dropped() {
        let letters = Letters::new(b"ACGTN").without_white_space();
        assert_eq!(b"ANa .\xc3".map(|byte| letters.symbol(byte)), [0, 4, UNKNOWN, DROPPED, UNKNOWN, UNKNOWN]);
        assert_eq!(
            ['\u{2003}', 'é', '\n', 'T'].map(|character| letters.symbol_of(character)),
            [DROPPED, UNKNOWN, DROPPED, 3]
        );
        assert!(letters.is_lower_case(b'n') && !letters.is_lower_case(b'x') && !letters.is_letter(b'n'));
        let upper = letters.upper_cased();
        assert!(upper.is_letter(b'n') && !upper.is_lower_case(b'n') && upper.symbol(b'x') == UNKNOWN);
    }
}
