//! The names of canonical k-mers.
//!
//! # A k-mer is a pair of halves
//!
//! Let P be the first half of a k-mer x and Q the first half of its reverse complement, which is the reverse
//! complement of the second half of x. Both are read as numbers in base 4 with A, C, G, T = 0 to 3. For odd k the halves are
//! rounded up and have the base in the middle in common: if it is the last digit m of P, the last digit of Q is 3 - m, so
//! that P and Q differ.
//!
//! *Claim.* x is canonical if and only if P <= Q; the halves of its canonical form are min(P, Q) and max(P, Q).
//! *Proof.* Comparing x with its reverse complement base by base compares P with Q first. If they differ, that
//! decides; if not, k is even, and x is its own reverse complement. The halves of the reverse complement are Q and P. ∎
//!
//! # Their order
//!
//! They are ordered by the first k / 2 bases of their reverse complements, rounded down, and where these are the same as strings.
//! Let q be the number of these bases. For even k, q is Q, and the canonical k-mers with this q have P = 0 to q. For
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
//! Q, has formulas twice as long.
//!
//! For k = 3, where P has two bases and q is one digit, the order starts so:
//!
//! ```text
//! q = 0 (x ends with T):   AAT 0, ACT 1                                  P = AA, AC
//! q = 1 (x ends with G):   AAG 2, ACG 3, AGG 4, ATG 5, CAG 6, CCG 7      P = AA to CC
//! ```

use super::width::{IdWidth, KmerToken};
use crate::alphabet::BASES;

/// The number of the k-mer with the halves P and Q, which may be of either strand.
///
/// Exact in `W` wherever all names fit: for k = 8 the largest name is 32,895 and the largest product 65,280.
#[inline]
pub(super) fn name<W: IdWidth>(k: usize, first: u16, second: u16) -> W {
    let (low, high) = (first.min(second), first.max(second));
    W::from(low) + if k.is_multiple_of(2) { row(k, high) } else { row(k, high >> 2) }
}

/// The first number of those with this q: rises with q, so that [`spell`] may search for it.
#[inline]
fn row<W: IdWidth>(k: usize, q: u16) -> W {
    if k.is_multiple_of(2) { (W::from(q) * W::from(q + 1)) >> 1 } else { (W::from(q) * W::from(q)) << 1 }
}

/// Appends the bases of the canonical k-mer with the number `token`: the inverse of [`name`].
///
/// q is found by bisection, with `row(q) <= token < row(end)` at each step; what remains of the number is P. The first
/// half of the k-mer is P, and the second the reverse complement of q: its digits from the last on, each as `3 - digit`.
pub(super) fn spell(k: usize, token: KmerToken, bases: &mut Vec<u8>) {
    let (mut q, mut end) = (0, 1_u16 << (k / 2 * 2));
    while q + 1 < end {
        let between = u16::midpoint(q, end);
        if row::<u32>(k, between) <= token { q = between } else { end = between }
    }
    let base = |number: u32, place: usize| BASES[((number >> (2 * place)) & 3) as usize];
    bases.extend((0..k.div_ceil(2)).rev().map(|place| base(token - row::<u32>(k, q), place)));
    bases.extend((0..k / 2).map(|place| base(!u32::from(q), place)));
}
