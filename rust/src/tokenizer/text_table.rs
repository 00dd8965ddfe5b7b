//! How a tokenizer reads a text, as a table that programs in other languages can carry out.
//!
//! The page of `genotok browse` encodes in JavaScript. It knows words, added tokens and one entry for each ASCII character; so
//! a tokenizer has a [`TextTable`] if that is all there is to it, and else a reason why not. Characters beyond ASCII are
//! either all alike, apart from white space, or the table says why a text with them cannot be read by it.
//!
//! The table is exact: for each text that it covers, words, unknown characters and added tokens are those of
//! `Tokenizer::encode`. The tests of the page compare the two.

use super::numbering::Id;
use super::pieces::TextRules;
use super::symbols::{CharacterKind, SymbolTable};
use super::token_model::TokenModel;
use crate::bpe::Token;
use crate::error::{Error, Result};
use crate::kmer::Kmer;

/// What a character becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharacterEntry {
    /// A symbol of words; of merges, the id of the token that it starts as.
    Symbol(Id),
    /// A token that nothing joins.
    Alone(Id),
    /// The unknown token, or an error without one.
    Unknown,
    /// Nothing; it ends words.
    Dropped,
    /// It depends on what stands beside it: a text with it is not covered.
    Unsure,
}

/// A token that is found before words are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextToken {
    /// Its string.
    pub content: String,
    /// Its id.
    pub id: Id,
    /// White space on its left belongs to it.
    pub strips_left: bool,
    /// White space on its right belongs to it.
    pub strips_right: bool,
    /// It is found after those that are not, in the parts between.
    pub is_second: bool,
}

/// How a tokenizer reads a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTable {
    /// What each of the 128 ASCII characters becomes.
    pub ascii: Vec<CharacterEntry>,
    /// What other characters become, apart from white space that vanishes; or why a text with them is not covered.
    pub others: std::result::Result<CharacterEntry, String>,
    /// White space beyond ASCII vanishes.
    pub drops_other_space: bool,
    /// Neighbouring unknown characters are one token.
    pub fuses_unknown: bool,
    /// The tokens that are found before words.
    pub added: Vec<TextToken>,
    /// The k-mers and the id of the first, of a tokenizer of k-mers.
    pub kmers: Option<(Kmer, Id)>,
}

impl TextTable {
    /// How a tokenizer of these parts reads a text; fails with the reason if a table cannot say it.
    pub(super) fn of(model: &TokenModel, rules: &TextRules, id_of: impl Fn(Token) -> Id) -> Result<Self> {
        let symbols = &rules.symbols;
        if matches!(model, TokenModel::Words(_)) {
            return Err(Error::vocabulary("it looks up whole words, cut by patterns"));
        }
        if !symbols.leaves_all() {
            return Err(Error::vocabulary(
                "its normalizer does more than replace single characters, or works before added tokens are found",
            ));
        }
        let entry = |kind| match kind {
            CharacterKind::Known(code) if model.kmer().is_none() => {
                CharacterEntry::Symbol(id_of(code.into()))
            }
            CharacterKind::Known(code) => CharacterEntry::Symbol(code.into()),
            CharacterKind::Unknown => CharacterEntry::Unknown,
            CharacterKind::Dropped => CharacterEntry::Dropped,
            CharacterKind::Alone(id) => CharacterEntry::Alone(id),
        };
        let mut ascii: Vec<_> = (0..128).map(|byte| entry(symbols.kind_after(byte, true))).collect();
        symbols.unsure_bytes().for_each(|byte| ascii[usize::from(byte)] = CharacterEntry::Unsure);
        let added = rules.added.iter().map(|token| TextToken {
            content: token.content.clone(),
            id: token.id,
            strips_left: token.strips_left,
            strips_right: token.strips_right,
            is_second: token.is_normalized,
        });
        Ok(Self {
            ascii,
            others: kind_of_others(symbols).map(entry),
            drops_other_space: symbols.rules.splitting.drops('\u{2003}'),
            fuses_unknown: symbols.fuses_unknown(),
            added: added.collect(),
            kmers: model.kmer().map(|kmer| (*kmer, id_of(0))),
        })
    }
}

/// What characters beyond ASCII are, if all are the same; else why a table cannot say it.
fn kind_of_others(symbols: &SymbolTable) -> std::result::Result<CharacterKind, String> {
    let rules = &symbols.rules;
    if let Some(reason) = symbols.refusal() {
        return Err(format!("{reason} characters beyond ASCII"));
    }
    if rules.words.is_some() || !rules.normalizer.leaves_others() {
        return Err("the file's rules may change characters beyond ASCII".to_owned());
    }
    let has_others = rules.singles.keys().any(|character| !character.is_ascii());
    if rules.splitting.is_by_byte() || rules.fallback.is_some() || has_others {
        return Err("the file has tokens for bytes or characters beyond ASCII".to_owned());
    }
    // A class that holds any of them holds all, or white space: one of each tells.
    Ok(symbols.kinds_of_other('\u{e9}').next().unwrap_or(CharacterKind::Unknown))
}
