//! How rows are grouped in batches, how long ones are cut into parts, and what the monitor is told.

use super::*;

/// The batches of files.
fn batches(mut rows: SequenceRows) -> Vec<RowBatch> {
    let monitor = Monitor::default();
    std::iter::from_fn(|| rows.next_batch(&monitor).unwrap()).collect()
}

#[test]
fn a_turn_is_as_small_as_the_batches_that_are_asked_for_and_large_without() {
    // 5 MB: less than a turn of four threads, more than a batch.
    let record = format!(">r\n{}\n", "ACGT".repeat(250));
    let files = Files::new(&[&record.repeat(5000)]);
    let sizes = |batch_symbols| {
        let options = RowOptions { batch_symbols, ..RowOptions::default() };
        let rows = SequenceRows::open(files.paths.clone(), &options, is_base).unwrap();
        batches(rows).iter().map(|batch| batch.bytes.len()).collect::<Vec<_>>()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    pool.install(|| {
        let chunk = 256 << 10;
        let small = sizes(100_000);
        assert!(small.iter().all(|&size| size < 100_000 + chunk), "{small:?}");
        assert_eq!(sizes(BATCH_SYMBOLS), [4_999_000, 1000], "all but the open row");
    });
}

/// Rows of one record of `length` symbols, cut by `find` where they are longer than two batches of 10,000 symbols. The first
/// turn has all that the reader has in its buffer, 256 KiB, each later one 20,000 symbols.
fn long_rows(
    length: usize,
    reverse_complement: bool,
    find: impl Fn(&[u8]) -> Option<usize> + Send + 'static,
) -> (Files, SequenceRows) {
    let files = Files::new(&[&format!(">a\n{}", "ACGTACGTAC\n".repeat(length / 10))]);
    let options = RowOptions { batch_symbols: 10_000, reverse_complement, ..RowOptions::default() };
    let mut rows = SequenceRows::open(files.paths.clone(), &options, is_base).unwrap();
    rows.set_turns(Some([11_000, 22_000, 50]));
    rows.cut_long_rows(find);
    (files, rows)
}

#[test]
fn a_long_row_comes_in_parts_that_are_cut_where_it_may_be() {
    let (_files, rows) = long_rows(400_000, false, |open| Some(open.len() - 7));
    let parts = batches(rows);
    assert!(parts.len() > 3);
    let (mut symbols, mut end) = (Vec::new(), 0);
    for (number, batch) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        assert_eq!((batch.len(), batch.parts), (1, [number > 0, !is_last]));
        assert_eq!((batch.name(0), batch.starts[0]), ("a", end), "a part starts where the one before ends");
        assert!(is_last || batch.bytes.len() > 19_000);
        end = batch.ends[0];
        symbols.extend_from_slice(batch.symbols(0));
    }
    assert_eq!(end, 400_000);
    assert!(symbols == b"ACGTACGTAC".repeat(40_000));
}

#[test]
fn a_row_is_cut_between_symbols_only_and_not_on_the_other_strand() {
    type Find = fn(&[u8]) -> Option<usize>;
    let nowhere: [Find; 3] = [|_| None, |_| Some(0), |open| Some(open.len())];
    let half: Find = |open| Some(open.len() / 2);
    let cases = nowhere.map(|find| (find, false)).into_iter().chain([(half, true)]);
    for (find, reverse_complement) in cases {
        let (_files, rows) = long_rows(400_000, reverse_complement, find);
        let whole = batches(rows);
        assert_eq!((whole.len(), whole[0].parts, whole[0].bytes.len()), (1, [false; 2], 400_000));
    }
}

#[test]
fn a_row_is_long_if_it_is_longer_than_two_batches() {
    for (length, num_parts) in [(20_000, 1), (20_010, 2)] {
        let (_files, rows) = long_rows(length, false, |open| Some(open.len() / 2));
        assert_eq!(batches(rows).len(), num_parts, "{length}");
    }
}

#[test]
fn rows_that_come_in_parts_are_counted_once() {
    let (_files, mut rows) = long_rows(400_000, false, |open| Some(open.len() / 2));
    while rows.next_batch(&Monitor::default()).unwrap().is_some() {}
    let report = rows.take_report();
    assert_eq!((report.records, report.rows, report.symbols), (1, 1, 400_000));
}

#[test]
fn a_batch_is_full_when_it_weighs_more_than_it_may() {
    // The first row, its name and 32 bytes for it, and the open row.
    let weight = 100 + 1 + 32 + 100;
    let record = |name| format!(">{name}\n{}", "ACGTACGTAC\n".repeat(10));
    let files = Files::new(&[&(record("a") + &record("b"))]);
    for (batch_symbols, expected) in [(weight, &[2][..]), (weight - 1, &[1, 1])] {
        for sizes in [None, Some([10, 1000, 5])] {
            let options = RowOptions { batch_symbols, ..RowOptions::default() };
            let mut rows = SequenceRows::open(files.paths.clone(), &options, is_base).unwrap();
            rows.set_turns(sizes);
            let lengths: Vec<_> = batches(rows).iter().map(RowBatch::len).collect();
            assert_eq!(lengths, expected, "{batch_symbols} {sizes:?}");
        }
    }
}

#[test]
fn the_monitor_is_told_of_each_symbol_and_each_byte_once() {
    let text = ">a\nACGT\n>b x\nACGTA\n".repeat(100);
    let files = Files::new(&[&text, &text]);
    let digests = RowOptions { digests: true, ..RowOptions::default() };
    for options in [RowOptions::default(), windows(3, None), windows(3, Some(2)), digests] {
        for sizes in [None, Some([100, 200, 50])] {
            let monitor = Monitor::default();
            let mut rows = SequenceRows::open(files.paths.clone(), &options, is_base).unwrap();
            rows.set_turns(sizes);
            while rows.next_batch(&monitor).unwrap().is_some() {}
            let (_, symbols, bytes) = monitor.look();
            assert_eq!((symbols, bytes), (2 * 900, 2 * text.len() as u64), "{options:?} {sizes:?}");
        }
    }
}
