//! The symbols of a file, counted by vector instructions; and single lines, inspected byte by byte.
//!
//! Nearly all lines of nearly all files hold A, C, G, T and N only. One vector pass decides whether a line does
//! ([`is_plain`]). Counting costs more: five comparisons per symbol, and a sum over the lanes of the vector at the end of
//! each call, which for a line of 60 symbols takes longer than its symbols. So short plain lines are collected in a buffer
//! of [`BUFFER_BYTES`] and counted together. The order of symbols is lost by this, and only their counts are needed; a line
//! that is not plain is inspected at once, while its position is known.

use super::defects::DefectKind;
use crate::alphabet::{CODES, NOT_A_BASE, SymbolKind, kind};
use crate::io::fasta::text::{all, is_blank};
use crate::verdict::SymbolTally;

/// Plain symbols that are collected before they are counted.
const BUFFER_BYTES: usize = 8 << 10;
/// Symbols counted in a sum of one byte: whole vectors of 32, and fewer than 256, or the sum would overflow.
const PIECE_BYTES: usize = 224;

/// Counts of symbols by kind, in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SymbolCounts {
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
    /// Residues that only proteins have, and `*`.
    pub amino_acids: u64,
    /// Of all these, those in lower case.
    pub lower_case: u64,
}

impl SymbolCounts {
    /// The number of all symbols.
    pub fn total(&self) -> u64 {
        let bases: u64 = self.bases.iter().sum();
        bases + self.any_base + self.ambiguity + self.gaps + self.uracil + self.amino_acids
    }

    /// The share of G and C among A, C, G and T, from 0 to 1; none if there is no base.
    #[allow(clippy::cast_precision_loss)]
    pub fn gc(&self) -> Option<f64> {
        let [a, c, g, t] = self.bases;
        let all = a + c + g + t;
        (all > 0).then(|| (c + g) as f64 / all as f64)
    }

    /// The counts that the verdict of all commands is based on; lower case counts as known here.
    pub fn tally(&self) -> SymbolTally {
        SymbolTally {
            known: self.bases.iter().sum(),
            ambiguity: self.ambiguity,
            gaps: self.gaps,
            uracil: self.uracil,
            lower_case: 0,
        }
    }

    /// Whether this is protein, judged by the residues that no nucleotide code shares: about a third of a protein's
    /// residues are of these, and no symbol of a nucleotide sequence. A tenth of them decides.
    pub fn looks_like_protein(&self) -> bool {
        self.amino_acids * 10 > self.total() - self.gaps
    }

    /// Counts symbols that are A, C, G, T and N only, in either case. T is what remains of the other four counts.
    fn add_plain(&mut self, symbols: &[u8]) {
        for piece in symbols.chunks(BUFFER_BYTES) {
            let [a, c, g, n] = b"acgn".map(|symbol| count(piece, |byte| byte | 0x20 == symbol));
            let t = piece.len() as u64 - a - c - g - n;
            for (sum, more) in self.bases.iter_mut().zip([a, c, g, t]) {
                *sum += more;
            }
            self.any_base += n;
            self.lower_case += count(piece, |byte| byte & 0x20 != 0);
        }
    }

    /// Counts one byte; false if it is no symbol of a sequence.
    fn add_symbol(&mut self, byte: u8) -> bool {
        let count = match kind(byte) {
            SymbolKind::Base => &mut self.bases[usize::from(CODES[usize::from(byte)] % NOT_A_BASE)],
            SymbolKind::AnyBase => &mut self.any_base,
            SymbolKind::Ambiguity => &mut self.ambiguity,
            SymbolKind::Gap => &mut self.gaps,
            SymbolKind::Uracil => &mut self.uracil,
            SymbolKind::AminoAcid => &mut self.amino_acids,
            SymbolKind::Other => return false,
        };
        *count += 1;
        self.lower_case += u64::from(byte.is_ascii_lowercase());
        true
    }
}

