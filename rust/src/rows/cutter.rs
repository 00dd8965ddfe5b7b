//! Symbols to rows: regions are cut into windows, these at unknown symbols if the policy says so, and rows are collected
//! in batches.
//!
//! # The open row
//!
//! The symbols of the open row are the last in the batch's bytes, after the end of the last row: `bytes[end..]`. When it
//! is closed they become a row where they are. They move only if the batch is full while a row is open: then they are
//! the first of the next batch. Between calls the invariants are:
//!
//! - the open row starts at symbol `start` of the region, and its first `shared` symbols are copies of the end of the
//!   window before it (with a stride below the window);
//! - the next `skip` symbols of the region belong to no row (with a stride above the window); `shared` or `skip` is 0;
//! - with a window, the open row has fewer symbols than that: it is closed as soon as it is full.
//!
//! At the end of a region the open row counts only if it has symbols beyond the `shared` ones; otherwise the window
//! before it has reached the end already. Ten symbols in windows of four:
//!
//! ```text
//! symbols    0123456789
//! stride 4   0123 4567 89             the last is shorter
//! stride 3   0123 3456 6789           6789 reaches the end; 9 alone would lie inside it
//! stride 6   0123 6789                4 and 5 are skipped
//! ```
//!
//! # Cutting at unknown symbols
//!
//! Windows are cut first, so that their starts are multiples of the stride for any symbols; unknown symbols then
//! cut windows further. Rows of one window keep their positions and their order in the file, on either strand: each is
//! reverse-complemented by itself.

use std::collections::VecDeque;
use std::sync::Arc;

use super::place::{BedColumns, RegionPlace};
use super::regions::Region;
use super::symbol_rules::{ByteCounts, SymbolRules};
use super::worklist::WorkList;
use super::{BATCH_SYMBOLS, Regions, RowBatch, RowOptions, RowReport};
use crate::alphabet::{SymbolKind, UnknownPolicy, kind};
use crate::error::{Error, Result};
use crate::io::fasta::plain::PlainPiece;
use crate::io::fasta::turn::Turn;
use crate::io::memory::{self, Spares};
use crate::monitor::Monitor;
use crate::verdict::{SymbolTally, no_nucleotide};

/// Bytes of a row in a batch beside its symbols and its name.
const ROW_BYTES: usize = 32;
/// Symbols of a part of a long row, in batches: each part is cut again for the lanes of all threads.
const PART_BATCHES: usize = 2;
/// Symbols that are processed between two checks for an interrupt.
const PIECE_SYMBOLS: usize = if cfg!(test) { 8 } else { 1 << 24 };

/// Finds a place where symbols may be cut.
pub(super) type FindCut = Box<dyn Fn(&[u8]) -> Option<usize> + Send>;

/// Makes rows of the symbols of one region after another: [`start_region`](Self::start_region), then
/// [`add`](Self::add) any number of times, then [`end_region`](Self::end_region).
pub(super) struct Cutter {
    window: Option<usize>,
    stride: usize,
    batch_symbols: usize,
    /// The rules for regions on the strand of the file, and on the other.
    rules_by_strand: [SymbolRules; 2],
    /// The rows of BED files, if there are any.
    list: Option<Arc<WorkList>>,
    /// The name of the open record.
    name: String,
    /// The position of the open region.
    place: RegionPlace,
    /// The batch being filled, the symbols of the open row at its end.
    batch: RowBatch,
    /// Memory for the bytes of batches to come.
    spares: Spares,
    /// Says where a long row may be cut.
    find_cut: Option<FindCut>,
    /// Full batches that are not taken.
    ready: VecDeque<RowBatch>,
    /// Where the open row starts in the region's symbols.
    start: u64,
    /// Symbols of the open row that are in the row before it, too.
    shared: usize,
    /// Symbols to skip before the open row starts.
    skip: usize,
    /// Symbols at the start of the open row that are in `counts` already.
    counted: usize,
    /// Whether the open region has a row yet.
    has_row: bool,
    /// Symbols outside the vocabulary and N, by strand.
    counts: Box<[ByteCounts; 2]>,
    /// What was found since the last report.
    found: RowReport,
    /// The symbols in the rows of the open file, for the verdict.
    tally: SymbolTally,
    /// Rows and their symbols that are not in `found` yet.
    rows: u64,
    symbols: u64,
}

