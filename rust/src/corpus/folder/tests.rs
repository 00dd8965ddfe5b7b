//! Shards: the same words as the inputs however they are cut, and every fault of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::words_path;
use super::{CorpusManifest, MANIFEST, PackOptions, expand, pack, places, shards, verify};
use crate::corpus::{Contents, Corpus, read};
use crate::error::Error;
use crate::monitor::Monitor;
use crate::testing::{Random, nasty};
use crate::verdict::MAX_UNKNOWN;

/// Sequence files with runs of N, empty records and words of all lengths.
fn inputs(folder: &Path, seed: u64) -> Vec<PathBuf> {
    let mut random = Random::new(seed);
    let write = |number: u64| {
        let mut text = Vec::new();
        for record in 0..=random.below(4) {
            text.extend_from_slice(format!(">r{record} of {number}\n").as_bytes());
            for word in 0..random.below(6) {
                text.extend(nasty(seed * 1000 + number * 100 + record * 10 + word, 3000));
                text.extend_from_slice(
                    [&b"N"[..], b"nnRY", b"\n", b"-\n\n"][usize::try_from(random.below(4)).unwrap()],
                );
            }
            text.push(b'\n');
        }
        text.extend_from_slice(b">last\nACGT\n");
        let path = folder.join(format!("{number}.fa"));
        fs::write(&path, text).unwrap();
        path
    };
    (0..3).map(write).collect()
}

fn packing(folder: &Path, shard_bases: u64, append: bool) -> PackOptions {
    PackOptions { folder: folder.to_path_buf(), shard_bases, append, allow_unknown: MAX_UNKNOWN }
}

fn symbols(corpora: &[Corpus]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    for corpus in corpora {
        for word in (0..corpus.num_words()).map(|number| corpus.word(number)) {
            let mut codes = vec![0; usize::try_from(word.end - word.start).unwrap()];
            corpus.unpack(word.start, &mut codes);
            words.push(codes);
        }
    }
    words
}

fn sum(corpora: &[Corpus]) -> Contents {
    let mut contents = Contents::default();
    corpora.iter().for_each(|corpus| contents.add(corpus.contents()));
    contents
}

fn open_all(paths: &[PathBuf]) -> Vec<Corpus> {
    paths.iter().map(|path| read(path, MAX_UNKNOWN, &Monitor::default()).unwrap()).collect()
}

#[test]
fn shards_hold_the_words_of_their_inputs() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let inputs = inputs(folder.path(), seed);
        let whole = open_all(&inputs);
        for shard_bases in [1, 500, 3000, 1 << 40] {
            let place = folder.path().join(format!("shards-{shard_bases}"));
            let monitor = Monitor::default();
            let (manifest, contents) = pack(&inputs, &packing(&place, shard_bases, false), &monitor).unwrap();
            let found = open_all(&shards(&place).unwrap());
            assert_eq!(symbols(&found), symbols(&whole));
            assert_eq!((contents.clone(), contents.fingerprint), (sum(&whole), sum(&found).fingerprint));
            assert_eq!(manifest, CorpusManifest::open(&place).unwrap());
            assert_eq!(verify(&place, &monitor).unwrap(), []);
            assert!(shard_bases < 1 << 40 || manifest.shards.len() == 3);
            assert!(shard_bases > 1 || manifest.shards.len() > 3, "{}", manifest.shards.len());
            let listed: u64 = manifest.inputs.iter().map(|input| input.bases).sum();
            assert_eq!(listed, manifest.shards.iter().map(|shard| shard.bases).sum::<u64>());
        }
    }
}

