//! Rows in the order in which a BED file lists them, whatever the order of the sequence files.
//!
//! The letters of each row have their place in a spool before any is read: rows lie in it end to end, in the order of the
//! list. So letters go to their place as they come, in the order of the sequence files, and rows are read from the front
//! to the back once all are there. The spool takes a byte a letter of the rows: in memory up to [`IN_MEMORY`], and beyond
//! it in a file without a name in the folder for temporary files (`TMPDIR`), which is gone with the process. Beside that
//! a part of it is in memory, and the buffers of all parts: 64 MB.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use tempfile::SpooledTempFile;

use super::cutter::Cutter;
use super::regions::{Region, Regions};
use super::sweep::Sweep;
use super::worklist::WorkList;
use crate::error::{Error, Result, show_text};
use crate::monitor::Monitor;

/// The largest spool that stays in memory, in bytes.
const IN_MEMORY: usize = 64 << 20;
/// The bytes of a part of it, unless it is larger than [`MOST_PARTS`] of them.
const PART: u64 = 32 << 20;
/// The most parts.
const MOST_PARTS: u64 = 2048;
/// What the buffers of all parts hold together.
const BUFFERS: usize = 32 << 20;
/// Letters that become rows between two looks for an interrupt.
const BLOCK: u64 = 256 << 10;

/// The letters of rows, for their turn.
pub(super) struct Spool {
    store: Store,
    /// Where each row begins in the store, and the end.
    offsets: Vec<u64>,
    /// The names of records, and the region of each row with the number of its record's name.
    names: Vec<Vec<u8>>,
    rows: Vec<(u32, Region)>,
    /// The sequence files, and the number of the one that had the letters of each row.
    paths: Vec<PathBuf>,
    found_in: Vec<Option<u32>>,
    /// The regions of the record at hand.
    sweep: Sweep,
    /// The row at hand in the end, and where its next letters are in the store.
    next: (usize, u64),
}

impl Spool {
    /// Room for the rows of BED files. Fails if there are other regions, or none.
    pub(super) fn new(regions: Option<&Regions>, paths: Vec<PathBuf>) -> Result<Self> {
        let rule = "is the order of the rows of BED files: give BED files, and no other regions";
        let wrong = || Error::argument("bed_order", "true", rule);
        let regions = regions.filter(|regions| !regions.has_texts()).ok_or_else(wrong)?;
        let list = regions.list().ok_or_else(wrong)?;
        let (names, rows) = regions.by_row();
        let mut offsets = vec![0];
        let mut total = 0_u64;
        for (row, (_, region)) in rows.iter().enumerate() {
            let blocks = list.blocks(row);
            let whole = region.end.unwrap_or(region.start) - region.start;
            let joined = blocks.iter().map(|&(_, size)| size).sum();
            total = total.saturating_add(if blocks.is_empty() { whole } else { joined });
            offsets.push(total);
        }
        let (store, found_in) = (Store::new(total), vec![None; rows.len()]);
        Ok(Self { store, offsets, names, rows, paths, found_in, sweep: Sweep::default(), next: (0, 0) })
    }

    /// A record begins, of the file of such a number.
    pub(super) fn record(&mut self, regions: &[Region], name: &[u8], file: usize) -> Result<()> {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        for row in regions.iter().filter_map(Region::row) {
            if self.found_in[row].replace(file).is_some() {
                let name = show_text(&String::from_utf8_lossy(name));
                let rule =
                    format!("more than one file has a record {name}, and so more than one row for a line");
                return Err(Error::argument("bed_order", "true", rule));
            }
        }
        self.sweep = Sweep::new(regions);
        Ok(())
    }

    /// Letters of the record from `position` on.
    pub(super) fn letters(&mut self, position: u64, letters: &[u8], list: Option<&WorkList>) -> Result<()> {
        let Self { store, offsets, sweep, .. } = self;
        sweep.pass(position, letters, list, |piece| match piece.region.row() {
            Some(row) => store.put(offsets[row] + piece.before, piece.letters),
            None => Ok(()),
        })
    }

    /// The regions that a record of `length` letters does not have, or not whole.
    pub(super) fn beyond(&self, length: u64) -> impl Iterator<Item = Region> {
        self.sweep.beyond(0, length)
    }

    /// After all letters: makes rows, in order, of about a block of letters. False once all are made.
    pub(super) fn make_rows(&mut self, cutter: &mut Cutter, monitor: &Monitor) -> Result<bool> {
        let mut room = BLOCK;
        while room > 0 {
            monitor.check()?;
            let (row, at) = self.next;
            let Some(&(name, region)) = self.rows.get(row) else { return Ok(false) };
            if at == self.offsets[row] {
                cutter.record(&self.names[name as usize]);
                cutter.begin(&region);
            }
            let count = room.min(self.offsets[row + 1] - at);
            let in_file = |error: Error| match self.found_in[row] {
                Some(file) => error.in_file(&self.paths[file as usize]),
                None => error,
            };
            let letters = self.store.get(at, count)?;
            let count = letters.len() as u64;
            cutter.letters(letters, monitor).map_err(in_file)?;
            self.next.1 += count;
            room -= count;
            if self.next.1 == self.offsets[row + 1] {
                cutter.end(monitor).map_err(in_file)?;
                self.next.0 += 1;
            }
        }
        Ok(true)
    }
}

