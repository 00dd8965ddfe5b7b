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

pub mod json;
pub mod letters;
pub(crate) mod scheme;

use std::collections::hash_map::Entry;

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::alphabet::{CODES, NOT_A_BASE};
use crate::bpe::{MergeTable, Token};
use crate::error::{Error, Result, show_text};
use json::Frame;
use letters::{DROPPED, Letters, UNKNOWN};
use scheme::Scheme;

/// The number of a token in the vocabulary, as models and files know it.
pub type Id = u32;

/// The special tokens of a tokenizer may be this many.
const MAX_SPECIALS: usize = 10_000;
/// Bytes in all special tokens together.
const MAX_SPECIAL_BYTES: usize = 1 << 20;
/// Letters that [`Tokenizer::explain`] takes: what it returns is quadratic in them.
const MAX_EXPLAINED: usize = 5_000;

/// Merges, special tokens and ids; it never changes once made.
#[derive(Debug)]
pub struct Tokenizer {
    scheme: Scheme,
    /// The special tokens in order of id, with their ids.
    specials: Vec<(String, Id)>,
    /// The id of each token of the scheme.
    ids: Vec<Id>,
    /// What each id stands for.
    meanings: Vec<Meaning>,
    reading: Reading,
    frame: Frame,
    matcher: Option<AhoCorasick>,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// A special token, by its place among them.
    Special(usize),
    /// A token of the scheme.
    Token(Token),
}

/// How a text is read.
#[derive(Clone, Debug)]
struct Reading {
    /// What each byte is.
    letters: Letters,
    /// The id of unknown letters; without one they are an error.
    unknown: Option<Id>,
    /// What the file puts around a sequence, if it says so.
    template: Option<Template>,
}

/// The special tokens around a sequence, for callers that ask for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Before its tokens.
    pub before: Vec<Id>,
    /// After them.
    pub after: Vec<Id>,
}

/// One step of an encoding: the ids after one merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rank of the merge; `None` for the letters before the first.
    pub rank: Option<usize>,
    /// All ids of the text after it.
    pub ids: Vec<Id>,
}

