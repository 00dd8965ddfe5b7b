//! The rules for the symbols of rows: which are unknown, which are refused, and what each becomes in upper case and on
//! the other strand.
//!
//! The steps are composed into two tables of 256 entries beforehand: one for what is noted of a symbol (is what it becomes
//! in the vocabulary?), one for what it becomes. Rows are cut and counted in the first table before the second is
//! applied, so positions of unknown symbols are those of the file.
//!
//! | vocabulary | policy | options | row in the file | row encoded |
//! |---|---|---|---|---|
//! | A C G T | `Token` | | `ACgN` | `ACgN`: `g` and `N` become the unknown token |
//! | A C G T | `Token` | upper case | `ACgN` | `ACGN` |
//! | A C G T | `Split` | upper case | `ACgNT` | `ACG`, `T` |
//! | A C G T | `Token` | reverse complement | `AACR` | `YGTT` |
//! | A C G U | `Token` | reverse complement | `AACU` | `AGUU` |

use crate::alphabet::{SymbolKind, UnknownPolicy, complement_symbol, kind};

/// Symbols that are tested together: a block without notes costs no branch per symbol.
const BLOCK: usize = 64;

/// Counts of symbols outside the vocabulary, and of N, by byte.
pub(super) type ByteCounts = [u64; 256];

/// Notes on a byte, as bits that are ORed over a block: what it becomes is outside the vocabulary; it then stands for no nucleotide; it is N, which is
/// counted whether the vocabulary has it or not.
const OUTSIDE: u8 = 1;
const NO_NUCLEOTIDE: u8 = 2;
const ANY_BASE: u8 = 4;

/// The rules of one strand, for one vocabulary.
#[derive(Clone, Debug)]
pub(super) struct SymbolRules {
    /// The notes on each byte.
    notes: [u8; 256],
    /// What each byte becomes; none if none changes.
    becomes: Option<[u8; 256]>,
    /// Whether rows are reversed.
    pub(super) reverse: bool,
    pub(super) unknown: UnknownPolicy,
}

impl SymbolRules {
    /// The rules for a vocabulary of the symbols that `is_known` accepts.
    pub(super) fn new(
        is_known: impl Fn(u8) -> bool,
        upper_case: bool,
        reverse_complement: bool,
        unknown: UnknownPolicy,
    ) -> Self {
        let mut becomes = [0; 256];
        for (slot, byte) in becomes.iter_mut().zip(0_u8..=255) {
            let byte = if upper_case { byte.to_ascii_uppercase() } else { byte };
            *slot = if reverse_complement { complement_symbol(byte, &is_known) } else { byte };
        }
        let mut notes = becomes.map(|byte| if is_known(byte) { 0 } else { OUTSIDE });
        for (note, byte) in notes.iter_mut().zip(0_u8..=255) {
            match kind(byte) {
                SymbolKind::AnyBase => *note |= ANY_BASE,
                SymbolKind::AminoAcid if *note == OUTSIDE => *note |= NO_NUCLEOTIDE,
                _ => {}
            }
        }
        let changes = upper_case || reverse_complement;
        Self { notes, becomes: changes.then_some(becomes), reverse: reverse_complement, unknown }
    }

    /// Whether nothing is noted of a symbol.
    pub(super) fn is_quiet(&self, symbol: u8) -> bool {
        self.notes[usize::from(symbol)] == 0
    }

    /// Whether rows that hold the symbols counted in `counts`, and quiet ones, are made without cuts and errors.
    pub(super) fn takes_all(&self, counts: &ByteCounts) -> bool {
        let refused = if self.unknown == UnknownPolicy::Token { NO_NUCLEOTIDE } else { OUTSIDE };
        counts.iter().zip(self.notes).all(|(&count, note)| count == 0 || note & refused == 0)
    }

    /// The index of the first symbol outside the vocabulary.
    pub(super) fn first_outside(&self, symbols: &[u8]) -> Option<usize> {
        let is_outside = |&symbol: &u8| self.is_outside(symbol);
        let (blocks, tail) = symbols.as_chunks::<BLOCK>();
        let clear =
            blocks.iter().take_while(|block| self.notes_of(&block[..]) & OUTSIDE == 0).count() * BLOCK;
        let rest = if clear < blocks.len() * BLOCK { &symbols[clear..] } else { tail };
        rest.iter().position(is_outside).map(|at| clear + at)
    }

    /// The number of symbols in the vocabulary with which `symbols` starts.
    pub(super) fn count_inside(&self, symbols: &[u8]) -> usize {
        self.first_outside(symbols).unwrap_or(symbols.len())
    }

    /// The number of symbols outside the vocabulary with which `symbols` starts.
    pub(super) fn count_outside(&self, symbols: &[u8]) -> usize {
        symbols.iter().take_while(|&&symbol| self.is_outside(symbol)).count()
    }

