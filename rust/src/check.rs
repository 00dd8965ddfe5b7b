//! Every defect of a FASTA or FASTQ file, not only the first.
//!
//! [`crate::io::fasta::SequenceReader`] stops at the first defect, as a reader should. This module continues, so that a
//! user who has to fix the file sees all defects at once: with line, column, byte, record, cause and remedy.
//!
//! # What is an error
//!
//! An error is what the reader or training refuses: symbols of no nucleotide code, a file without a symbol, one with too
//! many unknown symbols, files without a base. The answers agree: a file has an error here if and only if
//! [`crate::corpus::read`] fails (packed files apart, which have nothing to check), and files have one if and only if
//! [`crate::corpus::read_all`] fails. Without [`DefectKind::Protein`], [`DefectKind::NoSymbols`],
//! [`DefectKind::ManyUnknown`] and [`DefectKind::NoBases`] the same holds for the reader. Warnings and notes are about
//! files that are read, perhaps not as they were meant.
//!
//! The agreement holds by construction: the text in its buffer, with titles, line ends and blanks, is the reader's own
//! (`fasta::text`), and the states of the reader are followed step by step up to the defect at which it would fail. Only
//! after that is anything guessed. Tests compare the two on collections of specimens and on mutated files all the same.
//!
//! # Recovery
//!
//! After a bad byte the line continues; after `>` in the middle of a line, a record starts; in FASTQ, where a missing line
//! shifts all that follow, lines are skipped until a title with a sequence below it (`fastq`). A file that is certainly
//! something else (a web page, GenBank, BAM) is not read further, nor is one whose compression is damaged.
//!
//! # Memory and time
//!
//! The reader's buffers; the first few defects of each kind, and a count of all; a 64-bit hash of each name, up to 3.7
//! million of them, 71 MB (`records`); a count for each length of records. A file of random bytes takes no more.
//!
//! Clean lines are joined as for the reader, and counted by vector instructions (`symbols`). GB/s of file, one core of a
//! two-core AMD EPYC (Milan) machine with other work on it, 2026-11-22, best of seven, file cache warm:
//!
//! | | human chr20, lines of 60 | CR LF | on one line | FASTA, 150-base reads | FASTQ, 150-base reads |
//! |---|---|---|---|---|---|
//! | the reader | 3.8 | 2.7 | 7.3 | 1.9 | 1.9 |
//! | check | 1.9 | 0.75 | 3.5 | 0.6 | 0.7 |
//!
//! With short reads most of the time goes into their names, each a cache miss in the table of hashes.

mod defects;
mod fastq;
mod linter;
mod records;
mod report;
mod symbols;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::defects::DefectLog;
pub use self::defects::{DefectKind, FileDefect, Severity, TextPosition};
use self::fastq::Fastq;
use self::linter::Linter;
pub use self::records::LengthSummary;
pub use self::report::{CheckReport, SequenceFormat};
pub use self::symbols::SymbolCounts;
use crate::error::{Error, Result, show_byte};
use crate::io::decompress::InputStream;
use crate::io::fasta::mistakes::{SAM, hint_for_file, is_comment, recognise};
use crate::io::fasta::text::SequenceText;
use crate::io::fasta::text::source::TextSource;
use crate::io::sizes::total_size;
use crate::monitor::{Monitor, Phase};
use crate::verdict::check_allowed;

/// Options of [`check_files`].
#[derive(Clone, Copy, Debug)]
pub struct CheckOptions {
    /// Defects that are kept, per kind and file; all are counted.
    pub limit: usize,
    /// The share of unknown symbols that a file may have, from 0 to 1, see [`crate::verdict`].
    pub allow_unknown: f64,
}

/// Checks files, one per thread of the current pool at a time. Returns a report for each, in their order.
///
/// Fails only on options out of range or a cancelled monitor: what is wrong with a file is in its report. That no file has
/// a base is reported at the first.
pub fn check_files(paths: &[PathBuf], options: CheckOptions, monitor: &Monitor) -> Result<Vec<CheckReport>> {
    check_allowed(options.allow_unknown)?;
    let bytes_total = total_size(paths);
    let check = |(file_index, path): (usize, &PathBuf)| {
        monitor.enter(Phase::Reading { file: path.clone(), file_index, files: paths.len(), bytes_total });
        check_file(path, options, monitor)
    };
    let mut reports: Vec<CheckReport> =
        paths.par_iter().enumerate().with_max_len(1).map(check).collect::<Result<_>>()?;
    if reports
        .iter()
        .all(|report| report.count(Severity::Error) == 0 && report.composition.tally().known == 0)
    {
        let records: u64 = reports.iter().map(|report| report.records).sum();
        if let Some(first) = reports.first_mut() {
            first.add_no_bases(records);
        }
    }
    Ok(reports)
}

/// Checks one file; `-` is standard input. It may be without a base. Time is linear in the file.
pub fn check_file(path: &Path, options: CheckOptions, monitor: &Monitor) -> Result<CheckReport> {
    monitor.check()?;
    let source: Result<Box<dyn Read + Send>> = if path == Path::new("-") {
        Ok(Box::new(std::io::stdin()))
    } else {
        File::open(path).map(|file| Box::new(file) as _).map_err(|error| Error::io(path, error))
    };
    check_source(path, source, options, monitor)
}

