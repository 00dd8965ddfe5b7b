//! Atomic writes: the old file or the new one, never a part.
//!
//! # Temporary files
//!
//! A file that is being written is called `.genotok-<kernel>-<random>.tmp`, in the folder of its final name. Its writer
//! holds a lock (`flock`) on it until it has its name. The system lets go of the lock when the writer ends, however it
//! ends; so a lock that can be had belongs to a dead writer, and the file is a leftover, which the next writer in the
//! folder removes ([`sweep`]). A process id in the name would not tell: the system uses ids again.
//!
//! Locks are certain within one kernel. On a network file system another machine may not see them; so `<kernel>` names
//! the kernel of the writer, and a file of another kernel counts as a leftover only if nobody changed it for a week.
//! Where the system has no locks at all, nothing is removed.

pub mod claim;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// How files are called that are not whole yet.
const PREFIX: &str = ".genotok-";
const SUFFIX: &str = ".tmp";
/// Bytes of who holds a claim that are shown.
const MOST_SHOWN: u64 = 200;
/// How claims are called ([`claim`]).
const CLAIM_SUFFIX: &str = ".lock";
/// A file of another machine is a leftover if it was not changed for this long.
const STALE: Duration = Duration::from_hours(7 * 24);
/// Letters of the kernel's id in a name.
const KERNEL_LETTERS: usize = 12;
/// The path that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Whether a file of this name was being written when its writer was killed, or is being written now.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether a file of this name says that somebody writes, or that its owner was killed.
pub(crate) fn is_claim(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(CLAIM_SUFFIX)
}

/// Writes `path` through `fill`: to a temporary name beside it, to disk, then renamed over it.
///
/// Killed anywhere, or out of space, there is the old file or the new one, never a part. `-` is standard output; a path
/// that is a device or a pipe is written to as it is; a link is followed, also to a file that is not there yet.
pub fn write_whole(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let fail = |source| Error::io(path, source);
    match stream(path).map_err(fail)? {
        Some(stream) => {
            let mut writer = BufWriter::new(stream);
            fill(&mut writer).and_then(|()| writer.flush()).map_err(fail)
        }
        None => replace(&target(path), fill).map_err(fail),
    }
}

/// The stream that `path` stands for, or nothing: a file is to be there.
fn stream(path: &Path) -> io::Result<Option<File>> {
    if path == Path::new(STANDARD_OUTPUT) {
        // A file of its own: Rust's standard output takes a closed one for one that nobody reads, and says nothing.
        use std::os::fd::AsFd;
        return Ok(Some(File::from(io::stdout().as_fd().try_clone_to_owned()?)));
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(io::Error::new(ErrorKind::IsADirectory, "this is a folder; give the name of a file"))
        }
        Ok(metadata) if !metadata.is_file() => File::options().write(true).open(path).map(Some),
        _ => Ok(None),
    }
}

/// The file that `path` leads to through links, whether it is there or not.
fn target(path: &Path) -> PathBuf {
    const MOST_LINKS: usize = 40; // as the system has it; what goes round in circles is left to it
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { break };
        target = folder_of(&target).join(next);
    }
    target
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn replace(target: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(target);
    sweep_once(&folder);
    let temporary = temporary_in(&folder)?;
    // To the file itself: the temporary would add its name, which says nothing to anyone, to what the system says.
    let mut writer = BufWriter::with_capacity(1 << 18, temporary.as_file());
    fill(&mut writer).and_then(|()| writer.flush())?;
    drop(writer);
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|error| error.error)?;
    // The rename itself reaches the disk with the folder; not every file system can do that, and none needs it to be whole.
    File::open(&folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}

/// A temporary file with its lock.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let prefix = format!("{PREFIX}{}-", kernel());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(16);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        // Without locks nobody sweeps either.
        let locked = temporary.as_file().lock().is_ok();
        // Between its making and its lock a sweeper may have taken it for a leftover.
        if !locked || is_same(temporary.as_file(), temporary.path()) {
            return Ok(temporary);
        }
    }
}

/// A new name for a temporary file, for writers outside this module, which lock the file themselves.
pub fn temporary_name() -> String {
    static COUNT: Mutex<u64> = Mutex::new(0);
    let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    *count += 1;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seed = format!("{} {} {count}", std::process::id(), now.as_nanos());
    format!("{PREFIX}{}-{}{SUFFIX}", kernel(), &blake3::hash(seed.as_bytes()).to_hex()[..16])
}

/// Whether an open file still has this name.
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// The kernel on which the claim was made that `file` holds, as far as it says.
fn kernel_of(file: &mut File) -> String {
    let mut text = String::new();
    file.take(MOST_SHOWN).read_to_string(&mut text).ok();
    text.lines().nth(1).unwrap_or_default().to_owned()
}

/// What tells this kernel from all others, from one start of the machine to the next; empty where it does not say.
fn kernel() -> &'static str {
    static KERNEL: OnceLock<String> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.chars().filter(char::is_ascii_hexdigit).take(KERNEL_LETTERS).collect()
    })
}

/// [`sweep`], the first time that this process writes to a folder: a folder of many files is listed once, not for each.
pub fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let known = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let is_new = SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(known);
    if is_new {
        sweep(folder);
    }
}

/// Removes the temporary files and claims of dead writers in a folder, and none of a living one. What cannot be removed
/// stays.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if is_unfinished(&name) || is_claim(&name) {
            remove_if_dead(&entry.path(), &name).ok();
        }
    }
}

fn remove_if_dead(path: &Path, name: &str) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Ok(());
    }
    let mut file = File::open(path)?;
    if file.try_lock().is_err() || !is_same(&file, path) {
        return Ok(()); // its writer lives, or nobody can tell
    }
    let maker = if is_claim(name) {
        kernel_of(&mut file)
    } else {
        let named = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
        named.map_or_else(String::new, |(maker, _)| maker.to_owned())
    };
    let is_ours = !kernel().is_empty() && maker == kernel();
    if is_ours || metadata.modified()?.elapsed().is_ok_and(|age| age > STALE) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Whether a lock is held by somebody else; an error of the system means that there are no locks here.
fn is_held(tried: &std::result::Result<(), TryLockError>) -> bool {
    matches!(tried, Err(TryLockError::WouldBlock))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
