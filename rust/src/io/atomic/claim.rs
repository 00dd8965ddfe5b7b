//! Claims: an output belongs to one run at a time.
//!
//! A claim is a file beside the output (`.genotok-<digest of its name>.lock`), or in it if it is a folder
//! (`.genotok-folder.lock`), with a lock (`flock`) on it; inside stands who holds it. The system lets go of the lock when
//! the holder ends, however it ends, so that a claim of a killed run is no obstacle. Where a file system has no locks,
//! nobody is kept out.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::{CLAIM_SUFFIX, MOST_SHOWN, folder_of, is_held, is_same, kernel, target};
use crate::error::{Error, Result};

const FOLDER_CLAIM: &str = ".genotok-folder.lock";
/// A claim that is held is tried again so often: whoever sweeps the folder holds those of the dead for a moment.
const TRIES: usize = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The right to write an output, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    file: Option<File>,
}

impl Claim {
    /// Claims a file, whether it is there or not. Fails if another run has it.
    pub fn file(path: &Path) -> Result<Self> {
        let output = target(path);
        let name = output.file_name().unwrap_or_default().as_encoded_bytes();
        let digest = blake3::hash(name).to_hex();
        Self::take(path, folder_of(&output).join(format!(".genotok-{}{CLAIM_SUFFIX}", &digest[..16])))
    }

    /// Claims a folder that is there. Fails if another run has it.
    pub fn folder(path: &Path) -> Result<Self> {
        Self::take(path, path.join(FOLDER_CLAIM))
    }

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
            // The holder before may have removed it after it was opened here.
            if tried.is_err() || is_same(&file, &path) {
                file.set_len(0).and_then(|()| file.write_all(description().as_bytes())).map_err(fail)?;
                return Ok(Self { path, file: Some(file) });
            }
        }
    }

    /// Gives the output free.
    pub fn release(&mut self) {
        if let Some(file) = self.file.take() {
            // While it is locked: afterwards it may be another's.
            fs::remove_file(&self.path).ok();
            drop(file);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release();
    }
}

/// Who this is, and on the next line its kernel.
fn description() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let place = if host.is_empty() { String::new() } else { format!(" on {host}") };
    format!("process {}{place}\n{}\n", std::process::id(), kernel())
}

/// Who has a claim, as far as the file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(MOST_SHOWN).read_to_string(&mut text));
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
        let claim = Claim::file(&path).unwrap();
        let refused = Claim::file(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        Claim::file(&folder.path().join("other.json")).unwrap();
        drop(claim);
        Claim::file(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_and_its_target_are_one_output() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("out.json"), folder.path().join("link.json"));
        std::os::unix::fs::symlink("out.json", &link).unwrap();
        let _claim = Claim::file(&path).unwrap();
        Claim::file(&link).unwrap_err();
    }

    #[test]
    fn the_claim_of_a_dead_run_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER_CLAIM), "process 1 on nowhere, and more than the next writes")
            .unwrap();
        let claim = Claim::folder(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(FOLDER_CLAIM)).unwrap(), description());
        drop(claim);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
