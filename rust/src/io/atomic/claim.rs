//! Claims: an output belongs to one run at a time.
//!
//! A claim is a locked file (`flock`): `.genotok-<digest of the output's name>.lock` beside an output file, or
//! `.genotok-folder.lock` in an output folder. Its first line names the holder for people, its second the holder's kernel
//! for [`sweep`](super::sweep). The system releases the lock when the holder ends, however it ends, so the claim of a
//! killed run keeps nobody out. Where a file system has no locks, no claim does.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::names::{CLAIM_SUFFIX, MAX_DESCRIPTION, folder_of, is_held, is_same, kernel};
use super::{notes, sweep_once, target};
use crate::error::{Error, Result};

/// The name of a folder's claim.
const FOLDER_CLAIM: &str = ".genotok-folder.lock";
/// How often a held claim is tried: a sweeper holds the claims of dead runs for a moment.
const TRIES: usize = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The right to write an output, until it is dropped or the process ends.
#[derive(Debug)]
pub struct OutputClaim {
    path: PathBuf,
    file: Option<File>,
}

impl OutputClaim {
    /// Claims a file, whether it exists or not; a link and its target are one file. Fails if another run holds it.
    ///
    /// What dead runs left to be renamed in the folder is completed, so that the holder sees its output as it is, and their
    /// leftovers are removed, also if the holder then finds its output there and writes nothing.
    pub fn file(path: &Path) -> Result<Self> {
        let output = target(path);
        let folder = folder_of(&output);
        let name = output.file_name().unwrap_or_default().as_encoded_bytes();
        let digest = blake3::hash(name).to_hex();
        let claim = Self::take(path, folder.join(format!(".genotok-{}{CLAIM_SUFFIX}", &digest[..16])))?;
        notes::recover(&folder, notes::TRIES).map_err(|source| Error::io(path, source))?;
        sweep_once(&folder);
        Ok(claim)
    }

    /// Claims a folder that exists. Fails if another run holds it.
    pub fn folder(path: &Path) -> Result<Self> {
        Self::take(path, path.join(FOLDER_CLAIM))
    }

    /// Opens and locks the claim at `path`, again if its holder removed it between the two.
    ///
    /// The file is created if missing and never truncated before the lock is held: until then its text is that of another
    /// holder. After the lock, [`is_same`] decides whether the locked file is the one that others will find under this name.
    fn take(output: &Path, path: PathBuf) -> Result<Self> {
        let fail = |source: io::Error| Error::io(output, source);
        let mut tries = 0;
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(fail)?;
            let tried = file.try_lock();
            if is_held(&tried) {
                tries += 1;
                if tries < TRIES {
                    thread::sleep(BETWEEN_TRIES);
                    continue;
                }
                let rule = format!(
                    "{} is writing to it; wait until it is done, or choose another output",
                    holder(&mut file)
                );
                return Err(Error::argument("output", &output.display(), rule));
            }
            // The previous holder may have removed it after this process opened it.
            if tried.is_err() || is_same(&file, &path) {
                let described = file.set_len(0).and_then(|()| file.write_all(description().as_bytes()));
                let claim = Self { path, file: Some(file) };
                // A claim that cannot be described, as on a full disk, is dropped, and its file with it.
                return described.map(|()| claim).map_err(fail);
            }
        }
    }

    /// Releases the output; nothing the second time.
    pub fn release(&mut self) {
        if let Some(file) = self.file.take() {
            // While it is locked: afterwards it may be another run's.
            fs::remove_file(&self.path).ok();
            drop(file);
        }
    }
}

impl Drop for OutputClaim {
    fn drop(&mut self) {
        self.release();
    }
}

/// The holder, for people, and on the next line its kernel.
fn description() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let place = if host.is_empty() { String::new() } else { format!(" on {host}") };
    format!("process {}{place}\n{}\n", std::process::id(), kernel())
}

/// Who holds a claim, as far as the file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(MAX_DESCRIPTION).read_to_string(&mut text));
    let text: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if read.is_err() || text.is_empty() { "another run".to_owned() } else { text }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_output_belongs_to_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let claim = OutputClaim::file(&path).unwrap();
        let refused = OutputClaim::file(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        OutputClaim::file(&folder.path().join("other.json")).unwrap();
        drop(claim);
        OutputClaim::file(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_and_its_target_are_one_output() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("out.json"), folder.path().join("link.json"));
        std::os::unix::fs::symlink("out.json", &link).unwrap();
        let _claim = OutputClaim::file(&path).unwrap();
        OutputClaim::file(&link).unwrap_err();
    }

    #[test]
    fn the_claim_of_a_dead_run_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER_CLAIM), "process 1 on nowhere, and more than the next writes")
            .unwrap();
        let claim = OutputClaim::folder(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(FOLDER_CLAIM)).unwrap(), description());
        drop(claim);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
