//! Against whole encodings by the heap, for merges of every kind.
#![allow(clippy::cast_possible_truncation)] // small numbers

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::bpe::encode::heap::HeapEncoder;
use crate::bpe::encode::rules::MergeRules;
use crate::bpe::{MergeTable, Pair, Token};

/// A text over A, C, G and T with runs and repeats.
fn word(length: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::collection::vec(0..4_u8, 1..6),
        2 => (0..4_u8, 1..20_usize).prop_map(|(code, times)| vec![code; times]),
        1 => (proptest::collection::vec(0..4_u8, 1..4), 1..6_usize).prop_map(|(unit, times)| unit.repeat(times)),
    ];
    proptest::collection::vec(piece, 0..length).prop_map(|pieces| pieces.concat())
}

/// Merges of any older tokens, as no training makes them: the same string may be made twice.
fn table() -> impl Strategy<Value = MergeTable> {
    proptest::collection::vec((any::<u32>(), any::<u32>()), 0..40).prop_map(|parts| {
        let mut table = MergeTable::new();
        let mut pairs = std::collections::BTreeSet::new();
        for (left, right) in parts {
            // Short tokens mostly, so that they occur.
            let newest = table.num_tokens();
            let pair = (left % newest, right % newest.min(8));
            if pairs.insert(pair) {
                table.push(pair).unwrap();
            }
        }
        table
    })
}

/// Merges of any strings, in any order.
fn rules() -> impl Strategy<Value = MergeRules> {
    proptest::collection::vec(("[ACGT]{1,3}", "[ACGT]{1,2}"), 0..40).prop_map(|merges| {
        MergeRules::new(b"ACGT", merges.iter().map(|(left, right)| (left.as_str(), right.as_str())))
    })
}

/// The tokens of a word, with their places.
fn row(heap: &HeapEncoder, lengths: &[u32], word: &[u8]) -> Vec<PlacedToken> {
    let mut start = 0;
    let place = |token: Token| {
        let length = lengths[token as usize];
        start += length as usize;
        PlacedToken { token, length, start: start - length as usize }
    };
    heap.encode(word).into_iter().map(place).collect()
}

/// The boundaries of a row.
fn boundaries(row: &[PlacedToken]) -> Vec<usize> {
    std::iter::once(0).chain(row.iter().map(PlacedToken::end)).collect()
}

/// The definition: common boundaries, and the tokens between them.
fn defined(edit: &ByteEdit<'_>, before: &[PlacedToken], after: &[PlacedToken]) -> Change {
    let (old, new) = (boundaries(before), boundaries(after));
    let start = old.iter().copied().filter(|at| *at <= edit.start && new.contains(at)).max().unwrap();
    let end =
        old.iter().copied().filter(|&at| at >= edit.end && new.contains(&edit.moved(at))).min().unwrap();
    let within = |row: &[PlacedToken], end: usize| -> Vec<u32> {
        let inside = row.iter().filter(|placed| placed.start >= start && placed.end() <= end);
        inside.map(|placed| placed.token).collect()
    };
    Change { start, end, before: within(before, end), after: within(after, edit.moved(end)) }
}

fn check(
    heap: &HeapEncoder,
    lengths: &[u32],
    word: &[u8],
    (a, b): (prop::sample::Index, prop::sample::Index),
    new: &[u8],
) -> Result<(), TestCaseError> {
    let (a, b) = (a.index(word.len() + 1), b.index(word.len() + 1));
    let edit = ByteEdit { start: a.min(b), end: a.max(b), replacement: new };
    let mut changed = Vec::new();
    edit.apply(word, (0, word.len()), &mut changed);
    let (before, after) = (row(heap, lengths, word), row(heap, lengths, &changed));
    let encode = |text: &[u8], tokens: &mut Vec<PlacedToken>| -> Result<(), Infallible> {
        tokens.extend(row(heap, lengths, text));
        Ok(())
    };
    let found = reencode(word, &before, &edit, &mut Surroundings::default(), encode).unwrap();
    prop_assert_eq!(&found, &defined(&edit, &before, &after));
    let ends = (word.len(), changed.len());
    let between = Change::between(&edit, &before, &after, (0, ends.0));
    prop_assert_eq!(&found, &between);
    // Outside, both are the same.
    let kept =
        before.iter().filter(|placed| placed.end() <= found.start || placed.start >= found.end).count();
    prop_assert_eq!(after.len(), kept + found.after.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_change_is_that_of_whole_encodings(
        table in table(), word in word(16), at in any::<(prop::sample::Index, prop::sample::Index)>(), new in word(2),
    ) {
        let lengths: Vec<u32> = (0..table.num_tokens()).map(|token| table.length(token)).collect();
        check(&HeapEncoder::new(&table), &lengths, &word, at, &new)?;
    }

    #[test]
    fn so_it_is_for_merges_in_any_order(
        rules in rules(), word in word(16), at in any::<(prop::sample::Index, prop::sample::Index)>(), new in word(2),
    ) {
        let lengths: Vec<u32> = rules.tokens().iter().map(|token| token.len() as u32).collect();
        check(rules.heap(), &lengths, &word, at, &new)?;
    }

    #[test]
    fn a_row_is_an_encoding_if_all_that_is_adjacent_is_compatible(
        rules in rules(), parts in proptest::collection::vec(any::<prop::sample::Index>(), 2..6),
    ) {
        let spell = |tokens: &[Token]| -> Vec<u8> {
            let strings = tokens.iter().flat_map(|&token| rules.tokens()[token as usize].bytes());
            strings.map(|symbol| b"ACGT".iter().position(|&known| known == symbol).unwrap() as u8).collect()
        };
        let row: Vec<Token> = parts.iter().map(|part| part.index(rules.tokens().len()) as Token).collect();
        let is_compatible = |pair: Pair| rules.heap().encode(&spell(&[pair.0, pair.1])) == [pair.0, pair.1];
        let expected = row.windows(2).all(|pair| is_compatible((pair[0], pair[1])));
        prop_assert_eq!(rules.heap().encode(&spell(&row)) == row, expected);
    }
}

#[test]
fn a_change_in_a_run_reaches_to_its_end() {
    let table = MergeTable::from_merges([(0, 0), (4, 4)]).unwrap();
    let heap = HeapEncoder::new(&table);
    let lengths = [1, 1, 1, 1, 2, 4];
    let mut word = vec![0; 4003];
    word.extend([1, 2, 3]);
    let before = row(&heap, &lengths, &word);
    let edit = ByteEdit { start: 5, end: 6, replacement: &[] };
    let encode = |text: &[u8], tokens: &mut Vec<PlacedToken>| -> Result<(), Infallible> {
        tokens.extend(row(&heap, &lengths, text));
        Ok(())
    };
    let found = reencode(&word, &before, &edit, &mut Surroundings::default(), encode).unwrap();
    // 4,003 = 4 * 1000 + 2 + 1 bases become 4,002 = 4 * 1000 + 2.
    assert_eq!((found.start, found.end, found.before.len(), found.after.len()), (4, 4003, 1001, 1000));
}
