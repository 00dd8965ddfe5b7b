//! Byte-pair encoding of DNA.
//!
//! # Definitions
//!
//! A *word* is a string over A, C, G, T. A *token* is a base or the product of a *merge*; merge
//! number `rank` joins two older tokens into token `4 + rank`, so tokens are numbered in the order
//! in which they came to be. (Files and users see identifiers that also count the special tokens;
//! in this module there are none.)
//!
//! Training knows the four bases only. Vocabularies of others may have more symbols, such as N, so
//! a [`MergeTable`] has an alphabet of up to 32; what is said of bases here and in the modules of
//! encoding holds for its symbols.
//!
//! *Training* counts every adjacent pair of tokens in all words, in overlapping windows (`AAAA`
//! counts `(A, A)` three times), merges the pair with the largest count, ties to the smaller
//! `(left, right)`, replaces it from left to right without overlap, and repeats. *Encoding* a word
//! replays the merges: lowest rank first, leftmost first.
//!
//! Counts are exact and of 64 bits, ties are broken by token number, and nothing depends on the
//! order of threads: the merges of a text are reproducible to the bit.
//!
//! # Facts used everywhere
//!
//! 1. *A boundary cuts.* If the encoding of `w` has a token boundary at `b`, no merge ever crossed
//!    `b`, so the two sides evolved as they would have alone:
//!    `encode(w) = encode(w[..b]) + encode(w[b..])`. Hence a verified token boundary may be treated
//!    as the end of a word, and long words can be cut into pieces for threads and buffers.
//! 2. *One token, one pair.* A region that becomes one token evolved as the isolated string would,
//!    and that evolves in one way only; so a string is the product of at most one merge, and no two
//!    tokens spell the same string.
//! 3. *Parts are older.* Both parts of a merge exist when it is made: `left, right < product`.
//!
//! Tables that were trained have properties 2 and 3. Tables read from a file may not:
//! [`MergeTable::push`] refuses what breaks the third,
//! [`AnyAutomaton::build`](encode::automaton::AnyAutomaton::build) what breaks the second, and says
//! so ([`encode::NoAutomaton`]). [`encode::rules`] takes merges in any order, and [`encode::heap`]
//! encodes with any.
//!
//! # The parts
//!
//! `table` holds the merges. [`encode`] goes from words to tokens, [`train`] from words to merges.
//! Training uses encoding, never the other way round.

pub mod encode;
mod table;
pub mod train;

pub use self::table::{MAX_SYMBOLS, MergeTable, NUM_BASES, Pair, Token};
