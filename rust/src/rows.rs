//! Sequence files as rows: whole records, windows or regions of them, each with its place.
//!
//! A *row* is what is encoded as one sequence: the name of its record, where it begins and ends there, and its letters.
//!
//! # Which rows
//!
//! - By default each record is a row, even one without letters.
//! - With *regions* ([`Regions`]) each region is a row; the order is that of the files, their records, and of the
//!   regions of a record as given; or, on request, that of the lines of BED files.
//! - With a *window*, a record or region is cut into windows that begin every `stride` letters. The last may be shorter:
//!   the first window to reach the end is the last, so that none lies inside the one before. With a stride below the
//!   window they overlap; above it, the letters between them are left out, as the caller said.
//! - The [policy](crate::alphabet::UnknownPolicy) for letters outside the vocabulary may be `Split`: each of these is cut at
//!   them, and they are left out. `Refuse` makes such a letter an error with its place, and `Token` lets it be. Either way
//!   they are counted, by kind.
//!
//! Places are counted from 0, the end excluded, on the strand of the file, also if rows are reversed and complemented:
//! then the first letter of the row is the last of its place. That is done to all rows on request, and to the regions
//! of BED files that have strand `-`; what is on the other strand and then reversed is as the file has it. Windows are
//! cut along the file first.
//!
//! # Memory
//!
//! Rows come in batches of about 16 million letters. Windows stream: a chromosome passes through one batch. A row that
//! is longer than a batch, a record without windows, is a batch of its own. Regions of a record that are not in order
//! of their place wait in memory for those before them. In the order of BED files all wait, in a file ([`spool`]). Names are compared within a file for as long as they are at
//! most [`MOST_NAMES`], eight bytes each.

mod bed;
mod cutter;
mod digest;
mod lines;
mod options;
mod parts;
mod place;
mod regions;
mod report;
mod row_batch;
mod spool;
mod sweep;
mod treatment;
mod worklist;

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::alphabet::is_base;
use crate::corpus::is_packed;
use crate::error::{Error, Result};
use crate::io::fasta::{Event, Reader};
use crate::io::sizes::total_size;
use crate::monitor::{Monitor, Phase};
use crate::verdict;
use cutter::Cutter;
use digest::Refget;
use lines::placed;
use parts::Parts;
use regions::Region;
use spool::Spool;
use treatment::Treatment;

pub use digest::RecordDigest;
pub use options::{BATCH_LETTERS, RowOptions, RowOrder};
pub use place::{BedColumns, BlockColumns};
pub use regions::Regions;
pub use report::{KINDS, MOST_NAMES, RowReport};
pub use row_batch::RowBatch;

/// Events of the reader between two looks for an interrupt.
const PATIENCE: u32 = 64;

/// Rows of files, in order.
pub struct Rows {
    paths: VecDeque<PathBuf>,
    num_files: usize,
    bytes_total: u64,
    regions: Option<Regions>,
    cutter: Cutter,
    /// Where rows wait for their turn in the order of BED files.
    spool: Option<Spool>,
    /// The first file, which stands for all where rows of several are judged together.
    first: PathBuf,
    report: RowReport,
    open: Option<OpenFile>,
    digests: bool,
    /// The first record names, for messages.
    names: Vec<String>,
    allow_unknown: f64,
    /// The first file, if there must be a base in one of them and none is found yet.
    baseless: Option<PathBuf>,
    /// Records of all files so far.
    records: u64,
    failed: bool,
}

/// The file at hand and the record at hand in it.
struct OpenFile {
    index: usize,
    reader: Reader,
    /// Hashes of the record names so far.
    names: FxHashSet<u64>,
    hasher: std::hash::RandomState,
    in_record: bool,
    records: u64,
    /// Letters of the record so far.
    position: u64,
    parts: Parts,
    refget: Option<Refget>,
    /// Letters and bytes told to the monitor.
    told: [u64; 2],
    letters: u64,
    events: u32,
}