/// Bytes that are put anywhere and then taken from the front to the back, in sequential reads and writes only.
///
/// The whole is cut into *parts* of [`PART`] bytes. What is put into a part is appended to the part's buffer with its
/// place, full buffers to the file; a part is put in order when its turn comes.
struct Store {
    file: SpooledTempFile,
    file_bytes: u64,
    total: u64,
    part_bytes: u64,
    buffer_bytes: usize,
    parts: Vec<StorePart>,
    /// The number of the part that is in order, and its bytes.
    open: Option<(usize, Vec<u8>)>,
}

/// Part of a store.
#[derive(Clone, Default)]
struct StorePart {
    buffer: Vec<u8>,
    /// Where its buffers are in the file, as (place, bytes).
    written: Vec<(u64, usize)>,
}

impl Store {
    fn new(total: u64) -> Self {
        Self::of_parts(total, PART.max(total.div_ceil(MOST_PARTS)))
    }

    fn of_parts(total: u64, part_bytes: u64) -> Self {
        let num_parts = usize::try_from(total.div_ceil(part_bytes)).unwrap_or(usize::MAX);
        Self {
            file: SpooledTempFile::new(IN_MEMORY),
            file_bytes: 0,
            total,
            part_bytes,
            buffer_bytes: BUFFERS / num_parts.max(1),
            parts: vec![StorePart::default(); num_parts],
            open: None,
        }
    }

    /// Puts bytes at `place`.
    fn put(&mut self, mut place: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let into = place % self.part_bytes;
            let part = usize::try_from(place / self.part_bytes).unwrap_or(usize::MAX);
            let room = usize::try_from(self.part_bytes - into).unwrap_or(usize::MAX).min(u32::MAX as usize);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let buffer = &mut self.parts[part].buffer;
            buffer.extend_from_slice(&into.to_le_bytes());
            buffer.extend_from_slice(&u32::try_from(now.len()).unwrap_or(u32::MAX).to_le_bytes());
            buffer.extend_from_slice(now);
            if buffer.len() >= self.buffer_bytes {
                self.write(part)?;
            }
            (place, bytes) = (place + now.len() as u64, later);
        }
        Ok(())
    }

    /// Appends the buffer of a part to the file.
    fn write(&mut self, part: usize) -> Result<()> {
        let part = &mut self.parts[part];
        self.file.write_all(&part.buffer).map_err(in_folder)?;
        part.written.push((self.file_bytes, part.buffer.len()));
        self.file_bytes += part.buffer.len() as u64;
        part.buffer.clear();
        Ok(())
    }

    /// At most `count` bytes, of those from `place` on; never fewer than one.
    fn get(&mut self, place: u64, count: u64) -> Result<&[u8]> {
        let part = usize::try_from(place / self.part_bytes).unwrap_or(usize::MAX);
        let bytes = match self.open.take() {
            Some((number, bytes)) if number == part => bytes,
            _ => self.in_order(part)?,
        };
        let (_, bytes) = self.open.insert((part, bytes));
        let into = usize::try_from(place % self.part_bytes).unwrap_or(usize::MAX);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len() - into);
        Ok(&bytes[into..into + count])
    }

    /// The bytes of a part, each at its place.
    fn in_order(&mut self, part: usize) -> Result<Vec<u8>> {
        let StorePart { buffer, written } = std::mem::take(&mut self.parts[part]);
        let length = self.part_bytes.min(self.total - part as u64 * self.part_bytes);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        place_all(&buffer, &mut bytes);
        let mut block = Vec::new();
        for (place, count) in written {
            block.resize(count, 0);
            let sought = self.file.seek(SeekFrom::Start(place));
            sought.and_then(|_| self.file.read_exact(&mut block)).map_err(in_folder)?;
            place_all(&block, &mut bytes);
        }
        Ok(bytes)
    }
}

/// Puts what a buffer holds at its places.
fn place_all(mut buffer: &[u8], bytes: &mut [u8]) {
    while let Some((into, rest)) = buffer.split_first_chunk() {
        let Some((count, rest)) = rest.split_first_chunk() else { return };
        let into = usize::try_from(u64::from_le_bytes(*into)).unwrap_or(usize::MAX);
        let (letters, rest) = rest.split_at(u32::from_le_bytes(*count) as usize);
        bytes[into..into + letters.len()].copy_from_slice(letters);
        buffer = rest;
    }
}

/// The error of a file without a name: that of its folder.
fn in_folder(error: std::io::Error) -> Error {
    Error::io(std::env::temp_dir(), error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_anywhere_comes_out_in_order(
            bytes in proptest::collection::vec(any::<u8>(), 1..300),
            part_bytes in 1_u64..100,
            buffer_bytes in 0_usize..200,
            step in 1_usize..50,
            count in 1_u64..80,
            seed in any::<u64>(),
        ) {
            let total = bytes.len() as u64;
            let mut store = Store { buffer_bytes, ..Store::of_parts(total, part_bytes) };
            let mut chunks: Vec<(usize, &[u8])> = bytes.chunks(step).enumerate().collect();
            chunks.sort_by_key(|&(number, _)| (number as u64).wrapping_mul(seed | 1));
            for (number, chunk) in chunks {
                store.put((number * step) as u64, chunk).unwrap();
            }
            let mut read = Vec::new();
            while read.len() < bytes.len() {
                let more = store.get(read.len() as u64, count.min(total - read.len() as u64)).unwrap();
                read.extend_from_slice(more);
            }
            prop_assert_eq!(read, bytes);
        }
    }
}
