//! A file with a `WordLevel` model, if its words are bases, codons or other k-mers.
//!
//! A word is read as a k-mer if it is written in the codes of nucleotides and has up to 64 of them. Tokens of one
//! character may be anything, and those of the form `[NAME]` or `<name>`, or added, are special. With any other word
//! the file is for another language, and refused.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value;

use super::fields::{flag, kind, list, refuse, show, string};
use super::model::{Model, Options};
use super::strict::{Merges, Vocab};
use crate::bpe::MAX_SYMBOLS;
use crate::error::{Result, show_text};
use crate::tokenizer::added::Added;
use crate::tokenizer::pattern::{Class, Others};
use crate::tokenizer::phrase::Phrase;
use crate::tokenizer::scheme::{Lexicon, Scheme};
use crate::tokenizer::special::is_special_form;
use crate::tokenizer::splitting::{Cut as Mark, Splitting, white_space};
use crate::tokenizer::words::{Behavior, Cut, Fate, Words};

const PART: &str = "pre_tokenizer";
/// Codes of nucleotides, gaps and stops.
const CODES: &[u8] = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-.*_";
/// Pre-tokenizers, one within the other.
const MAX_CUTS: usize = 16;
/// Characters of the longest word.
const MAX_WORD: usize = 64;

/// The model of a file whose added tokens and folded letters are these, and how words are cut.
pub(super) fn read(
    document: &Value,
    vocab: &Vocab,
    added: &[Added],
) -> Result<(Model, Splitting, Arc<Words>)> {
    let model = document.get("model").unwrap_or(&Value::Null);
    let unknown = string("model", model, "unk_token")?;
    let cuts = cuts(document.get("pre_tokenizer"))?;
    if cuts.is_empty() {
        return refuse(
            "its WordLevel model has no pre_tokenizer that cuts a sequence into words; genotok reads those of bases and \
             k-mers",
        );
    }
    if cuts.len() > MAX_CUTS {
        return refuse(format!("its pre_tokenizer has {} parts; up to {MAX_CUTS} are supported", cuts.len()));
    }
    let tokens = kmers_of(vocab, added)?;
    let words = Words { cuts, ids: vocab.clone() };
    let dropped = Class::of(|character| words.fate(character) == Fate::Dropped, Others::No);
    let splitting = Splitting::new(vec![Mark::Drop(dropped)]);
    let is_alone =
        |token: &&str| token.len() == 1 && words.fate(char::from(token.as_bytes()[0])) == Fate::Alone;
    let unknown = vocab.contains_key(unknown).then(|| unknown.to_owned());
    let mut model = if tokens.iter().all(is_alone) {
        Model::read(vocab, &Merges::new(), &Options::of_words(unknown), &splitting)?
    } else {
        looked_up(vocab, &tokens, unknown.as_deref())?
    };
    model.singles.clear(); // a text with one of them is cut exactly
    Ok((model, splitting, Arc::new(words)))
}

/// The tokens of the vocabulary that are no special ones: all of them k-mers, some of more than one code or known bases.
fn kmers_of<'v>(vocab: &'v Vocab, added: &[Added]) -> Result<Vec<&'v str>> {
    let contents: FxHashSet<&str> = added.iter().map(|known| known.content.as_str()).collect();
    let is_added = |token: &str| contents.contains(token);
    let mut tokens: Vec<(&str, u32)> = vocab.iter().map(|(token, &id)| (&**token, id)).collect();
    tokens.retain(|(token, _)| !is_special_form(token) && (token.len() == 1 || !is_added(token)));
    tokens.sort_unstable_by_key(|&(_, id)| id);
    let is_kmer = |token: &str| token.bytes().all(|byte| CODES.contains(&byte));
    for (token, _) in &tokens {
        if token.chars().nth(1).is_some() && !(is_kmer(token) && token.len() <= MAX_WORD) {
            return refuse(format!(
                "its WordLevel model has the word {}, which is no k-mer of up to {MAX_WORD} bases; genotok reads WordLevel \
                 models of bases and k-mers only",
                show_text(token)
            ));
        }
    }
    let tokens: Vec<&str> =
        tokens.into_iter().map(|(token, _)| token).filter(|token| is_kmer(token)).collect();
    let is_base = |token: &&str| token.bytes().any(|byte| b"ACGTUacgtu".contains(&byte));
    if tokens.iter().any(is_base) {
        return Ok(tokens);
    }
    refuse(
        "its WordLevel model has no word of bases; genotok reads WordLevel models of bases and k-mers only",
    )
}

