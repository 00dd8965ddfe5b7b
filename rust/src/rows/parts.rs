//! The wanted parts of one record, while its letters pass.
//!
//! Rows are made of one part at a time, the *head*, in the order in which regions were given. Letters of parts that
//! come later in that order but earlier in the record, or that overlap the head, wait in memory for their turn.

use super::cutter::Cutter;
use super::regions::Region;
use super::sweep::Sweep;
use super::worklist::WorkList;
use crate::error::Result;
use crate::monitor::Monitor;

/// The wanted parts of the record at hand.
#[derive(Default)]
pub(super) struct Parts {
    sweep: Sweep,
    /// Letters of each part that passed while parts before it were not done.
    waiting: Vec<Vec<u8>>,
    /// The part whose rows are made now; those before it are done.
    head: usize,
}

impl Parts {
    /// Parts in the order in which their rows are wanted, of a record that begins.
    pub(super) fn new(regions: &[Region], cutter: &mut Cutter) -> Self {
        if let Some(first) = regions.first() {
            cutter.begin(first);
        }
        Self { sweep: Sweep::new(regions), waiting: vec![Vec::new(); regions.len()], head: 0 }
    }

    /// Letters of the record from `position` on.
    pub(super) fn letters(
        &mut self,
        position: u64,
        letters: &[u8],
        list: Option<&WorkList>,
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        let end = position + letters.len() as u64;
        let (head, waiting) = (self.head, &mut self.waiting);
        self.sweep.pass(position, letters, list, |piece| {
            if piece.number == head {
                return cutter.letters(piece.letters, monitor);
            }
            waiting[piece.number].extend_from_slice(piece.letters);
            Ok(())
        })?;
        self.advance(|region| region.end.is_some_and(|last| last <= end), cutter, monitor)
    }

    /// The record is at its end, and none of the parts beyond it.
    pub(super) fn end(&mut self, cutter: &mut Cutter, monitor: &Monitor) -> Result<()> {
        self.advance(|_| true, cutter, monitor)
    }

    /// The parts that a record of `length` letters does not have, or not whole.
    pub(super) fn beyond(&self, length: u64) -> impl Iterator<Item = Region> {
        self.sweep.beyond(self.head, length)
    }

    /// Goes on to the next part for as long as the head is done.
    fn advance(
        &mut self,
        is_done: impl Fn(&Region) -> bool,
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        while let Some(region) = self.sweep.regions.get(self.head) {
            let waiting = std::mem::take(&mut self.waiting[self.head]);
            cutter.letters(&waiting, monitor)?;
            if !is_done(region) {
                break;
            }
            cutter.end(monitor)?;
            self.head += 1;
            if let Some(next) = self.sweep.regions.get(self.head) {
                cutter.begin(next);
            }
        }
        Ok(())
    }
}