impl Cutter {
    /// A cutter before the first record; `rules_by_strand` are those for the file's strand and for the other.
    pub(super) fn new(options: &RowOptions, rules_by_strand: [SymbolRules; 2]) -> Self {
        let fit = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        let window = options.window.map(fit);
        let list = options.regions.as_ref().and_then(|regions| regions.list().cloned());
        let columns = || BedColumns::new(options.regions.as_ref().is_some_and(Regions::with_blocks));
        let bed = list.is_some().then(columns);
        Self {
            window,
            stride: options.stride.map(fit).or(window).unwrap_or(usize::MAX),
            batch_symbols: options.batch_symbols.max(1),
            rules_by_strand,
            list,
            name: String::new(),
            place: RegionPlace::default(),
            batch: RowBatch { bed, ..RowBatch::default() },
            spares: Spares::default(),
            find_cut: None,
            ready: VecDeque::new(),
            start: 0,
            shared: 0,
            skip: 0,
            counted: 0,
            has_row: false,
            counts: Box::new([[0; 256]; 2]),
            found: RowReport::default(),
            tally: SymbolTally::default(),
            rows: 0,
            symbols: 0,
        }
    }

    /// Starts a record.
    pub(super) fn start_record(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.push_str(&String::from_utf8_lossy(name));
    }

    /// The name of the open record.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Starts a region of the record.
    pub(super) fn start_region(&mut self, region: &Region) {
        self.place.set(region, self.list.as_deref());
        (self.start, self.shared, self.skip, self.has_row) = (0, 0, 0, false);
    }

    /// Adds the next symbols of the region. Fails at a symbol that the policy refuses, or that is no nucleotide.
    pub(super) fn add(&mut self, mut symbols: &[u8], monitor: &Monitor) -> Result<()> {
        while !symbols.is_empty() {
            let skipped = self.skip.min(symbols.len());
            self.skip -= skipped;
            symbols = &symbols[skipped..];
            let capacity = self.window.map_or(usize::MAX, |window| window - self.open().len());
            let (now, later) = symbols.split_at(capacity.min(symbols.len()));
            self.batch.bytes.extend_from_slice(now);
            if now.len() == capacity {
                self.close(monitor)?;
            } else if self.batch.len() > 0 && self.weight() > self.batch_symbols {
                self.finish_batch(); // all but the open row
            }
            symbols = later;
        }
        Ok(())
    }

    /// Ends the region. The open row counts if it has symbols beyond the shared ones; without windows and cuts, a region is
    /// a row even if it is empty.
    pub(super) fn end_region(&mut self, monitor: &Monitor) -> Result<()> {
        let is_whole = self.window.is_none() && self.rules().unknown != UnknownPolicy::Split;
        if self.open().len() > self.shared || (is_whole && !self.has_row) {
            self.close(monitor)?;
        }
        self.batch.bytes.truncate(self.batch.end());
        self.counted = 0;
        Ok(())
    }

    /// Whether rows are the symbols of their records one after another.
    fn is_contiguous(&self) -> bool {
        self.list.is_none() && self.window.is_none_or(|window| window == self.stride)
    }

    /// The rules for the strand of the file.
    pub(super) fn forward_rules(&self) -> &SymbolRules {
        &self.rules_by_strand[0]
    }

    /// Whether a turn can be added: rows are contiguous, and the rules take all symbols of the turn and of the open row.
    pub(super) fn takes(&self, turn: &Turn<'_>) -> bool {
        let rules = self.forward_rules();
        let mut counts = [0; 256];
        let is_whole = rules.count(&self.open()[self.counted..], &mut counts).is_none();
        let takes_all = |counts: &ByteCounts| rules.takes_all(counts);
        self.is_contiguous() && is_whole && takes_all(&counts) && turn.counts().all(takes_all)
    }

