//! Names for sequences that come from the sequences themselves.
//!
//! The digest of the refget standard (GA4GH refget 2.0, `sha512t24u`): the first 24 bytes of SHA-512 over the letters in
//! upper case, in the URL-safe alphabet of base 64, after `SQ.`. A re-wrapped, compressed or soft-masked file has the
//! same digests. About 0.5 GB/s, so it is computed only when asked for.

use std::path::PathBuf;

use sha2::{Digest, Sha512};

/// Letters that are put into upper case at a time.
const BLOCK: usize = 4096;
/// Bytes of the sum that are kept.
const KEPT_BYTES: usize = 24;
/// Base 64 as in URLs.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A whole record, whatever part of it became rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDigest {
    /// The file.
    pub file: PathBuf,
    /// The record's name.
    pub record: String,
    /// Letters in it.
    pub length: u64,
    /// `SQ.` and 32 characters.
    pub digest: String,
}

/// A digest in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Refget {
    sum: Sha512,
}

impl Refget {
    /// Adds letters, in either case.
    pub(super) fn update(&mut self, letters: &[u8]) {
        let mut block = [0; BLOCK];
        for part in letters.chunks(BLOCK) {
            let upper = &mut block[..part.len()];
            upper.copy_from_slice(part);
            upper.make_ascii_uppercase();
            self.sum.update(upper);
        }
    }

    /// The digest of the letters so far, and a new start.
    pub(super) fn finish(&mut self) -> String {
        let sum = std::mem::take(&mut self.sum).finalize();
        let mut text = String::from("SQ.");
        for three in sum[..KEPT_BYTES].chunks(3) {
            let bits = three.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
            text.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        let digest = |letters: &[u8]| {
            let mut refget = Refget::default();
            letters.chunks(3).for_each(|part| refget.update(part));
            refget.finish()
        };
        // Both are printed in the specification of GA4GH digests.
        assert_eq!(digest(b"ACGT"), "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2");
        assert_eq!(digest(b""), "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc");
        assert_eq!(digest(b"acgT"), digest(b"ACGT"));
        assert_eq!(digest(&b"ac".repeat(9_000)), digest(&b"AC".repeat(9_000)));
    }
}
