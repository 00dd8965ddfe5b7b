//! Digests of records, by which the same sequence is recognised under any name.
//!
//! The digest of the refget standard (GA4GH refget 2.0, `sha512t24u`): the first 24 bytes of SHA-512 over the symbols in
//! upper case, in URL-safe base 64, after `SQ.`. A re-wrapped, compressed or soft-masked file has the same digests. The
//! cost is about 2 ns per symbol, so digests are computed only on request.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use sha2::{Digest, Sha512};

/// Symbols of a part, records that may end in it, and parts that may wait for the thread.
const PART_BYTES: usize = 1 << 20;
const PART_RECORDS: usize = 1 << 14;
const PARTS: usize = 4;
/// Bytes of the hash that are kept; a multiple of three, so base 64 needs no padding.
const KEPT_BYTES: usize = 24;
/// The digits of URL-safe base 64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digest of a whole record, independent of the regions that became rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDigest {
    /// The file.
    pub file: PathBuf,
    /// The record's name.
    pub record: String,
    /// Its symbols.
    pub length: u64,
    /// `SQ.` and 32 characters.
    pub digest: String,
}

/// The refget digests of records, in order, computed beside the work of the caller.
///
/// Symbols are collected in parts. From the first full part on a thread hashes them; short inputs are hashed by the caller,
/// when it asks for the digests. Memory: [`PARTS`] parts.
pub(super) struct Digester {
    part: Part,
    hashing: Hashing,
    done: Vec<RecordDigest>,
}

/// Symbols of records, one after another, in upper case.
#[derive(Default)]
struct Part {
    symbols: Vec<u8>,
    /// The records that end here, each with the symbols before its end, and its digest to be.
    ends: Vec<(usize, RecordDigest)>,
}

/// Who hashes.
enum Hashing {
    /// The caller.
    Here(Refget),
    /// A thread, which gives each part back; `sent` parts are with it.
    Beside { parts: SyncSender<Part>, hashed: Receiver<Part>, sent: usize },
}

/// The refget digest of the symbols of the open record.
#[derive(Default)]
struct Refget(Sha512);

impl Digester {
    /// A digester before the first record.
    pub(super) fn new() -> Self {
        Self { part: Part::default(), hashing: Hashing::Here(Refget::default()), done: Vec::new() }
    }

    /// Adds symbols of the open record, in either case.
    pub(super) fn update(&mut self, mut symbols: &[u8]) {
        while !symbols.is_empty() {
            let space = PART_BYTES - self.part.symbols.len();
            let (now, later) = symbols.split_at(space.min(symbols.len()));
            let from = self.part.symbols.len();
            self.part.symbols.extend_from_slice(now);
            self.part.symbols[from..].make_ascii_uppercase();
            symbols = later;
            self.hand_over_if_full();
        }
    }

    /// Ends the open record.
    pub(super) fn end_record(&mut self, file: &Path, record: &str, length: u64) {
        let (file, record) = (file.to_path_buf(), record.to_owned());
        let digest = RecordDigest { file, record, length, digest: String::new() };
        self.part.ends.push((self.part.symbols.len(), digest));
        self.hand_over_if_full();
    }

    /// Takes the digests that are there; with `wait`, those of all records that have ended.
    pub(super) fn take(&mut self, wait: bool) -> Vec<RecordDigest> {
        match &mut self.hashing {
            Hashing::Here(refget) => self.done.extend(refget.hash(&mut self.part)),
            Hashing::Beside { parts, hashed, sent } => {
                if wait {
                    let part = std::mem::take(&mut self.part);
                    *sent += usize::from(parts.send(part).is_ok());
                }
                while *sent > 0 {
                    let part = if wait { hashed.recv().ok() } else { hashed.try_recv().ok() };
                    let Some(part) = part else { break };
                    *sent -= 1;
                    self.done.extend(part.ends.into_iter().map(|(_, digest)| digest));
                }
            }
        }
        std::mem::take(&mut self.done)
    }

