//! A vocabulary as users see it: merges, special tokens and the ids of both.
//!
//! A [`Tokenizer`] is made of parts that know nothing of each other:
//!
//! | part | what it knows |
//! |---|---|
//! | `token_model` | how words become tokens, numbered from 0: merges of [`crate::bpe`], k-mers, or words that are looked up |
//! | `numbering` | the id of every token: special tokens first, then the bases, then the merges by rank, unless a file says otherwise |
//! | [`symbols`] | what each byte of a text is to the model |
//! | `normalizer`, `splitting`, `words` | what a file says of a text beyond a table of its bytes |
//! | `added` | the tokens that are found before anything else |
//! | `pieces` | all of that carried out on one text |
//!
//! # Text to ids
//!
//! As Hugging Face `tokenizers` does with the same file: special tokens are found in the raw text first, the leftmost,
//! of several there the longest. In what lies between, each maximal run of bases is a word and is encoded on its own;
//! every other character becomes the unknown token, one for one; white space vanishes if the file has a `Whitespace`
//! pre-tokenizer. That is the same as its splitting by `\w+|[^\w\s]+`: bases are all of `\w`, so that such a split
//! never falls between two of them, and around any other character no merge reaches anyway.
//!
//! [`crate::batch`] does the same for many texts at a time, [`json`] reads and writes the file.

mod added;
mod bytes;
mod growth;
pub mod json;
mod kmers;
mod names;
mod normalizer;
mod numbering;
mod parts;
mod pattern;
pub(crate) mod pieces;
pub(crate) mod refusal;
mod special;
mod split_pattern;
mod splitting;
pub mod symbols;
mod template;
mod text_table;
pub(crate) mod token_model;
mod words;

use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::{MergeTable, Token};
use crate::error::{Error, Result};
use added::{AddedToken, AddedTokenFinder, TextSection};
use json::document::TokenizerDocument;
use json::{SETTINGS, usual_template};
use numbering::{Meaning, Numbering};
use pieces::{CharacterRanges, TextPiece, TextRules};
use refusal::unknown_symbol;
use special::find_unknown;
use symbols::SymbolTable;
use token_model::TokenModel;

pub use json::Roles;
pub use numbering::Id;
pub use special::{KmerSpecials, check_specials};
pub use template::Template;
pub use text_table::{CharacterEntry, TextTable, TextToken};

/// Bytes that [`Tokenizer::explain`] takes: what it returns is quadratic in them.
const MAX_EXPLAINED: usize = 5_000;

/// Merges, special tokens and ids; it never changes once made, so threads share it.
#[derive(Debug)]
pub struct Tokenizer {
    model: TokenModel,
    numbering: Numbering,
    rules: TextRules,
    /// What of its file has no part in encoding, to be written again.
    document: TokenizerDocument,
    /// Made of the added tokens in `rules`.
    finder: AddedTokenFinder,
    roles: Roles,
    /// The id of each string, once one was asked for; not of k-mers.
    ids_by_string: OnceLock<FxHashMap<String, Id>>,
}

/// One step of an encoding: the ids after one merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStep {
    /// The rank of the merge; `None` for the single symbols before the first.
    pub rank: Option<usize>,
    /// All ids of the text after it.
    pub ids: Vec<Id>,
}

impl Tokenizer {
    /// A tokenizer of these merges and special tokens, with ids in the usual order.
    ///
    /// Lower-case symbols are read as upper-case ones. Fails if a special token is empty, given twice, or a string of bases.
    /// `[UNK]` or `<unk>` among them stands for unknown symbols.
    pub fn new(table: MergeTable, special_tokens: &[String]) -> Result<Self> {
        check_specials(special_tokens)?;
        let num_specials = Id::try_from(special_tokens.len()).unwrap_or(Id::MAX);
        let specials: Vec<(String, Id)> = special_tokens.iter().cloned().zip(0..).collect();
        let unknown = find_unknown(&specials);
        let symbols = SymbolTable::new(table.alphabet()).upper_cased();
        let document = TokenizerDocument::of_ours(&specials, unknown.map(|(token, _)| token.as_str()));
        let unknown = unknown.map(|&(_, id)| id);
        let added = specials.iter().map(|(token, id)| AddedToken::special(token, *id)).collect();
        let find = |name: &str| specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let template = usual_template(find, false);
        let rules = TextRules { symbols, added, others: Vec::new(), unknown, template };
        let ids = (0..table.num_tokens()).map(|token| num_specials + token).collect();
        Self::assemble(table.into(), ids, rules, document)
    }

