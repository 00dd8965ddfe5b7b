//! The rows of BED files by index: their names, their blocks, the lines they come from, and the faults of those lines.
//!
//! The index counts lines with a region from 0, through all files in the order given. Names and blocks are concatenated
//! with their ends, as in Arrow, since a list may have millions of rows: a million take about 60 MB, names included.
//!
//! Faults of lines come to light at different times: while the BED file is read, when a record is shorter than a region,
//! and at the end, when a record was not found. They are collected in [`Faults`], so that one run reports all of them in
//! the order of the lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bed::BedLine;
use crate::error::{Error, Result};

/// Faults that a message lists; others are counted.
const MAX_LISTED: usize = 12;

/// The rows of BED files, without their positions.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkList {
    beds: Vec<PathBuf>,
    /// The index of the first row of each file.
    firsts: Vec<usize>,
    /// The line of each row in its file, from 1.
    lines: Vec<u64>,
    names: String,
    name_ends: Vec<usize>,
    /// The blocks of all rows, as (start in the region, symbols); empty if not requested.
    blocks: Vec<(u64, u64)>,
    block_ends: Vec<usize>,
}

impl WorkList {
    /// Starts the rows of a file.
    pub(super) fn add_file(&mut self, path: &Path) {
        self.beds.push(path.to_path_buf());
        self.firsts.push(self.len());
    }

    /// Adds a row, on line `number` of the last file.
    pub(super) fn add(&mut self, number: u64, line: &BedLine<'_>) {
        self.lines.push(number);
        self.names.push_str(line.name);
        self.name_ends.push(self.names.len());
        self.blocks.extend_from_slice(&line.blocks);
        self.block_ends.push(self.blocks.len());
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The number of BED files.
    pub(super) fn num_files(&self) -> usize {
        self.beds.len()
    }

    /// Whether there is no BED file.
    pub(super) fn is_empty(&self) -> bool {
        self.beds.is_empty()
    }

    /// The name of a row; may be empty.
    pub(super) fn name(&self, row: usize) -> &str {
        &self.names[start_of(&self.name_ends, row)..self.name_ends[row]]
    }

    /// The blocks of a row; empty if it is contiguous.
    pub(super) fn blocks(&self, row: usize) -> &[(u64, u64)] {
        &self.blocks[start_of(&self.block_ends, row)..self.block_ends[row]]
    }

    /// The file, by index, and the line of a row.
    fn place(&self, row: usize) -> (usize, u64) {
        (self.firsts.partition_point(|&first| first <= row) - 1, self.lines[row])
    }
}

/// The start of item `at` of a concatenation with these ends.
fn start_of(ends: &[usize], at: usize) -> usize {
    if at == 0 { 0 } else { ends[at - 1] }
}

/// The faults of lines of BED files: the first in the order of the files as messages, and their number. Those of many
/// sequence files may come in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    listed: BTreeMap<(usize, u64), String>,
    count: usize,
}

impl Faults {
    /// Adds a fault of a row.
    pub(super) fn add_row(&mut self, list: &WorkList, row: usize, reason: impl FnOnce() -> String) {
        let (file, line) = list.place(row);
        self.add(file, line, reason);
    }

    /// Adds a fault of a line of a file; `reason` is called if it is listed. A second fault of the same line is dropped.
    pub(super) fn add(&mut self, file: usize, line: u64, reason: impl FnOnce() -> String) {
        if self.listed.contains_key(&(file, line)) {
            return; // found in another sequence file, too
        }
        self.count += 1;
        let is_listed = self.listed.len() < MAX_LISTED
            || self.listed.last_key_value().is_some_and(|(&last, _)| (file, line) < last);
        if is_listed {
            self.listed.insert((file, line), reason());
            if self.listed.len() > MAX_LISTED {
                self.listed.pop_last();
            }
        }
    }

    /// Whether there is no fault.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Fails if there are faults, with an error that lists them and ends with `also`.
    pub(super) fn check(&self, list: &WorkList, also: &str) -> Result<()> {
        let mut listed = self.listed.iter();
        let Some((&(first, line), reason)) = listed.next() else { return Ok(()) };
        let mut parts = vec![reason.clone()];
        for (&(file, line), reason) in listed {
            let path = if file == first { String::new() } else { format!("{}, ", list.beds[file].display()) };
            parts.push(format!("{path}line {line}: {reason}"));
        }
        if self.count > self.listed.len() {
            parts.push(format!("and {} more", self.count - self.listed.len()));
        }
        Err(Error::fasta(&list.beds[first], line, parts.join("; ") + also))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_faults_are_listed_in_the_order_of_lines_and_all_are_counted() {
        let mut list = WorkList::default();
        list.add_file(Path::new("x.bed"));
        let listed: Vec<String> = (1..=12).map(|line| format!("line {line}: fault {line}")).collect();
        let listed = format!("x.bed, {}", listed.join("; "));
        let reversed: Vec<u64> = (1..=15).rev().collect();
        for (lines, more) in [
            ((1..=12).collect(), ""),
            ((1..=13).collect(), "; and 1 more"),
            ((1..=15).collect(), "; and 3 more"),
            (reversed, "; and 3 more"),
        ] {
            let mut faults = Faults::default();
            assert!(faults.is_empty() && faults.check(&list, "").is_ok());
            for &line in &lines {
                faults.add(0, line, || format!("fault {line}"));
            }
            faults.add(0, 1, || "found again".to_owned());
            assert!(!faults.is_empty());
            let error = faults.check(&list, " (all)").unwrap_err().to_string();
            assert_eq!(error, format!("{listed}{more} (all)"));
        }
    }
}
