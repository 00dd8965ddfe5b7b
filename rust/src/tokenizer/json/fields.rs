//! Taking fields out of the parts of a file, with errors that name both.

use serde_json::Value;

use crate::error::{Error, Result, show_text};

/// An error of a file.
pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::vocabulary(reason))
}

/// A value in a message.
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

/// A field that is a string.
pub(super) fn string<'a>(part: &str, object: &'a Value, key: &str) -> Result<&'a str> {
    match object.get(key).and_then(Value::as_str) {
        Some(text) => Ok(text),
        None => refuse(format!("{part} has no {key} that is a string")),
    }
}

/// A field that is a list.
pub(super) fn list<'a>(part: &str, object: &'a Value, key: &str) -> Result<&'a [Value]> {
    match object.get(key).and_then(Value::as_array) {
        Some(list) => Ok(list),
        None => refuse(format!("{part} has no {key} that is a list")),
    }
}

/// A field that is true or false, and must be there.
pub(super) fn flag(part: &str, object: &Value, key: &str) -> Result<bool> {
    match object.get(key).and_then(Value::as_bool) {
        Some(flag) => Ok(flag),
        None => refuse(format!("{part} has no {key} that is true or false")),
    }
}

/// A field that is true or false; false if it is missing or null.
pub(super) fn flag_or_false(part: &str, object: &Value, key: &str) -> Result<bool> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(_) => flag(part, object, key),
    }
}
