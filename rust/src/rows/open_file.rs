//! The file that is read, and its progress.

use std::path::PathBuf;

use super::name_hashes::NameHashes;
use super::region_queue::RegionQueue;
use crate::error::Result;
use crate::io::fasta::SequenceReader;
use crate::monitor::Monitor;

/// Events of the reader between two checks for an interrupt.
const EVENTS_PER_CHECK: u32 = 64;

/// The file that is read, and its open record.
pub(super) struct OpenFile {
    /// Its index among the files.
    pub(super) index: usize,
    pub(super) path: PathBuf,
    pub(super) names: NameHashes,
    pub(super) in_record: bool,
    pub(super) records: u64,
    /// Symbols of the record so far.
    pub(super) position: u64,
    pub(super) queue: RegionQueue,
    /// Symbols and bytes already reported to the monitor.
    pub(super) reported: [u64; 2],
    pub(super) symbols: u64,
    pub(super) events: u32,
}

impl OpenFile {
    /// Every [`EVENTS_PER_CHECK`] calls, reports progress and checks for an interrupt.
    pub(super) fn check_interrupt(&mut self, reader: &SequenceReader, monitor: &Monitor) -> Result<()> {
        self.events = self.events.wrapping_add(1);
        if !self.events.is_multiple_of(EVENTS_PER_CHECK) {
            return Ok(());
        }
        self.report_progress(reader, monitor);
        monitor.check()
    }

    /// Reports progress to the monitor.
    pub(super) fn report_progress(&mut self, reader: &SequenceReader, monitor: &Monitor) {
        let now = [self.symbols, reader.bytes_read()];
        monitor.add_bases(now[0] - self.reported[0]);
        monitor.add_bytes(now[1] - self.reported[1]);
        self.reported = now;
    }
}
