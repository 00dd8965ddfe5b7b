//! The normalizer of a file.
//!
//! Each of Hugging Face's that can be said of ASCII becomes steps of [`crate::tokenizer::normalizer`]; those that follow
//! Unicode's tables leave ASCII alone and are unknown outside it:
//!
//! | type | steps |
//! |---|---|
//! | `Sequence` | those of its parts, in order |
//! | `Strip`, `Replace`, `Lowercase`, `Prepend` | one each, exact for all of Unicode, but for classes that are unclear outside ASCII |
//! | `NFC`, `NFD`, `NFKC`, `NFKD`, `StripAccents` | one that leaves ASCII alone |
//! | `Nmt`, `BertNormalizer` | one that leaves ASCII alone, then replacements of control characters and white space |
//!
//! Any other type is refused.

use serde_json::Value;

use super::fields::{self, flag, kind, list, refuse, string};
use crate::error::Result;
use crate::tokenizer::normalizer::NormalizerStep;
use crate::tokenizer::pattern::{CharacterClass, Count, Others, Pattern};

const PART: &str = "normalizer";

/// The steps of a normalizer, in order; those of a sequence become one list.
pub(super) fn read(normalizer: Option<&Value>) -> Result<Vec<NormalizerStep>> {
    let Some(normalizer) = normalizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let name = kind(PART, normalizer)?;
    Ok(match name {
        "Sequence" => {
            let parts = list(PART, normalizer, "normalizers")?.iter();
            parts.map(|part| read(Some(part))).collect::<Result<Vec<_>>>()?.concat()
        }
        "Strip" => vec![NormalizerStep::Strip {
            left: flag(PART, normalizer, "strip_left")?,
            right: flag(PART, normalizer, "strip_right")?,
        }],
        "Replace" => vec![NormalizerStep::Replace {
            pattern: match pattern(PART, normalizer)? {
                Pattern::Empty => return refuse("normalizer Replace has an empty pattern"),
                pattern => pattern,
            },
            content: string(PART, normalizer, "content")?.to_owned(),
        }],
        "Lowercase" => vec![NormalizerStep::Lowercase],
        "Prepend" => vec![NormalizerStep::Prepend(string(PART, normalizer, "prepend")?.to_owned())],
        "NFC" | "NFD" | "NFKC" | "NFKD" | "StripAccents" => vec![NormalizerStep::AsciiOnly(name.to_owned())],
        "Nmt" => nmt(),
        "BertNormalizer" => bert(normalizer)?,
        _ => return refuse(format!("normalizer is {name:?}, which genotok does not support")),
    })
}

/// What the field `pattern` of a part looks for.
pub(super) fn pattern(part: &str, object: &Value) -> Result<Pattern> {
    let (text, is_regex) = fields::pattern(part, object)?;
    if !is_regex {
        return Ok(Pattern::text(text));
    }
    match Pattern::regex(text) {
        Some(pattern) => Ok(pattern),
        None => refuse(format!(
            "{part} has the pattern {text:?}; of regular expressions genotok supports one character or class of them, \
             alone or with + or {{n,}} behind it"
        )),
    }
}

/// Characters that become a string.
fn replace(is_in: impl Fn(char) -> bool, content: &str) -> NormalizerStep {
    let pattern = Pattern::Class(CharacterClass::of(is_in, Others::No), Count::One);
    NormalizerStep::Replace { pattern, content: content.to_owned() }
}

/// `Nmt`: control characters go, other white space becomes spaces.
fn nmt() -> Vec<NormalizerStep> {
    let is_control =
        |character| matches!(character, '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}');
    let is_space = |character| matches!(character, '\t' | '\n' | '\u{c}' | '\r');
    vec![NormalizerStep::AsciiOnly("Nmt".to_owned()), replace(is_control, ""), replace(is_space, " ")]
}

/// `BertNormalizer`: what it does to ASCII; Chinese characters and accents are outside it.
fn bert(normalizer: &Value) -> Result<Vec<NormalizerStep>> {
    let is_space = |character| matches!(character, '\t' | '\n' | '\r');
    let mut steps = vec![NormalizerStep::AsciiOnly("BertNormalizer".to_owned())];
    if flag(PART, normalizer, "clean_text")? {
        steps.push(replace(|character| character.is_ascii_control() && !is_space(character), ""));
        steps.push(replace(is_space, " "));
    }
    if flag(PART, normalizer, "lowercase")? {
        steps.push(NormalizerStep::Lowercase);
    }
    Ok(steps)
}
