//! The post-processor of a file: what is put around a sequence when special tokens are asked for.
//!
//! Of one is read what it does to a single sequence; what it does to a pair is kept and written again. Ours is written here.
//! A `TemplateProcessing` is a list of pieces, and the ids of its special tokens stand apart from their names:
//!
//! ```text
//! "single": [{"SpecialToken": {"id": "[CLS]", ...}}, {"Sequence": {"id": "A", ...}}, {"SpecialToken": {"id": "[SEP]", ...}}]
//! "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}, ...}
//! ```
//!
//! `BertProcessing` and `RobertaProcessing` say the same in two pairs, `"cls": ["[CLS]", 1]` and `"sep": ["[SEP]", 2]`.

use serde_json::{Map, Value, json};

use super::fields::{field, kind, list, refuse, show, string};
use crate::error::{Error, Result, show_text};
use crate::tokenizer::{Id, Template};

const PART: &str = "post_processor";
/// Special tokens around a sequence at most: a short file may name a long list many times.
const MAX_AROUND: usize = 1000;

/// The error for a template that is too long.
fn too_many<T>() -> Result<T> {
    refuse(format!("post_processor puts in more than {MAX_AROUND} special tokens"))
}

/// The template for one sequence; `None` if the file puts nothing around it. Ids must be below `vocab_size`.
///
/// Of a sequence of post-processors each puts its tokens around what the ones before made.
pub(super) fn read(post_processor: Option<&Value>, vocab_size: usize) -> Result<Option<Template>> {
    let Some(value) = post_processor.filter(|value| !value.is_null()) else { return Ok(None) };
    let template = match kind(PART, value)? {
        "Sequence" => {
            let mut whole: Option<Template> = None;
            for part in list(PART, value, "processors")? {
                whole = match (whole, read(Some(part), vocab_size)?) {
                    (None, template) => template,
                    (whole, None) => whole,
                    (Some(inner), Some(outer)) => Some(Template {
                        before: [outer.before, inner.before].concat(),
                        after: [inner.after, outer.after].concat(),
                    }),
                };
            }
            whole
        }
        "BertProcessing" | "RobertaProcessing" => Some(Template {
            before: vec![token_and_id(value, "cls")?],
            after: vec![token_and_id(value, "sep")?],
        }),
        "TemplateProcessing" => Some(template(value)?),
        "ByteLevel" => None, // it moves offsets only
        _ => return refuse(format!("post_processor is {}, which genotok does not support", show(value))),
    };
    let count = template.as_ref().map_or(0, |template| template.before.len() + template.after.len());
    if count > MAX_AROUND {
        return too_many();
    }
    let too_large = |id: &&Id| **id as usize >= vocab_size;
    match template.iter().flat_map(|template| template.before.iter().chain(&template.after)).find(too_large) {
        Some(id) => refuse(format!("post_processor puts in the id {id}, which its vocabulary does not have")),
        None => Ok(template),
    }
}

/// The post-processor of our own files; null where special tokens have other names.
///
/// With `[CLS]` and `[SEP]` it is that of the published file of DNABERT-2. k-mers with `<cls>` get what the published
/// tokenizer of Nucleotide Transformer puts around one sequence: nothing behind it. That tokenizer refuses two sequences
/// unless it is given an end token, with which its class puts `<eos>` behind each; so it is here where there is one.
pub(in crate::tokenizer) fn usual(find: impl Fn(&str) -> Option<Id>, of_kmers: bool) -> Value {
    let around = |first, behind_one: &[&str], behind_two: &[&str]| {
        let special = |name: &str, kind: u8| json!({"SpecialToken": {"id": name, "type_id": kind}});
        let sequence = |name: &str, kind: u8| json!({"Sequence": {"id": name, "type_id": kind}});
        let part = |name, kind, behind: &[&str]| {
            let behind: Vec<Value> = behind.iter().map(|token| special(token, kind)).collect();
            [vec![sequence(name, kind)], behind].concat()
        };
        let names = [first].into_iter().chain(behind_two.iter().copied());
        let tokens: Map<String, Value> = names
            .filter_map(|name| {
                Some((name.to_owned(), json!({"id": name, "ids": [find(name)?], "tokens": [name]})))
            })
            .collect();
        let single = [vec![special(first, 0)], part("A", 0, behind_one)].concat();
        let pair = [vec![special(first, 0)], part("A", 0, behind_two), part("B", 1, behind_two)].concat();
        json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens})
    };
    let has = |name| find(name).is_some();
    if of_kmers && has("<cls>") && !has("[CLS]") {
        return around("<cls>", &[], if has("<eos>") { &["<eos>"] } else { &[] });
    }
    if has("[CLS]") && has("[SEP]") { around("[CLS]", &["[SEP]"], &["[SEP]"]) } else { Value::Null }
}

/// The template of [`usual`].
pub(in crate::tokenizer) fn usual_template(
    find: impl Fn(&str) -> Option<Id>,
    of_kmers: bool,
) -> Option<Template> {
    read(Some(&usual(find, of_kmers)), usize::MAX).ok().flatten()
}

/// An id of a file, wherever it stands.
fn id(value: &Value) -> Option<Id> {
    value.as_u64().and_then(|id| Id::try_from(id).ok())
}

/// The id in a list of a token and its id.
fn token_and_id(value: &Value, key: &str) -> Result<Id> {
    field(PART, value, key, "a token and its id", |pair| match &pair.as_array()?[..] {
        [Value::String(_), number] => id(number),
        _ => None,
    })
}

/// What a `TemplateProcessing` puts around one sequence: the special tokens before it, and those behind.
fn template(value: &Value) -> Result<Template> {
    let mut template = Template::default();
    let mut is_behind = false;
    for piece in list(PART, value, "single")? {
        if let Some(sequence) = piece.get("Sequence") {
            if is_behind || string(PART, sequence, "id")? != "A" {
                return refuse(
                    "post_processor has a template for one sequence that is not that sequence once",
                );
            }
            is_behind = true;
        } else if let Some(special) = piece.get("SpecialToken") {
            let side = if is_behind { &mut template.after } else { &mut template.before };
            side.extend(ids_of(value, string(PART, special, "id")?)?);
            if side.len() > MAX_AROUND {
                return too_many();
            }
        } else {
            return refuse(
                "post_processor has a template with a piece that is neither Sequence nor SpecialToken",
            );
        }
    }
    if !is_behind {
        return refuse("post_processor has a template for one sequence that leaves it out");
    }
    Ok(template)
}

/// The ids that stand for a special token of a template: one, nearly always.
fn ids_of(value: &Value, name: &str) -> Result<Vec<Id>> {
    let ids = value.get("special_tokens").and_then(|tokens| tokens.get(name)?.get("ids")?.as_array());
    let ids = ids.and_then(|ids| ids.iter().map(id).collect());
    ids.ok_or_else(|| {
        Error::vocabulary(format!("post_processor has no ids for its token {}", show_text(name)))
    })
}
