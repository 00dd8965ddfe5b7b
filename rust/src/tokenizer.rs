//! A vocabulary as users see it: merges, special tokens and the ids of both.
//!
//! A [`Tokenizer`] is a *scheme*, by which words become tokens, numbered from 0 on (the merges of [`crate::bpe`]); special tokens;
//! the id of every token (special tokens first, then the bases, then the merges by rank, unless a file says otherwise);
//! and [`letters`], which say what each byte of a text is to the scheme.
//!
//! # Text to ids
//!
//! As Hugging Face `tokenizers` does with the same file: special tokens are found in the raw text first, the leftmost,
//! of several there the longest. In what lies between, each maximal run of bases is a word and is encoded on its own;
//! every other letter becomes the unknown token, one for one; white space vanishes if the file has a `Whitespace`
//! pre-tokenizer. That is the same as its splitting by `\w+|[^\w\s]+`: bases are all of `\w`, so that such a split
//! never parts two of them, and around any other letter no merge reaches anyway.
//!
//! The file is in [`json`].

mod added;
mod bytes;
mod growth;
pub mod json;
mod kmers;
pub mod letters;
mod names;
mod normalizer;
mod numbering;
mod pattern;
mod phrase;
pub(crate) mod reading;
pub(crate) mod scheme;
mod special;
mod splitting;
mod template;
mod words;

use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::bpe::encode::marked::AnyMarked;
use crate::bpe::{MergeTable, Token};
use crate::error::{Error, Result};
use added::{Added, Finder, Part};
use json::frame::Frame;
use json::{SETTINGS, usual_template};
use letters::Letters;
use numbering::{Meaning, Numbering};
use reading::{Characters, Piece, Reading};
use scheme::Scheme;
use special::find_unknown;

pub use json::Roles;
pub use numbering::Id;
pub use special::{KmerSpecials, check_specials};
pub use template::Template;

/// Letters that [`Tokenizer::explain`] takes: what it returns is quadratic in them.
const MAX_EXPLAINED: usize = 5_000;

/// Merges, special tokens and ids; it never changes once made.
#[derive(Debug)]
pub struct Tokenizer {
    scheme: Scheme,
    numbering: Numbering,
    reading: Reading,
    frame: Frame,
    finder: Finder,
    roles: Roles,
    /// The id of each string, once one was asked for; not of k-mers.
    ids_by_string: OnceLock<FxHashMap<String, Id>>,
}

/// One step of an encoding: the ids after one merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rank of the merge; `None` for the letters before the first.
    pub rank: Option<usize>,
    /// All ids of the text after it.
    pub ids: Vec<Id>,
}

impl Tokenizer {
    /// A tokenizer of these merges and special tokens, with ids in the usual order.
    ///
    /// Fails if a special token is empty, given twice, or a string of bases. `[UNK]` or `<unk>` among them stands for
    /// unknown letters.
    pub fn new(table: MergeTable, special_tokens: &[String]) -> Result<Self> {
        check_specials(special_tokens)?;
        let num_specials = Id::try_from(special_tokens.len()).unwrap_or(Id::MAX);
        let specials: Vec<(String, Id)> = special_tokens.iter().cloned().zip(0..).collect();
        let unknown = find_unknown(&specials);
        let letters = Letters::new(table.alphabet()).upper_cased();
        let frame = Frame::of_ours(&specials, unknown.map(|(token, _)| token.as_str()));
        let unknown = unknown.map(|&(_, id)| id);
        let added = specials.iter().map(|(token, id)| Added::special(token, *id)).collect();
        let find = |name: &str| specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let template = usual_template(find, false);
        let reading = Reading { letters, added, others: Vec::new(), unknown, template };
        let ids = (0..table.num_tokens()).map(|token| num_specials + token).collect();
        Self::assemble(table.into(), ids, reading, frame)
    }

    /// Puts checked parts together. The ids must be dense and unique.
    fn assemble(scheme: Scheme, ids: Vec<Id>, reading: Reading, frame: Frame) -> Result<Self> {
        let all = reading.added.iter().map(|token| token.id).chain(ids.iter().copied());
        let largest = all.chain(reading.others.iter().map(|&(_, id)| id)).max();
        let mut meanings = vec![Meaning::Other(0); largest.map_or(0, |id| id as usize + 1)];
        for (place, &(_, id)) in reading.others.iter().enumerate() {
            meanings[id as usize] = Meaning::Other(place);
        }
        for (&id, token) in ids.iter().zip(0..) {
            meanings[id as usize] = Meaning::Token(token);
        }
        for (place, token) in reading.added.iter().enumerate() {
            meanings[token.id as usize] = Meaning::Added(place);
        }
        let finder = Finder::new(&reading.added, &reading.letters.rest.normalizer)?;
        let numbering = Numbering::listed_as(ids, meanings);
        let ids_by_string = OnceLock::new();
        Ok(Self { scheme, numbering, reading, frame, finder, roles: Roles::default(), ids_by_string })
    }

