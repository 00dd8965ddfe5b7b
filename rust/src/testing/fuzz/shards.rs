//! Packed files and the manifests of their folders.

use super::input::Knobs;
use super::scratch;
use crate::corpus::folder::{self, CorpusManifest, MANIFEST};
use crate::corpus::{Corpus, MAGIC, from_words, save};
use crate::error::Error;
use crate::monitor::Monitor;

/// Bytes of the header of a packed file, and where its checksums stand.
const HEADER: usize = 192;
const PAYLOAD_SUM: usize = 112;
const HEADER_SUM: usize = 144;

/// A packed file of any bytes, or one whose checksums are made right: it is refused, or read to its last base and saved
/// as the same bytes.
pub(super) fn shard(data: &[u8]) {
    let mut knobs = Knobs(data);
    let is_right = knobs.below(2) == 1;
    let mut bytes = knobs.0.to_vec();
    if is_right && bytes.len() >= HEADER {
        make_right(&mut bytes);
    }
    let path = scratch::file("shard.pack", &bytes);
    let Ok(corpus) = Corpus::open(&path) else { return };
    let mut bases = 0;
    for word in 0..corpus.num_words() {
        let range = corpus.word(word);
        let mut codes = vec![9; (range.end - range.start) as usize];
        corpus.unpack(range.start, &mut codes);
        assert!(codes.iter().all(|&code| code < 4));
        bases += codes.len() as u64;
        assert_eq!(corpus.word_after(range.start), word);
    }
    assert_eq!(bases, corpus.contents().bases);
    assert!(bases <= corpus.span());
    assert_eq!(corpus.num_pieces(None), corpus.num_words() as u64);
    let copy = scratch::folder().join("copy.pack");
    let length = save(&[corpus], &copy, &Monitor::default()).expect("saved");
    let saved = std::fs::read(&copy).expect("there");
    assert_eq!(saved.len() as u64, length);
    assert!(saved[..176] == bytes[..176] && saved[HEADER..] == bytes[HEADER..], "saved as other bytes");
}

/// Gives bytes the magic, the version and the checksums of a packed file, and its length if that is all that is wrong.
fn make_right(bytes: &mut [u8]) {
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&1_u64.to_le_bytes());
    bytes[80..96].fill(0); // padding, which is not kept
    let mut words = [0; 8];
    words.copy_from_slice(&bytes[16..24]);
    let (words, payload) = (u64::from_le_bytes(words), (bytes.len() - HEADER) as u64);
    if let Some(arena) = words.checked_mul(8).and_then(|ends| payload.checked_sub(ends)) {
        bytes[24..32].copy_from_slice(&arena.to_le_bytes());
    }
    let sum = blake3::hash(&bytes[HEADER..]);
    bytes[PAYLOAD_SUM..PAYLOAD_SUM + 32].copy_from_slice(sum.as_bytes());
    let sum = blake3::hash(&bytes[..HEADER_SUM]);
    bytes[HEADER_SUM..HEADER_SUM + 32].copy_from_slice(sum.as_bytes());
}

/// A manifest of any bytes beside one shard: it is refused, or its shards are compared with it.
pub(super) fn manifest(data: &[u8]) {
    let folder = scratch::folder().join("packed");
    let shard = folder.join("00000-00000.pack");
    if !shard.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        save(&[from_words([b"ACGTACGTAC"]).unwrap()], &shard, &Monitor::default()).unwrap();
    }
    scratch::file(&format!("packed/{MANIFEST}"), data);
    let manifest = match CorpusManifest::open(&folder) {
        Err(error) => return assert!(matches!(error, Error::File { .. }), "{error}"),
        Ok(manifest) => manifest,
    };
    let defects = folder::verify(&folder, &Monitor::default()).expect("the manifest is read");
    match folder::shards(&folder) {
        Ok(paths) => assert_eq!(paths.len(), manifest.shards.len()),
        Err(_) => assert!(!defects.is_empty(), "a shard is refused that verify finds faultless"),
    }
}
