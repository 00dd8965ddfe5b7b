//! How large files are, for progress and for sharing work out.

use std::path::{Path, PathBuf};

/// Bytes in all files, 0 if that is not known beforehand.
pub(crate) fn total_size(paths: &[PathBuf]) -> u64 {
    let sizes: Vec<u64> = paths.iter().map(|path| size(path)).collect();
    if sizes.contains(&0) { 0 } else { sizes.iter().sum() }
}

/// Bytes in a file, 0 if that is not known beforehand.
pub(crate) fn size(path: &Path) -> u64 {
    path.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len())
}
