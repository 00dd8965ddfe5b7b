//! Every defect of a folder of shards.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST, Manifest, Shard, fault, names, reason_of, words_path};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::io::atomic::is_claim;
use crate::monitor::Monitor;

/// Every defect of a folder: the file, and what is wrong with it. Cost: one reading of all shards.
pub fn verify(folder: &Path, monitor: &Monitor) -> Result<Vec<(PathBuf, String)>> {
    let manifest = Manifest::open(folder)?;
    let mut defects = Vec::new();
    for shard in &manifest.shards {
        monitor.check()?;
        let path = folder.join(&shard.file);
        let reason = fault(&path, shard).or_else(|| contents_fault(&path, shard));
        defects.extend(reason.map(|reason| (path.clone(), reason)));
        let places = words_path(&path);
        match fs::read(&places).map(|bytes| blake3::hash(&bytes).to_hex().to_string()) {
            Ok(found) if found == shard.places_checksum => {}
            Ok(found) => {
                let expected = &shard.places_checksum;
                defects.push((places, format!("has the checksum {found}, not {expected}")));
            }
            Err(error) => defects.push((places, format!("cannot be read: {error}"))),
        }
    }
    let strangers = manifest.strangers(names(folder)?);
    for name in strangers.filter(|name| name != MANIFEST && !is_claim(name)) {
        defects.push((folder.join(name), format!("is not in {MANIFEST}")));
    }
    Ok(defects)
}

/// What is wrong with the words of a shard.
fn contents_fault(path: &Path, shard: &Shard) -> Option<String> {
    match Corpus::open(path) {
        Ok(corpus) => {
            let contents = corpus.contents();
            let found = (contents.words, contents.bases);
            let differs = found != (shard.words, shard.bases);
            differs.then(|| format!("holds {} words and {} bases, which {MANIFEST} denies", found.0, found.1))
        }
        Err(error) => Some(format!("{} (checksum {} in {MANIFEST})", reason_of(error), shard.checksum)),
    }
}
