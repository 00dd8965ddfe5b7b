//! The wanted parts of one record, while its letters pass.
//!
//! Rows are made of one part at a time, the *head*, in the order in which regions were given. Letters of parts that
//! come later in that order but earlier in the record, or that overlap the head, wait in memory for their turn. Each
//! piece of letters costs a step for each part that it meets, whatever the number of parts.

use super::cutter::Cutter;
use super::regions::Region;
use crate::error::Result;
use crate::monitor::Monitor;

/// The wanted parts of the record at hand.
#[derive(Default)]
pub(super) struct Parts {
    all: Vec<Part>,
    /// The numbers of the parts not begun, the first to begin last.
    to_come: Vec<usize>,
    /// Those begun and not ended.
    active: Vec<usize>,
    /// The part whose rows are made now; those before it are done.
    head: usize,
}

/// A wanted part of a record.
struct Part {
    region: Region,
    /// Letters of it that passed while parts before it were not done.
    waiting: Vec<u8>,
}

impl Parts {
    /// Parts in the order in which their rows are wanted, of a record that begins.
    pub(super) fn new(regions: &[Region], cutter: &mut Cutter) -> Self {
        let part = |&region: &Region| Part { region, waiting: Vec::new() };
        let mut to_come: Vec<usize> = (0..regions.len()).collect();
        to_come.sort_by_key(|&number| std::cmp::Reverse(regions[number].start));
        if let Some(first) = regions.first() {
            cutter.begin(first.start);
        }
        Self { all: regions.iter().map(part).collect(), to_come, active: Vec::new(), head: 0 }
    }

    /// Letters of the record from `position` on.
    pub(super) fn letters(
        &mut self,
        position: u64,
        letters: &[u8],
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        let end = position + letters.len() as u64;
        while let Some(number) = self.to_come.pop_if(|&mut number| self.all[number].region.start < end) {
            self.active.push(number);
        }
        // An offset into a piece fits, as the piece is in memory.
        let offset = |at: u64| usize::try_from(at.clamp(position, end) - position).unwrap_or(usize::MAX);
        for &number in &self.active {
            let part = &mut self.all[number];
            let wanted = &letters[offset(part.region.start)..offset(part.region.end.unwrap_or(end))];
            if number == self.head {
                cutter.letters(wanted, monitor)?;
            } else {
                part.waiting.extend_from_slice(wanted);
            }
        }
        self.active.retain(|&number| self.all[number].region.end.is_none_or(|last| last > end));
        self.advance(|region| region.end.is_some_and(|last| last <= end), cutter, monitor)
    }

    /// The record is at its end, and none of the parts beyond it.
    pub(super) fn end(&mut self, cutter: &mut Cutter, monitor: &Monitor) -> Result<()> {
        self.advance(|_| true, cutter, monitor)
    }

    /// A part that a record of `length` letters does not have, or not whole.
    pub(super) fn beyond(&self, length: u64) -> Option<Region> {
        let is_beyond = |region: &Region| {
            region.end.map_or(region.start > 0 && region.start >= length, |end| end > length)
        };
        self.all[self.head..].iter().map(|part| part.region).find(is_beyond)
    }

    /// Goes on to the next part for as long as the head is done.
    fn advance(
        &mut self,
        is_done: impl Fn(&Region) -> bool,
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        while let Some(part) = self.all.get_mut(self.head) {
            let waiting = std::mem::take(&mut part.waiting);
            cutter.letters(&waiting, monitor)?;
            if !is_done(&part.region) {
                break;
            }
            cutter.end(monitor)?;
            self.head += 1;
            if let Some(next) = self.all.get(self.head) {
                cutter.begin(next.region.start);
            }
        }
        Ok(())
    }
}
