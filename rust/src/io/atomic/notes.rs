//! Notes: files that belong together, such as the two of a Megatron pair, become the new ones together.
//!
//! No system renames two files in one step, and a kill can come between two. So the writer first writes a *note*,
//! `.genotok-<kernel>-<random>.note`: for each file its temporary name, its final name, and the identity (inode, bytes, time
//! of change) of the new file and of the one that it replaces. The bytes of the new files are on the disk by then; from the
//! note on, the group is new, and only its names are to be put right ([`forward`]):
//!
//! 1. Old files get spare names, the last file first. A pair is read by its last file, the index: until the end, readers
//!    find no pair. So they never take an old index for one of new data, whose sizes may be equal.
//! 2. New files get their final names, the last file last.
//! 3. Spare files are removed, then the note.
//!
//! The writer holds a lock on the note. If it dies, the lock is free, and the next writer in the folder, or the next to
//! claim an output there, goes on where it ended ([`recover`]): before it removes leftovers, and before it looks whether its
//! output exists. Each step changes one name and can be seen from identities, so [`forward`] can be cut off at any step and
//! called again, by any process; the lock lets in one at a time. Where a step fails and the writer lives, [`back`] undoes
//! them, in an order that [`forward`] also understands.
//!
//! # What is never touched
//!
//! A file whose identity the note does not tell is another's: the user may have written it after the kill. Then no name is
//! changed, except that old files come back if no new one has its name yet. A note counts only if its owner is who owns
//! the files that this process creates there: in a folder for all, nobody can make others rename files.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::names::{
    NOTE_SUFFIX, SUFFIX, folder_of, is_held, is_leftover, is_note, is_same, is_unfinished, kernel_in,
};

/// The first field of a note.
const VERSION: &[u8] = b"genotok renames 1";
/// Bytes of a note that are read; it has about 200 per file.
const MAX_NOTE: u64 = 1 << 16;
/// How often the lock of a note is tried by a process that needs what the note tells: another recovers it in milliseconds.
pub(super) const TRIES: usize = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A file that is to get its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renaming {
    temporary: PathBuf,
    target: PathBuf,
    /// Identity of the new file.
    new: String,
    /// Identity of the file that it replaces; empty if there is none.
    old: String,
}

impl Renaming {
    /// The renaming of a complete file, whose bytes are on the disk.
    pub(super) fn of(temporary: &Path, target: &Path) -> io::Result<Self> {
        let new = described(&fs::symlink_metadata(temporary)?);
        Ok(Self { temporary: temporary.into(), target: target.into(), new, old: identity(target)? })
    }

    /// Where the old file is until the group is complete: also a temporary name.
    fn spare(&self) -> PathBuf {
        let stem = stem_of(self.temporary.file_name().unwrap_or_default());
        let mut name = OsStr::from_bytes(stem).to_os_string();
        name.push("-old");
        name.push(SUFFIX);
        self.temporary.with_file_name(name)
    }

    fn is_done(&self) -> io::Result<bool> {
        Ok(identity(&self.target)? == self.new)
    }

    /// Whether the new file is there, and nothing else at its final name than the old one.
    fn is_waiting(&self) -> io::Result<bool> {
        let there = identity(&self.target)?;
        Ok(identity(&self.temporary)? == self.new && (there.is_empty() || there == self.old))
    }
}

