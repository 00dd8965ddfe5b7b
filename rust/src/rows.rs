//! Sequence files as rows: whole records, windows or regions of them, each with its place.
//!
//! A *row* is what is encoded as one sequence: the name of its record, its start and end there, and its symbols.
//!
//! # Which rows
//!
//! - By default each record is a row, even one without symbols.
//! - With *regions* ([`Regions`]) each region is a row. The order is that of the files, of their records, and of the
//!   regions of a record as given; or, on request, that of the lines of BED files.
//! - With a *window*, a record or region is cut into windows that start every `stride` symbols. The last may be shorter:
//!   the first window to reach the end is the last, so that none lies inside the one before. With a stride below the
//!   window they overlap; with one above it, the symbols between them are left out, as requested.
//! - The [policy](crate::alphabet::UnknownPolicy) for symbols outside the vocabulary applies to each of these rows: `Split`
//!   cuts at unknown symbols and leaves them out, `Refuse` makes one an error with its position, `Token` keeps them. They
//!   are counted by kind in any case.
//!
//! Positions count from 0, the end excluded, on the strand of the file, also for rows that are reverse-complemented: the
//! first symbol of such a row is the last of its range. All rows are reverse-complemented on request, and so are the
//! regions of BED files with strand `-`; where both apply, the row is as the file has it. Windows are cut along the file,
//! before that.
//!
//! # The path of a symbol
//!
//! ```text
//! SequenceReader ──> Sweep: which regions is it in? ──> RegionQueue: rows of one region at a time ──> Cutter ──> RowBatch
//!  pieces of a record                              └──> Spool: rows in the order of BED files ───────┘
//! ```
//!
//! Plain text comes in turns ([`crate::io::fasta::turn`]), some megabytes from all threads. Where rows are the symbols of
//! their records one after another, without regions and overlap, and no symbol is refused or cut at, a turn is copied to
//! the batch as a whole, and rows are made of it where it is.
//!
//! # Memory
//!
//! Rows come in batches of about 4 million symbols. Windows stream: a chromosome passes through one batch. A row longer
//! than a batch, such as a record without windows, makes a batch by itself. Regions of a record that are not given in the
//! order of their positions wait in memory for those before them; in the order of BED files all rows wait, in a file
//! (`spool`). Names are compared within a file, up to [`MAX_NAMES`] of them, eight bytes each.

mod bed;
mod cutter;
mod digest;
mod lines;
mod name_hashes;
mod open_file;
mod options;
mod place;
mod region_queue;
mod regions;
mod report;
mod row_batch;
mod spool;
mod sweep;
mod symbol_rules;
mod worklist;

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::path::PathBuf;

use hashbrown::DefaultHashBuilder;

use crate::alphabet::is_base;
use crate::corpus::is_packed;
use crate::error::{Error, Result};
use crate::io::fasta::plain::QuietSymbols;
use crate::io::fasta::turn::{Turn, Turns};
use crate::io::fasta::{Event, SequenceReader};
use crate::io::memory::Spares;
use crate::io::sizes::total_size;
use crate::io::sources::{self, Sources};
use crate::monitor::{Monitor, Phase};
use crate::verdict;
use cutter::Cutter;
use digest::Digester;
use lines::with_line;
use name_hashes::NameHashes;
use open_file::OpenFile;
use region_queue::RegionQueue;
use regions::Region;
use spool::Spool;
use symbol_rules::SymbolRules;

pub use digest::RecordDigest;
pub use options::{BATCH_SYMBOLS, RowOptions, RowOrder};
pub use place::{BedColumns, BlockColumns};
pub use regions::Regions;
pub use report::{KINDS, MAX_NAMES, RowReport};
pub use row_batch::RowBatch;

