//! The added tokens of a file.
//!
//! Their ids are not free: Hugging Face gives a token the id that the vocabulary has for it, or the next one behind the
//! vocabulary, and ignores what the file says. A file that says otherwise means something else than it does, and is refused.

use serde_json::Value;

use super::fields::{flag_or_false, refuse, show};
use super::strict::Vocab;
use crate::error::{Result, show_text};
use crate::tokenizer::Id;
use crate::tokenizer::added::AddedToken;
use crate::tokenizer::special::{MAX_SPECIAL_BYTES, MAX_SPECIALS, special_mistake};

/// The added tokens, in order of id, with the ids that Hugging Face gives them.
///
/// Their number and bytes are bounded before anything is built of them: an automaton over them takes many times their memory.
/// Fails at a token that is empty, a string of bases, or given twice, at `single_word`, which depends on Unicode's idea of a
/// word, and at an id that Hugging Face would not give.
pub(super) fn read(added: Option<&Value>, vocab: &Vocab) -> Result<Vec<AddedToken>> {
    let added = match added {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(added)) => added,
        Some(other) => return refuse(format!("added_tokens is {}, not a list", show(other))),
    };
    let total = added.iter().filter_map(|token| token.get("content")?.as_str()).map(str::len).sum::<usize>();
    if added.len() > MAX_SPECIALS || total > MAX_SPECIAL_BYTES {
        return refuse(format!(
            "it has more than {MAX_SPECIALS} special tokens, or {MAX_SPECIAL_BYTES} bytes of them"
        ));
    }
    // Those that the vocab does not have get the ids behind it, in the order of the file, whatever the file says.
    let mut next = Id::try_from(vocab.len()).unwrap_or(Id::MAX);
    let mut tokens =
        added.iter().map(|token| read_one(token, vocab, &mut next)).collect::<Result<Vec<_>>>()?;
    tokens.sort_by_key(|token| token.id);
    let mut sorted: Vec<&str> = tokens.iter().map(|token| token.content.as_str()).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => refuse(format!("the special token {} is given twice", show_text(pair[0]))),
        None => Ok(tokens),
    }
}

/// One of them. `next` is the id that the next token without one gets.
fn read_one(token: &Value, vocab: &Vocab, next: &mut Id) -> Result<AddedToken> {
    let Some(content) = token.get("content").and_then(Value::as_str) else {
        return refuse("an added token has no content that is a string");
    };
    if let Some(mistake) = special_mistake(content) {
        return refuse(format!("the special token {} {mistake}", show_text(content)));
    }
    let part = format!("the added token {}", show_text(content));
    if flag_or_false(&part, token, "single_word")? {
        return refuse(format!("{part} has single_word, which genotok does not support"));
    }
    let known = vocab.get(content);
    let id = known.copied().unwrap_or(*next);
    if known.is_none() {
        *next = next.saturating_add(1);
    }
    match token.get("id").and_then(Value::as_u64) {
        Some(said) if said == u64::from(id) => {}
        Some(said) => return refuse(format!("{part} has the id {said}, but Hugging Face gives it {id}")),
        None => return refuse(format!("{part} has no id that is a number from 0 on")),
    }
    Ok(AddedToken {
        content: content.to_owned(),
        id,
        strips_left: flag_or_false(&part, token, "lstrip")?,
        strips_right: flag_or_false(&part, token, "rstrip")?,
        is_normalized: flag_or_false(&part, token, "normalized")?,
        is_in_vocab: known.is_some(),
        is_special: flag_or_false(&part, token, "special")?,
    })
}
