//! Sequence files read into builders: one file, or many, one per thread at a time.
//!
//! Threads take the next file when they are done with one, so a large file does not hold up the others; results are sorted
//! back into the order of the files, which keeps corpora independent of the number of threads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::arena::Corpus;
use super::builder::CorpusBuilder;
use super::layout::is_packed;
use crate::error::Result;
use crate::io::fasta::{Event, SequenceReader};
use crate::io::sizes::total_size;
use crate::monitor::{Monitor, Phase};

/// Reads one input: a packed file is mapped, a sequence file is read and packed in memory.
///
/// Fails if there is not a single symbol in it, or if more than the share `allow_unknown` of them are unknown. It may be
/// without a base: [`read_all`](super::read_all) asks that of all files. Time and memory are linear in the bases.
pub fn read(path: &Path, allow_unknown: f64, monitor: &Monitor) -> Result<Corpus> {
    if is_packed(path) {
        return Corpus::open_monitored(path, monitor);
    }
    let mut builder = CorpusBuilder::new();
    read_file(SequenceReader::open(path)?, allow_unknown, monitor, &mut builder)?;
    Ok(builder.finish())
}

/// Reads a sequence file into a builder that may hold others, and judges what this one added.
pub(super) fn read_file(
    reader: SequenceReader,
    allow_unknown: f64,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
) -> Result<()> {
    let before = builder.contents().clone();
    let path = reader.path().to_path_buf();
    read_symbols(reader, monitor, builder, usize::MAX, |_| Ok(()))?;
    builder.contents().since(&before).check(&path, allow_unknown)
}

/// Reads a sequence file into a builder and closes its last record. `after` is called after each piece of at most `piece`
/// symbols; it may take words from the builder.
pub(super) fn read_symbols(
    mut reader: SequenceReader,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    let path = reader.path().to_path_buf();
    let (mut bytes_reported, mut read) = (0, 0);
    let mut pieces = 0_u32;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { name, .. } => builder.record(name),
            Event::Symbols(symbols) => {
                read += symbols.len() as u64;
                let first = builder.position();
                let mut take = |symbols| builder.symbols(symbols).and_then(|()| after(builder));
                let taken = symbols.chunks(piece).try_for_each(&mut take);
                let offset = |position| usize::try_from(position - first).unwrap_or(usize::MAX);
                taken.map_err(|error| {
                    error.in_file(&path).on_line(|position| reader.line_of(offset(position)))
                })?;
            }
        }
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(1024) {
            monitor.check()?;
            monitor.add_bases(std::mem::take(&mut read));
            monitor.add_bytes(reader.bytes_read() - bytes_reported);
            bytes_reported = reader.bytes_read();
        }
    }
    monitor.check()?;
    builder.end_record();
    monitor.add_bases(read);
    monitor.add_bytes(reader.bytes_read() - bytes_reported);
    Ok(())
}

/// The results of `work` on each file and its index, in order; one file per thread of the current pool at a time.
///
/// The first failure stops the others. Of several errors that of the first file is returned, so that the message does not
/// depend on the timing of threads.
pub(super) fn each_file<T: Send>(
    paths: &[PathBuf],
    monitor: &Monitor,
    work: impl Fn(usize, &Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let bytes_total = total_size(paths);
    each(paths.len(), monitor, |index| {
        enter(paths, index, bytes_total, monitor);
        work(index, &paths[index])
    })
}

/// Reports to the monitor that a file is being read.
pub(super) fn enter(paths: &[PathBuf], file_index: usize, bytes_total: u64, monitor: &Monitor) {
    let (file, files) = (paths[file_index].clone(), paths.len());
    monitor.enter(Phase::Reading { file, file_index, files, bytes_total });
}

/// The results of `work` on each number below `count`, like [`each_file`].
pub(super) fn each<T: Send>(
    count: usize,
    monitor: &Monitor,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let take_next = || {
        let index = Some(next.fetch_add(1, Relaxed)).filter(|&index| index < count)?;
        let done = monitor.check().and_then(|()| work(index));
        if done.is_err() {
            monitor.cancel(); // the other threads stop at their next check
        }
        Some((index, done))
    };
    let shares = rayon::broadcast(|_| std::iter::from_fn(take_next).collect::<Vec<_>>());
    let mut done: Vec<(usize, Result<T>)> = shares.into_iter().flatten().collect();
    done.sort_by_key(|&(index, _)| index);
    // An interrupt is the consequence of another thread's failure, if there is one.
    let failed = |(_, one): &(usize, Result<T>)| matches!(one, Err(error) if !error.is_interrupt());
    if let Some(at) = done.iter().position(failed) {
        done.swap(0, at);
    }
    done.into_iter().map(|(_, one)| one).collect()
}
