//! Every specimen of the public parser test collections is read or refused as its index says.
//!
//! The collections (FormatSpecimens.jl and needletail's test data) are not part of this repository. They are looked
//! for in `$GENOTOK_SHARED/data/specimens`, then beside the workspace in `../shared/data/specimens`; where they are
//! missing the tests say so and pass. The cases that matter stand as small inline tests in `src/io/fasta.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::path::{Path, PathBuf};

use genotok_core::check::{CheckOptions, DefectKind, Severity, check_file};
use genotok_core::io::fasta::{Event, SequenceReader};
use genotok_core::verdict::MAX_UNKNOWN;
use genotok_core::{Monitor, Result, corpus};

/// Files whose index entry we disagree with, each with the reason. None so far.
const EXCEPTIONS: [(&str, &str); 0] = [];

fn specimens() -> Option<PathBuf> {
    let shared = std::env::var_os("GENOTOK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("data/specimens");
    if !folder.is_dir() {
        println!("skipped: no specimens in {} (set GENOTOK_SHARED)", folder.display());
        return None;
    }
    Some(folder)
}

/// Reads a file to its end: records and symbols.
fn read(path: &Path) -> Result<(usize, usize)> {
    let mut reader = SequenceReader::open(path)?;
    let (mut num_records, mut num_symbols) = (0, 0);
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Record { .. } => num_records += 1,
            Event::Symbols(symbols) => {
                assert!(!symbols.is_empty());
                assert!(symbols.iter().all(|byte| byte.is_ascii_alphabetic() || b"-.*".contains(byte)));
                num_symbols += symbols.len();
            }
        }
    }
    Ok((num_records, num_symbols))
}

/// The entries of an index: file name, and whether the file is valid.
fn index(folder: &Path) -> Vec<(String, bool)> {
    let text = std::fs::read_to_string(folder.join("index.toml")).expect("the index is readable");
    let mut valid = false;
    let mut entries = Vec::new();
    for line in text.lines().map(str::trim) {
        match line {
            "[[valid]]" => valid = true,
            "[[invalid]]" => valid = false,
            _ => {
                if let Some(name) = line.strip_prefix("filename = ") {
                    entries.push((name.trim_matches('"').to_owned(), valid));
                }
            }
        }
    }
    entries
}

fn check_collection(name: &str, least_entries: usize) {
    let Some(specimens) = specimens() else { return };
    let folder = specimens.join("FormatSpecimens").join(name);
    let entries = index(&folder);
    assert!(entries.len() >= least_entries, "only {} entries", entries.len());
    let mut disagreements = Vec::new();
    for (file, valid) in entries {
        let excepted = EXCEPTIONS.iter().any(|(exception, _)| *exception == file);
        let result = read(&folder.join(&file));
        if let Err(error) = &result {
            println!("{error}");
        }
        if (result.is_ok() == valid) == excepted {
            disagreements
                .push(format!("{file}: the index says valid = {valid}, reading it gives {result:?}"));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

#[test]
fn fasta_specimens_behave_as_their_index_says() {
    check_collection("FASTA", 45);
}

#[test]
fn fastq_specimens_behave_as_their_index_says() {
    check_collection("FASTQ", 55);
}

#[test]
fn needletail_specimens_are_read_or_refused() {
    let Some(specimens) = specimens() else { return };
    let folder = specimens.join("needletail");
    for file in ["test.fa", "test.fa.gz", "test.fa.xz", "test.fa.zst"] {
        assert_eq!(read(&folder.join(file)).expect(file), (2, 14), "{file}");
    }
    assert_eq!(read(&folder.join("28S.fasta")).expect("valid").0, 570);
    assert_eq!(read(&folder.join("PRJNA271013_head.fq")).expect("valid").0, 2000);
    for (file, telling) in [
        ("test.fa.bz2", "bzip2 -dc"),
        ("bad_test.fa", "line 1: found 'T', expected `>`"),
        ("bad_header.fastq", "line"),
        ("random_tsv.fq", "line 6: found '@' in the sequence"),
    ] {
        let message = read(&folder.join(file)).expect_err(file).to_string();
        assert!(message.contains(telling), "{message}");
    }
}

/// Every file in a folder and the folders in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn the_linter_finds_an_error_exactly_where_reading_fails() {
    let Some(specimens) = specimens() else { return };
    let files = files_below(&specimens);
    assert!(files.len() > 100);
    let options = CheckOptions { limit: 5, allow_unknown: MAX_UNKNOWN };
    for path in files {
        let report = check_file(&path, options, &Monitor::default()).expect("not cancelled");
        let errors: Vec<DefectKind> = report.counts.iter().map(|&(kind, _)| kind).collect();
        let is_error = |kind: &DefectKind| kind.severity() == Severity::Error;
        let is_of_training = |kind: &DefectKind| {
            [DefectKind::Protein, DefectKind::NoSymbols, DefectKind::ManyUnknown].contains(kind)
        };
        let (read, trained) = (read(&path), corpus::read(&path, MAX_UNKNOWN, &Monitor::default()));
        let of_reader = errors.iter().any(|kind| is_error(kind) && !is_of_training(kind));
        assert_eq!(of_reader, read.is_err(), "{}: {errors:?}, but reading gives {read:?}", path.display());
        let trained = trained.map(|corpus| corpus.contents().clone());
        assert_eq!(
            errors.iter().any(is_error),
            trained.is_err(),
            "{}: {errors:?}, {trained:?}",
            path.display()
        );
        if let Ok((num_records, num_symbols)) = read {
            let found = (report.records, report.composition.total());
            assert_eq!(found, (num_records as u64, num_symbols as u64), "{}", path.display());
        }
    }
}
