//! Rows in the order in which BED files list them, independent of the order of the sequence files.
//!
//! The lengths of all rows are known before any is read. So each row has its offset in a *spool*, in which the rows are
//! concatenated in the order of the list: symbols are written to their offset as they come, in the order of the sequence
//! files, and once all are there the spool is read from front to back.
//!
//! The spool takes a byte per symbol of the rows: in memory up to [`MAX_IN_MEMORY`], beyond that in a file without a name
//! in the folder for temporary files (`TMPDIR`). The system removes such a file with the process, so a killed run leaves
//! nothing. 64 MB more are for buffers.
//!
//! # Writing anywhere, sequentially
//!
//! Rows of a million places over a genome would make a million small writes at random offsets. Instead the spool is cut
//! into *parts* of [`PART_BYTES`]. What is written into a part is appended to the buffer of that part, with its offset;
//! a full buffer is appended to the file. When the part is read, its buffers are read back and each entry is copied to its
//! offset. All reads and writes are thus of large blocks, and every byte is written and read once. An entry of a buffer
//! is: offset in the part (8 bytes), length (4 bytes), bytes.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use tempfile::SpooledTempFile;

use super::cutter::Cutter;
use super::regions::{Region, Regions};
use super::sweep::Sweep;
use super::worklist::WorkList;
use crate::error::{Error, Result, show_text};
use crate::monitor::Monitor;

/// Bytes of the largest spool that stays in memory.
const MAX_IN_MEMORY: usize = 64 << 20;
/// Bytes of a part, unless the spool is larger than [`MAX_PARTS`] of these.
const PART_BYTES: u64 = 32 << 20;
/// Parts of a spool, at most.
const MAX_PARTS: u64 = 2048;
/// Bytes of the buffers of all parts together.
const BUFFER_BYTES: usize = 32 << 20;
/// Symbols that become rows between two checks for an interrupt.
const BLOCK_SYMBOLS: u64 = 256 << 10;

/// The symbols of the rows of BED files, until it is their turn.
pub(super) struct Spool {
    store: PartStore,
    /// Where each row starts in the store, and the end of the last.
    offsets: Vec<u64>,
    /// The names of records, and the region of each row with the index of its record's name.
    names: Vec<Vec<u8>>,
    rows: Vec<(u32, Region)>,
    /// The sequence files, and by row the index of the one that has its record.
    paths: Vec<PathBuf>,
    found_in: Vec<Option<u32>>,
    /// The regions of the open record.
    sweep: Sweep,
    /// In the second phase, the row being made and where its next symbols are in the store.
    next: (usize, u64),
}

impl Spool {
    /// A spool for the rows of BED files. Fails if there are other regions, or none: the order needs a list.
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
        let (store, found_in) = (PartStore::new(total), vec![None; rows.len()]);
        Ok(Self { store, offsets, names, rows, paths, found_in, sweep: Sweep::default(), next: (0, 0) })
    }

    /// Starts a record of the file with index `file`. Fails if another file had a record of this name, since a row would
    /// have to be written twice.
    pub(super) fn start_record(&mut self, regions: &[Region], name: &[u8], file: usize) -> Result<()> {
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

    /// Adds the symbols of the record from `position` on, which may lie in any number of rows.
    pub(super) fn add(&mut self, position: u64, symbols: &[u8], list: Option<&WorkList>) -> Result<()> {
        let Self { store, offsets, sweep, .. } = self;
        sweep.add(position, symbols, list, |piece| match piece.region.row() {
            Some(row) => store.put(offsets[row] + piece.before, piece.symbols),
            None => Ok(()),
        })
    }

    /// The regions of the record that do not lie within its `length` symbols.
    pub(super) fn beyond(&self, length: u64) -> impl Iterator<Item = Region> {
        self.sweep.beyond(0, length)
    }

    /// After all symbols are added: makes rows of about a block of symbols, in order. False once all rows are made.
    pub(super) fn make_rows(&mut self, cutter: &mut Cutter, monitor: &Monitor) -> Result<bool> {
        let mut budget = BLOCK_SYMBOLS;
        while budget > 0 {
            monitor.check()?;
            let (row, at) = self.next;
            let Some(&(name, region)) = self.rows.get(row) else { return Ok(false) };
            if at == self.offsets[row] {
                cutter.start_record(&self.names[name as usize]);
                cutter.start_region(&region);
            }
            let count = budget.min(self.offsets[row + 1] - at);
            let in_file = |error: Error| match self.found_in[row] {
                Some(file) => error.in_file(&self.paths[file as usize]),
                None => error,
            };
            let symbols = self.store.get(at, count)?;
            let count = symbols.len() as u64;
            cutter.add(symbols, monitor).map_err(in_file)?;
            self.next.1 += count;
            budget -= count;
            if self.next.1 == self.offsets[row + 1] {
                cutter.end_region(monitor).map_err(in_file)?;
                self.next.0 += 1;
            }
        }
        Ok(true)
    }
}

