//! Training as it is defined, word by word and merge by merge: the oracle of tests and of fuzz targets.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, clippy::cast_possible_truncation)] // of four bases

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::bpe::{MergeTable, Pair, Token};

/// What ends training, and what may be merged.
#[derive(Clone, Debug)]
pub struct TrainingLimits {
    /// Merges, at most.
    pub merges: usize,
    /// Pairs seen less often are not merged; 0 means 1.
    pub min_frequency: u64,
    /// Bases of the longest token.
    pub max_length: u32,
}

/// The merges of training on `words` with their weights.
pub fn train(words: &[(Vec<u8>, u64)], limits: &TrainingLimits) -> MergeTable {
    let mut table = MergeTable::new();
    let mut words: Vec<(Vec<Token>, u64)> = words
        .iter()
        .map(|(word, weight)| (word.iter().map(|&symbol| code(symbol)).collect(), *weight))
        .collect();
    while table.merges().len() < limits.merges {
        let Some((pair, count)) = best(&table, &words, limits) else { break };
        if count < limits.min_frequency.max(1) {
            break;
        }
        let product = table.push(pair).unwrap();
        words.iter_mut().for_each(|(word, _)| *word = replace(word, pair, product));
    }
    table
}

fn code(symbol: u8) -> Token {
    b"ACGT".iter().position(|&base| base == symbol).unwrap() as Token
}

fn best(table: &MergeTable, words: &[(Vec<Token>, u64)], limits: &TrainingLimits) -> Option<(Pair, u64)> {
    let mut counts: BTreeMap<Pair, u64> = BTreeMap::new();
    for (word, weight) in words {
        for pair in word.windows(2) {
            *counts.entry((pair[0], pair[1])).or_insert(0) += weight;
        }
    }
    counts
        .into_iter()
        .filter(|&((left, right), _)| table.length(left) + table.length(right) <= limits.max_length)
        .max_by_key(|&(pair, count)| (count, Reverse(pair)))
}

fn replace(word: &[Token], pair: Pair, product: Token) -> Vec<Token> {
    let mut merged = Vec::new();
    let mut rest = word;
    while let Some((&token, after)) = rest.split_first() {
        if after.first().is_some_and(|&next| (token, next) == pair) {
            merged.push(product);
            rest = &after[1..];
        } else {
            merged.push(token);
            rest = after;
        }
    }
    merged
}

/// The reverse complement of a word of bases.
pub fn reverse_complement(word: &[u8]) -> Vec<u8> {
    let complement = |&base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    };
    word.iter().rev().map(complement).collect()
}
