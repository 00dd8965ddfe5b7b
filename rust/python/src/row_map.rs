//! Which sequence each row has: rows may share one, or have none.
//!
//! The rows of a dictionary share its values: each value is encoded once, and its ids are copied to its rows. A row that is
//! null has no sequence at all. Sequences are numbered in the order in which rows first have them, so that the first of
//! several errors is that of the first row.

/// The number of what is not there: the sequence of a row that is null.
pub(crate) const NULL: usize = usize::MAX;

/// The number of the sequence of each row, or [`NULL`].
pub(crate) struct RowMap(Vec<usize>);

impl RowMap {
    /// Each of so many rows has a sequence of its own.
    pub(crate) fn of_each(rows: usize) -> Self {
        Self((0..rows).collect())
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, sequence: usize) {
        self.0.push(sequence);
    }

    /// The sequence of each row.
    pub(crate) fn sequences(&self) -> &[usize] {
        &self.0
    }

    /// The first row that has a sequence.
    pub(crate) fn first_row(&self, sequence: usize) -> Option<usize> {
        self.0.iter().position(|&found| found == sequence)
    }

    /// How many rows have each of so many sequences.
    pub(crate) fn uses(&self, sequences: usize) -> Vec<u64> {
        let mut uses = vec![0; sequences];
        self.0.iter().filter(|&&sequence| sequence != NULL).for_each(|&sequence| uses[sequence] += 1);
        uses
    }

    /// The number of each row; 0 of one that is null.
    pub(crate) fn spread(&self, numbers: &[i64]) -> Vec<i64> {
        self.0.iter().map(|&sequence| numbers.get(sequence).copied().unwrap_or(0)).collect()
    }
}
