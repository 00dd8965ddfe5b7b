//! The normalizer of a file.

use serde_json::Value;

use super::fields::{flag, kind, list, refuse, string};
use crate::error::Result;
use crate::tokenizer::normalizer::Step;
use crate::tokenizer::pattern::{Class, Count, Others, Pattern};

/// The steps of a normalizer, in order.
pub(super) fn read(normalizer: Option<&Value>) -> Result<Vec<Step>> {
    let Some(normalizer) = normalizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let name = kind("normalizer", normalizer)?;
    Ok(match name {
        "Sequence" => {
            let parts = list("normalizer", normalizer, "normalizers")?.iter();
            parts.map(|part| read(Some(part))).collect::<Result<Vec<_>>>()?.concat()
        }
        "Strip" => vec![Step::Strip {
            left: flag("normalizer", normalizer, "strip_left")?,
            right: flag("normalizer", normalizer, "strip_right")?,
        }],
        "Replace" => vec![Step::Replace {
            pattern: match pattern("normalizer", normalizer)? {
                Pattern::Empty => return refuse("normalizer Replace has an empty pattern"),
                pattern => pattern,
            },
            content: string("normalizer", normalizer, "content")?.to_owned(),
        }],
        "Lowercase" => vec![Step::Lowercase],
        "Prepend" => vec![Step::Prepend(string("normalizer", normalizer, "prepend")?.to_owned())],
        "NFC" => vec![Step::AsciiOnly("NFC")],
        "NFD" => vec![Step::AsciiOnly("NFD")],
        "NFKC" => vec![Step::AsciiOnly("NFKC")],
        "NFKD" => vec![Step::AsciiOnly("NFKD")],
        "StripAccents" => vec![Step::AsciiOnly("StripAccents")],
        "Nmt" => nmt(),
        "BertNormalizer" => bert(normalizer)?,
        _ => return refuse(format!("normalizer is {name:?}, which genotok does not support")),
    })
}

/// What `pattern` of a part looks for.
pub(super) fn pattern(part: &str, object: &Value) -> Result<Pattern> {
    let pattern = object.get("pattern").unwrap_or(&Value::Null);
    if let Some(text) = pattern.get("String").and_then(Value::as_str) {
        return Ok(Pattern::text(text));
    }
    let Some(source) = pattern.get("Regex").and_then(Value::as_str) else {
        return refuse(format!("{part} has no pattern that is a String or a Regex"));
    };
    match Pattern::regex(source) {
        Some(pattern) => Ok(pattern),
        None => refuse(format!(
            "{part} has the pattern {source:?}; of regular expressions genotok supports one character or class of them, \
             alone or with + or {{n,}} behind it"
        )),
    }
}

/// Characters that become a string.
fn replace(is_in: impl Fn(char) -> bool, content: &str) -> Step {
    let pattern = Pattern::Class(Class::of(is_in, Others::No), Count::One);
    Step::Replace { pattern, content: content.to_owned() }
}

fn nmt() -> Vec<Step> {
    let is_control =
        |character| matches!(character, '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}');
    let is_space = |character| matches!(character, '\t' | '\n' | '\u{c}' | '\r');
    vec![Step::AsciiOnly("Nmt"), replace(is_control, ""), replace(is_space, " ")]
}

fn bert(normalizer: &Value) -> Result<Vec<Step>> {
    let is_space = |character| matches!(character, '\t' | '\n' | '\r');
    let mut steps = vec![Step::AsciiOnly("BertNormalizer")];
    if flag("normalizer", normalizer, "clean_text")? {
        steps.push(replace(|character| character.is_ascii_control() && !is_space(character), ""));
        steps.push(replace(is_space, " "));
    }
    if flag("normalizer", normalizer, "lowercase")? {
        steps.push(Step::Lowercase);
    }
    Ok(steps)
}
