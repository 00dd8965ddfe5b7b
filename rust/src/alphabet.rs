//! Bytes of a sequence file and the four bases they stand for.
//!
//! # Codes
//!
//! A base is a number below four, in the order of its letter: A 0, C 1, G 2, T 3. Two properties follow and are used:
//! comparing codes compares letters, and the complement is `3 - code`, which for two bits is `code ^ 3`; a whole word
//! of packed bases is complemented by one `not`.
//!
//! # Case
//!
//! Lower case is *soft masking*: the assembler marks repeats so, and the base is as certain as any other. Every table
//! here therefore treats `a` and `A` alike. Whoever must keep the difference has to look at the letters themselves.
//!
//! # What is not a base
//!
//! A vocabulary over four bases has no letter for "unknown", so every other symbol ends a run of bases; none is
//! replaced by a guess. They are told apart only to be counted and named, by [`LetterKind`]:
//!
//! - `N`: any base, the filling of assembly gaps, up to millions in a row;
//! - the ten ambiguity codes of IUPAC-IUB (1984): `R Y S W K M B D H V`;
//! - gaps of an alignment: `-` and `.`;
//! - `U`, uracil: RNA. It is *not* read as T: whether a file of RNA belongs into a DNA vocabulary is for the user to say;
//! - the letters that only proteins use: `E F I J L O P Q X Z` and `*` (stop). No nucleotide file holds them, so meeting
//!   one says that the wrong file was given. `X`, in some old nucleotide files the mask of vector sequence, counts as
//!   protein: IUPAC gives it no nucleotide meaning;
//! - everything else is no letter of a sequence at all, and `fasta` refuses it before it gets here.

/// What [`CODES`] says of a byte that is none of A, C, G, T in either case.
pub const NOT_A_BASE: u8 = 4;

/// The letter of each base code.
pub const LETTERS: [u8; 4] = *b"ACGT";

/// The base code of each byte: A or a 0, C or c 1, G or g 2, T or t 3, [`NOT_A_BASE`] for any other.
pub const CODES: [u8; 256] = codes();

/// The kind of each byte.
const KINDS: [LetterKind; 256] = kinds();

const fn codes() -> [u8; 256] {
    let mut table = [NOT_A_BASE; 256];
    let mut code: u8 = 0;
    while code < 4 {
        let letter = LETTERS[code as usize];
        table[letter as usize] = code;
        table[letter.to_ascii_lowercase() as usize] = code;
        code += 1;
    }
    table
}

/// The code of the base that pairs with `code`: A with T, C with G.
#[inline]
pub const fn complement(code: u8) -> u8 {
    debug_assert!(code < 4, "not a base code");
    code ^ 3
}

/// What a byte of a sequence stands for, whatever its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LetterKind {
    /// A, C, G or T.
    Base,
    /// N: any base.
    AnyBase,
    /// R, Y, S, W, K, M, B, D, H or V: one of two or three bases.
    Ambiguity,
    /// `-` or `.`: a gap in an alignment.
    Gap,
    /// U: uracil, the T of RNA.
    Uracil,
    /// E, F, I, J, L, O, P, Q, X, Z or `*`: in use for proteins only.
    AminoAcid,
    /// No letter of any sequence.
    Other,
}

impl LetterKind {
    /// The kinds that cut a word and are counted, in the order in which reports name them.
    pub const SKIPPED: [Self; 4] = [Self::AnyBase, Self::Ambiguity, Self::Gap, Self::Uracil];

    /// The name under which letters of this kind are counted and reported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "bases",
            Self::AnyBase => "N",
            Self::Ambiguity => "ambiguity codes",
            Self::Gap => "gaps",
            Self::Uracil => "uracil",
            Self::AminoAcid => "amino acids",
            Self::Other => "other bytes",
        }
    }
}

/// Whether `byte` is A, C, G or T, in either case.
#[inline]
pub const fn is_base(byte: u8) -> bool {
    CODES[byte as usize] != NOT_A_BASE
}

/// The kind of `byte`, in either case.
#[inline]
pub const fn kind(byte: u8) -> LetterKind {
    KINDS[byte as usize]
}

const fn kinds() -> [LetterKind; 256] {
    let mut table = [LetterKind::Other; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = match byte.to_ascii_uppercase() {
            b'A' | b'C' | b'G' | b'T' => LetterKind::Base,
            b'N' => LetterKind::AnyBase,
            b'R' | b'Y' | b'S' | b'W' | b'K' | b'M' | b'B' | b'D' | b'H' | b'V' => LetterKind::Ambiguity,
            b'-' | b'.' => LetterKind::Gap,
            b'U' => LetterKind::Uracil,
            b'E' | b'F' | b'I' | b'J' | b'L' | b'O' | b'P' | b'Q' | b'X' | b'Z' | b'*' => {
                LetterKind::AminoAcid
            }
            _ => LetterKind::Other,
        };
        byte += 1;
    }
    table
}

/// What becomes of letters outside the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// The unknown token for each.
    #[default]
    Token,
    /// Nothing: they are left out, and cut words.
    Split,
    /// They are an error.
    Refuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_order_of_letters_in_both_cases() {
        for (code, letter) in (0..).zip(LETTERS) {
            assert_eq!(CODES[usize::from(letter)], code);
            assert_eq!(CODES[usize::from(letter.to_ascii_lowercase())], code);
        }
        assert_eq!(CODES.iter().filter(|&&code| code != NOT_A_BASE).count(), 8);
    }

    #[test]
    fn complement_pairs_the_letters_and_is_its_own_inverse() {
        let of = |letter: u8| LETTERS[usize::from(complement(CODES[usize::from(letter)]))];
        assert_eq!([b'A', b'C', b'G', b'T'].map(of), [b'T', b'G', b'C', b'A']);
        assert!((0..4).all(|code| complement(complement(code)) == code));
    }

    #[test]
    fn a_byte_has_a_code_exactly_if_it_is_a_base() {
        for byte in 0..=255 {
            assert_eq!(CODES[usize::from(byte)] != NOT_A_BASE, kind(byte) == LetterKind::Base, "byte {byte}");
        }
    }

    #[test]
    fn every_letter_has_a_kind_and_its_case_does_not_matter() {
        let count = |wanted| (b'A'..=b'Z').filter(|&letter| kind(letter) == wanted).count();
        assert_eq!(count(LetterKind::Base), 4);
        assert_eq!(count(LetterKind::AnyBase), 1);
        assert_eq!(count(LetterKind::Ambiguity), 10);
        assert_eq!(count(LetterKind::Uracil), 1);
        assert_eq!(count(LetterKind::AminoAcid), 10);
        assert_eq!(count(LetterKind::Other), 0);
        assert!((b'A'..=b'Z').all(|letter| kind(letter) == kind(letter.to_ascii_lowercase())));
    }

    #[test]
    fn signs_are_gaps_a_stop_or_nothing() {
        assert_eq!(kind(b'-'), LetterKind::Gap);
        assert_eq!(kind(b'.'), LetterKind::Gap);
        assert_eq!(kind(b'*'), LetterKind::AminoAcid);
        for byte in [b' ', b'\n', b'>', b'@', b'0', 0, 0x7f, 0x80, 0xff] {
            assert_eq!(kind(byte), LetterKind::Other, "byte {byte}");
        }
    }
}
