//! The names of canonical k-mers.
//!
//! # A k-mer is a pair of halves
//!
//! Let P be the first half of a k-mer x and Q the first half of its reverse complement, which is the reverse
//! complement of the second half of x. Both are read as numbers in base 4 with A, C, G, T = 0 to 3. For odd k the halves are
//! rounded up and have the letter in the middle in common: if it is the last digit m of P, the last digit of Q is 3 - m, so
//! that P and Q differ.
//!
//! *Claim.* x is canonical if and only if P <= Q; the halves of its canonical form are min(P, Q) and max(P, Q).
//! *Proof.* Comparing x with its reverse complement letter by letter compares P with Q first. If they differ, that
//! decides; if not, k is even, and x is its own reverse complement. The halves of the reverse complement are Q and P. ∎
//!
//! # Their order
//!
//! They are ordered by the first k / 2 letters of their reverse complements, rounded down, and where these are the same as strings.
//! Let q be the number of these letters. For even k, q is Q, and the canonical k-mers with this q have P = 0 to q. For
//! odd k, Q is 4 q + 3 - m, and they have P = 0 to 4 q + 1: all P with p < q in front of m, and of the four with p = q
//! those with m = 0 or 1. So the number of a canonical k-mer is
//!
//! ```text
//! even k:   1 + 2 + ... + q         + P   =   q (q + 1) / 2 + P
//! odd k:    2 + 6 + ... + (4 q - 2) + P   =   2 q^2 + P
//! ```
//!
//! No table is needed and no comparison of whole k-mers; it is arithmetic without branches. The order of whole strings
//! would need a table of 4^k numbers, 64 MiB for k = 12, and a random look-up into it for each base; the order by P, then
//! Q, has formulas twice as long: 0.7 Gb/s for k = 11 where this one had 1.0, on a busy machine.

use super::width::{Token, Width};
use crate::alphabet::LETTERS;

/// The number of the k-mer with the halves P and Q, which may be of either strand.
#[inline]
pub(super) fn name<W: Width>(k: usize, first: u16, second: u16) -> W {
    let (low, high) = (first.min(second), first.max(second));
    W::from(low) + if k.is_multiple_of(2) { row(k, high) } else { row(k, high >> 2) }
}

/// The first number of those with this q.
#[inline]
fn row<W: Width>(k: usize, q: u16) -> W {
    if k.is_multiple_of(2) { (W::from(q) * W::from(q + 1)) >> 1 } else { (W::from(q) * W::from(q)) << 1 }
}

/// Appends the letters of the canonical k-mer with the number `token`.
pub(super) fn spell(k: usize, token: Token, letters: &mut Vec<u8>) {
    let (mut q, mut end) = (0, 1_u16 << (k / 2 * 2));
    while q + 1 < end {
        let between = u16::midpoint(q, end);
        if row::<u32>(k, between) <= token { q = between } else { end = between }
    }
    let letter = |number: u32, place: usize| LETTERS[((number >> (2 * place)) & 3) as usize];
    letters.extend((0..k.div_ceil(2)).rev().map(|place| letter(token - row::<u32>(k, q), place)));
    letters.extend((0..k / 2).map(|place| letter(!u32::from(q), place)));
}
