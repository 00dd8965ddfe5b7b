//! Which of a record's regions its letters are in, piece by piece, while they pass.

use super::regions::Region;
use super::worklist::WorkList;
use crate::error::Result;

/// The wanted regions of the record at hand. Each piece of letters costs a step for each region that it meets, and for
/// each of its blocks, whatever the number of regions.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) regions: Vec<Region>,
    /// The numbers of the regions not begun, the first to begin last.
    to_come: Vec<usize>,
    /// Those begun and not ended.
    active: Vec<usize>,
}

/// Letters of a region.
pub(super) struct Piece<'a> {
    /// The number of the region in the record.
    pub(super) number: usize,
    pub(super) region: Region,
    /// Letters of the region before these.
    pub(super) before: u64,
    pub(super) letters: &'a [u8],
}

impl Sweep {
    /// A record with such regions begins.
    pub(super) fn new(regions: &[Region]) -> Self {
        let mut to_come: Vec<usize> = (0..regions.len()).collect();
        to_come.sort_by_key(|&number| std::cmp::Reverse(regions[number].start));
        Self { regions: regions.to_vec(), to_come, active: Vec::new() }
    }

    /// Gives `take` what the letters from `position` on have of each region.
    pub(super) fn pass(
        &mut self,
        position: u64,
        letters: &[u8],
        list: Option<&WorkList>,
        mut take: impl FnMut(Piece<'_>) -> Result<()>,
    ) -> Result<()> {
        let end = position + letters.len() as u64;
        while let Some(number) = self.to_come.pop_if(|&mut number| self.regions[number].start < end) {
            self.active.push(number);
        }
        // An offset into a piece fits, as the piece is in memory.
        let offset = |at: u64| usize::try_from(at.clamp(position, end) - position).unwrap_or(usize::MAX);
        for &number in &self.active {
            let region = self.regions[number];
            let mut give = |start: u64, stop: u64, before: u64| {
                let letters = &letters[offset(start)..offset(stop)];
                let before = before + position.saturating_sub(start).min(stop - start);
                take(Piece { number, region, before, letters })
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

    /// Those of the regions from `first` on that a record of `length` letters does not have, or not whole.
    pub(super) fn beyond(&self, first: usize, length: u64) -> impl Iterator<Item = Region> {
        let is_beyond = move |region: &Region| {
            region.end.map_or(region.start > 0 && region.start >= length, |end| end > length)
        };
        self.regions[first..].iter().copied().filter(is_beyond)
    }
}
