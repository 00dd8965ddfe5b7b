//! Training ahead on a sample, and checking it with one pass.
//!
//! The first rounds take the most time: tokens are short, so a pass visits many of them, and few
//! merges are made in each. They can be had together. Let `G` be any merge table that extends the
//! present one, such as one trained on a sample.
//!
//! # Claim
//!
//! Encode the text with `G`, and count its tokens and pairs of tokens. As long as training makes no
//! merge across a boundary of that encoding, all pair counts that training needs follow from these
//! numbers.
//!
//! *Proof.* As long as no merge crosses the borders of a token of `G`, what is inside evolves as
//! the token's string does alone. So at any such time the text is the sequence of its tokens, each
//! in its present parts, and the count of a pair is the number of its occurrences inside each
//! token, times the number of these tokens, plus, for each two neighbours `T U`, times their
//! number, one if the pair is made of the last part of `T` and the first part of `U`. ∎
//!
//! So train on *phrases*: for each pair `T U` that occurs, the word `T U` in the parts of the
//! present table, with the weight of the pair; and for each token `T` the word `T` with the weight
//! that makes up for its being in several phrases: the number of words that end in `T` less the
//! number of pairs that it is on the right of. The first merge that crosses the cut of a phrase is
//! the right one still, since its choice needed only counts from before it; there training stops.
//!
//! ```text
//! text      ACAC, ACT                     G has the merge A + C
//! encoded   AC AC, AC T                   pairs (AC, AC) 1, (AC, T) 1; ends of words: AC 1, T 1
//! phrases   A C | A C   weight 1          A C   weight 1 - 1 = 0
//!           A C | T     weight 1          T     weight 1 - 1 = 0
//! counts    (A, C) 2 + 1 = 3   (C, A) 1   (C, T) 1, as in the text
//! ```
//!
//! The guess need not have the merges in the right order. Two merges that never compete for a base
//! give the same text in either order, and the exact counts sort them; only a guess that is wrong
//! where it matters ends the phrases early, and it is noticed. For human chromosome 20 a sample of
//! 8 million bases yields some hundred merges in one pass, where the rounds of [`super::islands`]
//! take eight.

use super::replay::TokenPhrase;
use crate::bpe::{MergeTable, Pair, Token};

/// The phrases of a text in which `count` gives the pairs under `guess`, in the tokens of the first
/// `num_tokens`.
///
/// `ends` is how many words end in each token of `guess`; ends of segments that are cuts do not
/// count.
///
/// The weights add up to the counts of the text: a token that is on the left of a pair, or ends a
/// word, is in one phrase as often as it is there; as the right of a pair it is there once more,
/// and the weight of its own phrase takes that away. That weight may be negative, modulo 2^64.
/// Cost: the square of the number of tokens in `guess`.
pub fn phrases(
    guess: &MergeTable,
    num_tokens: Token,
    count: impl Fn(Pair) -> u64,
    ends: Vec<u64>,
) -> Vec<TokenPhrase> {
    let parts = parts(guess, num_tokens);
    let mut alone = ends;
    let mut phrases = Vec::new();
    for (left, before) in (0..).zip(&parts) {
        for (right, after) in (0..).zip(&parts) {
            let weight = count((left, right));
            if weight > 0 {
                alone[right as usize] = alone[right as usize].wrapping_sub(weight);
                let tokens = [&before[..], after].concat();
                phrases.push(TokenPhrase { tokens, cut: Some(before.len()), weight });
            }
        }
    }
    let single = |(tokens, weight)| TokenPhrase { tokens, cut: None, weight };
    phrases.extend(parts.into_iter().zip(alone).map(single));
    phrases
}

/// The parts of each token of `guess`, in the first `num_tokens` tokens.
fn parts(guess: &MergeTable, num_tokens: Token) -> Vec<Vec<Token>> {
    let mut parts: Vec<Vec<Token>> = Vec::new();
    for token in 0..guess.num_tokens() {
        parts.push(match guess.parts(token) {
            Some((left, right)) if token >= num_tokens => {
                [&parts[left as usize][..], &parts[right as usize]].concat()
            }
            _ => vec![token],
        });
    }
    parts
}