/// Checks a source that is called `path`; one that could not be opened has one defect.
fn check_source(
    path: &Path,
    source: Result<Box<dyn Read + Send>>,
    options: CheckOptions,
    monitor: &Monitor,
) -> Result<CheckReport> {
    let mut report = CheckReport { path: path.to_path_buf(), ..CheckReport::default() };
    let input = source.and_then(|source| InputStream::new(source).map_err(|fault| fault.at(path)));
    let text = input.and_then(|input| {
        report.compression = input.compression();
        SequenceText::new(path.to_path_buf(), TextSource::new(input))
    });
    let mut log = DefectLog::new(options.limit);
    match text {
        Ok(text) => check_text(Linter::new(text, log, options.allow_unknown, monitor), report),
        Err(error) => {
            add_error(&mut log, error, None);
            (report.defects, report.counts) = log.finish();
            Ok(report)
        }
    }
}

/// Checks a text to its end, or to where it can be read no further.
fn check_text(mut linter: Linter, mut report: CheckReport) -> Result<CheckReport> {
    match check_records(&mut linter, &mut report) {
        Err(error @ Error::Interrupted) => return Err(error),
        Err(error) => {
            let place = linter.this_line();
            add_error(&mut linter.log, error, Some(place));
        }
        Ok(is_complete) => report.is_complete = is_complete,
    }
    linter.watch()?;
    Ok(linter.finish(report))
}

/// Finds the first record and checks from there; false if the file is something else.
fn check_records(linter: &mut Linter, report: &mut CheckReport) -> Result<bool> {
    if linter.text.offset() > 0 {
        let place = linter.this_line();
        linter.log.add(DefectKind::ByteOrderMark, Some(place), None, || {
            "the file begins with the byte-order mark of UTF-8".to_owned()
        });
    }
    linter.text.skip_blanks()?;
    let Some(byte) = linter.text.peek()? else {
        let what = if linter.text.source.input().is_compressed() { "unpacks to nothing" } else { "is empty" };
        linter
            .log
            .add(DefectKind::Empty, None, None, || format!("the file {what}: there is no sequence in it"));
        return Ok(true);
    };
    if !is_mark(byte) && !find_first_record(linter, byte)? {
        return Ok(false);
    }
    let Some(mark) = linter.text.peek()? else { return Ok(true) };
    if mark == b'>' {
        report.format = Some(SequenceFormat::Fasta);
        linter.fasta()?;
    } else {
        report.format = Some(SequenceFormat::Fastq);
        if !Fastq::new(linter).run()? {
            linter.log.clear();
            linter.log.add_with_fix(DefectKind::NotSequences, None, None, || {
                ("the lines that begin with `@` are no titles of FASTQ".to_owned(), SAM.to_owned())
            });
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether `byte` at the start of a line makes it a title.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'>' | b'@')
}

/// Reports and skips what stands before the first record; `byte` is its first. False if no record follows.
fn find_first_record(linter: &mut Linter, byte: u8) -> Result<bool> {
    let place = linter.place();
    let found = format!("found {}, expected `>` (FASTA) or `@` (FASTQ)", show_byte(byte));
    let head = linter.text.unread();
    if let Some(hint) = recognise(head) {
        linter.log.add_with_fix(DefectKind::NotSequences, Some(place), None, || (found, hint.to_owned()));
        return Ok(false);
    }
    let hint = hint_for_file(head);
    let mut first = Some(place);
    while let Some(byte) = linter.text.peek()? {
        if is_mark(byte) && linter.text.column == 0 {
            if let Some(place) = first {
                linter.log.add(DefectKind::TextBeforeRecord, Some(place), None, || found);
            }
            return Ok(true);
        }
        if is_comment(byte) && linter.text.column == 0 {
            let place = linter.this_line();
            linter.log.add(DefectKind::CommentLine, Some(place), None, || {
                format!("found a line that begins with {}", show_byte(byte))
            });
            first = first.filter(|first| first.line != place.line);
        }
        linter.text.skip_line()?;
        linter.watch()?;
    }
    linter.log.add_with_fix(DefectKind::NotSequences, Some(place), None, || (found, hint.to_owned()));
    Ok(false)
}

/// Logs that a file cannot be read, or not further.
fn add_error(log: &mut DefectLog, error: Error, place: Option<TextPosition>) {
    match error {
        Error::Io { source, .. } => log.add(DefectKind::Unreadable, place, None, || source.to_string()),
        Error::Fasta { reason, .. } => {
            log.add_with_fix(DefectKind::Utf16, None, None, || split_reason(reason, DefectKind::Utf16));
        }
        Error::File { reason, .. } => {
            log.add_with_fix(DefectKind::Compression, place, None, || {
                split_reason(reason, DefectKind::Compression)
            });
        }
        other => log.add(DefectKind::Unreadable, place, None, || other.to_string()),
    }
}

/// The finding and the remedy of a message that has both, the last part being the remedy.
fn split_reason(reason: String, kind: DefectKind) -> (String, String) {
    match reason.rsplit_once("; ") {
        Some((what, fix)) => (what.to_owned(), fix.to_owned()),
        None => (reason, kind.fix().to_owned()),
    }
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
