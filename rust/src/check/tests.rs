#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::io;

use proptest::prelude::*;

use super::records::{LengthHistogram, Name, Names};
use super::symbols::SymbolCounter;
use super::*;
use crate::corpus::CorpusBuilder;
use crate::io::decompress::tests::{PACKINGS, pack};
use crate::io::fasta::tests::Dribble;
use crate::io::fasta::{Event, SequenceReader};
use crate::verdict::MAX_UNKNOWN;

fn check_in(bytes: Vec<u8>, steps: Vec<usize>, limit: usize) -> CheckReport {
    let monitor = Monitor::default();
    let path = Path::new("test.fa");
    let options = CheckOptions { limit, allow_unknown: MAX_UNKNOWN };
    check_source(path, Ok(Box::new(Dribble::new(bytes, steps))), options, &monitor).expect("not cancelled")
}

fn check(text: impl AsRef<[u8]>) -> CheckReport {
    check_in(text.as_ref().to_vec(), vec![1 << 20], 100)
}

/// Why the reader refuses, and why training does.
fn refusals(bytes: &[u8]) -> [Option<String>; 2] {
    let read = || -> Result<Option<String>> {
        let mut reader = SequenceReader::from_reader("test.fa", io::Cursor::new(bytes.to_vec()))?;
        let mut builder = CorpusBuilder::new();
        let (mut refused, mut num_symbols) = (None, 0);
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Record { name, .. } => builder.record(name),
                Event::Symbols(symbols) => {
                    num_symbols += symbols.len();
                    refused = refused.or(builder.symbols(symbols).err().map(|error| error.to_string()));
                }
            }
        }
        builder.end_record();
        let tally = builder.take_words().contents().tally();
        let refused = refused.or((num_symbols == 0).then(|| "no symbol".to_owned()));
        Ok(refused.or(tally.describe().filter(|_| tally.is_refused(MAX_UNKNOWN))))
    };
    match read() {
        Err(error) => [Some(error.to_string()), Some(error.to_string())],
        Ok(training) => [None, training],
    }
}

/// Checks that there are errors exactly if the file is refused.
fn agrees(bytes: &[u8], report: &CheckReport) {
    let [reader, training] = refusals(bytes);
    let of_training = [DefectKind::Protein, DefectKind::NoSymbols, DefectKind::ManyUnknown];
    let is_error = |kind: &DefectKind| kind.severity() == Severity::Error;
    let errors: Vec<DefectKind> = report.counts.iter().map(|&(kind, _)| kind).filter(is_error).collect();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    assert_eq!(
        !errors.is_empty(),
        training.is_some(),
        "{text:?}: {errors:?}, but training says {training:?}"
    );
    let of_reader = errors.iter().any(|kind| !of_training.contains(kind));
    assert_eq!(of_reader, reader.is_some(), "{text:?}: {errors:?}, but the reader says {reader:?}");
}

/// A defect as `line:column code` or `line code`.
fn brief(defect: &FileDefect) -> String {
    let code = defect.kind.code();
    match defect.place {
        None => code.to_owned(),
        Some(TextPosition { line, column: None, .. }) => format!("{line} {code}"),
        Some(TextPosition { line, column: Some(column), .. }) => format!("{line}:{column} {code}"),
    }
}

/// Checks what is found in `text`, whatever the reads; and that the reader agrees.
fn finds(text: impl AsRef<[u8]>, expected: &[&str]) -> CheckReport {
    let text = text.as_ref();
    let report = check(text);
    let found: Vec<String> = report.defects.iter().map(brief).collect();
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(text));
    for step in [1, 3] {
        assert_eq!(check_in(text.to_vec(), vec![step], 100), report);
    }
    agrees(text, &report);
    report
}

#[test]
fn clean_files_have_nothing_to_report_but_what_is_in_them() {
    let report = finds(">a x\nACGTN\nacg\n>b\nRYGG\n", &[]);
    assert_eq!((report.format, report.compression), (Some(SequenceFormat::Fasta), "plain"));
    assert_eq!((report.records, report.lines, report.text_bytes, report.bytes), (2, 5, 23, 23));
    let counts = report.composition;
    assert_eq!((counts.bases, counts.any_base, counts.ambiguity, counts.lower_case), ([2, 2, 4, 1], 1, 2, 3));
    assert_eq!(report.lengths, LengthSummary { shortest: 4, longest: 8, median: 4, n50: 8 });
    assert_eq!(counts.gc(), Some(6.0 / 9.0));
    let report = finds("@a 1\nACGT\n+\n@II+\n@b\nAC\nGT\n+b\n@@\n@@\n@c\n\n+\n", &["11 empty-record"]);
    assert_eq!((report.format, report.records), (Some(SequenceFormat::Fastq), 3));
}

