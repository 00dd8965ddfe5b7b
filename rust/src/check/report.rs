//! The report on a file: format, contents and defects.

use std::path::PathBuf;

use super::defects::{DefectKind, DefectLog, FileDefect, Severity};
use super::records::LengthSummary;
use super::symbols::SymbolCounts;

/// The format of a sequence file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceFormat {
    /// Sequences.
    Fasta,
    /// Sequences with qualities.
    Fastq,
}

impl SequenceFormat {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fasta => "FASTA",
            Self::Fastq => "FASTQ",
        }
    }
}

/// The contents and the defects of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The file, `-` for standard input.
    pub path: PathBuf,
    /// None if the file is neither.
    pub format: Option<SequenceFormat>,
    /// "plain", "gzip", "xz" or "zstd"; empty if the file could not be read.
    pub compression: &'static str,
    /// Bytes read of the file as stored.
    pub bytes: u64,
    /// Bytes after unpacking.
    pub text_bytes: u64,
    /// Lines after unpacking.
    pub lines: u64,
    /// Records.
    pub records: u64,
    /// Counts of symbols by kind.
    pub composition: SymbolCounts,
    /// The lengths of records, in symbols.
    pub lengths: LengthSummary,
    /// Whether the file was read to its end; false if it is damaged or something else.
    pub is_complete: bool,
    /// The first defects of each kind, by position; those of the file as a whole are last.
    pub defects: Vec<FileDefect>,
    /// The number of defects of each kind that occurs.
    pub counts: Vec<(DefectKind, u64)>,
}

impl CheckReport {
    /// The number of defects of a severity.
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|(kind, _)| kind.severity() == severity).map(|(_, count)| count).sum()
    }

    /// Adds the defect that no file has a base; `records` counts those of all files.
    pub(super) fn add_no_bases(&mut self, records: u64) {
        let mut log = DefectLog::new(1);
        log.add(DefectKind::NoBases, None, None, || format!("no base (A, C, G, T) in its {records} records"));
        let (defects, counts) = log.finish();
        self.defects.extend(defects);
        self.counts.extend(counts);
        self.counts.sort_unstable();
    }
}