    /// The merges, of a tokenizer that has some.
    pub fn table(&self) -> Option<&MergeTable> {
        self.scheme.table()
    }

    /// The letters that tokens are made of.
    pub fn alphabet(&self) -> &[u8] {
        self.scheme.alphabet()
    }

    /// What each byte of a text is.
    pub fn letters(&self) -> &Letters {
        &self.reading.letters
    }

    /// What the file puts around a sequence; `None` where one of ours does not say and leaves it to [`Self::template`].
    pub fn own_template(&self) -> Option<&Template> {
        self.reading.template.as_ref()
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
        SETTINGS.into_iter().filter_map(|key| Some((key, self.frame.setting(key)?.to_string())))
    }

    /// Number of tokens: special ones and those of the scheme.
    pub fn vocab_size(&self) -> usize {
        self.numbering.len()
    }

    /// The string of each id, in order.
    pub fn vocab(&self) -> impl Iterator<Item = String> {
        (0..).map_while(|id| self.numbering.meaning(id)).map(|meaning| self.spell(meaning))
    }

    /// The strings that each merge joins, by rank.
    pub fn merges(&self) -> impl Iterator<Item = (String, String)> {
        let merges = self.scheme.merges().iter();
        merges.map(|&(left, right)| (self.scheme.spell(left), self.scheme.spell(right)))
    }

    /// How many merges there are.
    pub fn num_merges(&self) -> usize {
        self.scheme.merges().len()
    }

    /// The tokenizer that training at the smaller `vocab_size` would have given.
    pub fn truncate(&self, vocab_size: usize) -> Result<Self> {
        if matches!(self.scheme, Scheme::Kmer(_) | Scheme::Words(_)) {
            return Err(Error::vocabulary("these are k-mers, not merges: they cannot be truncated"));
        }
        let first = self.vocab_size() - self.num_merges();
        let Some(num_merges) = vocab_size.checked_sub(first) else {
            let rule = format!("must be at least {first}: special tokens and letters");
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        };
        if num_merges > self.num_merges() {
            let rule = format!("this vocabulary has only {} tokens", self.vocab_size());
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        }
        let ids = self.numbering.listed();
        let of_merges = ids.iter().skip(self.scheme.alphabet().len());
        let in_order = of_merges.zip(first..).all(|(&id, place)| id as usize == place);
        let Some(scheme) = self.scheme.truncated(num_merges).filter(|_| in_order) else {
            return Err(Error::vocabulary(
                "its ids are not in the order of its merges, so it cannot be truncated",
            ));
        };
        let ids = ids[..scheme.num_tokens() as usize].to_vec();
        let truncated = Self::assemble(scheme, ids, self.reading.clone(), self.frame.clone())?;
        Ok(truncated.with_roles(self.roles.clone()))
    }

    /// Whether the encoding automaton is built; the call that builds it takes longer.
    pub fn is_ready(&self) -> bool {
        self.scheme.is_ready()
    }

    /// States and bytes of the encoding automaton; `None` if the vocabulary has none. Builds it when first called.
    pub fn automaton_size(&self) -> Option<(usize, usize)> {
        self.scheme.automaton().map(AnyMarked::size)
    }

    /// Why there is no encoding automaton, of a vocabulary that is slow for want of it. Builds it when first called.
    pub fn why_no_automaton(&self) -> Option<&str> {
        self.scheme.why_no_automaton()
    }

    /// The strings of the ids, joined; in a file that sees bytes, what its decoder makes of them; of k-mers the
    /// sequence, as far as they tell it.
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
            if self.frame.decodes_bytes() {
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
        let meaning = self.numbering.meaning(id).ok_or_else(|| {
            let rule = format!("must be below {}, the size of the vocabulary", self.vocab_size());
            Error::argument("id", &id, rule)
        })?;
        Ok(self.spell(meaning))
    }

