//! Letters to rows: windows are cut, cut again at unknown letters if asked for, and gathered into batches.
//!
//! The letters of the open row are the last of the batch, so that they move at most once: when a batch is full while a
//! row is open. Windows that overlap begin with a copy of what they share with the one before.

use std::collections::VecDeque;
use std::sync::Arc;

use super::place::{BedColumns, Place};
use super::regions::Region;
use super::treatment::{Counts, Treatment};
use super::worklist::WorkList;
use super::{Regions, RowBatch, RowOptions, RowReport};
use crate::alphabet::UnknownPolicy;
use crate::alphabet::{LetterKind, kind};
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::verdict::{Symbols, no_nucleotide};

/// What a row weighs in a batch beside its letters and its name: its numbers.
const ROW_BYTES: usize = 32;
/// Letters worked on between two looks for an interrupt.
const PIECE: usize = 1 << 24;

/// Makes rows of the letters of one region after another.
pub(super) struct Cutter {
    window: Option<usize>,
    stride: usize,
    batch_letters: usize,
    /// For the strand of the file, and for the other one.
    treatments: [Treatment; 2],
    /// What rows of BED files are called, if there are any.
    list: Option<Arc<WorkList>>,
    /// The name of the record at hand.
    name: String,
    /// The region at hand.
    place: Place,
    batch: RowBatch,
    ready: VecDeque<RowBatch>,
    /// Where the open row begins in the region's letters.
    start: u64,
    /// How many letters of the open row stand in the row before, too.
    shared: usize,
    /// Letters to pass over before the open row begins.
    skip: usize,
    /// Whether the region at hand has a row yet.
    has_row: bool,
    /// Letters outside the vocabulary and N, by treatment.
    counts: Box<[Counts; 2]>,
    /// Found since the last report.
    found: RowReport,
    /// The symbols of the file at hand.
    symbols: Symbols,
    rows: u64,
    letters: u64,
}

impl Cutter {
    /// A cutter whose rows are given the first of `treatments`, or the second where a region is on the other strand.
    pub(super) fn new(options: &RowOptions, treatments: [Treatment; 2]) -> Self {
        let fit = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        let window = options.window.map(fit);
        let list = options.regions.as_ref().and_then(|regions| regions.list().cloned());
        let columns = || BedColumns::new(options.regions.as_ref().is_some_and(Regions::with_blocks));
        let bed = list.is_some().then(columns);
        Self {
            window,
            stride: options.stride.map(fit).or(window).unwrap_or(usize::MAX),
            batch_letters: options.batch_letters.max(1),
            treatments,
            list,
            name: String::new(),
            place: Place::default(),
            batch: RowBatch { bed, ..RowBatch::default() },
            ready: VecDeque::new(),
            start: 0,
            shared: 0,
            skip: 0,
            has_row: false,
            counts: Box::new([[0; 256]; 2]),
            found: RowReport::default(),
            symbols: Symbols::default(),
            rows: 0,
            letters: 0,
        }
    }

    /// A record begins.
    pub(super) fn record(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.push_str(&String::from_utf8_lossy(name));
    }

    /// The name of the record at hand.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A region begins.
    pub(super) fn begin(&mut self, region: &Region) {
        self.place.set(region, self.list.as_deref());
        (self.start, self.shared, self.skip, self.has_row) = (0, 0, 0, false);
    }

    /// More letters of the region.
    pub(super) fn letters(&mut self, mut letters: &[u8], monitor: &Monitor) -> Result<()> {
        while !letters.is_empty() {
            let skipped = self.skip.min(letters.len());
            self.skip -= skipped;
            letters = &letters[skipped..];
            let room = self.window.map_or(usize::MAX, |window| window - self.open().len());
            let (now, later) = letters.split_at(room.min(letters.len()));
            self.batch.bytes.extend_from_slice(now);
            if now.len() == room {
                self.close(monitor)?;
            } else if self.batch.len() > 0 && self.weight() > self.batch_letters {
                self.hand_over(); // all but the open row
            }
            letters = later;
        }
        Ok(())
    }

    /// The region is at its end. The open row counts if it has letters of its own; a whole region is a row anyway.
    pub(super) fn end(&mut self, monitor: &Monitor) -> Result<()> {
        let is_whole = self.window.is_none() && self.treatment().unknown != UnknownPolicy::Split;
        if self.open().len() > self.shared || (is_whole && !self.has_row) {
            self.close(monitor)?;
        }
        self.batch.bytes.truncate(self.batch.end());
        Ok(())
    }

    /// The next full batch.
    pub(super) fn take_ready(&mut self) -> Option<RowBatch> {
        self.ready.pop_front()
    }

    /// What is there of the last batch.
    pub(super) fn take_last(&mut self) -> Option<RowBatch> {
        (self.batch.len() > 0).then(|| self.replace(Vec::new()))
    }

    /// Adds what was counted since the last time.
    pub(super) fn report(&mut self, report: &mut RowReport) {
        self.settle();
        report.add(std::mem::take(&mut self.found));
    }

    /// The file at hand is at its end: the symbols in its rows.
    pub(super) fn end_file(&mut self) -> Symbols {
        self.settle();
        std::mem::take(&mut self.symbols)
    }

    /// Adds up what was counted by byte.
    fn settle(&mut self) {
        let letters = std::mem::take(&mut self.letters);
        self.found.rows += std::mem::take(&mut self.rows);
        self.found.letters += letters;
        self.symbols.known += letters;
        let counts = std::mem::replace(&mut *self.counts, [[0; 256]; 2]);
        for (treatment, counts) in self.treatments.iter().zip(counts) {
            for (byte, count) in (0_u8..=255).zip(counts).filter(|&(_, count)| count > 0) {
                self.symbols.known = self.symbols.known.saturating_sub(count); // N too, if the vocabulary has it
                if treatment.is_outside(byte) {
                    self.symbols.add_unknown(kind(byte), count);
                    self.found.count(byte, count, treatment.is_missed_lower_case(byte));
                }
            }
        }
    }

