//! What is done to the letters of a row: counted, cut or refused; upper-cased; reversed and complemented.
//!
//! The tables are composed beforehand, so that a letter is looked up once for "does the vocabulary have what this letter
//! becomes" and once for what it becomes.
//!
//! # Complement
//!
//! A with T, C with G, and the ambiguity codes as IUPAC pairs them: R Y, K M, B V, D H; S, W, N and all that is no
//! nucleotide stay. Case is kept. Uracil pairs with A, but only if the vocabulary has U: where it does not, U is a letter
//! that nobody vouches for, and stays as unknown on the other strand as it was. A becomes U in place of T if the
//! vocabulary has U and not T.

use crate::alphabet::UnknownPolicy;
use crate::alphabet::{LetterKind, kind};

/// Letters looked at together.
const BLOCK: usize = 64;

/// Letters outside the vocabulary and N, by byte.
pub(super) type Counts = [u64; 256];

/// What is noted of a byte: that what it becomes is outside the vocabulary; that it then stands for no nucleotide; that it
/// is N, which is counted whether the vocabulary has it or not.
const OUTSIDE: u8 = 1;
const NO_NUCLEOTIDE: u8 = 2;
const ANY_BASE: u8 = 4;

/// The letters of a vocabulary and what happens on the way to it.
#[derive(Clone, Debug)]
pub(super) struct Treatment {
    /// What is noted of each byte.
    notes: [u8; 256],
    /// What each byte becomes, if any becomes another.
    becomes: Option<[u8; 256]>,
    pub(super) reverse: bool,
    pub(super) unknown: UnknownPolicy,
}

impl Treatment {
    /// For a vocabulary with the letters that `is_letter` accepts.
    pub(super) fn new(
        is_letter: impl Fn(u8) -> bool,
        upper_case: bool,
        reverse_complement: bool,
        unknown: UnknownPolicy,
    ) -> Self {
        let mut becomes = [0; 256];
        for (slot, byte) in becomes.iter_mut().zip(0_u8..=255) {
            let byte = if upper_case { byte.to_ascii_uppercase() } else { byte };
            *slot = if reverse_complement { complement(byte, &is_letter) } else { byte };
        }
        let mut notes = becomes.map(|byte| if is_letter(byte) { 0 } else { OUTSIDE });
        for (note, byte) in notes.iter_mut().zip(0_u8..=255) {
            match kind(byte) {
                LetterKind::AnyBase => *note |= ANY_BASE,
                LetterKind::AminoAcid if *note == OUTSIDE => *note |= NO_NUCLEOTIDE,
                _ => {}
            }
        }
        let changes = upper_case || reverse_complement;
        Self { notes, becomes: changes.then_some(becomes), reverse: reverse_complement, unknown }
    }

    /// The first letter outside the vocabulary.
    pub(super) fn first_outside(&self, letters: &[u8]) -> Option<usize> {
        let is_outside = |&letter: &u8| self.is_outside(letter);
        let (blocks, tail) = letters.as_chunks::<BLOCK>();
        let clear =
            blocks.iter().take_while(|block| self.notes_of(&block[..]) & OUTSIDE == 0).count() * BLOCK;
        let rest = if clear < blocks.len() * BLOCK { &letters[clear..] } else { tail };
        rest.iter().position(is_outside).map(|at| clear + at)
    }

    /// Letters of the vocabulary that `letters` begins with.
    pub(super) fn count_inside(&self, letters: &[u8]) -> usize {
        self.first_outside(letters).unwrap_or(letters.len())
    }

    /// Letters outside the vocabulary that `letters` begins with.
    pub(super) fn count_outside(&self, letters: &[u8]) -> usize {
        letters.iter().take_while(|&&letter| self.is_outside(letter)).count()
    }

    /// Counts the letters outside the vocabulary, and N. Finds the first that stands for no nucleotide.
    pub(super) fn count(&self, letters: &[u8], counts: &mut Counts) -> Option<usize> {
        let mut all = 0;
        for block in letters.chunks(BLOCK) {
            let notes = self.notes_of(block);
            if notes != 0 {
                all |= notes;
                for &letter in block {
                    counts[usize::from(letter)] += u64::from(self.notes[usize::from(letter)] != 0);
                }
            }
        }
        let is_wrong = |&letter: &u8| self.notes[usize::from(letter)] & NO_NUCLEOTIDE != 0;
        if all & NO_NUCLEOTIDE == 0 { None } else { letters.iter().position(is_wrong) }
    }

    /// Whether N is in the vocabulary.
    pub(super) fn knows_any_base(&self) -> bool {
        !self.is_outside(b'N')
    }

    /// Whether what a letter becomes is outside the vocabulary.
    pub(super) fn is_outside(&self, letter: u8) -> bool {
        self.notes[usize::from(letter)] & OUTSIDE != 0
    }

    /// Makes of `letters` what is encoded.
    pub(super) fn apply(&self, letters: &mut [u8]) {
        if let Some(becomes) = &self.becomes {
            letters.iter_mut().for_each(|letter| *letter = becomes[usize::from(*letter)]);
        }
        if self.reverse {
            letters.reverse();
        }
    }

    /// Whether a lower-case letter is outside the vocabulary and would not be in upper case.
    pub(super) fn is_missed_lower_case(&self, letter: u8) -> bool {
        letter.is_ascii_lowercase()
            && self.is_outside(letter)
            && !self.is_outside(letter.to_ascii_uppercase())
    }

    fn notes_of(&self, block: &[u8]) -> u8 {
        block.iter().fold(0, |notes, &letter| notes | self.notes[usize::from(letter)])
    }
}

/// The letter on the other strand.
fn complement(letter: u8, is_letter: impl Fn(u8) -> bool) -> u8 {
    let (has_u, has_t) = (is_letter(b'U'), is_letter(b'T'));
    let paired = match letter.to_ascii_uppercase() {
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
        _ => return letter,
    };
    if letter.is_ascii_lowercase() { paired.to_ascii_lowercase() } else { paired }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(letters: &'static [u8]) -> impl Fn(u8) -> bool {
        move |byte| letters.contains(&byte)
    }

    fn reversed(letters: &str, vocabulary: &'static [u8]) -> String {
        let treatment = Treatment::new(upper(vocabulary), false, true, UnknownPolicy::Token);
        let mut bytes = letters.as_bytes().to_vec();
        treatment.apply(&mut bytes);
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
    fn letters_outside_are_found_and_counted_anywhere() {
        let treatment = Treatment::new(upper(b"ACGT"), false, false, UnknownPolicy::Token);
        for length in [1, 63, 64, 65, 200] {
            for at in 0..length {
                let mut letters = vec![b'A'; length];
                letters[at] = b'n';
                let mut counts = [0; 256];
                treatment.count(&letters, &mut counts);
                assert_eq!(treatment.first_outside(&letters), Some(at));
                assert_eq!((counts[usize::from(b'n')], counts.iter().sum()), (1, 1));
            }
            assert_eq!(treatment.first_outside(&vec![b'A'; length]), None);
        }
        assert!(treatment.is_missed_lower_case(b'a') && !treatment.is_missed_lower_case(b'n'));
    }

    #[test]
    fn upper_casing_comes_before_looking() {
        let treatment = Treatment::new(upper(b"ACGT"), true, false, UnknownPolicy::Token);
        assert_eq!(treatment.first_outside(b"acgtn"), Some(4));
        assert!(!treatment.is_missed_lower_case(b'a'));
    }
}
