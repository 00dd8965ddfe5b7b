//! Tokens as parts of a sequence: how many symbols each stands for, and which may stand in its place.

use rustc_hash::FxHashMap;

use super::{Id, Meaning, TokenModel, Tokenizer};
use crate::bpe::Token;
use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::encode::neighbours::{Neighbour, by_encoding, by_machine};
use crate::error::{Error, Result};
use crate::kmer::Kmer;

impl Tokenizer {
    /// Whether the tokens of a sequence lie one behind the other, so that each has a place in it; fails if not.
    ///
    /// Overlapping k-mers do not, and words that are looked up whole may be anything.
    pub(crate) fn check_parts(&self) -> Result<()> {
        match &self.model {
            TokenModel::Kmer(kmer) if kmer.is_overlapping() => Err(Error::vocabulary(
                "its k-mers overlap, so tokens are no parts of a sequence; those of overlap=False are",
            )),
            TokenModel::Words(_) => {
                Err(Error::vocabulary("its words are looked up whole, so tokens are no parts of a sequence"))
            }
            TokenModel::Bpe(_) | TokenModel::Rules(_) | TokenModel::Kmer(_) => Ok(()),
        }
    }

    /// How many symbols of a sequence a token stands for: none if it is special, one if it is the unknown token.
    ///
    /// Fails at an id that the vocabulary does not have, and at an unknown token that stands for any number of symbols.
    pub fn symbols_of_id(&self, id: Id) -> Result<u32> {
        let rules = &self.rules.symbols.rules;
        let is_single = || {
            rules.singles.values().any(|&single| single == id)
                || rules.fallback.as_ref().is_some_and(|bytes| bytes.contains(&id))
        };
        match self.meaning(id)? {
            Meaning::Token(token) => Ok(self.model.length(token)),
            _ if Some(id) == self.rules.unknown && rules.fuses_unknown => {
                let rule = "is the unknown token, which this file makes of any number of symbols";
                Err(Error::argument("id", &id, rule))
            }
            _ => Ok(u32::from(Some(id) == self.rules.unknown || is_single())),
        }
    }

    /// The boundaries of the tokens of these ids in their sequence, counted in symbols: one more than there are ids.
    ///
    /// Special tokens stand for none. Fails as [`Self::symbols_of_id`] does, and where tokens overlap.
    pub fn boundaries(&self, ids: &[Id]) -> Result<Vec<i64>> {
        self.check_parts()?;
        let mut known: FxHashMap<Id, u32> = FxHashMap::default();
        let mut boundaries = Vec::with_capacity(ids.len() + 1);
        let mut end = 0;
        boundaries.push(end);
        for &id in ids {
            let length = match known.get(&id) {
                Some(&length) => length,
                None => *known.entry(id).or_insert(self.symbols_of_id(id)?),
            };
            end += i64::from(length);
            boundaries.push(end);
        }
        Ok(boundaries)
    }

    /// The ids that may stand in place of `token` between `left` and `right`, in ascending order: they have as many
    /// symbols, and the string of all three encodes to just these three. Nothing on a side is the end of the sequence.
    ///
    /// What is no token of the model on a side, such as the unknown token, ends words, as the end of the sequence does. If
    /// `token` itself is none, it is its own substitution beside those of the model.
    pub fn substitutions(&self, left: Option<Id>, token: Id, right: Option<Id>) -> Result<Vec<Id>> {
        self.check_parts()?;
        let length = self.symbols_of_id(token)?;
        if length == 0 {
            let rule = "is a special token, which stands for no symbols and has no substitutions";
            return Err(Error::argument("token", &token, rule));
        }
        let sides = [self.neighbour(left)?, self.neighbour(right)?];
        let [left, right] = sides.each_ref().map(|side| side.as_ref().map(|(t, codes)| (*t, &codes[..])));
        let found = match self.kmers() {
            Some(kmer) => self.kmer_substitutions(kmer, (left, right), length),
            None => self.token_substitutions((left, right), length),
        };
        let mut ids: Vec<Id> = found.into_iter().map(|token| self.id_of(token)).collect();
        if !matches!(self.meaning(token)?, Meaning::Token(_)) {
            ids.push(token);
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// What an id means as a neighbour: a token of the model with the codes of its symbols, or the end of a word.
    fn neighbour(&self, id: Option<Id>) -> Result<Option<(Token, Vec<u8>)>> {
        let Some(id) = id else { return Ok(None) };
        let Meaning::Token(token) = self.meaning(id)? else { return Ok(None) };
        let mut codes = Vec::new();
        self.model.spell_codes(token, &mut codes);
        Ok(Some((token, codes)))
    }

    /// Of merges: all tokens of that length that fit.
    fn token_substitutions(&self, sides: (Neighbour<'_>, Neighbour<'_>), length: u32) -> Vec<Token> {
        let model = self.model();
        let candidates = (0..model.num_tokens()).filter(|&token| model.length(token) == length);
        let spell = |token, codes: &mut Vec<u8>| model.spell_codes(token, codes);
        match model.automaton() {
            Some(AnyMarked::Narrow(marked)) => by_machine(&marked.over_codes(), sides, candidates, spell),
            Some(AnyMarked::Wide(marked)) => by_machine(&marked.over_codes(), sides, candidates, spell),
            None => by_encoding(|codes| model.encode(codes), sides, candidates, spell),
        }
    }

    /// Of k-mers: whether they fit does not depend on the bases, so one k-mer, one single base and N are tried.
    fn kmer_substitutions(
        &self,
        kmer: &Kmer,
        sides: (Neighbour<'_>, Neighbour<'_>),
        length: u32,
    ) -> Vec<Token> {
        let model = self.model();
        let any_base = kmer.any_base().unwrap_or(kmer.num_tokens());
        let kinds = [0..kmer.num_kmers(), kmer.num_kmers()..any_base, any_base..kmer.num_tokens()];
        let fits = |kind: &std::ops::Range<Token>| {
            let candidate = kind.clone().next().filter(|&token| model.length(token) == length);
            let encode = |codes: &[u8]| model.encode(codes);
            let spell = |token, codes: &mut Vec<u8>| model.spell_codes(token, codes);
            !by_encoding(encode, sides, candidate, spell).is_empty()
        };
        kinds.into_iter().filter(fits).flatten().collect()
    }
}

#[cfg(test)]
mod tests;
