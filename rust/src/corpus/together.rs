//! Inputs to corpora: small ones, next to each other, share one.
//!
//! Whatever reads a corpus pays something for it: a part of a block that stays empty, a look at where it ends, a call of
//! the system. For twenty thousand files of 200 bases that is more than all else. The words of several files in one arena
//! are the same words, so inputs that follow each other are read into one corpus until it is large enough not to matter.
//!
//! A packed file that is small is copied rather than mapped: a page of memory and a map, of which the system allows only
//! some ten thousand, would be spent on a few bytes. All copies together are bounded, since packed files are what corpora
//! larger than memory lie in.

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
use crate::io::fasta::Reader;
use crate::io::sizes::size;
use crate::monitor::Monitor;

/// Bytes of files that share a corpus, at most; a larger file has one of its own.
const TOGETHER: u64 = 1 << 22;
/// Parts that each thread is to have, if files allow.
const PARTS: u64 = 8;
/// Bytes of packed files that are copied, of all together and of one.
const COPIED: u64 = 1 << 25;
const SMALL_PACKED: u64 = 1 << 18;
/// Bytes of a sequence file that is taken in whole, at most.
const TAKEN_WHOLE: u64 = 1 << 16;

/// Reads files, as many parts at a time as the present pool has threads, into corpora in the order of the files.
pub(super) fn read(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    let sizes: Vec<u64> = paths.iter().map(|path| size(path)).collect();
    let bytes_total = if sizes.contains(&0) { 0 } else { sizes.iter().sum() };
    let parts = parts(&sizes, rayon::current_num_threads() as u64);
    let room = AtomicU64::new(COPIED);
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
            let corpus = Corpus::open_told(path, monitor)?;
            let bytes = sizes[index];
            let take = |left: u64| left.checked_sub(bytes);
            if bytes <= SMALL_PACKED && room.fetch_update(Relaxed, Relaxed, take).is_ok() {
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

/// A reader of a sequence file of so many bytes; none of a packed file. A small file is taken in whole: opening it once and
/// not twice is a third of what reading it costs.
fn sequence_reader(path: &Path, bytes: u64) -> Result<Option<Reader>> {
    if bytes == 0 || bytes > TAKEN_WHOLE {
        return if is_packed(path) { Ok(None) } else { Reader::open(path).map(Some) };
    }
    let content = fs::read(path).map_err(|error| Error::io(path, error))?;
    if content.starts_with(&MAGIC) {
        return Ok(None);
    }
    Reader::from_reader(path, Cursor::new(content)).map(Some)
}

/// What the builder has, if it has read anything.
fn taken(builder: &mut CorpusBuilder) -> Option<Corpus> {
    let corpus = builder.take_words();
    (corpus.contents().records + corpus.contents().letters() > 0).then_some(corpus)
}

/// Files that are read one after the other, as ranges of their numbers. A file whose length is not known is alone.
fn parts(sizes: &[u64], threads: u64) -> Vec<Range<usize>> {
    let most = (sizes.iter().sum::<u64>() / (PARTS * threads.max(1))).min(TOGETHER);
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (number, &size) in sizes.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if size > 0 && bytes > 0 && bytes + size <= most => part.end = number + 1,
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
mod tests {
    use super::*;

    #[test]
    fn files_are_together_while_they_are_small() {
        assert!(parts(&[], 2).is_empty());
        assert_eq!(parts(&[5], 2), vec![0..1; 1]);
        assert_eq!(parts(&[0, 0, 7], 1), [0..1, 1..2, 2..3]);
        assert_eq!(parts(&[1; 32], 2).len(), 16);
        assert_eq!(parts(&[1, 1, 1000, 1, 1, 1], 1), [0..2, 2..3, 3..6]);
        assert_eq!(parts(&[TOGETHER; 3], 1), [0..1, 1..2, 2..3]);
        let many = parts(&vec![2000; 20_000], 2);
        assert!((16..40).contains(&many.len()), "{}", many.len());
        assert!(many.iter().zip(&many[1..]).all(|(part, next)| part.end == next.start));
        assert_eq!((many[0].start, many[many.len() - 1].end), (0, 20_000));
    }
}
