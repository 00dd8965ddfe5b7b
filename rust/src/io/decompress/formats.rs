//! Compression formats by their first bytes, and the reasons why no more bytes come.
//!
//! The name of a file is never consulted: `genome.fa` that holds gzip is gzip. Formats that are recognised and not read
//! have a remedy each, because "this is not a sequence file" would send a user the wrong way.

use std::path::Path;

use crate::error::Error;

/// Length of the header of a BGZF block, and of the longest of a zstd frame; no signature looked for is longer.
pub(super) const HEADER_BYTES: usize = 18;

/// The environment variable that lets BGZF files without their end marker pass, if it is 1. It is no option of a command
/// nor an argument, so that it holds for all that read, workers on other machines among them.
pub(crate) const UNMARKED: &str = "GENOTOK_ACCEPT_UNMARKED_BGZF";

/// Messages that several decoders share.
pub(super) const DAMAGED: &str = "the compressed data is damaged; fetch the file again";
pub(super) const CUT_SHORT: &str =
    "the compressed data is cut short, probably an unfinished download or copy; fetch the file again";

/// Why no more bytes come.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The source could not be read.
    Io(std::io::Error),
    /// What was read cannot be unpacked. The sentence says why and what to do.
    Damaged(String),
}

impl Fault {
    /// Data that cannot be unpacked.
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// The error for this fault in the file at `path`.
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Self::Io(source) => Error::io(path, source),
            Self::Damaged(reason) => Error::file(path, reason),
        }
    }
}

/// The formats that are read. BGZF is gzip here; its blocks are found by their header (`bgzf`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompressionFormat {
    Plain,
    Gzip,
    Xz,
    Zstd,
}

impl CompressionFormat {
    /// The bytes that data in this format starts with; none for plain data.
    pub(super) fn magic(self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Gzip => b"\x1f\x8b",
            Self::Xz => b"\xfd7zXZ\0",
            Self::Zstd => b"\x28\xb5\x2f\xfd",
        }
    }

    /// The format of data that starts with `head`; plain if no other fits.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            // A zstd file may start with a skippable frame, and have more of them anywhere.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => [Self::Gzip, Self::Xz, Self::Zstd]
                .into_iter()
                .find(|format| head.starts_with(format.magic()))
                .unwrap_or(Self::Plain),
        }
    }
}

/// Formats that are recognised only to be refused: their first bytes, and the message. The first that fits counts.
const REFUSED: [(&[u8], &str); 21] = [
    (
        b"BZh",
        "this is bzip2 data, which is not read (gzip, BGZF, xz and zstd are); use `bzip2 -dc FILE | genotok ... -`",
    ),
    (b"\x04\x22\x4d\x18", "this is lz4 data, which is not read; use `lz4 -dc FILE | genotok ... -`"),
    (b"\x02\x21\x4c\x18", "this is lz4 data, which is not read; use `lz4 -dc FILE | genotok ... -`"),
    (
        b"\x5d\0\0",
        "this is lzma data, the old format, which is not read (xz is); use `xz -dc --format=lzma FILE | genotok ... -`",
    ),
    (b"\xff\x06\0\0sNaPpY", "this is snappy data, which is not read; use `snzip -dc FILE | genotok ... -`"),
    (b"\x89LZO\0", "this is lzop data, which is not read; use `lzop -dc FILE | genotok ... -`"),
    (b"LRZI", "this is lrzip data, which is not read; unpack it with `lrzip -d`"),
    (b"RZIP", "this is rzip data, which is not read; unpack it with `rzip -d`"),
    (b"\x1f\x9e", "this is data of an old `pack`, which is not read; use `gzip -dc FILE | genotok ... -`"),
    (b"\x1f\xa0", "this is LZH data, which is not read; use `gzip -dc FILE | genotok ... -`"),
    (b"\x78\x01", "this is a bare zlib stream, which is not read; use `pigz -dcz FILE | genotok ... -`"),
    (b"\x78\x9c", "this is a bare zlib stream, which is not read; use `pigz -dcz FILE | genotok ... -`"),
    (b"\x78\xda", "this is a bare zlib stream, which is not read; use `pigz -dcz FILE | genotok ... -`"),
    (b"PK\x05\x06", "this is an empty zip archive"),
    (b"PK\x07\x08", "this is a part of a zip archive; unpack it with `unzip` and give the files inside"),
    (b"MSCF", "this is a cab archive; unpack it and give the files inside"),
    (b"PK\x03\x04", "this is a zip archive; unpack it with `unzip` and give the files inside"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7z archive; unpack it and give the files inside"),
    (b"Rar!\x1a\x07", "this is a rar archive; unpack it and give the files inside"),
    (b"\x1f\x9d", "this is Unix compress data (.Z), which is not read; use `gzip -dc FILE | genotok ... -`"),
    (b"LZIP", "this is lzip data, which is not read; use `lzip -dc FILE | genotok ... -`"),
];

/// Whether data that starts with `head` is in a compression format that is read.
pub(crate) fn is_compressed(head: &[u8]) -> bool {
    CompressionFormat::of(head) != CompressionFormat::Plain
}

/// The remedy for data that starts with `head`, if its format is known and not read.
pub(crate) fn refusal(head: &[u8]) -> Option<&'static str> {
    REFUSED.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, reason)| *reason)
}
