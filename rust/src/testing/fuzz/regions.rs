//! Regions, BED files, and the rows of both.

use std::path::PathBuf;

use super::input::{Knobs, Portions};
use super::scratch;
use crate::alphabet::UnknownPolicy;
use crate::error::{Error, Result};
use crate::io::fasta::names::as_text;
use crate::io::fasta::{Event, SequenceReader};
use crate::monitor::Monitor;
use crate::rows::{Regions, RowOptions, RowOrder, SequenceRows};

/// Regions as text, a line each, are refused or found alike in braces.
pub(super) fn regions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for line in text.lines() {
        let added = Regions::new().add_text(line);
        if let Err(error) = &added {
            assert!(matches!(error, Error::Argument { .. }), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
        if let Some((name, range)) = line.rsplit_once(':')
            && !name.contains(['{', '}'])
            && !name.is_empty()
            && added.is_err()
        {
            let braced = Regions::new().add_text(&format!("{{{name}}}:{range}"));
            assert!(braced.is_err(), "refused without braces, but not with them: {line:?}");
        }
    }
}

fn add(data: &[u8], portion: usize, with_blocks: bool) -> std::result::Result<Regions, String> {
    let mut regions = if with_blocks { Regions::of_blocks() } else { Regions::new() };
    let added = regions.add_bed("x.bed".as_ref(), Portions::new(data, portion));
    added.map(|()| regions).map_err(|error| error.to_string())
}

/// BED of any bytes is refused or read, alike in any portions.
pub(super) fn bed(data: &[u8]) {
    let mut knobs = Knobs(data);
    let (portion, with_blocks) = (knobs.size(), knobs.below(2) == 1);
    let (whole, parts) = (add(knobs.0, 1 << 18, with_blocks), add(knobs.0, portion, with_blocks));
    let shown = |regions: std::result::Result<Regions, String>| regions.map(|regions| regions.shown());
    assert_eq!(shown(whole), shown(parts));
}

/// A row: name, start, end, symbols, and whether it lies on the other strand.
type Row = (String, i64, i64, Vec<u8>, bool);

fn read(path: PathBuf, options: &RowOptions, sizes: Option<[usize; 3]>) -> Result<Vec<Row>> {
    let mut rows = SequenceRows::open(vec![path], options, |byte| b"ACGTN".contains(&byte))?;
    rows.set_turns(sizes);
    let mut all = Vec::new();
    while let Some(batch) = rows.next_batch(&Monitor::default())? {
        assert!(batch.len() > 0, "an empty batch");
        for row in 0..batch.len() {
            let is_reverse = batch.bed.as_ref().is_some_and(|bed| bed.is_reverse[row]);
            let name = batch.name(row).to_owned();
            all.push((name, batch.starts[row], batch.ends[row], batch.symbols(row).to_vec(), is_reverse));
        }
    }
    Ok(all)
}

/// Rows of a sequence file, of its regions by BED or text, and of windows: those of turns are those of the strict reader,
/// and each is the part of its record that it says.
pub(super) fn rows(data: &[u8]) {
    let mut knobs = Knobs(data);
    let flags = knobs.byte();
    let is_set = |bit: u8| flags & (1 << bit) != 0;
    let chunk = knobs.size();
    let sizes = [chunk, chunk * (1 + knobs.below(8)), [1, 5, 1000][knobs.below(3)]];
    let window = is_set(0).then(|| 1 + knobs.below(40) as u64);
    let stride = window.filter(|_| is_set(1)).map(|_| 1 + knobs.below(40) as u64);
    let batch_symbols = knobs.size();
    let bed_bytes = usize::from(knobs.byte());
    let bed = knobs.take(bed_bytes);
    let regions = if is_set(2) { add(bed, 1 << 18, is_set(3)).ok() } else { None };
    let policies = [UnknownPolicy::Token, UnknownPolicy::Split, UnknownPolicy::Refuse];
    let options = RowOptions {
        window,
        stride,
        order: if is_set(4) && regions.is_some() { RowOrder::Bed } else { RowOrder::Files },
        regions,
        upper_case: is_set(5),
        unknown: policies[usize::from(flags >> 6) % 3],
        batch_symbols,
        allow_unknown: 1.0,
        need_bases: false,
        ..RowOptions::default()
    };
    let path = scratch::file("rows.fa", knobs.0);
    let strict = read(path.clone(), &options, None);
    let turned = read(path.clone(), &options, Some(sizes));
    match (&strict, &turned) {
        // Of two defects in one line, a reader of parts of lines may tell the first symbol that the policy refuses.
        (Err(_), Err(_)) if sizes[2] < 1000 => {}
        (Err(strict), Err(turned)) => assert_eq!(strict.to_string(), turned.to_string(), "{sizes:?}"),
        (Ok(strict), Ok(turned)) => assert_eq!(strict, turned, "{sizes:?}"),
        _ => panic!("{sizes:?}: {strict:?} {turned:?}"),
    }
    if let Ok(rows) = strict
        && !is_set(3)
        && options.unknown != UnknownPolicy::Split
    {
        check_places(&rows, &path, options.upper_case);
    }
}

/// Asserts that each row is a part of a record of its name.
fn check_places(rows: &[Row], path: &std::path::Path, upper_case: bool) {
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    let mut reader = SequenceReader::open(path).expect("it was read before");
    while let Some(event) = reader.next_event().expect("it was read before") {
        match event {
            Event::Record { name, .. } => records.push((as_text(name).into_owned(), Vec::new())),
            Event::Symbols(symbols) => records.last_mut().unwrap().1.extend_from_slice(symbols),
        }
    }
    if upper_case {
        records.iter_mut().for_each(|record| record.1.make_ascii_uppercase());
    }
    for (name, start, end, symbols, is_reverse) in rows {
        let range = usize::try_from(*start).unwrap()..usize::try_from(*end).unwrap();
        assert_eq!(range.len(), symbols.len(), "{name}");
        let is_part =
            |record: &[u8]| record.get(range.clone()).is_some_and(|part| *is_reverse || part == &symbols[..]);
        assert!(records.iter().any(|(known, record)| known == name && is_part(record)), "{name} {start}");
    }
}