#[test]
fn words_are_found_again_where_they_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), 77);
    let place = folder.path().join("shards");
    let (manifest, _) = pack(&inputs, &packing(&place, 2000, false), &Monitor::default()).unwrap();
    for shard in &manifest.shards {
        let text = fs::read_to_string(&inputs[shard.input]).unwrap();
        let records: Vec<(&str, String)> = text[1..]
            .split("\n>")
            .map(|record| record.split_once('\n').unwrap())
            .map(|(head, body)| (head.split(' ').next().unwrap(), body.replace('\n', "")))
            .collect();
        let corpus = Corpus::open(&place.join(&shard.file)).unwrap();
        let lines = places(&words_path(&place.join(&shard.file))).unwrap();
        assert_eq!(lines.lines().count(), corpus.num_words());
        for (line, codes) in lines.lines().zip(symbols(&[corpus])) {
            let fields: Vec<&str> = line.split('\t').collect();
            let (start, end): (usize, usize) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
            let record = &records.iter().find(|record| record.0 == fields[0]).unwrap().1;
            let word: Vec<u8> = codes.iter().map(|&code| b"ACGT"[usize::from(code)]).collect();
            assert_eq!(record[start..end].to_uppercase().as_bytes(), word);
        }
    }
}

#[test]
fn adding_in_steps_is_packing_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), 5);
    let (at_once, in_steps) = (folder.path().join("a"), folder.path().join("b"));
    let monitor = Monitor::default();
    let (manifest, _) = pack(&inputs, &packing(&at_once, 700, false), &monitor).unwrap();
    pack(&inputs[..1], &packing(&in_steps, 700, false), &monitor).unwrap();
    let (grown, _) = pack(&inputs[1..], &packing(&in_steps, 700, true), &monitor).unwrap();
    assert_eq!(grown, manifest);
    for shard in &manifest.shards {
        assert_eq!(
            fs::read(at_once.join(&shard.file)).unwrap(),
            fs::read(in_steps.join(&shard.file)).unwrap()
        );
    }
    let again = pack(&inputs[1..2], &packing(&in_steps, 700, true), &monitor).unwrap_err().to_string();
    assert!(again.contains("is the same as \"1.fa\""), "{again}");
    assert_eq!(verify(&in_steps, &monitor).unwrap(), []);
}

#[test]
fn what_a_killed_run_left_is_removed_and_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), 6);
    let place = folder.path().join("shards");
    let monitor = Monitor::default();
    pack(&inputs[..2], &packing(&place, 700, false), &monitor).unwrap();
    // No manifest: as killed before the end.
    fs::rename(place.join(MANIFEST), folder.path().join(MANIFEST)).unwrap();
    let error = shards(&place).unwrap_err().to_string();
    assert!(error.contains("not completely packed"), "{error}");
    let (manifest, _) = pack(&inputs[2..], &packing(&place, 700, false), &monitor).unwrap();
    assert_eq!(manifest.inputs.len(), 1);
    assert_eq!(verify(&place, &monitor).unwrap(), []);
    // Shards that the manifest does not know: as killed while adding.
    fs::copy(place.join("00000-00000.pack"), place.join("00009-00000.pack")).unwrap();
    assert_eq!(verify(&place, &monitor).unwrap().len(), 1);
    assert_eq!(shards(&place).unwrap().len(), manifest.shards.len());
    pack(&inputs[..1], &packing(&place, 700, true), &monitor).unwrap();
    assert_eq!(verify(&place, &monitor).unwrap(), []);
    // A folder of something else is left alone.
    fs::write(place.join("notes.txt"), "mine").unwrap();
    fs::remove_file(place.join(MANIFEST)).unwrap();
    assert!(
        pack(&inputs, &packing(&place, 700, false), &monitor).unwrap_err().to_string().contains("notes.txt")
    );
    assert!(pack(&inputs, &packing(&place, 700, true), &monitor).is_err());
}

