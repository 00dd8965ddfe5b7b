//! The line of a letter that is refused, found by reading its file again: rows are judged when their line is long past.

use std::path::Path;

use crate::error::Error;
use crate::io::fasta::{Event, Reader};

/// The same error; of a letter in a record of a file that can be read again, with its line.
pub(super) fn placed(mut error: Error, path: &Path, record: u64) -> Error {
    if let Error::Symbol { line, position, .. } = &mut error {
        *line = line_of(path, record, *position);
    }
    error
}

/// The line of a letter; records count from 1, positions from 0. Reads the file up to it.
fn line_of(path: &Path, record: u64, position: u64) -> Option<u64> {
    let mut reader = path.is_file().then(|| Reader::open(path).ok()).flatten()?;
    let (mut records, mut read) = (0, 0);
    while let Some(event) = reader.next_event().ok()? {
        match event {
            Event::Record { .. } => (records, read) = (records + 1, 0),
            Event::Letters(letters) => {
                let length = letters.len() as u64;
                if records == record && position < read + length {
                    return usize::try_from(position - read).ok().map(|offset| reader.line_of(offset));
                }
                read += length;
            }
        }
    }
    None
}
