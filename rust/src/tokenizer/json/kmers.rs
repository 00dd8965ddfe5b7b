//! The file of a tokenizer of k-mers.
//!
//! # As tokenizer.json
//!
//! Hugging Face can cut a text into non-overlapping k-mers: by a pre-tokenizer that splits it into the matches of
//! `[ACGT]{k}|[\s\S]`, each of which a `WordLevel` model looks up. Matching goes from left to right, so a run of bases is cut
//! from its left end, the bases that remain and all other symbols are matches by themselves, and what is not in the vocabulary
//! becomes the unknown token, one for one. Up to k = 8, where the file has 1.6 MB, that is the file. Single bases are the
//! same without the first alternative.
//!
//! # Our own form
//!
//! No pre-tokenizer lets tokens overlap, none knows reverse complements, and 12-mers would make a gigabyte of names. So
//! all other k-mers have a small file that says what they are, with `"format": "genotok k-mers"`; Hugging Face does not read it.
//!
//! ```text
//! {"format": "genotok k-mers", "version": "1.0", "k": 12, "overlap": true, "canonical": false, "upper_case": false,
//!  "special_tokens": ["[PAD]", "[UNK]", ...], "special_tokens_behind": [], "unknown_token": "[UNK]", "vocab_size": 16777221}
//! ```
//!
//! # Read
//!
//! From either form the few facts are taken, and the tokenizer is made of them. Then its own file must say the same as
//! the one that was read: nothing of it is believed unchecked. If not, our own form is refused, and a
//! tokenizer.json is read as any other ([`super::words`]).

use serde_json::{Map, Value, json};

use super::added;
use super::document::{TokenizerDocument, added_token, upper_casing};
use super::fields::{field, flag, refuse, show};
use super::strict::Vocab;
use crate::error::{Error, Result};
use crate::kmer::Kmer;
use crate::tokenizer::added::AddedToken;
use crate::tokenizer::{Id, KmerSpecials, Tokenizer};

/// Our own form, in messages.
const PART: &str = "it";
/// What our own form is known by.
const FORMAT: &str = "genotok k-mers";
/// The largest k whose vocabulary is written as a list.
const MAX_LISTED_K: usize = 8;

impl TokenizerDocument {
    /// The document of a tokenizer of k-mers, which is made when it is asked for.
    pub(in crate::tokenizer) fn of_kmers() -> Self {
        Self(Value::Null)
    }
}

/// Why Hugging Face cannot have these k-mers, as users read it; `None` if it can.
pub(in crate::tokenizer) fn why_unsupported(kmer: &Kmer) -> Option<String> {
    let k = kmer.k();
    if kmer.is_canonical() {
        return Some(
            "these k-mers are canonical, and no part of theirs knows reverse complements".to_owned(),
        );
    }
    if kmer.is_overlapping() && k > 1 {
        return Some("these k-mers overlap, and their tokens cannot; give overlap=False".to_owned());
    }
    (k > MAX_LISTED_K).then(|| format!("a list of all {k}-mers is too long; k may be {MAX_LISTED_K} at most"))
}

/// The file, with the vocabulary if it has a list.
pub(super) fn document(tokenizer: &Tokenizer, kmer: &Kmer) -> Value {
    let mut document = outline(tokenizer, kmer);
    if let Some(vocab) = document.pointer_mut("/model/vocab") {
        let names = tokenizer.vocab().zip((0..).map(|id: Id| Value::from(id)));
        *vocab = Value::Object(names.collect());
    }
    document
}

/// The file, with null for the vocabulary if it has a list: what is compared with a file that is read.
fn outline(tokenizer: &Tokenizer, kmer: &Kmer) -> Value {
    if why_unsupported(kmer).is_some() { own(tokenizer, kmer) } else { listed(tokenizer, kmer) }
}

/// The file in our own form: some hundred bytes, whatever k is.
fn own(tokenizer: &Tokenizer, kmer: &Kmer) -> Value {
    let specials = tokenizer.kmer_specials();
    json!({
        "format": FORMAT,
        "version": "1.0",
        "k": kmer.k(),
        "overlap": kmer.is_overlapping(),
        "canonical": kmer.is_canonical(),
        "upper_case": tokenizer.kmer_options(false).upper_case,
        "special_tokens": specials.before,
        "special_tokens_behind": specials.after,
        "unknown_token": tokenizer.kmer_unknown(),
        "vocab_size": tokenizer.vocab_size(),
    })
}

