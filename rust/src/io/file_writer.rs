//! A file that is written from its start to its end: its bytes counted, summed and sent to the disk on the way.
//!
//! Linux keeps written bytes in memory and brings them to the disk when it sees fit, mostly not before the fsync, which
//! then waits for all of them. [`FileWriter`] asks for it piece by piece (`sync_file_range`), so that the disk works while
//! the next bytes are made. It is advice: it waits for nothing, promises nothing, and the fsync stays.
//!
//! # Safety
//!
//! The call is not in the standard library. It takes numbers only, so it cannot touch memory.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};

/// Bytes after which write-back of what was written is asked for.
const PIECE: u64 = 2 << 20;

/// A file, what was written to it so far, and its checksum.
#[derive(Debug)]
pub(crate) struct FileWriter {
    file: File,
    sum: Option<Box<blake3::Hasher>>,
    bytes: u64,
    /// Of them, those whose write-back was asked for.
    started: u64,
}

impl FileWriter {
    /// A writer into an empty file; with `checksum`, it computes the BLAKE3 sum of the bytes.
    pub(crate) fn new(file: File, checksum: bool) -> Self {
        let sum = checksum.then(Box::default);
        Self { file, sum, bytes: 0, started: 0 }
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The BLAKE3 sum of the bytes so far, in 64 hexadecimal digits; none if it was not asked for.
    pub(crate) fn checksum(&self) -> Option<String> {
        self.sum.as_ref().map(|sum| sum.finalize().to_hex().to_string())
    }

    /// Waits until the bytes are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn start_write_back(&mut self) {
        start_write_back(&self.file, self.started, self.bytes - self.started);
        self.started = self.bytes;
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if let Some(sum) = &mut self.sum {
            sum.update(&bytes[..written]);
        }
        self.bytes += written as u64;
        if self.bytes - self.started >= PIECE {
            self.start_write_back();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks the system to bring a range of a file to the disk, and does not wait.
#[cfg(target_os = "linux")]
fn start_write_back(file: &File, start: u64, bytes: u64) {
    use std::os::fd::AsRawFd;
    let (Ok(start), Ok(bytes)) = (i64::try_from(start), i64::try_from(bytes)) else { return };
    // SAFETY: the descriptor is open as long as `file` is borrowed; the call takes no pointer.
    unsafe { libc::sync_file_range(file.as_raw_fd(), start, bytes, libc::SYNC_FILE_RANGE_WRITE) };
}

#[cfg(not(target_os = "linux"))]
fn start_write_back(_file: &File, _start: u64, _bytes: u64) {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_summed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut writer = FileWriter::new(File::create(&path).unwrap(), true);
        let body: Vec<u8> = (0..3 * PIECE + 5).map(|number| number.to_le_bytes()[0]).collect();
        body.chunks(1 << 20).for_each(|piece| writer.write_all(piece).unwrap());
        writer.sync().unwrap();
        assert_eq!(writer.bytes(), body.len() as u64);
        assert_eq!(writer.checksum().unwrap(), blake3::hash(&body).to_hex().as_str());
        assert_eq!(std::fs::read(&path).unwrap(), body);
        assert_eq!(FileWriter::new(File::create(&path).unwrap(), false).checksum(), None);
    }
}