/// The rows of files, in order: an iterator over batches that can fail.
pub struct SequenceRows {
    paths: VecDeque<PathBuf>,
    /// The same files as streams, from the first that is read on.
    files: Option<Sources>,
    num_files: usize,
    bytes_total: u64,
    regions: Option<Regions>,
    cutter: Cutter,
    /// Where rows wait for their turn; only in the order of BED files.
    spool: Option<Spool>,
    /// The first file, named where rows of several files are judged together.
    first: PathBuf,
    report: RowReport,
    open: Option<OpenFile>,
    /// The reader of the open file.
    reader: Option<Box<SequenceReader>>,
    /// Absent only during a step.
    turns: Option<Box<Turns>>,
    hasher: DefaultHashBuilder,
    /// The symbols of a turn that is not added as a whole.
    symbols: Vec<u8>,
    /// Computes the digests of records, if they are requested.
    digester: Option<Digester>,
    /// The first record names, for messages.
    names: Vec<String>,
    allow_unknown: f64,
    /// Whether files are summed.
    is_summed: bool,
    /// The first file, while a base is required and none is found.
    baseless: Option<PathBuf>,
    /// Records of all files so far.
    records: u64,
    /// Whether the last batch was taken.
    is_ended: bool,
    /// After an error there are no more rows.
    failed: bool,
}

impl SequenceRows {
    /// The rows of the files, which are opened one after another. `is_known` says which bytes the vocabulary has.
    ///
    /// Fails if the options contradict each other, or if a file is a packed corpus, which has no names, no positions and
    /// no symbols other than bases.
    pub fn open(paths: Vec<PathBuf>, options: &RowOptions, is_known: impl Fn(u8) -> bool) -> Result<Self> {
        options.check()?;
        for path in &paths {
            if is_packed(path) {
                let reason = "is a packed corpus, which has neither names nor places; give the sequence files it was \
                              made of";
                return Err(Error::file(path, reason));
            }
        }
        let rules = |reverse| SymbolRules::new(&is_known, options.upper_case, reverse, options.unknown);
        let rules_by_strand = [options.reverse_complement, !options.reverse_complement].map(rules);
        let spool =
            (options.order == RowOrder::Bed).then(|| Spool::new(options.regions.as_ref(), paths.clone()));
        let cutter = Cutter::new(options, rules_by_strand);
        let hasher = DefaultHashBuilder::default();
        let quiet = QuietSymbols::new(|symbol| cutter.forward_rules().is_quiet(symbol));
        // A turn may be larger than a batch for the sake of many threads, but not if small batches are asked for.
        let is_default = options.batch_symbols >= BATCH_SYMBOLS;
        let turn_bytes = if is_default { usize::MAX } else { options.batch_symbols };
        Ok(Self {
            turns: Some(Box::new(Turns::new(quiet, hasher.clone(), turn_bytes))),
            hasher,
            reader: None,
            symbols: Vec::new(),
            spool: spool.transpose()?,
            num_files: paths.len(),
            bytes_total: total_size(&paths),
            first: paths.first().cloned().unwrap_or_default(),
            baseless: paths.first().filter(|_| options.need_bases).cloned(),
            paths: paths.into(),
            files: None,
            regions: options.regions.clone(),
            cutter,
            report: RowReport::default(),
            open: None,
            digester: options.digests.then(Digester::new),
            names: Vec::new(),
            allow_unknown: options.allow_unknown,
            is_summed: options.checksums,
            records: 0,
            is_ended: false,
            failed: false,
        })
    }

    /// The next batch, of at least one row; none at the end and after an error.
    pub fn next_batch(&mut self, monitor: &Monitor) -> Result<Option<RowBatch>> {
        if self.failed {
            return Ok(None);
        }
        let batch = self.read_on(monitor);
        self.is_ended = matches!(batch, Ok(None));
        self.failed = batch.is_err();
        batch
    }

    /// Gives rows that are longer than a batch in parts, each in a batch ([`RowBatch::parts`]). `find` says where symbols may
    /// be cut, none if nowhere.
    pub(crate) fn cut_long_rows(&mut self, find: impl Fn(&[u8]) -> Option<usize> + Send + 'static) {
        self.cutter.cut_long_rows(Box::new(find));
    }