/// A model whose words are looked up one by one.
fn looked_up(vocab: &Vocab, tokens: &[&str], unknown: Option<&str>) -> Result<Model> {
    let mut alphabet: Vec<u8> = tokens.iter().flat_map(|token| token.bytes()).collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    if alphabet.len() > MAX_SYMBOLS {
        return refuse(format!(
            "its words have {} letters; up to {MAX_SYMBOLS} are supported",
            alphabet.len()
        ));
    }
    let ids = tokens.iter().filter_map(|&token| vocab.get(token).copied()).collect();
    let scheme = Scheme::Words(Lexicon::new(alphabet, tokens));
    Ok(Model::of_words(scheme, ids, unknown.and_then(|name| vocab.get(name).copied())))
}

/// What the pre-tokenizers do, in order.
fn cuts(pre_tokenizer: Option<&Value>) -> Result<Vec<Cut>> {
    let Some(value) = pre_tokenizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let words = || Phrase::regex(r"\w+|[^\w\s]+");
    Ok(match kind(PART, value)? {
        "Sequence" => {
            let parts = list(PART, value, "pretokenizers")?.iter();
            parts.map(|part| cuts(Some(part))).collect::<Result<Vec<_>>>()?.concat()
        }
        "Split" => vec![split(value)?],
        "FixedLength" => {
            match value.get("length").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()) {
                Some(length) if length > 0 => vec![Cut::Every(length)],
                _ => return refuse("pre_tokenizer FixedLength has no length that is a number from 1 on"),
            }
        }
        "WhitespaceSplit" => vec![Cut::WhiteSpace(white_space())],
        "Whitespace" => {
            let matches = |phrase| Cut::Phrase { phrase, behavior: Behavior::Removed, is_inverted: true };
            words().map(matches).into_iter().collect()
        }
        "CharDelimiterSplit" => match Phrase::text(string(PART, value, "delimiter")?) {
            Some(phrase) if phrase.as_single().is_some() => {
                vec![Cut::Phrase { phrase, behavior: Behavior::Removed, is_inverted: false }]
            }
            _ => {
                return refuse(
                    "pre_tokenizer CharDelimiterSplit has no delimiter that is one ASCII character",
                );
            }
        },
        _ => {
            return refuse(format!(
                "pre_tokenizer is {}, which genotok does not support with a WordLevel model",
                show(value)
            ));
        }
    })
}

fn split(value: &Value) -> Result<Cut> {
    let is_inverted = flag(PART, value, "invert")?;
    let behavior = match value.get("behavior").and_then(Value::as_str) {
        Some("Isolated") => Behavior::Isolated,
        Some("Removed") => Behavior::Removed,
        Some("Contiguous") => Behavior::Contiguous,
        Some("MergedWithPrevious") => Behavior::MergedWithPrevious,
        Some("MergedWithNext") => Behavior::MergedWithNext,
        _ => {
            let behavior = value.get("behavior").unwrap_or(&Value::Null);
            return refuse(format!("pre_tokenizer has the behavior {}, which is none", show(behavior)));
        }
    };
    let pattern = value.get("pattern").unwrap_or(&Value::Null);
    let (text, is_regex) = match (pattern.get("String"), pattern.get("Regex")) {
        (Some(Value::String(text)), _) => (text, false),
        (_, Some(Value::String(text))) => (text, true),
        _ => return refuse("pre_tokenizer has no pattern that is a String or a Regex"),
    };
    if text.is_empty() {
        // Found between any two characters: each is a piece, or, if what is between matches goes, none.
        return match (is_inverted, behavior) {
            (true, Behavior::Removed) => refuse("pre_tokenizer Split removes everything"),
            _ => Ok(Cut::Every(1)),
        };
    }
    let phrase = if is_regex { Phrase::regex(text) } else { Phrase::text(text) };
    match phrase {
        Some(phrase) => Ok(Cut::Phrase { phrase, behavior, is_inverted }),
        None => refuse(format!(
            "pre_tokenizer has the pattern {}; with a WordLevel model genotok supports rows of characters or classes with \
             counts, the last of them open, and alternatives of such",
            show_text(text)
        )),
    }
}