impl Rows {
    /// Rows of the files, which are opened one after another. `is_letter` says which bytes the vocabulary knows.
    ///
    /// Fails if the options contradict each other, or if a file is a packed corpus: it has no names, no places and none
    /// of the letters that are not bases.
    pub fn open(paths: Vec<PathBuf>, options: &RowOptions, is_letter: impl Fn(u8) -> bool) -> Result<Self> {
        options.check()?;
        for path in &paths {
            if is_packed(path) {
                let reason = "is a packed corpus, which has neither names nor places; give the sequence files it was \
                              made of";
                return Err(Error::file(path, reason));
            }
        }
        let treatment = |reverse| Treatment::new(&is_letter, options.upper_case, reverse, options.unknown);
        let treatments = [options.reverse_complement, !options.reverse_complement].map(treatment);
        let spool =
            (options.order == RowOrder::Bed).then(|| Spool::new(options.regions.as_ref(), paths.clone()));
        Ok(Self {
            spool: spool.transpose()?,
            num_files: paths.len(),
            bytes_total: total_size(&paths),
            first: paths.first().cloned().unwrap_or_default(),
            baseless: paths.first().filter(|_| options.need_bases).cloned(),
            paths: paths.into(),
            regions: options.regions.clone(),
            cutter: Cutter::new(options, treatments),
            report: RowReport::default(),
            open: None,
            digests: options.digests,
            names: Vec::new(),
            allow_unknown: options.allow_unknown,
            records: 0,
            failed: false,
        })
    }

    /// The next rows, at least one; none at the end, and ever after an error.
    pub fn next_batch(&mut self, monitor: &Monitor) -> Result<Option<RowBatch>> {
        if self.failed {
            return Ok(None);
        }
        let batch = self.read_on(monitor);
        self.failed = batch.is_err();
        batch
    }

    /// What was read and found since the last time.
    pub fn take_report(&mut self) -> RowReport {
        self.cutter.report(&mut self.report);
        std::mem::take(&mut self.report)
    }

