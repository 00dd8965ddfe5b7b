//! Where things lie in a packed file: the header, where each word ends, the arena.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use memmap2::Mmap;

/// How a packed file begins; the last byte stops a terminal that prints it by mistake.
pub const MAGIC: [u8; 8] = *b"GENOTOK\x1a";
pub(super) const HEADER: usize = 192;

/// Where word `index` of a checked file ends.
pub(super) fn end(file: &Mmap, index: usize) -> u64 {
    number(file, HEADER + 8 * index)
}

/// The arena of a checked file of so many words.
pub(super) fn arena(file: &Mmap, num_words: usize) -> &[u8] {
    &file[HEADER + 8 * num_words..]
}

/// The little-endian number at `at`.
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// Whether the file begins like a packed file. What cannot be opened is left to the reader to complain about.
pub(crate) fn is_packed(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == MAGIC)
}
