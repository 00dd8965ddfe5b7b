//! The text of a file, parsed: no key comes twice, and nothing takes much more memory than the text.
//!
//! Of two entries with one key, whichever were taken, the writer may have meant the other. The vocabulary and the
//! merges, which are nearly all of a file, become what they are at once; the rest is a [`Value`] that may have two
//! hundred thousand parts. Nesting is bounded by `serde_json`, which also lets a [`Value`] forget doubles: so the visitors
//! here, which refuse them.
//!
//! Merges are written `["A", "C"]` or, in files of old versions, `"A C"`; older ones have a line `#version` before them. One
//! file uses one notation.
//!
//! Errors of our own pass through `serde_json`, which would put a line and column behind them; so they are kept beside it, in
//! [`Parsed::refusal`], and the one that is passed says nothing.

use std::fmt;

use rustc_hash::FxHashMap;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::{Map, Number, Value};

use super::fields::{refuse, show};
use crate::error::{Result, show_text};
use crate::tokenizer::Id;

/// Tokens or merges of the largest vocabulary that is read.
pub(super) const MAX_TOKENS: usize = 1 << 20;
/// Values in all of a file but its vocabulary and merges.
const MAX_VALUES: usize = 200_000;

/// The id of each token of the model.
pub(super) type Vocab = FxHashMap<Box<str>, Id>;
/// The two parts of each merge.
pub(super) type Merges = Vec<(Box<str>, Box<str>)>;

/// A file, parsed.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// All but the vocabulary and merges, in whose places there is null.
    pub(super) document: Value,
    /// The vocabulary.
    pub(super) vocab: Option<Vocab>,
    /// The merges.
    pub(super) merges: Option<Merges>,
    /// Values in the document so far.
    num_values: usize,
    /// What is wrong with the file although it is JSON; the first such thing ends the parsing.
    refusal: Option<String>,
}

/// Parses a text, in one pass. Fails at the first mistake.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let mut parsed = Parsed::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = ValueReader { place: Place::Top, parsed: &mut parsed }.deserialize(&mut json);
    match (read.and_then(|document| json.end().map(|()| document)), parsed.refusal.take()) {
        (_, Some(reason)) => refuse(reason),
        (Err(error), None) => refuse(shorten(format!("this is not JSON of a tokenizer: {error}"))),
        (Ok(document), None) => Ok(Parsed { document, ..parsed }),
    }
}

/// A message that may hold much of the file, shortened.
fn shorten(mut message: String) -> String {
    const MAX_SHOWN: usize = 300;
    if let Some((end, _)) = message.char_indices().nth(MAX_SHOWN) {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// Where in the document a value stands: only at their own places `model`, `vocab` and `merges` mean what they do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Model,
    Vocab,
    Merges,
    Else,
}

impl Place {
    /// The place of the value with this key, within an object at this place.
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Top, "model") => Self::Model,
            (Self::Model, "vocab") => Self::Vocab,
            (Self::Model, "merges") => Self::Merges,
            _ => Self::Else,
        }
    }
}

/// Reads a value; the vocabulary and the merges go to `parsed`, and null is in their place.
struct ValueReader<'p> {
    place: Place,
    parsed: &'p mut Parsed,
}

