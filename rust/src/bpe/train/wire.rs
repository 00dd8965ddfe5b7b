//! Numbers as bytes, for what shards send each other: seven bits per byte, the lowest first, small
//! numbers short.
//!
//! The encoding is LEB128. Most counts of a pass are small, so that an answer is a fraction of the
//! table of counts. What arrives is not trusted: a number that does not end, or a count that the
//! bytes left cannot hold, is an error.

use crate::error::{Error, Result};

/// Appends a number: one byte below 128, ten at most.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: u64) {
    let mut left = number;
    while left >= 0x80 {
        bytes.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    bytes.push(left.to_le_bytes()[0]);
}

/// Takes numbers from the front of bytes; holds the bytes that are left.
#[derive(Debug)]
pub(super) struct VarintReader<'a>(pub(super) &'a [u8]);

impl<'a> VarintReader<'a> {
    /// The next number.
    pub(super) fn take(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(damaged)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    /// The next number, which must be below `end`.
    pub(super) fn below(&mut self, end: u64) -> Result<u64> {
        self.take().and_then(|number| if number < end { Ok(number) } else { Err(damaged()) })
    }

    /// The next number as a token below `end`.
    #[allow(clippy::cast_possible_truncation)] // below a number of 32 bits
    pub(super) fn token(&mut self, end: u32) -> Result<u32> {
        self.below(u64::from(end)).map(|number| number as u32)
    }

    /// How many things follow, each of at least a byte: so that no count makes the reader allocate
    /// more than it was sent.
    #[allow(clippy::cast_possible_truncation)] // not more than bytes in memory
    pub(super) fn count(&mut self) -> Result<usize> {
        self.below(self.0.len() as u64 + 1).map(|number| number as usize)
    }

    /// The next `count` bytes as they are.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Fails unless all bytes were taken.
    pub(super) fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

/// The error for bytes that no shard of this version sends.
pub(super) fn damaged() -> Error {
    Error::argument("answer", &"bytes", "is not what a shard of this version answers")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_short_and_all_come_back() {
        for (number, length) in [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (u64::MAX, 10)] {
            let mut bytes = vec![9];
            put_number(&mut bytes, number);
            assert_eq!(bytes.len(), 1 + length);
            let mut numbers = VarintReader(&bytes);
            assert_eq!((numbers.take().unwrap(), numbers.take().unwrap()), (9, number));
            numbers.end().unwrap();
            let mut cut = VarintReader(&bytes[1..length]);
            assert!(cut.take().is_err());
        }
        assert!(VarintReader(&[0x80; 11]).take().is_err(), "a number that does not end");
    }

    #[test]
    fn limits_are_exclusive_and_a_count_is_at_most_the_bytes_left() {
        assert!(VarintReader(&[5]).below(5).is_err() && VarintReader(&[5]).token(5).is_err());
        assert_eq!((VarintReader(&[5]).below(6).unwrap(), VarintReader(&[5]).token(6).unwrap()), (5, 5));
        assert_eq!(VarintReader(&[3, 0, 0, 0]).count().unwrap(), 3);
        assert!(VarintReader(&[5, 0, 0, 0]).count().is_err());
        let mut numbers = VarintReader(&[1, 2, 3]);
        assert_eq!(numbers.bytes(2).unwrap(), [1, 2]);
        assert!(numbers.end().is_err() && numbers.bytes(2).is_err());
        assert_eq!(numbers.bytes(1).unwrap(), [3]);
        numbers.end().unwrap();
    }
}
