//! The text of a file, parsed: no key comes twice, and nothing takes much more memory than the text.
//!
//! Of two entries with one key, whichever were taken, the writer may have meant the other. The vocabulary and the
//! merges, which are nearly all of a file, become what they are at once; the rest is a [`Value`] that may have a
//! hundred thousand parts. Nesting is bounded by `serde_json`.

use std::fmt;

use rustc_hash::FxHashMap;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::{Map, Number, Value};

use super::fields::refuse;
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
    pub(super) frame: Value,
    /// The vocabulary.
    pub(super) vocab: Option<Vocab>,
    /// The merges.
    pub(super) merges: Option<Merges>,
    /// Values in the frame so far.
    num_values: usize,
    /// What is wrong with the file although it is JSON.
    refusal: Option<String>,
}

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let mut parsed = Parsed::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Reader { place: Place::Top, parsed: &mut parsed }.deserialize(&mut json);
    match (read.and_then(|frame| json.end().map(|()| frame)), parsed.refusal.take()) {
        (_, Some(reason)) => refuse(reason),
        (Err(error), None) => refuse(shorten(format!("this is not JSON of a tokenizer: {error}"))),
        (Ok(frame), None) => Ok(Parsed { frame, ..parsed }),
    }
}

/// A message that may hold much of the file, shortened.
fn shorten(mut message: String) -> String {
    const MOST: usize = 300;
    if let Some((end, _)) = message.char_indices().nth(MOST) {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// Where in the document a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Model,
    Else,
}

/// Reads a value of the frame.
struct Reader<'p> {
    place: Place,
    parsed: &'p mut Parsed,
}

impl Parsed {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.num_values += 1;
        if self.num_values > MAX_VALUES {
            return Err(
                self.fail(format!("it has more than {MAX_VALUES} values beside its vocabulary and merges"))
            );
        }
        Ok(())
    }

    fn fail<E: serde::de::Error>(&mut self, reason: String) -> E {
        self.refusal = Some(shorten(reason));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(Reader { place: Place::Else, parsed: &mut *self.parsed })?
        {
            self.parsed.count()?;
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.parsed.count()?;
            if object.contains_key(&key) {
                return Err(self.parsed.fail(format!("the key {} comes twice", show_text(&key))));
            }
            let value = match (self.place, key.as_str()) {
                (Place::Model, "vocab") => {
                    self.parsed.vocab = entries.next_value_seed(VocabReader { parsed: &mut *self.parsed })?;
                    Value::Null
                }
                (Place::Model, "merges") => {
                    self.parsed.merges =
                        Some(entries.next_value_seed(MergesReader { parsed: &mut *self.parsed })?);
                    Value::Null
                }
                (Place::Top, "model") => {
                    entries.next_value_seed(Reader { place: Place::Model, parsed: &mut *self.parsed })?
                }
                _ => entries.next_value_seed(Reader { place: Place::Else, parsed: &mut *self.parsed })?,
            };
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Reads the vocabulary.
struct VocabReader<'p> {
    parsed: &'p mut Parsed,
}

impl<'de> DeserializeSeed<'de> for VocabReader<'_> {
    type Value = Option<Vocab>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Vocab>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VocabReader<'_> {
    type Value = Option<Vocab>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a vocab that is an object")
    }

    /// A list is that of another model, which is refused by its name.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Vocab>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Vocab>, A::Error> {
        let mut vocab = Vocab::default();
        while let Some(token) = entries.next_key::<String>()? {
            let mut fail = |reason: String| Err(self.parsed.fail(reason));
            let id = match entries.next_value() {
                Ok(id) => id,
                Err(error) => {
                    return fail(format!(
                        "the id of {} is not a number from 0 on: {error}",
                        show_text(&token)
                    ));
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
        Ok(Some(vocab))
    }
}

/// Reads the merges, in either notation but in one only, as Hugging Face does.
struct MergesReader<'p> {
    parsed: &'p mut Parsed,
}

impl<'de> DeserializeSeed<'de> for MergesReader<'_> {
    type Value = Merges;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Merges, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for MergesReader<'_> {
    type Value = Merges;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("merges that are a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Merges, A::Error> {
        let mut merges = Merges::new();
        let mut lists = None;
        loop {
            let mut fail = |reason: String| Err(self.parsed.fail(reason));
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
