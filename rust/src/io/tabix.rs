//! BED lines as a BGZF file with a tabix index, so that `tabix FILE.bed.gz chr20:1-1000` finds lines by position.
//!
//! The index maps stretches of a record to blocks of the file. It needs sorted lines: those of a record together, by
//! rising start. Its positions end at 2^29 (536,870,912), which the longest chromosomes of some plants exceed; such a
//! record is an error that names the plain format as the remedy.
//!
//! The caller owns the file: [`IndexedBedWriter::add`] returns compressed bytes as they become complete, and
//! [`IndexedBedWriter::finish`] the rest and the index. Memory: one BGZF block, the index and the
//! names of the records.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use noodles_bgzf as bgzf;
use noodles_core::Position;
use noodles_csi::binning_index::index::header;
use noodles_csi::binning_index::index::reference_sequence::bin::Chunk;
use noodles_tabix as tabix;
use rustc_hash::FxHashSet;

use crate::error::{Error, Result, show_text};

/// The last position that a tabix index can hold.
const MAX_POSITION: usize = 1 << 29;

/// Compresses BED lines and indexes them.
pub struct IndexedBedWriter {
    packed: bgzf::io::Writer<ByteSink>,
    index: tabix::index::Indexer,
    /// The record of the last line, where that line starts, and all records so far: what sorted order is checked against.
    record: String,
    start: usize,
    records: FxHashSet<String>,
}

/// Collects compressed bytes. The BGZF writer lends its target by shared reference only, hence the mutex, which is
/// never contended.
#[derive(Default)]
struct ByteSink(Mutex<Vec<u8>>);

impl ByteSink {
    /// Takes the bytes collected so far.
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for ByteSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for IndexedBedWriter {
    fn default() -> Self {
        let mut index = tabix::index::Indexer::default();
        index.set_header(header::Builder::bed().build());
        let packed = bgzf::io::Writer::new(ByteSink::default());
        Self { packed, index, record: String::new(), start: 0, records: FxHashSet::default() }
    }
}

impl IndexedBedWriter {
    /// Adds complete BED lines and returns the compressed bytes to append to the file, perhaps none yet. Fails if a line is
    /// out of order or beyond the last position, and leaves the writer unfit for more.
    pub fn add(&mut self, lines: &str) -> Result<Vec<u8>> {
        for line in lines.split_inclusive('\n') {
            let (record, start, end) = parse_position(line)?;
            self.advance(record, start, end)?;
            let before = self.packed.virtual_position();
            self.packed.write_all(line.as_bytes()).map_err(fault)?;
            let chunk = Chunk::new(before, self.packed.virtual_position());
            let (first, last) = (Position::new(start + 1), Position::new(end));
            if let (Some(first), Some(last)) = (first, last) {
                self.index.add_record(record, first, last, chunk).map_err(fault)?;
            }
        }
        Ok(self.packed.get_ref().take())
    }

    /// The remaining bytes of the file, end marker included, and the bytes of its index (`.tbi`).
    pub fn finish(self) -> Result<(Vec<u8>, Vec<u8>)> {
        let rest = self.packed.finish().map_err(fault)?.take();
        let mut index = tabix::io::Writer::new(Vec::new());
        index.write_index(&self.index.build()).map_err(fault)?;
        let index = index.into_inner().finish().map_err(fault)?;
        Ok((rest, index))
    }

    /// Checks that a line may follow the last one, and makes it the last.
    fn advance(&mut self, record: &str, start: usize, end: usize) -> Result<()> {
        let wrong = |what: String| {
            let remedy = "give the output another ending, such as .bed";
            Err(Error::argument("format", "bed-gz", format!("{what}; {remedy}")))
        };
        if end > MAX_POSITION {
            return wrong(format!(
                "a tabix index holds positions up to {MAX_POSITION}, and {} has a token up to {end}",
                show_text(record)
            ));
        }
        let is_new = self.record != record;
        if is_new && !self.records.insert(record.to_owned()) {
            return wrong(format!(
                "a tabix index needs the rows of a record together, and those of {} are not",
                show_text(record)
            ));
        }
        if !is_new && start < self.start {
            let (record, before) = (show_text(record), self.start);
            return wrong(format!(
                "a tabix index needs tokens sorted by position, and in {record} one at {start} follows one at {before}"
            ));
        }
        if is_new {
            record.clone_into(&mut self.record);
        }
        self.start = start;
        Ok(())
    }
}

/// The first three columns of a line: record, start, end.
fn parse_position(line: &str) -> Result<(&str, usize, usize)> {
    let mut columns = line.trim_end().split('\t');
    let record = columns.next().unwrap_or_default();
    let mut number = || columns.next()?.parse::<usize>().ok();
    match (number(), number()) {
        (Some(start), Some(end)) if start < end => Ok((record, start, end)),
        _ => Err(Error::argument("line", &show_text(line), "record, start and end are expected")),
    }
}

/// An error of the writers, which write to memory.
fn fault(error: io::Error) -> Error {
    Error::io("the index", error)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn refused(lines: &str) -> String {
        IndexedBedWriter::default().add(lines).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_found_by_their_position() {
        let line = |record: &str, start: usize| format!("{record}\t{start}\t{}\tx\n", start + 3);
        let text: String =
            ["a", "b"].iter().flat_map(|record| (0..40_000).map(move |at| line(record, 2 * at))).collect();
        let (mut file, mut packed) = (IndexedBedWriter::default(), Vec::new());
        for lines in text.split_inclusive('\n') {
            packed.extend(file.add(lines).unwrap());
        }
        let (rest, index) = file.finish().unwrap();
        packed.extend(rest);
        let mut read = String::new();
        bgzf::io::Reader::new(&packed[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        let index = tabix::io::Reader::new(&index[..]).read_index().unwrap();
        let mut reader = noodles_csi::io::IndexedReader::new(io::Cursor::new(packed), index);
        let region = "b:50001-50010".parse().unwrap();
        let found: Vec<String> =
            reader.query(&region).unwrap().map(|record| record.unwrap().as_ref().to_owned()).collect();
        let expected: Vec<String> = (0..40_000)
            .map(|at| 2 * at)
            .filter(|at| at + 3 > 50_000 && *at < 50_010)
            .map(|at| line("b", at))
            .collect();
        assert_eq!(found.join("\n") + "\n", expected.concat());
    }

    #[test]
    fn what_cannot_be_indexed_is_refused() {
        let said = refused("a\t5\t6\na\t4\t6\n");
        assert!(said.contains(r#"in "a" one at 4 follows one at 5; give the output"#), "{said}");
        assert!(refused("a\t5\t6\nb\t4\t6\na\t7\t8\n").contains(r#"those of "a" are not"#));
        assert!(refused("a\t5\t536870913\n").contains("up to 536870912"));
        assert!(IndexedBedWriter::default().add("a\t5\t536870912\n").is_ok());
        assert!(refused("a\t5\n").contains("start and end are expected"));
    }
}
