//! Streams against the decoder that genotok had before: zlib-rs, one step after another, in one thread.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::io::{Cursor, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use flate2::{Decompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::super::*;
use super::{PACKINGS, Packing, pack};
use crate::io::fasta::tests::Dribble;
use crate::testing::RandomGenome;

/// Content, and the message if it is not the content of a whole file.
type Unpacked = (Vec<u8>, Option<String>);

/// The content of gzip or BGZF by the rules of the member loop.
fn expected(mut packed: &[u8]) -> Unpacked {
    let (mut content, mut marked) = (Vec::new(), true);
    let fail = |content, reason: &str| (content, Some(reason.to_owned()));
    loop {
        match packed {
            [] if !marked => return fail(content, "marker"),
            [] => return (content, None),
            [0, ..] if packed.iter().all(|&byte| byte == 0) => packed = &[],
            [0, ..] => return fail(content, "zero bytes"),
            [0x1f] => return fail(content, "cut short"),
            [0x1f, 0x8b, ..] => {
                let block = bgzf::block_length(packed).filter(|_| packed.len() >= HEADER_BYTES);
                let member = &packed[..block.unwrap_or(packed.len()).min(packed.len())];
                if block.is_some_and(|length| length > packed.len()) {
                    return fail(content, "cut short");
                }
                let mut inflate = Decompress::new_gzip(15);
                let before = content.len();
                let ended = loop {
                    content.reserve(1 << 16);
                    let rest = &member[usize::try_from(inflate.total_in()).unwrap()..];
                    let counts = (inflate.total_in(), inflate.total_out());
                    match inflate.decompress_vec(rest, &mut content, FlushDecompress::None) {
                        Ok(Status::StreamEnd) => break true,
                        Ok(_) if counts != (inflate.total_in(), inflate.total_out()) => {}
                        Ok(_) => break false,
                        Err(_) => return fail(content, "damaged"),
                    }
                };
                let used = usize::try_from(inflate.total_in()).unwrap();
                marked = block.is_none() || content.len() == before;
                match (ended, block) {
                    (false, None) => return fail(content, "cut short"),
                    (true, None) => packed = &packed[used..],
                    (true, Some(length)) if used == length => packed = &packed[used..],
                    _ => return fail(content, "damaged"),
                }
            }
            _ => return fail(content, "something else follows"),
        }
    }
}

/// What a stream gives, read `step` bytes at a time; it is left as it is at the end.
fn drain(stream: &mut InputStream, step: usize) -> Unpacked {
    let (mut content, mut out) = (Vec::new(), vec![0; step]);
    loop {
        match stream.read(&mut out) {
            Ok(0) => return (content, None),
            Ok(count) => content.extend_from_slice(&out[..count]),
            Err(fault) => {
                assert!(stream.read(&mut out).is_err(), "after an error there is no end");
                return (content, Some(fault.at("x".as_ref()).to_string()));
            }
        }
    }
}

/// How a stream is driven in a test.
#[derive(Debug, Clone, Copy)]
struct Drive {
    /// Bytes that the source gives at a time, bytes of content in a chunk, and bytes that the reader takes.
    source: usize,
    chunk: usize,
    step: usize,
    /// Whether another thread unpacks from the start.
    ahead: bool,
}

fn unpacked(packed: &[u8], drive: Drive) -> Unpacked {
    let mut stream =
        match InputStream::open(Box::new(Dribble::new(packed.to_vec(), vec![drive.source])), false) {
            Ok(stream) => stream.with_chunks(drive.chunk),
            Err(fault) => return (Vec::new(), Some(fault.at("x".as_ref()).to_string())),
        };
    let runner = if drive.ahead { stream.unpack_ahead(1) } else { None };
    let thread = runner.map(|runner| thread::spawn(move || runner.run()));
    let result = drain(&mut stream, drive.step);
    drop(stream);
    thread.map(|thread| thread.join().unwrap());
    result
}

/// Compares a stream with the oracle. The content before an error may end earlier or later: a decoder notices damage when
/// it notices it. Cuts are noticed at the same byte.
fn check(packed: &[u8], drive: Drive) {
    let ((content, reason), (wanted, defect)) = (unpacked(packed, drive), expected(packed));
    match (&reason, &defect) {
        (None, None) => assert!(content == wanted, "{drive:?}"),
        (Some(reason), Some(defect)) => {
            let told = reason.contains(defect.as_str()) || defect == "damaged";
            assert!(told, "{drive:?}, {} bytes: {reason}, not {defect}", packed.len());
            let shared = content.len().min(wanted.len());
            assert!(content[..shared] == wanted[..shared], "{drive:?}: other content before {reason}");
        }
        _ => panic!("{drive:?}: {reason:?}, not {defect:?}"),
    }
}

fn drives(sizes: [usize; 3]) -> impl Iterator<Item = Drive> {
    let [source, chunk, step] = sizes;
    [false, true].into_iter().map(move |ahead| Drive { source, chunk, step, ahead })
}

