//! Writing a file whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How files are called that are not whole yet.
const PREFIX: &str = ".genotok-";
const SUFFIX: &str = ".tmp";

/// Whether a file of this name was being written when its writer was killed, or is being written now.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Writes `path` through `fill`: to a temporary name beside it, to disk, then renamed over it.
///
/// Killed anywhere, or out of space, there is the old file or the new one, never a part. A path that is a device or a
/// pipe is written to as it is; a link is followed.
pub fn write_whole(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let fail = |source| Error::io(path, source);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let reason =
                std::io::Error::new(ErrorKind::IsADirectory, "this is a folder; give the name of a file");
            return Err(fail(reason));
        }
        Ok(metadata) if !metadata.is_file() => {
            let mut device = BufWriter::new(File::options().write(true).open(path).map_err(fail)?);
            return fill(&mut device).and_then(|()| device.flush()).map_err(fail);
        }
        _ => {}
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(&folder).map_err(fail)?;
    // To the file itself: the temporary would add its name, which says nothing to anyone, to what the system says.
    let mut writer = BufWriter::with_capacity(1 << 18, temporary.as_file());
    fill(&mut writer).and_then(|()| writer.flush()).map_err(fail)?;
    drop(writer);
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(&target).map_err(|error| fail(error.error))?;
    // The rename itself reaches the disk with the folder; not every file system can do that, and none needs it to be whole.
    File::open(&folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}
