//! Checkpoints: what they refuse, and when they are written.

use std::fs;
use std::path::PathBuf;

use super::{CheckpointWriter, MAX_BYTES, load};
use crate::bpe::MergeTable;
use crate::bpe::train::MergeOptions;
use crate::error::Error;

const FINGERPRINT: u128 = 0x0123_4567;

fn options() -> MergeOptions {
    MergeOptions { num_merges: 10, word_length: Some(100), min_frequency: 2, ..MergeOptions::default() }
}

/// A folder with the checkpoint of three merges.
fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let table = MergeTable::from_merges([(0, 1), (2, 3), (4, 5)]).unwrap();
    let mut keeper = CheckpointWriter::new(&path, FINGERPRINT, &options(), 0);
    keeper.round(&table).unwrap();
    assert!(!path.exists(), "the round was quick");
    keeper.stop(&table).unwrap();
    (folder, path)
}

#[test]
fn what_was_written_is_read() {
    let (_folder, path) = written();
    let found = load(&path, &options()).unwrap();
    assert_eq!(found.table_for(FINGERPRINT, &options()).unwrap().merges(), [(0, 1), (2, 3), (4, 5)]);
    let fewer = MergeOptions { num_merges: 2, ..options() };
    assert_eq!(found.table_for(FINGERPRINT, &fewer).unwrap().merges(), [(0, 1), (2, 3)]);
}

#[test]
fn without_a_new_round_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let table = MergeTable::from_merges([(0, 1)]).unwrap();
    CheckpointWriter::new(&path, FINGERPRINT, &options(), 0).stop(&table).unwrap();
    CheckpointWriter::new(&path, FINGERPRINT, &options(), 1).stop(&table).unwrap();
    assert!(!path.exists());
}

#[test]
fn other_options_and_another_corpus_are_refused_by_name() {
    let (_folder, path) = written();
    let others = [
        ("word_length", MergeOptions { word_length: None, ..options() }),
        ("both_strands", MergeOptions { both_strands: true, ..options() }),
        ("min_frequency", MergeOptions { min_frequency: 3, ..options() }),
        ("max_token_length", MergeOptions { max_token_length: Some(5), ..options() }),
    ];
    for (name, other) in others {
        let error = load(&path, &other).unwrap_err();
        assert!(matches!(error, Error::File { .. }) && error.to_string().contains(name), "{error}");
    }
    let error = load(&path, &options()).unwrap().table_for(FINGERPRINT + 1, &options()).unwrap_err();
    assert!(error.to_string().contains("other sequences"), "{error}");
}

#[test]
fn the_slightest_damage_is_found() {
    let (_folder, path) = written();
    let text = fs::read_to_string(&path).unwrap();
    let damages = [
        text.replace("[4,5]", "[5,4]"),
        text.replace("[4,5]", "[4,9]"),
        text.replace("\"version\":1", "\"version\":2"),
        text.replace("genotok checkpoint", "other checkpoint"),
        text[..text.len() - 5].to_owned(),
        "[".repeat(100_000),
        String::new(),
    ];
    for damaged in damages {
        assert_ne!(damaged, text);
        fs::write(&path, &damaged).unwrap();
        let error = load(&path, &options()).unwrap_err();
        assert!(matches!(error, Error::File { .. }) && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_parsed() {
    let (_folder, path) = written();
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str(&" ".repeat(usize::try_from(MAX_BYTES).unwrap() - text.len()));
    fs::write(&path, &text).unwrap();
    assert!(load(&path, &options()).is_ok());
    fs::write(&path, text + " ").unwrap();
    assert!(load(&path, &options()).unwrap_err().to_string().contains("too large"));
}

#[test]
fn limits_that_mean_the_same_are_the_same() {
    let (_folder, path) = written();
    let none = MergeOptions { min_frequency: 0, ..options() };
    let one = MergeOptions { min_frequency: 1, ..options() };
    assert!(load(&path, &none).is_err(), "it was made with 2");
    let table = MergeTable::from_merges([(0, 1)]).unwrap();
    let mut keeper = CheckpointWriter::new(&path, FINGERPRINT, &none, 0);
    keeper.round(&table).unwrap();
    keeper.stop(&table).unwrap();
    assert!(load(&path, &none).is_ok() && load(&path, &one).is_ok());
}

#[test]
fn merges_of_a_round_that_is_not_complete_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let mut table = MergeTable::from_merges([(0, 1), (2, 3)]).unwrap();
    let mut keeper = CheckpointWriter::new(&path, FINGERPRINT, &options(), 1);
    keeper.round(&table).unwrap();
    table.push((4, 5)).unwrap();
    keeper.stop(&table).unwrap();
    let found = load(&path, &options()).unwrap().table_for(FINGERPRINT, &options()).unwrap();
    assert_eq!(found.merges(), [(0, 1), (2, 3)]);
    fs::remove_file(&path).unwrap();
    keeper.stop(&table).unwrap();
    assert!(!path.exists(), "it was written before");
}