    fn read_on(&mut self, monitor: &Monitor) -> Result<Option<RowBatch>> {
        loop {
            if let Some(batch) = self.cutter.take_ready().filter(|_| self.is_faultless()) {
                return Ok(Some(batch));
            }
            if let Some(file) = &mut self.open {
                let path = file.reader.path().to_path_buf();
                let record = file.records;
                if self.step(monitor).map_err(|error| placed(error.in_file(&path), &path, record))? {
                    self.end_file(&path)?;
                }
            } else if let Some(path) = self.paths.pop_front() {
                self.open = Some(self.open_file(&path, monitor)?);
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

    fn open_file(&self, path: &Path, monitor: &Monitor) -> Result<OpenFile> {
        monitor.check()?;
        let index = self.num_files - self.paths.len() - 1;
        monitor.enter(Phase::Reading {
            file: path.to_path_buf(),
            file_index: index,
            files: self.num_files,
            bytes_total: self.bytes_total,
        });
        Ok(OpenFile {
            index,
            reader: Reader::open(path)?,
            names: FxHashSet::default(),
            hasher: std::hash::RandomState::new(),
            in_record: false,
            records: 0,
            position: 0,
            parts: Parts::default(),
            refget: self.digests.then(Refget::default),
            told: [0; 2],
            letters: 0,
            events: 0,
        })
    }

    /// One event of the open file; true at its end.
    fn step(&mut self, monitor: &Monitor) -> Result<bool> {
        let Some(file) = &mut self.open else { return Ok(true) };
        file.look(monitor)?;
        let event = file.reader.next_event()?;
        if let Some(Event::Letters(letters)) = event {
            if let Some(refget) = &mut file.refget {
                refget.update(letters);
            }
            if self.baseless.is_some() && letters.iter().any(|&letter| is_base(letter)) {
                self.baseless = None;
            }
            let list = self.regions.as_ref().and_then(Regions::list).map(AsRef::as_ref);
            let is_faultless = self.regions.as_ref().is_none_or(Regions::is_faultless);
            match &mut self.spool {
                _ if !is_faultless => {} // all other faults are looked for, and nothing else
                Some(spool) => spool.letters(file.position, letters, list)?,
                None => file.parts.letters(file.position, letters, list, &mut self.cutter, monitor)?,
            }
            file.position += letters.len() as u64;
            file.letters += letters.len() as u64;
            return Ok(false);
        }
        let name = match event {
            Some(Event::Record { name, .. }) => Some(name.to_vec()),
            _ => None,
        };
        self.end_record(monitor)?;
        let Some(name) = name else {
            self.open.iter_mut().for_each(|file| file.tell(monitor));
            return Ok(true);
        };
        self.begin_record(&name)?;
        Ok(false)
    }

    /// Whether nothing is known that makes an error of all rows.
    fn is_faultless(&self) -> bool {
        self.regions.as_ref().is_none_or(Regions::is_faultless)
    }

    fn begin_record(&mut self, name: &[u8]) -> Result<()> {
        let Some(file) = &mut self.open else { return Ok(()) };
        self.report.records += 1;
        self.records += 1;
        file.records += 1;
        self.cutter.record(name);
        if self.names.len() < regions::NAMES_KEPT {
            self.names.push(self.cutter.name().to_owned());
        }
        if file.names.len() < MOST_NAMES && !file.names.insert(file.hasher.hash_one(name)) {
            self.report.duplicate_names += 1;
        }
        let whole = [Region::WHOLE];
        let regions = match &mut self.regions {
            None => &whole[..],
            Some(regions) => regions.of_record(name, file.index, file.reader.path())?,
        };
        match &mut self.spool {
            Some(spool) => spool.record(regions, name, file.index)?,
            None => file.parts = Parts::new(regions, &mut self.cutter),
        }
        (file.in_record, file.position) = (true, 0);
        Ok(())
    }

    /// The open file is at its end: it counts, if it is one of nucleotides.
    fn end_file(&mut self, path: &Path) -> Result<()> {
        let Some(file) = self.open.take() else { return Ok(()) };
        self.report.files += 1;
        verdict::check_not_empty(path, file.records, file.letters)?;
        self.cutter.end_file().check(path, self.allow_unknown)
    }

    fn end_record(&mut self, monitor: &Monitor) -> Result<()> {
        let Some(file) = self.open.as_mut().filter(|file| file.in_record) else { return Ok(()) };
        file.in_record = false;
        let length = file.position;
        if let Some(regions) = &mut self.regions {
            let name = self.cutter.name();
            let mut note = |region| regions.add_beyond(&region, name, length);
            match &self.spool {
                Some(spool) => spool.beyond(length).try_for_each(&mut note)?,
                None => file.parts.beyond(length).try_for_each(&mut note)?,
            }
        }
        if self.regions.as_ref().is_none_or(Regions::is_faultless) {
            file.parts.end(&mut self.cutter, monitor)?;
        }
        if let Some(refget) = &mut file.refget {
            self.report.digests.push(RecordDigest {
                file: file.reader.path().to_path_buf(),
                record: self.cutter.name().to_owned(),
                length,
                digest: refget.finish(),
            });
        }
        Ok(())
    }
}

impl OpenFile {
    /// Now and then, looks for an interrupt and tells how far reading is.
    fn look(&mut self, monitor: &Monitor) -> Result<()> {
        self.events = self.events.wrapping_add(1);
        if !self.events.is_multiple_of(PATIENCE) {
            return Ok(());
        }
        self.tell(monitor);
        monitor.check()
    }

    fn tell(&mut self, monitor: &Monitor) {
        let now = [self.letters, self.reader.bytes_read()];
        monitor.add_bases(now[0] - self.told[0]);
        monitor.add_bytes(now[1] - self.told[1]);
        self.told = now;
    }
}

#[cfg(test)]
mod tests;
