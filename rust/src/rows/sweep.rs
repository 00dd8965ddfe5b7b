//! Which regions of a record its symbols lie in, piece by piece, in one pass over the record.
//!
//! A sweep line: regions sorted by start wait in `upcoming`, those that the position has reached are `active`, and those
//! that it has left are forgotten. The record itself is never held, only the pieces that the reader returns.

use super::regions::Region;
use super::worklist::WorkList;
use crate::error::Result;

/// The regions of the open record. A piece costs one step per active region, and one per block of these, however many
/// regions there are in all.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) regions: Vec<Region>,
    /// Indices of the regions that are not reached, by falling start, so that the next is the last.
    upcoming: Vec<usize>,
    /// Indices of those that are reached and not left.
    active: Vec<usize>,
}

/// Consecutive symbols of a region.
pub(super) struct RegionPiece<'a> {
    /// The index of the region in the record.
    pub(super) number: usize,
    pub(super) region: Region,
    /// Symbols of the region before these, through its blocks.
    pub(super) before: u64,
    pub(super) symbols: &'a [u8],
}

impl Sweep {
    /// The sweep of a record with these regions, at its start.
    pub(super) fn new(regions: &[Region]) -> Self {
        let mut upcoming: Vec<usize> = (0..regions.len()).collect();
        upcoming.sort_by_key(|&number| std::cmp::Reverse(regions[number].start));
        Self { regions: regions.to_vec(), upcoming, active: Vec::new() }
    }

    /// Adds the record's symbols from `position` on, and calls `take` with the piece of each region among them. Calls must
    /// cover the record from its start, without gaps.
    pub(super) fn add(
        &mut self,
        position: u64,
        symbols: &[u8],
        list: Option<&WorkList>,
        mut take: impl FnMut(RegionPiece<'_>) -> Result<()>,
    ) -> Result<()> {
        let end = position + symbols.len() as u64;
        while let Some(number) = self.upcoming.pop_if(|&mut number| self.regions[number].start < end) {
            self.active.push(number);
        }
        // An offset into a piece fits, as the piece is in memory.
        let offset = |at: u64| usize::try_from(at.clamp(position, end) - position).unwrap_or(usize::MAX);
        for &number in &self.active {
            let region = self.regions[number];
            let mut give = |start: u64, stop: u64, before: u64| {
                let symbols = &symbols[offset(start)..offset(stop)];
                let before = before + position.saturating_sub(start);
                take(RegionPiece { number, region, before, symbols })
            };
            let blocks = region.row().zip(list).map_or(&[][..], |(row, list)| list.blocks(row));
            if blocks.is_empty() {
                give(region.start, region.end.unwrap_or(end), 0)?;
            }
            let mut before = 0;
            for &(start, size) in blocks {
                let start = region.start + start;
                if start < end && start + size > position {
                    give(start, start + size, before)?;
                }
                before += size;
            }
        }
        self.active.retain(|&number| self.regions[number].end.is_none_or(|last| last > end));
        Ok(())
    }

    /// The regions from index `first` on that do not lie within a record of `length` symbols.
    pub(super) fn beyond(&self, first: usize, length: u64) -> impl Iterator<Item = Region> {
        let is_beyond = move |region: &Region| {
            region.end.map_or(region.start > 0 && region.start >= length, |end| end > length)
        };
        self.regions[first..].iter().copied().filter(is_beyond)
    }
}
