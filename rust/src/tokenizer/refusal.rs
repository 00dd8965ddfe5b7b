//! Errors at a symbol of a text: which it is, and where.

use crate::error::Error;

/// The error at the character that starts at byte `at` of a text, where there is no token for unknown symbols.
pub(super) fn unknown_symbol(text: &str, at: usize) -> Error {
    let reason = "is not in the vocabulary, which has no unknown token for such symbols";
    refused_symbol("sequence", text[..at].chars().count(), text.as_bytes()[at], reason)
}

/// The error at a symbol: `position` in characters from the start of the record, and its first byte.
pub(crate) fn refused_symbol(
    record: impl Into<String>,
    position: usize,
    byte: u8,
    reason: impl Into<String>,
) -> Error {
    let (record, reason) = (record.into(), reason.into());
    Error::Symbol { file: None, line: None, record, position: position as u64, byte, reason }
}