#[test]
fn every_bad_byte_of_a_sequence_is_named_with_its_place() {
    let report = finds(
        ">a\nACGT\nAC1G2T\nAC\0\x01GT\n>b\nAC\rGT\n>c\nAC\u{e4}GT~!\nACG\n",
        &[
            "3:3 digit",
            "4:3 nul",
            "4:4 not-a-letter",
            "6:3 stray-line-end",
            "8:3 not-ascii",
            "8:7 not-a-letter",
        ],
    );
    let first = &report.defects[0];
    assert_eq!(first.what, "found '1' in the sequence, and 1 more of the kind in this line");
    assert_eq!(first.record.as_deref(), Some("a"));
    assert_eq!(first.place.expect("a place").offset, 10);
    assert_eq!(report.records, 3);
}

#[test]
fn lines_of_one_width_are_looked_at_one_by_one_if_need_be() {
    let line = "ACGTTGCAAC\n";
    let text = format!(">a\n{}ACGUTGLAAC\n{}ACGTTGCAAX\nAC\n", line.repeat(9), line.repeat(9));
    let report = finds(&text, &["11:4 rna", "11:7 protein", "21:10 protein"]);
    let offsets: Vec<u64> =
        report.defects.iter().filter_map(|defect| defect.place).map(|place| place.offset).collect();
    assert_eq!(offsets.map_byte(&text), "ULX");
    assert_eq!(report.composition.total(), 202);
}

/// The bytes of a text at some offsets.
trait At {
    fn map_byte(&self, text: &str) -> String;
}

impl At for Vec<u64> {
    fn map_byte(&self, text: &str) -> String {
        self.iter().map(|&offset| char::from(text.as_bytes()[usize::try_from(offset).unwrap()])).collect()
    }
}

#[test]
fn fasta_goes_on_after_every_defect() {
    finds(">a\nACGT>b\nAC\n", &["2:5 missing-line-end"]);
    finds(">a\nAC\n >b x\nAC\n", &["3 space-before-title"]);
    finds("  >b x\nAC\n", &["1 space-before-title"]);
    finds(">a\n; note 1\nAC\n# x\n>b\nAC\n", &["2 comment-line", "4 comment-line"]);
    finds("; note\n>a\nAC\n", &["1 comment-line"]);
    finds("My genome\nsecond line\n>a\nAC\n", &["1:1 text-before-record"]);
    finds(">a\0b\nAC\n", &["1:3 nul-in-title"]);
    finds(">\nAC\n>a\n>a\nAC\n", &["1 empty-name", "3 empty-record", "4 duplicate-name"]);
    finds(">a\n>b\n", &["1 empty-record", "2 empty-record", "no-letters"]);
    finds(">a\nAC\r\nGT\n", &["2 mixed-line-ends"]);
    finds(">a\r\nAC\r\nGT\r\n", &[]);
    finds(">a\rAC\rGT\r", &[]);
    finds(">a\rAC\nGT\r", &["2:3 stray-line-end"]);
    finds(">a\n\nAC\n\n \nGT\n\n>b\nAC\n\n", &["2 blank-line", "4 blank-line"]);
    finds(">a\nAC GT\tA\n", &["2:3 space-in-sequence"]);
    finds(">a\nACGU\nuu\n", &["2:4 rna", "3:1 rna"]);
    finds(">a\nAC-GT.\n", &["2:3 gap"]);
    finds(">a\nAC\nACG\n>b\nACG\nAC\nA\n", &["3 uneven-lines", "7 uneven-lines"]);
    finds(">a\nAC", &["2:3 no-final-line-end"]);
    finds("\u{feff}>a\nAC\n", &["1 byte-order-mark"]);
    finds(format!(">a {}\nAC\n", "x".repeat(20_000)), &["1 long-title"]);
    finds(format!(">{}\nAC\n>b\nAC\n", "x".repeat(1 << 21)), &["1 endless-title"]);
}

