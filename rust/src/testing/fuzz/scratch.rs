//! A folder of the process for what is read by path: in memory where the system has such a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

/// The folder, made at the first call.
pub(super) fn folder() -> &'static Path {
    let folder = FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        tempfile::Builder::new().prefix("genotok-fuzz-").tempdir_in(parent).expect("a folder")
    });
    folder.path()
}

/// Writes a file of the folder, over the one before, and returns its path. Targets run one at a time in a process.
pub(super) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("written");
    path
}
