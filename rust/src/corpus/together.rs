//! Inputs to corpora: small inputs that follow each other share one.
//!
//! Every corpus has a fixed cost: a block that is partly empty, a test for its end, a system call. For twenty thousand
//! files of 200 bases that is more than everything else. The words of several files in one arena are the same words, so
//! consecutive inputs are read into one corpus until it is large enough for the fixed cost not to matter.
//!
//! A small packed file is copied rather than mapped: a map takes a page of memory, and the system allows some sixty-five
//! thousand of them. All copies together are bounded by [`COPIED`], because corpora larger than memory are in packed
//! files.

use std::fs;
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::arena::Corpus;
use super::builder::CorpusBuilder;
use super::files::{each, enter, read_file};
use super::layout::{MAGIC, is_packed};
use crate::error::{Error, Result};
use crate::io::fasta::SequenceReader;
use crate::io::sizes::size;
use crate::monitor::Monitor;

/// Bytes of files that share a corpus, at most; a larger file has one to itself.
const TOGETHER: u64 = 1 << 22;
/// Parts per thread, if there are files enough: the last parts to finish are then a small share of the work.
const PARTS: u64 = 8;
/// Bytes of packed files that are copied, in all.
const COPIED: u64 = 1 << 25;
/// Bytes of a packed file that is copied, at most.
const SMALL_PACKED: u64 = 1 << 18;
/// Bytes of a sequence file that is read with a single call, at most.
const READ_AT_ONCE: u64 = 1 << 16;

/// Reads files into corpora, in the order of the files; one part per thread of the current pool at a time.
pub(super) fn read(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    let sizes: Vec<u64> = paths.iter().map(|path| size(path)).collect();
    let parts = parts(&sizes, rayon::current_num_threads() as u64);
    let bytes_total = if sizes.contains(&0) { 0 } else { sizes.iter().sum() };
    let copy_budget = AtomicU64::new(COPIED);
    let corpora = each(parts.len(), monitor, |part| {
        let mut corpora = Vec::new();
        let mut builder = CorpusBuilder::new();
        for index in parts[part].clone() {
            monitor.check()?;
            enter(paths, index, bytes_total, monitor);
            let path = &paths[index];
            if let Some(reader) = sequence_reader(path, sizes[index])? {
                read_file(reader, allow_unknown, monitor, &mut builder)?;
                continue;
            }
            let corpus = Corpus::open_monitored(path, monitor)?;
            let bytes = sizes[index];
            let take = |left: u64| left.checked_sub(bytes);
            if bytes <= SMALL_PACKED && copy_budget.fetch_update(Relaxed, Relaxed, take).is_ok() {
                builder.append(&corpus);
            } else {
                corpora.extend(taken(&mut builder));
                corpora.push(corpus);
            }
        }
        corpora.extend(taken(&mut builder));
        Ok(corpora)
    })?;
    Ok(corpora.into_iter().flatten().collect())
}

/// A reader of a sequence file of `bytes` bytes; none for a packed file. A small file is read at once: opening it once
/// instead of twice saves a third of the cost of reading it.
fn sequence_reader(path: &Path, bytes: u64) -> Result<Option<SequenceReader>> {
    if bytes == 0 || bytes > READ_AT_ONCE {
        return if is_packed(path) { Ok(None) } else { SequenceReader::open(path).map(Some) };
    }
    let content = fs::read(path).map_err(|error| Error::io(path, error))?;
    if content.starts_with(&MAGIC) {
        return Ok(None);
    }
    SequenceReader::from_reader(path, Cursor::new(content)).map(Some)
}

/// The builder's words, if it has read anything.
fn taken(builder: &mut CorpusBuilder) -> Option<Corpus> {
    let corpus = builder.take_words();
    (corpus.contents().records + corpus.contents().total_symbols() > 0).then_some(corpus)
}

/// Ranges of files that are read into one corpus: as many as fit into [`TOGETHER`] bytes, or fewer, so that each thread has
/// [`PARTS`] ranges. A file of unknown size is alone.
fn parts(sizes: &[u64], threads: u64) -> Vec<Range<usize>> {
    let limit = (sizes.iter().sum::<u64>() / (PARTS * threads.max(1))).min(TOGETHER);
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (number, &size) in sizes.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if size > 0 && bytes > 0 && bytes + size <= limit => part.end = number + 1,
            _ => {
                parts.push(number..number + 1);
                bytes = 0;
            }
        }
        bytes += size;
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::{from_words, save};

    #[test]
    fn small_packed_files_are_copied_and_large_ones_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let packed = |name: &str, bases: u64| {
            let path = folder.path().join(name);
            let corpus = from_words([vec![b'A'; usize::try_from(bases).unwrap()]]).unwrap();
            let bytes = save(&[corpus], &path, &Monitor::default()).unwrap();
            (path, bytes)
        };
        // A header of 192 bytes, eight for the word, and a byte for four bases.
        let (small, bytes) = packed("small", 4 * (SMALL_PACKED - 200));
        assert_eq!(bytes, SMALL_PACKED);
        let (large, _) = packed("large", 4 * (SMALL_PACKED - 200) + 1);
        let text = folder.path().join("a.fa");
        fs::write(&text, ">a\nACG\n").unwrap();
        // Files are together up to an eighth of all bytes, and here all but the last are.
        let big = folder.path().join("b.fa");
        fs::write(&big, format!(">b\n{}\n", "A".repeat(4_000_000))).unwrap();
        let paths = [text.clone(), small, text, large, big];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let corpora = pool.install(|| read(&paths, 0.0, &Monitor::default())).unwrap();
        let seen: Vec<_> = corpora.iter().map(|corpus| (corpus.is_mapped(), corpus.num_words())).collect();
        assert_eq!(seen, [(false, 3), (true, 1), (false, 1)]);
    }

    #[test]
    fn a_builder_that_has_read_nothing_makes_no_corpus() {
        let mut builder = CorpusBuilder::new();
        assert!(taken(&mut builder).is_none());
        builder.record(b"a");
        assert_eq!(taken(&mut builder).unwrap().contents().records, 1);
        builder.symbols(b"N").unwrap();
        assert_eq!(taken(&mut builder).unwrap().contents().total_symbols(), 1);
    }

    #[test]
    fn files_are_together_while_they_are_small() {
        assert!(parts(&[], 2).is_empty());
        assert_eq!(parts(&[5], 2), vec![0..1; 1]);
        assert_eq!(parts(&[0, 0, 7], 1), [0..1, 1..2, 2..3]);
        assert_eq!(parts(&[1, 0, 1, 1, 1000], 1), [0..1, 1..2, 2..4, 4..5]);
        assert_eq!(parts(&[1; 32], 2).len(), 16);
        assert_eq!(parts(&[1, 1, 1000, 1, 1, 1], 1), [0..2, 2..3, 3..6]);
        assert_eq!(parts(&[TOGETHER; 3], 1), [0..1, 1..2, 2..3]);
        let many = parts(&vec![2000; 20_000], 2);
        assert!((16..40).contains(&many.len()), "{}", many.len());
        assert!(many.iter().zip(&many[1..]).all(|(part, next)| part.end == next.start));
        assert_eq!((many[0].start, many[many.len() - 1].end), (0, 20_000));
    }
}
