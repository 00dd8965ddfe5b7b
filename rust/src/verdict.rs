//! The verdict on whether a file is a nucleotide file, the same for everything that reads sequences.
//!
//! Every command reads through `corpus` (training, packing), `rows` (encoding) or `check`, and tables of sequences are
//! read in Python. All of them ask here, so that a file which one refuses is refused by all, with the same words:
//!
//! - A symbol that only proteins have is an error at its place, [`no_nucleotide`].
//! - Records without a single symbol are an error, [`check_not_empty`]; so are inputs without a base (A, C, G, T) in any
//!   of them, [`no_base`].
//! - A file is refused if more than a share of its symbols ([`MAX_UNKNOWN`] unless the caller allows more) are unknown:
//!   [`SymbolTally::check`]. Up to that share they are counted and reported.
//!
//! # What counts as unknown
//!
//! Ambiguity codes, gaps and U, where the vocabulary lacks them. N does not count, neither as unknown nor in the total: half
//! of a finished chromosome may be N. Lower case does not count either, where a vocabulary lacks it: it marks repeats,
//! which are half of many genomes, and has a separate warning and option. But a file of which not a single base is
//! known, all of it being lower case, is refused.
//!
//! # The share
//!
//! A tenth. Genomes have less than a hundredth of ambiguity codes; RNA has a quarter of U; a protein that happens to have
//! no residue that only proteins have reads as one half of ambiguity codes. Fewer than [`FEW`] unknown symbols are no reason to
//! refuse a file, even if their share is large: a primer has two codes in twenty bases.

use std::collections::BTreeMap;
use std::path::Path;

use crate::alphabet::{SymbolKind, kind};
use crate::error::{Error, Result};

/// The share of unknown symbols that a file may have, unless the caller allows more.
pub const MAX_UNKNOWN: f64 = 0.1;
/// The number of unknown symbols from which their share counts; fewer never refuse a file.
pub const FEW: u64 = 20;
/// Bytes of a record's name that a message shows.
pub(crate) const NAME_BYTES: usize = 200;

/// Counts of the symbols of one input, by what the verdict asks; N is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SymbolTally {
    /// Symbols that are known: A, C, G, T, and what else the vocabulary has.
    pub known: u64,
    /// Unknown ambiguity codes.
    pub ambiguity: u64,
    /// Unknown gaps, `-` and `.`.
    pub gaps: u64,
    /// Unknown U.
    pub uracil: u64,
    /// Bases in lower case, for a vocabulary that has them in upper case only.
    pub lower_case: u64,
}

impl SymbolTally {
    /// Adds unknown symbols of a kind. N does not count, and residues and other bytes are refused before they get here.
    pub fn add_unknown(&mut self, kind: SymbolKind, count: u64) {
        match kind {
            SymbolKind::Base => self.lower_case += count,
            SymbolKind::Ambiguity => self.ambiguity += count,
            SymbolKind::Gap => self.gaps += count,
            SymbolKind::Uracil => self.uracil += count,
            SymbolKind::AnyBase | SymbolKind::AminoAcid | SymbolKind::Other => {}
        }
    }

    /// The number of all symbols, N left out.
    pub fn total(&self) -> u64 {
        self.known + self.ambiguity + self.gaps + self.uracil + self.lower_case
    }

    /// The number of symbols that count as unknown.
    pub fn unknown(&self) -> u64 {
        let is_masked = self.known > 0;
        self.ambiguity + self.gaps + self.uracil + if is_masked { 0 } else { self.lower_case }
    }

    /// A sentence on the unknown symbols: how many there are, of which kinds, and the remedy; none if all are known.
    pub fn describe(&self) -> Option<String> {
        let (unknown, total) = (self.unknown(), self.total());
        if unknown == 0 {
            return None;
        }
        let lower_case = if self.known == 0 { self.lower_case } else { 0 };
        let kinds = [
            (self.uracil, "U", "U is RNA: write T for it, as sed '/^>/!y/Uu/Tt/' does in FASTA"),
            (self.ambiguity, "ambiguity codes", ""),
            (self.gaps, "gaps", "an alignment has gaps: remove them"),
            (
                lower_case,
                "lower case",
                "this vocabulary has upper case only: --uppercase (uppercase=True) reads both",
            ),
        ];
        let found = kinds.iter().filter(|(count, ..)| *count > 0);
        let counts: Vec<String> = found.clone().map(|(count, name, _)| format!("{count} {name}")).collect();
        let remedies =
            found.filter(|(.., remedy)| !remedy.is_empty()).map(|(.., remedy)| format!("; {remedy}"));
        Some(format!(
            "{} of its {total} symbols other than N are unknown ({}){}",
            percent(unknown, total),
            counts.join(", "),
            remedies.collect::<String>()
        ))
    }

    /// Whether more than the share `allowed` of the symbols are unknown.
    #[allow(clippy::cast_precision_loss)] // a share
    pub fn is_refused(&self, allowed: f64) -> bool {
        let unknown = self.unknown();
        unknown >= FEW && unknown as f64 > allowed * self.total() as f64
    }

    /// Fails if more than the share `allowed` of a file's symbols are unknown.
    pub fn check(&self, path: &Path, allowed: f64) -> Result<()> {
        match self.describe().filter(|_| self.is_refused(allowed)) {
            None => Ok(()),
            Some(found) => Err(Error::file(path, format!("{found}; {}", override_of(allowed)))),
        }
    }
}

