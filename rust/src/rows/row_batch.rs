//! Rows that are returned together, as columns.
//!
//! Columns, because a batch becomes an Arrow record batch without a copy: strings and symbols are concatenated, with
//! offsets from which row `i` is `offsets[i]..offsets[i + 1]`.

use super::place::BedColumns;
use crate::io::fasta::plain::PlainPiece;

/// Consecutive rows, as columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowBatch {
    /// The record names of all rows, concatenated.
    pub names: String,
    /// Where each name starts in `names`, and the end of the last.
    pub name_offsets: Vec<usize>,
    /// The start of each row in its record, from 0.
    pub starts: Vec<i64>,
    /// The end of each row in its record, excluded.
    pub ends: Vec<i64>,
    /// The symbols of all rows, concatenated.
    pub bytes: Vec<u8>,
    /// Where each row starts in `bytes`, and the end of the last.
    pub offsets: Vec<usize>,
    /// Further columns of rows of BED files, if there are BED files.
    pub bed: Option<BedColumns>,
    /// Whether the first row continues the last one of the batch before, and whether the last row goes on in the next: a
    /// long row comes in parts, if somebody [says where to cut](super::SequenceRows::cut_long_rows).
    pub parts: [bool; 2],
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
            parts: [false; 2],
        }
    }
}

impl RowBatch {
    /// The number of rows.
    #[allow(clippy::len_without_is_empty)] // no batch that is returned is empty
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The record name of a row.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.name_offsets[row]..self.name_offsets[row + 1]]
    }

    /// The symbols of a row.
    pub fn symbols(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row]..self.offsets[row + 1]]
    }

    /// Adds whole records as rows: all that start in the piece but the last, whose symbols start at `base` in the bytes.
    pub(super) fn push_records(&mut self, piece: &PlainPiece, base: usize) {
        let Some((last, rows)) = piece.heads.split_last() else { return };
        let name_bytes = rows.last().map_or(0, |head| head.name_end);
        let first = self.names.len();
        self.names.push_str(&String::from_utf8_lossy(&piece.names[..name_bytes]));
        self.name_offsets.extend(rows.iter().map(|head| first + head.name_end));
        self.starts.extend(rows.iter().map(|_| 0));
        let ends = || piece.heads.iter().map(|head| head.symbols).skip(1);
        let lengths = rows.iter().zip(ends()).map(|(head, end)| end - head.symbols);
        self.ends.extend(lengths.map(|length| i64::try_from(length).unwrap_or(i64::MAX)));
        self.offsets.extend(ends().map(|end| base + end));
        debug_assert_eq!(
            self.offsets.last(),
            Some(&(base + last.symbols)).filter(|_| !rows.is_empty()).or(self.offsets.last())
        );
    }

    /// Removes the last row, but not its symbols.
    pub(crate) fn pop(&mut self) {
        self.starts.pop();
        self.ends.pop();
        self.offsets.pop();
        self.name_offsets.pop();
        self.names.truncate(self.name_offsets.last().copied().unwrap_or(0));
    }

    /// Where the last row ends in `bytes`.
    pub(super) fn end(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Adds a row: the bytes from the end of the last row up to `to`, whose positions in the record are `start..end`.
    pub(super) fn push(&mut self, name: &str, start: u64, end: u64, to: usize) {
        let signed = |position: u64| i64::try_from(position).unwrap_or(i64::MAX);
        self.starts.push(signed(start));
        self.ends.push(signed(end));
        self.offsets.push(to);
        self.names.push_str(name);
        self.name_offsets.push(self.names.len());
    }
}
