//! What the bytes of a text are to a model.
//!
//! All that a supported file says about plain text, its normalizer and pre-tokenizer included, is in one table: for each
//! byte the code of a symbol of the alphabet, or one of three things that cut words: [`UNKNOWN`], which becomes the unknown
//! token; [`DROPPED`], white space that vanishes; and [`ALONE`], a character that is a token but that no merge joins. (Added
//! tokens are found in the raw text before.) A character of several bytes is never in the alphabet: it is unknown as a
//! whole, or white space, or a token of its own; in a file that sees bytes, each of its bytes is unknown or a token.
//!
//! What a normalizer does beyond turning one ASCII character into another is done before the table is asked
//! ([`SymbolTable::is_plain`], and [`super::normalizer`]). So there are two tables: one for text as it was given, into which
//! the last steps of the normalizer are *folded*, and one for text that all steps have been carried out on.
//!
//! For a file of ours, with the alphabet A, C, G, T and an upper-casing normalizer:
//!
//! ```text
//! byte      A  C  G  T  a  c  g  t  N   space  0xc3
//! folded    0  1  2  3  0  1  2  3  32  32     32       32 is UNKNOWN
//! unfolded  0  1  2  3  32 32 32 32 32  32     32       after a text with é went through the normalizer
//! ```

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::normalizer::Normalizer;
use super::numbering::Id;
use super::splitting::Splitting;
use super::words::{Fate, WordLookup};
use crate::bpe::MAX_SYMBOLS;

/// The code of what is outside the alphabet; those of the alphabet are below it.
#[allow(clippy::cast_possible_truncation)] // it is 32
pub const UNKNOWN: u8 = MAX_SYMBOLS as u8;
/// The code of what vanishes.
pub const DROPPED: u8 = UNKNOWN + 1;
/// The code of what is a token of its own, whose id the table has beside it.
pub const ALONE: u8 = UNKNOWN + 2;

/// The code of each byte: that of a symbol, its place in the alphabet, or one of [`UNKNOWN`], [`DROPPED`] and [`ALONE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolTable {
    /// For bytes of a plain text.
    folded: Table,
    /// For bytes of a text that all steps of the normalizer have been carried out on.
    unfolded: Table,
    /// What a file says of characters beyond the table.
    pub(super) rules: FileRules,
    /// Lower-case symbols are read as upper-case ones, whatever the file says: in the table, and before the normalizer.
    is_upper_cased: bool,
    /// Bytes of which the table does not say all: what becomes of them depends on what stands beside them. Only a file that
    /// looks words up has any.
    unsure: Box<[bool; 256]>,
}

/// The codes of bytes, and the tokens of those that stand alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    codes: [u8; 256],
    alone: Box<[Id; 256]>,
}

/// What a file says of text, apart from its alphabet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileRules {
    /// What is done before the text is split.
    pub(super) normalizer: Normalizer,
    /// How it is split.
    pub(super) splitting: Splitting,
    /// The characters that are tokens of their own, of those not in the alphabet; in a file that sees bytes, by the
    /// bytes they stand for.
    pub(super) singles: FxHashMap<char, Id>,
    /// The tokens of bytes that unknown characters fall back to.
    pub(super) fallback: Option<Box<[Id; 256]>>,
    /// The code that unknown characters are read as, where the unknown token is a symbol that merges join.
    pub(super) unknown_code: Option<u8>,
    /// Neighbouring unknown characters are one.
    pub(super) fuses_unknown: bool,
    /// The words that a text is cut into, in a file that looks them up whole.
    pub(super) words: Option<Arc<WordLookup>>,
}

/// What a character is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CharacterKind {
    /// A symbol of the alphabet, by its code.
    Known(u8),
    /// Outside the vocabulary.
    Unknown,
    /// White space that vanishes.
    Dropped,
    /// A token of its own.
    Alone(Id),
}

impl SymbolTable {
    /// Each symbol of `alphabet` stands for itself, and nothing else is known. At most 32 symbols, all ASCII.
    pub fn new(alphabet: &[u8]) -> Self {
        Self::read(alphabet, FileRules::default())
    }

