//! Digests of records, by which the same sequence is recognised under any name.
//!
//! The digest of the refget standard (GA4GH refget 2.0, `sha512t24u`): the first 24 bytes of SHA-512 over the symbols in
//! upper case, in URL-safe base 64, after `SQ.`. A re-wrapped, compressed or soft-masked file has the same digests. The
//! cost is about 2 ns per symbol, so digests are computed only on request.

use std::path::PathBuf;

use sha2::{Digest, Sha512};

/// Symbols that are converted to upper case together.
const BLOCK: usize = 4096;
/// Bytes of the hash that are kept; a multiple of three, so base 64 needs no padding.
const KEPT_BYTES: usize = 24;
/// The digits of URL-safe base 64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digest of a whole record, independent of the regions that became rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDigest {
    /// The file.
    pub file: PathBuf,
    /// The record's name.
    pub record: String,
    /// Its symbols.
    pub length: u64,
    /// `SQ.` and 32 characters.
    pub digest: String,
}

/// The refget digest of the symbols so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Refget {
    sum: Sha512,
}

impl Refget {
    /// Adds symbols, in either case.
    pub(super) fn update(&mut self, symbols: &[u8]) {
        let mut block = [0; BLOCK];
        for part in symbols.chunks(BLOCK) {
            let upper = &mut block[..part.len()];
            upper.copy_from_slice(part);
            upper.make_ascii_uppercase();
            self.sum.update(upper);
        }
    }

    /// Returns the digest and starts the next.
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
        let digest = |symbols: &[u8]| {
            let mut refget = Refget::default();
            symbols.chunks(3).for_each(|part| refget.update(part));
            refget.finish()
        };
        // Both are printed in the specification of GA4GH digests.
        assert_eq!(digest(b"ACGT"), "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2");
        assert_eq!(digest(b""), "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc");
        assert_eq!(digest(b"acgT"), digest(b"ACGT"));
        assert_eq!(digest(&b"ac".repeat(9_000)), digest(&b"AC".repeat(9_000)));
    }
}