fn genome(bases: usize) -> Vec<u8> {
    let mut symbols = Vec::new();
    RandomGenome::new(3).with_n(true).bases(&mut symbols, bases);
    let lines = symbols.chunks(60).flat_map(|line| [line, b"\n"].concat());
    b">random\n".iter().copied().chain(lines).collect()
}

const GZIP: [Packing; 3] = [Packing::Gzip, Packing::TwoMembers, Packing::Bgzf];

#[test]
fn small_members_cut_anywhere_are_noticed_at_the_same_byte() {
    for packing in GZIP {
        let packed = pack(&genome(300), packing);
        // A single byte is no gzip yet.
        for length in 2..=packed.len() {
            for drive in drives([1, 1, 1]).chain(drives([1 << 18, 1 << 19, 100])) {
                check(&packed[..length], drive);
            }
        }
    }
}

#[test]
fn changed_bytes_are_noticed_as_before() {
    for packing in GZIP {
        let packed = pack(&genome(100), packing);
        for at in 2..packed.len() {
            for change in [1, 0x80, 0xff] {
                let mut damaged = packed.clone();
                damaged[at] ^= change;
                check(&damaged, Drive { source: 1000, chunk: 7, step: 50, ahead: at % 16 == 0 });
            }
        }
    }
}

#[test]
fn what_may_follow_a_member_is_as_before() {
    let [gzip, _, bgzf] = GZIP.map(|packing| pack(&genome(200), packing));
    let block = &bgzf[..bgzf.len() - 28];
    let zeros = [0; 40];
    for parts in [
        [&gzip[..], &bgzf, &gzip],
        [&bgzf, &gzip, &bgzf],
        [&bgzf, &bgzf, block],
        [block, &gzip, block],
        [&gzip, &zeros, &gzip],
        [&bgzf, &gzip, &zeros],
        [&gzip, &gzip, b"AC"],
        [block, &bgzf, &[0x1f]],
    ] {
        let packed = parts.concat();
        for drive in
            drives([1, 1, 1]).chain(drives([19, 40_000, 64])).chain(drives([1 << 18, 1 << 19, 1 << 18]))
        {
            check(&packed, drive);
        }
    }
}

#[test]
fn long_members_are_unpacked_alike_in_pools_of_any_size() {
    let text = genome(2_500_000);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for packing in PACKINGS {
            let packed = pack(&text, packing);
            let whole = |bytes: &[u8], step| {
                let source = Box::new(Cursor::new(bytes.to_vec()));
                pool.install(|| drain(&mut InputStream::open(source, false).unwrap(), step))
            };
            assert!(whole(&packed, 100_000) == (text.clone(), None), "{packing:?}");
            if !matches!(packing, Packing::Plain) {
                let (content, reason) = whole(&packed[..packed.len() / 4 * 3], 1 << 18);
                assert!(text.starts_with(&content) && content.len() > text.len() / 2, "{packing:?}");
                assert!(reason.unwrap().contains("cut short"), "{packing:?}");
            }
        }
    }
}

/// A source that waits, after some bytes, until it is told to continue.
struct Waiting {
    bytes: Cursor<Vec<u8>>,
    told: Receiver<()>,
    _alive: Arc<()>,
}

impl Read for Waiting {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(out)?;
        if count == 0 {
            self.told.recv().ok();
        }
        Ok(count)
    }
}

#[test]
fn a_dropped_stream_waits_for_no_pipe_and_leaves_no_thread() {
    let text = genome(2_500_000);
    for packing in [Packing::Gzip, Packing::Xz, Packing::Zstd] {
        let mut packed = pack(&text, packing);
        packed.truncate(packed.len() - 100);
        let (alive, (tell, told)) = (Arc::new(()), channel());
        let watch: Weak<()> = Arc::downgrade(&alive);
        let source = Waiting { bytes: Cursor::new(packed), told, _alive: alive };
        let mut stream = InputStream::open(Box::new(source), false).unwrap();
        let mut out = vec![0; 1 << 20];
        for _ in 0..3 {
            assert!(stream.read(&mut out).unwrap() > 0);
        }
        let start = Instant::now();
        drop(stream);
        assert!(start.elapsed() < Duration::from_secs(5), "{packing:?}");
        drop(tell);
        while watch.strong_count() > 0 {
            assert!(start.elapsed() < Duration::from_secs(20), "{packing:?}: the source is still open");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_damage_is_noticed_as_before(
        packing in 0..GZIP.len(),
        bases in 0_usize..3000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
        sizes in (1_usize..400, 1_usize..5000, 1_usize..5000),
        ahead in any::<bool>(),
    ) {
        let mut packed = pack(&genome(bases), GZIP[packing]);
        for (at, byte) in changes {
            let at = 2 + at.index(packed.len() - 2);
            packed[at] = byte;
        }
        packed.truncate(2 + cut.index(packed.len() + 200));
        let (source, chunk, step) = sizes;
        check(&packed, Drive { source, chunk, step, ahead });
    }
}