/// Judges a table by the counts of each byte in the sequences of its `rows` rows. Returns the unknown symbols by kind, N
/// included.
///
/// Fails if there is no base, or if more than the share `allowed` is unknown.
pub fn judge_counts(
    path: &Path,
    counts: &[u64; 256],
    rows: u64,
    allowed: f64,
    is_known: impl Fn(u8) -> bool,
) -> Result<BTreeMap<SymbolKind, u64>> {
    check_allowed(allowed)?;
    let mut tally = SymbolTally::default();
    let mut unknown = BTreeMap::new();
    let mut bases = 0;
    for (byte, &count) in (0_u8..=255).zip(counts).filter(|&(_, &count)| count > 0) {
        let kind = kind(byte);
        bases += if kind == SymbolKind::Base { count } else { 0 };
        if !is_known(byte) {
            *unknown.entry(kind).or_default() += count;
            tally.add_unknown(kind, count);
        } else if kind != SymbolKind::AnyBase {
            tally.known += count;
        }
    }
    check_not_empty(path, rows, counts.iter().sum())?;
    tally.check(path, allowed)?;
    if bases == 0 { Err(no_base(path, rows)) } else { Ok(unknown) }
}

/// The end of a refusal: the option that reads the file all the same.
pub(crate) fn override_of(allowed: f64) -> String {
    format!(
        "at most {allowed} of them is allowed: --allow-unknown 1 (allow_unknown=1) reads the file as it is"
    )
}

/// Fails if `allowed` is not a share from 0 to 1.
pub fn check_allowed(allowed: f64) -> Result<()> {
    if (0.0..=1.0).contains(&allowed) {
        return Ok(());
    }
    Err(Error::argument("allow_unknown", &allowed, "a share of symbols is from 0 to 1"))
}

/// The error of a symbol that stands for no nucleotide; `position` counts from 0.
pub fn no_nucleotide(record: &[u8], position: u64, byte: u8) -> Error {
    let reason = if kind(byte) == SymbolKind::AminoAcid {
        "stands for no nucleotide; this looks like protein, and genotok reads DNA"
    } else {
        "stands for no nucleotide"
    };
    Error::Symbol {
        file: None,
        line: None,
        record: String::from_utf8_lossy(&record[..record.len().min(NAME_BYTES)]).into_owned(),
        position,
        byte,
        reason: reason.to_owned(),
    }
}

/// Fails if the records of a file hold not a single symbol.
pub fn check_not_empty(path: &Path, records: u64, symbols: u64) -> Result<()> {
    if symbols > 0 {
        return Ok(());
    }
    Err(Error::file(path, format!("no symbol in its {records} records; is the file cut short?")))
}

/// The error that no input has a base; `path` is the first input, `records` counts those of all.
pub fn no_base(path: &Path, records: u64) -> Error {
    Error::file(path, format!("no base (A, C, G, T) in its {records} records; is this the right file?"))
}

/// A share in percent, for messages.
#[allow(clippy::cast_precision_loss)]
fn percent(part: u64, whole: u64) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    if percent < 0.1 { "less than 0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(known: u64, kind: SymbolKind, count: u64) -> SymbolTally {
        let mut tally = SymbolTally { known, ..SymbolTally::default() };
        tally.add_unknown(kind, count);
        tally
    }

    fn error(tally: SymbolTally, allowed: f64) -> Option<String> {
        tally.check(Path::new("a.fa"), allowed).err().map(|error| error.to_string())
    }

    #[test]
    fn a_large_share_is_refused_and_a_small_one_is_not() {
        for kind in [SymbolKind::Ambiguity, SymbolKind::Gap, SymbolKind::Uracil] {
            assert_eq!(error(tally(900, kind, 100), MAX_UNKNOWN), None);
            assert!(error(tally(899, kind, 101), MAX_UNKNOWN).is_some());
            assert_eq!(error(tally(899, kind, 101), 0.101), None);
            assert_eq!(error(tally(0, kind, 101), 1.0), None);
            assert_eq!(error(tally(1, kind, FEW - 1), 0.0), None);
            assert!(error(tally(1, kind, FEW), 0.0).is_some());
        }
        assert_eq!(
            error(tally(75, SymbolKind::Uracil, 25), 0.1).as_deref(),
            Some(
                "a.fa: 25.0 % of its 100 symbols other than N are unknown (25 U); U is RNA: write T for it, as sed \
                 '/^>/!y/Uu/Tt/' does in FASTA; at most 0.1 of them is allowed: --allow-unknown 1 (allow_unknown=1) \
                 reads the file as it is"
            )
        );
    }

    #[test]
    fn n_and_masked_bases_do_not_count_but_a_file_of_lower_case_does() {
        assert_eq!(tally(10, SymbolKind::AnyBase, 1000).total(), 10);
        assert_eq!(error(tally(1, SymbolKind::Base, 1000), 0.0), None);
        let all = error(tally(0, SymbolKind::Base, 40), 0.5).expect("not one base is known");
        assert!(all.contains("100.0 % of its 40 symbols") && all.contains("--uppercase"), "{all}");
        assert_eq!(error(SymbolTally::default(), 0.0), None);
    }

    #[test]
    fn a_share_is_from_nothing_to_all() {
        assert!(check_allowed(0.0).is_ok() && check_allowed(1.0).is_ok());
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(check_allowed(wrong).is_err());
        }
    }
}
