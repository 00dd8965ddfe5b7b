//! The pre-tokenizer of a file.

use serde_json::Value;

use super::fields::{flag, kind, list, refuse, show, string};
use super::normalizer::pattern;
use crate::error::Result;
use crate::tokenizer::pattern::{Class, Count, Others, Pattern};
use crate::tokenizer::splitting::{Cut, Splitting};

const PART: &str = "pre_tokenizer";

/// What the pre-tokenizers do, in order.
pub(super) fn read(pre_tokenizer: Option<&Value>) -> Result<Vec<Cut>> {
    let Some(value) = pre_tokenizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let punctuation = || Class::of(|character| character.is_ascii_punctuation(), Others::Unclear);
    Ok(match kind(PART, value)? {
        "Sequence" => sequence(list(PART, value, "pretokenizers")?)?,
        "Whitespace" => Splitting::white_space_and_words(),
        "WhitespaceSplit" => Splitting::white_space(),
        "BertPreTokenizer" => [Splitting::white_space(), vec![Cut::Isolate(punctuation())]].concat(),
        "Punctuation" => {
            let default = Value::from("Isolated");
            behaviour(value.get("behavior").unwrap_or(&default), punctuation(), Count::One)?
        }
        "Digits" => {
            let digits = Class::of(|character| character.is_ascii_digit(), Others::Unclear);
            let alone = flag(PART, value, "individual_digits")?;
            vec![if alone { Cut::Isolate(digits) } else { Cut::Border(digits) }]
        }
        "CharDelimiterSplit" => match Pattern::text(string(PART, value, "delimiter")?) {
            Pattern::Class(class, Count::One) => vec![Cut::Drop(class)],
            _ => {
                return refuse(
                    "pre_tokenizer CharDelimiterSplit has no delimiter that is one ASCII character",
                );
            }
        },
        "Split" => split(value)?,
        "ByteLevel" => byte_level(value)?,
        _ => return refuse(format!("pre_tokenizer is {}, which genotok does not support", show(value))),
    })
}

/// Cuts of a file at most: each character outside ASCII is asked by all of them.
const MAX_CUTS: usize = 256;

/// One after the other; after bytes have been made characters, nothing else can be said.
fn sequence(parts: &[Value]) -> Result<Vec<Cut>> {
    let mut cuts = Vec::new();
    for part in parts {
        if cuts.contains(&Cut::Bytes) {
            return refuse("pre_tokenizer Sequence goes on after ByteLevel, which genotok does not support");
        }
        cuts.extend(read(Some(part))?);
        if cuts.len() > MAX_CUTS {
            return refuse(format!("its pre_tokenizer has more than {MAX_CUTS} parts"));
        }
    }
    Ok(cuts)
}

fn split(value: &Value) -> Result<Vec<Cut>> {
    let (class, count) = match pattern(PART, value)? {
        // Found between any two characters: each stands alone.
        Pattern::Empty => (Class::of(|_| true, Others::Yes), Count::One),
        Pattern::Class(class, count @ (Count::One | Count::AtLeast(1))) => (class, count),
        Pattern::Class(..) | Pattern::Text(_) => {
            return refuse(
                "pre_tokenizer Split has a pattern of several characters, which genotok does not support",
            );
        }
    };
    let behavior = value.get("behavior").unwrap_or(&Value::Null);
    match (flag(PART, value, "invert")?, count) {
        (false, _) => behaviour(behavior, class, count),
        // What a run is not, is a run too.
        (true, Count::AtLeast(_)) => behaviour(behavior, class.negated(), count),
        (true, Count::One) => match behavior.as_str() {
            Some("Removed") => Ok(vec![Cut::Drop(class.negated()), Cut::Isolate(class)]),
            _ => {
                refuse("pre_tokenizer Split is inverted, which genotok does not support of single characters")
            }
        },
    }
}

/// What becomes of the matches.
fn behaviour(behavior: &Value, class: Class, count: Count) -> Result<Vec<Cut>> {
    Ok(match (behavior.as_str(), count) {
        (Some("Removed"), _) => vec![Cut::Drop(class)],
        (Some("Isolated"), Count::One) => vec![Cut::Isolate(class)],
        (Some("Isolated" | "Contiguous"), _) => vec![Cut::Border(class)],
        (Some("MergedWithPrevious" | "MergedWithNext"), _) => vec![Cut::Beside(class)],
        _ => return refuse(format!("pre_tokenizer has the behavior {}, which is none", show(behavior))),
    })
}

fn byte_level(value: &Value) -> Result<Vec<Cut>> {
    if flag(PART, value, "add_prefix_space")? {
        return refuse("pre_tokenizer ByteLevel has add_prefix_space, which genotok does not support");
    }
    let splits = value.get("use_regex").is_none() || flag(PART, value, "use_regex")?;
    Ok(if splits { vec![Cut::Gpt2, Cut::Bytes] } else { vec![Cut::Bytes] })
}
