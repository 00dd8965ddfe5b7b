//! The automaton against the rule, on vocabularies and words full of runs.
#![allow(clippy::cast_possible_truncation)] // small numbers

mod reference;

use proptest::prelude::*;

use super::*;
use crate::bpe::encode::compatible::Compatible;
use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::encode::offers::Offers;

/// A plain trainer on one word: enough to make valid tables.
fn train(mut tokens: Vec<Token>, num_merges: usize) -> MergeTable {
    let mut table = MergeTable::new();
    for _ in 0..num_merges {
        let mut counts = std::collections::BTreeMap::new();
        tokens.windows(2).for_each(|pair| *counts.entry((pair[0], pair[1])).or_insert(0) += 1);
        let Some((&pair, _)) = counts.iter().max_by_key(|&(&pair, &count)| (count, std::cmp::Reverse(pair)))
        else {
            break;
        };
        let product = table.push(pair).unwrap();
        let mut merged = Vec::new();
        let mut i = 0;
        while i < tokens.len() {
            if i + 1 < tokens.len() && (tokens[i], tokens[i + 1]) == pair {
                merged.push(product);
                i += 2;
            } else {
                merged.push(tokens[i]);
                i += 1;
            }
        }
        tokens = merged;
    }
    table
}

fn bits(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    }
}

/// Words full of runs: each next base repeats the last, or an earlier stretch, more often than not.
fn runs(seed: u64, length: usize, symbols: u64) -> Vec<u8> {
    let mut random = bits(seed);
    let mut word: Vec<u8> = Vec::new();
    while word.len() < length {
        match random() % 4 {
            0 => word.push((random() % symbols) as u8),
            1 if !word.is_empty() => {
                let last = word[word.len() - 1];
                (0..random() % 9).for_each(|_| word.push(last));
            }
            2 if word.len() > 3 => {
                let start = random() as usize % (word.len() - 2);
                let copy: Vec<u8> = word[start..word.len().min(start + 1 + random() as usize % 12)].to_vec();
                word.extend(copy);
            }
            _ => word.push((random() % 4) as u8),
        }
    }
    word
}

#[test]
fn agrees_with_the_heap_on_run_heavy_vocabularies() {
    for seed in 0..300 {
        let symbols = 1 + seed % 4;
        let corpus = runs(seed, 60 + 10 * (seed as usize % 60), symbols);
        let table = train(corpus.iter().map(|&code| Token::from(code)).collect(), 4 + seed as usize % 120);
        let heap = HeapEncoder::new(&table);
        let AnyAutomaton::Narrow(automaton) = AnyAutomaton::build(&table).unwrap() else { panic!("wide") };
        assert_eq!(automaton.over_codes().encode(&corpus), heap.encode(&corpus));
        for other in 0..20 {
            let word = runs(seed * 1000 + other, 1 + other as usize * 13, 1 + other % 4);
            assert_eq!(automaton.over_codes().encode(&word), heap.encode(&word), "seed {seed}, word {other}");
        }
    }
}

#[test]
fn compatibility_is_what_it_says() {
    for seed in 0..60 {
        let corpus = runs(seed, 300, 1 + seed % 4);
        let table = train(corpus.iter().map(|&code| Token::from(code)).collect(), 40);
        let heap = HeapEncoder::new(&table);
        let compatible = reference::Compatible::new(&table).unwrap();
        let items = Items::new(&table, &BuildBudget::default(), 2).unwrap();
        for l in 0..table.num_tokens() {
            for t in 0..table.num_tokens() {
                let mut codes = Vec::new();
                table.spell(l, &mut codes);
                table.spell(t, &mut codes);
                let is_compatible = heap.encode(&codes) == [l, t];
                assert_eq!(!compatible.is_blocked(l, t), is_compatible, "{seed}: {l} {t}");
                let reached = codes[table.length(l) as usize..].iter().fold(
                    Move { token: NONE, item: items.start_after(l) },
                    |Move { item, .. }, &code| match item {
                        NONE => Move { token: NONE, item: NONE },
                        item => items.moves(item)[usize::from(code)],
                    },
                );
                assert_eq!(reached.token == t, is_compatible, "{seed}: {l} {t}, by items");
            }
        }
    }
}

