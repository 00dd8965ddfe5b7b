//! Positions in a packed file: the header, the ends of words, the arena.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use memmap2::Mmap;

/// The first bytes of a packed file; the last of them, Ctrl-Z, stops DOS programs that print the file by mistake.
pub const MAGIC: [u8; 8] = *b"GENOTOK\x1a";
/// Bytes of the header.
pub(super) const HEADER: usize = 192;

/// Where word `index` of a checked file ends, in bases of its arena.
pub(super) fn end(file: &Mmap, index: usize) -> u64 {
    number(file, HEADER + 8 * index)
}

/// The arena of a checked file with `num_words` words.
pub(super) fn arena(file: &Mmap, num_words: usize) -> &[u8] {
    &file[HEADER + 8 * num_words..]
}

/// The little-endian 64-bit number at byte `at`.
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// Whether the file starts like a packed file. One that cannot be opened does not: the reader will report why.
pub(crate) fn is_packed(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == MAGIC)
}
