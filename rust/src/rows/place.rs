//! The positions of a region's rows in its record: contiguous, or in blocks that are read as if they were joined.
//!
//! The symbols of a region count from 0 through its blocks, which leaves out what lies between them. A row may start or
//! end within a block; its range in the record reaches from its first symbol to its last, over the gaps between blocks.
//! The region 5..14 with the blocks (0, 3) and (7, 2), in windows of two symbols:
//!
//! ```text
//! record     .....012....34.      the five symbols of the region, at positions 5, 6, 7, 12 and 13
//! rows            0..2            at 5..7
//!                   2..........4  at 7..13, over the gap
//!                             4   at 13..14
//! ```

use super::regions::Region;
use super::worklist::WorkList;

/// The position of the open region.
#[derive(Clone, Debug, Default)]
pub(super) struct RegionPlace {
    start: u64,
    /// Whether it lies on the other strand.
    pub(super) is_reverse: bool,
    /// Its index among the rows of BED files, if it is one.
    row: Option<usize>,
    /// Its blocks, as (start in the region, symbols); empty if it is contiguous.
    blocks: Vec<(u64, u64)>,
}

impl RegionPlace {
    /// Changes to another region; keeps the memory for blocks.
    pub(super) fn set(&mut self, region: &Region, list: Option<&WorkList>) {
        (self.start, self.is_reverse, self.row) = (region.start, region.is_reverse, region.row());
        self.blocks.clear();
        if let (Some(row), Some(list)) = (self.row, list) {
            self.blocks.extend_from_slice(list.blocks(row));
        }
    }

    /// The range in the record of symbols `from..to` of the region.
    pub(super) fn of(&self, from: u64, to: u64) -> (u64, u64) {
        if self.blocks.is_empty() {
            return (self.start + from, self.start + to);
        }
        let mut parts = self.parts(from, to).peekable();
        let first = parts.peek().map_or(0, |&(start, _)| start);
        let last = parts.last().map_or(first, |(start, size)| start + size);
        (self.start + first, self.start + last)
    }

    /// The parts of blocks in which symbols `from..to` of the region lie, as (start in the region, symbols).
    fn parts(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
        let whole = self.blocks.is_empty().then_some((from, to - from));
        let mut before = 0;
        let parts = self.blocks.iter().filter_map(move |&(start, size)| {
            let (first, last) = (from.max(before), to.min(before + size));
            let part = (first < last).then(|| (start + first - before, last - first));
            before += size;
            part
        });
        whole.into_iter().chain(parts)
    }
}

/// Columns that rows of BED files have beside those of all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BedColumns {
    /// The index of each row's line among the lines with a region of all BED files; -1 for a row of no BED file.
    pub rows: Vec<i64>,
    /// The names of all rows (column 4), concatenated.
    pub names: String,
    /// Where each name starts in `names`, and the end of the last.
    pub name_offsets: Vec<usize>,
    /// Whether each row is reverse-complemented.
    pub is_reverse: Vec<bool>,
    /// The blocks of each row, if requested.
    pub blocks: Option<BlockColumns>,
}

/// The blocks of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockColumns {
    /// The blocks of row `i` are those from `offsets[i]` to `offsets[i + 1]`.
    pub offsets: Vec<usize>,
    /// The start of each block, from the start of its row.
    pub starts: Vec<i64>,
    /// The length of each block in symbols.
    pub sizes: Vec<i64>,
}

impl BedColumns {
    /// Columns without rows.
    pub(super) fn new(with_blocks: bool) -> Self {
        let blocks =
            with_blocks.then(|| BlockColumns { offsets: vec![0], starts: Vec::new(), sizes: Vec::new() });
        let (rows, names, is_reverse) = (Vec::new(), String::new(), Vec::new());
        Self { rows, names, name_offsets: vec![0], is_reverse, blocks }
    }

    /// Adds the row of symbols `from..to` of the region at `place`.
    pub(super) fn push(
        &mut self,
        place: &RegionPlace,
        list: &WorkList,
        is_reverse: bool,
        from: u64,
        to: u64,
    ) {
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

    /// Bytes of memory that the columns take, approximately.
    pub(super) fn weight(&self) -> usize {
        let blocks = self.blocks.as_ref().map_or(0, |blocks| 16 * blocks.sizes.len());
        self.names.len() + 17 * self.rows.len() + blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_weighs_17_bytes_with_its_name_and_16_for_each_block() {
        let mut columns = BedColumns::new(false);
        assert_eq!(columns.weight(), 0);
        columns.rows = vec![4, -1];
        columns.names = "gene".to_owned();
        assert_eq!(columns.weight(), 2 * 17 + 4);
        let sizes = vec![2, 1, 3];
        columns.blocks = Some(BlockColumns { offsets: vec![0, 2, 3], starts: vec![0, 3, 0], sizes });
        assert_eq!(columns.weight(), 2 * 17 + 4 + 3 * 16);
    }
}