#[test]
fn equal_sets_of_offers_are_one() {
    for seed in 0..20 {
        let corpus = runs(seed, 300, 2 + seed % 3);
        let table = train(corpus.iter().map(|&code| Token::from(code)).collect(), 40);
        let offers = Offers::new(&table, &Compatible::new(&table).unwrap()).unwrap();
        let mut all = std::collections::HashSet::new();
        for (set, &node) in (0..).zip(&offers.nodes) {
            let edges: Vec<_> = offers.edges(set).iter().map(|edge| (edge.last, edge.set)).collect();
            assert!(all.insert((node, edges)), "{seed}: {set} is another set once more");
        }
        assert_eq!(all.len(), offers.count());
    }
}

#[test]
fn refuses_a_token_made_twice() {
    // AA + A and A + AA spell the same.
    let table = MergeTable::from_merges([(0, 0), (4, 0), (0, 4)]).unwrap();
    let spelling = "AAA".to_owned();
    let reason = NoAutomaton::SameSpelling { first: 5, second: 6, spelling };
    assert_eq!(AnyAutomaton::build(&table).unwrap_err(), reason);
}

/// Merges in any order over any alphabet, as a file may have them: each part is some older token,
/// short ones more often.
fn any_table() -> impl Strategy<Value = MergeTable> {
    let merge = (any::<(u32, u32)>(), 0_u32..3, 0_u32..3);
    (1_usize..6, proptest::collection::vec(merge, 0..90)).prop_map(|(symbols, merges)| {
        let mut table = MergeTable::over(&b"ABCDEF"[..symbols]).unwrap();
        for ((left, right), left_bias, right_bias) in merges {
            let part = |number: u32, bias: u32| number % (table.num_tokens() >> bias).max(1);
            let pair = (part(left, left_bias), part(right, right_bias));
            if table.length_joined(pair) < 40 {
                table.push(pair).unwrap();
            }
        }
        table
    })
}

/// The automaton, or the reason, is that of the reference: state by state, whatever the threads.
fn assert_equals_the_reference(table: &MergeTable, threads: usize) -> std::result::Result<(), TestCaseError> {
    let budget = BuildBudget::default();
    let built = Builder::new(table, &budget, threads).and_then(Builder::run);
    match (built, reference::build(table)) {
        (Ok(built), Ok(expected)) => {
            prop_assert_eq!(built.outputs, expected.outputs);
            prop_assert_eq!(built.next, expected.next);
        }
        (Err(reason), Err(expected)) => prop_assert_eq!(reason, expected),
        (built, expected) => prop_assert!(false, "{:?} but {:?}", built, expected),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn trained_tables_equal_the_reference(
        seed in any::<u32>(),
        symbols in 1_u64..5,
        length in 1_usize..1500,
        merges in 0_usize..400,
        threads in 1_usize..7,
    ) {
        let corpus = runs(seed.into(), length, symbols);
        let table = train(corpus.iter().map(|&code| Token::from(code)).collect(), merges);
        assert_equals_the_reference(&table, threads)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_tables_equal_the_reference(table in any_table(), threads in 1_usize..4) {
        assert_equals_the_reference(&table, threads)?;
    }
}

#[test]
fn states_of_16_bits_are_as_many_as_these_can_number() {
    let wide = |states: usize, next: u32| Automaton::<u32> {
        next: vec![vec![next; states]],
        outputs: vec![LastToken { token: 0, length: 1 }; states],
        longest: 1,
        separator: 1,
    };
    let narrow = wide(1 << 16, u32::from(u16::MAX)).narrowed().unwrap();
    assert!(narrow.next[0].iter().all(|&state| state == u16::MAX));
    assert!(wide((1 << 16) + 1, 0).narrowed().is_none());
}
