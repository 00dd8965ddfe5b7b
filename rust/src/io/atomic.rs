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
//! Files that belong together get their names by [`commit_together`], which a kill between two of them does not divide:
//! [`notes`] says how.
//!
//! Python writes through the same [`AtomicFile`] (`genotok.files`). Scratch space of this crate is in files without a name
//! (`rows::spool`), which the system removes with the process.

pub mod claim;
mod names;
mod notes;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempPath;

pub use self::names::is_unfinished;

pub(crate) use self::names::is_claim;
use self::names::{PREFIX, SUFFIX, folder_of, is_leftover, is_same, kernel, kernel_in, kernel_of};
use self::notes::Renaming;
use crate::error::{Error, Result};
use crate::io::file_writer::FileWriter;

/// Bytes that a writer collects before it calls the system.
const BUFFER_BYTES: usize = 1 << 18;
/// The path that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

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
    pub fn commit(self) -> io::Result<()> {
        self.named().map(drop)
    }

    /// [`commit`](Self::commit); the lock is held for as long as the caller keeps the writer.
    fn named(mut self) -> io::Result<BufWriter<FileWriter>> {
        self.sync()?;
        self.temporary.persist(&self.target).map_err(|error| error.error)?;
        if !self.is_deferred {
            // The rename reaches the disk with the folder. Not every file system can do that, and none needs it for the
            // file to be complete under either name.
            File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all()).ok();
        }
        Ok(self.writer)
    }
}

/// Commits files that belong together: after an error or a kill, all are the new ones or as they were before; after a kill,
/// once a writer or a claim comes to the folder ([`notes`]). A reader of the group starts with the last file.
///
/// The error has the number of the file. Deferred files, whose caller knows itself what is complete, get their names one
/// by one; files in several folders are not completed after a kill. Cost beyond that of single commits: the note, with two
/// fsyncs.
pub fn commit_together(mut files: Vec<AtomicFile>) -> std::result::Result<(), (usize, io::Error)> {
    if files.iter().any(|file| file.is_deferred) {
        let mut numbered = files.into_iter().enumerate();
        return numbered.try_for_each(|(at, file)| file.commit().map_err(|error| (at, error)));
    }
    let mut renamings = Vec::with_capacity(files.len());
    for (at, file) in files.iter_mut().enumerate() {
        file.sync().map_err(|error| (at, error))?;
        renamings.push(Renaming::of(&file.temporary, &file.target).map_err(|error| (at, error))?);
    }
    let note = notes::path_of(&renamings).map(|path| Note::write(path, &renamings)).transpose();
    let note = note.map_err(|error| (files.len() - 1, error))?;
    // The locks are held until the end. Temporary files that are renamed are no longer to be removed.
    let keep = |file: AtomicFile| file.temporary.keep().map(|_| file.writer);
    if let Err((at, error)) = notes::forward(&renamings) {
        if notes::back(&renamings).is_ok() {
            drop(note);
        } else {
            // The next writer tries to complete them.
            std::mem::forget(note);
            files.into_iter().for_each(|file| drop(keep(file)));
        }
        return Err((at, error));
    }
    let writers: Vec<_> = files.into_iter().map(keep).collect();
    drop(note);
    drop(writers);
    Ok(())
}

/// A note, locked; dropped, it is removed.
struct Note {
    path: PathBuf,
    _lock: BufWriter<FileWriter>,
}

impl Note {
    fn write(path: PathBuf, renamings: &[Renaming]) -> io::Result<Self> {
        let mut file = AtomicFile::create(&path, AtomicOptions::default())?;
        file.write_all(&notes::text_of(renamings))?;
        Ok(Self { _lock: file.named()?, path })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
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

/// [`sweep`], the first time that this process writes to a folder: the cost is one listing per folder, not per file.
pub fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let known = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let is_new = SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(known);
    if is_new {
        sweep(folder);
    }
}

/// Completes what dead writers left to be renamed, and removes their temporary files and claims from a folder. Those of
/// living writers stay, and so does what cannot be removed: the writer that sweeps must not fail for it.
pub fn sweep(folder: &Path) {
    notes::recover(folder, 1).ok();
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if is_unfinished(&name.to_string_lossy()) || is_claim(&name.to_string_lossy()) {
            remove_if_dead(&entry.path(), &name).ok();
        }
    }
}

/// Removes a temporary file or a claim if its lock is free, its kernel is this one or it is stale, and no note names it.
fn remove_if_dead(path: &Path, name: &OsStr) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Ok(());
    }
    let mut file = File::open(path)?;
    if file.try_lock().is_err() || !is_same(&file, path) {
        return Ok(()); // its writer lives, or the file system has no locks
    }
    let text = name.to_string_lossy();
    let maker = if is_claim(&text) { kernel_of(&mut file) } else { kernel_in(&text).to_owned() };
    // The note is looked for last: its writer is dead by now, and writes no other.
    if is_leftover(&maker, metadata.modified()?) && !notes::is_noted(&folder_of(path), name) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
