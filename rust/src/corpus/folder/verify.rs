//! Every defect of a folder of shards, where [`shards`](super::shards) stops at the first and reads headers only.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{CorpusManifest, CorpusShard, MANIFEST, fault, names, reason_of, words_path};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::io::atomic::is_claim;
use crate::monitor::Monitor;

/// All defects of a folder: each a path and what is wrong with it, in the order of the manifest. Cost: one pass over all
/// files. Fails only if the manifest cannot be read or the monitor was cancelled.
pub fn verify(folder: &Path, monitor: &Monitor) -> Result<Vec<(PathBuf, String)>> {
    let manifest = CorpusManifest::open(folder)?;
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
    let unknown = manifest.unknown_files(names(folder)?);
    for name in unknown.filter(|name| name != MANIFEST && !is_claim(name)) {
        defects.push((folder.join(name), format!("is not in {MANIFEST}")));
    }
    Ok(defects)
}

/// The defect of a shard's words, if any: damage, or counts other than the manifest's.
fn contents_fault(path: &Path, shard: &CorpusShard) -> Option<String> {
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
