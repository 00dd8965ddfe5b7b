//! The symbols of sequence files, and the four bases among them.
//!
//! # Codes
//!
//! A base is a number below four, in alphabetical order: A 0, C 1, G 2, T 3. Two properties follow and are used: comparing
//! codes compares bases, and the complement is `3 - code`, which for two bits is `code ^ 3`; a whole word of packed bases
//! is complemented by one `not`.
//!
//! # Case
//!
//! Lower case is *soft masking*: assemblers mark repeats by it, and the base is as certain as any other. Every table here
//! therefore treats `a` and `A` alike. Code that must keep the difference works on the bytes themselves.
//!
//! # What is not a base
//!
//! A vocabulary over four bases has no base for "unknown", so every other symbol ends a run of bases; none is replaced by a
//! guess. They are distinguished only to be counted and named, by [`SymbolKind`]:
//!
//! - `N`: any base, the filling of assembly gaps, up to millions in a row;
//! - the ten ambiguity codes of IUPAC-IUB (1984): `R Y S W K M B D H V`;
//! - gaps of an alignment: `-` and `.`;
//! - `U`, uracil: RNA. It is *not* read as T: whether a file of RNA belongs into a DNA vocabulary is the user's decision;
//! - the residues that only proteins have: `E F I J L O P Q X Z` and `*` (stop). No nucleotide file holds them, so one of
//!   them shows that the wrong file was given. `X`, in some old nucleotide files the mask of vector sequence, counts as
//!   protein: IUPAC gives it no nucleotide meaning;
//! - everything else is no symbol of a sequence, and `fasta` refuses it before it gets here.
//!
//! # Complement
//!
//! A with T, C with G, and the ambiguity codes as IUPAC pairs them: R Y, K M, B V, D H; S, W, N and everything that is no
//! nucleotide stay. Case is kept. Uracil pairs with A only if the vocabulary has U: where it does not, U is unknown, and
//! must stay unknown on the other strand. A becomes U instead of T if the vocabulary has U and not T.
//!
//! # Cost
//!
//! All look-ups are tables of 256 entries, made at compile time: one load per symbol, no branch.
//! `complement_symbol` is for making such tables.

/// The entry of [`CODES`] for a byte that is none of A, C, G, T in either case. The only entry with bit 2 set, so an OR
/// over codes tells whether there is one.
pub const NOT_A_BASE: u8 = 4;

/// The base of each code, in upper case.
pub const BASES: [u8; 4] = *b"ACGT";

/// The base code of each byte: A or a 0, C or c 1, G or g 2, T or t 3, [`NOT_A_BASE`] for any other.
pub const CODES: [u8; 256] = codes();

/// The kind of each byte.
const KINDS: [SymbolKind; 256] = kinds();

/// The table of [`CODES`].
const fn codes() -> [u8; 256] {
    let mut table = [NOT_A_BASE; 256];
    let mut code: u8 = 0;
    while code < 4 {
        let base = BASES[code as usize];
        table[base as usize] = code;
        table[base.to_ascii_lowercase() as usize] = code;
        code += 1;
    }
    table
}

/// The code of the base that pairs with the base `code`: A with T, C with G. `code` is below four.
#[inline]
pub const fn complement(code: u8) -> u8 {
    debug_assert!(code < 4, "not a base code");
    code ^ 3
}

/// The symbol on the other strand, in the same case, for a vocabulary of the symbols that `is_known` accepts.
pub fn complement_symbol(symbol: u8, is_known: impl Fn(u8) -> bool) -> u8 {
    let (has_u, has_t) = (is_known(b'U'), is_known(b'T'));
    let paired = match symbol.to_ascii_uppercase() {
        b'A' if has_u && !has_t => b'U',
        b'A' => b'T',
        b'T' => b'A',
        b'U' if has_u => b'A',
        b'C' => b'G',
        b'G' => b'C',
        b'R' => b'Y',
        b'Y' => b'R',
        b'K' => b'M',
        b'M' => b'K',
        b'B' => b'V',
        b'V' => b'B',
        b'D' => b'H',
        b'H' => b'D',
        _ => return symbol,
    };
    if symbol.is_ascii_lowercase() { paired.to_ascii_lowercase() } else { paired }
}

