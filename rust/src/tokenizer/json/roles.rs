//! The files beside a `tokenizer.json`: the roles of special tokens.
//!
//! transformers writes them into `special_tokens_map.json` and `tokenizer_config.json`, as `"pad_token": "[PAD]"` or
//! `"pad_token": {"content": "[PAD]", ...}`, and lists others in `additional_special_tokens`, `extra_special_tokens` and
//! `added_tokens_decoder`. Only names that the vocabulary has are of use, for the ids are those of the tokenizer.json
//! alone; a file of any other name has no such neighbours.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::file::read_text;
use super::strict;
use crate::error::Result;

/// The two files; the second, which transformers reads first today, has the last word.
const NEIGHBOURS: [&str; 2] = ["special_tokens_map.json", "tokenizer_config.json"];

/// What the files beside a tokenizer say of its special tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The token of each role, such as `pad_token`, by its name in the files.
    pub tokens: BTreeMap<String, String>,
    /// Other special tokens.
    pub others: Vec<String>,
}

impl Roles {
    /// Those of the files beside the one at `path`; none if there are no such files. Fails at one that is no JSON.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let mut roles = Self::default();
        if path.file_name().is_none_or(|name| name != "tokenizer.json") {
            return Ok(roles);
        }
        for place in NEIGHBOURS.map(|name| path.with_file_name(name)) {
            if place.is_file() {
                let parsed = read_text(&place)
                    .and_then(|text| strict::parse(&text).map_err(|error| error.in_file(&place)))?;
                roles.add(&parsed.document);
            }
        }
        Ok(roles)
    }

    /// Adds what one file says; whatever has another shape says nothing. A role that was named before is named anew.
    fn add(&mut self, document: &Value) {
        let entries = document.as_object().into_iter().flatten();
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("additional_special_tokens" | "extra_special_tokens", Value::Array(tokens)) => {
                    self.others.extend(tokens.iter().filter_map(content).map(str::to_owned));
                }
                ("added_tokens_decoder", Value::Object(tokens)) => {
                    let special = tokens.values().filter(|token| token.get("special") == Some(&true.into()));
                    self.others.extend(special.filter_map(content).map(str::to_owned));
                }
                (role, token) if role.ends_with("_token") => {
                    if let Some(token) = content(token) {
                        self.tokens.insert(role.to_owned(), token.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether a token is among them.
    pub(in crate::tokenizer) fn name(&self, token: &str) -> bool {
        self.tokens.values().chain(&self.others).any(|known| known == token)
    }
}

/// A token, written as a string or as an object with its content.
fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}