    /// How a text becomes tokens: its letters, then the ids after each merge.
    ///
    /// The lowest rank first, of equal ones the leftmost. Quadratic in the length of the text, which must be small.
    pub fn explain(&self, text: &str) -> Result<Vec<Step>> {
        if text.len() > MAX_EXPLAINED {
            let rule = format!("is too long to show each step; give at most {MAX_EXPLAINED} letters");
            return Err(Error::argument("sequence", &format_args!("{} letters", text.len()), rule));
        }
        if self.kmers().is_some() {
            return Ok(vec![Step { rank: None, ids: self.encode(text)? }]);
        }
        let ids = |tokens: Vec<Token>| tokens.into_iter().map(|token| self.id_of(token)).collect();
        let mut pieces: Vec<Vec<Id>> = Vec::new();
        let mut merges: Vec<(usize, usize, Vec<Id>)> = Vec::new();
        self.pieces(text, |piece| match piece {
            Taken::Word(codes) => {
                let (letters, made) = self.scheme.explain(codes);
                merges.extend(made.into_iter().map(|(rank, after)| (rank, pieces.len(), ids(after))));
                pieces.push(ids(letters));
            }
            Taken::Id(id) => pieces.push(vec![id]),
        })?;
        // Within a word the ranks rise, so sorting keeps each word's own order.
        merges.sort_by_key(|&(rank, piece, _)| (rank, piece));
        let mut steps = vec![Step { rank: None, ids: pieces.concat() }];
        for (rank, piece, after) in merges {
            pieces[piece] = after;
            steps.push(Step { rank: Some(rank), ids: pieces.concat() });
        }
        Ok(steps)
    }

    fn spell(&self, meaning: Meaning) -> String {
        match meaning {
            Meaning::Added(place) => self.reading.added[place].content.clone(),
            Meaning::Token(token) => self.scheme.spell(token),
            Meaning::Other(place) => self.reading.others[place].0.clone(),
        }
    }

    /// The rule by which words become tokens.
    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The id of a token of the scheme.
    pub(crate) fn id_of(&self, token: Token) -> Id {
        self.numbering.id_of(token)
    }

    /// The id of letters outside the vocabulary.
    pub fn unknown_id(&self) -> Option<Id> {
        self.reading.unknown
    }

    /// The special tokens in a text: from where to where, and the id.
    pub(crate) fn find_specials<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (usize, usize, Id)> + 'a {
        self.finder.raw.parts(text).filter_map(|part| match part {
            Part::Token(id, range) => Some((range.start, range.end, id)),
            Part::Plain(_) => None,
        })
    }

    /// The bytes that added tokens begin with.
    pub(crate) fn first_bytes_of_added(&self) -> impl Iterator<Item = u8> + '_ {
        self.reading.added.iter().filter_map(|token| token.content.bytes().next())
    }

    /// Whether plain texts can be read byte by byte with [`Letters::symbol`].
    pub(crate) fn is_simple(&self) -> bool {
        self.reading.letters.is_simple() && self.finder.normalized.is_empty()
    }

    /// The ids of the tokens of the scheme, where they are listed.
    pub(crate) fn ids(&self) -> &[Id] {
        self.numbering.listed()
    }

    /// The id of the first token of the scheme, if those of the others follow it in order.
    pub(crate) fn shift(&self) -> Option<Id> {
        self.numbering.shift()
    }

    /// The tokens of any text, each with the characters it comes from; nothing in place of an unknown letter.
    ///
    /// `letters` are those of the file, or the same upper-cased.
    pub(crate) fn tokens_exactly(
        &self,
        text: &str,
        letters: &Letters,
        mut take: impl FnMut(Option<Id>, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let mut characters = Characters::of(text);
        reading::pieces(text, letters, &self.finder, &mut |piece| match piece {
            Piece::Token(id, range) => take(Some(id), characters.range(&range)),
            Piece::Unknown(range) => take(None, characters.range(&range)),
            Piece::Word(word) => {
                let mut done = 0;
                for token in self.scheme.encode(&word.codes) {
                    let end = done + self.scheme.length(token) as usize;
                    take(Some(self.id_of(token)), characters.range(&word.origin(done..end)))?;
                    done = end;
                }
                Ok(())
            }
        })
    }

    /// Takes a text apart, with the unknown token for unknown letters.
    fn pieces(&self, text: &str, mut take: impl FnMut(Taken<'_>)) -> Result<()> {
        reading::pieces(text, &self.reading.letters, &self.finder, &mut |piece| {
            take(match piece {
                Piece::Word(word) => Taken::Word(&word.codes),
                Piece::Token(id, _) => Taken::Id(id),
                Piece::Unknown(range) => {
                    Taken::Id(self.reading.unknown.ok_or_else(|| unknown_letter(text, range.start))?)
                }
            });
            Ok(())
        })
    }
}

/// A part of a text, without its place.
enum Taken<'a> {
    /// A maximal run of letters, as codes.
    Word(&'a [u8]),
    /// Any other token.
    Id(Id),
}

fn unknown_letter(text: &str, at: usize) -> Error {
    Error::Symbol {
        file: None,
        line: None,
        record: "sequence".to_owned(),
        position: text[..at].chars().count() as u64,
        byte: text.as_bytes()[at],
        reason: "is not in the vocabulary, which has no unknown token for such letters".to_owned(),
    }
}

#[cfg(test)]
mod tests;
