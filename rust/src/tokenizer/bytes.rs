//! Bytes as characters: how `ByteLevel` shows the 256 bytes to a model, after GPT-2.
//!
//! Printable bytes of Latin-1 are themselves; the others, space and controls among them, are the characters from
//! U+0100 on, in order: a space is `Ġ`.

/// Whether a byte is shown as the Latin-1 character of its number.
fn is_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The byte that a character stands for; `None` for the characters that stand for none, such as a space.
pub(super) fn byte_of(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ 0..=255 => u8::try_from(code).ok().filter(|&byte| is_itself(byte)),
        code => (0..=255)
            .filter(|&byte| !is_itself(byte))
            .zip(256..)
            .find(|&(_, other)| other == code)
            .map(|(byte, _)| byte),
    }
}

/// Appends the bytes that a token stands for; a token with a character that stands for none is taken as it is.
pub(super) fn extend(bytes: &mut Vec<u8>, token: &str) {
    match token.chars().map(byte_of).collect::<Option<Vec<u8>>>() {
        Some(stood_for) => bytes.extend(stood_for),
        None => bytes.extend(token.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        assert_eq!(byte_of('A'), Some(b'A'));
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
        assert_eq!(byte_of(' '), None);
        let characters = (0..0x200).filter_map(char::from_u32);
        let mut bytes: Vec<u8> = characters.filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }
}