    /// Puts checked parts together.
    ///
    /// The ids of added tokens, of the model's and of others must be dense, from 0, and unique but for one case: an added
    /// token that the model has too. It is entered last, so that its id means the added token.
    fn assemble(
        model: TokenModel,
        ids: Vec<Id>,
        rules: TextRules,
        document: TokenizerDocument,
    ) -> Result<Self> {
        let all = rules.added.iter().map(|token| token.id).chain(ids.iter().copied());
        let largest = all.chain(rules.others.iter().map(|&(_, id)| id)).max();
        let mut meanings = vec![Meaning::Other(0); largest.map_or(0, |id| id as usize + 1)];
        for (place, &(_, id)) in rules.others.iter().enumerate() {
            meanings[id as usize] = Meaning::Other(place);
        }
        for (&id, token) in ids.iter().zip(0..) {
            meanings[id as usize] = Meaning::Token(token);
        }
        for (place, token) in rules.added.iter().enumerate() {
            meanings[token.id as usize] = Meaning::Added(place);
        }
        let finder = AddedTokenFinder::new(&rules.added, &rules.symbols.rules.normalizer)?;
        let numbering = Numbering::listed_as(ids, meanings);
        let ids_by_string = OnceLock::new();
        Ok(Self { model, numbering, rules, document, finder, roles: Roles::default(), ids_by_string })
    }

    /// The merges, of a tokenizer that has some.
    pub fn table(&self) -> Option<&MergeTable> {
        self.model.table()
    }

    /// The symbols that tokens are made of, in the order of their codes.
    pub fn alphabet(&self) -> &[u8] {
        self.model.alphabet()
    }

    /// What each byte of a text is.
    pub fn symbols(&self) -> &SymbolTable {
        &self.rules.symbols
    }

    /// What the file puts around a sequence; `None` where one of ours does not say and leaves it to [`Self::template`].
    pub fn own_template(&self) -> Option<&Template> {
        self.rules.template.as_ref()
    }

