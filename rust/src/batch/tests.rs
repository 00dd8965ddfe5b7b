//! The encoder against an obvious one: special tokens, symbols, the merge rule.

#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)] // small numbers
#![allow(clippy::trivially_copy_pass_by_ref)] // as the interface does

use proptest::prelude::*;

use super::tasks::TaskSizes;
use super::{EncodeOptions, EncodedBatch, Ids, Job, Sequences};
use crate::alphabet::UnknownPolicy;
use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::{MergeTable, Token};
use crate::error::Error;
use crate::monitor::Monitor;
use crate::tokenizer::symbols::{DROPPED, UNKNOWN};
use crate::tokenizer::{Id, Tokenizer};

const SPECIALS: [&str; 5] = ["[UNK]", "[CLS]", "[SEP]", "[", "[SEA]"];

/// One sequence, symbol by symbol.
fn plainly(tokenizer: &Tokenizer, text: &str, options: &EncodeOptions) -> (Vec<(Id, [i64; 2])>, u64, u64) {
    let symbols = tokenizer.symbols().clone();
    let symbols = if options.upper_case { symbols.upper_cased() } else { symbols };
    let table = tokenizer.table().unwrap();
    let heap = HeapEncoder::new(table);
    let id_of = |token: Token| tokenizer.ids()[token as usize];
    let (mut found, mut unknown, mut lower_case, mut place) = (Vec::new(), 0, 0, 0);
    let mut word: Vec<u8> = Vec::new();
    let mut rest = text;
    loop {
        let special =
            SPECIALS.iter().filter(|special| rest.starts_with(**special)).max_by_key(|token| token.len());
        let character = rest.chars().next();
        let symbol = character.map(|character| symbols.code_of(character));
        if let (None, Some(code)) = (special, symbol.filter(|&symbol| symbol < UNKNOWN)) {
            word.push(code);
            rest = &rest[1..];
            continue;
        }
        for token in heap.encode(&std::mem::take(&mut word)) {
            let length = i64::from(table.length(token));
            found.push((id_of(token), [place, place + length]));
            place += length;
        }
        let Some(character) = character else { break };
        if let Some(special) = special {
            let id = SPECIALS.iter().position(|other| other == special).unwrap();
            let length = special.chars().count() as i64;
            found.push((id as Id, [place, place + length]));
            place += length;
            rest = &rest[special.len()..];
            continue;
        }
        if symbol != Some(DROPPED) {
            unknown += 1;
            let upper = character.to_ascii_uppercase();
            lower_case += u64::from(upper != character && symbols.code_of(upper) < UNKNOWN);
            if options.unknown == UnknownPolicy::Token {
                found.push((tokenizer.unknown_id().unwrap(), [place, place + 1]));
            }
        }
        place += 1;
        rest = &rest[character.len_utf8()..];
    }
    (found, unknown, lower_case)
}

/// Many sequences, one after the other.
fn all_plainly(tokenizer: &Tokenizer, texts: &[String], options: &EncodeOptions) -> EncodedBatch {
    let (mut ids, mut spans, mut offsets, mut unknown, mut lower_case) = (vec![], vec![], vec![0], 0, 0);
    for text in texts {
        let (found, of_unknown, of_lower_case) = plainly(tokenizer, text, options);
        let around = |id: Id| options.add_special_tokens.then_some((id, [0, 0]));
        for (id, span) in around(1).into_iter().chain(found).chain(around(2)) {
            ids.push(id as u16);
            spans.push(span);
        }
        offsets.push(ids.len() as i64);
        unknown += of_unknown;
        lower_case += of_lower_case;
    }
    let spans = options.spans.then_some(spans);
    EncodedBatch { ids: Ids::Narrow(ids), offsets, spans, unknown, lower_case }
}

/// Texts back to back, and their offsets.
pub(super) fn joined(texts: &[String]) -> (Vec<u8>, Vec<usize>) {
    (texts.concat().into_bytes(), super::lists::offsets(texts.iter().map(String::len)))
}

fn encode(
    tokenizer: &Tokenizer,
    texts: &[String],
    options: &EncodeOptions,
    sizes: TaskSizes,
) -> Result<EncodedBatch, Error> {
    let (bytes, offsets) = joined(texts);
    let sequences = Sequences { bytes: &bytes, offsets: &offsets };
    Job::new(tokenizer, sequences, *options, sizes)?.encode(&Monitor::default())
}

