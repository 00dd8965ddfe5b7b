//! Compressed data: the same bytes for buffers and portions of any size, and those of a second decoder.

use std::io::Read;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::input::{Knobs, Portions};
use crate::io::decompress::InputStream;

/// Bytes of content that are unpacked, at most: a small input may unpack to gigabytes.
const LIMIT: usize = 1 << 16;

/// Content up to [`LIMIT`], whether that is all, and the message if it ends in an error.
#[derive(Debug)]
struct Unpacked {
    content: Vec<u8>,
    reason: Option<String>,
}

impl Unpacked {
    fn is_cut(&self) -> bool {
        self.content.len() == LIMIT
    }
}

fn unpacked(packed: &[u8], [portion, chunk, step]: [usize; 3]) -> Unpacked {
    let mut found = Unpacked { content: Vec::new(), reason: None };
    let mut stream = match InputStream::open(Box::new(Portions::new(packed, portion)), false) {
        Ok(stream) => stream.with_chunks(chunk),
        Err(fault) => return Unpacked { reason: Some(fault.at("x".as_ref()).to_string()), ..found },
    };
    let mut out = vec![0; step];
    while found.content.len() < LIMIT {
        match stream.read(&mut out) {
            Ok(0) => return found,
            Ok(count) => found.content.extend_from_slice(&out[..count]),
            Err(fault) => {
                assert!(stream.read(&mut out).is_err(), "an end after an error");
                found.reason = Some(fault.at("x".as_ref()).to_string());
                return found;
            }
        }
    }
    found.content.truncate(LIMIT);
    found
}

/// Unpacks in two ways and compares. What stands before an error may be longer in one of them.
fn unpack(packed: &[u8], sizes: [usize; 3]) -> Unpacked {
    let whole = unpacked(packed, [1 << 13, 2 * LIMIT, 1 << 13]);
    let parts = unpacked(packed, sizes);
    let shared = whole.content.len().min(parts.content.len());
    assert!(whole.content[..shared] == parts.content[..shared], "{sizes:?}: other content");
    if whole.is_cut() || parts.is_cut() {
        return whole;
    }
    assert_eq!(whole.reason.is_some(), parts.reason.is_some(), "{sizes:?}: {whole:?} {parts:?}");
    if whole.reason.is_none() {
        assert_eq!(whole.content.len(), parts.content.len(), "{sizes:?}: lengths");
    }
    whole
}

/// Sizes of portions, chunks and reads; small chunks for small inputs only, which bounds the work.
fn sizes(knobs: &mut Knobs<'_>) -> [usize; 3] {
    [knobs.size(), knobs.size().max(16), knobs.size().max(16)]
}

/// The content of a raw deflate stream and how many bytes it has, if zlib-rs reads it to its end within the limit.
fn inflated(raw: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut content = Vec::with_capacity(LIMIT);
    let mut inflate = Decompress::new(false);
    let status = inflate.decompress_vec(raw, &mut content, FlushDecompress::Finish).ok()?;
    let used = usize::try_from(inflate.total_in()).ok()?;
    (status == Status::StreamEnd && content.len() < LIMIT).then_some((content, used))
}

/// Header, stream and trailer of a member; with an extra field it is a block of BGZF.
fn member(raw: &[u8], content: &[u8], is_block: bool) -> Option<Vec<u8>> {
    let mut bytes = vec![0x1f, 0x8b, 8, if is_block { 4 } else { 0 }, 0, 0, 0, 0, 0, 255];
    if is_block {
        let length = u16::try_from(raw.len() + 25).ok()?;
        bytes.extend([6, 0, b'B', b'C', 2, 0]);
        bytes.extend(length.to_le_bytes());
    }
    bytes.extend_from_slice(raw);
    let mut crc = Crc::new();
    crc.update(content);
    bytes.extend(crc.sum().to_le_bytes());
    bytes.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
    Some(bytes)
}

/// Two members of the same raw stream, and its content, twice.
fn members(raw: &[u8], is_block: bool) -> Option<(Vec<u8>, Vec<u8>)> {
    let (content, used) = inflated(raw)?;
    let mut packed = member(&raw[..used], &content, is_block)?.repeat(2);
    if is_block {
        packed.extend(member(&[3, 0], &[], true)?);
    }
    Some((packed, content.repeat(2)))
}

/// gzip or BGZF: any bytes, or a raw stream with a right trailer, which must give what zlib-rs gives.
fn deflated(data: &[u8], is_block: bool) {
    let mut knobs = Knobs(data);
    let (is_raw, sizes) = (knobs.below(2) == 1, sizes(&mut knobs));
    if is_raw {
        if let Some((packed, content)) = members(knobs.0, is_block) {
            let found = unpack(&packed, sizes);
            let length = content.len().min(LIMIT);
            assert!(found.reason.is_none(), "zlib-rs reads it: {:?}", found.reason);
            assert!(found.content[..] == content[..length], "zlib-rs gives other content");
        }
        return;
    }
    let head: &[u8] = if is_block { &[0x1f, 0x8b, 8, 4] } else { &[0x1f, 0x8b] };
    let packed = [head, knobs.0].concat();
    let found = unpack(&packed, sizes);
    if found.reason.is_none() && !found.is_cut() {
        let mut expected = Vec::new();
        let reader = flate2::read::MultiGzDecoder::new(&packed[..]);
        if reader.take(LIMIT as u64).read_to_end(&mut expected).is_ok() {
            assert!(found.content == expected, "zlib-rs gives other content");
        }
    }
}

/// gzip.
pub(super) fn gzip(data: &[u8]) {
    deflated(data, false);
}

/// BGZF.
pub(super) fn bgzf(data: &[u8]) {
    deflated(data, true);
}

/// xz.
pub(super) fn xz(data: &[u8]) {
    let mut knobs = Knobs(data);
    let sizes = sizes(&mut knobs);
    unpack(&[b"\xfd7zXZ\0", knobs.0].concat(), sizes);
}

/// zstd: a frame, or a skippable frame first.
pub(super) fn zstd(data: &[u8]) {
    let mut knobs = Knobs(data);
    let head: &[u8] = if knobs.below(4) == 3 { b"\x50\x2a\x4d\x18" } else { b"\x28\xb5\x2f\xfd" };
    let sizes = sizes(&mut knobs);
    unpack(&[head, knobs.0].concat(), sizes);
}

/// Any bytes: plain ones pass as they are, bzip2 and other formats are refused, with any portions.
pub(super) fn refused(data: &[u8]) {
    let mut knobs = Knobs(data);
    let sizes = sizes(&mut knobs);
    let found = unpack(knobs.0, sizes);
    if knobs.0.starts_with(b"BZh") {
        assert!(found.reason.is_some_and(|reason| reason.contains("bzip2")), "bzip2 is refused by name");
    }
}
