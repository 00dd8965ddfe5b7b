//! Tokenizers whose tokens are k-mers: see [`crate::kmer`].
//!
//! What is not a k-mer is as with other tokenizers: special tokens are found in the raw text first, and `[UNK]` or
//! `<unk>` among them stands for symbols outside the vocabulary. Ids are a block of the k-mers between two of special tokens,
//! so no list of names or ids is kept, however large k is.

use super::added::{AddedToken, AddedTokenFinder};
use super::json::document::TokenizerDocument;
use super::json::{usual_template, why_unsupported};
use super::numbering::Numbering;
use super::refusal::unknown_symbol;
use super::special::KmerSpecials;
use super::symbols::SymbolTable;
use super::token_model::TokenModel;
use super::{Id, Meaning, Roles, TextRules, Tokenizer, check_specials, find_unknown};
use crate::error::{Error, Result, show_text};
use crate::kmer::{Kmer, KmerMeaning, KmerOptions, symbols_of};

impl Tokenizer {
    /// A tokenizer of k-mers.
    ///
    /// With `upper_case` it reads lower-case symbols as upper-case ones; without, as the published models, it does not
    /// know them. Fails if a special token is empty, given twice, a string of bases, or a token of the vocabulary.
    pub fn kmer(kmer: Kmer, specials: &KmerSpecials, upper_case: bool) -> Result<Self> {
        let names: Vec<String> = specials.before.iter().chain(&specials.after).cloned().collect();
        check_specials(&names)?;
        if let Some(name) = names.iter().find(|name| kmer.token(name.as_bytes()).is_some()) {
            let rule = "is a token of the vocabulary already; try brackets around it";
            return Err(Error::argument("special_tokens", &show_text(name), rule));
        }
        let first = Id::try_from(specials.before.len()).unwrap_or(Id::MAX);
        let ids = (0..first).chain(first + kmer.num_tokens()..);
        let specials: Vec<(String, Id)> = names.into_iter().zip(ids).collect();
        let symbols = SymbolTable::new(kmer.alphabet());
        let symbols = if upper_case { symbols.upper_cased() } else { symbols };
        let unknown = find_unknown(&specials).map(|(_, id)| *id);
        let added: Vec<AddedToken> =
            specials.iter().map(|(name, id)| AddedToken::special(name, *id)).collect();
        let numbering = Numbering::Block { first, num_tokens: kmer.num_tokens(), num_added: added.len() };
        let finder = AddedTokenFinder::new(&added, &symbols.rules.normalizer)?;
        // Our own form has no part for it and leaves it to the names.
        let find = |name: &str| specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let template = usual_template(find, true).filter(|_| why_unsupported(&kmer).is_none());
        let rules = TextRules { symbols, added, others: Vec::new(), unknown, template };
        let (model, document) = (TokenModel::Kmer(kmer), TokenizerDocument::of_kmers());
        let ids_by_string = std::sync::OnceLock::new();
        Ok(Self { model, numbering, rules, document, finder, roles: Roles::default(), ids_by_string })
    }

    /// The k-mers, of a tokenizer that has some.
    pub fn kmers(&self) -> Option<&Kmer> {
        self.model.kmer()
    }

    /// The special tokens, of a tokenizer of k-mers: those with ids below the first k-mer, and the others.
    pub(super) fn kmer_specials(&self) -> KmerSpecials {
        let first = self.numbering.id_of(0);
        let (before, after) = self.rules.added.iter().partition(|token| token.id < first);
        let names = |list: Vec<&AddedToken>| list.into_iter().map(|token| token.content.clone()).collect();
        KmerSpecials { before: names(before), after: names(after) }
    }

    /// The name of the unknown token, of a tokenizer of k-mers.
    pub(super) fn kmer_unknown(&self) -> Option<&str> {
        let unknown = self.rules.added.iter().find(|token| Some(token.id) == self.rules.unknown);
        unknown.map(|token| token.content.as_str())
    }

    /// How symbols become ids of k-mers; upper-casing is on if the caller or the file says so.
    pub(crate) fn kmer_options(&self, upper_case: bool) -> KmerOptions {
        KmerOptions {
            upper_case: upper_case || self.rules.symbols.is_known(b'a'),
            first: self.numbering.id_of(0),
            unknown: self.rules.unknown,
        }
    }

    /// The ids of a text, without special tokens around it; between special tokens in the text k-mers start anew.
    pub(crate) fn encode_kmers(&self, kmer: &Kmer, text: &str) -> Result<Vec<Id>> {
        let options = self.kmer_options(false);
        let mut ids = Vec::new();
        let mut done = 0;
        let end = (text.len(), text.len(), None);
        let specials = self.find_specials(text).map(|(start, end, id)| (start, end, Some(id)));
        for (start, end, id) in specials.chain([end]) {
            let plain = &text[done..start];
            if options.unknown.is_none() {
                let symbols = symbols_of(plain.as_bytes());
                if let Some(at) = kmer.first_unknown(&symbols, options.upper_case) {
                    let at = plain.char_indices().nth(at).map_or(0, |(at, _)| at);
                    return Err(unknown_symbol(text, done + at));
                }
            }
            kmer.encode_into(plain.as_bytes(), &options, &mut ids);
            ids.extend(id);
            done = end;
        }
        Ok(ids)
    }

    /// The text that ids of k-mers stand for. Fails at an id that the vocabulary does not have, before any text is made.
    pub(super) fn decode_kmers(&self, kmer: &Kmer, ids: &[Id]) -> Result<String> {
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.vocab_size()) {
            self.token(*id)?;
        }
        let meanings = ids.iter().map(|&id| match self.numbering.meaning(id) {
            _ if Some(id) == self.rules.unknown => KmerMeaning::Unknown,
            Some(Meaning::Token(token)) => KmerMeaning::Token(token),
            Some(Meaning::Added(place)) => KmerMeaning::Special(&self.rules.added[place].content),
            Some(Meaning::Other(_)) | None => KmerMeaning::Special(""),
        });
        let mut text = Vec::new();
        kmer.decode(meanings, self.kmer_unknown().unwrap_or(""), &mut text);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests;
