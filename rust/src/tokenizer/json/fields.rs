//! Taking fields out of the parts of a file, with errors that name both.
//!
//! A part is an object such as `pre_tokenizer`; its name stands at the front of every message, so that a user finds the place.

use serde_json::Value;

use crate::error::{Error, Result, show_text};

/// An error of a file.
pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::vocabulary(reason))
}

/// A value in a message: short, whatever it holds, since a file may be 64 MiB of it.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => show_text(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(object) => {
            let kind = object.get("type").and_then(Value::as_str);
            kind.map_or_else(|| "an object".to_owned(), show_text)
        }
        other => show_text(&other.to_string()),
    }
}

/// The type of a part.
pub(super) fn kind<'a>(part: &str, object: &'a Value) -> Result<&'a str> {
    match object.get("type").and_then(Value::as_str) {
        Some(kind) => Ok(kind),
        None => refuse(format!("{part} is {}, not an object with a type", show(object))),
    }
}

/// A field as `read` takes it; fails if it is missing or has another form than `form` says.
pub(super) fn field<'a, T>(
    part: &str,
    object: &'a Value,
    key: &str,
    form: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<T> {
    let value = object.get(key).and_then(read);
    value.map_or_else(|| refuse(format!("{part} has no {key} that is {form}")), Ok)
}

/// A field that is a string.
pub(super) fn string<'a>(part: &str, object: &'a Value, key: &str) -> Result<&'a str> {
    field(part, object, key, "a string", Value::as_str)
}

/// A field that is a list.
pub(super) fn list<'a>(part: &str, object: &'a Value, key: &str) -> Result<&'a [Value]> {
    field(part, object, key, "a list", |value| value.as_array().map(Vec::as_slice))
}

/// A field that is true or false, and must be there.
pub(super) fn flag(part: &str, object: &Value, key: &str) -> Result<bool> {
    field(part, object, key, "true or false", Value::as_bool)
}

/// A field that is true or false; false if it is missing or null.
pub(super) fn flag_or_false(part: &str, object: &Value, key: &str) -> Result<bool> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(_) => flag(part, object, key),
    }
}

/// The field `pattern`: its text, and whether that is a regular expression.
pub(super) fn pattern<'a>(part: &str, object: &'a Value) -> Result<(&'a str, bool)> {
    field(part, object, "pattern", "a String or a Regex", |pattern| {
        let text = |key| pattern.get(key).and_then(Value::as_str);
        text("String").map(|text| (text, false)).or_else(|| text("Regex").map(|text| (text, true)))
    })
}
