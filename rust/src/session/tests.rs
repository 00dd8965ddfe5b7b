//! Files to tokenizer, interrupted and not.

use std::fs;
use std::path::PathBuf;

use super::{Checkpoint, TrainOptions, pack, train, train_words};
use crate::bpe::train::MergeOptions;
use crate::error::Error;
use crate::monitor::Monitor;
use crate::testing::RandomGenome;
use crate::tokenizer::Tokenizer;
use crate::verdict;

fn options(vocab_size: usize) -> TrainOptions {
    let special_tokens = vec!["[UNK]".to_owned()];
    TrainOptions {
        vocab_size,
        special_tokens,
        merging: MergeOptions::default(),
        memory: None,
        allow_unknown: verdict::MAX_UNKNOWN,
    }
}

/// A FASTA file of 200 kb.
fn genome() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genome.fa");
    let mut bases = b">r\n".to_vec();
    RandomGenome::new(5).bases(&mut bases, 200_000);
    fs::write(&path, bases).unwrap();
    (folder, path)
}

fn simply(path: &PathBuf, options: TrainOptions) -> (Tokenizer, super::TrainingReport) {
    train(std::slice::from_ref(path), options, Some(2), None, &Monitor::default()).unwrap()
}

#[test]
fn the_report_counts_the_tokens_that_encoding_makes() {
    let (_folder, path) = genome();
    let (tokenizer, report) = simply(&path, options(300));
    let bases = fs::read_to_string(&path).unwrap().split_off(3);
    assert_eq!(report.summary.tokens, tokenizer.encode(&bases).unwrap().len() as u64);
    assert_eq!((report.contents.words, report.contents.bases), (1, 200_000));
    let cut = TrainOptions {
        merging: MergeOptions { word_length: Some(999), ..MergeOptions::default() },
        ..options(30)
    };
    assert_eq!(simply(&path, cut).1.contents.words, 201);
}

#[test]
fn a_training_goes_on_from_a_checkpoint_of_any_size() {
    let (folder, path) = genome();
    let whole = simply(&path, options(400)).0;
    let at = folder.path().join("checkpoint");
    let (_, report) = simply(&path, options(150));
    let mut writer =
        super::CheckpointWriter::new(&at, report.contents.fingerprint, &MergeOptions::default(), 0);
    let part = whole.table().unwrap().truncated(145);
    writer.round(&part).unwrap();
    writer.stop(&part).unwrap();
    for size in [100, 150, 400] {
        let checkpoint = Checkpoint { path: at.clone(), resume: true };
        let monitor = Monitor::default();
        let (resumed, report) =
            train(std::slice::from_ref(&path), options(size), Some(1), Some(&checkpoint), &monitor).unwrap();
        assert_eq!(resumed.to_json().unwrap(), whole.truncate(size).unwrap().to_json().unwrap());
        assert_eq!(report.resumed_merges, 145.min(size - 5));
    }
}

#[test]
fn a_memory_limit_is_compared_before_and_while_files_are_read() {
    let (folder, path) = genome();
    let needed = super::memory_for_text(u64::MAX, 1).map(|left| u64::MAX - left).unwrap();
    let limited = |memory| {
        let options = TrainOptions { memory: Some(memory), ..options(300) };
        let monitor = Monitor::default();
        let error = train(std::slice::from_ref(&path), options, Some(1), None, &monitor).err();
        (error.map(|error| error.to_string()).unwrap_or_default(), monitor.look().1)
    };
    let (error, read) = limited(needed - 1);
    assert!(error.contains("whatever is read; use fewer threads or allow more"), "{error}");
    assert_eq!(read, 0);
    let (error, _) = limited(needed + 40_000);
    assert!(error.contains("for the text read so far; pack the genomes into shards"), "{error}");
    assert_eq!(limited(needed + 400_000).0, "");
    let damaged = folder.path().join("damaged.fa");
    fs::write(&damaged, b"no sequence").unwrap();
    let options = TrainOptions { memory: Some(1), ..options(300) };
    let error = train(&[damaged], options, Some(1), None, &Monitor::default()).unwrap_err();
    assert!(matches!(error, Error::Resource { .. }), "{error}"); // before the file is opened
}

#[test]
fn a_cancelled_training_is_interrupted() {
    let (_folder, path) = genome();
    let monitor = Monitor::default();
    monitor.cancel();
    assert!(matches!(train(&[path], options(400), None, None, &monitor), Err(Error::Interrupted)));
}

#[test]
fn packing_several_files_keeps_all_words() {
    let (folder, path) = genome();
    let other = folder.path().join("other.fa");
    fs::write(&other, ">a\nACG\n>b\nTTNNA\n").unwrap();
    let packed = folder.path().join("packed");
    let both = [path, other];
    let (bytes, contents) = pack(&both, &packed, verdict::MAX_UNKNOWN, Some(2), &Monitor::default()).unwrap();
    assert_eq!(bytes, fs::metadata(&packed).unwrap().len());
    assert_eq!((contents.words, contents.bases), (4, 200_006));
    let from_files = train(&both, options(60), None, None, &Monitor::default()).unwrap();
    let from_packed = train(&[packed], options(60), None, None, &Monitor::default()).unwrap();
    assert_eq!(from_files.0.to_json().unwrap(), from_packed.0.to_json().unwrap());
    assert_eq!(from_files.1.contents, from_packed.1.contents);
}

#[test]
fn the_first_bad_file_is_the_error_and_unknown_symbols_may_stand_among_others() {
    let (folder, path) = genome();
    let unknown = folder.path().join("unknown.fa");
    fs::write(&unknown, ">n\nNNNN\n").unwrap();
    let bad = folder.path().join("bad.fa");
    fs::write(&bad, "no sequence\n").unwrap();
    let train = |paths: &[&PathBuf]| {
        let paths: Vec<PathBuf> = paths.iter().map(|&path| path.clone()).collect();
        train(&paths, options(30), Some(2), None, &Monitor::default())
            .map(|(_, report)| report.contents.records)
    };
    assert_eq!(train(&[&unknown, &path]).unwrap(), 2);
    assert!(matches!(train(&[&unknown]), Err(Error::File { .. })));
    for paths in [[&path, &bad], [&bad, &path], [&unknown, &bad]] {
        assert!(train(&paths).unwrap_err().to_string().contains("bad.fa"));
    }
}

#[test]
fn weights_that_could_overflow_are_refused() {
    let words = |weight| [("ACAC".to_owned(), weight)];
    let train = |weight| train_words(&words(weight), options(20), Some(1), &Monitor::default());
    assert_eq!(train(1 << 59).unwrap().merges().count(), 2);
    assert!(matches!(train(1 << 60), Err(Error::Argument { .. })));
    assert!(matches!(train(u64::MAX), Err(Error::Argument { .. })));
}

#[test]
fn arguments_are_checked_before_anything_is_read() {
    let train = |options, threads| train(&["missing".into()], options, threads, None, &Monitor::default());
    let name = |outcome: Result<_, Error>| match outcome.map(drop) {
        Err(Error::Argument { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(train(options(4), None)), "vocab_size");
    assert_eq!(name(train(options(1 << 40), None)), "vocab_size");
    assert_eq!(name(train(options(40), Some(0))), "threads");
    assert_eq!(name(train(options(40), Some(1025))), "threads");
    let words = TrainOptions {
        merging: MergeOptions { word_length: Some(0), ..MergeOptions::default() },
        ..options(40)
    };
    assert_eq!(name(train(words, None)), "word_length");
    assert!(matches!(train(options(40), None), Err(Error::Io { .. })));
}
