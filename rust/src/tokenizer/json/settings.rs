//! What a file says of truncation and padding, as transformers writes it back after use.
//!
//! They have no part in what is encoded: every sequence is encoded whole. They are checked, since Hugging Face refuses
//! a file in which they are malformed, shown to callers, and written again.

use serde_json::Value;

use super::fields::{field, refuse, show, string};
use crate::error::Result;

/// The keys of the two.
pub(in crate::tokenizer) const SETTINGS: [&str; 2] = ["truncation", "padding"];

/// Fails unless both are missing, null, or as Hugging Face reads them: a file is refused here exactly where it is there.
pub(super) fn check(document: &Value) -> Result<()> {
    for part in SETTINGS {
        match document.get(part) {
            None | Some(Value::Null) => {}
            Some(Value::Object(_)) if part == "truncation" => check_truncation(&document[part])?,
            Some(Value::Object(_)) => check_padding(&document[part])?,
            Some(other) => return refuse(format!("{part} is {}, not an object", show(other))),
        }
    }
    Ok(())
}

/// `max_length`, `stride`, `strategy`, `direction`: all of them, as Hugging Face demands.
fn check_truncation(value: &Value) -> Result<()> {
    const PART: &str = "truncation";
    one_of(PART, value, "direction", &["Left", "Right"])?;
    one_of(PART, value, "strategy", &["LongestFirst", "OnlyFirst", "OnlySecond"])?;
    number(PART, value, "max_length")?;
    number(PART, value, "stride")
}

/// `strategy` is `"BatchLongest"` or `{"Fixed": length}`; `pad_to_multiple_of` may be missing or null.
fn check_padding(value: &Value) -> Result<()> {
    const PART: &str = "padding";
    match value.get("strategy").and_then(|strategy| strategy.get("Fixed")) {
        Some(_) => number(PART, &value["strategy"], "Fixed")?,
        None => one_of(PART, value, "strategy", &["BatchLongest"])?,
    }
    one_of(PART, value, "direction", &["Left", "Right"])?;
    if value.get("pad_to_multiple_of").is_some_and(|multiple| !multiple.is_null()) {
        number(PART, value, "pad_to_multiple_of")?;
    }
    number(PART, value, "pad_id")?;
    number(PART, value, "pad_type_id")?;
    string(PART, value, "pad_token").map(drop)
}

/// Fails unless the field is one of these names.
fn one_of(part: &str, value: &Value, key: &str, names: &[&str]) -> Result<()> {
    let is_one = |name: &&str| names.contains(name);
    field(part, value, key, &names.join(" or "), |value| value.as_str().filter(is_one)).map(drop)
}

/// Fails unless the field is a number from 0 on.
fn number(part: &str, value: &Value, key: &str) -> Result<()> {
    field(part, value, key, "a number from 0 on", Value::as_u64).map(drop)
}
