//! Atomic writes: after a crash there is the old file or the new one, never a part of one.
//!
//! [`write`] is the only way to an output file in this crate: a temporary file in the folder of the final name, an fsync
//! of its bytes, a rename over the final name, and an fsync of the folder. The rename is atomic because both names are in
//! one folder and therefore on one file system; the first fsync comes before it because a file system may otherwise bring
//! the new name to the disk before the bytes.
//!
//! # Temporary files
//!
//! A temporary file is called `.genotok-<kernel>-<random>.tmp`. Its writer holds a lock (`flock`) on it until the rename.
//! The system releases the lock when the writer ends, however it ends; so a file whose lock is free is a leftover of a
//! dead writer, and the next writer in the folder removes it ([`sweep`]). A process id in the name would prove nothing:
//! the system reuses ids.
//!
//! Locks are certain within one kernel only: on a network file system another machine may not see them. `<kernel>` names
//! the kernel of the writer, and a file of another kernel is a leftover only if it has not changed for a week. Where a
//! file system has no locks, nothing is removed.
//!
//! Python writes through the same [`AtomicFile`] (`genotok.files`). Scratch space of this crate is in files without a name
//! (`rows::spool`), which the system removes with the process.

pub mod claim;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tempfile::TempPath;

use crate::error::{Error, Result};
use crate::io::file_writer::FileWriter;

/// How the names of temporary files and of claims start.
const PREFIX: &str = ".genotok-";
/// How the names of temporary files end.
const SUFFIX: &str = ".tmp";
/// How the names of claims end ([`claim`]).
const CLAIM_SUFFIX: &str = ".lock";
/// Bytes of a claim's description of its holder that are read.
const MAX_DESCRIPTION: u64 = 200;
/// A file of another kernel is a leftover once it has not changed for this long.
const STALE: Duration = Duration::from_hours(7 * 24);
/// Hexadecimal digits of the kernel's id in a name.
const KERNEL_DIGITS: usize = 12;
/// Bytes that a writer collects before it calls the system.
const BUFFER_BYTES: usize = 1 << 18;
/// The path that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Whether this is the name of a temporary file, of a living writer or a dead one.
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether this is the name of a claim, of a living holder or a dead one.
pub(crate) fn is_claim(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(CLAIM_SUFFIX)
}

/// Writes the file at `path` atomically; `fill` writes its bytes, and an error of `fill` leaves the old file.
///
/// `-` is standard output; a device or a pipe is written to directly; a link is followed, also to a file that does not
/// exist yet. Fails with [`Error::Io`] at `path`. Cost beyond the bytes: two fsyncs, and one listing of the folder the
/// first time that this process writes there.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = stream(path).and_then(|stream| {
        if let Some(stream) = stream {
            let mut writer = BufWriter::new(stream);
            fill(&mut writer)?;
            return writer.flush();
        }
        let mut file = AtomicFile::create(path, AtomicOptions::default())?;
        fill(&mut file.writer)?;
        file.commit()
    });
    written.map_err(|source| Error::io(path, source))
}

/// How an [`AtomicFile`] is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtomicOptions {
    /// Compute the BLAKE3 sum of the bytes.
    pub checksum: bool,
    /// The caller removes leftovers in the folder, and flushes the file and the folder to the disk before it relies on
    /// them: for thousands of small files, each of which would wait for the disk.
    pub deferred: bool,
}

/// A file under its temporary name, locked. Dropped without [`commit`](Self::commit), it is removed.
#[derive(Debug)]
pub struct AtomicFile {
    /// Over the bare file: `NamedTempFile` would add the temporary name, which means nothing to a user, to every error.
    writer: BufWriter<FileWriter>,
    temporary: TempPath,
    target: PathBuf,
    is_deferred: bool,
    /// Bytes that are on the disk already.
    synced: Option<u64>,
}

impl AtomicFile {
    /// A new temporary file in the folder of the file that `path` leads to, from which leftovers are swept first.
    pub fn create(path: &Path, options: AtomicOptions) -> io::Result<Self> {
        let target = target(path);
        let folder = folder_of(&target);
        if !options.deferred {
            sweep_once(&folder);
        }
        let prefix = format!("{PREFIX}{}-", kernel());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(16);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        loop {
            let (file, temporary) = builder.tempfile_in(&folder)?.into_parts();
            // Where there are no locks, no file is swept either.
            let is_locked = file.lock().is_ok();
            // Between its creation and its lock a sweeper may have taken it for a leftover.
            if !is_locked || is_same(&file, &temporary) {
                let writer = BufWriter::with_capacity(BUFFER_BYTES, FileWriter::new(file, options.checksum));
                return Ok(Self { writer, temporary, target, is_deferred: options.deferred, synced: None });
            }
        }
    }

    /// Brings the bytes to the disk, still under the temporary name, unless that is deferred. Returns the count of the
    /// bytes, and their checksum if it was asked for.
    pub fn sync(&mut self) -> io::Result<(u64, Option<String>)> {
        self.writer.flush()?;
        let file = self.writer.get_ref();
        if !self.is_deferred && self.synced != Some(file.bytes()) {
            file.sync()?;
            self.synced = Some(file.bytes());
        }
        Ok((file.bytes(), file.checksum()))
    }

    /// Brings the bytes to the disk, then the final name. The lock is held until the file has its name.
    pub fn commit(mut self) -> io::Result<()> {
        self.sync()?;
        self.temporary.persist(&self.target).map_err(|error| error.error)?;
        if !self.is_deferred {
            // The rename reaches the disk with the folder. Not every file system can do that, and none needs it for the
            // file to be complete under either name.
            File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all()).ok();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The stream that `path` stands for; none if it stands for a file.
fn stream(path: &Path) -> io::Result<Option<File>> {
    if path == Path::new(STANDARD_OUTPUT) {
        // A descriptor apart: Rust's standard output treats a closed one as an unread one, and reports no error.
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

/// The file that `path` leads to through links, whether it exists or not.
fn target(path: &Path) -> PathBuf {
    const MAX_LINKS: usize = 40; // as in Linux; a circle of links is left to the system to refuse
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
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

/// A name for a temporary file, new at each call, for writers outside this crate. They lock the file themselves.
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

/// The kernel that a claim's description names on its second line; empty if it names none.
fn kernel_of(file: &mut File) -> String {
    let mut text = String::new();
    file.take(MAX_DESCRIPTION).read_to_string(&mut text).ok();
    text.lines().nth(1).unwrap_or_default().to_owned()
}

/// An id of this kernel, from one start of the machine to the next; empty where the system has none.
fn kernel() -> &'static str {
    static KERNEL: OnceLock<String> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.chars().filter(char::is_ascii_hexdigit).take(KERNEL_DIGITS).collect()
    })
}

/// [`sweep`], the first time that this process writes to a folder: the cost is one listing per folder, not per file.
pub fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let known = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let is_new = SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(known);
    if is_new {
        sweep(folder);
    }
}

/// Removes the temporary files and claims of dead writers from a folder. Those of living writers stay, and so does what
/// cannot be removed: the writer that sweeps must not fail for it.
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

/// Removes a temporary file or a claim if its lock is free, and its kernel is this one or it is stale.
fn remove_if_dead(path: &Path, name: &str) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Ok(());
    }
    let mut file = File::open(path)?;
    if file.try_lock().is_err() || !is_same(&file, path) {
        return Ok(()); // its writer lives, or the file system has no locks
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

/// Whether someone else holds a lock; an error of the system means that the file system has no locks.
fn is_held(tried: &std::result::Result<(), TryLockError>) -> bool {
    matches!(tried, Err(TryLockError::WouldBlock))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
