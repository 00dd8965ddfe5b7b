//! The line of a symbol that was refused, found by reading its file again.
//!
//! Rows are judged when they are complete, long after the reader has passed their lines. Keeping the lines of all rows
//! would cost every run what only a failing one needs; a second pass costs the failing run some seconds.

use std::path::Path;

use crate::error::Error;
use crate::io::fasta::{Event, SequenceReader};

/// The error with the line of its symbol added, if the file can be read again. `record` counts from 1.
pub(super) fn with_line(mut error: Error, path: &Path, record: u64) -> Error {
    if let Error::Symbol { line, position, .. } = &mut error {
        *line = line_of(path, record, *position);
    }
    error
}

/// The line of a symbol, from 1; records count from 1, positions from 0. Cost: reads the file up to the symbol.
fn line_of(path: &Path, record: u64, position: u64) -> Option<u64> {
    let mut reader = path.is_file().then(|| SequenceReader::open(path).ok()).flatten()?;
    let (mut records, mut read) = (0, 0);
    while let Some(event) = reader.next_event().ok()? {
        match event {
            Event::Record { .. } => (records, read) = (records + 1, 0),
            Event::Symbols(symbols) => {
                let length = symbols.len() as u64;
                if records == record && position < read + length {
                    return usize::try_from(position - read).ok().map(|offset| reader.line_of(offset));
                }
                read += length;
            }
        }
    }
    None
}