    /// Adds the symbols of a turn behind the open row, which [`Self::advance`] makes rows of; returns where they start. The
    /// cutter must [take](Self::takes) the turn.
    ///
    /// Symbols of a turn are counted as they come, others when their row is closed: `counted` tells how many of the open
    /// row are.
    pub(super) fn add_turn(&mut self, turn: &Turn<'_>) -> usize {
        let from = self.batch.bytes.len();
        if self.batch.bytes.capacity() - from < turn.symbols {
            // A record that is a row grows by doubling.
            let more = turn.symbols.max(from).max(self.batch_symbols.min(BATCH_SYMBOLS));
            memory::try_reserve(&mut self.batch.bytes, more).ok(); // if not, the next line fails
        }
        self.batch.bytes.resize(from + turn.symbols, 0);
        turn.copy(&mut self.batch.bytes[from..]);
        let rules = &self.rules_by_strand[0];
        if rules.unknown != UnknownPolicy::Refuse {
            rules.count(&self.batch.bytes[self.batch.end() + self.counted..from], &mut self.counts[0]);
            for counts in turn.counts() {
                self.counts[0].iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        from
    }

    /// Extends the open row up to `to` in the bytes of the batch, closing windows that are full.
    pub(super) fn advance(&mut self, to: usize) {
        while let Some(window) = self.window.filter(|window| to - self.batch.end() >= *window) {
            self.push(self.start, self.batch.end() + window);
            self.start += window as u64;
            self.has_row = true;
        }
    }

    /// Ends the region, whose last symbol is before `at` in the bytes of the batch.
    pub(super) fn end_region_at(&mut self, at: usize) {
        let is_whole = self.window.is_none() && self.forward_rules().unknown != UnknownPolicy::Split;
        if at > self.batch.end() || (is_whole && !self.has_row) {
            self.push(self.start, at);
            self.has_row = true;
        }
    }

    /// Whether a record is a row as it is, so that [`Self::add_records`] can be called.
    pub(super) fn takes_records(&self) -> bool {
        let rules = self.forward_rules();
        self.window.is_none() && !rules.reverse && rules.unknown != UnknownPolicy::Split
    }

    /// Makes rows of the records that end in a piece, whose symbols start at `base` in the bytes of the batch; the last one
    /// is open afterwards.
    pub(super) fn add_records(&mut self, piece: &PlainPiece, base: usize) {
        let Some(first) = piece.heads.first() else { return };
        self.end_region_at(base + first.symbols);
        let from = self.batch.end();
        let before = self.batch.len();
        self.batch.push_records(piece, base);
        self.rows += (self.batch.len() - before) as u64;
        let to = self.batch.end();
        self.symbols += (to - from) as u64;
        self.rules_by_strand[0].apply(&mut self.batch.bytes[from..to]);
        if let Some((_, name)) = piece.records().last() {
            self.start_record(name);
        }
        self.start_region(&Region::WHOLE);
    }

    /// Ends a turn: a full batch is finished.
    pub(super) fn end_turn(&mut self) {
        self.counted = self.open().len();
        let is_long = self.counted > PART_BATCHES * self.batch_symbols && !self.forward_rules().reverse;
        let find_cut = self.find_cut.as_ref().filter(|_| is_long && self.window.is_none());
        let cut = find_cut.and_then(|find| find(self.open()));
        if let Some(at) = cut.filter(|&at| 0 < at && at < self.counted) {
            self.finish_part(at);
        }
        if self.batch.len() > 0 && self.weight() > self.batch_symbols {
            self.finish_batch();
        }
    }

    /// Finishes the batch with the first `at` symbols of the open row, which goes on in the next.
    fn finish_part(&mut self, at: usize) {
        self.push(self.start, self.batch.end() + at);
        self.rows -= 1; // it is counted when it ends
        self.start += at as u64;
        self.counted -= at;
        self.batch.parts[1] = true;
        self.finish_batch();
        self.batch.parts[0] = true;
    }

    /// Gives long rows in parts from now on. `find` says where symbols may be cut, none if nowhere.
    pub(super) fn cut_long_rows(&mut self, find: FindCut) {
        self.find_cut = Some(find);
    }

    /// The bytes of the batch.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.batch.bytes
    }

    /// Where the bytes of batches go when nobody needs them any more.
    pub(super) fn spares(&self) -> &Spares {
        &self.spares
    }

    /// Takes the next full batch.
    pub(super) fn take_ready(&mut self) -> Option<RowBatch> {
        self.ready.pop_front()
    }

    /// The last batch, full or not; none if it is empty.
    pub(super) fn take_last(&mut self) -> Option<RowBatch> {
        (self.batch.len() > 0).then(|| self.replace(Vec::new()))
    }

    /// Moves the counts since the last call to `report`.
    pub(super) fn report(&mut self, report: &mut RowReport) {
        self.settle();
        report.add(std::mem::take(&mut self.found));
    }

    /// Ends the file, and returns the tally of the symbols in its rows.
    pub(super) fn end_file(&mut self) -> SymbolTally {
        self.settle();
        std::mem::take(&mut self.tally)
    }

    /// Adds the counts by byte to the report and to the tally. Known symbols are all that were not counted.
    fn settle(&mut self) {
        let symbols = std::mem::take(&mut self.symbols);
        self.found.rows += std::mem::take(&mut self.rows);
        self.found.symbols += symbols;
        self.tally.known += symbols;
        let counts = std::mem::replace(&mut *self.counts, [[0; 256]; 2]);
        for (rules, counts) in self.rules_by_strand.iter().zip(counts) {
            for (byte, count) in (0_u8..=255).zip(counts).filter(|&(_, count)| count > 0) {
                self.tally.known = self.tally.known.saturating_sub(count); // N too, if the vocabulary has it
                if rules.is_outside(byte) {
                    self.tally.add_unknown(kind(byte), count);
                    self.found.count(byte, count, rules.is_missed_lower_case(byte));
                }
            }
        }
    }

    /// The rules for the open region.
    fn rules(&self) -> &SymbolRules {
        &self.rules_by_strand[usize::from(self.place.is_reverse)]
    }

    /// The symbols of the open row.
    fn open(&self) -> &[u8] {
        &self.batch.bytes[self.batch.end()..]
    }

    /// Bytes of memory of the batch, approximately.
    fn weight(&self) -> usize {
        let bed = self.batch.bed.as_ref().map_or(0, BedColumns::weight);
        self.batch.bytes.len() + self.batch.names.len() + ROW_BYTES * self.batch.len() + bed
    }

    /// Closes the open row and opens the next window, with a copy of the symbols that both share.
    ///
    /// The copy is made first: cutting and converting change the bytes of the closed row.
    fn close(&mut self, monitor: &Monitor) -> Result<()> {
        let length = self.open().len();
        let shared = length.saturating_sub(self.stride);
        let copied = self.batch.bytes[self.batch.bytes.len() - shared..].to_vec();
        self.rows_of_open(monitor)?;
        (self.has_row, self.counted) = (true, 0);
        self.start = self.start.saturating_add(self.stride as u64);
        self.skip = self.stride.saturating_sub(length);
        self.shared = shared;
        if self.weight() > self.batch_symbols {
            self.finish_batch();
        }
        self.batch.bytes.extend_from_slice(&copied);
        Ok(())
    }

    /// Makes the open row a row, or as many rows as unknown symbols cut it into.
    fn rows_of_open(&mut self, monitor: &Monitor) -> Result<()> {
        let from = self.batch.end();
        let side = usize::from(self.place.is_reverse);
        match self.rules().unknown {
            UnknownPolicy::Token => {
                let first = self.counted;
                for (number, piece) in self.batch.bytes[from + first..].chunks(PIECE_SYMBOLS).enumerate() {
                    monitor.check()?;
                    if let Some(at) = self.rules_by_strand[side].count(piece, &mut self.counts[side]) {
                        return Err(self.refused(first + number * PIECE_SYMBOLS + at, piece[at]));
                    }
                }
                self.push(self.start, self.batch.bytes.len());
            }
            UnknownPolicy::Refuse => match self.rules().first_outside(self.open()) {
                None => self.push(self.start, self.batch.bytes.len()),
                Some(at) => return Err(self.refused(at, self.open()[at])),
            },
            UnknownPolicy::Split => self.split_open(monitor)?,
        }
        Ok(())
    }

    /// Makes each run of known symbols of the open row a row.
    ///
    /// Runs are moved down over the unknown symbols between them: `from` reads, `to` writes, and `to <= from`, so nothing
    /// unread is overwritten. The start of a row follows from `from`, before the move.
    fn split_open(&mut self, monitor: &Monitor) -> Result<()> {
        let (mut from, mut to) = (self.batch.end(), self.batch.end());
        let (first, side) = (from, usize::from(self.place.is_reverse));
        while from < self.batch.bytes.len() {
            if self.batch.len().is_multiple_of(1024) {
                monitor.check()?;
            }
            let rules = &self.rules_by_strand[side];
            let unknown = rules.count_outside(&self.batch.bytes[from..]);
            if let Some(at) = rules.count(&self.batch.bytes[from..from + unknown], &mut self.counts[side]) {
                return Err(self.refused(from - first + at, self.batch.bytes[from + at]));
            }
            self.symbols += unknown as u64;
            from += unknown;
            let known = rules.count_inside(&self.batch.bytes[from..]);
            if known > 0 {
                if rules.knows_any_base() {
                    let uncounted = (first + self.counted).clamp(from, from + known);
                    rules.count(&self.batch.bytes[uncounted..from + known], &mut self.counts[side]);
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

    /// Makes the bytes from the end of the last row up to `to` a row, which starts at symbol `start` of the region.
    fn push(&mut self, start: u64, to: usize) {
        let from = self.batch.end();
        let rules = &self.rules_by_strand[usize::from(self.place.is_reverse)];
        rules.apply(&mut self.batch.bytes[from..to]);
        let (first, last) = self.place.of(start, start + (to - from) as u64);
        self.batch.push(&self.name, first, last, to);
        if let (Some(bed), Some(list)) = (&mut self.batch.bed, &self.list) {
            bed.push(&self.place, list, rules.reverse, start, start + (to - from) as u64);
        }
        self.rows += 1;
        self.symbols += (to - from) as u64;
    }

    /// The error of symbol `at` of the open row, with its position in the record.
    fn refused(&self, at: usize, byte: u8) -> Error {
        let position = self.place.of(self.start + at as u64, self.start + at as u64 + 1).0;
        if kind(byte) == SymbolKind::AminoAcid {
            return no_nucleotide(self.name.as_bytes(), position, byte);
        }
        let reason = if self.rules().is_missed_lower_case(byte) {
            "is not in the vocabulary, which knows upper case only; upper-case the sequence, or allow unknown symbols"
        } else {
            "is not in the vocabulary, and unknown symbols are set to be an error"
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

    /// Finishes the batch with the rows so far; the open row moves to the next batch.
    fn finish_batch(&mut self) {
        let mut open = self.spares.take();
        open.extend_from_slice(self.open());
        self.batch.bytes.truncate(self.batch.end());
        let batch = self.replace(open);
        self.ready.push_back(batch);
    }

    /// Returns the batch; `bytes` are the first of the next.
    fn replace(&mut self, bytes: Vec<u8>) -> RowBatch {
        let bed = self.batch.bed.as_ref().map(|bed| BedColumns::new(bed.blocks.is_some()));
        std::mem::replace(&mut self.batch, RowBatch { bytes, bed, ..RowBatch::default() })
    }
}
