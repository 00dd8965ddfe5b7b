//! FASTA and FASTQ: the block pipeline in turns of any size against the strict reader.

use std::fmt::Debug;

use hashbrown::DefaultHashBuilder;

use super::input::{Knobs, Portions};
use crate::corpus::{CorpusBuilder, WordPlace, read_in_turns};
use crate::error::Result;
use crate::io::fasta::plain::QuietSymbols;
use crate::io::fasta::turn::Turns;
use crate::io::fasta::{Event, SequenceReader};
use crate::monitor::Monitor;

/// How a text is read: bytes of a buffer and of each portion that arrives, and the sizes of turns.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    buffer: usize,
    portion: usize,
    chunk: usize,
    turn: usize,
    long_line: usize,
}

impl Sizes {
    fn of(knobs: &mut Knobs<'_>) -> Self {
        let (buffer, portion, chunk) = (16 + knobs.size(), knobs.size(), knobs.size());
        let turn = chunk * (1 + knobs.below(8));
        Self { buffer, portion, chunk, turn, long_line: [1, 5, 1000][knobs.below(3)] }
    }

    fn reader(&self, text: &[u8]) -> Result<SequenceReader> {
        SequenceReader::with_buffer("x", Portions::new(text, self.portion), self.buffer)
    }

    fn turns(&self) -> Turns {
        let quiet = QuietSymbols::new(|symbol| b"ACGT".contains(&symbol));
        Turns::with_sizes(quiet, DefaultHashBuilder::default(), self.chunk, self.turn, self.long_line)
    }
}

/// The buffer and the portions of a reader that reads a text at once.
const WHOLE: Sizes = Sizes { buffer: 1 << 16, portion: 1 << 16, chunk: 1, turn: 1, long_line: 1 };

/// Names and symbols of all records.
type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// What the strict reader gives, with titles whole.
fn strictly(reader: Result<SequenceReader>) -> Result<Records> {
    let (mut reader, mut records) = (reader?, Records::new());
    loop {
        match reader.next_event() {
            Ok(None) => return Ok(records),
            Ok(Some(Event::Record { name, .. })) => records.push((name.to_vec(), Vec::new())),
            Ok(Some(Event::Symbols(symbols))) => {
                assert!(!symbols.is_empty(), "an empty piece");
                records.last_mut().expect("a record comes first").1.extend_from_slice(symbols);
            }
            Err(error) => {
                assert!(matches!(reader.next_event(), Ok(None)), "an event after an error");
                return Err(error);
            }
        }
    }
}

/// The same by turns as far as there are any. With `often` a turn is tried after each event.
fn in_turns(reader: Result<SequenceReader>, mut turns: Turns, often: bool) -> Result<Records> {
    let (mut reader, mut records) = (reader?, Records::new());
    loop {
        if often {
            turns.restart();
        }
        if !records.is_empty()
            && let Some(turn) = reader.next_turn(&mut turns)?
        {
            let mut symbols = vec![0; turn.symbols];
            turn.copy(&mut symbols);
            let mut from = 0;
            for (to, name, _) in turn.records() {
                records.last_mut().expect("a record is open").1.extend_from_slice(&symbols[from..to]);
                records.push((name.to_vec(), Vec::new()));
                from = to;
            }
            records.last_mut().expect("a record is open").1.extend_from_slice(&symbols[from..]);
            assert!(turn.line_of(0) <= turn.line_of(turn.symbols.saturating_sub(1)), "lines fall");
            continue;
        }
        match reader.next_event()? {
            None => return Ok(records),
            Some(Event::Record { name, .. }) => records.push((name.to_vec(), Vec::new())),
            Some(Event::Symbols(symbols)) => records.last_mut().unwrap().1.extend_from_slice(symbols),
        }
    }
}

/// A result whose error is its message.
fn told<T>(result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error| {
        let message = error.to_string();
        assert!(!message.contains('\n'), "more than a line: {message:?}");
        message
    })
}

/// Records by turns, and strictly in any portions, are those of the strict reader; so are the errors.
pub(super) fn reading(data: &[u8]) {
    let mut knobs = Knobs(data);
    let (sizes, often) = (Sizes::of(&mut knobs), knobs.below(2) == 0);
    let text = knobs.0;
    let whole = told(strictly(WHOLE.reader(text)));
    let turned = told(in_turns(Sizes { buffer: WHOLE.buffer, ..sizes }.reader(text), sizes.turns(), often));
    assert_same(&whole, &turned, sizes);
    // A small buffer refuses some long lines of CR and judges a title by what is in it, so only what it accepts counts; and
    // only if it has the first end of a line, which tells how lines end.
    let in_portions = told(strictly(sizes.reader(text)));
    if in_portions.is_ok() && first_end(text) < sizes.buffer {
        assert_eq!(whole, in_portions, "{sizes:?}");
    }
}

/// The same, or two errors: of damaged compressed data, the damage may be told or what is wrong before it, as the bytes come.
fn assert_same<T: PartialEq + Debug>(
    whole: &std::result::Result<T, String>,
    parts: &std::result::Result<T, String>,
    sizes: Sizes,
) {
    let is_damaged =
        |message: &str| [" data is damaged", " data is cut short"].iter().any(|one| message.contains(one));
    match (whole, parts) {
        (Err(one), Err(other)) if is_damaged(one) || is_damaged(other) => {}
        _ => assert_eq!(whole, parts, "{sizes:?}"),
    }
}

/// Where the first end of a line ends, with all CR before what follows.
fn first_end(text: &[u8]) -> usize {
    let at = text.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(text.len());
    at + text[at..].iter().take_while(|&&byte| byte == b'\r').count()
}

/// All that packing gives.
type Packed = (Vec<(u64, u64)>, Vec<WordPlace>, Vec<u8>, String);

fn packed(text: &[u8], sizes: Sizes, turned: bool, piece: usize) -> std::result::Result<Packed, String> {
    let mut builder = CorpusBuilder::with_places();
    let mut ends = Vec::new();
    let after = |builder: &mut CorpusBuilder| {
        ends.push((builder.position(), builder.bases_ended()));
        Ok(())
    };
    let turns = turned.then(|| sizes.turns());
    let reader = told(sizes.reader(text))?;
    told(read_in_turns(reader, turns, &Monitor::default(), &mut builder, piece, after))?;
    let places = builder.take_places();
    let corpus = builder.finish();
    assert_eq!(places.len(), corpus.num_words());
    Ok((ends, places, corpus.packed().to_vec(), format!("{:?}", corpus.contents())))
}

/// Words packed by turns are those that are packed strictly, with their places, the calls between pieces, and the errors.
pub(super) fn packing(data: &[u8]) {
    let mut knobs = Knobs(data);
    let (sizes, piece) = (Sizes::of(&mut knobs), knobs.size());
    let sizes = Sizes { buffer: WHOLE.buffer, ..sizes };
    let strict = packed(knobs.0, WHOLE, false, piece);
    let turned = packed(knobs.0, sizes, true, piece);
    match (&strict, &turned) {
        // Of two defects in one line, a reader of parts of lines may tell the first symbol that is no nucleotide.
        (Err(_), Err(message)) if message.contains(", position ") => {}
        _ => assert_same(&strict, &turned, sizes),
    }
}
