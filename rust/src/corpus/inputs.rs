//! All inputs of a training: files and folders, and whether there is a base in them.

use std::path::{Path, PathBuf};

use super::arena::Corpus;
use super::folder;
use super::layout::is_packed;
use super::together;
use crate::alphabet::is_base;
use crate::error::Result;
use crate::io::fasta::{Event, Reader};
use crate::monitor::Monitor;
use crate::verdict;

/// Reads inputs, as many at a time as the present thread pool has threads; a [folder](super::folder) of shards is many.
///
/// The corpora hold the words in the order of the inputs, but small inputs share one: what follows costs what one file
/// of the same content would. A file of unknown letters only may stand among others, as a scaffold that is not yet read;
/// all files together must have a base. Of several errors the one of the first file is returned.
pub fn read_all(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    let corpora = read_part(paths, allow_unknown, monitor)?;
    if corpora.iter().all(|corpus| corpus.contents.bases == 0) {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(verdict::no_base(path, corpora.iter().map(|corpus| corpus.contents.records).sum()));
    }
    Ok(corpora)
}

/// Like [`read_all`], of a part of all inputs, which may have no base.
pub fn read_part(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    together::read(&folder::expand(paths)?, allow_unknown, monitor)
}

/// Fails if none of the files has a base. Reads up to the first base, and nothing of what can be read only once; other
/// faults are for those who read on to find.
pub fn check_bases(paths: &[PathBuf], monitor: &Monitor) -> Result<()> {
    let mut records = 0;
    for path in paths {
        monitor.check()?;
        if !path.is_file() || is_packed(path) {
            return Ok(());
        }
        let Ok(mut reader) = Reader::open(path) else { return Ok(()) };
        while let Some(event) = reader.next_event().transpose() {
            match event {
                Ok(Event::Record { .. }) => records += 1,
                Ok(Event::Letters(letters)) if !letters.iter().any(|&letter| is_base(letter)) => {}
                Ok(Event::Letters(_)) | Err(_) => return Ok(()),
            }
        }
    }
    paths.first().map_or(Ok(()), |first| Err(verdict::no_base(first, records)))
}
