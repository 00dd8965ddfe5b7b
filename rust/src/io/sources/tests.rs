#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::fs;

use super::*;
use crate::io::decompress::tests::{PACKINGS, Packing, pack};

/// The content of a stream, or the message of its error.
fn content(source: Result<SourceFile>) -> std::result::Result<Vec<u8>, String> {
    let mut stream = source.map_err(|error| error.to_string())?.stream;
    let (mut content, mut out) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        match stream.read(&mut out) {
            Ok(0) => return Ok(content),
            Ok(count) => content.extend_from_slice(&out[..count]),
            Err(fault) => return Err(fault.at("x".as_ref()).to_string()),
        }
    }
}

fn text(number: usize, lines: usize) -> Vec<u8> {
    format!(">{number}\n{}", "ACGTTGCAAC\n".repeat(lines)).into_bytes()
}

/// Writes files and returns their paths.
fn files(folder: &Path, contents: impl IntoIterator<Item = Vec<u8>>) -> Vec<PathBuf> {
    let write = |(number, bytes): (usize, Vec<u8>)| {
        let path = folder.join(number.to_string());
        fs::write(&path, bytes).unwrap();
        path
    };
    contents.into_iter().enumerate().map(write).collect()
}

#[test]
fn any_number_of_files_comes_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for count in [0, 1, 2, 130, 600] {
        let packed = |number| pack(&text(number, number % 7), PACKINGS[number % 6]);
        let paths = files(folder.path(), (0..count).map(packed));
        for (threads, budget) in [(0, 0), (1, MIN_BUDGET), (3, 3 * MIN_BUDGET), (4, 64 << 20)] {
            let all: Vec<_> = Sources::new(paths.clone(), false, threads, budget).map(content).collect();
            assert_eq!(all.len(), count);
            for (number, content) in all.into_iter().enumerate() {
                assert!(content == Ok(text(number, number % 7)), "{number} of {count}, {threads} threads");
            }
        }
    }
}

#[test]
fn large_files_are_whole_whatever_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<_> = (0..6).map(|number| text(number, 300_000)).collect();
    let paths =
        files(folder.path(), texts.iter().enumerate().map(|(number, text)| pack(text, PACKINGS[5 - number])));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for budget in [2 * MIN_BUDGET, 16 << 20, 256 << 20] {
        let mut sources = Sources::new(paths.clone(), false, 2, budget);
        for text in &texts {
            assert!(pool.install(|| content(sources.next().unwrap())).as_ref() == Ok(text), "{budget}");
        }
        assert!(sources.next().is_none());
    }
}

#[test]
fn errors_come_in_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = pack(&text(1, 10), Packing::Gzip);
    let mut paths =
        files(folder.path(), [gzip.clone(), gzip[..gzip.len() - 3].to_vec(), b"BZh9".to_vec(), gzip]);
    paths.insert(2, folder.path().join("missing"));
    paths.insert(3, folder.path().to_path_buf());
    let all: Vec<_> = Sources::new(paths.clone(), false, 2, 64 << 20).map(content).collect();
    assert!(all[0].is_ok() && all[5].is_ok());
    for (number, part) in [(1, "cut short"), (2, "missing"), (3, "is a directory"), (4, "bzip2 -dc")] {
        let message = all[number].as_ref().expect_err("refused");
        assert!(message.contains(part), "{number}: {message}");
    }
}

#[test]
fn what_waits_for_the_reader_is_within_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let large = pack(&text(0, 1_000_000), Packing::Gzip);
    let paths = files(folder.path(), (0..20).map(|_| large.clone()));
    let budget = 2 * MIN_BUDGET + (1 << 20);
    let mut sources = Sources::new(paths, false, 2, budget);
    let mut first = sources.next().unwrap().unwrap().stream;
    for _ in 0..40 {
        assert!(first.read(&mut [0; 4096]).unwrap() > 0);
        thread::sleep(std::time::Duration::from_millis(1));
        let state = sources.shared.lock();
        assert!(state.held <= budget && state.ahead.len() <= 2, "{} {}", state.held, state.ahead.len());
    }
    let held = sources.shared.lock().held;
    assert!(held > 0, "two files are being unpacked");
    let shared = Arc::downgrade(&sources.shared);
    drop(sources); // in the middle of everything: the threads end
    let start = std::time::Instant::now();
    while shared.strong_count() > 0 {
        assert!(start.elapsed().as_secs() < 20, "a thread is left");
        thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_opened_in_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = pack(&text(1, 10), Packing::Gzip);
    let mut paths = files(folder.path(), (0..4).map(|_| gzip.clone()));
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    paths.insert(2, pipe.clone());
    let mut sources = Sources::new(paths, false, 2, 64 << 20);
    assert!(content(sources.next().unwrap()).is_ok());
    assert!(content(sources.next().unwrap()).is_ok());
    let writer = thread::spawn(move || fs::write(&pipe, gzip).unwrap());
    assert!(sources.map(content).all(|content| content == Ok(text(1, 10))));
    writer.join().unwrap();
}
