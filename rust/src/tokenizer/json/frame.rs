//! A file without its vocabulary and merges: what is kept of it, and what our own files say.

use serde_json::{Value, json};

use super::post_processor;
use super::settings::SETTINGS;
use crate::alphabet::LETTERS;
use crate::tokenizer::Id;

/// A file without its vocabulary and merges.
#[derive(Clone, Debug)]
pub(in crate::tokenizer) struct Frame(pub(super) Value);

impl Frame {
    /// The frame of the files that genotok writes.
    pub(in crate::tokenizer) fn of_ours(specials: &[(String, Id)], unknown: Option<&str>) -> Self {
        let find = |name: &str| specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let added: Vec<Value> = specials.iter().map(|(token, id)| added_token(token, *id)).collect();
        Self(json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": upper_casing(),
            "pre_tokenizer": null,
            "post_processor": post_processor::usual(find, false),
            "decoder": {"type": "Fuse"},
            "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": unknown,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": null,
                "merges": null,
            },
        }))
    }
}

impl Frame {
    /// What it says of truncation or padding.
    pub(in crate::tokenizer) fn setting(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Takes what another file says of truncation and padding, and nothing else.
    pub(super) fn take_settings(&mut self, document: &Value) {
        let said = SETTINGS.into_iter().filter_map(|key| Some((key.to_owned(), document.get(key)?.clone())));
        self.0 = Value::Object(said.collect());
    }

    /// Whether the decoder takes the characters of tokens for bytes.
    pub(in crate::tokenizer) fn decodes_bytes(&self) -> bool {
        self.0.get("decoder").and_then(|decoder| decoder.get("type")).is_some_and(|kind| kind == "ByteLevel")
    }
}

pub(super) fn added_token(content: &str, id: Id) -> Value {
    json!({
        "id": id,
        "content": content,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": false,
        "special": true,
    })
}

fn upper_casing() -> Value {
    let replace = |base: u8| {
        let (lower, upper) = (char::from(base.to_ascii_lowercase()), char::from(base));
        json!({"type": "Replace", "pattern": {"String": lower}, "content": upper})
    };
    json!({"type": "Sequence", "normalizers": LETTERS.map(replace)})
}
