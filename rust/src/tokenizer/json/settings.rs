//! What a file says of truncation and padding, as transformers writes it back after use.
//!
//! They have no part in what is encoded: every sequence is encoded whole. They are checked, since Hugging Face refuses
//! a file in which they are malformed, told, and written again.

use serde_json::Value;

use super::fields::{refuse, show};
use crate::error::Result;

/// The keys of the two.
pub(in crate::tokenizer) const SETTINGS: [&str; 2] = ["truncation", "padding"];

/// Fails unless both are missing, null, or as Hugging Face reads them.
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

fn check_truncation(value: &Value) -> Result<()> {
    const PART: &str = "truncation";
    one_of(PART, value, "direction", &["Left", "Right"])?;
    one_of(PART, value, "strategy", &["LongestFirst", "OnlyFirst", "OnlySecond"])?;
    number(PART, value, "max_length")?;
    number(PART, value, "stride")
}

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
    match value.get("pad_token") {
        Some(Value::String(_)) => Ok(()),
        _ => refuse("padding has no pad_token that is a string"),
    }
}

fn one_of(part: &str, value: &Value, key: &str, names: &[&str]) -> Result<()> {
    let name = value.get(key).and_then(Value::as_str);
    if name.is_some_and(|name| names.contains(&name)) {
        return Ok(());
    }
    refuse(format!("{part} has no {key} that is {}", names.join(" or ")))
}

fn number(part: &str, value: &Value, key: &str) -> Result<()> {
    if value.get(key).is_some_and(Value::is_u64) {
        return Ok(());
    }
    refuse(format!("{part} has no {key} that is a number from 0 on"))
}
