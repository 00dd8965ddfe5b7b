//! The rows of BED files by number: what they are called, on which strand and in which blocks they lie, what is wrong.
//!
//! Numbers are counted from 0 over all lines with a region, through all files in the order given. A million rows take
//! about 60 MB, their names included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bed::Line;
use crate::error::{Error, Result};

/// How many faults a message tells; the others are counted.
const MOST_TOLD: usize = 12;

/// What is known of the rows of BED files beside their places.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkList {
    beds: Vec<PathBuf>,
    /// The first row of each file.
    firsts: Vec<usize>,
    lines: Vec<u64>,
    names: String,
    name_ends: Vec<usize>,
    /// The blocks of all rows, if they were asked for: (start in the region, letters).
    blocks: Vec<(u64, u64)>,
    block_ends: Vec<usize>,
}

impl WorkList {
    /// Begins the rows of a file.
    pub(super) fn add_file(&mut self, path: &Path) {
        self.beds.push(path.to_path_buf());
        self.firsts.push(self.len());
    }

    /// Adds a row to the last file.
    pub(super) fn add(&mut self, number: u64, line: &Line<'_>) {
        self.lines.push(number);
        self.names.push_str(line.name);
        self.name_ends.push(self.names.len());
        self.blocks.extend_from_slice(&line.blocks);
        self.block_ends.push(self.blocks.len());
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many BED files there are.
    pub(super) fn num_files(&self) -> usize {
        self.beds.len()
    }

    /// Whether there is no BED file.
    pub(super) fn is_empty(&self) -> bool {
        self.beds.is_empty()
    }

    /// What a row is called.
    pub(super) fn name(&self, row: usize) -> &str {
        &self.names[before(&self.name_ends, row)..self.name_ends[row]]
    }

    /// The blocks of a row; none if it is one piece.
    pub(super) fn blocks(&self, row: usize) -> &[(u64, u64)] {
        &self.blocks[before(&self.block_ends, row)..self.block_ends[row]]
    }

    /// The file, by number, and the line of a row.
    fn place(&self, row: usize) -> (usize, u64) {
        (self.firsts.partition_point(|&first| first <= row) - 1, self.lines[row])
    }
}

/// Where what ends at `ends[at]` begins.
fn before(ends: &[usize], at: usize) -> usize {
    if at == 0 { 0 } else { ends[at - 1] }
}

/// What is wrong with lines of BED files: the first of them in words, and how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    told: BTreeMap<(usize, u64), String>,
    count: usize,
}

impl Faults {
    /// Notes a fault of a row.
    pub(super) fn add_row(&mut self, list: &WorkList, row: usize, reason: impl FnOnce() -> String) {
        let (file, line) = list.place(row);
        self.add(file, line, reason);
    }

    /// Notes a fault of a line of a file.
    pub(super) fn add(&mut self, file: usize, line: u64, reason: impl FnOnce() -> String) {
        if self.told.contains_key(&(file, line)) {
            return; // found in another sequence file, too
        }
        self.count += 1;
        let is_told = self.told.len() < MOST_TOLD
            || self.told.last_key_value().is_some_and(|(&last, _)| (file, line) < last);
        if is_told {
            self.told.insert((file, line), reason());
            if self.told.len() > MOST_TOLD {
                self.told.pop_last();
            }
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The error that tells them, if there are any, and `also` at its end.
    pub(super) fn check(&self, list: &WorkList, also: &str) -> Result<()> {
        let mut told = self.told.iter();
        let Some((&(first, line), reason)) = told.next() else { return Ok(()) };
        let mut parts = vec![reason.clone()];
        for (&(file, line), reason) in told {
            let path = if file == first { String::new() } else { format!("{}, ", list.beds[file].display()) };
            parts.push(format!("{path}line {line}: {reason}"));
        }
        if self.count > self.told.len() {
            parts.push(format!("and {} more", self.count - self.told.len()));
        }
        Err(Error::fasta(&list.beds[first], line, parts.join("; ") + also))
    }
}
