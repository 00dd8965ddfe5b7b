#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

mod oracle;

use std::io::{self, Read, Write};

use proptest::prelude::*;

use crate::error::Error;
use crate::io::fasta::tests::{Dribble, read, read_from};

/// Every way of packing that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    TwoMembers,
    Bgzf,
    Xz,
    Zstd,
}

pub(crate) const PACKINGS: [Packing; 6] =
    [Packing::Plain, Packing::Gzip, Packing::TwoMembers, Packing::Bgzf, Packing::Xz, Packing::Zstd];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::GzBuilder::new().filename("a.fa").write(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bgzf(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = noodles_bgzf::io::Writer::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn pack(bytes: &[u8], packing: Packing) -> Vec<u8> {
    match packing {
        Packing::Plain => bytes.to_vec(),
        Packing::Gzip => gzip(bytes),
        Packing::TwoMembers => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            [gzip(first), gzip(second)].concat()
        }
        Packing::Bgzf => bgzf(bytes),
        Packing::Xz => xz(bytes),
        Packing::Zstd => zstd(bytes),
    }
}

const SMALL: &[u8] = b">one a small genome\nACGTTGCATGCAAC\nGGTAC\n>two\nNNACGT\n";

fn message(bytes: &[u8]) -> String {
    read(bytes).expect_err("refused").to_string()
}

#[test]
fn every_packing_gives_the_same_records_however_it_arrives() {
    let expected = read(SMALL).unwrap();
    for packing in PACKINGS {
        let packed = pack(SMALL, packing);
        for step in [1, 2, 7, 1000] {
            assert_eq!(
                read_from(Dribble::new(packed.clone(), vec![step])).unwrap(),
                expected,
                "{packing:?} {step}"
            );
        }
    }
}

#[test]
fn members_in_a_row_are_all_read() {
    let expected = read(&[SMALL, SMALL, SMALL].concat()).unwrap();
    for packing in [Packing::Gzip, Packing::Bgzf, Packing::Xz, Packing::Zstd] {
        let (packed, nothing) = (pack(SMALL, packing), pack(b"", packing));
        let joined = [&nothing, &packed, &packed, &nothing, &packed].map(Vec::as_slice).concat();
        assert_eq!(read(&joined).unwrap(), expected, "{packing:?}");
    }
    assert_eq!(read(&[bgzf(SMALL), gzip(SMALL), bgzf(SMALL)].concat()).unwrap(), expected);
}

#[test]
fn skippable_zstd_frames_are_skipped() {
    let skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let packed = [skipped, zstd(SMALL).as_slice(), skipped].concat();
    assert_eq!(read(&packed).unwrap(), read(SMALL).unwrap());
}

#[test]
fn a_zstd_frame_has_as_much_as_it_states() {
    let size = |bytes: usize| u16::try_from(bytes).unwrap().to_le_bytes();
    for (stated, is_right) in [(300, true), (301, false), (299, false), (65_000, false)] {
        let content = [&b">one\n"[..], &b"A".repeat(295)].concat();
        // A header of one segment and a size in two bytes, a raw block with all the content, and an empty last block.
        let head = [&b"\x28\xb5\x2f\xfd\x60"[..], &size(stated - 256)].concat();
        let frame = [&head[..], &size(300 << 3), &[0], &content, &[1, 0, 0]].concat();
        for step in [1, 7, 1000] {
            let found = read_from(Dribble::new(frame.clone(), vec![step]));
            assert_eq!(found.is_ok(), is_right, "{stated} {step}: {found:?}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for packing in [Packing::Gzip, Packing::TwoMembers, Packing::Bgzf, Packing::Xz, Packing::Zstd] {
        let packed = pack(SMALL, packing);
        let between = pack(&SMALL[..SMALL.len() / 2], Packing::Gzip).len();
        for length in 0..packed.len() {
            // What is left is a whole gzip file; nothing in it says that there was more.
            if matches!(packing, Packing::TwoMembers) && length == between {
                continue;
            }
            let result = read(&packed[..length]);
            assert!(result.is_err(), "{packing:?} cut to {length} of {} bytes: {result:?}", packed.len());
        }
    }
    let cut = &gzip(SMALL)[..40];
    assert!(message(cut).contains("cut short"), "{}", message(cut));
    let unmarked = &bgzf(SMALL)[..bgzf(SMALL).len() - 28];
    assert!(message(unmarked).contains("end marker is missing"), "{}", message(unmarked));
}

#[test]
fn a_changed_byte_is_an_error_or_changes_nothing() {
    let expected = read(SMALL).unwrap();
    for packing in [Packing::Gzip, Packing::TwoMembers, Packing::Bgzf, Packing::Xz, Packing::Zstd] {
        let packed = pack(SMALL, packing);
        for (at, bit) in (0..packed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << bit;
            if let Ok(records) = read(&damaged) {
                assert_eq!(records, expected, "{packing:?}: bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn only_padding_may_follow_the_last_member() {
    let expected = read(SMALL).unwrap();
    for packing in [Packing::Gzip, Packing::Bgzf, Packing::Xz] {
        let padded = [pack(SMALL, packing), vec![0; 512]].concat();
        assert_eq!(read(&padded).unwrap(), expected, "{packing:?}");
        let more = [padded, b"A".to_vec()].concat();
        assert!(read(&more).is_err(), "{packing:?}");
    }
    assert!(read(&[zstd(SMALL), vec![0; 512]].concat()).is_err());
    assert!(read(&[xz(SMALL), vec![0; 3]].concat()).is_err());
    assert_eq!(
        read(&[xz(SMALL), vec![0; 4], xz(SMALL)].concat()).unwrap(),
        [expected.clone(), expected].concat()
    );
    for packing in [Packing::Gzip, Packing::Bgzf, Packing::Xz, Packing::Zstd] {
        for garbage in [&b"\n"[..], b"garbage", SMALL] {
            let joined = [&pack(SMALL, packing), garbage].concat();
            assert!(message(&joined).contains("something else follows"), "{packing:?} {}", message(&joined));
        }
    }
}

#[test]
fn what_is_not_unpacked_is_refused_with_a_remedy() {
    assert!(message(b"BZh91AY&SY\0\0").contains("bzip2 -dc FILE | genotok ... -"));
    assert!(message(b"PK\x03\x04\x14\0").contains("unzip"));
    assert!(message(&gzip(&gzip(SMALL))).contains("compressed twice"));
}

#[test]
fn nothing_packed_is_empty() {
    for packing in [Packing::Gzip, Packing::Bgzf, Packing::Xz, Packing::Zstd] {
        for nothing in [&b""[..], b"\n \r\n"] {
            let error = read(&pack(nothing, packing)).expect_err("empty");
            assert!(matches!(error, Error::File { .. }), "{error}");
            assert!(error.to_string().contains("unpacks to nothing"), "{error}");
        }
    }
}

#[test]
fn an_error_of_the_system_stays_one() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    for head in [SMALL.to_vec(), gzip(SMALL)[..30].to_vec(), bgzf(SMALL)[..50].to_vec()] {
        let error = read_from(io::Cursor::new(head).chain(Failing)).expect_err("refused");
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}

#[test]
fn much_comes_out_of_little_and_only_passes_through() {
    let line = [&b"ACGT".repeat(1 << 18)[..], b"\n"].concat();
    let mut genome = b">long\n".to_vec();
    for _ in 0..40 {
        genome.extend_from_slice(&line);
    }
    for packing in PACKINGS {
        let records = read(&pack(&genome, packing)).unwrap();
        assert_eq!(records[0].symbols.len(), 40 << 20, "{packing:?}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics_and_never_loops(
        packing in 0..PACKINGS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        steps in prop::collection::vec(1_usize..50, 1..4),
    ) {
        let mut packed = pack(SMALL, PACKINGS[packing]);
        for (at, byte) in changes {
            let at = at.index(packed.len());
            packed[at] = byte;
        }
        packed.truncate(cut.index(packed.len() + 20));
        let _ = read_from(Dribble::new(packed, steps));
    }
}
