//! How large files are, for progress reports and for dividing work.

use std::path::{Path, PathBuf};

/// Bytes in all files; 0, which means unknown, if one of them is a stream, empty or missing.
pub(crate) fn total_size(paths: &[PathBuf]) -> u64 {
    let sizes: Vec<u64> = paths.iter().map(|path| size(path)).collect();
    if sizes.contains(&0) { 0 } else { sizes.iter().sum() }
}

/// Bytes in a file as stored; 0 if it is no regular file. No error: opening it will report why.
pub(crate) fn size(path: &Path) -> u64 {
    path.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len())
}
