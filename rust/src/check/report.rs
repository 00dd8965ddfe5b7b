//! What a file is, what is in it, and what is wrong with it.

use std::path::PathBuf;

use super::defects::{Defect, Kind, Log, Severity};
use super::letters::Composition;
use super::records::LengthSummary;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Sequences.
    Fasta,
    /// Sequences with qualities.
    Fastq,
}

impl Format {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fasta => "FASTA",
            Self::Fastq => "FASTQ",
        }
    }
}

/// What is in a file, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The file, `-` for standard input.
    pub path: PathBuf,
    /// None if it is neither.
    pub format: Option<Format>,
    /// "plain", "gzip", "xz" or "zstd"; empty if that could not be found out.
    pub compression: &'static str,
    /// Bytes read of the file as it is stored.
    pub bytes: u64,
    /// Bytes after unpacking.
    pub text_bytes: u64,
    /// Lines after unpacking.
    pub lines: u64,
    /// Records.
    pub records: u64,
    /// Letters by kind.
    pub composition: Composition,
    /// Lengths of records, in letters.
    pub lengths: LengthSummary,
    /// Whether the file was read to its end: false for damaged ones and those that are something else.
    pub is_complete: bool,
    /// The first defects of each kind, in order of place; those of the file as a whole come last.
    pub defects: Vec<Defect>,
    /// How many defects there are of each kind that occurs.
    pub counts: Vec<(Kind, u64)>,
}

impl Report {
    /// How many defects are so bad.
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|(kind, _)| kind.severity() == severity).map(|(_, count)| count).sum()
    }

    /// Adds that none of the files has a base, of which this is the first.
    pub(super) fn add_no_bases(&mut self, records: u64) {
        let mut log = Log::new(1);
        log.add(Kind::NoBases, None, None, || format!("no base (A, C, G, T) in its {records} records"));
        let (defects, counts) = log.finish();
        self.defects.extend(defects);
        self.counts.extend(counts);
        self.counts.sort_unstable();
    }
}
