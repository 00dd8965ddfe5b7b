//! A file without its vocabulary and merges: what is kept of it, and what our own files say.
//!
//! What has no influence on ids is kept as it stands and written again, so that a file that genotok has read and saved says
//! the same to Hugging Face.

use serde_json::{Value, json};

use super::post_processor;
use super::settings::SETTINGS;
use crate::alphabet::BASES;
use crate::tokenizer::Id;

/// A file without its vocabulary and merges, in whose places there is null.
#[derive(Clone, Debug)]
pub(in crate::tokenizer) struct TokenizerDocument(pub(super) Value);

impl TokenizerDocument {
    /// The document of the files that genotok writes, with these special tokens and this unknown one among them.
    ///
    /// Every key that Hugging Face writes is there, so that its own saving of the file changes nothing.
    pub(in crate::tokenizer) fn of_ours(specials: &[(String, Id)], unknown: Option<&str>) -> Self {
        let find = |name: &str| specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let added: Vec<Value> = specials.iter().map(|(token, id)| added_token(token, *id)).collect();
        Self(json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": upper_casing(&BASES),
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

    /// What it says of truncation or padding; nothing if that is null.
    pub(in crate::tokenizer) fn setting(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Takes what another file says of truncation and padding, and nothing else: of k-mers all else is made anew.
    pub(super) fn take_settings(&mut self, document: &Value) {
        let said = SETTINGS.into_iter().filter_map(|key| Some((key.to_owned(), document.get(key)?.clone())));
        self.0 = Value::Object(said.collect());
    }

    /// Whether the decoder takes the characters of tokens for bytes.
    pub(in crate::tokenizer) fn decodes_bytes(&self) -> bool {
        self.0.get("decoder").and_then(|decoder| decoder.get("type")).is_some_and(|kind| kind == "ByteLevel")
    }
}

/// A special token as an added token of a file.
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

/// A normalizer that makes these symbols upper case, one replacement each: `tokenizers` has no upper-casing one.
pub(super) fn upper_casing(symbols: &[u8]) -> Value {
    let replace = |symbol: &u8| {
        let (lower, upper) = (char::from(symbol.to_ascii_lowercase()), char::from(*symbol));
        json!({"type": "Replace", "pattern": {"String": lower}, "content": upper})
    };
    json!({"type": "Sequence", "normalizers": symbols.iter().map(replace).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_decoder_of_bytes_decodes_bytes() {
        let of = |decoder| TokenizerDocument(json!({ "decoder": decoder })).decodes_bytes();
        assert!(of(json!({"type": "ByteLevel"})));
        assert!(!of(json!({"type": "WordPiece"})));
        assert!(!of(json!(null)));
        assert!(!TokenizerDocument(json!({})).decodes_bytes());
    }
}