/// What a symbol stands for, in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
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
    /// No symbol of any sequence.
    Other,
}

impl SymbolKind {
    /// The kinds that cut a word and are counted, in the order in which reports name them.
    pub const SKIPPED: [Self; 4] = [Self::AnyBase, Self::Ambiguity, Self::Gap, Self::Uracil];

    /// The name under which symbols of this kind are counted and reported.
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
pub const fn kind(byte: u8) -> SymbolKind {
    KINDS[byte as usize]
}

/// The table of [`kind`]. Bytes above 127 are no symbols.
const fn kinds() -> [SymbolKind; 256] {
    let mut table = [SymbolKind::Other; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = match byte.to_ascii_uppercase() {
            b'A' | b'C' | b'G' | b'T' => SymbolKind::Base,
            b'N' => SymbolKind::AnyBase,
            b'R' | b'Y' | b'S' | b'W' | b'K' | b'M' | b'B' | b'D' | b'H' | b'V' => SymbolKind::Ambiguity,
            b'-' | b'.' => SymbolKind::Gap,
            b'U' => SymbolKind::Uracil,
            b'E' | b'F' | b'I' | b'J' | b'L' | b'O' | b'P' | b'Q' | b'X' | b'Z' | b'*' => {
                SymbolKind::AminoAcid
            }
            _ => SymbolKind::Other,
        };
        byte += 1;
    }
    table
}

/// The policy for symbols outside the vocabulary. They are counted under any policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// Each becomes the unknown token.
    #[default]
    Token,
    /// They are left out, and sequences are split there.
    Split,
    /// The first of them is an error.
    Refuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_the_order_of_bases_in_both_cases() {
        for (code, base) in (0..).zip(BASES) {
            assert_eq!(CODES[usize::from(base)], code);
            assert_eq!(CODES[usize::from(base.to_ascii_lowercase())], code);
        }
        assert_eq!(CODES.iter().filter(|&&code| code != NOT_A_BASE).count(), 8);
    }

    #[test]
    fn complement_pairs_the_bases_and_is_its_own_inverse() {
        let of = |base: u8| BASES[usize::from(complement(CODES[usize::from(base)]))];
        assert_eq!([b'A', b'C', b'G', b'T'].map(of), [b'T', b'G', b'C', b'A']);
        assert!((0..4).all(|code| complement(complement(code)) == code));
    }

    #[test]
    fn a_byte_has_a_code_exactly_if_it_is_a_base() {
        for byte in 0..=255 {
            assert_eq!(CODES[usize::from(byte)] != NOT_A_BASE, kind(byte) == SymbolKind::Base, "byte {byte}");
        }
    }

    #[test]
    fn every_symbol_has_a_kind_and_its_case_does_not_matter() {
        let count = |wanted| (b'A'..=b'Z').filter(|&symbol| kind(symbol) == wanted).count();
        assert_eq!(count(SymbolKind::Base), 4);
        assert_eq!(count(SymbolKind::AnyBase), 1);
        assert_eq!(count(SymbolKind::Ambiguity), 10);
        assert_eq!(count(SymbolKind::Uracil), 1);
        assert_eq!(count(SymbolKind::AminoAcid), 10);
        assert_eq!(count(SymbolKind::Other), 0);
        assert!((b'A'..=b'Z').all(|symbol| kind(symbol) == kind(symbol.to_ascii_lowercase())));
    }

    #[test]
    fn signs_are_gaps_a_stop_or_nothing() {
        assert_eq!(kind(b'-'), SymbolKind::Gap);
        assert_eq!(kind(b'.'), SymbolKind::Gap);
        assert_eq!(kind(b'*'), SymbolKind::AminoAcid);
        for byte in [b' ', b'\n', b'>', b'@', b'0', 0, 0x7f, 0x80, 0xff] {
            assert_eq!(kind(byte), SymbolKind::Other, "byte {byte}");
        }
    }
}
