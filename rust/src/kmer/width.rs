//! Ids of k-mers in 16 or in 32 bits.
//!
//! Names are computed in the width in which ids are stored: in 16 bits a vector instruction names twice as many k-mers.

use std::ops::{Add, BitOr, Mul, Shl, Shr, Sub};

/// The number of a token among k-mers and single bases, from 0; ids also count the special tokens.
pub type KmerToken = u32;

/// How wide an id is: 16 or 32 bits, with the arithmetic that [`Kmer`](super::Kmer) names k-mers with.
pub trait IdWidth:
    Copy
    + Default
    + Ord
    + Send
    + Sync
    + From<u16>
    + Into<u32>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + BitOr<Output = Self>
    + Shl<usize, Output = Self>
    + Shr<usize, Output = Self>
    + 'static
{
    /// The number, which must fit: only debug builds look.
    fn of(number: u32) -> Self;
}

impl IdWidth for u16 {
    #[allow(clippy::cast_possible_truncation)] // callers look at the size of the vocabulary first
    fn of(number: u32) -> Self {
        debug_assert!(number <= u32::from(Self::MAX), "the vocabulary does not fit");
        number as Self
    }
}

impl IdWidth for u32 {
    fn of(number: u32) -> Self {
        number
    }
}