impl Parsed {
    /// One more value; fails at too many.
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.num_values += 1;
        if self.num_values > MAX_VALUES {
            return Err(
                self.fail(format!("it has more than {MAX_VALUES} values beside its vocabulary and merges"))
            );
        }
        Ok(())
    }

    /// Keeps the reason; the error is a token to stop with.
    fn fail<E: serde::de::Error>(&mut self, reason: String) -> E {
        self.refusal = Some(shorten(reason));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for ValueReader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueReader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        match self.place {
            // A vocabulary that is a list is that of another model, which is refused by its name.
            Place::Vocab => while items.next_element::<IgnoredAny>()?.is_some() {},
            Place::Merges => self.parsed.merges = Some(read_merges(items, self.parsed)?),
            _ => {
                let mut list = Vec::new();
                let parsed = self.parsed;
                while let Some(item) = items.next_element_seed(ValueReader { place: Place::Else, parsed })? {
                    parsed.count()?;
                    list.push(item);
                }
                return Ok(Value::Array(list));
            }
        }
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let Self { place, parsed } = self;
        if place == Place::Vocab {
            parsed.vocab = Some(read_vocab(entries, parsed)?);
            return Ok(Value::Null);
        }
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            parsed.count()?;
            if object.contains_key(&key) {
                return Err(parsed.fail(format!("the key {} comes twice", show_text(&key))));
            }
            let place = place.of(&key);
            let value = entries.next_value_seed(ValueReader { place, parsed: &mut *parsed })?;
            if matches!(place, Place::Vocab | Place::Merges) && !value.is_null() {
                return Err(parsed.fail(format!("its {key} is {}, which no model has", show(&value))));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The vocabulary: an object of tokens and their ids. Which ids they may be is checked later.
fn read_vocab<'de, A: MapAccess<'de>>(mut entries: A, parsed: &mut Parsed) -> Result<Vocab, A::Error> {
    let mut vocab = Vocab::default();
    while let Some(token) = entries.next_key::<String>()? {
        let mut fail = |reason: String| Err(parsed.fail(reason));
        let id = match entries.next_value() {
            Ok(id) => id,
            Err(error) => {
                return fail(format!("the id of {} is not a number from 0 on: {error}", show_text(&token)));
            }
        };
        if vocab.len() == MAX_TOKENS {
            return fail(format!("its vocab has more than {MAX_TOKENS} tokens"));
        }
        if vocab.contains_key(token.as_str()) {
            return fail(format!("the key {} comes twice", show_text(&token)));
        }
        vocab.insert(token.into(), id);
    }
    Ok(vocab)
}

/// The merges, in either notation but in one only, as Hugging Face reads them.
fn read_merges<'de, A: SeqAccess<'de>>(mut items: A, parsed: &mut Parsed) -> Result<Merges, A::Error> {
    let mut merges = Merges::new();
    let mut lists = None;
    loop {
        let mut fail = |reason: String| Err(parsed.fail(reason));
        let merge = match items.next_element::<Merge>() {
            Ok(None) => return Ok(merges),
            Ok(Some(merge)) => merge,
            Err(error) => {
                return fail(format!("merge {} is not a pair of two tokens: {error}", merges.len()));
            }
        };
        if *lists.get_or_insert(merge.is_list) != merge.is_list {
            return fail(format!("merge {} is written in another way than those before", merges.len()));
        }
        if merges.len() == MAX_TOKENS {
            return fail(format!("it has more than {MAX_TOKENS} merges"));
        }
        merges.extend(merge.parts);
    }
}

/// One merge: `["A", "C"]` or, in older files, `"A C"`.
struct Merge {
    is_list: bool,
    /// Nothing for the line of the version in older files.
    parts: Option<(Box<str>, Box<str>)>,
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MergeVisitor)
    }
}

struct MergeVisitor;

impl<'de> Visitor<'de> for MergeVisitor {
    type Value = Merge;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of two strings or a string with one space in it")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Merge, E> {
        if text.starts_with("#version") {
            return Ok(Merge { is_list: false, parts: None });
        }
        let parts = text.split_once(' ').filter(|(_, right)| !right.contains(' '));
        let wrong = || E::invalid_value(Unexpected::Str(text), &self);
        let (left, right) = parts.ok_or_else(wrong)?;
        Ok(Merge { is_list: false, parts: Some((left.into(), right.into())) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Merge, A::Error> {
        let short = |length| A::Error::invalid_length(length, &self);
        let left = items.next_element()?.ok_or_else(|| short(0))?;
        let right = items.next_element()?.ok_or_else(|| short(1))?;
        match items.next_element::<IgnoredAny>()? {
            None => Ok(Merge { is_list: true, parts: Some((left, right)) }),
            Some(_) => Err(short(3)),
        }
    }
}
