//! Ids of k-mers in 16 or in 32 bits: the arithmetic that names need, in as narrow numbers as the vocabulary allows.

use std::ops::{Add, BitOr, Mul, Shl, Shr, Sub};

/// The number of a token among k-mers and letters, before special tokens are counted.
pub type Token = u32;

/// How wide an id is: 16 or 32 bits.
pub trait Width:
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
    /// The number, which must fit.
    fn of(number: u32) -> Self;
}

impl Width for u16 {
    #[allow(clippy::cast_possible_truncation)] // callers look at the size of the vocabulary first
    fn of(number: u32) -> Self {
        debug_assert!(number <= u32::from(Self::MAX), "the vocabulary does not fit");
        number as Self
    }
}

impl Width for u32 {
    fn of(number: u32) -> Self {
        number
    }
}
