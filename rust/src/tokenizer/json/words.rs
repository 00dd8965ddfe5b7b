//! A file with a `WordLevel` model, if its words are bases, codons or other k-mers.
//!
//! A word is read as a k-mer if it is written in the codes of nucleotides and has up to 64 of them. Tokens of one
//! character may be anything, and those of the form `[NAME]` or `<name>`, or added, are special. With any other word
//! the file is for another language, and refused.
//!
//! | type | cuts |
//! |---|---|
//! | `Sequence` | those of its parts, each within the pieces of the one before |
//! | `Split` | by the matches of a string or expression, whose `behavior` says what becomes of them |
//! | `FixedLength` | every so many characters |
//! | `Whitespace`, `WhitespaceSplit`, `CharDelimiterSplit` | by what vanishes |
//!
//! Where every word is one character that always stands alone, the model is one without merges, which the table of symbols and
//! the automaton can do; else words are looked up one by one. Either way the cuts are kept, for texts that are not plain.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value;

use super::fields::{self, field, flag, kind, list, refuse, show, string};
use super::model::{ModelOptions, ParsedModel};
use super::pre_tokenizer::read_behavior;
use super::strict::{Merges, Vocab};
use crate::bpe::MAX_SYMBOLS;
use crate::error::{Result, show_text};
use crate::tokenizer::added::AddedToken;
use crate::tokenizer::pattern::{CharacterClass, Others};
use crate::tokenizer::special::is_special_form;
use crate::tokenizer::split_pattern::SplitPattern;
use crate::tokenizer::splitting::{SplitRule, Splitting, white_space};
use crate::tokenizer::token_model::{Lexicon, TokenModel};
use crate::tokenizer::words::{Behavior, Fate, WordCut, WordLookup};

const PART: &str = "pre_tokenizer";
/// Codes of nucleotides, gaps and stops, in either case.
const CODES: &[u8] = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-.*_";
/// Pre-tokenizers at most: each cuts the pieces of the one before, by recursion.
const MAX_CUTS: usize = 16;
/// Characters of the longest word.
const MAX_WORD: usize = 64;

/// The model of a file with this vocabulary and these added tokens, what vanishes, and how words are cut.
pub(super) fn read(
    document: &Value,
    vocab: &Vocab,
    added: &[AddedToken],
) -> Result<(ParsedModel, Splitting, Arc<WordLookup>)> {
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
    let words = WordLookup { cuts, ids: vocab.clone() };
    let dropped = CharacterClass::of(|character| words.fate(character) == Fate::Dropped, Others::No);
    let splitting = Splitting::new(vec![SplitRule::Drop(dropped)]);
    let is_alone =
        |token: &&str| token.len() == 1 && words.fate(char::from(token.as_bytes()[0])) == Fate::Alone;
    let unknown = vocab.contains_key(unknown).then(|| unknown.to_owned());
    let mut model = if tokens.iter().all(is_alone) {
        ParsedModel::read(vocab, &Merges::new(), &ModelOptions::of_words(unknown), &splitting)?
    } else {
        looked_up(vocab, &tokens, unknown.as_deref())?
    };
    model.singles.clear(); // a text with one of them is cut exactly
    Ok((model, splitting, Arc::new(words)))
}

/// The tokens of the vocabulary that are no special ones, in order of id; fails unless they are k-mers and at least one has a
/// base in it.
///
/// A token of one character need not be a k-mer: it is left out, and only a text that holds it asks for it.
fn kmers_of<'v>(vocab: &'v Vocab, added: &[AddedToken]) -> Result<Vec<&'v str>> {
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

/// A model whose words are looked up one by one; its alphabet is the characters of its words.
fn looked_up(vocab: &Vocab, tokens: &[&str], unknown: Option<&str>) -> Result<ParsedModel> {
    let mut alphabet: Vec<u8> = tokens.iter().flat_map(|token| token.bytes()).collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    if alphabet.len() > MAX_SYMBOLS {
        return refuse(format!(
            "its words have {} different characters; up to {MAX_SYMBOLS} are supported",
            alphabet.len()
        ));
    }
    let ids = tokens.iter().filter_map(|&token| vocab.get(token).copied()).collect();
    let token_model = TokenModel::Words(Lexicon::new(alphabet, tokens));
    Ok(ParsedModel::of_words(token_model, ids, unknown.and_then(|name| vocab.get(name).copied())))
}

/// What the pre-tokenizers do, in order; those of a sequence become one list.
fn cuts(pre_tokenizer: Option<&Value>) -> Result<Vec<WordCut>> {
    let Some(value) = pre_tokenizer.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let words = || SplitPattern::regex(r"\w+|[^\w\s]+");
    Ok(match kind(PART, value)? {
        "Sequence" => {
            let parts = list(PART, value, "pretokenizers")?.iter();
            parts.map(|part| cuts(Some(part))).collect::<Result<Vec<_>>>()?.concat()
        }
        "Split" => vec![split(value)?],
        "FixedLength" => {
            let part = "pre_tokenizer FixedLength";
            let length = |length: &Value| usize::try_from(length.as_u64()?).ok().filter(|&length| length > 0);
            vec![WordCut::Every(field(part, value, "length", "a number from 1 on", length)?)]
        }
        "WhitespaceSplit" => vec![WordCut::WhiteSpace(white_space())],
        "Whitespace" => {
            let matches =
                |pattern| WordCut::Pattern { pattern, behavior: Behavior::Removed, is_inverted: true };
            words().map(matches).into_iter().collect()
        }
        "CharDelimiterSplit" => match SplitPattern::text(string(PART, value, "delimiter")?) {
            Some(pattern) if pattern.as_single().is_some() => {
                vec![WordCut::Pattern { pattern, behavior: Behavior::Removed, is_inverted: false }]
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

/// `Split` by any pattern that [`SplitPattern`] knows.
fn split(value: &Value) -> Result<WordCut> {
    let is_inverted = flag(PART, value, "invert")?;
    let behavior = read_behavior(value.get("behavior").unwrap_or(&Value::Null))?;
    let (text, is_regex) = fields::pattern(PART, value)?;
    if text.is_empty() {
        // Found between any two characters: each is a piece, or, if what is between matches goes, none.
        return match (is_inverted, behavior) {
            (true, Behavior::Removed) => refuse("pre_tokenizer Split removes everything"),
            _ => Ok(WordCut::Every(1)),
        };
    }
    let pattern = if is_regex { SplitPattern::regex(text) } else { SplitPattern::text(text) };
    match pattern {
        Some(pattern) => Ok(WordCut::Pattern { pattern, behavior, is_inverted }),
        None => refuse(format!(
            "pre_tokenizer has the pattern {}; with a WordLevel model genotok supports rows of characters or classes with \
             counts, the last of them open, and alternatives of such",
            show_text(text)
        )),
    }
}