    /// What files beside the tokenizer's say of its special tokens.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The same tokenizer with these roles.
    #[must_use]
    pub fn with_roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    /// What the file says of `truncation` and `padding`, which have no part in the ids here: the key, and JSON.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, String)> {
        SETTINGS.into_iter().filter_map(|key| Some((key, self.document.setting(key)?.to_string())))
    }

    /// Number of tokens: special ones and those of the model.
    pub fn vocab_size(&self) -> usize {
        self.numbering.len()
    }

    /// The string of each id, in order; spelled as the iterator advances.
    pub fn vocab(&self) -> impl Iterator<Item = String> {
        (0..).map_while(|id| self.numbering.meaning(id)).map(|meaning| self.spell(meaning))
    }

    /// The strings that each merge joins, by rank.
    pub fn merges(&self) -> impl Iterator<Item = (String, String)> {
        let merges = self.model.merges().iter();
        merges.map(|&(left, right)| (self.model.spell(left), self.model.spell(right)))
    }

    /// How many merges there are.
    pub fn num_merges(&self) -> usize {
        self.model.merges().len()
    }

    /// The tokenizer that training at the smaller `vocab_size` would have given.
    ///
    /// Merges are found greedily, so a smaller vocabulary has the first of them. Fails for k-mers, for merges that no
    /// training makes, for ids that are not in the order of the merges, and for sizes above the present one or too small
    /// for special tokens and single symbols.
    pub fn truncate(&self, vocab_size: usize) -> Result<Self> {
        if matches!(self.model, TokenModel::Kmer(_) | TokenModel::Words(_)) {
            return Err(Error::vocabulary("these are k-mers, not merges: they cannot be truncated"));
        }
        let first = self.vocab_size() - self.num_merges();
        let Some(num_merges) = vocab_size.checked_sub(first) else {
            let rule = format!("must be at least {first}: special tokens and single symbols");
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        };
        if num_merges > self.num_merges() {
            let rule = format!("this vocabulary has only {} tokens", self.vocab_size());
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        }
        let ids = self.numbering.listed();
        let of_merges = ids.iter().skip(self.model.alphabet().len());
        let in_order = of_merges.zip(first..).all(|(&id, place)| id as usize == place);
        let Some(model) = self.model.truncated(num_merges).filter(|_| in_order) else {
            return Err(Error::vocabulary(
                "its ids are not in the order of its merges, so it cannot be truncated",
            ));
        };
        let ids = ids[..model.num_tokens() as usize].to_vec();
        let truncated = Self::assemble(model, ids, self.rules.clone(), self.document.clone())?;
        Ok(truncated.with_roles(self.roles.clone()))
    }

    /// Whether the encoding automaton is built; the call that builds it takes longer.
    pub fn is_ready(&self) -> bool {
        self.model.is_ready()
    }

    /// States and bytes of the encoding automaton; `None` if the vocabulary has none. Builds it when first called.
    pub fn automaton_size(&self) -> Option<(usize, usize)> {
        self.model.automaton().map(AnyMarked::size)
    }

    /// Why there is no encoding automaton, of a vocabulary that is slow for want of it. Builds it when first called.
    pub fn why_no_automaton(&self) -> Option<&str> {
        self.model.why_no_automaton()
    }

    /// The strings of the ids, joined; in a file that sees bytes, what its decoder makes of them; of k-mers the
    /// sequence, as far as they tell it. Linear; each token is spelled once. Fails at an id that the vocabulary does not have.
    pub fn decode(&self, ids: &[Id]) -> Result<String> {
        if let Some(kmer) = self.kmers() {
            return self.decode_kmers(kmer, ids);
        }
        let mut text = Vec::new();
        let mut spelled: FxHashMap<Id, String> = FxHashMap::default();
        for &id in ids {
            let token = match spelled.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.token(id)?),
            };
            if self.document.decodes_bytes() {
                bytes::extend(&mut text, token);
            } else {
                text.extend_from_slice(token.as_bytes());
            }
        }
        Ok(String::from_utf8(text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The string of an id.
    pub(crate) fn token(&self, id: Id) -> Result<String> {
        Ok(self.spell(self.meaning(id)?))
    }

    /// What an id stands for; fails if it is none.
    fn meaning(&self, id: Id) -> Result<Meaning> {
        self.numbering.meaning(id).ok_or_else(|| {
            let rule = format!("must be below {}, the size of the vocabulary", self.vocab_size());
            Error::argument("id", &id, rule)
        })
    }

    /// How a text is read, as a table for programs in other languages; fails with the reason if no table can say it.
    pub fn text_table(&self) -> Result<TextTable> {
        TextTable::of(&self.model, &self.rules, |token| self.id_of(token))
    }

    /// How a text becomes tokens: its symbols, then the ids after each merge.
    ///
    /// The lowest rank first, of equal ones the leftmost. Quadratic in the length of the text; fails for texts of more than
    /// 5,000 bytes.
    pub fn explain(&self, text: &str) -> Result<Vec<ExplainedStep>> {
        if text.len() > MAX_EXPLAINED {
            let rule = format!("is too long to show each step; give at most {MAX_EXPLAINED} bytes");
            return Err(Error::argument("sequence", &format_args!("{} bytes", text.len()), rule));
        }
        if self.kmers().is_some() {
            return Ok(vec![ExplainedStep { rank: None, ids: self.encode(text)? }]);
        }
        let ids = |tokens: Vec<Token>| tokens.into_iter().map(|token| self.id_of(token)).collect();
        let mut pieces: Vec<Vec<Id>> = Vec::new();
        let mut merges: Vec<(usize, usize, usize, Vec<Id>)> = Vec::new();
        self.pieces(text, |piece| match piece {
            Taken::Word(codes) => {
                let (symbols, made) = self.model.explain(codes);
                // The rule takes a merge that another one made possible at once, also one of a lower rank.
                let mut turn = 0;
                for (rank, after) in made {
                    turn = turn.max(rank);
                    merges.push((turn, pieces.len(), rank, ids(after)));
                }
                pieces.push(ids(symbols));
            }
            Taken::Id(id) => pieces.push(vec![id]),
        })?;
        // A piece is a word or a token outside words. Merges of different words do not interfere, and within a word the turns
        // never fall: so sorting by turn, then piece, is the order of the rule and keeps each word's own.
        merges.sort_by_key(|&(turn, piece, _, _)| (turn, piece));
        let mut steps = vec![ExplainedStep { rank: None, ids: pieces.concat() }];
        for (_, piece, rank, after) in merges {
            pieces[piece] = after;
            steps.push(ExplainedStep { rank: Some(rank), ids: pieces.concat() });
        }
        Ok(steps)
    }

    fn spell(&self, meaning: Meaning) -> String {
        match meaning {
            Meaning::Added(place) => self.rules.added[place].content.clone(),
            Meaning::Token(token) => self.model.spell(token),
            Meaning::Other(place) => self.rules.others[place].0.clone(),
        }
    }

    /// What makes words tokens.
    pub(crate) fn model(&self) -> &TokenModel {
        &self.model
    }

    /// The id of a token of the model.
    pub(crate) fn id_of(&self, token: Token) -> Id {
        self.numbering.id_of(token)
    }

    /// The id of symbols outside the vocabulary.
    pub fn unknown_id(&self) -> Option<Id> {
        self.rules.unknown
    }

    /// The special tokens in a text: from where to where, and the id.
    pub(crate) fn find_specials<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (usize, usize, Id)> + 'a {
        self.finder.raw.parts(text).filter_map(|part| match part {
            TextSection::Token(id, range) => Some((range.start, range.end, id)),
            TextSection::Plain(_) => None,
        })
    }

    /// The bytes that added tokens start with.
    pub(crate) fn first_bytes_of_added(&self) -> impl Iterator<Item = u8> + '_ {
        self.rules.added.iter().filter_map(|token| token.content.bytes().next())
    }

    /// Whether plain texts can be read byte by byte with [`SymbolTable::code`].
    pub(crate) fn is_simple(&self) -> bool {
        self.rules.symbols.is_simple() && self.finder.normalized.is_empty()
    }

    /// Whether a text without added tokens is read character by character, whatever stands beside each: nothing is done to
    /// it but what the table of symbols says, and no word is looked up whole.
    pub(crate) fn is_by_symbol(&self) -> bool {
        let is_by_word = matches!(self.model, TokenModel::Words(_));
        !is_by_word && self.rules.symbols.leaves_all() && self.finder.normalized.is_empty()
    }

    /// The ids of the tokens of the model, where they are listed.
    pub(crate) fn ids(&self) -> &[Id] {
        self.numbering.listed()
    }

    /// The id of the first token of the model, if those of the others follow it in order.
    pub(crate) fn shift(&self) -> Option<Id> {
        self.numbering.shift()
    }

    /// The tokens of any text, each with the characters it comes from; nothing in place of an unknown symbol.
    ///
    /// `symbols` are those of the file, or the same upper-cased. The ranges rise, as [`CharacterRanges`] needs it.
    pub(crate) fn tokens_exactly(
        &self,
        text: &str,
        symbols: &SymbolTable,
        mut take: impl FnMut(Option<Id>, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let mut characters = CharacterRanges::of(text);
        pieces::take_apart(text, symbols, &self.finder, &mut |piece| match piece {
            TextPiece::Token(id, range) => take(Some(id), characters.range(&range)),
            TextPiece::Unknown(range) => take(None, characters.range(&range)),
            TextPiece::Word(word) => {
                let mut done = 0;
                for token in self.model.encode(&word.codes) {
                    let end = done + self.model.length(token) as usize;
                    take(Some(self.id_of(token)), characters.range(&word.origin(done..end)))?;
                    done = end;
                }
                Ok(())
            }
        })
    }

    /// Takes a text apart, with the unknown token for unknown symbols.
    fn pieces(&self, text: &str, mut take: impl FnMut(Taken<'_>)) -> Result<()> {
        pieces::take_apart(text, &self.rules.symbols, &self.finder, &mut |piece| {
            take(match piece {
                TextPiece::Word(word) => Taken::Word(&word.codes),
                TextPiece::Token(id, _) => Taken::Id(id),
                TextPiece::Unknown(range) => {
                    Taken::Id(self.rules.unknown.ok_or_else(|| unknown_symbol(text, range.start))?)
                }
            });
            Ok(())
        })
    }
}

/// A piece of a text, without its place.
enum Taken<'a> {
    /// A maximal run of symbols, as codes.
    Word(&'a [u8]),
    /// Any other token.
    Id(Id),
}

#[cfg(test)]
mod tests;
