//! The letters of a file, counted at the speed of memory; and one line of them, looked at byte by byte.
//!
//! Nearly all lines of nearly all files have A, C, G, T and N only. Whether a line has is one vector pass ([`is_plain`]).
//! Counting is dearer: five comparisons for each letter, and a sum over lanes at the end of each call, which for a line
//! of 60 letters takes longer than the letters. So short lines are piled up and counted together.

use super::defects::Kind;
use crate::alphabet::{CODES, LetterKind, NOT_A_BASE, kind};
use crate::io::fasta::text::{all, is_blank};
use crate::verdict::Symbols;

/// Letters that are piled up before they are counted.
const PILE_BYTES: usize = 8 << 10;
/// Letters that are counted in a byte: whole vectors, and less than 256.
const PIECE_BYTES: usize = 224;

/// How many letters of each kind there are, in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// A, C, G and T.
    pub bases: [u64; 4],
    /// N.
    pub any_base: u64,
    /// The other ambiguity codes.
    pub ambiguity: u64,
    /// `-` and `.`.
    pub gaps: u64,
    /// U.
    pub uracil: u64,
    /// Letters of proteins only, and `*`.
    pub amino_acids: u64,
    /// Of all of these, letters in lower case.
    pub lower_case: u64,
}

impl Composition {
    /// All letters.
    pub fn total(&self) -> u64 {
        let bases: u64 = self.bases.iter().sum();
        bases + self.any_base + self.ambiguity + self.gaps + self.uracil + self.amino_acids
    }

    /// The share of G and C among A, C, G and T, from 0 to 1; none without any.
    #[allow(clippy::cast_precision_loss)]
    pub fn gc(&self) -> Option<f64> {
        let [a, c, g, t] = self.bases;
        let all = a + c + g + t;
        (all > 0).then(|| (c + g) as f64 / all as f64)
    }

    /// The symbols as all commands judge them, N left out.
    pub fn symbols(&self) -> Symbols {
        Symbols {
            known: self.bases.iter().sum(),
            ambiguity: self.ambiguity,
            gaps: self.gaps,
            uracil: self.uracil,
            lower_case: 0,
        }
    }

    /// Whether most letters that stand for something stand for amino acids, to judge by those that only proteins have:
    /// about a third of a protein's letters are of these, and none of a nucleotide sequence's.
    pub fn looks_like_protein(&self) -> bool {
        self.amino_acids * 10 > self.total() - self.gaps
    }

    /// Counts letters that are A, C, G, T and N only.
    fn add_plain(&mut self, letters: &[u8]) {
        for piece in letters.chunks(PILE_BYTES) {
            let [a, c, g, n] = b"acgn".map(|letter| count(piece, |byte| byte | 0x20 == letter));
            let t = piece.len() as u64 - a - c - g - n;
            for (sum, more) in self.bases.iter_mut().zip([a, c, g, t]) {
                *sum += more;
            }
            self.any_base += n;
            self.lower_case += count(piece, |byte| byte & 0x20 != 0);
        }
    }

    /// Counts one byte; false if it is no letter.
    fn add_letter(&mut self, byte: u8) -> bool {
        let count = match kind(byte) {
            LetterKind::Base => &mut self.bases[usize::from(CODES[usize::from(byte)] % NOT_A_BASE)],
            LetterKind::AnyBase => &mut self.any_base,
            LetterKind::Ambiguity => &mut self.ambiguity,
            LetterKind::Gap => &mut self.gaps,
            LetterKind::Uracil => &mut self.uracil,
            LetterKind::AminoAcid => &mut self.amino_acids,
            LetterKind::Other => return false,
        };
        *count += 1;
        self.lower_case += u64::from(byte.is_ascii_lowercase());
        true
    }
}

/// How many letters are as wished: in bytes first, which is what becomes vector instructions.
#[inline]
fn count(letters: &[u8], wished: impl Fn(u8) -> bool) -> u64 {
    let of_piece =
        |piece: &[u8]| piece.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(u8::from(wished(byte))));
    letters.chunks(PIECE_BYTES).map(|piece| u64::from(of_piece(piece))).sum()
}

/// Whether there are only A, C, G, T and N.
#[allow(clippy::needless_bitwise_bool)] // without branches it becomes vector instructions: five times faster
fn is_plain(letters: &[u8]) -> bool {
    all(letters, |byte| {
        let letter = byte | 0x20;
        (letter == b'a') | (letter == b'c') | (letter == b'g') | (letter == b't') | (letter == b'n')
    })
}

/// Counts letters, short pieces of them together.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    counts: Composition,
    pile: Vec<u8>,
}

impl Counter {
    /// Counts `letters` if they are A, C, G, T and N only; false, and nothing counted, otherwise.
    pub(crate) fn add_plain(&mut self, letters: &[u8]) -> bool {
        if !is_plain(letters) {
            return false;
        }
        if letters.len() >= PILE_BYTES {
            self.counts.add_plain(letters);
        } else {
            if self.pile.len() + letters.len() > PILE_BYTES {
                self.settle();
            }
            self.pile.extend_from_slice(letters);
        }
        true
    }

    /// Counts the letters of a line one by one. Says how many letters there are, and what else.
    pub(crate) fn inspect(&mut self, line: &[u8], fastq: bool) -> (u64, Vec<Finding>) {
        let mut findings: Vec<Finding> = Vec::new();
        let mut num_letters = 0;
        for (at, &byte) in line.iter().enumerate() {
            num_letters += u64::from(self.counts.add_letter(byte));
            if let Some(kind) = complaint(byte, fastq) {
                match findings.iter_mut().find(|finding| finding.kind == kind) {
                    Some(finding) => finding.count += 1,
                    None => findings.push(Finding { kind, byte, at, count: 1 }),
                }
            }
        }
        (num_letters, findings)
    }

    /// All letters so far.
    pub(crate) fn total(&self) -> u64 {
        self.counts.total() + self.pile.len() as u64
    }

    /// The letters by kind.
    pub(crate) fn finish(mut self) -> Composition {
        self.settle();
        self.counts
    }

    fn settle(&mut self) {
        self.counts.add_plain(&self.pile);
        self.pile.clear();
    }
}

/// What is wrong in a line: of each kind the first byte, where it is, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) byte: u8,
    pub(crate) at: usize,
    pub(crate) count: u64,
}

/// What is wrong with a byte of a sequence line.
fn complaint(byte: u8, fastq: bool) -> Option<Kind> {
    Some(match kind(byte) {
        LetterKind::Base | LetterKind::AnyBase | LetterKind::Ambiguity => return None,
        LetterKind::Gap => Kind::Gap,
        LetterKind::Uracil => Kind::Rna,
        LetterKind::AminoAcid => Kind::Protein,
        LetterKind::Other => match byte {
            0 => Kind::Nul,
            b'0'..=b'9' => Kind::Digit,
            b'\r' | b'\n' => Kind::StrayLineEnd,
            0x80.. => Kind::NotAscii,
            _ if is_blank(byte) => {
                if fastq {
                    Kind::SpaceInRead
                } else {
                    Kind::SpaceInSequence
                }
            }
            _ => Kind::NotALetter,
        },
    })
}
