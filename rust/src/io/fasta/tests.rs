#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::io::{self, Read};

use proptest::prelude::*;

use super::text::BUFFER_BYTES;
use super::text::titles::TITLE_BYTES;
use super::*;
use crate::io::decompress::tests::{PACKINGS, pack};

/// A record as read: all its pieces joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) symbols: String,
}

/// Gives its bytes in portions of the given sizes, over and over.
pub(crate) struct Dribble {
    bytes: Vec<u8>,
    at: usize,
    steps: Vec<usize>,
    turn: usize,
}

impl Dribble {
    pub(crate) fn new(bytes: Vec<u8>, steps: Vec<usize>) -> Self {
        Self { bytes, at: 0, steps, turn: 0 }
    }
}

impl Read for Dribble {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let step = self.steps[self.turn % self.steps.len()];
        let count = step.min(out.len()).min(self.bytes.len() - self.at);
        out[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

pub(crate) fn read_from(input: impl Read + Send + 'static) -> Result<Vec<Record>> {
    let mut reader = SequenceReader::from_reader("test.fa", input)?;
    let mut records: Vec<Record> = Vec::new();
    loop {
        match reader.next_event() {
            Ok(Some(Event::Record { name, description })) => {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                records.push(Record {
                    name: text(name),
                    description: text(description),
                    symbols: String::new(),
                });
            }
            Ok(Some(Event::Symbols(symbols))) => {
                assert!(!symbols.is_empty(), "an empty piece");
                let symbols = std::str::from_utf8(symbols).expect("symbols are ASCII");
                records.last_mut().expect("a record comes first").symbols.push_str(symbols);
            }
            Ok(None) => return Ok(records),
            Err(error) => {
                assert!(matches!(reader.next_event(), Ok(None)), "an event after an error");
                return Err(error);
            }
        }
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Record>> {
    read_from(io::Cursor::new(bytes.to_vec()))
}

fn record(name: &str, description: &str, symbols: &str) -> Record {
    Record { name: name.to_owned(), description: description.to_owned(), symbols: symbols.to_owned() }
}

/// Checks that `text` is refused with a message that has each of the `telling` parts, whatever the reads.
fn refused(text: &[u8], telling: &[&str]) {
    for step in [1, 3, 1 << 20] {
        let message = read_from(Dribble::new(text.to_vec(), vec![step])).expect_err("refused").to_string();
        for part in telling {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
        assert!(!message.contains('\n'), "more than a line: {message}");
    }
}

/// Checks what `text` holds, whatever the reads.
fn holds(text: &[u8], expected: &[Record]) {
    for step in [1, 3, 1 << 20] {
        let records = read_from(Dribble::new(text.to_vec(), vec![step]));
        assert_eq!(records.expect("valid"), expected, "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn fasta_records_have_names_descriptions_and_symbols() {
    holds(
        b">a first one\nACGT\nacgtn\n>b\n\n>c\tx  y \nAC-.*\n>\nT",
        &[
            record("a", "first one", "ACGTacgtn"),
            record("b", "", ""),
            record("c", "x  y", "AC-.*"),
            record("", "", "T"),
        ],
    );
}

#[test]
fn lines_end_as_they_like() {
    let expected = [record("a", "b", "ACGTAC"), record("c", "", "GG")];
    holds(b">a b\nACGT\nAC\n>c\nGG\n", &expected);
    holds(b">a b\r\nACGT\r\nAC\r\n>c\r\nGG\r\n", &expected);
    holds(b">a b\rACGT\rAC\r>c\rGG\r", &expected);
    holds(b">a b\r\nACGT\nAC\r\r\n>c\nGG\r", &expected);
    holds(b">a b\n\n\nACGT\n\nAC\n   \n\n>c\n\nGG", &expected);
    holds(b"\xef\xbb\xbf\n\r\n \n>a b\nAC GT\nA\tC\n>c\n GG \n\n\n", &expected);
}

#[test]
fn a_carriage_return_inside_a_line_is_refused() {
    refused(b">a\nAC\rGT\n", &["line 2", "byte 0x0d", "column 3", "mixes line ends"]);
    refused(b">a\rAC\nGT\r", &["line 2", "byte 0x0a", "mixes line ends"]);
    let many = [&b">a\nAC"[..], &b"\r".repeat(BUFFER_BYTES + 9), b"\nAC\n"].concat();
    refused(&many, &["line 2", "byte 0x0d", "column 3"]);
}

#[test]
fn fastq_records_may_be_wrapped_and_qualities_may_look_like_marks() {
    holds(
        b"@a one\nACGT\nAC\n+\n@+>I\n+@\n@b\n\n+b\n\n@c\nT\n+c\n@",
        &[record("a", "one", "ACGTAC"), record("b", "", ""), record("c", "", "T")],
    );
    holds(b"\n@a\r\nAC\r\n+a\r\nII\r\n\r\n\r\n", &[record("a", "", "AC")]);
}

#[test]
fn every_defect_of_fastq_has_its_message() {
    refused(b"@a\nACGT\n+\nIII\n", &["line 5", "4 symbols and 3 qualities", "cut short"]);
    refused(b"@a\nACGT\n+\nIIIII\n", &["line 4", "4 symbols and more qualities", "longer"]);
    refused(b"@a\nACGT\n+\nII I\n", &["line 4", "column 3", "byte 0x20", "`!` to `~`"]);
    refused(b"@a\nACGT\n+\nII\x7fI\n", &["line 4", "byte 0x7f"]);
    refused(b"@a\nACGT\n+b\nIIII\n", &["line 3", "\"b\"", "\"a\""]);
    refused(b"@a\nACGT\n+\n\nIIII\n", &["line 4", "empty line", "expected quality"]);
    refused(b"@a\nACGT\n", &["line 3", "no `+` line", "cut short"]);
    refused(b"@a\nACGT\n@b\nACGT\n+\nIIII\n", &["line 3", "'@'", "no `+` line and no quality"]);
    refused(b"@a\nAC GT\n+\nIIIII\n", &["line 2", "column 3", "no white space"]);
    refused(b"@a\nA\n+\nI\nI\n", &["line 5", "'I'", "expected `@`", "quality above is longer"]);
    refused(b"@a\nA\n+\nI\n @b\nA\n+\nI\n", &["line 5", "column 2", "remove the white space before it"]);
    refused(b"@a\nA\n+\nI\n\x1a", &["line 5", "byte 0x1a", "end-of-file mark of DOS"]);
    refused(b"@a\rA\r+\rI\r\n@b\rA\r+\rI\r", &["line 5", "byte 0x0a", "mixes line ends"]);
    refused(b"@a\nA\n+\nI\n>b\nA\n", &["line 5", "'>'", "expected `@`"]);
}

#[test]
fn every_defect_of_fasta_has_its_message() {
    refused(b">a\nACGT1\n", &["test.fa, line 2", "'1'", "record \"a\"", "column 5", "expected a symbol"]);
    refused(b">a\nAC\0GT\n", &["line 2", "byte 0x00", "not a text file"]);
    refused(b">a\nAC\xc3\xa4\n", &["line 2", "byte 0xc3", "not plain ASCII"]);
    refused(b">a\nACGT>b\nAC\n", &["line 2", "'>'", "line end is missing"]);
    refused(b">a\nACGT\n; note\nAC\n", &["line 3", "';'", "comment lines"]);
    refused(b">a\0\nACGT\n", &["line 1", "not a text file"]);
    refused(b">a\nACGT\n >b\nACGT\n", &["line 3", "'>'"]);
}

#[test]
fn what_is_no_sequence_file_is_named() {
    for (text, hint) in [
        (&b"<!DOCTYPE html>"[..], "web page"),
        (b"; comment\n>a\nAC\n", "comment lines"),
        (b"# comment\n>a\nAC\n", "comment lines"),
        (b"##gff-version 3\n", "GFF"),
        (b"LOCUS       X\n", "GenBank"),
        (b"ACGTACGT\nACGT\n", "`>name`"),
        (b" >a\nACGT\n", "remove the white space"),
        (b"a\0b\nACGT\n", "not a text file"),
        (b"\x43\x27\x41\x1a\0\0", "2bit"),
        (b"chr1\t0\t100\n", "is this a sequence file?"),
        (b"\xff\xfe>\0a\0", "UTF-16"),
    ] {
        refused(text, &["line 1", hint]);
    }
}

#[test]
fn nothing_at_all_is_an_error() {
    for text in [&b""[..], b"\n", b" \t\r\n\r\n", b"\xef\xbb\xbf", b"\r\r"] {
        let error = read(text).expect_err("empty");
        assert!(matches!(error, Error::File { .. }), "{error}");
        assert!(error.to_string().contains("is empty"), "{error}");
    }
}

#[test]
fn a_folder_is_refused_with_a_remedy_and_a_missing_file_is_the_systems_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = SequenceReader::open(folder.path()).err().expect("refused").to_string();
    assert!(message.contains("is a directory") && message.ends_with("/*"), "{message}");
    let error = SequenceReader::open(&folder.path().join("missing.fa")).err().expect("refused");
    assert!(
        matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound),
        "{error}"
    );
}

#[test]
fn lines_are_counted_and_so_are_bytes() {
    let text = b"\n>a\nACGT\n\n>b\nAC\n";
    let mut reader = SequenceReader::from_reader("x", io::Cursor::new(text.to_vec())).expect("valid");
    let mut lines = Vec::new();
    while reader.next_event().expect("valid").is_some() {
        lines.push(reader.line());
    }
    assert_eq!(lines, [2, 3, 5, 6]);
    assert_eq!(reader.bytes_read(), text.len() as u64);
    assert_eq!(reader.path(), Path::new("x"));
}

#[test]
fn a_reader_may_move_to_another_thread() {
    fn moves<T: Send>() {}
    moves::<SequenceReader>();
}

#[test]
fn an_endless_title_is_an_error_and_a_long_one_is_not() {
    let endless = io::Cursor::new(b">".to_vec()).chain(io::repeat(b'a'));
    let message = read_from(endless).expect_err("refused").to_string();
    assert!(message.contains("line 1") && message.contains("title is longer than 1 MiB"), "{message}");
    let long = "n".repeat(TITLE_BYTES);
    let records = read(format!(">{long}\nACGT\n").as_bytes()).expect("valid");
    assert_eq!(records, [record(&long, "", "ACGT")]);
}

#[test]
fn lines_longer_than_the_buffer_pass_in_pieces() {
    let symbols: String = "ACGTTGCAACGNNA".chars().cycle().take(3 * BUFFER_BYTES + 17).collect();
    let quality = "I".repeat(symbols.len());
    let expected = [record("a", "", &symbols), record("b", "", "AC")];
    for end in ["\n", "\r\n"] {
        let fasta = format!(">a{end}{symbols}{end}>b{end}AC{end}");
        assert!(read(fasta.as_bytes()).expect("valid") == expected, "{end:?}");
        let fastq = format!("@a{end}{symbols}{end}+{end}{quality}{end}@b{end}AC{end}+{end}II{end}");
        assert!(read(fastq.as_bytes()).expect("valid") == expected, "{end:?}");
    }
}

#[test]
fn lines_of_one_width_are_joined_up_to_the_size_of_a_piece() {
    let text = |text: Vec<u8>| {
        let input = InputStream::new(Box::new(io::Cursor::new(text))).expect("valid");
        SequenceText::new("x".into(), TextSource::new(input)).expect("valid")
    };
    let mut few = text(b"ACGT\nACGT\nTTTT\nAC\n".to_vec());
    let part = few.part().expect("valid").expect("a line");
    assert_eq!(few.even_lines(), None); // no line was taken: none says how wide the next is
    few.take(&part);
    let (span, width) = few.even_lines().expect("two lines");
    assert_eq!((few.symbols(span), width, few.line), (&b"ACGTTTTT"[..], 4, 4));
    assert_eq!(few.even_lines(), None);

    let mut many = text(b"ACGTACGTAC\n".repeat(4000));
    let part = many.part().expect("valid").expect("a line");
    many.take(&part);
    let lengths: Vec<_> = std::iter::from_fn(|| many.even_lines()).map(|(span, _)| span.len()).collect();
    assert_eq!(lengths, [16_390, 16_390, 7_210]);
}

#[test]
fn the_line_end_is_found_behind_a_byte_order_mark_wherever_the_buffer_ends() {
    // 511 reads of a byte, then one that ends three bytes from the end of the buffer, where the line ends.
    let text = [&b"\xef\xbb\xbf>"[..], &b"n".repeat(1017), b"\rAC\r"].concat();
    let reads = [vec![1; 512], vec![510]].concat();
    let mut reader = SequenceReader::with_buffer("x", Dribble::new(text, reads), 1024).expect("valid");
    let mut lines = Vec::new();
    while reader.next_event().expect("valid").is_some() {
        lines.push(reader.line());
    }
    assert_eq!((lines.first(), lines.last()), (Some(&1), Some(&2)));
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Layout {
    fastq: bool,
    width: usize,
    line_end: &'static str,
    blank_lines: bool,
    last_end: bool,
}

fn layouts() -> impl Strategy<Value = Layout> {
    (any::<[bool; 3]>(), prop_oneof![1_usize..8, 50_usize..80, Just(1000)], 0_usize..3).prop_map(
        |([fastq, blank_lines, last_end], width, end)| Layout {
            fastq,
            width,
            line_end: ["\n", "\r\n", "\r"][end],
            blank_lines,
            last_end,
        },
    )
}

/// Titles have no backslash, which is escaped where it stands for a byte (`names`).
fn records() -> impl Strategy<Value = Vec<Record>> {
    let one = (r"[!-\[\]-~]{1,12}", r"([!-\[\]-~]{1,6} ?[!-\[\]-~]{1,6})?", "[ACGTNacgtn.*-]{0,300}");
    prop::collection::vec(
        one.prop_map(|(name, description, symbols)| record(&name, &description, &symbols)),
        1..8,
    )
}

fn write(records: &[Record], layout: &Layout) -> Vec<u8> {
    let end = layout.line_end;
    let wrapped = |text: &str| {
        let lines =
            text.as_bytes().chunks(layout.width).map(|line| String::from_utf8_lossy(line).into_owned() + end);
        if text.is_empty() { end.to_owned() } else { lines.collect::<String>() }
    };
    let mut text = String::new();
    for record in records {
        let mark = if layout.fastq { "@" } else { ">" };
        let title = format!("{} {}", record.name, record.description);
        text.extend([mark, title.trim_end(), end, &wrapped(&record.symbols)]);
        if layout.fastq {
            // Qualities of every kind, `@` and `+` first in a line among them.
            let quality: String = ('!'..='~').rev().cycle().skip(30).take(record.symbols.len()).collect();
            text.extend(["+", end, &wrapped(&quality)]);
        }
        if layout.blank_lines {
            text += end;
        }
    }
    if !layout.last_end {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    text.into_bytes()
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        records in records(),
        layout in layouts(),
        packing in 0..PACKINGS.len(),
        steps in prop::collection::vec(1_usize..200, 1..5),
    ) {
        let packed = pack(&write(&records, &layout), PACKINGS[packing]);
        prop_assert_eq!(read_from(Dribble::new(packed, steps)).expect("valid"), records);
    }

    #[test]
    fn any_bytes_at_all_never_panic_and_never_loop(
        head in prop::sample::select(vec![&b""[..], b">", b"@", b">a\n", b"@a\nA\n+\n", b"\x1f\x8b\x08\x04", b"\xfd7zXZ\0"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        steps in prop::collection::vec(1_usize..100, 1..4),
    ) {
        let _ = read_from(Dribble::new([head, &bytes].concat(), steps));
    }

    #[test]
    fn text_of_marks_and_line_ends_never_panics_and_reads_alike_in_any_portions(
        text in "[>@+ACGT\\r\\n ]{0,60}",
        steps in prop::collection::vec(1_usize..9, 1..4),
    ) {
        let whole = read(text.as_bytes());
        let dribbled = read_from(Dribble::new(text.into_bytes(), steps));
        prop_assert_eq!(whole.map_err(|error| error.to_string()), dribbled.map_err(|error| error.to_string()));
    }
}
