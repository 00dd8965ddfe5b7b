//! Sequence files read into builders: one file, or many, one per thread at a time.
//!
//! Threads take the next file when they are done with one, so a large file does not hold up the others; results are sorted
//! back into the order of the files, which keeps corpora independent of the number of threads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use hashbrown::DefaultHashBuilder;

use super::arena::Corpus;
use super::builder::CorpusBuilder;
use super::layout::is_packed;
use crate::error::Result;
use crate::io::fasta::plain::QuietSymbols;
use crate::io::fasta::turn::Turns;
use crate::io::fasta::{Event, SequenceReader};
use crate::io::sizes::total_size;
use crate::monitor::{Monitor, Phase};

/// Bytes of text that are read together from a file.
const TURN_BYTES: usize = 4 << 20;

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

/// Reads a sequence file into a builder and closes its last record. `after` is called after every `piece` symbols of
/// a record and after its last, so at places that depend on the records alone; it may take words from the builder.
///
/// Plain text is read on all threads of the current pool, in [turns](Turns); what is packed is the same.
pub(super) fn read_symbols(
    reader: SequenceReader,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
    piece: usize,
    after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    let turns = Turns::new(QuietSymbols::new(|_| true), DefaultHashBuilder::default(), TURN_BYTES);
    read_in_turns(reader, Some(turns), monitor, builder, piece, after)
}

/// [`read_symbols`] with the turns given; strictly without.
pub(crate) fn read_in_turns(
    mut reader: SequenceReader,
    mut turns: Option<Turns>,
    monitor: &Monitor,
    builder: &mut CorpusBuilder,
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    let path = reader.path().to_path_buf();
    let mut copied = Vec::new();
    let (mut bytes_reported, mut read) = (0, 0);
    let mut held = builder.bytes_held();
    let (mut in_record, mut events) = (false, 0_u32);
    loop {
        let turns = turns.as_mut().filter(|_| in_record);
        let turn = turns.map(|turns| reader.next_turn(turns)).transpose()?.flatten();
        let is_turn = turn.is_some();
        if let Some(turn) = turn {
            copied.resize(turn.symbols, 0);
            turn.copy(&mut copied);
            let mut from = 0;
            let starts = turn.records().map(|(to, name, _)| (to, Some(name)));
            for (to, name) in starts.chain([(turn.symbols, None)]) {
                let first = builder.position();
                add_symbols(builder, &copied[from..to], piece, &mut after).map_err(|error| {
                    error.in_file(&path).on_line(|at| turn.line_of(from + distance(first, at)))
                })?;
                if let Some(name) = name {
                    end_piece(builder, piece, &mut after)?;
                    builder.record(name);
                }
                from = to;
            }
            read += turn.symbols as u64;
        } else {
            match reader.next_event()? {
                Some(Event::Record { name, .. }) => {
                    end_piece(builder, piece, &mut after)?;
                    builder.record(name);
                    in_record = true;
                }
                Some(Event::Symbols(symbols)) => {
                    read += symbols.len() as u64;
                    let first = builder.position();
                    add_symbols(builder, symbols, piece, &mut after).map_err(|error| {
                        error.in_file(&path).on_line(|at| reader.line_of(distance(first, at)))
                    })?;
                }
                None => break,
            }
            events = events.wrapping_add(1);
        }
        if is_turn || events.is_multiple_of(1024) {
            monitor.check()?;
            monitor.hold_text(builder.bytes_held().saturating_sub(held))?;
            held = builder.bytes_held();
            monitor.add_bases(std::mem::take(&mut read));
            monitor.add_bytes(reader.bytes_read() - bytes_reported);
            bytes_reported = reader.bytes_read();
        }
    }
    monitor.check()?;
    end_piece(builder, piece, &mut after)?;
    builder.end_record();
    monitor.hold_text(builder.bytes_held().saturating_sub(held))?;
    monitor.add_bases(read);
    monitor.add_bytes(reader.bytes_read() - bytes_reported);
    Ok(())
}

/// Adds symbols of the open record, and calls `after` where [`read_symbols`] says.
fn add_symbols(
    builder: &mut CorpusBuilder,
    mut symbols: &[u8],
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    while !symbols.is_empty() {
        let past = usize::try_from(builder.position() % piece as u64).unwrap_or_default();
        let (part, rest) = symbols.split_at(symbols.len().min(piece - past));
        builder.symbols(part)?;
        if part.len() == piece - past {
            after(builder)?;
        }
        symbols = rest;
    }
    Ok(())
}

/// Calls `after` at the end of a record, unless it was called there.
fn end_piece(
    builder: &mut CorpusBuilder,
    piece: usize,
    mut after: impl FnMut(&mut CorpusBuilder) -> Result<()>,
) -> Result<()> {
    if builder.position().is_multiple_of(piece as u64) { Ok(()) } else { after(builder) }
}

