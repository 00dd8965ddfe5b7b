//! Merges and tokenizers: the automaton and the lanes against the heap, which is the specification.

use super::input::Knobs;
use crate::batch::{EncodeOptions, Sequences};
use crate::bpe::encode::MergeEncoder;
use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::{MergeTable, Token};
use crate::monitor::Monitor;
use crate::tokenizer::{Id, Tokenizer};

/// Merges of a table, at most: building an automaton is most of the work.
const MAX_MERGES: usize = 48;
/// Bases of the longest token that is spelled.
const MAX_SPELLED: u32 = 1 << 12;

/// Any merges over any alphabet, and a word: automata give the tokens of the heap, and these spell the word.
pub(super) fn merges(data: &[u8]) {
    let mut knobs = Knobs(data);
    let num_symbols = [4, 1, 2, 3, 5, 32][knobs.below(6)];
    let alphabet: Vec<u8> =
        if num_symbols == 4 { b"ACGT".to_vec() } else { (b'A'..b'A' + num_symbols).collect() };
    let mut table = MergeTable::over(&alphabet).unwrap();
    for _ in 0..knobs.below(MAX_MERGES + 1) {
        let end = table.num_tokens() as usize;
        let pair = (knobs.below(end) as Token, knobs.below(end) as Token);
        if table.push(pair).is_err() {
            break; // a token of 2^31 bases
        }
    }
    let codes: Vec<u8> = knobs.0.iter().map(|byte| byte % num_symbols).collect();
    let expected = HeapEncoder::new(&table).encode(&codes);
    let encoder = MergeEncoder::new(&table);
    assert_eq!(encoder.encode(&codes), expected);
    assert_eq!(encoder.why_no_automaton().is_some(), matches!(encoder, MergeEncoder::Heap(..)));
    if let Ok(marked) = AnyMarked::build(&table) {
        assert_eq!(marked.encode(&codes), expected, "the marked automaton");
    }
    let mut spelled = Vec::new();
    for &token in &expected {
        assert!(table.length(token) <= codes.len() as u32);
        table.spell(token, &mut spelled);
    }
    assert_eq!(spelled, codes);
    for token in 0..table.num_tokens() {
        if table.length(token) <= MAX_SPELLED {
            assert_eq!(table.spelling(token).len(), table.length(token) as usize);
        }
    }
}

/// The ids of a text as [`Tokenizer::encode_batch`] gives them, by lanes where these can.
fn by_lanes(tokenizer: &Tokenizer, texts: &[&[u8]]) -> Result<Vec<Id>, String> {
    let (bytes, mut offsets) = (texts.concat(), vec![0]);
    texts.iter().for_each(|text| offsets.push(offsets.last().unwrap() + text.len()));
    let sequences = Sequences { bytes: &bytes, offsets: &offsets };
    let batch = tokenizer.encode_batch(sequences, &EncodeOptions::default(), &Monitor::default());
    batch.map(|batch| batch.ids.to_vec()).map_err(|error| error.to_string())
}

/// The last step of [`Tokenizer::explain`], which follows the heap.
fn by_heap(tokenizer: &Tokenizer, text: &str) -> Result<Vec<Id>, String> {
    let mut steps = tokenizer.explain(text).map_err(|error| error.to_string())?;
    Ok(steps.pop().map(|step| step.ids).unwrap_or_default())
}

/// `tokenizer.json`, a byte 255, and a text: what is read is written and read again as the same, encodes as the heap does,
/// and decodes.
pub(super) fn tokenizer(data: &[u8]) {
    let at = data.iter().position(|&byte| byte == 255).unwrap_or(data.len());
    let (Ok(json), text) = (std::str::from_utf8(&data[..at]), data.get(at + 1..).unwrap_or_default()) else {
        return;
    };
    let Ok(tokenizer) = Tokenizer::from_json(json) else { return };
    let text = String::from_utf8_lossy(&text[..text.len().min(1000)]);
    if let Ok(written) = tokenizer.to_json() {
        let again = Tokenizer::from_json(&written).expect("what is written is read");
        assert_eq!(again.to_json().expect("written again"), written);
        assert_eq!(by_heap(&tokenizer, &text), by_heap(&again, &text), "after writing");
    }
    let expected = by_heap(&tokenizer, &text);
    let found = by_lanes(&tokenizer, &[text.as_bytes()]);
    match (&found, &expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text:?}"),
        _ => assert_eq!(found.is_err(), expected.is_err(), "{found:?} {expected:?}"),
    }
    if let Ok(expected) = &expected {
        let twice = by_lanes(&tokenizer, &[text.as_bytes(), b"", text.as_bytes()]);
        assert_eq!(twice, Ok([&expected[..], expected].concat()), "in a batch");
        tokenizer.decode(expected).ok();
        tokenizer.boundaries(expected).ok();
    }
    tokenizer.text_table().ok();
    tokenizer.vocab().take(1000).for_each(drop);
}