/// The file as a tokenizer.json, in today's form or the old one, as the tokenizer has it.
fn listed(tokenizer: &Tokenizer, kmer: &Kmer) -> Value {
    let added = tokenizer.rules.added.iter();
    let added: Vec<Value> = added.map(|token| added_token(&token.content, token.id)).collect();
    let normalizer = tokenizer.kmer_options(false).upper_case.then(|| upper_casing(kmer.alphabet()));
    let post_processor = tokenizer.own_template().map(|_| tokenizer.usual_post_processor());
    json!({
        "version": "1.0",
        "truncation": tokenizer.document.setting("truncation"),
        "padding": tokenizer.document.setting("padding"),
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": pattern(kmer.k())},
            "behavior": "Isolated",
            "invert": false,
        },
        "post_processor": post_processor,
        "decoder": {"type": "Fuse"},
        "model": {
            "type": "WordLevel",
            "vocab": null,
            // A name is needed. If it is not in the vocabulary, unknown symbols are errors there as here.
            "unk_token": tokenizer.kmer_unknown().unwrap_or("[UNK]"),
        },
    })
}

/// What splits a text into tokens: k bases, or else any one character.
fn pattern(k: usize) -> String {
    if k == 1 { r"[\s\S]".to_owned() } else { format!(r"[ACGT]{{{k}}}|[\s\S]") }
}

/// The tokenizer in a file, if it is one of k-mers as genotok writes them.
///
/// Our own form is read or refused. For a tokenizer.json that is not the one that would be written, this is `None`.
pub(super) fn read(document: &Value, vocab: Option<&Vocab>) -> Result<Option<Tokenizer>> {
    let model = document.get("model").and_then(|model| model.get("type"));
    if let Some(format) = document.get("format") {
        if format != FORMAT {
            return refuse(format!("its format is {}, not \"{FORMAT}\"", show(format)));
        }
        let tokenizer = read_own(document).map_err(|error| match error {
            Error::Argument { .. } => Error::vocabulary(error.to_string()),
            other => other,
        })?;
        return check_equal(document, &tokenizer).map(|()| Some(tokenizer));
    }
    if model.is_none_or(|kind| kind != "WordLevel") {
        return Ok(None);
    }
    let Some(mut tokenizer) = read_listed(document, vocab).ok().flatten() else { return Ok(None) };
    tokenizer.document.take_settings(document);
    Ok(check_equal(document, &tokenizer).is_ok().then_some(tokenizer))
}

/// Takes the facts from our own form: k, how it is cut and named, the special tokens.
fn read_own(document: &Value) -> Result<Tokenizer> {
    let flag = |key: &str| flag(PART, document, key);
    let names = |key: &str| {
        field(PART, document, key, "a list of strings", |list| {
            list.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
        })
    };
    let k = document.get("k").and_then(Value::as_u64).and_then(|k| usize::try_from(k).ok());
    let kmer = Kmer::new(k.unwrap_or(0), flag("overlap")?, flag("canonical")?)?;
    let specials = KmerSpecials { before: names("special_tokens")?, after: names("special_tokens_behind")? };
    Tokenizer::kmer(kmer, &specials, flag("upper_case")?)
}

/// Takes the facts from a tokenizer.json, if it has them.
///
/// k is that of the pattern. Special tokens with ids below the first k-mer stand before it, the others behind; every name
/// must have the id that the tokenizer gives it.
fn read_listed(document: &Value, vocab: Option<&Vocab>) -> Result<Option<Tokenizer>> {
    let regex = document.pointer("/pre_tokenizer/pattern/Regex").and_then(Value::as_str);
    let k = (1..=MAX_LISTED_K).find(|&k| regex == Some(&pattern(k)));
    let (Some(k), Some(vocab)) = (k, vocab) else { return Ok(None) };
    let kmer = Kmer::new(k, k == 1 && !vocab.contains_key("N"), false)?;
    let Some(&first) = vocab.get(kmer.string(0).as_str()) else { return Ok(None) };
    let added = added::read(document.get("added_tokens"), vocab)?;
    let (before, after): (Vec<_>, Vec<_>) = added.into_iter().partition(|token| token.id < first);
    let names = |list: Vec<AddedToken>| list.into_iter().map(|token| token.content).collect();
    let specials = KmerSpecials { before: names(before), after: names(after) };
    let upper_case = document.get("normalizer").is_some_and(|value| !value.is_null());
    let mut tokenizer = Tokenizer::kmer(kmer, &specials, upper_case)?;
    if document.get("post_processor").is_none_or(Value::is_null) {
        tokenizer.rules.template = None; // an old file, which is written again as it was
    }
    let is_own = |(name, id): (String, Id)| vocab.get(name.as_str()) == Some(&id);
    let is_all = vocab.len() == tokenizer.vocab_size() && tokenizer.vocab().zip(0..).all(is_own);
    Ok(is_all.then_some(tokenizer))
}

/// Fails unless the file says what that of the tokenizer would say, and nothing else.
fn check_equal(document: &Value, tokenizer: &Tokenizer) -> Result<()> {
    let expected = &tokenizer.kmers().map_or(Value::Null, |kmer| outline(tokenizer, kmer));
    let keys = [document, expected].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let get = |file: &Value, key: &str| file.get(key).cloned().unwrap_or(Value::Null);
    match keys.into_iter().find(|key| get(document, key) != get(expected, key)) {
        None => Ok(()),
        Some(key) => refuse(format!("its {key} is not that of such k-mers")),
    }
}