    /// The table of a file: each byte is taken through the folded steps, then looked up in what the file says.
    pub(super) fn read(alphabet: &[u8], rules: FileRules) -> Self {
        let table = |normalize: &dyn Fn(char) -> char| {
            let mut table = Table { codes: [UNKNOWN; 256], alone: Box::new([0; 256]) };
            for byte in 0..=255_u8 {
                let kind = match byte {
                    0..128 => rules.kind_of_ascii(normalize(byte.into()), alphabet),
                    _ => rules.kind_of_byte(byte),
                };
                table.codes[usize::from(byte)] = match kind {
                    CharacterKind::Known(code) => code,
                    CharacterKind::Unknown => UNKNOWN,
                    CharacterKind::Dropped => DROPPED,
                    CharacterKind::Alone(_) => ALONE,
                };
                if let CharacterKind::Alone(id) = kind {
                    table.alone[usize::from(byte)] = id;
                }
            }
            table
        };
        let folded = table(&|character| rules.normalizer.folded(character));
        let unfolded = table(&|character| character);
        let unsure = Box::new(std::array::from_fn(|byte| {
            let byte = u8::try_from(byte).unwrap_or(0);
            byte.is_ascii() && rules.is_unsure(rules.normalizer.folded(byte.into()), alphabet)
        }));
        Self { folded, unfolded, rules, is_upper_cased: false, unsure }
    }

    /// Lower-case symbols are read as upper-case ones.
    #[must_use]
    pub fn upper_cased(mut self) -> Self {
        for lower in b'a'..=b'z' {
            let upper = usize::from(lower.to_ascii_uppercase());
            let lower = usize::from(lower);
            self.folded.codes[lower] = self.folded.codes[upper];
            self.folded.alone[lower] = self.folded.alone[upper];
            self.unsure[lower] = self.unsure[upper];
        }
        self.is_upper_cased = true;
        self
    }

    /// Whether the table says all about a text without added tokens: it is ASCII, and the normalizer would only turn
    /// characters into characters. Linear, unless the normalizer never does anything else.
    pub fn is_plain(&self, text: &str) -> bool {
        text.is_ascii() && self.leaves(text.as_bytes())
    }

    /// Whether the normalizer leaves an ASCII text as it is, apart from the folded steps.
    pub(crate) fn leaves(&self, text: &[u8]) -> bool {
        self.leaves_all() || std::str::from_utf8(text).is_ok_and(|text| self.rules.normalizer.leaves(text))
    }

    /// Whether it leaves all ASCII texts so, because every step is folded.
    pub(crate) fn leaves_all(&self) -> bool {
        self.rules.normalizer.is_folding()
    }

    /// Whether the table knows nothing but symbols, unknown ones and white space, each by itself: what an automaton with
    /// marks can tell.
    pub(super) fn is_simple(&self) -> bool {
        !self.rules.fuses_unknown && !self.folded.codes.contains(&ALONE)
    }

    /// The bytes of which the table does not say all.
    pub(crate) fn unsure_bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let bytes = || (0..=255_u8).filter(|&byte| self.unsure[usize::from(byte)]);
        self.rules.words.iter().flat_map(move |_| bytes())
    }

    /// The code of a byte of a plain text. Bytes of longer characters are unknown, in most files.
    #[inline]
    pub fn code(&self, byte: u8) -> u8 {
        self.folded.codes[usize::from(byte)]
    }

    /// The code of a character of a plain text.
    pub fn code_of(&self, character: char) -> u8 {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.code(byte),
            _ if self.rules.splitting.drops(character) => DROPPED,
            _ => UNKNOWN,
        }
    }

    /// Whether neighbouring unknown characters are one unknown token.
    pub fn fuses_unknown(&self) -> bool {
        self.rules.fuses_unknown
    }

    /// Whether a byte stands for a symbol of the alphabet.
    #[inline]
    pub fn is_known(&self, byte: u8) -> bool {
        self.code(byte) < UNKNOWN
    }

    /// Whether a byte is unknown only because it is a lower-case symbol.
    pub fn is_lower_case(&self, byte: u8) -> bool {
        byte.is_ascii_lowercase() && self.code(byte) == UNKNOWN && self.is_known(byte.to_ascii_uppercase())
    }

    /// Why a text with other characters than ASCII cannot be read exactly, if so.
    pub(super) fn refusal(&self) -> Option<String> {
        let words = self.rules.words.as_ref();
        let refusal = self.rules.normalizer.refusal().or_else(|| self.rules.splitting.refusal());
        refusal.or_else(|| words.and_then(|words| words.refusal()))
    }

    /// What an ASCII byte is, after the normalizer's head (`is_folded`) or after all of it.
    pub(super) fn kind_after(&self, byte: u8, is_folded: bool) -> CharacterKind {
        let table = if is_folded { &self.folded } else { &self.unfolded };
        match table.codes[usize::from(byte)] {
            UNKNOWN => CharacterKind::Unknown,
            DROPPED => CharacterKind::Dropped,
            ALONE => CharacterKind::Alone(table.alone[usize::from(byte)]),
            code => CharacterKind::Known(code),
        }
    }

    /// What a character outside ASCII is, after the normalizer: one thing, or one for each of its bytes.
    pub(super) fn kinds_of_other(&self, character: char) -> impl Iterator<Item = CharacterKind> + '_ {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).len();
        let whole = self.rules.kind_of_other(character);
        let count = if whole.is_some() { 1 } else { bytes };
        (0..count).map(move |place| whole.unwrap_or_else(|| self.rules.kind_of_byte(buffer[place])))
    }

    /// Whether the text must be made upper case before the normalizer sees it.
    pub(super) fn is_upper_cased(&self) -> bool {
        self.is_upper_cased
    }
}

