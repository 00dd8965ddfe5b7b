//! The file: `tokenizer.json` of Hugging Face `tokenizers`, version 1.0, model BPE.
//!
//! # Written
//!
//! Special tokens are added tokens with the first ids. The normalizer makes lower-case bases upper case (four
//! replacements: `tokenizers` has no upper-casing one). There is no pre-tokenizer and no post-processor, so that Hugging
//! Face gives the ids that we give, with or without `add_special_tokens`. The decoder joins. One token and one merge a
//! line; the same bytes for the same tokenizer.
//!
//! # Read
//!
//! Our own files, and files of others whose alphabet is A, C, G, T and nothing else, and whose other parts mean
//! something that [`Tokenizer::encode`] does: the published DNABERT-2 file for one. Anything else is refused by name,
//! never ignored. What has no influence on ids (the post-processor, keys we do not know) is kept and written again.
//!
//! A file is not trusted. It may have 64 MiB and nest 128 levels deep; a key that comes twice is refused; every id and
//! every merge is checked before it is used.

mod layout;
mod strict;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use super::letters::Letters;
use super::{Id, MAX_SPECIAL_BYTES, MAX_SPECIALS, Reading, Tokenizer, special_mistake};
use crate::alphabet::LETTERS;
use crate::atomic::write_whole;
use crate::bpe::{MergeTable, NUM_BASES, Token};
use crate::error::{Error, Result, show_text};

/// Bytes of the largest file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// A file without its vocabulary and merges.
#[derive(Clone, Debug)]
pub(super) struct Frame(Value);

