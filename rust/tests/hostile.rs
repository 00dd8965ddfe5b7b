//! Vocabularies that are made to take long: an automaton in bounded time and memory, or the heap.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use genotok_core::bpe::MergeTable;
use genotok_core::bpe::encode::MergeEncoder;
use genotok_core::bpe::encode::automaton::AnyAutomaton;
use genotok_core::bpe::encode::heap::HeapEncoder;

/// What is allowed for a table; a debug build on a shared machine is slow.
const PATIENCE: Duration = Duration::from_mins(1);

fn encodes_in_time(name: &str, table: &MergeTable) {
    let start = Instant::now();
    let encoder = MergeEncoder::new(table);
    let elapsed = start.elapsed();
    let built = !matches!(encoder, MergeEncoder::Heap(..));
    println!(
        "{name}: {} tokens, longest {}, automaton {built}, {elapsed:?}",
        table.num_tokens(),
        table.longest()
    );
    assert!(elapsed < PATIENCE, "{name} took {elapsed:?}");
    let word: Vec<u8> = (0..5000_u32).map(|place| u8::from((place * place) % 7 == 3)).collect();
    assert_eq!(encoder.encode(&word), HeapEncoder::new(table).encode(&word), "{name}");
}

/// AA, AAA, AAAA and so on, one base at a time.
fn staircase(steps: u32) -> MergeTable {
    let mut table = MergeTable::new();
    let mut last = 0;
    for _ in 0..steps {
        last = table.push((last, 0)).unwrap();
    }
    table
}

#[test]
fn tokens_one_base_longer_than_the_last() {
    encodes_in_time("3,000 steps", &staircase(3_000));
    encodes_in_time("60,000 steps", &staircase(60_000));
}

#[test]
fn tokens_that_double() {
    let mut table = MergeTable::new();
    let mut last = 0;
    for _ in 0..22 {
        last = table.push((last, last)).unwrap();
    }
    encodes_in_time("doubling", &table);
    let mut table = staircase(20_000);
    for _ in 0..8 {
        table.push((table.num_tokens() - 1, table.num_tokens() - 1)).unwrap();
    }
    encodes_in_time("staircase, then doubling", &table);
}

#[test]
fn all_pairs_of_all_tokens() {
    let mut table = MergeTable::new();
    'filling: for left in 0.. {
        for right in 0..=left {
            for pair in [(left, right), (right, left)] {
                let length = table.length_joined(pair);
                if length < 12 {
                    table.push(pair).unwrap();
                }
            }
            if table.num_tokens() > 60_000 {
                break 'filling;
            }
        }
    }
    encodes_in_time("all pairs", &table);
}

#[test]
fn many_symbols() {
    let alphabet: Vec<u8> = (b'A'..b'A' + 32).collect();
    let mut table = MergeTable::over(&alphabet).unwrap();
    for token in 0..40_000 {
        table.push((token, (token * 7) % 32)).unwrap();
    }
    encodes_in_time("32 symbols", &table);
    assert!(AnyAutomaton::build(&MergeTable::over(&alphabet).unwrap()).is_ok());
}