/// A part of a text.
enum Piece<'a> {
    /// A maximal run of letters, as codes.
    Word(&'a [u8]),
    /// A special or unknown token.
    Id(Id),
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
        let unknown =
            ["[UNK]", "<unk>"].iter().find_map(|name| specials.iter().find(|(token, _)| token == name));
        let letters = Letters::new(table.alphabet()).upper_cased();
        let reading = Reading { letters, unknown: unknown.map(|&(_, id)| id), template: None };
        let frame = Frame::of_ours(&specials, unknown.map(|(token, _)| token.as_str()));
        let ids = (0..table.num_tokens()).map(|token| num_specials + token).collect();
        Self::assemble(table.into(), specials, ids, reading, frame)
    }

    /// Puts checked parts together. The ids must be dense and unique.
    fn assemble(
        scheme: Scheme,
        specials: Vec<(String, Id)>,
        ids: Vec<Id>,
        reading: Reading,
        frame: Frame,
    ) -> Result<Self> {
        let mut meanings = vec![Meaning::Special(0); specials.len() + ids.len()];
        for (place, &(_, id)) in specials.iter().enumerate() {
            meanings[id as usize] = Meaning::Special(place);
        }
        for (&id, token) in ids.iter().zip(0..) {
            meanings[id as usize] = Meaning::Token(token);
        }
        let matcher = (!specials.is_empty()).then(|| find_specials(&specials)).transpose()?;
        Ok(Self { scheme, specials, ids, meanings, reading, frame, matcher })
    }

    /// The merges, of a tokenizer that has some.
    pub fn table(&self) -> Option<&MergeTable> {
        self.scheme.table()
    }

    /// The letters that tokens are made of.
    pub fn alphabet(&self) -> &[u8] {
        self.scheme.alphabet()
    }

    /// The special tokens that go around a sequence: what the file says, else `[CLS]` and `[SEP]`.
    ///
    /// Fails if the file says nothing and these two are not special tokens.
    pub fn template(&self) -> Result<Template> {
        if let Some(template) = &self.reading.template {
            return Ok(template.clone());
        }
        let find = |name| self.specials.iter().find(|(token, _)| token == name).map(|&(_, id)| id);
        let (Some(before), Some(after)) = (find("[CLS]"), find("[SEP]")) else {
            let rule =
                "this vocabulary has no [CLS] and [SEP], and no template of special tokens around a sequence";
            return Err(Error::argument("add_special_tokens", &"True", rule));
        };
        Ok(Template { before: vec![before], after: vec![after] })
    }

    /// What each byte of a text is.
    pub fn letters(&self) -> &Letters {
        &self.reading.letters
    }

    /// The special tokens in order of id.
    pub fn special_tokens(&self) -> impl Iterator<Item = &str> {
        self.specials.iter().map(|(token, _)| token.as_str())
    }

    /// Number of tokens: special ones and those of the scheme.
    pub fn vocab_size(&self) -> usize {
        self.meanings.len()
    }

    /// The string of each id, in order.
    pub fn vocab(&self) -> impl Iterator<Item = String> {
        self.meanings.iter().map(|&meaning| self.spell(meaning))
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
        let first = self.vocab_size() - self.num_merges();
        let Some(num_merges) = vocab_size.checked_sub(first) else {
            let rule = format!("must be at least {first}: special tokens and letters");
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        };
        if num_merges > self.num_merges() {
            let rule = format!("this vocabulary has only {} tokens", self.vocab_size());
            return Err(Error::argument("vocab_size", &vocab_size, rule));
        }
        let scheme = self.scheme.truncated(num_merges);
        let of_merges = &self.ids[self.ids.len() - self.num_merges()..];
        if of_merges.iter().zip(first..).any(|(&id, place)| id as usize != place) {
            return Err(Error::vocabulary(
                "its ids are not in the order of its merges, so it cannot be truncated",
            ));
        }
        let ids = self.ids[..scheme.num_tokens() as usize].to_vec();
        Self::assemble(scheme, self.specials.clone(), ids, self.reading.clone(), self.frame.clone())
    }

    /// Whether the encoding automaton is built; the call that builds it takes longer.
    pub fn is_ready(&self) -> bool {
        self.scheme.is_ready()
    }

    /// States and bytes of the encoding automaton; `None` if the vocabulary has none. Builds it when first called.
    pub fn automaton_size(&self) -> Option<(usize, usize)> {
        self.scheme.automaton_size()
    }

    /// The strings of the ids, joined.
    pub fn decode(&self, ids: &[Id]) -> Result<String> {
        let mut text = String::new();
        let mut spelled: FxHashMap<Id, String> = FxHashMap::default();
        for &id in ids {
            text.push_str(match spelled.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.token(id)?),
            });
        }
        Ok(text)
    }

    /// The string of an id.
    pub(crate) fn token(&self, id: Id) -> Result<String> {
        let meaning = self.meanings.get(id as usize).ok_or_else(|| {
            let rule = format!("must be below {}, the size of the vocabulary", self.vocab_size());
            Error::argument("id", &id, rule)
        })?;
        Ok(self.spell(*meaning))
    }

    /// How a text becomes tokens: its letters, then the ids after each merge.
    ///
    /// The lowest rank first, of equal ones the leftmost. Quadratic in the length of the text, which must be small.
    pub fn explain(&self, text: &str) -> Result<Vec<Step>> {
        if text.len() > MAX_EXPLAINED {
            let rule = format!("is too long to show each step; give at most {MAX_EXPLAINED} letters");
            return Err(Error::argument("sequence", &format_args!("{} letters", text.len()), rule));
        }
        let ids = |tokens: Vec<Token>| tokens.into_iter().map(|token| self.ids[token as usize]).collect();
        let mut pieces: Vec<Vec<Id>> = Vec::new();
        let mut merges: Vec<(usize, usize, Vec<Id>)> = Vec::new();
        self.pieces(text, |piece| match piece {
            Piece::Word(codes) => {
                let (letters, made) = self.scheme.explain(codes);
                merges.extend(made.into_iter().map(|(rank, after)| (rank, pieces.len(), ids(after))));
                pieces.push(ids(letters));
            }
            Piece::Id(id) => pieces.push(vec![id]),
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
            Meaning::Special(place) => self.specials[place].0.clone(),
            Meaning::Token(token) => self.scheme.spell(token),
        }
    }

    /// The rule by which words become tokens.
    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The ids of the tokens of the scheme, in order.
    pub(crate) fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// The id of letters outside the vocabulary.
    pub(crate) fn unknown_id(&self) -> Option<Id> {
        self.reading.unknown
    }

    /// The special tokens, with their ids.
    pub(crate) fn specials(&self) -> &[(String, Id)] {
        &self.specials
    }

    /// The special tokens in a text: from where to where, and the id.
    pub(crate) fn find_specials(&self, text: &[u8]) -> impl Iterator<Item = (usize, usize, Id)> {
        let found = self.matcher.iter().flat_map(move |matcher| matcher.find_iter(text));
        found.map(|found| (found.start(), found.end(), self.specials[found.pattern().as_usize()].1))
    }

    /// Takes a text apart.
    fn pieces(&self, text: &str, mut take: impl FnMut(Piece<'_>)) -> Result<()> {
        let mut codes = Vec::new();
        let mut done = 0;
        for (start, end, id) in self.find_specials(text.as_bytes()) {
            self.plain_pieces(text, done..start, &mut codes, &mut take)?;
            take(Piece::Id(id));
            done = end;
        }
        self.plain_pieces(text, done..text.len(), &mut codes, &mut take)
    }

    /// Takes a part of `text` without special tokens apart.
    fn plain_pieces(
        &self,
        text: &str,
        part: std::ops::Range<usize>,
        codes: &mut Vec<u8>,
        take: &mut impl FnMut(Piece<'_>),
    ) -> Result<()> {
        let mut rest = &text[part.clone()];
        loop {
            codes.clear();
            let symbols = rest.bytes().map(|letter| self.reading.letters.symbol(letter));
            codes.extend(symbols.take_while(|&symbol| symbol < UNKNOWN));
            if !codes.is_empty() {
                take(Piece::Word(codes));
            }
            let mut letters = rest[codes.len()..].chars();
            let Some(letter) = letters.next() else { return Ok(()) };
            if self.reading.letters.symbol_of(letter) != DROPPED {
                let at = part.end - rest.len() + codes.len();
                take(Piece::Id(self.reading.unknown.ok_or_else(|| unknown_letter(text, at))?));
            }
            rest = letters.as_str();
        }
    }
}

fn unknown_letter(text: &str, at: usize) -> Error {
    Error::Symbol {
        file: None,
        record: "sequence".to_owned(),
        position: text[..at].chars().count() as u64,
        byte: text.as_bytes()[at],
        reason: "is not in the vocabulary, which has no unknown token for such letters".to_owned(),
    }
}

/// What finds the special tokens in a text.
fn find_specials(specials: &[(String, Id)]) -> Result<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(specials.iter().map(|(token, _)| token))
        .map_err(|error| Error::vocabulary(format!("too many special tokens: {error}")))
}

/// Checks special tokens before any work is done.
pub fn check_specials(special_tokens: &[String]) -> Result<()> {
    let total: usize = special_tokens.iter().map(String::len).sum();
    if special_tokens.len() > MAX_SPECIALS || total > MAX_SPECIAL_BYTES {
        let rule = format!("are too many; {MAX_SPECIALS} of {MAX_SPECIAL_BYTES} bytes together are allowed");
        return Err(Error::argument(
            "special_tokens",
            &format_args!("{} strings", special_tokens.len()),
            rule,
        ));
    }
    let mut seen = FxHashSet::default();
    for token in special_tokens {
        let repeated = (!seen.insert(token)).then_some("is given twice");
        if let Some(reason) = special_mistake(token).or(repeated) {
            return Err(Error::argument("special_tokens", &show_text(token), reason));
        }
    }
    Ok(())
}

/// Why a string cannot be a special token.
fn special_mistake(token: &str) -> Option<&'static str> {
    let is_dna = token.bytes().all(|letter| CODES[usize::from(letter)] < NOT_A_BASE);
    match token {
        "" => Some("is empty; a special token needs a name"),
        _ if is_dna => {
            Some("is a string of bases, which could not be told from sequence; try brackets around it")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