/// What tells a file from all others, whatever its name; empty if there is no file.
fn identity(path: &Path) -> io::Result<String> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::from(ErrorKind::IsADirectory)),
        Ok(found) => Ok(described(&found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Inode, bytes, and time of change.
fn described(file: &Metadata) -> String {
    format!("{} {} {}.{:09}", file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

/// The name of a temporary file without what varies: that of the new file, of the old one, and of the note.
fn stem_of(name: &OsStr) -> &[u8] {
    let bytes = name.as_bytes();
    let bytes = bytes.strip_suffix(SUFFIX.as_bytes()).unwrap_or(bytes);
    bytes.strip_suffix(b"-old").unwrap_or(bytes)
}

/// Where the note of these files is; none if they are in several folders, or are one.
pub(super) fn path_of(renamings: &[Renaming]) -> Option<PathBuf> {
    let (first, others) = renamings.split_first()?;
    let folder = folder_of(&first.target);
    let is_group = !others.is_empty() && others.iter().all(|other| folder_of(&other.target) == folder);
    let mut name = OsStr::from_bytes(stem_of(first.temporary.file_name()?)).to_os_string();
    name.push(NOTE_SUFFIX);
    is_group.then(|| folder.join(name))
}

/// The text of a note.
pub(super) fn text_of(renamings: &[Renaming]) -> Vec<u8> {
    let names = |path: &Path| path.file_name().unwrap_or_default().as_bytes().to_vec();
    let fields = renamings.iter().flat_map(|one| {
        [names(&one.temporary), names(&one.target), one.new.clone().into(), one.old.clone().into()]
    });
    let mut text = VERSION.to_vec();
    for field in fields {
        text.push(0);
        text.extend(field);
    }
    text
}

/// The files of a note in a folder; none if this is no text of a note.
fn parse(text: &[u8], folder: &Path) -> Option<Vec<Renaming>> {
    let mut fields = text.split(|&byte| byte == 0);
    if fields.next() != Some(VERSION) {
        return None;
    }
    let fields: Vec<&[u8]> = fields.collect();
    let (groups, []) = fields.as_chunks::<4>() else { return None };
    let renaming = |[temporary, target, new, old]: &[&[u8]; 4]| {
        let (temporary, target) = (file_name(temporary)?, file_name(target)?);
        let is_ours = is_unfinished(&temporary.to_string_lossy()) && !new.is_empty();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (temporary, target) = (folder.join(temporary), folder.join(target));
        is_ours.then(|| Renaming { temporary, target, new: text(new), old: text(old) })
    };
    groups.iter().map(renaming).collect()
}

/// A name of a file in the folder itself.
fn file_name(bytes: &[u8]) -> Option<OsString> {
    let name = OsStr::from_bytes(bytes);
    (Path::new(name).file_name() == Some(name)).then(|| name.to_os_string())
}

/// Gives all files their names, from any state that a kill may have left. The error has the number of the file.
pub(super) fn forward(renamings: &[Renaming]) -> Result<(), (usize, io::Error)> {
    let numbered = || renamings.iter().enumerate();
    for (at, one) in numbered().rev().filter(|(_, one)| !one.old.is_empty()) {
        let moved = identity(&one.target)
            .and_then(|there| if there == one.old { fs::rename(&one.target, one.spare()) } else { Ok(()) });
        moved.map_err(|error| (at, error))?;
    }
    for (at, one) in numbered() {
        let named = one
            .is_done()
            .and_then(|done| if done { Ok(()) } else { fs::rename(&one.temporary, &one.target) });
        named.map_err(|error| (at, error))?;
    }
    for one in renamings {
        // See `AtomicFile::commit`.
        File::open(folder_of(&one.target)).and_then(|folder| folder.sync_all()).ok();
        if !one.old.is_empty() {
            fs::remove_file(one.spare()).ok();
        }
    }
    Ok(())
}

/// Undoes what [`forward`] did before it failed.
pub(super) fn back(renamings: &[Renaming]) -> io::Result<()> {
    for one in renamings.iter().rev() {
        if one.is_done()? {
            fs::rename(&one.target, &one.temporary)?;
        }
    }
    put_back(renamings)
}

/// Gives old files their names back, where no file has them.
fn put_back(renamings: &[Renaming]) -> io::Result<()> {
    for one in renamings.iter().filter(|one| !one.old.is_empty()) {
        if identity(&one.spare())? == one.old && identity(&one.target)?.is_empty() {
            fs::rename(one.spare(), &one.target)?;
        }
    }
    Ok(())
}

/// Completes, in a folder, what writers that were killed left to be renamed.
///
/// The notes of living writers, of others' and of other kernels stay. The lock of a note is tried `tries` times. Fails if a
/// file cannot be renamed; its note stays. Cost: one listing of the folder.
pub(super) fn recover(folder: &Path, tries: usize) -> io::Result<()> {
    for note in notes_in(folder) {
        match settle(&note, folder, tries) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {} // if it is gone, another process was faster
        }
    }
    Ok(())
}

/// Whether a note in the folder names this temporary file, or may do so.
pub(super) fn is_noted(folder: &Path, temporary: &OsStr) -> bool {
    let stem = stem_of(temporary);
    notes_in(folder).iter().any(|note| match File::open(note).and_then(|file| read(&file)) {
        Ok(text) => text.windows(stem.len()).any(|part| part == stem),
        Err(error) => error.kind() != ErrorKind::NotFound,
    })
}

fn notes_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| is_note(&entry.file_name().to_string_lossy()));
    named.map(|entry| entry.path()).collect()
}

fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(MAX_NOTE).read_to_end(&mut text)?;
    Ok(text)
}

/// Does what a note tells, if its writer is dead and was this user's, and removes it.
fn settle(note: &Path, folder: &Path, tries: usize) -> io::Result<()> {
    let metadata = fs::symlink_metadata(note)?;
    let name = note.file_name().unwrap_or_default().to_string_lossy();
    if !metadata.is_file() || !is_leftover(kernel_in(&name), metadata.modified()?) {
        return Ok(());
    }
    // Not the user of this process: some file systems map one user to another.
    if tempfile::tempfile_in(folder)?.metadata()?.uid() != metadata.uid() {
        return Ok(());
    }
    let file = File::open(note)?;
    for left in (0..tries).rev() {
        let tried = file.try_lock();
        if tried.is_ok() {
            break;
        }
        if left == 0 || !is_held(&tried) {
            return Ok(()); // its writer lives, or the file system has no locks
        }
        thread::sleep(BETWEEN_TRIES);
    }
    if !is_same(&file, note) {
        return Ok(());
    }
    if let Some(renamings) = parse(&read(&file)?, folder) {
        let mut is_known = true;
        let mut is_begun = false;
        for one in &renamings {
            is_begun |= one.is_done()?;
            is_known &= one.is_done()? || one.is_waiting()?;
        }
        if is_known {
            forward(&renamings).map_err(|(_, error)| error)?;
        } else if !is_begun {
            put_back(&renamings)?;
        }
    }
    fs::remove_file(note)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
