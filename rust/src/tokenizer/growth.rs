//! How much longer a normalizer may make a text: bounded before any text is touched.
//!
//! A file is not trusted: a chain of short replacements can be an exponential bomb. Its worst case is computed from the steps
//! alone, so that what passes needs at most 16 times the memory of the text.

use super::normalizer::NormalizerStep;
use super::pattern::{Count, Others, Pattern};

/// Steps of a normalizer at most: each goes through the whole text.
const MAX_STEPS: usize = 256;
/// Bytes that one byte of a text may become at most, and bytes that are put in front of it.
const MAX_GROWTH: u64 = 16;
const MAX_IN_FRONT: u64 = 4096;

/// Why these steps are not carried out, if so.
///
/// A replacement may double a character, and a chain of thirty makes a gigabyte of it. What each character becomes at most
/// is known from the last step on backwards: what it becomes in a step, by what the later ones make of that.
///
/// Of `A` to `CC`, then `C` to `AAA`: after the last step each is one byte; before it a `C` is three; before the first an `A` is
/// two `C`, six bytes.
pub(super) fn excess(steps: &[NormalizerStep]) -> Option<String> {
    if steps.len() > MAX_STEPS {
        return Some(format!("its normalizer has {} steps; up to {MAX_STEPS} are supported", steps.len()));
    }
    let mut growth = Growth { ascii: [1; 128], other: 4, front: 0 };
    steps.iter().rev().for_each(|step| growth.before(step));
    let most = growth.ascii.into_iter().fold(growth.other / 4, u64::max);
    if most > MAX_GROWTH {
        return Some(format!(
            "its normalizer may make a text {most} times as long; up to {MAX_GROWTH} times is supported"
        ));
    }
    (growth.front > MAX_IN_FRONT).then(|| {
        format!("its normalizer puts {} bytes in front; up to {MAX_IN_FRONT} are supported", growth.front)
    })
}

/// How many bytes characters become at most in the steps from some step on; after the last step each is its own bytes.
struct Growth {
    /// Each of ASCII.
    ascii: [u64; 128],
    /// Any other.
    other: u64,
    /// What is put in front.
    front: u64,
}

impl Growth {
    /// Of a string: the sum over its characters.
    fn of(&self, text: &str) -> u64 {
        let one = |character| {
            let ascii = usize::try_from(u32::from(character)).ok().and_then(|code| self.ascii.get(code));
            ascii.copied().unwrap_or(self.other)
        };
        text.chars().map(one).fold(0, u64::saturating_add)
    }

    /// Goes back before a step: `self` says what becomes of characters after it, and then before it.
    fn before(&mut self, step: &NormalizerStep) {
        match step {
            NormalizerStep::Strip { .. } | NormalizerStep::AsciiOnly(_) => {}
            NormalizerStep::Prepend(front) => self.front = self.front.saturating_add(self.of(front)),
            NormalizerStep::Lowercase => {
                // One character, of ASCII or not; the lower case of `İ` is `i` and a dot.
                let ascii = self.ascii.into_iter().fold(0, u64::max);
                self.other = ascii.saturating_add(self.other);
                self.ascii = std::array::from_fn(|code| {
                    self.ascii[u8::try_from(code).map_or(code, |byte| byte.to_ascii_lowercase().into())]
                });
            }
            NormalizerStep::Replace { pattern, content } => {
                let content = self.of(content);
                let (is_in, may_hold_other): (Box<dyn Fn(char) -> bool>, bool) = match pattern {
                    Pattern::Class(class, _) => {
                        (Box::new(|character| class.holds(character)), class.others != Others::No)
                    }
                    Pattern::Text(text) => (Box::new(|character| text.contains(character)), !text.is_ascii()),
                    Pattern::Empty => (Box::new(|_| false), false),
                };
                // A match of several characters is put to the account of each: more than there can be.
                let is_whole = matches!(pattern, Pattern::Class(_, Count::One));
                for (code, bytes) in (0_u8..).zip(&mut self.ascii) {
                    if is_in(code.into()) {
                        *bytes = if is_whole { content } else { content.max(*bytes) };
                    }
                }
                if may_hold_other {
                    self.other = self.other.max(content);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::normalizer::tests::replace;

    #[test]
    fn growth_is_bounded_where_it_is_real() {
        let double = |times| vec![vec![replace("A", "CC"), replace("C", "AA")]; times].concat();
        assert_eq!(excess(&double(2)), None);
        assert!(excess(&double(15)).unwrap().contains("times as long"));
        let codes = b"URYSWKMBDHV".map(|code| replace(&char::from(code).to_string(), "<unk>"));
        assert_eq!(excess(&codes), None, "what one of them puts in no other takes out");
        let many = vec![NormalizerStep::Lowercase; 257];
        assert!(excess(&many).unwrap().contains("257 steps"));
        assert_eq!(excess(&many[..10]), None);
        assert!(excess(&[NormalizerStep::Prepend("_".repeat(5000))]).unwrap().contains("in front"));
    }
}
