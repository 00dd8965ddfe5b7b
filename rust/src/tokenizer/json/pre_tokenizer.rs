//! The pre-tokenizer of a file whose model is BPE.
//!
//! Where it would cut is told as rules about neighbouring characters ([`crate::tokenizer::splitting`]): that is enough as long
//! as no cut falls between characters that merges join. `words` reads the same part for models that look words up, where every
//! cut counts.
//!
//! | type | rules |
//! |---|---|
//! | `Sequence` | those of its parts |
//! | `Whitespace` | white space vanishes; cuts between `\w` and everything else |
//! | `WhitespaceSplit` | white space vanishes |
//! | `BertPreTokenizer` | white space vanishes; punctuation stands alone |
//! | `Punctuation`, `Split` | by `behavior`: the class vanishes, stands alone, has cuts at its borders, or beside it |
//! | `Digits` | digits stand alone, or have cuts at their borders |
//! | `CharDelimiterSplit` | the delimiter vanishes |
//! | `ByteLevel` | cuts of GPT-2's expression, unless `use_regex` is off; then bytes |

use serde_json::Value;

use super::fields::{flag, kind, list, refuse, show, string};
use super::normalizer::pattern;
use crate::error::Result;
use crate::tokenizer::pattern::{CharacterClass, Count, Others, Pattern};
use crate::tokenizer::splitting::{SplitRule, Splitting};
use crate::tokenizer::words::Behavior;

const PART: &str = "pre_tokenizer";

/// What the pre-tokenizers do, in order. Classes whose members outside ASCII are Unicode's to say are marked unclear.
pub(super) fn read(pre_tokenizer: Option<&Value>) -> Result<Vec<SplitRule>> {
    let Some(value) = pre_tokenizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let punctuation = || CharacterClass::of(|character| character.is_ascii_punctuation(), Others::Unclear);
    Ok(match kind(PART, value)? {
        "Sequence" => sequence(list(PART, value, "pretokenizers")?)?,
        "Whitespace" => Splitting::white_space_and_words(),
        "WhitespaceSplit" => Splitting::white_space(),
        "BertPreTokenizer" => [Splitting::white_space(), vec![SplitRule::Isolate(punctuation())]].concat(),
        "Punctuation" => {
            let behavior = value.get("behavior").map(read_behavior).transpose()?;
            rules(behavior.unwrap_or(Behavior::Isolated), punctuation(), Count::One)
        }
        "Digits" => {
            let digits = CharacterClass::of(|character| character.is_ascii_digit(), Others::Unclear);
            let alone = flag(PART, value, "individual_digits")?;
            vec![if alone { SplitRule::Isolate(digits) } else { SplitRule::Border(digits) }]
        }
        "CharDelimiterSplit" => match Pattern::text(string(PART, value, "delimiter")?) {
            Pattern::Class(class, Count::One) => vec![SplitRule::Drop(class)],
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

/// Rules of a file at most: each character outside ASCII is asked by all of them.
const MAX_RULES: usize = 256;

/// One after the other. The rules of all together are a union: each cuts what the ones before left, and cuts do not undo each
/// other. After bytes have been made characters, nothing else can be said.
fn sequence(parts: &[Value]) -> Result<Vec<SplitRule>> {
    let mut rules = Vec::new();
    for part in parts {
        if rules.contains(&SplitRule::Bytes) {
            return refuse(
                "pre_tokenizer Sequence continues after ByteLevel, which genotok does not support",
            );
        }
        rules.extend(read(Some(part))?);
        if rules.len() > MAX_RULES {
            return refuse(format!("its pre_tokenizer has more than {MAX_RULES} parts"));
        }
    }
    Ok(rules)
}

/// `Split` by one character or class, or runs of them.
fn split(value: &Value) -> Result<Vec<SplitRule>> {
    let (class, count) = match pattern(PART, value)? {
        // Found between any two characters: each stands alone.
        Pattern::Empty => (CharacterClass::of(|_| true, Others::Yes), Count::One),
        Pattern::Class(class, count @ (Count::One | Count::AtLeast(1))) => (class, count),
        Pattern::Class(..) | Pattern::Text(_) => {
            return refuse(
                "pre_tokenizer Split has a pattern of several characters, which genotok does not support",
            );
        }
    };
    let behavior = value.get("behavior").unwrap_or(&Value::Null);
    match (flag(PART, value, "invert")?, count) {
        (false, _) => Ok(rules(read_behavior(behavior)?, class, count)),
        // What a run is not, is a run too.
        (true, Count::AtLeast(_)) => Ok(rules(read_behavior(behavior)?, class.negated(), count)),
        (true, Count::One) => match behavior.as_str() {
            Some("Removed") => Ok(vec![SplitRule::Drop(class.negated()), SplitRule::Isolate(class)]),
            _ => {
                refuse("pre_tokenizer Split is inverted, which genotok does not support of single characters")
            }
        },
    }
}

/// What becomes of the matches of a class, one by one or in runs.
fn rules(behavior: Behavior, class: CharacterClass, count: Count) -> Vec<SplitRule> {
    vec![match (behavior, count) {
        (Behavior::Removed, _) => SplitRule::Drop(class),
        (Behavior::Isolated, Count::One) => SplitRule::Isolate(class),
        (Behavior::Isolated | Behavior::Contiguous, _) => SplitRule::Border(class),
        (Behavior::MergedWithPrevious | Behavior::MergedWithNext, _) => SplitRule::Beside(class),
    }]
}

/// A `behavior`, by its name.
pub(super) fn read_behavior(behavior: &Value) -> Result<Behavior> {
    Ok(match behavior.as_str() {
        Some("Isolated") => Behavior::Isolated,
        Some("Removed") => Behavior::Removed,
        Some("Contiguous") => Behavior::Contiguous,
        Some("MergedWithPrevious") => Behavior::MergedWithPrevious,
        Some("MergedWithNext") => Behavior::MergedWithNext,
        _ => return refuse(format!("pre_tokenizer has the behavior {}, which is none", show(behavior))),
    })
}

/// `ByteLevel`: GPT-2's regular expression, unless it is turned off, then bytes.
fn byte_level(value: &Value) -> Result<Vec<SplitRule>> {
    if flag(PART, value, "add_prefix_space")? {
        return refuse("pre_tokenizer ByteLevel has add_prefix_space, which genotok does not support");
    }
    let splits = value.get("use_regex").is_none() || flag(PART, value, "use_regex")?;
    Ok(if splits { vec![SplitRule::Gpt2, SplitRule::Bytes] } else { vec![SplitRule::Bytes] })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_behavior_has_its_name() {
        let names = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"];
        for name in names {
            assert_eq!(format!("{:?}", read_behavior(&json!(name)).unwrap()), name);
        }
        for other in [json!("isolated"), json!(null), json!(1)] {
            assert!(read_behavior(&other).unwrap_err().to_string().contains("which is none"));
        }
    }
}
