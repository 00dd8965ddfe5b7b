//! Checksums of structured contents: BLAKE3 over parts whose lengths are part of the sum.
//!
//! Each part goes in with its length in front, so that bytes which move from one part to the next change the sum.

/// Numbers that are turned into bytes at a time.
const RUN: usize = 1024;

/// A checksum in the making.
#[derive(Debug, Default)]
pub struct Checksum {
    hasher: blake3::Hasher,
}

impl Checksum {
    /// The checksum of nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes, and how many they are.
    pub fn add_sized(&mut self, bytes: &[u8]) {
        self.add_number(bytes.len() as u64);
        self.hasher.update(bytes);
    }

    /// Adds a number, as eight bytes, little-endian.
    pub fn add_number(&mut self, number: u64) {
        self.hasher.update(&number.to_le_bytes());
    }

    /// Adds numbers, and how many they are.
    pub fn add_numbers(&mut self, mut numbers: impl ExactSizeIterator<Item = u64>) {
        self.add_number(numbers.len() as u64);
        let mut run = [0; 8 * RUN];
        while numbers.len() > 0 {
            let mut filled = 0;
            for (place, number) in run.chunks_exact_mut(8).zip(numbers.by_ref().take(RUN)) {
                place.copy_from_slice(&number.to_le_bytes());
                filled += 8;
            }
            self.hasher.update(&run[..filled]);
        }
    }

    /// The first `bytes` bytes of the sum, in hexadecimal digits; 32 at most.
    pub fn digits(&self, bytes: usize) -> String {
        self.hasher.finalize().to_hex()[..2 * bytes].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(fill: impl FnOnce(&mut Checksum)) -> String {
        let mut sum = Checksum::new();
        fill(&mut sum);
        sum.digits(16)
    }

    #[test]
    fn numbers_count_one_by_one_and_in_order() {
        for count in [0, 1, RUN - 1, RUN, RUN + 1, 3 * RUN + 7] {
            let numbers: Vec<u64> = (0..count as u64).map(|number| number * number).collect();
            let whole = sum(|sum| sum.add_numbers(numbers.iter().copied()));
            let each = sum(|sum| {
                sum.add_number(count as u64);
                numbers.iter().for_each(|&number| sum.add_number(number));
            });
            assert_eq!(whole, each);
            assert_eq!(whole.len(), 32);
        }
        assert_ne!(
            sum(|sum| sum.add_numbers([1, 2].into_iter())),
            sum(|sum| sum.add_numbers([2, 1].into_iter()))
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        let parted = |parts: [&[u8]; 2]| sum(|sum| parts.iter().for_each(|part| sum.add_sized(part)));
        assert_ne!(parted([b"ab", b"c"]), parted([b"a", b"bc"]));
        assert_ne!(parted([b"", b"abc"]), parted([b"abc", b""]));
    }
}
