//! Rows that are handed out together, in long arrays.

use super::place::BedColumns;

/// Rows one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowBatch {
    /// The record names of all rows, end to end.
    pub names: String,
    /// Where each name begins in `names`, and the end.
    pub name_offsets: Vec<usize>,
    /// Where each row begins in its record.
    pub starts: Vec<i64>,
    /// Where each row ends in its record, excluded.
    pub ends: Vec<i64>,
    /// The letters of all rows, end to end.
    pub bytes: Vec<u8>,
    /// Where each row begins in `bytes`, and the end.
    pub offsets: Vec<usize>,
    /// What rows of BED files have beside these, if there are BED files.
    pub bed: Option<BedColumns>,
}

impl Default for RowBatch {
    fn default() -> Self {
        Self {
            names: String::new(),
            name_offsets: vec![0],
            starts: Vec::new(),
            ends: Vec::new(),
            bytes: Vec::new(),
            offsets: vec![0],
            bed: None,
        }
    }
}

impl RowBatch {
    /// How many rows there are.
    #[allow(clippy::len_without_is_empty)] // no batch that is handed out is empty
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The record name of a row.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.name_offsets[row]..self.name_offsets[row + 1]]
    }

    /// The letters of a row.
    pub fn letters(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row]..self.offsets[row + 1]]
    }

    /// Where the last row ends in `bytes`.
    pub(super) fn end(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Adds a row of the letters from the last one's end up to `to`, which lie between `start` and `end`.
    pub(super) fn push(&mut self, name: &str, start: u64, end: u64, to: usize) {
        let place = |position: u64| i64::try_from(position).unwrap_or(i64::MAX);
        self.starts.push(place(start));
        self.ends.push(place(end));
        self.offsets.push(to);
        self.names.push_str(name);
        self.name_offsets.push(self.names.len());
    }
}