impl Frame {
    /// The frame of the files that genotok writes.
    pub(super) fn of_ours(specials: &[(String, Id)], unknown: Option<&str>) -> Self {
        let added: Vec<Value> = specials.iter().map(|(token, id)| added_token(token, *id)).collect();
        Self(json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": upper_casing(),
            "pre_tokenizer": null,
            "post_processor": null,
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

fn added_token(content: &str, id: Id) -> Value {
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

impl Tokenizer {
    /// The text of the file: the same bytes for the same tokenizer, always.
    ///
    /// Fails if the tokens are so long that the file could not be read again.
    pub fn to_json(&self) -> Result<String> {
        if let Some(table) = self.table() {
            let letters = |token: Token| u64::from(table.length(token));
            let in_merges = table.merges().iter().map(|&(left, right)| letters(left) + letters(right));
            self.check_size(2 * in_merges.sum::<u64>())?;
        }
        let mut document = self.frame.0.clone();
        if let Some(model) = document.get_mut("model").and_then(Value::as_object_mut) {
            let vocab: Map<String, Value> = self.vocab().zip((0..).map(|id: Id| Value::from(id))).collect();
            model.insert("vocab".to_owned(), Value::Object(vocab));
            model.insert(
                "merges".to_owned(),
                self.merges().map(|(left, right)| json!([left, right])).collect(),
            );
        }
        let text = layout::write(&document)?;
        self.check_size(text.len() as u64)?;
        Ok(text)
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        if bytes <= MAX_BYTES {
            return Ok(());
        }
        Err(Error::vocabulary(format!(
            "its file would have {bytes} bytes, more than the {MAX_BYTES} that can be read again; the longest token has \
             {} bases: set max_token_length or a smaller vocab_size",
            self.table().map_or(0, MergeTable::longest)
        )))
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = self.to_json()?;
        write_whole(path, |file| file.write_all(text.as_bytes()))
    }

    /// The tokenizer in the file at `path`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let fail = |source| Error::io(path, source);
        let mut bytes = Vec::new();
        File::open(path).map_err(fail)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
        let text = std::str::from_utf8(&bytes);
        let text =
            text.map_err(|_| Error::vocabulary("this is not text, so not a tokenizer.json").in_file(path))?;
        Self::from_json(text).map_err(|error| error.in_file(path))
    }

    /// The tokenizer in the text of a file.
    pub fn from_json(text: &str) -> Result<Self> {
        if text.len() as u64 > MAX_BYTES {
            return refuse(format!("a tokenizer.json of more than {MAX_BYTES} bytes is not read"));
        }
        let mut document = strict::parse(text)?;
        let letters = check_frame(&document)?;
        let unknown = check_model(document.get("model").unwrap_or(&Value::Null))?;
        let model = document.get_mut("model").and_then(Value::as_object_mut);
        let Some(model) = model else { return refuse("its model is not an object") };
        let vocab = model.insert("vocab".to_owned(), Value::Null);
        let merges = model.insert("merges".to_owned(), Value::Null);
        let vocab = read_vocab(vocab.as_ref())?;
        let specials = read_specials(document.get("added_tokens"), &vocab)?;
        let (table, ids) = read_merges(merges.as_ref(), &vocab)?;
        check_ids(&vocab, &specials, &ids, &table)?;
        let unknown = unknown.map(|name| find_unknown(&name, &vocab, &specials)).transpose()?;
        let reading = Reading { letters, unknown, template: None };
        Self::assemble(table.into(), specials, ids, reading, Frame(document))
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::vocabulary(reason))
}

/// A value in a message.
fn show(value: &Value) -> String {
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

/// Fails unless `object[key]` is null or missing, or one of the allowed values.
fn allow(object: &Value, key: &str, allowed: &[Value]) -> Result<()> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(value) if allowed.contains(value) => Ok(()),
        Some(value) => refuse(format!("{key} is {}, which genotok does not support", show(value))),
    }
}

/// Checks all but the model, and finds how letters are treated.
fn check_frame(document: &Value) -> Result<Letters> {
    if !document.is_object() {
        return refuse(format!("it is {}, not the object that a tokenizer.json is", show(document)));
    }
    if document.get("version").is_some_and(|version| version != "1.0") {
        return refuse("its version is not \"1.0\"");
    }
    let white_space = [json!({"type": "Whitespace"}), json!({"type": "WhitespaceSplit"})];
    allow(document, "truncation", &[])?;
    allow(document, "padding", &[])?;
    allow(document, "normalizer", &[upper_casing()])?;
    allow(document, "pre_tokenizer", &white_space)?;
    allow(document, "decoder", &[json!({"type": "Fuse"})])?;
    let mut letters = Letters::new(&LETTERS);
    if document.get("normalizer").is_some_and(|normalizer| !normalizer.is_null()) {
        letters = letters.upper_cased();
    }
    if document.get("pre_tokenizer").is_some_and(|kind| !kind.is_null()) {
        letters = letters.without_white_space();
    }
    Ok(letters)
}

/// Checks the options of the model; returns the name of the unknown token.
fn check_model(model: &Value) -> Result<Option<String>> {
    if model.get("type").and_then(Value::as_str) != Some("BPE") {
        return refuse(format!(
            "its model is {}, not BPE",
            model.get("type").map_or("of no type".to_owned(), show)
        ));
    }
    allow(model, "dropout", &[])?;
    allow(model, "continuing_subword_prefix", &[json!("")])?;
    allow(model, "end_of_word_suffix", &[json!("")])?;
    allow(model, "fuse_unk", &[json!(false)])?;
    allow(model, "byte_fallback", &[json!(false)])?;
    allow(model, "ignore_merges", &[json!(false)])?;
    match model.get("unk_token") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(other) => refuse(format!("unk_token is {}, not a string", show(other))),
    }
}

type Vocab = FxHashMap<String, Id>;

fn read_vocab(vocab: Option<&Value>) -> Result<Vocab> {
    let Some(Value::Object(vocab)) = vocab else { return refuse("its model has no vocab that is an object") };
    vocab.iter().map(|(token, id)| Ok((token.clone(), read_id(id, token)?))).collect()
}

fn read_id(id: &Value, token: &str) -> Result<Id> {
    let number = id.as_u64().and_then(|id| Id::try_from(id).ok());
    number.ok_or_else(|| {
        Error::vocabulary(format!("the id of {} is {}, not a number from 0 on", show_text(token), show(id)))
    })
}

/// The special tokens in order of id.
fn read_specials(added: Option<&Value>, vocab: &Vocab) -> Result<Vec<(String, Id)>> {
    let added = match added {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(added)) => added,
        Some(other) => return refuse(format!("added_tokens is {}, not a list", show(other))),
    };
    let mut specials = added.iter().map(|token| read_special(token, vocab)).collect::<Result<Vec<_>>>()?;
    if specials.len() > MAX_SPECIALS
        || specials.iter().map(|(token, _)| token.len()).sum::<usize>() > MAX_SPECIAL_BYTES
    {
        return refuse(format!(
            "it has more than {MAX_SPECIALS} special tokens, or {MAX_SPECIAL_BYTES} bytes of them"
        ));
    }
    specials.sort_by_key(|&(_, id)| id);
    let mut seen = FxHashSet::default();
    match specials.iter().find(|(token, _)| !seen.insert(token)) {
        Some((token, _)) => refuse(format!("the special token {} is given twice", show_text(token))),
        None => Ok(specials),
    }
}

