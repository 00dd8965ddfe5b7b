//! The two forms of our own files.
//!
//! What genotok writes names the special tokens around a sequence in its `post_processor`, if it has the usual ones. Before,
//! that part was null, so that Hugging Face added nothing. Such an old file is one of ours as well: what is asked to be put
//! around a sequence is the same. It is written again as it was, for the records of what was made with it hold its digest;
//! only Hugging Face is given today's form.

use serde_json::{Map, Value};

use super::document::TokenizerDocument;
use super::post_processor;
use super::settings::SETTINGS;
use crate::error::{Error, Result};
use crate::tokenizer::added::AddedToken;
use crate::tokenizer::{Id, Template, Tokenizer};

/// The part in which the two differ.
const PART: &str = "post_processor";

impl TokenizerDocument {
    /// Whether it is that of a file that genotok writes or wrote, with these added tokens and this unknown one: equal, part
    /// by part, to the document that would be written, but for truncation and padding, which users change, and the part in
    /// which the forms differ.
    pub(super) fn is_ours(&self, added: &[AddedToken], unknown: Option<&str>) -> bool {
        let specials: Vec<(String, Id)> =
            added.iter().map(|token| (token.content.clone(), token.id)).collect();
        let is_setting = |key: &String| SETTINGS.contains(&key.as_str());
        let parts = |document: &Self| match &document.0 {
            Value::Object(parts) => {
                let parts = parts.iter().filter(|(key, _)| !is_setting(key));
                parts.map(|(key, value)| (key.clone(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        let (own, mut expected) = (parts(self), parts(&Self::of_ours(&specials, unknown)));
        if own.get(PART).is_some_and(Value::is_null) {
            expected.insert(PART.to_owned(), Value::Null);
        }
        own == expected
    }
}

impl Tokenizer {
    /// The special tokens that go around a sequence: what the file says, which may be nothing.
    ///
    /// An old file of ours says nothing and leaves it to the names, as do k-mers in our own form. Fails if these are not
    /// the usual ones.
    pub fn template(&self) -> Result<Template> {
        let usual = || post_processor::usual_template(|name| self.find_added(name), self.kmers().is_some());
        self.rules.template.clone().or_else(usual).ok_or_else(|| {
            let rule =
                "this vocabulary has no [CLS] and [SEP], and no template of special tokens around a sequence";
            Error::argument("add_special_tokens", &"True", rule)
        })
    }

    /// What the file says of the special tokens around one and two sequences, as JSON; of ours, what today's form says.
    /// `null` if it puts nothing around them.
    pub fn post_processor(&self) -> String {
        if self.kmers().is_some() || self.own_template().is_none() {
            return self.usual_post_processor().to_string();
        }
        self.document.0.get(PART).unwrap_or(&Value::Null).to_string()
    }

    /// What today's form says around sequences, from the names of the added tokens.
    pub(super) fn usual_post_processor(&self) -> Value {
        post_processor::usual(|name| self.find_added(name), self.kmers().is_some())
    }

    /// The text of a tokenizer.json that Hugging Face gives the same ids with, with special tokens and without; fails if
    /// there can be none.
    pub fn to_hugging_face_json(&self) -> Result<String> {
        if let Some(reason) = self.kmers().and_then(super::kmers::why_unsupported) {
            return Err(Error::vocabulary(format!("Hugging Face tokenizers cannot express it: {reason}")));
        }
        match self.own_template() {
            Some(_) => self.to_json(),
            None => self.to_json_with(self.usual_post_processor()),
        }
    }

    /// The text of the same tokenizer's file in the form that it does not have: of a file of ours with the template
    /// without it, and the other way round. Nothing if there is only one.
    pub fn to_json_in_other_form(&self) -> Result<Option<String>> {
        let usual = self.usual_post_processor();
        let is_listed = |kmer| super::kmers::why_unsupported(kmer).is_none();
        if usual.is_null() || !self.kmers().map_or_else(|| self.is_ours(), is_listed) {
            return Ok(None);
        }
        let other = if self.own_template().is_some() { Value::Null } else { usual };
        self.to_json_with(other).map(Some)
    }

    /// The text of the file with another post-processor.
    fn to_json_with(&self, post_processor: Value) -> Result<String> {
        let mut document = self.full_document()?;
        if let Some(parts) = document.as_object_mut() {
            parts.insert(PART.to_owned(), post_processor);
        }
        self.write(&document)
    }

    /// Whether its file is of those that genotok writes or wrote: then both forms of it are known.
    fn is_ours(&self) -> bool {
        let unknown = self.document.0.pointer("/model/unk_token").and_then(Value::as_str);
        self.own_template().is_none() || self.document.is_ours(&self.rules.added, unknown)
    }

    /// The id of an added token.
    fn find_added(&self, name: &str) -> Option<Id> {
        self.rules.added.iter().find(|token| token.content == name).map(|token| token.id)
    }
}