    /// What is done to the letters of the region at hand.
    fn treatment(&self) -> &Treatment {
        &self.treatments[usize::from(self.place.is_reverse)]
    }

    fn open(&self) -> &[u8] {
        &self.batch.bytes[self.batch.end()..]
    }

    fn weight(&self) -> usize {
        let bed = self.batch.bed.as_ref().map_or(0, BedColumns::weight);
        self.batch.bytes.len() + self.batch.names.len() + ROW_BYTES * self.batch.len() + bed
    }

    /// Closes the open row and opens the next window.
    fn close(&mut self, monitor: &Monitor) -> Result<()> {
        let length = self.open().len();
        let shared = length.saturating_sub(self.stride);
        let copied = self.batch.bytes[self.batch.bytes.len() - shared..].to_vec();
        self.rows_of_open(monitor)?;
        self.has_row = true;
        self.start = self.start.saturating_add(self.stride as u64);
        self.skip = self.stride.saturating_sub(length);
        self.shared = shared;
        if self.weight() > self.batch_letters {
            self.hand_over();
        }
        self.batch.bytes.extend_from_slice(&copied);
        Ok(())
    }

    /// Makes the open row one row, or as many as unknown letters cut it into.
    fn rows_of_open(&mut self, monitor: &Monitor) -> Result<()> {
        let from = self.batch.end();
        let side = usize::from(self.place.is_reverse);
        match self.treatment().unknown {
            UnknownPolicy::Token => {
                for (number, piece) in self.batch.bytes[from..].chunks(PIECE).enumerate() {
                    monitor.check()?;
                    if let Some(at) = self.treatments[side].count(piece, &mut self.counts[side]) {
                        return Err(self.refused(number * PIECE + at, piece[at]));
                    }
                }
                self.push(self.start, self.batch.bytes.len());
            }
            UnknownPolicy::Refuse => match self.treatment().first_outside(self.open()) {
                None => self.push(self.start, self.batch.bytes.len()),
                Some(at) => return Err(self.refused(at, self.open()[at])),
            },
            UnknownPolicy::Split => self.split_open(monitor)?,
        }
        Ok(())
    }

    /// Moves the runs of known letters together, each a row.
    fn split_open(&mut self, monitor: &Monitor) -> Result<()> {
        let (mut from, mut to) = (self.batch.end(), self.batch.end());
        let (first, side) = (from, usize::from(self.place.is_reverse));
        while from < self.batch.bytes.len() {
            if self.batch.len().is_multiple_of(1024) {
                monitor.check()?;
            }
            let treatment = &self.treatments[side];
            let unknown = treatment.count_outside(&self.batch.bytes[from..]);
            if let Some(at) = treatment.count(&self.batch.bytes[from..from + unknown], &mut self.counts[side])
            {
                return Err(self.refused(from - first + at, self.batch.bytes[from + at]));
            }
            self.letters += unknown as u64;
            from += unknown;
            let known = treatment.count_inside(&self.batch.bytes[from..]);
            if known > 0 {
                if treatment.knows_any_base() {
                    treatment.count(&self.batch.bytes[from..from + known], &mut self.counts[side]);
                }
                let start = self.start + (from - first) as u64;
                self.batch.bytes.copy_within(from..from + known, to);
                (from, to) = (from + known, to + known);
                self.push(start, to);
            }
        }
        self.batch.bytes.truncate(to);
        Ok(())
    }

    /// The letters after the last row, up to `to`, become a row.
    fn push(&mut self, start: u64, to: usize) {
        let from = self.batch.end();
        let treatment = &self.treatments[usize::from(self.place.is_reverse)];
        treatment.apply(&mut self.batch.bytes[from..to]);
        let (first, last) = self.place.of(start, start + (to - from) as u64);
        self.batch.push(&self.name, first, last, to);
        if let (Some(bed), Some(list)) = (&mut self.batch.bed, &self.list) {
            bed.push(&self.place, list, treatment.reverse, start, start + (to - from) as u64);
        }
        self.rows += 1;
        self.letters += (to - from) as u64;
    }

    /// Letter `at` of the open row has no place in it.
    fn refused(&self, at: usize, byte: u8) -> Error {
        let position = self.place.of(self.start + at as u64, self.start + at as u64 + 1).0;
        if kind(byte) == LetterKind::AminoAcid {
            return no_nucleotide(self.name.as_bytes(), position, byte);
        }
        let reason = if self.treatment().is_missed_lower_case(byte) {
            "is not in the vocabulary, which knows upper case only; upper-case the sequence, or let unknown letters be"
        } else {
            "is not in the vocabulary, and unknown letters are to be an error"
        };
        Error::Symbol {
            file: None,
            line: None,
            record: self.name.clone(),
            position,
            byte,
            reason: reason.to_owned(),
        }
    }

    /// The rows so far are a batch; the open one goes into the next.
    fn hand_over(&mut self) {
        let open = self.open().to_vec();
        self.batch.bytes.truncate(self.batch.end());
        let batch = self.replace(open);
        self.ready.push_back(batch);
    }

    /// The batch; the next begins with such letters.
    fn replace(&mut self, bytes: Vec<u8>) -> RowBatch {
        let bed = self.batch.bed.as_ref().map(|bed| BedColumns::new(bed.blocks.is_some()));
        std::mem::replace(&mut self.batch, RowBatch { bytes, bed, ..RowBatch::default() })
    }
}
