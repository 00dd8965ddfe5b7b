//! The text of a file that nobody vouches for: bounded in bytes and, where it may have no end, in time.
//!
//! A path may name a pipe without a writer, or a device such as `/dev/zero`. Reading stops one byte past the limit, and a
//! path that is no regular file is read in a thread of its own, which is left behind if it takes too long.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};

/// Bytes of the largest file that is read.
pub(super) const MAX_BYTES: u64 = 64 << 20;
/// How long a pipe or a device may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The text of the file at `path`; the caller passes over a byte-order mark of UTF-8. Fails if it is empty or no UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let kind = fs::metadata(path).map_err(|source| Error::io(path, source))?;
    let bytes = if kind.is_file() || kind.is_dir() { read(path) } else { read_in_time(path.to_path_buf())? };
    let bytes = bytes.map_err(|source| Error::io(path, source))?;
    text_of(bytes).map_err(|reason| Error::vocabulary(reason).in_file(path))
}

/// At most a byte more than is allowed, which is enough to be refused.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same, by a thread that is left alone if it takes too long.
fn read_in_time(path: PathBuf) -> Result<io::Result<Vec<u8>>> {
    let (sender, outcome) = channel();
    let place = path.clone();
    let work = move || sender.send(read(&place)).ok(); // nobody waits for it any more
    let started = thread::Builder::new().name("genotok".to_owned()).spawn(work);
    started.map_err(|source| Error::io(&path, source))?;
    outcome.recv_timeout(PATIENCE).map_err(|_| {
        let reason = format!(
            "this is no regular file, and it did not come to an end within {} seconds; save it as a file first",
            PATIENCE.as_secs()
        );
        Error::vocabulary(reason).in_file(path)
    })
}

/// The bytes as text; the reason if they are none. UTF-16 is the one mistake worth naming: editors on Windows make it.
fn text_of(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(
            "this is not text in UTF-8, so not a tokenizer.json; it begins as UTF-16 does: save it as UTF-8",
        );
    }
    let text = String::from_utf8(bytes).map_err(|_| "this is not text, so not a tokenizer.json")?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err("this file is empty, so not a tokenizer.json");
    }
    Ok(text)
}
