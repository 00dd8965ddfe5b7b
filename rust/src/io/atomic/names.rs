//! The names of temporary files, claims and notes, and what a name tells about its writer.

use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// How the names of temporary files, claims and notes start.
pub(super) const PREFIX: &str = ".genotok-";
/// How the names of temporary files end.
pub(super) const SUFFIX: &str = ".tmp";
/// How the names of claims end ([`super::claim`]).
pub(super) const CLAIM_SUFFIX: &str = ".lock";
/// How the names of notes end ([`super::notes`]).
pub(super) const NOTE_SUFFIX: &str = ".note";
/// Bytes of a claim's description of its holder that are read.
pub(super) const MAX_DESCRIPTION: u64 = 200;
/// A file of another kernel is a leftover once it has not changed for this long.
const STALE: Duration = Duration::from_hours(7 * 24);
/// Hexadecimal digits of the kernel's id in a name.
const KERNEL_DIGITS: usize = 12;

/// Whether this is the name of a temporary file, of a living writer or a dead one.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether this is the name of a claim, of a living holder or a dead one.
pub(crate) fn is_claim(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(CLAIM_SUFFIX)
}

/// Whether this is the name of a note, of a living writer or a dead one.
pub(super) fn is_note(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(NOTE_SUFFIX)
}

/// The kernel that the name of a temporary file or of a note names; empty if it names none.
pub(super) fn kernel_in(name: &str) -> &str {
    name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).map_or("", |(kernel, _)| kernel)
}

/// The kernel that a claim's description names on its second line; empty if it names none.
pub(super) fn kernel_of(file: &mut File) -> String {
    let mut text = String::new();
    file.take(MAX_DESCRIPTION).read_to_string(&mut text).ok();
    text.lines().nth(1).unwrap_or_default().to_owned()
}

/// An id of this kernel, from one start of the machine to the next; empty where the system has none.
pub(super) fn kernel() -> &'static str {
    static KERNEL: OnceLock<String> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.chars().filter(char::is_ascii_hexdigit).take(KERNEL_DIGITS).collect()
    })
}

/// Whether a file whose lock is free is a leftover: it is of this kernel, where locks are certain, or old.
pub(super) fn is_leftover(maker: &str, modified: SystemTime) -> bool {
    (!kernel().is_empty() && maker == kernel()) || modified.elapsed().is_ok_and(|age| age > STALE)
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Whether an open file still has this name.
pub(super) fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Whether someone else holds a lock; an error of the system means that the file system has no locks.
pub(super) fn is_held(tried: &std::result::Result<(), TryLockError>) -> bool {
    matches!(tried, Err(TryLockError::WouldBlock))
}
