//! Names as text, for names of any bytes.
//!
//! Tables, BED files, manifests and messages hold text, so a title becomes text before anyone sees it. UTF-8 stays as it
//! is. Each byte that is not UTF-8 (the `\xe9` of a name in Latin-1) is written as a backslash, `x` and two hexadecimal
//! digits in lower case, as Python's `backslashreplace` does. A backslash that happens to stand before `x` and two such
//! digits is written `\x5c`.
//!
//! So different names stay different: read from left to right, each `\xhh` stands for one byte and everything else for
//! itself, which gives the bytes back. None is taken for another by a region, a table of digests or a reader.

use std::borrow::Cow;

/// A name of any bytes as text: the name that tables and messages show, and by which a region finds it.
pub(crate) fn as_text(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(escaped(name)),
    }
}

/// Converts a title to text in place. Cost: one pass if nothing is to be escaped.
pub(super) fn make_text(title: &mut Vec<u8>) {
    let is_text = std::str::from_utf8(title).is_ok();
    if !is_text || (0..title.len()).any(|at| is_escape(&title[at..])) {
        *title = escaped(title).into_bytes();
    }
}

/// The title with each byte that is not UTF-8, and each backslash that could be taken for one, escaped.
fn escaped(title: &[u8]) -> String {
    let mut text = String::with_capacity(title.len() + 3);
    for chunk in title.utf8_chunks() {
        for (at, character) in chunk.valid().char_indices() {
            match character {
                '\\' if is_escape(&chunk.valid().as_bytes()[at..]) => text.push_str(r"\x5c"),
                character => text.push(character),
            }
        }
        let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        text.extend(chunk.invalid().iter().flat_map(|byte| ['\\', 'x', digit(byte >> 4), digit(byte & 15)]));
    }
    text
}

/// Whether text starts like an escaped byte.
fn is_escape(text: &[u8]) -> bool {
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    matches!(text, [b'\\', b'x', high, low, ..] if is_digit(high) && is_digit(low))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn text(title: &[u8]) -> String {
        let mut title = title.to_vec();
        make_text(&mut title);
        String::from_utf8(title).expect("UTF-8")
    }

    /// The bytes of a name, from its text.
    fn bytes(text: &str) -> Vec<u8> {
        let (mut rest, mut bytes) = (text.as_bytes(), Vec::new());
        while let Some(&first) = rest.first() {
            let (byte, length) = if is_escape(rest) {
                let digits = std::str::from_utf8(&rest[2..4]).expect("ASCII");
                (u8::from_str_radix(digits, 16).expect("digits"), 4)
            } else {
                (first, 1)
            };
            bytes.push(byte);
            rest = &rest[length..];
        }
        bytes
    }

    #[test]
    fn bytes_that_are_not_text_are_written_as_hexadecimal_digits() {
        assert_eq!(text(b"caf\xe9 au lait"), r"caf\xe9 au lait");
        assert_eq!(text("café".as_bytes()), "café");
        assert_eq!(text(r"a\b \x4 \xE9 \\".as_bytes()), r"a\b \x4 \xE9 \\");
        assert_eq!(text(br"\xe9\x"), r"\x5cxe9\x");
        assert_eq!(text(b"\xc3\xa9\xc3"), r"é\xc3");
        assert_eq!(as_text(b"\xe9"), r"\xe9");
        assert_eq!(as_text(br"\xe9"), r"\xe9"); // as a user writes what was shown
    }

    #[test]
    fn all_short_names_of_nasty_bytes_stay_different() {
        let mut names = vec![Vec::new()];
        for length in 0..6 {
            let longest: Vec<Vec<u8>> = names.iter().filter(|name| name.len() == length).cloned().collect();
            names.extend(
                longest.iter().flat_map(|name| b"\\xe9\xe9\xc3".map(|byte| [&name[..], &[byte]].concat())),
            );
        }
        let texts: BTreeMap<String, &Vec<u8>> = names.iter().map(|name| (text(name), name)).collect();
        assert_eq!(texts.len(), names.len());
    }

    proptest! {
        #[test]
        fn the_bytes_come_back(name in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'x'), Just(b'5')], 0..20)) {
            prop_assert_eq!(bytes(&text(&name)), name);
        }
    }
}
