//! The automaton against the definition.

use super::*;
use crate::bpe::MergeTable;
use crate::bpe::encode::automaton::AnyAutomaton;
use crate::bpe::encode::heap::HeapEncoder;

#[test]
fn the_automaton_finds_what_the_definition_says() {
    // A trained table, of a text with runs.
    let mut tokens: Vec<Token> =
        (0..600_u32).map(|at| if at % 7 < 3 { 0 } else { at * at / 5 % 4 }).collect();
    let mut table = MergeTable::new();
    for _ in 0..60 {
        let mut counts = std::collections::BTreeMap::new();
        tokens.windows(2).for_each(|pair| *counts.entry((pair[0], pair[1])).or_insert(0) += 1);
        let Some((&pair, _)) = counts.iter().rev().max_by_key(|&(_, count)| count) else { break };
        let product = table.push(pair).unwrap();
        let mut merged: Vec<Token> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let joins = tokens.get(at + 1).is_some_and(|&next| (tokens[at], next) == pair);
            merged.push(if joins { product } else { tokens[at] });
            at += 1 + usize::from(joins);
        }
        tokens = merged;
    }
    let AnyAutomaton::Narrow(automaton) = AnyAutomaton::build(&table).unwrap() else { panic!("wide") };
    let (machine, heap) = (automaton.over_codes(), HeapEncoder::new(&table));
    let codes: Vec<Vec<u8>> = (0..table.num_tokens())
        .map(|token| {
            let mut codes = Vec::new();
            table.spell(token, &mut codes);
            codes
        })
        .collect();
    let spell = |token, codes: &mut Vec<u8>| table.spell(token, codes);
    let sides = || (0..table.num_tokens()).map(Some).chain([None]);
    let mut found = 0;
    for left in sides() {
        for right in sides() {
            let side = |token: Option<Token>| token.map(|token| (token, &codes[token as usize][..]));
            let all = 0..table.num_tokens();
            let fast = by_machine(&machine, (side(left), side(right)), all.clone(), spell);
            let slow = by_encoding(|codes| heap.encode(codes), (side(left), side(right)), all, spell);
            assert_eq!(fast, slow, "{left:?} {right:?}");
            found += fast.len();
        }
    }
    assert!(found > 10_000);
}