    /// Gives a full part to the thread, which starts with the first.
    fn hand_over_if_full(&mut self) {
        if self.part.symbols.len() < PART_BYTES && self.part.ends.len() < PART_RECORDS {
            return;
        }
        if let Hashing::Here(refget) = &mut self.hashing {
            let Some(hashing) = Hashing::start(std::mem::take(refget)) else { return };
            self.hashing = hashing;
        }
        let Hashing::Beside { parts, hashed, sent } = &mut self.hashing else { return };
        let next = if *sent < PARTS { Part::default() } else { hashed.recv().unwrap_or_default() };
        *sent -= usize::from(*sent >= PARTS);
        let Part { mut symbols, ends } = next;
        self.done.extend(ends.into_iter().map(|(_, digest)| digest));
        symbols.clear();
        let part = std::mem::replace(&mut self.part, Part { symbols, ends: Vec::new() });
        *sent += usize::from(parts.send(part).is_ok());
    }
}

impl Hashing {
    /// Starts a thread, which ends with the digester; none if the system refuses one.
    fn start(mut refget: Refget) -> Option<Self> {
        let (parts, received) = sync_channel::<Part>(PARTS);
        let (give_back, hashed) = channel();
        let work = move || {
            for mut part in received {
                let digests = refget.hash(&mut part);
                part.ends = digests.map(|digest| (0, digest)).collect();
                if give_back.send(part).is_err() {
                    return;
                }
            }
        };
        let started = std::thread::Builder::new().name("genotok-digest".to_owned()).spawn(work);
        started.ok().map(|_| Self::Beside { parts, hashed, sent: 0 })
    }
}

impl Refget {
    /// Hashes a part, and empties it. Returns the digests of the records that end in it.
    fn hash(&mut self, part: &mut Part) -> std::vec::IntoIter<RecordDigest> {
        let mut from = 0;
        let mut ends = std::mem::take(&mut part.ends);
        for (to, digest) in &mut ends {
            self.0.update(&part.symbols[from..*to]);
            digest.digest = self.finish();
            from = *to;
        }
        self.0.update(&part.symbols[from..]);
        part.symbols.clear();
        ends.into_iter().map(|(_, digest)| digest).collect::<Vec<_>>().into_iter()
    }

    /// Returns the digest and starts the next.
    fn finish(&mut self) -> String {
        let sum = std::mem::take(&mut self.0).finalize();
        let mut text = String::from("SQ.");
        for three in sum[..KEPT_BYTES].chunks(3) {
            let bits = three.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
            text.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of sequences that are added in pieces of `step` symbols.
    fn digests(sequences: &[&[u8]], step: usize) -> Vec<String> {
        let mut digester = Digester::new();
        let mut all = Vec::new();
        for sequence in sequences {
            sequence.chunks(step).for_each(|piece| digester.update(piece));
            digester.end_record(Path::new("a.fa"), "a", sequence.len() as u64);
            all.extend(digester.take(false));
        }
        all.extend(digester.take(true));
        all.into_iter().map(|digest| digest.digest).collect()
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        // Both are printed in the specification of GA4GH digests.
        let known = ["SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2", "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc"];
        assert_eq!(digests(&[b"ACGT", b"", b"acgT"], 3), [known[0], known[1], known[0]]);
    }

    #[test]
    fn digests_are_the_same_beside_and_here() {
        let long = b"ACGTTn".repeat(PART_BYTES);
        let short = b"AC".repeat(9_000);
        let sequences: Vec<&[u8]> = vec![&short, &long, b"", &short, &long[..PART_BYTES], &long[3..], b"ac"];
        let together = digests(&sequences, 70_001);
        let each: Vec<String> = sequences.iter().flat_map(|sequence| digests(&[sequence], 100_000)).collect();
        assert_eq!(together, each);
        let many = vec![&b"ACG"[..]; 3 * PART_RECORDS + 1];
        assert!(digests(&many, 10).iter().eq(std::iter::repeat_n(&digests(&[b"ACG"], 1)[0], many.len())));
    }
}