    /// Reads with turns of these sizes of a chunk, of a turn and of a long line; strictly without.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn set_turns(&mut self, sizes: Option<[usize; 3]>) {
        self.turns = sizes.map(|[chunk, turn, long_line]| {
            let quiet = QuietSymbols::new(|symbol| self.cutter.forward_rules().is_quiet(symbol));
            Box::new(Turns::with_sizes(quiet, self.hasher.clone(), chunk, turn, long_line))
        });
    }

    /// Where the bytes of batches go when nobody needs them any more, for batches to come.
    pub(crate) fn spares(&self) -> Spares {
        self.cutter.spares().clone()
    }

    /// Takes what was read and found since the last call. Digests may come later; after the last batch all are there.
    pub fn take_report(&mut self) -> RowReport {
        self.cutter.report(&mut self.report);
        if let Some(digester) = &mut self.digester {
            self.report.digests.extend(digester.take(self.is_ended));
        }
        std::mem::take(&mut self.report)
    }

    /// Reads until a batch is full or everything is read.
    ///
    /// A batch is held back while a fault of a BED line is known: the run will fail then, and nothing is returned of a run
    /// that fails for its arguments. At the end the order matters: regions that were not found first, then the lack of a
    /// base, then the rows that waited.
    fn read_on(&mut self, monitor: &Monitor) -> Result<Option<RowBatch>> {
        loop {
            if let Some(batch) = self.cutter.take_ready().filter(|_| self.is_faultless()) {
                return Ok(Some(batch));
            }
            if self.open.is_some() {
                if self.step(monitor).map_err(|error| self.with_place(error))? {
                    self.end_file()?;
                }
            } else if let Some(path) = self.paths.pop_front() {
                self.open_file(path, monitor)?;
            } else {
                if let Some(mut regions) = self.regions.take() {
                    regions.check_found(&self.names)?;
                }
                if let Some(first) = self.baseless.take() {
                    return Err(verdict::no_base(&first, self.records));
                }
                let Some(spool) = &mut self.spool else { return Ok(self.cutter.take_last()) };
                // Rows in the order of BED files come after all files, so they are judged together.
                if !spool.make_rows(&mut self.cutter, monitor)? {
                    self.spool = None;
                    self.cutter.end_file().check(&self.first, self.allow_unknown)?;
                }
            }
        }
    }

    /// Opens the next file.
    fn open_file(&mut self, path: PathBuf, monitor: &Monitor) -> Result<()> {
        monitor.check()?;
        let index = self.num_files - self.paths.len() - 1;
        monitor.enter(Phase::Reading {
            file: path.clone(),
            file_index: index,
            files: self.num_files,
            bytes_total: self.bytes_total,
        });
        let waiting = std::iter::once(&path).chain(&self.paths);
        let is_summed = self.is_summed;
        let sources = || Sources::for_pool(waiting.cloned().collect(), is_summed);
        let files = self.files.get_or_insert_with(sources);
        let file = files.next().unwrap_or_else(|| sources::open(&path, is_summed))?;
        self.reader = Some(Box::new(SequenceReader::from_file(path.as_path(), file)?));
        self.turns.iter_mut().for_each(|turns| turns.restart());
        self.open = Some(OpenFile {
            index,
            path,
            names: NameHashes::default(),
            in_record: false,
            records: 0,
            position: 0,
            queue: RegionQueue::default(),
            reported: [0; 2],
            symbols: 0,
            events: 0,
        });
        Ok(())
    }

    /// The error with its place in the open file.
    fn with_place(&self, error: Error) -> Error {
        let Some(file) = &self.open else { return error };
        with_line(error.in_file(&file.path), &file.path, file.records)
    }

    /// Handles a turn or an event of the open file; true at the end of the file.
    fn step(&mut self, monitor: &Monitor) -> Result<bool> {
        let (Some(mut reader), Some(file)) = (self.reader.take(), &mut self.open) else { return Ok(true) };
        file.check_interrupt(&reader, monitor)?;
        let mut turns = self.turns.take();
        let turn = turns.as_mut().filter(|_| file.in_record).map(|turns| reader.next_turn(turns));
        let ended = match turn.transpose()?.flatten() {
            Some(turn) => self.add_turn(&turn, monitor).map(|()| false)?,
            None => self.add_event(&mut reader, monitor)?,
        };
        self.turns = turns;
        self.reader = Some(reader);
        Ok(ended)
    }

    /// Handles the next event; true at the end of the file.
    fn add_event(&mut self, reader: &mut SequenceReader, monitor: &Monitor) -> Result<bool> {
        match reader.next_event()? {
            Some(Event::Symbols(symbols)) => self.add_symbols(symbols, monitor)?,
            Some(Event::Record { name, .. }) => {
                self.end_record(monitor)?;
                self.start_record(name, self.hasher.hash_one(name))?;
            }
            None => {
                self.end_record(monitor)?;
                self.open.iter_mut().for_each(|file| file.report_progress(reader, monitor));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the next symbols of the open record.
    fn add_symbols(&mut self, symbols: &[u8], monitor: &Monitor) -> Result<()> {
        let Some(file) = &mut self.open else { return Ok(()) };
        file.symbols += symbols.len() as u64;
        self.digester.iter_mut().for_each(|digester| digester.update(symbols));
        if self.baseless.is_some() && symbols.iter().any(|&symbol| is_base(symbol)) {
            self.baseless = None;
        }
        let list = self.regions.as_ref().and_then(Regions::list).map(AsRef::as_ref);
        let is_faultless = self.regions.as_ref().is_none_or(Regions::is_faultless);
        match &mut self.spool {
            _ if !is_faultless => {} // only further faults are of interest
            Some(spool) => spool.add(file.position, symbols, list)?,
            None => file.queue.add(file.position, symbols, list, &mut self.cutter, monitor)?,
        }
        file.position += symbols.len() as u64;
        Ok(())
    }

    /// Adds a turn: as a whole where rows are contiguous and no symbol is refused or cut at, else record by record.
    fn add_turn(&mut self, turn: &Turn<'_>, monitor: &Monitor) -> Result<()> {
        if self.regions.is_none() && self.spool.is_none() && self.cutter.takes(turn) {
            self.add_whole_turn(turn);
            return Ok(());
        }
        let mut symbols = std::mem::take(&mut self.symbols);
        symbols.resize(turn.symbols, 0);
        turn.copy(&mut symbols);
        let mut from = 0;
        for (at, name, hash) in turn.records() {
            self.add_symbols(&symbols[from..at], monitor)?;
            self.end_record(monitor)?;
            self.start_record(name, hash)?;
            from = at;
        }
        self.add_symbols(&symbols[from..], monitor)?;
        self.symbols = symbols;
        Ok(())
    }

    /// Adds a turn whose symbols become rows where they are copied to.
    fn add_whole_turn(&mut self, turn: &Turn<'_>) {
        let base = self.cutter.add_turn(turn);
        if self.baseless.is_some() && self.cutter.bytes()[base..].iter().any(|&symbol| is_base(symbol)) {
            self.baseless = None;
        }
        if self.digester.is_none() && self.cutter.takes_records() {
            self.add_records(turn, base);
            return self.cutter.end_turn();
        }
        let mut from = base;
        for (at, name, hash) in turn.records() {
            self.extend_record(from, base + at);
            from = base + at;
            self.cutter.end_region_at(from);
            self.finish_record();
            self.count_record(name, hash);
            self.cutter.start_region(&Region::WHOLE);
        }
        self.extend_record(from, base + turn.symbols);
        self.cutter.end_turn();
    }

    /// Adds a turn in which each record is a row.
    fn add_records(&mut self, turn: &Turn<'_>, base: usize) {
        let Some(file) = &mut self.open else { return };
        file.symbols += turn.symbols as u64;
        file.position += turn.symbols as u64;
        for (before, piece) in turn.pieces() {
            self.cutter.add_records(piece, base + before);
            let Some(last) = piece.heads.last() else { continue };
            let found = piece.heads.len() as u64;
            self.report.records += found;
            self.records += found;
            file.records += found;
            file.position = (turn.symbols - before - last.symbols) as u64;
            let kept = regions::NAMES_KEPT.saturating_sub(self.names.len());
            self.names.extend(
                piece.records().take(kept).map(|(_, name)| String::from_utf8_lossy(name).into_owned()),
            );
            file.names.add(piece.heads.iter().map(|head| head.hash));
        }
    }

    /// Adds the symbols `from..to` of the batch to the open record.
    fn extend_record(&mut self, from: usize, to: usize) {
        let Some(file) = &mut self.open else { return };
        file.symbols += (to - from) as u64;
        self.digester.iter_mut().for_each(|digester| digester.update(&self.cutter.bytes()[from..to]));
        file.position += (to - from) as u64;
        self.cutter.advance(to);
    }

    /// Whether no fault of a BED line is known, which fails the run.
    fn is_faultless(&self) -> bool {
        self.regions.as_ref().is_none_or(Regions::is_faultless)
    }

    /// Starts a record: counts it, compares its name, and finds its regions.
    fn start_record(&mut self, name: &[u8], hash: u64) -> Result<()> {
        self.count_record(name, hash);
        let Some(file) = &mut self.open else { return Ok(()) };
        let whole = [Region::WHOLE];
        let regions = match &mut self.regions {
            None => &whole[..],
            Some(regions) => regions.of_record(name, file.index, &file.path)?,
        };
        match &mut self.spool {
            Some(spool) => spool.start_record(regions, name, file.index)?,
            None => file.queue = RegionQueue::new(regions, &mut self.cutter),
        }
        Ok(())
    }

    /// Counts a record that starts, and compares its name with those before it in the file.
    fn count_record(&mut self, name: &[u8], hash: u64) {
        let Some(file) = &mut self.open else { return };
        self.report.records += 1;
        self.records += 1;
        file.records += 1;
        (file.in_record, file.position) = (true, 0);
        self.cutter.start_record(name);
        if self.names.len() < regions::NAMES_KEPT {
            self.names.push(self.cutter.name().to_owned());
        }
        file.names.add([hash]);
    }

    /// Ends the open file, and judges whether it is a nucleotide file.
    fn end_file(&mut self) -> Result<()> {
        let Some(mut file) = self.open.take() else { return Ok(()) };
        let reader = self.reader.take();
        if self.is_summed {
            self.report.checksums.push(reader.and_then(|reader| reader.checksum()));
        }
        self.report.duplicate_names += file.names.duplicates();
        self.report.files += 1;
        verdict::check_not_empty(&file.path, file.records, file.symbols)?;
        self.cutter.end_file().check(&file.path, self.allow_unknown)
    }

    /// Ends the open record, if there is one: regions beyond its end are faults.
    fn end_record(&mut self, monitor: &Monitor) -> Result<()> {
        let Some(file) = self.open.as_mut().filter(|file| file.in_record) else { return Ok(()) };
        file.in_record = false;
        let length = file.position;
        if let Some(regions) = &mut self.regions {
            let name = self.cutter.name();
            let mut note = |region| regions.add_beyond(&region, name, length);
            match &self.spool {
                Some(spool) => spool.beyond(length).try_for_each(&mut note)?,
                None => file.queue.beyond(length).try_for_each(&mut note)?,
            }
        }
        if self.regions.as_ref().is_none_or(Regions::is_faultless) {
            file.queue.end_record(&mut self.cutter, monitor)?;
        }
        self.finish_record();
        Ok(())
    }

    /// Adds the digest of a record whose symbols are all read.
    fn finish_record(&mut self) {
        if let (Some(file), Some(digester)) = (&self.open, &mut self.digester) {
            digester.end_record(&file.path, self.cutter.name(), file.position);
        }
    }
}

#[cfg(test)]
mod tests;