    /// Counts the symbols outside the vocabulary, and N. Returns the index of the first that stands for no nucleotide.
    ///
    /// A row of known symbols costs one OR per symbol.
    pub(super) fn count(&self, symbols: &[u8], counts: &mut ByteCounts) -> Option<usize> {
        let mut all = 0;
        for block in symbols.chunks(BLOCK) {
            let notes = self.notes_of(block);
            if notes != 0 {
                all |= notes;
                for &symbol in block {
                    counts[usize::from(symbol)] += u64::from(self.notes[usize::from(symbol)] != 0);
                }
            }
        }
        let is_wrong = |&symbol: &u8| self.notes[usize::from(symbol)] & NO_NUCLEOTIDE != 0;
        if all & NO_NUCLEOTIDE == 0 { None } else { symbols.iter().position(is_wrong) }
    }

    /// Whether N is in the vocabulary.
    pub(super) fn knows_any_base(&self) -> bool {
        !self.is_outside(b'N')
    }

    /// Whether what a symbol becomes is outside the vocabulary.
    pub(super) fn is_outside(&self, symbol: u8) -> bool {
        self.notes[usize::from(symbol)] & OUTSIDE != 0
    }

    /// Converts `symbols`, in place, to what is encoded.
    pub(super) fn apply(&self, symbols: &mut [u8]) {
        if let Some(becomes) = &self.becomes {
            symbols.iter_mut().for_each(|symbol| *symbol = becomes[usize::from(*symbol)]);
        }
        if self.reverse {
            symbols.reverse();
        }
    }

    /// Whether a symbol is in lower case, outside the vocabulary, and in it in upper case: the user should know of
    /// `--uppercase`.
    pub(super) fn is_missed_lower_case(&self, symbol: u8) -> bool {
        symbol.is_ascii_lowercase()
            && self.is_outside(symbol)
            && !self.is_outside(symbol.to_ascii_uppercase())
    }

    /// All notes on the symbols of a block together.
    fn notes_of(&self, block: &[u8]) -> u8 {
        block.iter().fold(0, |notes, &symbol| notes | self.notes[usize::from(symbol)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(symbols: &'static [u8]) -> impl Fn(u8) -> bool {
        move |byte| symbols.contains(&byte)
    }

    fn reversed(symbols: &str, vocabulary: &'static [u8]) -> String {
        let rules = SymbolRules::new(upper(vocabulary), false, true, UnknownPolicy::Token);
        let mut bytes = symbols.as_bytes().to_vec();
        rules.apply(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn complements_are_those_of_iupac() {
        assert_eq!(reversed("ACGTacgt", b"ACGT"), "acgtACGT");
        assert_eq!(reversed("RYSWKMBDHVN-.*", b"ACGT"), "*.-NBDHVKMWSRY");
        assert_eq!(reversed("ACUu", b"ACGT"), "uUGT");
        assert_eq!(reversed("ACGU", b"ACGU"), "ACGU");
    }

    #[test]
    fn symbols_outside_are_found_and_counted_anywhere() {
        let rules = SymbolRules::new(upper(b"ACGT"), false, false, UnknownPolicy::Token);
        for length in [1, 63, 64, 65, 200] {
            for at in 0..length {
                let mut symbols = vec![b'A'; length];
                symbols[at] = b'n';
                let mut counts = [0; 256];
                rules.count(&symbols, &mut counts);
                assert_eq!(rules.first_outside(&symbols), Some(at));
                assert_eq!((counts[usize::from(b'n')], counts.iter().sum()), (1, 1));
            }
            assert_eq!(rules.first_outside(&vec![b'A'; length]), None);
        }
        assert!(rules.is_missed_lower_case(b'a') && !rules.is_missed_lower_case(b'n'));
    }

    #[test]
    fn upper_casing_comes_before_the_vocabulary() {
        let rules = SymbolRules::new(upper(b"ACGT"), true, false, UnknownPolicy::Token);
        assert_eq!(rules.first_outside(b"acgtn"), Some(4));
        assert!(!rules.is_missed_lower_case(b'a'));
    }

    #[test]
    fn rows_are_whole_if_no_symbol_is_cut_out_or_refused() {
        let whole = |vocabulary, unknown, symbols: &[u8]| {
            let mut counts = [0; 256];
            symbols.iter().for_each(|&symbol| counts[usize::from(symbol)] += 1);
            SymbolRules::new(upper(vocabulary), false, false, unknown).takes_all(&counts)
        };
        for (symbols, with_unknown, split) in
            [("ACGT", true, true), ("ACGTN", true, false), ("acgt", true, false), ("ACE", false, false)]
        {
            assert_eq!(whole(b"ACGT", UnknownPolicy::Token, symbols.as_bytes()), with_unknown, "{symbols}");
            assert_eq!(whole(b"ACGT", UnknownPolicy::Split, symbols.as_bytes()), split, "{symbols}");
        }
        assert!(whole(b"ACGTN", UnknownPolicy::Split, b"ACGTN"));
        let knows = |vocabulary| {
            SymbolRules::new(upper(vocabulary), false, false, UnknownPolicy::Split).knows_any_base()
        };
        assert_eq!((knows(b"ACGT"), knows(b"ACGTN")), (false, true));
    }
}