impl FileRules {
    /// Whether a normalized ASCII character is not what the table says whatever stands beside it.
    fn is_unsure(&self, character: char, alphabet: &[u8]) -> bool {
        let Some(words) = &self.words else { return false };
        let is_symbol = alphabet.iter().any(|&symbol| char::from(symbol) == character);
        let is_other_token = !is_symbol && words.ids.contains_key(&*character.encode_utf8(&mut [0; 4]));
        is_other_token || words.fate(character) == Fate::Unsure
    }

    /// What a normalized ASCII character is. The order says what wins: vanishing, the alphabet, a token of its own, the
    /// token of its byte, unknown.
    #[allow(clippy::cast_possible_truncation)] // alphabets have at most 32 symbols
    fn kind_of_ascii(&self, character: char, alphabet: &[u8]) -> CharacterKind {
        if self.splitting.drops(character) {
            return CharacterKind::Dropped;
        }
        let code = alphabet.iter().position(|&symbol| char::from(symbol) == character);
        if let Some(code) = code {
            return CharacterKind::Known(code as u8);
        }
        if let Some(&id) = self.singles.get(&character) {
            return CharacterKind::Alone(id);
        }
        match (&self.fallback, u8::try_from(character)) {
            (Some(ids), Ok(byte)) => CharacterKind::Alone(ids[usize::from(byte)]),
            _ => self.unknown(),
        }
    }

    fn unknown(&self) -> CharacterKind {
        self.unknown_code.map_or(CharacterKind::Unknown, CharacterKind::Known)
    }

    /// What a character outside ASCII is, unless its bytes are asked one by one.
    fn kind_of_other(&self, character: char) -> Option<CharacterKind> {
        if self.splitting.drops(character) {
            return Some(CharacterKind::Dropped);
        }
        if self.splitting.is_by_byte() {
            return None;
        }
        let single = self.singles.get(&character).map(|&id| CharacterKind::Alone(id));
        single.or_else(|| self.fallback.is_none().then(|| self.unknown()))
    }

    /// What a byte of a longer character is, in a file that sees bytes.
    fn kind_of_byte(&self, byte: u8) -> CharacterKind {
        let single = if self.splitting.is_by_byte() { self.singles.get(&char::from(byte)) } else { None };
        let id = single.or_else(|| self.fallback.as_ref().map(|ids| &ids[usize::from(byte)]));
        id.map_or_else(|| self.unknown(), |&id| CharacterKind::Alone(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_symbol_unknown_or_dropped() {
        let splitting = Splitting::new(Splitting::white_space());
        let symbols = SymbolTable::read(b"ACGTN", FileRules { splitting, ..FileRules::default() });
        assert_eq!(b"ANa .\xc3".map(|byte| symbols.code(byte)), [0, 4, UNKNOWN, DROPPED, UNKNOWN, UNKNOWN]);
        assert_eq!(
            ['\u{2003}', 'é', '\n', 'T'].map(|character| symbols.code_of(character)),
            [DROPPED, UNKNOWN, DROPPED, 3]
        );
        assert!(symbols.is_lower_case(b'n') && !symbols.is_lower_case(b'x') && !symbols.is_known(b'n'));
        let upper = symbols.upper_cased();
        assert!(upper.is_known(b'n') && !upper.is_lower_case(b'n') && upper.code(b'x') == UNKNOWN);
    }
}