fn read_special(token: &Value, vocab: &Vocab) -> Result<(String, Id)> {
    let Some(content) = token.get("content").and_then(Value::as_str) else {
        return refuse("an added token has no content that is a string");
    };
    if let Some(mistake) = special_mistake(content) {
        return refuse(format!("the special token {} {mistake}", show_text(content)));
    }
    if token.get("special") != Some(&Value::Bool(true)) {
        return refuse(format!(
            "the added token {} is not special, which genotok does not support",
            show_text(content)
        ));
    }
    for key in ["single_word", "lstrip", "rstrip", "normalized"] {
        allow(token, key, &[json!(false)])?;
    }
    let id = read_id(token.get("id").unwrap_or(&Value::Null), content)?;
    if vocab.get(content).is_some_and(|&known| known != id) {
        return refuse(format!("the special token {} has two ids", show_text(content)));
    }
    Ok((content.to_owned(), id))
}

fn find_unknown(name: &str, vocab: &Vocab, specials: &[(String, Id)]) -> Result<Id> {
    let found =
        specials.iter().find(|(token, _)| token == name && vocab.contains_key(name)).map(|&(_, id)| id);
    let missing =
        || format!("the unknown token {} is not in its vocab and its special tokens", show_text(name));
    found.ok_or_else(|| Error::vocabulary(missing()))
}

/// The merges, and the id of each token of their table.
fn read_merges(merges: Option<&Value>, vocab: &Vocab) -> Result<(MergeTable, Vec<Id>)> {
    let Some(Value::Array(merges)) = merges else { return refuse("its model has no merges that are a list") };
    let mut table = MergeTable::new();
    let mut tokens: FxHashMap<String, Token> = FxHashMap::default();
    let mut ids = Vec::with_capacity(merges.len() + NUM_BASES as usize);
    for (base, token) in LETTERS.iter().map(|&letter| char::from(letter).to_string()).zip(0..) {
        let id = vocab.get(&base);
        ids.push(*id.ok_or_else(|| Error::vocabulary(format!("the base {base} is not in its vocab")))?);
        tokens.insert(base, token);
    }
    for (rank, merge) in merges.iter().enumerate() {
        let fail = |reason: &str| Error::vocabulary(format!("merge {rank} {reason}"));
        let (left, right) = parts(merge).ok_or_else(|| fail("is not a pair of two tokens"))?;
        let part = |name: &str| {
            tokens.get(name).copied().ok_or_else(|| {
                fail(&format!("joins {}, which is no base and not made by an earlier merge", show_text(name)))
            })
        };
        let pair = (part(left)?, part(right)?);
        let product = format!("{left}{right}");
        let shown = show_text(&product);
        ids.push(
            *vocab.get(&product).ok_or_else(|| fail(&format!("makes {shown}, which is not in the vocab")))?,
        );
        if tokens.insert(product, table.push(pair)?).is_some() {
            return Err(fail(&format!("makes {shown}, which an earlier one made already")));
        }
    }
    Ok((table, ids))
}

/// The two strings of a merge, in either notation.
fn parts(merge: &Value) -> Option<(&str, &str)> {
    match merge {
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(left), Value::String(right)] => Some((left, right)),
            _ => None,
        },
        Value::String(pair) => pair.split_once(' '),
        _ => None,
    }
}

/// Every token of the vocab is one we know what to do with; every id is given once, and none is left out.
fn check_ids(vocab: &Vocab, specials: &[(String, Id)], ids: &[Id], table: &MergeTable) -> Result<()> {
    let in_vocab = specials.iter().filter(|(token, _)| vocab.contains_key(token)).count();
    if vocab.len() != in_vocab + ids.len() {
        return refuse(format!(
            "{} in its vocab is no special token, no base (A, C, G, T) and no product of a merge",
            stranger(vocab, specials, table)
        ));
    }
    // Added tokens that are not in the vocab get the ids after it, whatever the file says.
    if vocab.values().any(|&id| id as usize >= vocab.len()) {
        return refuse("the ids of its vocab leave a gap, or one is given twice");
    }
    let mut seen = vec![false; specials.len() + ids.len()];
    for &id in specials.iter().map(|(_, id)| id).chain(ids) {
        match seen.get_mut(id as usize) {
            None => return refuse(format!("the ids up to {id} leave a gap")),
            Some(seen) if *seen => return refuse(format!("the id {id} is given twice")),
            Some(seen) => *seen = true,
        }
    }
    Ok(())
}

/// The first token of the vocab, in its order, that nothing accounts for.
fn stranger(vocab: &Vocab, specials: &[(String, Id)], table: &MergeTable) -> String {
    let mut known: FxHashSet<String> = (0..table.num_tokens()).map(|token| table.letters(token)).collect();
    known.extend(specials.iter().map(|(token, _)| token.clone()));
    let others = vocab.iter().filter(|(token, _)| !known.contains(*token));
    others.min_by_key(|&(_, id)| id).map_or_else(String::new, |(token, _)| show_text(token))
}
