//! Checksums: of files, and of structured contents, BLAKE3 over fields, each with its length in front.
//!
//! Without the lengths, `ab` and `c` would have the sum of `a` and `bc`. Python computes the same sums of tokenizers and
//! of datasets over this type, so the byte order is fixed: little-endian, 64 bits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::io::memory::Buffer;
use crate::monitor::Monitor;

/// Bytes of a file that are read at a time: they stay in the cache until they are summed.
const BLOCK: usize = 1 << 18;

/// The BLAKE3 sum of a file, in 64 hexadecimal digits; none of a pipe or device, which can be read only once.
///
/// Fails if the file cannot be read, or `monitor` is cancelled. Cost: one core sums 2 to 6 GB/s.
pub fn file_checksum(path: &Path, monitor: &Monitor) -> Result<Option<String>> {
    let failed = |error| Error::io(path, error);
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Ok(None);
    }
    let (mut file, mut buffer) = (File::open(path).map_err(failed)?, Buffer::of(BLOCK));
    let mut hasher = blake3::Hasher::new();
    loop {
        monitor.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(hasher.finalize().to_hex().to_string())),
            Ok(bytes) => {
                hasher.update(&buffer[..bytes]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Numbers that are converted to bytes together: 8 KiB, enough for BLAKE3 to use its vector code.
const RUN: usize = 1024;

/// A checksum of everything added so far.
#[derive(Debug, Default)]
pub struct ContentChecksum {
    hasher: blake3::Hasher,
}

impl ContentChecksum {
    /// The checksum of no content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of bytes, its length in front.
    pub fn add_sized(&mut self, bytes: &[u8]) {
        self.add_number(bytes.len() as u64);
        self.hasher.update(bytes);
    }

    /// Adds a number, as eight bytes, little-endian.
    pub fn add_number(&mut self, number: u64) {
        self.hasher.update(&number.to_le_bytes());
    }

    /// Adds a field of numbers, their count in front.
    pub fn add_numbers(&mut self, mut numbers: impl ExactSizeIterator<Item = u64>) {
        self.add_number(numbers.len() as u64);
        let mut run = [0; 8 * RUN];
        while numbers.len() > 0 {
            let mut filled = 0;
            for (place, number) in run.chunks_exact_mut(8).zip(numbers.by_ref().take(RUN)) {
                place.copy_from_slice(&number.to_le_bytes());
                filled += 8;
            }
            self.hasher.update(&run[..filled]);
        }
    }

    /// The first `bytes` bytes of the sum as lower-case hexadecimal digits; at most 32 bytes. The sum may grow further.
    pub fn digits(&self, bytes: usize) -> String {
        self.hasher.finalize().to_hex()[..2 * bytes].to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sum(fill: impl FnOnce(&mut ContentChecksum)) -> String {
        let mut sum = ContentChecksum::new();
        fill(&mut sum);
        sum.digits(16)
    }

    #[test]
    fn numbers_count_one_by_one_and_in_order() {
        for count in [0, 1, RUN - 1, RUN, RUN + 1, 3 * RUN + 7] {
            let numbers: Vec<u64> = (0..count as u64).map(|number| number * number).collect();
            let whole = sum(|sum| sum.add_numbers(numbers.iter().copied()));
            let each = sum(|sum| {
                sum.add_number(count as u64);
                numbers.iter().for_each(|&number| sum.add_number(number));
            });
            assert_eq!(whole, each);
            assert_eq!(whole.len(), 32);
        }
        assert_ne!(
            sum(|sum| sum.add_numbers([1, 2].into_iter())),
            sum(|sum| sum.add_numbers([2, 1].into_iter()))
        );
    }

    #[test]
    fn a_file_has_the_sum_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let body = vec![7; BLOCK + 1];
        std::fs::write(file.path(), &body).unwrap();
        let monitor = Monitor::default();
        let sum = |path: &Path| file_checksum(path, &monitor);
        assert_eq!(sum(file.path()).unwrap().unwrap(), blake3::hash(&body).to_hex().as_str());
        assert_eq!(sum(Path::new("/dev/null")).unwrap(), None);
        assert!(sum(Path::new("/missing")).is_err());
        monitor.cancel();
        assert!(matches!(sum(file.path()), Err(Error::Interrupted)));
    }

    #[test]
    fn fields_do_not_run_together() {
        let fields = |fields: [&[u8]; 2]| sum(|sum| fields.iter().for_each(|part| sum.add_sized(part)));
        assert_ne!(fields([b"ab", b"c"]), fields([b"a", b"bc"]));
        assert_ne!(fields([b"", b"abc"]), fields([b"abc", b""]));
    }
}
