//! Merges in any order: what a file may hold although no training makes it.
//!
//! A [`MergeTable`](crate::bpe::MergeTable) numbers tokens by the merges that make them. That needs
//! each token to be made once, and after its parts. Files that were put together by hand, or by
//! cutting merges out of others, may have `AC + G` before `A + C`, make `ACG` in two ways, or join
//! what nothing makes. The rule still says what happens, since a token is known by its string and a
//! merge by its rank; so here a token is a string, and [`heap`](super::heap) encodes. The tokens
//! are the symbols of the alphabet, then all strings of the merges in the order in which they come.

use rustc_hash::FxHashMap;

use super::heap::HeapEncoder;
use crate::bpe::{Pair, Token};

/// Merges of strings, by rank.
#[derive(Clone, Debug)]
pub struct MergeRules {
    alphabet: Vec<u8>,
    tokens: Vec<Box<str>>,
    merges: Vec<Pair>,
    heap: HeapEncoder,
}

impl MergeRules {
    /// The rule of these merges over these symbols, which are ASCII. Time and memory: those of all
    /// strings.
    pub fn new<'m>(alphabet: &[u8], merges: impl IntoIterator<Item = (&'m str, &'m str)>) -> Self {
        let mut interner = Interner::default();
        alphabet.iter().for_each(|&symbol| {
            interner.number(&char::from(symbol).to_string());
        });
        let (mut pairs, mut products) = (Vec::new(), Vec::new());
        for (left, right) in merges {
            pairs.push((interner.number(left), interner.number(right)));
            products.push(interner.number(&[left, right].concat()));
        }
        let heap = HeapEncoder::of_merges(pairs.iter().copied().zip(products));
        Self { alphabet: alphabet.to_vec(), tokens: interner.tokens, merges: pairs, heap }
    }

    /// The symbols; the symbol of code 0 is token 0, and so on.
    pub fn alphabet(&self) -> &[u8] {
        &self.alphabet
    }

    /// The string of each token.
    pub fn tokens(&self) -> &[Box<str>] {
        &self.tokens
    }

    /// The pairs, by rank.
    pub fn merges(&self) -> &[Pair] {
        &self.merges
    }

    /// The encoder of these merges.
    pub fn heap(&self) -> &HeapEncoder {
        &self.heap
    }
}

/// Numbers strings in the order in which they come.
#[derive(Default)]
struct Interner {
    numbers: FxHashMap<Box<str>, Token>,
    tokens: Vec<Box<str>>,
}

impl Interner {
    /// The number of `string`; a new one gets the next.
    #[allow(clippy::cast_possible_truncation)] // three strings a merge, and merges are numbered in u32
    fn number(&mut self, string: &str) -> Token {
        if let Some(&number) = self.numbers.get(string) {
            return number;
        }
        let number = self.tokens.len() as Token;
        self.numbers.insert(string.into(), number);
        self.tokens.push(string.into());
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(merges: &[(&str, &str)], word: &str) -> Vec<String> {
        let rules = MergeRules::new(b"ACG", merges.iter().copied());
        let codes: Vec<u8> = word
            .bytes()
            .filter_map(|symbol| u8::try_from(b"ACG".iter().position(|&known| known == symbol)?).ok())
            .collect();
        rules
            .heap()
            .encode(&codes)
            .into_iter()
            .map(|token| rules.tokens()[token as usize].to_string())
            .collect()
    }

    #[test]
    fn a_part_may_rank_after_its_product() {
        assert_eq!(encode(&[("AC", "G"), ("A", "C")], "ACGACAC"), ["ACG", "AC", "AC"]);
    }

    #[test]
    fn a_token_made_twice_is_one_token() {
        let merges = [("C", "G"), ("A", "CG"), ("A", "C"), ("AC", "G"), ("ACG", "A")];
        assert_eq!(encode(&merges, "ACGAAC"), ["ACGA", "AC"]);
    }

    #[test]
    fn of_two_equal_merges_the_last_counts() {
        assert_eq!(encode(&[("A", "C"), ("C", "G"), ("A", "C")], "ACG"), ["A", "CG"]);
    }

    #[test]
    fn what_nothing_makes_is_never_joined() {
        assert_eq!(encode(&[("AT", "G"), ("CC", "C"), ("A", "C")], "ACCCG"), ["AC", "C", "C", "G"]);
    }
}