#[test]
fn what_is_no_sequence_file_is_named_once_and_left() {
    for (text, fix) in [
        (&b"<!DOCTYPE html>\n<a href='x'>\n"[..], "web page"),
        (b"<?xml version='1.0'?>\n>a\nAC\n", "XML"),
        (b"{\"error\": \"404\"}\n", "JSON"),
        (b"[1, 2]\n", "JSON"),
        (b"LOCUS       X\n", "GenBank"),
        (b"ID   X\n", "EMBL"),
        (b"##fileformat=VCFv4.2\n#CHROM\n", "VCF"),
        (b"##gff-version 3\n", "GFF"),
        (b"BAM\x01\0\0", "samtools fasta"),
        (b"\x43\x27\x41\x1a\0\0", "twoBitToFa"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"a\0b\n>a\nACGT\n", "not a text file"),
        (b"GENOTOK\x1a\0\0\0", "packed corpus"),
        (b"ACGTACGT\nACGT\n", "`>name`"),
        (b"chr1\t0\t100\n", "is this a sequence file?"),
    ] {
        let report = finds(text, &["1:1 not-sequences"]);
        assert!(report.defects[0].fix.contains(fix), "{:?}", report.defects[0]);
        assert!(!report.is_complete && report.format.is_none());
    }
    let report = finds("@HD\tVN:1.6\n@SQ\tSN:1\nr1\t0\t1\t5\n", &["not-sequences"]);
    assert!(report.defects[0].fix.contains("SAM"));
    finds("# a\n# b\nc\n", &["1 comment-line", "1:1 not-sequences", "2 comment-line"]);
    finds(b"\xff\xfe>\0a\0", &["utf-16"]);
    for text in ["", "\n", " \r\n ", "\u{feff}"] {
        assert_eq!(check(text).count(Severity::Error), 1);
        agrees(text.as_bytes(), &check(text));
    }
}

#[test]
fn fastq_finds_the_next_record_after_every_defect() {
    let good = "@z\nGGG\n+\nIII\n";
    finds(format!("@a\nACGT\n+\nII\n{good}{good}"), &["5 quality-length", "9 duplicate-name"]);
    finds(format!("@a\nACGTACGT\n+\nIIII\n{good}"), &["5 quality-length"]);
    finds(format!("@a\nACGTACGTACGT\n+\nII\n{good}"), &["9:1 cut-record"]); // it could be wrapped
    finds(format!("@a\nACGT\n+\nIIIII\n{good}"), &["4 quality-length"]);
    finds(format!("@a\nACGT\n+\n\n{good}"), &["4 quality-length"]);
    finds(format!("@a\nACGT\n+\n{good}"), &["4 quality-length"]);
    finds(format!("@a\nACGT\n{good}"), &["3 missing-plus"]);
    finds(format!("@a\nACGT\n+b\nIIII\n{good}"), &["3 other-title"]);
    finds(format!("@a\nACGT\n+\nII I\n{good}"), &["4:3 quality-byte"]);
    finds(format!("@a\nAC GT\n+\nIIIII\n{good}"), &["2:3 space-in-read"]);
    finds(format!("@a\nAC GT\n+\nIIII\n{good}"), &["2:3 space-in-read"]);
    finds(format!("@a\nACGT\n+\nIIII\nrest\n{good}"), &["5:1 missing-title"]);
    finds(format!("@a\nACGT\n+\nIIII\n @b\nAC\n+\nII\n{good}"), &["5 space-before-title"]);
    finds(format!("@a\nACGT\n+\nIIII\n\n\n{good}\n"), &["5 blank-line"]);
    finds(format!("{good}@a\nACGT\n+\nII"), &["8:3 cut-record", "8:3 no-final-line-end"]);
    finds(format!("{good}@a\nACGT\n"), &["7:1 cut-record"]);
    finds(format!("{good}@a\nACGT"), &["6:5 cut-record", "6:5 no-final-line-end"]);
    finds(format!("{good}>a\nACGT\n{good}"), &["5:1 missing-title", "7 duplicate-name"]);
    for defects in ["@a\nACGT\n+\nII\n", "@a\nACGT\n", "@a\nACGT\n+\nIIIII\n"] {
        let report = check(format!("{}{good}", defects.repeat(3)));
        assert_eq!((report.records, report.count(Severity::Error)), (4, 3), "{defects:?}: {report:?}");
    }
}

#[test]
fn mates_may_share_a_name_and_others_may_not() {
    finds("@a 1:N:0\nA\n+\nI\n@a 2:N:0\nA\n+\nI\n", &[]);
    finds("@a 1:N:0\nA\n+\nI\n@a 1:N:0\nA\n+\nI\n", &["5 duplicate-name"]);
    let mut names = Names::default();
    assert_eq!([names.add(b"a", b"", 1), names.add(b"a", b"x", 7)], [Name::New, Name::Repeated(1)]);
}

#[test]
fn lengths_are_summed_up() {
    let mut lengths = LengthHistogram::default();
    for length in [5, 5, 1, 9, 5, 100] {
        lengths.add(length);
    }
    assert_eq!(lengths.summary(), LengthSummary { shortest: 1, longest: 100, median: 5, n50: 100 });
    assert_eq!(LengthHistogram::default().summary(), LengthSummary::default());
}

