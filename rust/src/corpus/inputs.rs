//! All inputs of a training: files and folders together, and whether they hold a base.

use std::path::{Path, PathBuf};

use super::arena::Corpus;
use super::folder;
use super::layout::is_packed;
use super::together;
use crate::alphabet::is_base;
use crate::error::Result;
use crate::io::fasta::{Event, SequenceReader};
use crate::monitor::Monitor;
use crate::verdict;

/// Reads inputs, one per thread of the current pool at a time; a [folder](super::folder) of shards counts as its shards.
///
/// The corpora hold the words in the order of the inputs. Small inputs share a corpus, so that training on many files
/// costs what one file of the same content would. A file may hold unknown symbols only, as a scaffold of N does; all files
/// together must have a base. Of several errors that of the first file is returned.
pub fn read_all(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    let corpora = read_part(paths, allow_unknown, monitor)?;
    if corpora.iter().all(|corpus| corpus.contents.bases == 0) {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(verdict::no_base(path, corpora.iter().map(|corpus| corpus.contents.records).sum()));
    }
    Ok(corpora)
}

/// [`read_all`] for a part of all inputs, such as one worker's; it may be without a base.
pub fn read_part(paths: &[PathBuf], allow_unknown: f64, monitor: &Monitor) -> Result<Vec<Corpus>> {
    together::read(&folder::expand(paths)?, allow_unknown, monitor)
}

/// Fails if none of the files has a base. Reads up to the first base, so usually a buffer; nothing of a stream, which can
/// be read only once. Other defects are left to the reader to report.
pub fn check_bases(paths: &[PathBuf], monitor: &Monitor) -> Result<()> {
    let mut records = 0;
    for path in paths {
        monitor.check()?;
        if !path.is_file() || is_packed(path) {
            return Ok(());
        }
        let Ok(mut reader) = SequenceReader::open(path) else { return Ok(()) };
        while let Some(event) = reader.next_event().transpose() {
            match event {
                Ok(Event::Record { .. }) => records += 1,
                Ok(Event::Symbols(symbols)) if !symbols.iter().any(|&symbol| is_base(symbol)) => {}
                Ok(Event::Symbols(_)) | Err(_) => return Ok(()),
            }
        }
    }
    paths.first().map_or(Ok(()), |first| Err(verdict::no_base(first, records)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_without_a_base_are_refused_and_what_cannot_be_read_is_left_to_the_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (gaps, bases) = (path("n.fa", ">a\nNN\n>b\nNN\n"), path("acgt.fa", ">a\nNNA\n"));
        let check = |paths: &[&PathBuf]| {
            let paths: Vec<PathBuf> = paths.iter().map(|&path| path.clone()).collect();
            check_bases(&paths, &Monitor::default()).map_err(|error| error.to_string())
        };
        assert!(check(&[&gaps]).unwrap_err().contains("in its 2 records"));
        assert!(check(&[&gaps, &gaps]).unwrap_err().contains("in its 4 records"));
        assert_eq!(check(&[&bases]), Ok(()));
        assert_eq!(check(&[&gaps, &bases]), Ok(()));
        assert_eq!(check(&[&folder.path().join("missing.fa")]), Ok(()));
        assert_eq!(check(&[&path("bad.fa", "ACGT\n")]), Ok(()));
        let corpora = read_all(&[gaps, bases], 1.0, &Monitor::default()).unwrap();
        let totals = corpora.iter().map(|corpus| corpus.contents.total_symbols()).sum::<u64>();
        assert_eq!(totals, 7, "symbols that were skipped count");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_opened_before_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(check_bases(&[pipe], &Monitor::default()).is_ok(), "to open it would wait for a writer");
    }
}