/// Merges of the pairs that are frequent in a text over the symbols of `alphabet`, plainly trained.
pub(super) fn trained(alphabet: &[u8], text: &[u8], merges: usize) -> MergeTable {
    let mut table = MergeTable::over(alphabet).unwrap();
    let code = |symbol: &u8| alphabet.iter().position(|known| known == symbol).unwrap() as Token;
    let mut tokens: Vec<Token> = text.iter().map(code).collect();
    for _ in 0..merges {
        let mut counts = std::collections::BTreeMap::new();
        tokens.windows(2).for_each(|pair| *counts.entry((pair[0], pair[1])).or_insert(0) += 1);
        let Some((&pair, _)) = counts.iter().rev().max_by_key(|&(_, count)| count) else { break };
        let product = table.push(pair).unwrap();
        let mut merged = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let joins = tokens.get(at + 1).is_some_and(|&next| (tokens[at], next) == pair);
            merged.push(if joins { product } else { tokens[at] });
            at += 1 + usize::from(joins);
        }
        tokens = merged;
    }
    table
}

pub(super) fn tokenizer(table: MergeTable) -> Tokenizer {
    Tokenizer::new(table, &SPECIALS.map(str::to_owned)).unwrap()
}

/// Symbols in runs and repeats, with others between them.
pub(super) fn text(alphabet: &'static str, others: &'static [&'static str]) -> impl Strategy<Value = String> {
    let symbol = proptest::sample::select(alphabet.chars().collect::<Vec<_>>());
    let piece = prop_oneof![
        4 => proptest::collection::vec(symbol.clone(), 1..12).prop_map(|run| run.into_iter().collect::<String>()),
        2 => (symbol.clone(), 1..40_usize).prop_map(|(symbol, times)| symbol.to_string().repeat(times)),
        2 => (proptest::collection::vec(symbol, 1..4), 1..12_usize)
            .prop_map(|(unit, times)| unit.into_iter().collect::<String>().repeat(times)),
        2 => (proptest::sample::select(others), 1..9_usize).prop_map(|(other, times)| other.repeat(times)),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

pub(super) const OTHERS: &[&str] =
    &["N", "n", "a", "acgt", " ", "\n", "é", "🧬", "\u{2003}", "[SEP]", "[SEA]", "[", "[SE", "-"];

fn sizes() -> impl Strategy<Value = TaskSizes> {
    (1..40_usize, 1..40_usize, 1..60_usize, 2..40_usize).prop_map(|(group, part, search, block)| TaskSizes {
        group: [group; 2],
        part: [part; 2],
        search,
        block,
    })
}

fn options() -> impl Strategy<Value = EncodeOptions> {
    let flag = any::<bool>;
    (flag(), flag(), flag(), flag()).prop_map(|(split, upper_case, add_special_tokens, spans)| {
        EncodeOptions {
            only_symbols: false,
            parts: [false; 2],
            unknown: if split { UnknownPolicy::Split } else { UnknownPolicy::Token },
            upper_case,
            add_special_tokens,
            spans,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_sequences_are_encoded_as_symbol_by_symbol(
        corpus in text("ACGT", &["A"]),
        merges in 0..80_usize,
        texts in proptest::collection::vec(text("ACGT", OTHERS), 0..8),
        options in options(),
        sizes in sizes(),
        threads in 1..4_usize,
    ) {
        let tokenizer = tokenizer(trained(b"ACGT", corpus.as_bytes(), merges));
        let expected = all_plainly(&tokenizer, &texts, &options);
        prop_assert_eq!(&encode(&tokenizer, &texts, &options, TaskSizes::default()).unwrap(), &expected);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        prop_assert_eq!(&pool.install(|| encode(&tokenizer, &texts, &options, sizes)).unwrap(), &expected);
        let (bytes, offsets) = joined(&texts);
        let sequences = Sequences { bytes: &bytes, offsets: &offsets };
        let counts = tokenizer.count_tokens(sequences, &options, &Monitor::default()).unwrap();
        let lengths: Vec<u64> = expected.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u64).collect();
        prop_assert_eq!(counts, lengths);
        let spelled: String = expected.ids.to_vec().into_iter().map(|id| tokenizer.decode(&[id]).unwrap()).collect();
        let decoded = tokenizer.decode_batch(&expected.ids.to_vec(), &expected.offsets, &Monitor::default()).unwrap();
        prop_assert_eq!(String::from_utf8(decoded.0).unwrap(), spelled);
        prop_assert_eq!(decoded.1.len(), texts.len() + 1);
    }

    #[test]
    fn other_alphabets_and_tables_without_an_automaton_too(
        symbols in 2..9_usize,
        corpus in text("AB", &["C", "D", "E", "F", "G", "H", "ABCDEFGH"]),
        merges in 0..60_usize,
        twice in any::<bool>(),
        texts in proptest::collection::vec(text("ABCDEFGH", OTHERS), 0..6),
        options in options(),
        sizes in sizes(),
    ) {
        let alphabet = &b"ABCDEFGH"[..symbols];
        let corpus: Vec<u8> = corpus.bytes().filter(|symbol| alphabet.contains(symbol)).collect();
        let mut table = trained(alphabet, &corpus, merges);
        if twice {
            // AA + A and A + AA: a string that is made twice.
            let pair = table.push((0, 0)).unwrap();
            table.push((pair, 0)).unwrap();
            table.push((0, pair)).unwrap();
        }
        let tokenizer = tokenizer(table);
        prop_assert_eq!(tokenizer.automaton_size().is_none(), twice);
        let expected = all_plainly(&tokenizer, &texts, &options);
        prop_assert_eq!(&encode(&tokenizer, &texts, &options, TaskSizes::default()).unwrap(), &expected);
        prop_assert_eq!(&encode(&tokenizer, &texts, &options, sizes).unwrap(), &expected);
    }
}

#[test]
fn lengths_around_every_boundary() {
    let corpus: Vec<u8> = b"ACGTTGCAACGGTAAAAACCAGT".repeat(20);
    let tokenizer = tokenizer(trained(b"ACGT", &corpus, 60));
    let options = EncodeOptions { spans: true, ..EncodeOptions::default() };
    let whole = String::from_utf8(b"AACGTNGGTATTTTTTTTTTTTTTTTTTTTTCAN".repeat(9)).unwrap();
    for length in 0..whole.len() {
        let texts = [whole[..length].to_owned(), String::new(), whole[length..].to_owned(), String::new()];
        let expected = all_plainly(&tokenizer, &texts, &options);
        for size in [1, 7, 32] {
            let sizes = TaskSizes { group: [size; 2], part: [size; 2], search: 24, block: 2 + size };
            assert_eq!(encode(&tokenizer, &texts, &options, sizes).unwrap(), expected, "{length} {size}");
        }
    }
}

#[test]
fn a_refused_symbol_is_named_with_its_place() {
    let tokenizer = tokenizer(MergeTable::new());
    let options = EncodeOptions { unknown: UnknownPolicy::Refuse, ..EncodeOptions::default() };
    let texts = ["ACGT", "acgt[SEP]éN"].map(str::to_owned);
    let error = encode(&tokenizer, &texts, &options, TaskSizes::default()).unwrap_err();
    assert_eq!(error.to_string(), "record \"sequence 1\", position 9: byte 0xc3 is not in the vocabulary");
    assert!(encode(&tokenizer, &texts[..1], &options, TaskSizes::default()).is_ok());
}

#[test]
fn bytes_that_are_not_utf8_are_unknown() {
    let tokenizer = tokenizer(MergeTable::new());
    let bytes = b"A\xff\xfeC\xc3";
    let sequences = Sequences { bytes, offsets: &[0, 3, 5] };
    let encoded = tokenizer.encode_batch(sequences, &EncodeOptions::default(), &Monitor::default()).unwrap();
    assert_eq!((encoded.ids.to_vec(), encoded.offsets), (vec![5, 0, 0, 6, 0], vec![0, 3, 5]));
}

#[test]
fn offsets_are_checked_and_work_can_be_cancelled() {
    let tokenizer = tokenizer(MergeTable::new());
    let (options, monitor) = (EncodeOptions::default(), Monitor::default());
    for offsets in [&[0, 5][..], &[2, 1]] {
        let error =
            tokenizer.encode_batch(Sequences { bytes: b"ACGT", offsets }, &options, &monitor).unwrap_err();
        assert!(matches!(error, Error::Argument { name: "offsets", .. }));
    }
    for offsets in [&[0, 5][..], &[2, 1], &[-1, 1]] {
        assert!(tokenizer.decode_batch(&[5; 4], offsets, &monitor).is_err());
    }
    assert!(tokenizer.decode_batch(&[1 << 20], &[0, 1], &monitor).is_err());
    monitor.cancel();
    let result = tokenizer.encode_batch(Sequences { bytes: b"ACGT", offsets: &[0, 4] }, &options, &monitor);
    assert!(result.unwrap_err().is_interrupt());
}