/// How many symbols match. Sums are bytes first, so that a vector holds 32 of them.
#[inline]
fn count(symbols: &[u8], matches: impl Fn(u8) -> bool) -> u64 {
    let of_piece =
        |piece: &[u8]| piece.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(u8::from(matches(byte))));
    symbols.chunks(PIECE_BYTES).map(|piece| u64::from(of_piece(piece))).sum()
}

/// Whether all symbols are A, C, G, T or N, in either case.
#[allow(clippy::needless_bitwise_bool)] // without branches it becomes vector instructions: five times faster
fn is_plain(symbols: &[u8]) -> bool {
    all(symbols, |byte| {
        let symbol = byte | 0x20;
        (symbol == b'a') | (symbol == b'c') | (symbol == b'g') | (symbol == b't') | (symbol == b'n')
    })
}

/// Counts symbols, short plain pieces of them together.
#[derive(Debug, Default)]
pub(crate) struct SymbolCounter {
    counts: SymbolCounts,
    /// Plain symbols that are not in `counts` yet.
    waiting: Vec<u8>,
}

impl SymbolCounter {
    /// Counts `symbols` if they are A, C, G, T and N only; otherwise counts nothing and returns false.
    pub(crate) fn add_plain(&mut self, symbols: &[u8]) -> bool {
        if !is_plain(symbols) {
            return false;
        }
        if symbols.len() >= BUFFER_BYTES {
            self.counts.add_plain(symbols);
        } else {
            if self.waiting.len() + symbols.len() > BUFFER_BYTES {
                self.settle();
            }
            self.waiting.extend_from_slice(symbols);
        }
        true
    }

    /// Counts the symbols of a line one by one. Returns their number and what is wrong with the line.
    pub(crate) fn inspect(&mut self, line: &[u8], fastq: bool) -> (u64, Vec<Finding>) {
        let mut findings: Vec<Finding> = Vec::new();
        let mut num_symbols = 0;
        for (at, &byte) in line.iter().enumerate() {
            num_symbols += u64::from(self.counts.add_symbol(byte));
            if let Some(kind) = complaint(byte, fastq) {
                match findings.iter_mut().find(|finding| finding.kind == kind) {
                    Some(finding) => finding.count += 1,
                    None => findings.push(Finding { kind, byte, at, count: 1 }),
                }
            }
        }
        (num_symbols, findings)
    }

    /// The number of all symbols so far.
    pub(crate) fn total(&self) -> u64 {
        self.counts.total() + self.waiting.len() as u64
    }

    /// The counts of all symbols.
    pub(crate) fn finish(mut self) -> SymbolCounts {
        self.settle();
        self.counts
    }

    /// Counts the symbols that wait.
    fn settle(&mut self) {
        self.counts.add_plain(&self.waiting);
        self.waiting.clear();
    }
}

/// A kind of defect in a line: its first byte, the offset of that byte, and how many bytes are of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: DefectKind,
    pub(crate) byte: u8,
    pub(crate) at: usize,
    pub(crate) count: u64,
}

/// The defect that a byte of a sequence line is, if any.
fn complaint(byte: u8, fastq: bool) -> Option<DefectKind> {
    Some(match kind(byte) {
        SymbolKind::Base | SymbolKind::AnyBase | SymbolKind::Ambiguity => return None,
        SymbolKind::Gap => DefectKind::Gap,
        SymbolKind::Uracil => DefectKind::Rna,
        SymbolKind::AminoAcid => DefectKind::Protein,
        SymbolKind::Other => match byte {
            0 => DefectKind::Nul,
            b'0'..=b'9' => DefectKind::Digit,
            b'\r' | b'\n' => DefectKind::StrayLineEnd,
            0x80.. => DefectKind::NotAscii,
            _ if is_blank(byte) => {
                if fastq {
                    DefectKind::SpaceInRead
                } else {
                    DefectKind::SpaceInSequence
                }
            }
            _ => DefectKind::NotASymbol,
        },
    })
}
