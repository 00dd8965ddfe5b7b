//! What a piece of plain text holds, and where it stops.

use super::*;

/// A piece of all of `text` from its byte `start` on.
fn piece(format: PlainFormat, long_line: usize, text: &[u8], start: usize) -> PlainPiece {
    let mut piece = PlainPiece::default();
    piece.read(text, start..text.len(), 0, &rules(format, long_line));
    piece
}

fn rules(format: PlainFormat, long_line: usize) -> PlainRules {
    let quiet = QuietSymbols::new(|symbol| b"ACGT".contains(&symbol));
    PlainRules { format, quiet, hasher: DefaultHashBuilder::default(), long_line }
}

/// The symbols of a piece, which stand where it says.
fn symbols(piece: &PlainPiece, text: &[u8]) -> String {
    let mut symbols = vec![0; piece.symbols];
    piece.copy(text, &mut symbols);
    let places = (0..).map_while(|symbol| piece.place_of(symbol));
    assert!(places.map(|at| text[at]).eq(symbols.iter().copied()));
    String::from_utf8_lossy(&symbols).into_owned()
}

#[test]
fn lines_of_bases_alone_are_quiet() {
    let quiet = |known: &'static [u8]| {
        let symbols = QuietSymbols::new(move |symbol| known.contains(&symbol));
        [&b"ACGT"[..], b"acGT", b"ACGN", b"AC>T", b""].map(|line| symbols.is_quiet(line))
    };
    assert_eq!(quiet(b"ACGT"), [true, false, false, false, true]);
    assert_eq!(quiet(b"ACGTacgt"), [true, true, false, false, true]);
    assert_eq!(quiet(b"ACG"), [false; 5]);
}

#[test]
fn a_line_without_end_is_read_if_it_is_long() {
    let text = b">a\nACGT\nACG";
    let long = piece(PlainFormat::Fasta, 3, text, 0);
    assert_eq!((long.range.end, long.lines, long.column, long.is_stopped), (11, 2, 3, false));
    assert_eq!(symbols(&long, text), "ACGTACG");
    let short = piece(PlainFormat::Fasta, 4, text, 0);
    assert_eq!((short.range.end, short.lines, short.column, short.is_stopped), (8, 2, 0, false));
    assert_eq!(symbols(&short, text), "ACGT");
}

#[test]
fn lines_of_any_widths_are_read_and_their_unquiet_symbols_counted() {
    let text = b">a b\nACGT\nACGT\nACgN\n\nNNA\n>c\nA\n";
    let piece = piece(PlainFormat::Fasta, 100, text, 0);
    assert_eq!((piece.range.clone(), piece.lines, piece.is_stopped), (0..text.len(), 8, false));
    assert_eq!(symbols(&piece, text), "ACGTACGTACgNNNAA");
    let heads: Vec<_> = piece.records().map(|(head, name)| (head.symbols, name)).collect();
    assert_eq!(heads, [(0, &b"a"[..]), (15, b"c")]);
    let counts = piece.counts().unwrap();
    assert_eq!((counts[usize::from(b'N')], counts[usize::from(b'g')], counts.iter().sum::<u64>()), (3, 1, 4));
}

#[test]
fn lines_of_one_width_that_follow_each_other_are_one_run() {
    let text = b">a\nACGT\nACNT\nACGT\nAC\n>b\nGT\nGA\n";
    let piece = piece(PlainFormat::Fasta, 100, text, 0);
    let runs: Vec<_> = piece.runs.iter().map(|run| (run.start, run.width, run.lines)).collect();
    assert_eq!(runs, [(3, 4, 3), (18, 2, 1), (24, 2, 2)]);
}

#[test]
fn records_of_fastq_are_read_up_to_the_one_that_is_not_whole() {
    let text = b"@a x\nACGT\n+\nIIII\n@b\nACN\n+b\n@+I\n@c\nACGT\n+\nII";
    let piece = piece(PlainFormat::Fastq, 100, text, 0);
    assert_eq!((piece.range.clone(), piece.lines, piece.is_stopped), (0..31, 8, false));
    assert_eq!(symbols(&piece, text), "ACGTACN");
    let heads: Vec<_> = piece.records().map(|(head, name)| (head.symbols, name)).collect();
    assert_eq!(heads, [(0, &b"a"[..]), (4, b"b")]);
    assert_eq!(piece.counts().unwrap()[usize::from(b'N')], 1);
}

#[test]
fn a_record_of_fastq_that_is_not_plain_stops_the_piece_before_it() {
    let before = b"@a\nACGT\n+\nIIII\n";
    for record in [
        &b">b\nAC\n+\nII\n"[..],
        b"@b\n\n+\n\n@c",
        b"@b\nAC\n-\nII\n",
        b"@b\nAC\n+c\nII\n",
        b"@b\nAC\n+\nI\n@c\n",
        b"@b\nAC\n+\nIII\n",
        b"@b\nAC\n+\nI \n",
        b"@b\\\nAC\n+\nII\n",
        b"@b\nA-\n+\nII\n",
    ] {
        let piece = piece(PlainFormat::Fastq, 100, &[before, record].concat(), 0);
        let shown = String::from_utf8_lossy(record);
        assert_eq!((piece.range.end, piece.symbols, piece.is_stopped), (before.len(), 4, true), "{shown}");
    }
}

#[test]
fn a_width_that_was_guessed_wrong_changes_nothing() {
    // A chunk that starts within a record, read twice: the second time the width is known.
    let text = b"\n+\nI\n@b\nACGTACGT\n+\nIIIIIIII\n";
    let rules = rules(PlainFormat::Fastq, 100);
    let mut piece = PlainPiece::default();
    for _ in 0..2 {
        piece.read(text, first_start(text, rules.format)..text.len(), 0, &rules);
        assert_eq!((piece.range.clone(), symbols(&piece, text)), (5..text.len(), "ACGTACGT".to_owned()));
    }
    // As far behind the start of its line as the record before is wide, another line of `+` follows.
    let text = b"@a\nACGTACGTA\n+\nIIIIIIIII\n@b\nA\n+\nI\n@\nC\n+\nI\n";
    piece.read(text, 0..text.len(), 0, &rules);
    assert_eq!((piece.is_stopped, symbols(&piece, text)), (false, "ACGTACGTAAC".to_owned()));
}