/// How many symbols of a record lie between two positions.
fn distance(first: u64, at: u64) -> usize {
    usize::try_from(at - first).unwrap_or(usize::MAX)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::{Contents, WordPlace};
    use crate::io::fasta::random_text::text;

    /// What a file is packed into: parts, places, the error.
    type Packed = (Vec<(Contents, Vec<u8>, Vec<WordPlace>)>, Option<String>);

    fn pack(path: &Path, turns: Option<Turns>, piece: usize) -> Packed {
        let mut builder = CorpusBuilder::with_places();
        let mut parts = Vec::new();
        let mut take = |builder: &mut CorpusBuilder| {
            let corpus = builder.take_words();
            parts.push((corpus.contents().clone(), corpus.arena().to_vec(), builder.take_places()));
            Ok(())
        };
        let read = SequenceReader::open(path).and_then(|reader| {
            read_in_turns(reader, turns, &Monitor::default(), &mut builder, piece, &mut take)
        });
        let error = read.and_then(|()| take(&mut builder)).err().map(|error| error.to_string());
        (parts, error)
    }

    /// A file of this text.
    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fa");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn pieces_end_after_so_many_symbols_and_with_their_record() {
        let (_folder, path) = written(">a\nACGTACG\nTAC\n>b\nACGTACGT\n>c\n>d\nA\n");
        let mut positions = Vec::new();
        let mut builder = CorpusBuilder::new();
        let reader = SequenceReader::open(&path).unwrap();
        let note = |builder: &mut CorpusBuilder| {
            positions.push(builder.position());
            Ok(())
        };
        read_symbols(reader, &Monitor::default(), &mut builder, 4, note).unwrap();
        assert_eq!(positions, [4, 8, 10, 4, 8, 1]);
    }

    #[test]
    fn all_bytes_and_symbols_of_a_file_are_reported() {
        let (_folder, path) = written(">a\nACGTN\n>b\nAC\n");
        let strict = |turns| {
            let (monitor, mut builder) = (Monitor::default(), CorpusBuilder::new());
            let reader = SequenceReader::open(&path).unwrap();
            read_in_turns(reader, turns, &monitor, &mut builder, usize::MAX, |_| Ok(())).unwrap();
            let (_, symbols, bytes) = monitor.look();
            (symbols, bytes)
        };
        let turns = Turns::with_sizes(QuietSymbols::new(|_| true), DefaultHashBuilder::default(), 2, 4, 1000);
        assert_eq!(strict(None), (7, 15));
        assert_eq!(strict(Some(turns)), (7, 15));
    }

    #[test]
    fn text_may_take_as_much_memory_as_its_words_need() {
        // Words of 8, 4 and 1 bases: four bytes, and eight for the end of each.
        let (_folder, path) = written(">a\nACGTACGT\n>b\nACGTNA\n");
        for (limit, fits) in [(28, true), (27, false)] {
            let monitor = Monitor::default();
            monitor.limit_text(limit);
            assert_eq!(read(&path, 1.0, &monitor).is_ok(), fits, "{limit} bytes");
        }
    }

    #[test]
    fn the_error_of_the_first_file_is_returned_and_results_are_in_order() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let squares = |monitor: &Monitor| pool.install(|| each(50, monitor, |number| Ok(number * number)));
        let expected: Vec<usize> = (0..50).map(|number| number * number).collect();
        assert_eq!(squares(&Monitor::default()).unwrap(), expected);
        let monitor = Monitor::default();
        let failing = pool.install(|| {
            each(50, &monitor, |number| match number {
                2.. => Err(crate::error::Error::file(Path::new("a"), number.to_string())),
                _ => Ok(()),
            })
        });
        assert_eq!(failing.unwrap_err().to_string(), "a: 2");
        assert!(monitor.check().is_err(), "the others were not told");
        assert!(squares(&monitor).unwrap_err().is_interrupt());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn turns_of_any_size_are_packed_as_the_strict_reader_packs(
            text in text(),
            chunk in 1_usize..60,
            chunks in 1_usize..9,
            piece in 1_usize..40,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.fa");
            std::fs::write(&path, text).unwrap();
            let quiet = QuietSymbols::new(|_| true);
            let turns = Turns::with_sizes(quiet, DefaultHashBuilder::default(), chunk, chunk * chunks, 1000);
            let (strict, turned) = (pack(&path, None, piece), pack(&path, Some(turns), piece));
            prop_assert_eq!(&turned.1, &strict.1);
            if strict.1.is_none() {
                prop_assert_eq!(turned, strict);
            }
        }
    }
}
