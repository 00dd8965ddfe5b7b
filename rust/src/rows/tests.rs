#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::alphabet::UnknownPolicy;
use crate::corpus;

mod batches;
mod judged;
mod turns;

/// A row as it should be: name, start, end, symbols.
type Row = (String, i64, i64, String);

const DNA: &[u8] = b"ACGT";

fn is_base(byte: u8) -> bool {
    DNA.contains(&byte)
}

struct Files {
    folder: TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn new(texts: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut paths = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            paths.push(folder.path().join(format!("{number}.fa")));
            std::fs::write(&paths[number], text).unwrap();
        }
        Self { folder, paths }
    }

    fn rows(&self, options: &RowOptions) -> Result<(Vec<Row>, RowReport)> {
        let mut rows = SequenceRows::open(self.paths.clone(), options, is_base)?;
        let (mut all, mut report) = (Vec::new(), RowReport::default());
        while let Some(batch) = rows.next_batch(&Monitor::default())? {
            assert!(batch.len() > 0);
            assert_eq!(batch.offsets.last(), Some(&batch.bytes.len()));
            assert_eq!(batch.name_offsets.last(), Some(&batch.names.len()));
            for row in 0..batch.len() {
                let symbols = String::from_utf8(batch.symbols(row).to_vec()).unwrap();
                all.push((batch.name(row).to_owned(), batch.starts[row], batch.ends[row], symbols));
            }
            report.add(rows.take_report());
        }
        report.add(rows.take_report());
        Ok((all, report))
    }

    fn error(&self, options: &RowOptions) -> String {
        let error = self.rows(options).unwrap_err().to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn row(name: &str, start: i64, symbols: &str) -> Row {
    (name.to_owned(), start, start + i64::try_from(symbols.len()).unwrap(), symbols.to_owned())
}

fn regions(texts: &[&str]) -> RowOptions {
    let mut regions = Regions::new();
    texts.iter().for_each(|text| regions.add_text(text).unwrap());
    RowOptions { regions: Some(regions), ..RowOptions::default() }
}

fn windows(window: u64, stride: Option<u64>) -> RowOptions {
    RowOptions { window: Some(window), stride, ..RowOptions::default() }
}

const TWO: &str = ">a first\nACGT\nACGTAC\n>b\n>c:1-5\nGGNNT\n";

#[test]
fn whole_records_are_rows_even_empty_ones() {
    let (rows, report) = Files::new(&[TWO, ">d\nacgt\n"]).rows(&RowOptions::default()).unwrap();
    let expected =
        [row("a", 0, "ACGTACGTAC"), row("b", 0, ""), row("c:1-5", 0, "GGNNT"), row("d", 0, "acgt")];
    assert_eq!(rows, expected);
    assert_eq!((report.files, report.records, report.rows, report.symbols), (2, 4, 4, 19));
    assert_eq!((report.unknown, report.lower_case), ([4, 2, 0, 0, 0, 0], 4));
}

#[test]
fn windows_overlap_or_leave_gaps_and_the_last_may_be_shorter() {
    let files = Files::new(&[">a\nACGTACGTAC\n"]);
    let cut = |window, stride| files.rows(&windows(window, stride)).unwrap().0;
    assert_eq!(cut(4, None), [row("a", 0, "ACGT"), row("a", 4, "ACGT"), row("a", 8, "AC")]);
    assert_eq!(cut(5, None), [row("a", 0, "ACGTA"), row("a", 5, "CGTAC")]);
    assert_eq!(cut(6, Some(2)), [row("a", 0, "ACGTAC"), row("a", 2, "GTACGT"), row("a", 4, "ACGTAC")]);
    assert_eq!(
        cut(4, Some(3)),
        [row("a", 0, "ACGT"), row("a", 3, "TACG"), row("a", 6, "GTAC")],
        "no window lies inside the one before"
    );
    assert_eq!(cut(2, Some(5)), [row("a", 0, "AC"), row("a", 5, "CG")]);
    assert_eq!(cut(100, None), [row("a", 0, "ACGTACGTAC")]);
    assert_eq!(cut(100, Some(3)), [row("a", 0, "ACGTACGTAC")]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let files = Files::new(&[TWO]);
    assert_eq!(files.error(&windows(0, None)), "window=0: a window has at least one symbol");
    assert_eq!(files.error(&windows(5, Some(0))), "stride=0: windows start at least one symbol apart");
    let options = RowOptions { stride: Some(5), ..RowOptions::default() };
    assert_eq!(files.error(&options), "stride=5: needs a window");
}

#[test]
fn regions_come_in_the_order_of_records_and_then_as_given() {
    let files = Files::new(&[TWO]);
    let (rows, report) = files.rows(&regions(&["{c:1-5}:2-4", "a:5-6", "a:1-3", "a:8", "a:2-9"])).unwrap();
    let expected = [
        row("a", 4, "AC"),
        row("a", 0, "ACG"),
        row("a", 7, "TAC"),
        row("a", 1, "CGTACGTA"),
        row("c:1-5", 1, "GNN"),
    ];
    assert_eq!(rows, expected);
    assert_eq!((report.records, report.rows, report.symbols, report.unknown[1]), (3, 5, 19, 2));
}

#[test]
fn regions_are_cut_into_windows() {
    let options = RowOptions { window: Some(3), stride: Some(2), ..regions(&["a:2-6", "a:1-3"]) };
    let (rows, _) = Files::new(&[TWO]).rows(&options).unwrap();
    assert_eq!(rows, [row("a", 1, "CGT"), row("a", 3, "TAC"), row("a", 0, "ACG")]);
}

#[test]
fn a_name_with_a_colon_is_found_as_it_is() {
    let (rows, _) = Files::new(&[TWO]).rows(&regions(&["c:1-5"])).unwrap();
    assert_eq!(rows, [row("c:1-5", 0, "GGNNT")]);
    let both = Files::new(&[">c\nACGTACGT\n>c:1-5\nACGT\n"]);
    assert!(both.error(&regions(&["c:1-5"])).contains("put braces around the name"));
    assert_eq!(both.rows(&regions(&["{c}:1-5"])).unwrap().0, [row("c", 0, "ACGTA")]);
}

#[test]
fn regions_that_do_not_exist_are_errors() {
    let files = Files::new(&[TWO]);
    for (region, says) in [
        ("a:1-11", r#"region="a:1-11": record "a" has 10 symbols only"#),
        ("a:11", r#"region="a:11": record "a" has 10 symbols only"#),
        ("b:1", ""),
        ("x:1-5", r#"region="x:1-5": no record of this name in the files; they have "a", "b", "c:1-5""#),
    ] {
        if says.is_empty() {
            files.rows(&regions(&[region])).unwrap();
        } else {
            assert_eq!(files.error(&regions(&[region])), says);
        }
    }
    for region in ["a:5x", "a:x", "q:5x"] {
        let no_range = format!("and {:?} is no position", &region[2..]);
        assert!(files.error(&regions(&[region])).contains(&no_range), "{region}");
    }
    assert!(!files.error(&regions(&["q:x"])).contains("is no position"), "it may be a name");
    let twice = Files::new(&[">a\nACGT\n>b\nA\n>a\nA\n"]);
    assert!(twice.error(&regions(&["a:1-2"])).starts_with("0.fa: has two records \"a\""));
    assert_eq!(twice.rows(&regions(&["b"])).unwrap().1.duplicate_names, 1);
}

#[test]
fn regions_come_from_bed_files_of_any_compression() {
    let files = Files::new(&[TWO]);
    let bed = files.folder.path().join("regions.bed.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"track name=x\r\n# c\na\t5\t7\tsecond\r\n\na\t0\t2").unwrap();
    std::fs::write(&bed, packed.finish().unwrap()).unwrap();
    let mut chosen = Regions::new();
    chosen.add_bed(&bed, std::fs::File::open(&bed).unwrap()).unwrap();
    let options = RowOptions { regions: Some(chosen), ..RowOptions::default() };
    assert_eq!(files.rows(&options).unwrap().0, [row("a", 5, "CG"), row("a", 0, "AC")]);
}

#[test]
fn mistakes_in_bed_files_are_shown_with_their_line() {
    let files = Files::new(&[TWO]);
    for (text, says) in [
        ("a\t0\t11\n", "x.bed, line 1: record \"a\" has 10 symbols only"),
        (
            "a\t0\t1\nq\t0\t1\n",
            "x.bed, line 2: no record \"q\" in the files; they have \"a\", \"b\", \"c:1-5\"",
        ),
        (
            "a\t0\t1\na\t3\t2\n",
            "x.bed, line 2: the region from 3 to 2 is reversed; the end must be above the start",
        ),
        ("#\n", "x.bed: there is no region in it"),
        ("a 1\n", "x.bed, line 1: a name, a start and an end are expected, separated by tabs or blanks"),
        (
            "a\t5\t5\na\t0\t1\n\na\t0\t1\tx\t0\t?\n",
            "x.bed, line 1: the region from 5 to 5 is empty; the end must be above the start; line 4: the strand, \
             column 6, is \"?\", where +, - or . is expected",
        ),
        (
            "z\t0\t1\nc:1-5\t0\t6\na\t0\t1\nq\t0\t1\na\t9\t11\nz\t0\t1\n",
            "x.bed, line 1: no record \"z\" in the files, as in 1 more lines; line 2: record \"c:1-5\" has 5 symbols \
             only; line 4: no record \"q\" in the files; line 5: record \"a\" has 10 symbols only; they have \"a\", \"b\", \
             \"c:1-5\"",
        ),
    ] {
        let bed = files.folder.path().join("x.bed");
        std::fs::write(&bed, text).unwrap();
        let mut chosen = Regions::new();
        let error = match chosen.add_bed(&bed, std::fs::File::open(&bed).unwrap()) {
            Err(error) => error.to_string(),
            Ok(()) => files.error(&RowOptions { regions: Some(chosen), ..RowOptions::default() }),
        };
        assert_eq!(error.replace(&format!("{}/", files.folder.path().display()), ""), says);
    }
}

fn of_bed(text: &str, options: &RowOptions) -> RowOptions {
    let blocks = options.regions.as_ref().is_some_and(Regions::with_blocks);
    let mut chosen = if blocks { Regions::of_blocks() } else { Regions::new() };
    chosen.add_bed(Path::new("x.bed"), std::io::Cursor::new(text.to_owned())).unwrap();
    RowOptions { regions: Some(chosen), ..options.clone() }
}

/// Numbers, names and strands of the rows of BED files.
fn labels(files: &Files, options: &RowOptions) -> Vec<(i64, String, bool)> {
    let mut rows = SequenceRows::open(files.paths.clone(), options, is_base).unwrap();
    let mut labels = Vec::new();
    while let Some(batch) = rows.next_batch(&Monitor::default()).unwrap() {
        let bed = batch.bed.as_ref().unwrap();
        for row in 0..batch.len() {
            let name = &bed.names[bed.name_offsets[row]..bed.name_offsets[row + 1]];
            labels.push((bed.rows[row], name.to_owned(), bed.is_reverse[row]));
        }
    }
    labels
}

const GENES: &str = "\u{feff}#\nb\t0\t2\tlast\t0\t-\na\t4\t7\tone\t0\t-\na\t0\t4\ttwo\t0\t+\na\t0\t4\n";

#[test]
fn rows_of_bed_files_keep_their_strand_name_and_number() {
    let files = Files::new(&[">a\nACGTNAAC\n>b\nAC\n"]);
    let options = of_bed(GENES, &RowOptions::default());
    let (rows, report) = files.rows(&options).unwrap();
    assert_eq!(rows, [row("a", 4, "TTN"), row("a", 0, "ACGT"), row("a", 0, "ACGT"), row("b", 0, "GT")]);
    assert_eq!(report.unknown, [0, 1, 0, 0, 0, 0]);
    let expected = [(1, "one", true), (2, "two", false), (3, "", false), (0, "last", true)];
    assert_eq!(labels(&files, &options), expected.map(|(row, name, side)| (row, name.to_owned(), side)));
    let other = RowOptions { reverse_complement: true, window: Some(2), ..options };
    let expected = [
        row("a", 4, "NA"),
        row("a", 6, "A"),
        row("a", 0, "GT"),
        row("a", 2, "AC"),
        row("a", 0, "GT"),
        row("a", 2, "AC"),
        row("b", 0, "AC"),
    ];
    assert_eq!(files.rows(&other).unwrap().0, expected);
    assert_eq!(labels(&files, &other)[6], (0, "last".to_owned(), false));
}

#[test]
fn rows_come_in_the_order_of_bed_files_on_request() {
    let files = Files::new(&[">a\nACGTNAAC\n", ">c\nA\n>b\nAC\n"]);
    let options = RowOptions { order: RowOrder::Bed, ..of_bed(GENES, &RowOptions::default()) };
    let (rows, report) = files.rows(&options).unwrap();
    assert_eq!(rows, [row("b", 0, "GT"), row("a", 4, "TTN"), row("a", 0, "ACGT"), row("a", 0, "ACGT")]);
    assert_eq!((report.files, report.records, report.rows, report.symbols), (2, 3, 4, 13));
    let refuse = RowOptions { unknown: UnknownPolicy::Refuse, ..options.clone() };
    assert!(files.error(&refuse).starts_with(r#"0.fa: record "a", position 4: 'N' is not"#));
    let short = RowOptions { order: RowOrder::Bed, ..of_bed("b\t0\t3\na\t0\t9\n", &RowOptions::default()) };
    let says = "x.bed, line 1: record \"b\" has 2 symbols only; line 2: record \"a\" has 8 symbols only";
    assert_eq!(files.error(&short), says);
    let twice = Files::new(&[">a\nACGTNAAC\n", ">a\nACGTNAAC\n>b\nAC\n"]);
    assert!(twice.error(&options).contains("more than one file has a record \"a\""));
    for options in [RowOptions { order: RowOrder::Bed, ..RowOptions::default() }, regions(&["a:1-2"])] {
        let options = RowOptions { order: RowOrder::Bed, ..options };
        assert!(files.error(&options).starts_with("bed_order=true: is the order of the rows of BED files"));
    }
}

#[test]
fn blocks_are_joined() {
    let files = Files::new(&[">a\nAACNGGTTCC\n"]);
    let blocks = RowOptions { regions: Some(Regions::of_blocks()), ..RowOptions::default() };
    let bed = "a\t1\t9\tx\t0\t-\t1\t1\t0\t3\t2,1,3\t0,3,5\na\t0\t2\ty\t0\t+\t0\t0\t0\t1\t2,\t0,\n";
    for (order, width) in [(RowOrder::Files, 100), (RowOrder::Bed, 100), (RowOrder::Files, 1)] {
        let options = RowOptions { order, batch_symbols: width, ..of_bed(bed, &blocks) };
        let rows = files.rows(&options).unwrap().0;
        let place = |symbols: &str, start, end| ("a".to_owned(), start, end, symbols.to_owned());
        assert_eq!(rows, [place("GAACGT", 1, 9), place("AA", 0, 2)]);
        let options = RowOptions { window: Some(4), stride: Some(3), ..options };
        let rows = files.rows(&options).unwrap().0;
        assert_eq!(rows, [place("ACGT", 1, 7), place("GAA", 6, 9), place("AA", 0, 2)]);
    }
    let mut rows = SequenceRows::open(files.paths.clone(), &of_bed(bed, &blocks), is_base).unwrap();
    let batch = rows.next_batch(&Monitor::default()).unwrap().unwrap();
    let found = batch.bed.unwrap().blocks.unwrap();
    assert_eq!(
        (found.offsets, found.starts, found.sizes),
        (vec![0, 3, 4], vec![0, 3, 5, 0], vec![2, 1, 3, 2])
    );
    let windows = RowOptions { window: Some(4), stride: Some(3), ..of_bed(bed, &blocks) };
    let mut rows = SequenceRows::open(files.paths.clone(), &windows, is_base).unwrap();
    let found = rows.next_batch(&Monitor::default()).unwrap().unwrap().bed.unwrap().blocks.unwrap();
    assert_eq!((found.offsets, found.starts), (vec![0, 3, 4, 5], vec![0, 3, 5, 0, 0]), "from each window");
    assert_eq!(found.sizes, [2, 1, 1, 3, 2]);
}

#[test]
fn rows_are_split_at_unknown_symbols_or_these_are_errors() {
    let files = Files::new(&[">a\nNNACNGTaNN\n>b\nNN\n>c\n\n"]);
    let options = RowOptions { unknown: UnknownPolicy::Split, ..RowOptions::default() };
    let (rows, report) = files.rows(&options).unwrap();
    assert_eq!(rows, [row("a", 2, "AC"), row("a", 5, "GT")]);
    assert_eq!((report.rows, report.symbols, report.unknown), (2, 12, [1, 7, 0, 0, 0, 0]));
    let options = RowOptions { unknown: UnknownPolicy::Refuse, window: Some(3), ..regions(&["a:3-10"]) };
    let error = files.error(&options);
    assert!(
        error.starts_with(r#"0.fa, line 2: record "a", position 4: 'N' is not in the vocabulary"#),
        "{error}"
    );
}

#[test]
fn what_is_no_nucleotide_is_named_with_its_place_in_the_file() {
    let text = format!(">a\n{}EC{}\n", "ACGT".repeat(5), "A".repeat(30));
    let files = Files::new(&[&text]);
    let forward = RowOptions::default();
    let reverse = RowOptions { reverse_complement: true, ..RowOptions::default() };
    let refuse = RowOptions { unknown: UnknownPolicy::Refuse, ..reverse.clone() };
    let part = |options: &RowOptions| RowOptions { regions: regions(&["a:3-40"]).regions, ..options.clone() };
    let bed = |strand: char| of_bed(&format!("a\t4\t44\tone\t0\t{strand}\n"), &forward);
    let cut = |options: &RowOptions| RowOptions { window: Some(7), ..options.clone() };
    let with_blocks = RowOptions { regions: Some(Regions::of_blocks()), ..RowOptions::default() };
    let blocks = of_bed("a\t4\t44\tone\t0\t-\t4\t44\t0\t2\t6,30\t0,10\n", &with_blocks);
    let all = [&blocks, &forward, &reverse, &refuse, &part(&forward), &part(&reverse), &bed('+'), &bed('-')];
    for options in all {
        for options in [options.clone(), cut(options)] {
            let error = files.error(&options);
            assert!(error.contains("record \"a\", position 20") && error.contains("'E'"), "{error}");
        }
    }
}

#[test]
fn the_other_strand_keeps_its_place() {
    let files = Files::new(&[">a\nAACNgtR\n"]);
    let options = RowOptions { reverse_complement: true, ..windows(4, Some(3)) };
    let (rows, _) = files.rows(&options).unwrap();
    assert_eq!(rows, [row("a", 0, "NGTT"), row("a", 3, "YacN")]);
    let options = RowOptions { upper_case: true, unknown: UnknownPolicy::Split, ..options };
    let (rows, report) = files.rows(&options).unwrap();
    assert_eq!(rows, [row("a", 0, "GTT"), row("a", 4, "AC")]);
    assert_eq!((report.unknown, report.lower_case), ([0, 2, 1, 0, 0, 0], 0));
}

#[test]
fn digests_are_those_of_whole_records() {
    let options = RowOptions { digests: true, window: Some(1), ..regions(&["a:1-1"]) };
    let (_, report) = Files::new(&[">a\nAC\ngt\n>b\n"]).rows(&options).unwrap();
    let found: Vec<_> =
        report.digests.iter().map(|of| (of.record.as_str(), of.length, of.digest.as_str())).collect();
    assert_eq!(
        found,
        [("a", 4, "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"), ("b", 0, "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc")]
    );
}

#[test]
fn packed_corpora_are_refused() {
    let files = Files::new(&[TWO]);
    let packed = files.folder.path().join("packed");
    let corpus = corpus::from_words(["ACGT"]).unwrap();
    corpus::save(&[corpus], &packed, &Monitor::default()).unwrap();
    let error = SequenceRows::open(vec![packed], &RowOptions::default(), is_base).err().unwrap();
    assert!(error.to_string().contains("packed corpus"));
}

#[test]
fn batches_hold_what_they_may() {
    let text = format!(">a\n{}\n>b\n{}\n>c\n{}\n", "ACGT".repeat(10), "AC".repeat(5000), "G".repeat(10));
    let files = Files::new(&[&text]);
    let sizes = |options: &RowOptions| {
        let mut rows = SequenceRows::open(files.paths.clone(), options, is_base).unwrap();
        let monitor = Monitor::default();
        std::iter::from_fn(|| rows.next_batch(&monitor).unwrap().map(|batch| batch.bytes.len()))
            .collect::<Vec<_>>()
    };
    let options = RowOptions { batch_symbols: 500, ..RowOptions::default() };
    assert_eq!(sizes(&options), [40, 10_000, 10], "a long record stands alone");
    let options = RowOptions { window: Some(100), ..options };
    assert!(sizes(&options).iter().all(|&size| size <= 500));
}

#[test]
fn reading_stops_when_asked_to() {
    let monitor = Monitor::default();
    let mut rows = SequenceRows::open(Files::new(&[TWO]).paths, &RowOptions::default(), is_base).unwrap();
    monitor.cancel();
    assert!(rows.next_batch(&monitor).unwrap_err().is_interrupt());
    assert!(rows.next_batch(&monitor).unwrap().is_none(), "after an error it is at its end");
}

/// The slow one: rows of a text that is all in memory.
fn naive(name: &str, text: &str, options: &RowOptions, places: &[(usize, usize)]) -> Vec<Row> {
    let mut rows = Vec::new();
    for &(from, to) in places {
        let window = options.window.map_or(usize::MAX, |window| usize::try_from(window).unwrap());
        let stride = options.stride.map_or(window, |stride| usize::try_from(stride).unwrap());
        let mut at = from;
        let mut reached = from == to && options.window.is_some();
        while !reached && at <= to {
            let end = to.min(at.saturating_add(window));
            reached = end == to;
            rows.push((at, end));
            at = at.saturating_add(stride);
            reached |= at >= to;
        }
    }
    let mut split = Vec::new();
    for (from, to) in rows {
        if options.unknown != UnknownPolicy::Split {
            split.push((from, to));
            continue;
        }
        let mut start = from;
        for at in from..=to {
            if at == to || !is_base(text.as_bytes()[at]) {
                if at > start {
                    split.push((start, at));
                }
                start = at + 1;
            }
        }
    }
    split.into_iter().map(|(from, to)| row(name, i64::try_from(from).unwrap(), &text[from..to])).collect()
}

proptest! {
    #[test]
    fn rows_are_those_of_the_slow_way(
        text in "[ACGTN]{0,60}",
        window in proptest::option::of(1_u64..20),
        stride in 1_u64..25,
        split in any::<bool>(),
        batch_symbols in 1_usize..200,
        width in 1_usize..30,
        places in proptest::option::of(proptest::collection::vec((0_usize..60, 1_usize..30), 1..6)),
    ) {
        let lines: Vec<&str> =
            text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let files = Files::new(&[&format!(">a\n{}\n", lines.join("\n"))]);
        let fit = |(from, length): (usize, usize)| (from, (from + length).min(text.len()));
        let places: Option<Vec<_>> =
            places.map(|places| places.into_iter().map(fit).filter(|(from, to)| from < to).collect());
        let places = places.filter(|places: &Vec<_>| !places.is_empty());
        let options = RowOptions {
            window,
            stride: window.map(|_| stride),
            unknown: if split { UnknownPolicy::Split } else { UnknownPolicy::Token },
            batch_symbols,
            regions: places.as_ref().map(|places| {
                let mut regions = Regions::new();
                for (from, to) in places {
                    regions.add_text(&format!("a:{}-{to}", from + 1)).unwrap();
                }
                regions
            }),
            need_bases: false,
            ..RowOptions::default()
        };
        if text.is_empty() {
            prop_assert!(files.rows(&options).is_err());
            return Ok(());
        }
        let expected = naive("a", &text, &options, &places.unwrap_or_else(|| vec![(0, text.len())]));
        prop_assert_eq!(files.rows(&options).unwrap().0, expected);
    }
}
