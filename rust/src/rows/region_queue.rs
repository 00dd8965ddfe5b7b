//! The regions of one record, whose rows are made in the order in which the regions were given.
//!
//! Rows are made of one region at a time, the *head* of the queue. Symbols of the head go to the cutter as they come.
//! Those of later regions that lie earlier in the record, or overlap the head, wait in memory for their turn. Regions
//! given in the order of their positions, without overlap, thus need no memory; those given in the reverse order need all
//! of it.
//!
//! For the regions 5..9 and 0..6, in this order, of a record that comes in pieces of four symbols:
//!
//! | piece | head | to the cutter | waits for the second region |
//! |---|---|---|---|
//! | 0..4 | first | | 0..4 |
//! | 4..8 | first | 5..8 | 4..6 |
//! | 8..12 | first | 8..9; the region ends | |
//! | | second | 0..6 from memory; the region ends | |

use super::cutter::Cutter;
use super::regions::Region;
use super::sweep::Sweep;
use super::worklist::WorkList;
use crate::error::Result;
use crate::monitor::Monitor;

/// The regions of the open record, in the order in which their rows are made.
#[derive(Default)]
pub(super) struct RegionQueue {
    sweep: Sweep,
    /// By region, its symbols that came while regions before it were not done.
    waiting: Vec<Vec<u8>>,
    /// The region whose rows are made now; those before it are done.
    head: usize,
}

impl RegionQueue {
    /// The regions of a record that starts; the first of them is opened in the cutter.
    pub(super) fn new(regions: &[Region], cutter: &mut Cutter) -> Self {
        if let Some(first) = regions.first() {
            cutter.start_region(first);
        }
        Self { sweep: Sweep::new(regions), waiting: vec![Vec::new(); regions.len()], head: 0 }
    }

    /// Adds symbols of the record from `position` on, after all before it.
    pub(super) fn add(
        &mut self,
        position: u64,
        symbols: &[u8],
        list: Option<&WorkList>,
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        let end = position + symbols.len() as u64;
        let (head, waiting) = (self.head, &mut self.waiting);
        self.sweep.add(position, symbols, list, |piece| {
            if piece.number == head {
                return cutter.add(piece.symbols, monitor);
            }
            waiting[piece.number].extend_from_slice(piece.symbols);
            Ok(())
        })?;
        self.advance(|region| region.end.is_some_and(|last| last <= end), cutter, monitor)
    }

    /// Ends the record; no region may lie [beyond](Self::beyond) its end.
    pub(super) fn end_record(&mut self, cutter: &mut Cutter, monitor: &Monitor) -> Result<()> {
        self.advance(|_| true, cutter, monitor)
    }

    /// The unfinished regions that do not lie within a record of `length` symbols.
    pub(super) fn beyond(&self, length: u64) -> impl Iterator<Item = Region> {
        self.sweep.beyond(self.head, length)
    }

    /// Gives the cutter what waits of the head and, for as long as the head is done, moves on to the next region.
    fn advance(
        &mut self,
        is_done: impl Fn(&Region) -> bool,
        cutter: &mut Cutter,
        monitor: &Monitor,
    ) -> Result<()> {
        while let Some(region) = self.sweep.regions.get(self.head) {
            let waiting = std::mem::take(&mut self.waiting[self.head]);
            cutter.add(&waiting, monitor)?;
            if !is_done(region) {
                break;
            }
            cutter.end_region(monitor)?;
            self.head += 1;
            if let Some(next) = self.sweep.regions.get(self.head) {
                cutter.start_region(next);
            }
        }
        Ok(())
    }
}
