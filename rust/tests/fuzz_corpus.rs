//! Every file of `fuzz/corpus` through its fuzz target, without libFuzzer: seeds, what it found to reach new code, and
//! each input that once found a defect.
#![cfg(feature = "fuzzing")]
#![allow(clippy::unwrap_used)] // a test may fail

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use genotok_core::testing::fuzz::{FuzzTarget, TARGETS};

/// Bytes of the corpus, at most.
const MAX_BYTES: u64 = 500_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files of the corpus of a target.
fn inputs(name: &str) -> Vec<PathBuf> {
    entries(&corpus().join(name))
}

fn replay(name: &str, target: FuzzTarget) {
    for path in inputs(name) {
        let bytes = fs::read(&path).unwrap();
        assert!(catch_unwind(|| target(&bytes)).is_ok(), "fuzz target {name} fails on {}", path.display());
    }
    catch_unwind(|| target(&[])).unwrap();
}

#[test]
fn every_input_of_the_corpus_passes() {
    let start = Instant::now();
    // One thread, as under libFuzzer: targets with files use the same ones.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| TARGETS.iter().for_each(|&(name, target)| replay(name, target)));
    println!("{:?}", start.elapsed());
}

#[test]
fn every_target_has_a_small_corpus_and_every_corpus_a_target() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folders = entries(&corpus()).into_iter();
    let found: BTreeSet<String> =
        folders.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let of_core: BTreeSet<String> = found.into_iter().filter(|name| name != "readers").collect();
    assert_eq!(of_core, names);
    let size =
        |name: &String| -> u64 { inputs(name).iter().map(|path| fs::metadata(path).unwrap().len()).sum() };
    assert!(names.iter().all(|name| !inputs(name).is_empty()));
    assert!(names.iter().map(size).sum::<u64>() < MAX_BYTES);
}
