//! Where the rows of a region lie in its record: in one piece, or in blocks that are read as if they were joined.
//!
//! The letters of a region are counted from 0, through its blocks. A row that begins or ends within a block has a part of
//! it; its place is from its first letter to its last, whatever lies between them.

use super::regions::Region;
use super::worklist::WorkList;

/// The place of the region at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    start: u64,
    /// It lies on the other strand.
    pub(super) is_reverse: bool,
    /// Its number among the rows of BED files.
    row: Option<usize>,
    /// Its blocks, as (start in the region, letters); none if it is one piece.
    blocks: Vec<(u64, u64)>,
}

impl Place {
    /// Makes it that of `region`.
    pub(super) fn set(&mut self, region: &Region, list: Option<&WorkList>) {
        (self.start, self.is_reverse, self.row) = (region.start, region.is_reverse, region.row());
        self.blocks.clear();
        if let (Some(row), Some(list)) = (self.row, list) {
            self.blocks.extend_from_slice(list.blocks(row));
        }
    }

    /// Where letters `from..to` of the region begin and end in the record.
    pub(super) fn of(&self, from: u64, to: u64) -> (u64, u64) {
        if self.blocks.is_empty() {
            return (self.start + from, self.start + to);
        }
        let mut parts = self.parts(from, to).peekable();
        let first = parts.peek().map_or(0, |&(start, _)| start);
        let last = parts.last().map_or(first, |(start, size)| start + size);
        (self.start + first, self.start + last)
    }

    /// The pieces in which letters `from..to` of the region lie, as (start in the region, letters).
    fn parts(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
        let whole = self.blocks.is_empty().then_some((from, to - from));
        let mut before = 0;
        let parts = self.blocks.iter().filter_map(move |&(start, size)| {
            let (begin, end) = (from.max(before), to.min(before + size));
            let part = (begin < end).then(|| (start + begin - before, end - begin));
            before += size;
            part
        });
        whole.into_iter().chain(parts)
    }
}

/// What rows of BED files have beside their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BedColumns {
    /// The number of each row's line among those with a region, from 0, through all BED files; -1 for a row of no BED
    /// file.
    pub rows: Vec<i64>,
    /// The names of all rows, end to end.
    pub names: String,
    /// Where each name begins in `names`, and the end.
    pub name_offsets: Vec<usize>,
    /// Whether each row was read from the other strand.
    pub is_reverse: Vec<bool>,
    /// The blocks of each row, if they were asked for.
    pub blocks: Option<BlockColumns>,
}

/// Rows that lie in blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockColumns {
    /// The blocks of row `i` are those from `offsets[i]` to `offsets[i + 1]`.
    pub offsets: Vec<usize>,
    /// Where each block begins, counted from the begin of its row.
    pub starts: Vec<i64>,
    /// The letters of each block.
    pub sizes: Vec<i64>,
}

impl BedColumns {
    pub(super) fn new(with_blocks: bool) -> Self {
        let blocks =
            with_blocks.then(|| BlockColumns { offsets: vec![0], starts: Vec::new(), sizes: Vec::new() });
        let (rows, names, is_reverse) = (Vec::new(), String::new(), Vec::new());
        Self { rows, names, name_offsets: vec![0], is_reverse, blocks }
    }

    /// Adds the row of the letters `from..to` of a region.
    pub(super) fn push(&mut self, place: &Place, list: &WorkList, is_reverse: bool, from: u64, to: u64) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.rows.push(place.row.map_or(-1, |row| number(row as u64)));
        self.names.push_str(place.row.map_or("", |row| list.name(row)));
        self.name_offsets.push(self.names.len());
        self.is_reverse.push(is_reverse);
        if let Some(blocks) = &mut self.blocks {
            let mut first = None;
            for (start, size) in place.parts(from, to) {
                blocks.starts.push(number(start - *first.get_or_insert(start)));
                blocks.sizes.push(number(size));
            }
            blocks.offsets.push(blocks.sizes.len());
        }
    }

    /// What the columns take in memory, about.
    pub(super) fn weight(&self) -> usize {
        let blocks = self.blocks.as_ref().map_or(0, |blocks| 16 * blocks.sizes.len());
        self.names.len() + 17 * self.rows.len() + blocks
    }
}
