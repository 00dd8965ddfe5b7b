//! Rows by turns of any size are those of the strict reader, in everything that can be seen.

use hashbrown::DefaultHashBuilder;
use proptest::prelude::*;

use super::super::*;
use crate::alphabet::UnknownPolicy;
use crate::io::fasta::random_text::text;

/// All that a run gives: rows, the report, the error.
type Outcome = (Vec<(String, i64, i64, Vec<u8>)>, RowReport, Option<String>);

/// Reads `text` with turns of the given chunk and turn sizes, or strictly.
fn read(
    text: &[u8],
    options: &RowOptions,
    known: &'static [u8],
    sizes: Option<[usize; 3]>,
    packed: bool,
) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fa");
    if packed {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text).unwrap();
        std::fs::write(&path, encoder.finish().unwrap()).unwrap();
    } else {
        std::fs::write(&path, text).unwrap();
    }
    let mut rows = SequenceRows::open(vec![path], options, |byte| known.contains(&byte)).unwrap();
    rows.set_turns(sizes);
    let mut all = Vec::new();
    let error = loop {
        match rows.next_batch(&Monitor::default()) {
            Ok(Some(batch)) => all.extend((0..batch.len()).map(|row| {
                (batch.name(row).to_owned(), batch.starts[row], batch.ends[row], batch.symbols(row).to_vec())
            })),
            Ok(None) => break None,
            Err(error) => break Some(error.to_string().replace(&*folder.path().to_string_lossy(), "")),
        }
    };
    let mut report = rows.take_report();
    report.digests.iter_mut().for_each(|digest| digest.file = PathBuf::new());
    if error.is_some() {
        // What came before an error depends on the size of batches, and is not used.
        return (Vec::new(), RowReport::default(), error);
    }
    (all, report, error)
}

fn options() -> impl Strategy<Value = RowOptions> {
    let window = prop_oneof![
        Just((None, None)),
        (1_u64..9, prop::option::of(1_u64..12)).prop_map(|(window, stride)| (Some(window), stride))
    ];
    let policy =
        prop::sample::select(&[UnknownPolicy::Token, UnknownPolicy::Split, UnknownPolicy::Refuse][..]);
    (window, policy, any::<[bool; 4]>(), 1_usize..200).prop_map(
        |((window, stride), unknown, flags, batch_symbols)| {
            let [reverse_complement, upper_case, digests, has_regions] = flags;
            let mut regions = Regions::new();
            ["a", "b:2-3"].iter().for_each(|text| regions.add_text(text).unwrap());
            RowOptions {
                window,
                stride,
                regions: (has_regions && reverse_complement).then_some(regions),
                reverse_complement,
                upper_case,
                unknown,
                batch_symbols,
                digests,
                allow_unknown: 1.0,
                ..RowOptions::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn turns_of_any_size_give_what_the_strict_reader_gives(
        text in text(),
        options in options(),
        known in prop::sample::select(&KNOWN[..]),
        chunk in 1_usize..60,
        chunks in 1_usize..9,
        packed in any::<bool>(),
        long_line in prop::sample::select(&[1, 5, 1000][..]),
    ) {
        let strict = read(&text, &options, known, None, packed);
        let turned = read(&text, &options, known, Some([chunk, chunk * chunks, long_line]), packed);
        if long_line < 1000 && strict.2.is_some() {
            // Of two defects in one line, a reader of parts of lines may tell the first symbol that the policy refuses.
            prop_assert!(turned.2.is_some());
        } else {
            prop_assert_eq!(turned, strict);
        }
    }
}

/// Vocabularies.
const KNOWN: [&[u8]; 4] = [b"ACGT", b"ACGTN", b"ACGTacgt", b"ACGU"];

#[test]
fn a_plain_file_is_read_in_turns() {
    let record = |number: usize| {
        [">r", &number.to_string(), " x\n", &"ACGT".repeat(number % 30), "\nACGTN\n"].concat()
    };
    let fasta: String = (0..500).map(record).collect();
    let read = |number: usize| {
        let width = 1 + 4 * (number % 30);
        format!("@r{number} x\n{}N\n+\n{}\n", &"ACGT".repeat(30)[1..width], "I".repeat(width))
    };
    let fastq: String = (0..500).map(read).collect();
    for (text, bytes_per_symbol) in [(fasta, 1), (fastq, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fa");
        std::fs::write(&path, &text).unwrap();
        let quiet = QuietSymbols::new(|symbol| b"ACGT".contains(&symbol));
        let mut reader = SequenceReader::open(&path).unwrap();
        assert!(matches!(reader.next_event(), Ok(Some(Event::Record { .. }))));
        assert!(matches!(reader.next_event(), Ok(Some(Event::Symbols(_) | Event::Record { .. }))));
        let mut turns = Turns::with_sizes(quiet, DefaultHashBuilder::default(), 1000, 8000, 100);
        let (mut records, mut symbols) = (2, 0);
        while let Some(turn) = reader.next_turn(&mut turns).unwrap() {
            records += turn.records().count();
            symbols += turn.symbols;
        }
        let read = bytes_per_symbol * symbols + 20 * records;
        assert!(text.len() < 1000 + read, "{symbols} symbols of {} bytes", text.len());
    }
}