/// Bytes that are written in any order and then read from front to back, as the [module](self) describes. Each byte must
/// be written once.
struct PartStore {
    file: SpooledTempFile,
    /// Bytes in the file, all of them full buffers.
    file_bytes: u64,
    /// Bytes of the spool.
    total: u64,
    part_bytes: u64,
    /// The length at which a buffer is written; it may be exceeded by one entry.
    buffer_bytes: usize,
    parts: Vec<StoredPart>,
    /// The part that is being read: its index, and its bytes in order.
    open: Option<(usize, Vec<u8>)>,
}

/// The entries of a part.
#[derive(Clone, Default)]
struct StoredPart {
    /// Entries that are not in the file.
    buffer: Vec<u8>,
    /// Its buffers in the file, as (offset, bytes).
    written: Vec<(u64, usize)>,
}

impl PartStore {
    /// A store of `total` bytes.
    fn new(total: u64) -> Self {
        Self::of_parts(total, PART_BYTES.max(total.div_ceil(MAX_PARTS)))
    }

    /// A store whose parts have `part_bytes` bytes.
    fn of_parts(total: u64, part_bytes: u64) -> Self {
        let num_parts = usize::try_from(total.div_ceil(part_bytes)).unwrap_or(usize::MAX);
        Self {
            file: SpooledTempFile::new(MAX_IN_MEMORY),
            file_bytes: 0,
            total,
            part_bytes,
            buffer_bytes: BUFFER_BYTES / num_parts.max(1),
            parts: vec![StoredPart::default(); num_parts],
            open: None,
        }
    }

    /// Writes bytes at an offset; they may span parts.
    fn put(&mut self, mut offset: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let into = offset % self.part_bytes;
            let part = usize::try_from(offset / self.part_bytes).unwrap_or(usize::MAX);
            let capacity =
                usize::try_from(self.part_bytes - into).unwrap_or(usize::MAX).min(u32::MAX as usize);
            let (now, later) = bytes.split_at(capacity.min(bytes.len()));
            let buffer = &mut self.parts[part].buffer;
            buffer.extend_from_slice(&into.to_le_bytes());
            buffer.extend_from_slice(&u32::try_from(now.len()).unwrap_or(u32::MAX).to_le_bytes());
            buffer.extend_from_slice(now);
            if buffer.len() >= self.buffer_bytes {
                self.write(part)?;
            }
            (offset, bytes) = (offset + now.len() as u64, later);
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

    /// At most `count` bytes from an offset on, all in one part; at least one if `count` is not 0. Offsets must rise from
    /// call to call, since a part is dropped when the next is read.
    fn get(&mut self, offset: u64, count: u64) -> Result<&[u8]> {
        let part = usize::try_from(offset / self.part_bytes).unwrap_or(usize::MAX);
        let bytes = match self.open.take() {
            Some((number, bytes)) if number == part => bytes,
            _ => self.in_order(part)?,
        };
        let (_, bytes) = self.open.insert((part, bytes));
        let into = usize::try_from(offset % self.part_bytes).unwrap_or(usize::MAX);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len() - into);
        Ok(&bytes[into..into + count])
    }

    /// Reads a part: all its bytes, in order. Its entries are dropped.
    fn in_order(&mut self, part: usize) -> Result<Vec<u8>> {
        let StoredPart { buffer, written } = std::mem::take(&mut self.parts[part]);
        let length = self.part_bytes.min(self.total - part as u64 * self.part_bytes);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        copy_entries(&buffer, &mut bytes);
        let mut block = Vec::new();
        for (offset, count) in written {
            block.resize(count, 0);
            let sought = self.file.seek(SeekFrom::Start(offset));
            sought.and_then(|_| self.file.read_exact(&mut block)).map_err(in_folder)?;
            copy_entries(&block, &mut bytes);
        }
        Ok(bytes)
    }
}

/// Copies the bytes of each entry of a buffer to their offset in the part.
fn copy_entries(mut buffer: &[u8], bytes: &mut [u8]) {
    while let Some((into, rest)) = buffer.split_first_chunk() {
        let Some((count, rest)) = rest.split_first_chunk() else { return };
        let into = usize::try_from(u64::from_le_bytes(*into)).unwrap_or(usize::MAX);
        let (symbols, rest) = rest.split_at(u32::from_le_bytes(*count) as usize);
        bytes[into..into + symbols.len()].copy_from_slice(symbols);
        buffer = rest;
    }
}

/// An error of the file, which has no name: that of its folder is shown.
fn in_folder(error: std::io::Error) -> Error {
    Error::io(std::env::temp_dir(), error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_part_is_written_when_its_buffer_is_full() {
        let mut store = PartStore { buffer_bytes: 40, ..PartStore::of_parts(100, 100) };
        for (number, written) in [0, 1, 1, 2].into_iter().enumerate() {
            // Eight bytes take twenty, with their offset and their number.
            store.put(8 * number as u64, &[0; 8]).unwrap();
            assert_eq!(store.parts[0].written.len(), written);
        }
    }

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
            let mut store = PartStore { buffer_bytes, ..PartStore::of_parts(total, part_bytes) };
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