#[test]
fn symbols_are_counted_alike_by_block_and_one_by_one() {
    for length in [0, 1, 31, 32, 33, 8159, 8160, 8161, 8192, 50_000] {
        let symbols: Vec<u8> = b"ACGTTNacgtnGATTACA".iter().copied().cycle().take(length).collect();
        let (mut blocks, mut single) = (SymbolCounter::default(), SymbolCounter::default());
        assert!(blocks.add_plain(&symbols));
        assert!(!blocks.add_plain(&[&symbols[..], b"R"].concat()));
        assert!(!blocks.add_plain(b"a c"));
        assert_eq!(single.inspect(&symbols, false), (length as u64, Vec::new()));
        assert_eq!(blocks.total(), length as u64);
        assert_eq!(blocks.finish(), single.finish());
    }
}

#[test]
fn only_the_first_defects_of_a_kind_are_kept_and_all_are_counted() {
    let text = format!(">a\n{}", "AC1\nA~C\n".repeat(1000));
    let report = check_in(text.into_bytes(), vec![1 << 20], 3);
    assert_eq!(report.defects.len(), 6);
    assert_eq!(report.counts, [(DefectKind::Digit, 1000), (DefectKind::NotASymbol, 1000)]);
}

#[test]
fn damaged_compression_is_told_after_what_could_be_read() {
    let text = format!(">a\nAC1T\n{}", "ACGTTGCA\n".repeat(100_000));
    for packing in PACKINGS {
        let packed = pack(text.as_bytes(), packing);
        if packed == text.as_bytes() {
            continue;
        }
        let cut = &packed[..packed.len() * 2 / 3];
        let report = check(cut);
        assert_eq!(
            report.counts.iter().filter(|(kind, _)| *kind == DefectKind::Compression).count(),
            1,
            "{report:?}"
        );
        assert!(!report.is_complete);
        agrees(cut, &report);
        let report = check([&packed[..], b"garbage"].concat());
        assert_eq!(report.counts, [(DefectKind::Compression, 1), (DefectKind::Digit, 1)]);
        assert_eq!(report.records, 1);
    }
}

#[test]
fn a_missing_file_is_a_defect_of_that_file_and_a_cancelled_check_ends() {
    let paths = [PathBuf::from("missing.fa")];
    let monitor = Monitor::default();
    let reports = check_files(&paths, CheckOptions { limit: 5, allow_unknown: MAX_UNKNOWN }, &monitor)
        .expect("a report");
    assert_eq!(reports[0].defects[0].kind, DefectKind::Unreadable);
    monitor.cancel();
    assert!(
        check_files(&paths, CheckOptions { limit: 5, allow_unknown: MAX_UNKNOWN }, &monitor)
            .expect_err("cancelled")
            .is_interrupt()
    );
}

#[test]
fn codes_and_texts_are_there_for_every_kind() {
    let mut codes: Vec<&str> = DefectKind::ALL.iter().map(|kind| kind.code()).collect();
    assert!(DefectKind::ALL.is_sorted_by_key(|kind| kind.severity()));
    assert!(
        DefectKind::ALL.iter().enumerate().all(|(at, &kind)| kind as usize == at && !kind.fix().is_empty())
    );
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), DefectKind::ALL.len());
}

/// Files near enough to right ones that all states are come to.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let fasta = Just(">a x\nACGT\nACGT\nAC\n>b\nNNNN\n\nacgt\n>c\n".to_owned());
    let fastq = Just("@a x\nACGT\n+\nIIII\n@b\nAC\nGT\n+b\n@I\n@+\n@c\n\n+\n\n@d\nA\n+\n@\n".to_owned());
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let change =
        (0_usize..80, 0_usize..4, prop::sample::select(b">@+ACG1I \t\r\n\0;#-*E.~\xc3\x0c".to_vec()));
    (prop_oneof![fasta, fastq], end, prop::collection::vec(change, 0..4)).prop_map(|(text, end, changes)| {
        let mut bytes = text.replace('\n', end).into_bytes();
        for (at, what, byte) in changes {
            let at = at.min(bytes.len().saturating_sub(1));
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(10)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn there_is_an_error_exactly_if_the_file_is_refused(
        text in nearly_right(),
        steps in prop::collection::vec(1_usize..20, 1..4),
    ) {
        agrees(&text, &check(&text));
        prop_assert_eq!(check_in(text.clone(), steps, 100), check(&text));
    }

    #[test]
    fn text_of_marks_symbols_and_line_ends_is_judged_as_the_reader_does(text in "[>@+ACEI1\\r\\n ]{0,60}") {
        agrees(text.as_bytes(), &check(&text));
    }

    #[test]
    fn any_bytes_are_judged_as_the_reader_does(
        head in prop::sample::select(vec![&b""[..], b">", b"@", b">a\n", b"@a\nA\n+\n", b"\x1f\x8b\x08\x04", b"\xfd7zXZ\0"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let text = [head, &bytes].concat();
        agrees(&text, &check(&text));
    }
}