#[test]
fn a_file_that_cannot_be_packed_leaves_no_shard() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path(), 7);
    let monitor = || Monitor::default();
    let place = folder.path().join("shards");
    let protein = folder.path().join("protein.fa");
    fs::write(&protein, ">p\nMKVLAAGIVGLCAQ\n").unwrap();
    inputs.push(protein);
    assert!(matches!(pack(&inputs, &packing(&place, 700, false), &monitor()), Err(Error::Symbol { .. })));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    inputs.pop();
    inputs.push(inputs[0].clone());
    assert!(pack(&inputs, &packing(&place, 700, false), &monitor()).is_err());
    assert!(pack(&inputs[..1], &packing(&place, 0, false), &monitor()).is_err());
    let cancelled = monitor();
    cancelled.cancel();
    assert!(pack(&inputs[..1], &packing(&place, 700, false), &cancelled).unwrap_err().is_interrupt());
}

type Damage<'a> = &'a dyn Fn(&Path);

#[test]
fn every_fault_of_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), 8);
    let good = folder.path().join("good");
    let monitor = Monitor::default();
    let (manifest, _) = pack(&inputs, &packing(&good, 700, false), &monitor).unwrap();
    let first = &manifest.shards[0].file;
    let faults: [(&str, Damage<'_>); 8] = [
        ("missing", &|place| fs::remove_file(place.join(first)).unwrap()),
        ("bytes, not", &|place| {
            let data = fs::read(place.join(first)).unwrap();
            fs::write(place.join(first), &data[..data.len() - 1]).unwrap();
        }),
        ("checksum", &|place| change(&place.join(first), 250)),
        ("checksum of its header", &|place| change(&place.join(first), 50)),
        ("version", &|place| change(&place.join(first), 8)),
        ("has the checksum", &|place| change(&words_path(&place.join(first)), 9)),
        ("bytes, not", &|place| {
            fs::copy(place.join(&manifest.shards[1].file), place.join(first)).unwrap();
        }),
        ("this shard has the checksum", &|place| {
            let text = fs::read_to_string(place.join(MANIFEST)).unwrap();
            let other = text.replace(&manifest.shards[0].checksum, &manifest.shards[1].checksum);
            fs::write(place.join(MANIFEST), other).unwrap();
        }),
    ];
    for (number, (said, damage)) in faults.iter().enumerate() {
        let place = folder.path().join(format!("bad-{number}"));
        fs::create_dir(&place).unwrap();
        for entry in fs::read_dir(&good).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, place.join(path.file_name().unwrap())).unwrap();
        }
        damage(&place);
        let defects = verify(&place, &monitor).unwrap();
        assert_eq!(defects.len(), 1, "{defects:?}");
        assert!(defects[0].1.contains(said), "{said}: {defects:?}");
        let read = expand(std::slice::from_ref(&place)).and_then(|paths| {
            paths.iter().map(|path| read(path, MAX_UNKNOWN, &monitor)).collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(read.is_err(), number != 5, "{said}");
    }
}

fn change(path: &Path, at: usize) {
    let mut data = fs::read(path).unwrap();
    data[at] ^= 0x15;
    fs::write(path, data).unwrap();
}

#[test]
fn a_hostile_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path(), 9);
    let place = folder.path().join("shards");
    pack(&inputs, &packing(&place, 700, false), &Monitor::default()).unwrap();
    let path = place.join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, said) in [
        ("00000-00000.pack", "../00000-00000.pack", "no shard is called"),
        ("00000-00000.pack", "/etc/passwd", "no shard is called"),
        ("00000-00000.pack", "00001-00000.pack", "there twice"),
        ("\"version\": 1", "\"version\": 2", "version 2"),
        ("genotok packed corpus", "something else", "something else"),
        ("\"input\": 0", "\"input\": 99", "input that is not there"),
        ("\"input\": 0", "\"input\": 99999999999999999999999", "damaged"),
        ("{", "[", "damaged"),
        ("\"words\"", "\"swords\"", "damaged"),
    ] {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = shards(&place).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
        assert!(!error.contains('\n'));
    }
    fs::write(&path, text.replace(']', "")).unwrap();
    assert!(verify(&place, &Monitor::default()).is_err());
}
