//! Which bytes may stand where, asked of many at once.

/// Whether `byte` is a space or a tab.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether `byte` may stand in a sequence.
pub(crate) fn is_symbol(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'*')
}

/// Whether `text` is nothing but A to Z in either case.
pub(crate) fn all_alphabetic(text: &[u8]) -> bool {
    all(text, u8::is_ascii_alphabetic)
}

/// Whether every byte of `text` is `legal`.
///
/// The blocks are fixed in length, so the inner loop has no branch and becomes vector instructions; the last block
/// overlaps the one before, so that no remainder is left for a loop over single bytes.
#[inline]
pub(crate) fn all(text: &[u8], legal: impl Fn(&u8) -> bool) -> bool {
    const BLOCK: usize = 32;
    let all_in_block = |block: &[u8]| block.iter().fold(true, |all, byte| all & legal(byte));
    match text.last_chunk::<BLOCK>() {
        Some(last) => {
            text.as_chunks::<BLOCK>().0.iter().all(|block| all_in_block(block)) && all_in_block(last)
        }
        None => all_in_block(text),
    }
}
