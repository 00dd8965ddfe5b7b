//! How the bytes of a text become symbols.
//!
//! All that a supported file says about plain text, its normalizer and pre-tokenizer included, is in one table: for each
//! byte a letter of the alphabet, or one of two things that cut words: [`UNKNOWN`], which becomes the unknown token,
//! and [`DROPPED`], white space that vanishes. (Special tokens are found in the raw text before.) A character of several
//! bytes is never a letter: it is unknown as a whole, or white space.

use crate::bpe::MAX_LETTERS;

/// The symbol of what is outside the alphabet.
#[allow(clippy::cast_possible_truncation)] // it is 32
pub const UNKNOWN: u8 = MAX_LETTERS as u8;
/// The symbol of what vanishes.
pub const DROPPED: u8 = UNKNOWN + 1;

/// The symbol of each byte: the code of a letter, that is its place in the alphabet, or [`UNKNOWN`] or [`DROPPED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters {
    symbols: [u8; 256],
    drops_white_space: bool,
}

impl Letters {
    /// Each letter of `alphabet` stands for itself, and nothing else is known.
    pub fn new(alphabet: &[u8]) -> Self {
        let mut symbols = [UNKNOWN; 256];
        for (&letter, code) in alphabet.iter().zip(0..) {
            symbols[usize::from(letter)] = code;
        }
        Self { symbols, drops_white_space: false }
    }

    /// Lower-case letters are read as upper-case ones.
    #[must_use]
    pub fn upper_cased(mut self) -> Self {
        for letter in b'a'..=b'z' {
            self.symbols[usize::from(letter)] = self.symbols[usize::from(letter.to_ascii_uppercase())];
        }
        self
    }

    /// White space, also that outside ASCII, vanishes and cuts words.
    #[must_use]
    pub fn without_white_space(mut self) -> Self {
        for byte in (0..128).filter(|&byte| char::from(byte).is_whitespace()) {
            self.symbols[usize::from(byte)] = DROPPED;
        }
        self.drops_white_space = true;
        self
    }

    /// The symbol of a byte. Bytes of longer characters are unknown.
    #[inline]
    pub fn symbol(&self, byte: u8) -> u8 {
        self.symbols[usize::from(byte)]
    }

    /// The symbol of a character.
    pub fn symbol_of(&self, character: char) -> u8 {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.symbol(byte),
            _ if self.drops_white_space && character.is_whitespace() => DROPPED,
            _ => UNKNOWN,
        }
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

    /// Whether white space outside ASCII vanishes too.
    pub fn drops_white_space(&self) -> bool {
        self.drops_white_space
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
