//! One input read, and many, as many at a time as there are threads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::arena::Corpus;
use super::builder::CorpusBuilder;
use super::layout::is_packed;
use crate::error::Result;
use crate::io::fasta::{Event, Reader};
use crate::io::sizes::total_size;
use crate::monitor::{Monitor, Phase};

/// Reads one input: a packed file is mapped, a sequence file is read and packed in memory.
///
/// Fails if there is not a single letter in it, or if more than the share `allow_unknown` of them are unknown; whether
/// there is a base is for [`read_all`](super::read_all) to see. Time and memory are linear in the bases.
pub fn read(path: &Path, allow_unknown: f64, monitor: &Monitor) -> Result<Corpus> {
    if is_packed(path) {
        return Corpus::open_told(path, monitor);
    }
    let mut builder = CorpusBuilder::new();
    read_file(Reader::open(path)?, allow_unknown, monitor, &mut builder)?;
    Ok(builder.finish())
}

/// Adds a sequence file to what a builder has read.
pub(super) fn read_file(
    reader: Reader,
    allow_unknown: f64,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
) -> Result<()> {
    let before = builder.contents().clone();
    let path = reader.path().to_path_buf();
    read_letters(reader, monitor, builder, usize::MAX, |_| Ok(()))?;
    builder.contents().since(&before).check(&path, allow_unknown)
}

/// Reads a sequence file into a builder, and closes its last record; `after` is called after each piece, of so many
/// letters at most.
pub(super) fn read_letters(
    mut reader: Reader,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    let path = reader.path().to_path_buf();
    let (mut told, mut read) = (0, 0);
    let mut pieces = 0_u32;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { name, .. } => builder.record(name),
            Event::Letters(letters) => {
                read += letters.len() as u64;
                let first = builder.position();
                let mut take = |letters| builder.letters(letters).and_then(|()| after(builder));
                let taken = letters.chunks(piece).try_for_each(&mut take);
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
            monitor.add_bytes(reader.bytes_read() - told);
            told = reader.bytes_read();
        }
    }
    monitor.check()?;
    builder.close();
    monitor.add_bases(read);
    monitor.add_bytes(reader.bytes_read() - told);
    Ok(())
}

/// What `work` makes of each file and its number, in order; as many at a time as the present pool has threads.
///
/// The first that fails stops the others. Of several errors the one of the first file is returned.
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

/// Tells the monitor that a file is being read.
pub(super) fn enter(paths: &[PathBuf], file_index: usize, bytes_total: u64, monitor: &Monitor) {
    let (file, files) = (paths[file_index].clone(), paths.len());
    monitor.enter(Phase::Reading { file, file_index, files, bytes_total });
}

/// What `work` makes of each number below `count`, like [`each_file`].
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
            monitor.cancel(); // the other threads need not go on
        }
        Some((index, done))
    };
    let shares = rayon::broadcast(|_| std::iter::from_fn(take_next).collect::<Vec<_>>());
    let mut done: Vec<(usize, Result<T>)> = shares.into_iter().flatten().collect();
    done.sort_by_key(|&(index, _)| index);
    // Others were interrupted by the first that failed.
    let failed = |(_, one): &(usize, Result<T>)| matches!(one, Err(error) if !error.is_interrupt());
    if let Some(at) = done.iter().position(failed) {
        done.swap(0, at);
    }
    done.into_iter().map(|(_, one)| one).collect()
}
