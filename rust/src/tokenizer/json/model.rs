//! The model of a file: its vocabulary and merges, as a scheme and what is left over.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::fields::{flag_or_false, refuse, show};
use super::strict::{Merges, Vocab};
use crate::bpe::encode::rules::MergeRules;
use crate::bpe::{MAX_SYMBOLS, MergeTable, Token};
use crate::error::{Error, Result, show_text};
use crate::tokenizer::Id;
use crate::tokenizer::bytes::byte_of;
use crate::tokenizer::scheme::Scheme;
use crate::tokenizer::splitting::Splitting;

/// Letters of all tokens for which it is tried out whether each encodes to itself.
const MAX_TRIED: usize = 1 << 22;

/// What a file says of its model, apart from vocabulary and merges.
#[derive(Debug)]
pub(super) struct Options {
    /// The token of unknown characters.
    pub(super) unknown: Option<String>,
    /// Unknown characters side by side are one token.
    pub(super) fuses_unknown: bool,
    /// Unknown characters become tokens of bytes.
    falls_back: bool,
    /// A word that is in the vocabulary becomes that token, whatever the merges make.
    ignores_merges: bool,
    /// Strings that are never words, because they are found in the raw text before.
    pub(super) never_words: FxHashSet<String>,
}

impl Options {
    /// Those of a model whose words are looked up, for single letters the same as one without merges.
    pub(super) fn of_words(unknown: Option<String>) -> Self {
        Self {
            unknown,
            fuses_unknown: false,
            falls_back: false,
            ignores_merges: false,
            never_words: FxHashSet::default(),
        }
    }

    /// Reads and checks them.
    pub(super) fn read(model: &Value) -> Result<Self> {
        match model.get("type") {
            None if model.is_object() => return refuse("its model is of no type, not BPE"),
            None => return refuse(format!("its model is {}, not an object", show(model))),
            Some(kind) if kind == "BPE" => {}
            Some(kind) if ["Unigram", "WordPiece"].iter().any(|other| kind == other) => {
                let kind = kind.as_str().unwrap_or_default();
                return refuse(format!("it is a {kind} model, which genotok does not read, not BPE"));
            }
            Some(kind) => return refuse(format!("its model is {}, not BPE or WordLevel", show(kind))),
        }
        if !matches!(model.get("dropout"), None | Some(Value::Null)) && model["dropout"].as_f64() != Some(0.0)
        {
            return refuse(format!(
                "dropout is {}, which makes ids a matter of chance",
                show(&model["dropout"])
            ));
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            match model.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(other) => {
                    return refuse(format!("{key} is {}, which genotok does not support", show(other)));
                }
            }
        }
        let unknown = match model.get("unk_token") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => return refuse(format!("unk_token is {}, not a string", show(other))),
        };
        Ok(Self {
            unknown,
            fuses_unknown: flag_or_false("model", model, "fuse_unk")?,
            falls_back: flag_or_false("model", model, "byte_fallback")?,
            ignores_merges: flag_or_false("model", model, "ignore_merges")?,
            never_words: FxHashSet::default(),
        })
    }
}

/// A vocabulary with its merges, taken apart.
#[derive(Debug)]
pub(super) struct Model {
    /// How words become tokens.
    pub(super) scheme: Scheme,
    /// The id of each token of the scheme.
    pub(super) ids: Vec<Id>,
    /// Characters that are tokens but not letters of the scheme, as the model sees them or the bytes they stand for.
    pub(super) singles: FxHashMap<char, Id>,
    /// The tokens of the 256 bytes.
    pub(super) fallback: Option<Box<[Id; 256]>>,
    /// The id of the unknown token.
    pub(super) unknown: Option<Id>,
    /// The code of the letter that is the unknown token, where merges join it.
    pub(super) unknown_letter: Option<u8>,
}

impl Model {
    /// One whose words are looked up whole.
    pub(super) fn of_words(scheme: Scheme, ids: Vec<Id>, unknown: Option<Id>) -> Self {
        Self { scheme, ids, singles: FxHashMap::default(), fallback: None, unknown, unknown_letter: None }
    }

    /// Puts vocabulary, merges and options together.
    pub(super) fn read(
        vocab: &Vocab,
        merges: &Merges,
        options: &Options,
        splitting: &Splitting,
    ) -> Result<Self> {
        check_merges(vocab, merges, options)?;
        let merging = merging_letters(merges, splitting.is_by_byte())?;
        splitting.check(&merging)?;
        let alphabet = alphabet(vocab, &merging, splitting)?;
        let strings = || merges.iter().map(|(left, right)| (&**left, &**right));
        let scheme = match as_trained(&alphabet, strings())? {
            Some(table) => table.into(),
            None => Scheme::Rules(MergeRules::new(&alphabet, strings())),
        };
        let id_of = |token: Token| vocab.get(scheme.spell(token).as_str()).copied();
        let ids = (0..scheme.num_tokens()).map(id_of).collect::<Option<Vec<Id>>>();
        let Some(ids) = ids else { return refuse("a letter of its merges is not in its vocab") };
        let (unknown, unknown_letter) = find_unknown(vocab, &merging, &alphabet, options)?;
        let model = Self {
            singles: singles(vocab, &alphabet, splitting.is_by_byte()),
            fallback: fallback(vocab, merges, options, splitting)?,
            scheme,
            ids,
            unknown,
            unknown_letter,
        };
        if options.ignores_merges {
            model.check_merges_make_all(vocab, &options.never_words)?;
        }
        Ok(model)
    }

    /// Fails unless every token of several letters is what the merges make of its own string, so that it is the same
    /// whether they are asked or not.
    fn check_merges_make_all(&self, vocab: &Vocab, never_words: &FxHashSet<String>) -> Result<()> {
        let ours: FxHashMap<Id, Token> = self.ids.iter().copied().zip(0..).collect();
        if vocab.keys().map(|token| token.len()).sum::<usize>() > MAX_TRIED {
            return refuse(
                "ignore_merges is true for tokens that are too long to see if it makes a difference",
            );
        }
        let alphabet = self.scheme.alphabet();
        let code =
            |letter: u8| alphabet.iter().zip(0..).find(|&(&known, _)| known == letter).map(|(_, code)| code);
        let mut tokens: Vec<(&str, Id)> = vocab.iter().map(|(token, &id)| (&**token, id)).collect();
        tokens.sort_unstable_by_key(|&(_, id)| id);
        tokens.retain(|&(token, _)| token.chars().nth(1).is_some() && !never_words.contains(token));
        for (token, id) in tokens {
            let codes: Option<Vec<u8>> = token.bytes().map(code).collect();
            let made = codes.map(|codes| self.scheme.encode(&codes));
            if made.is_none_or(|made| ours.get(&id).is_none_or(|&token| made != [token])) {
                return refuse(format!(
                    "ignore_merges is true, and the merges do not make {}; genotok does not support that",
                    show_text(token)
                ));
            }
        }
        Ok(())
    }
}

/// What Hugging Face demands of merges, and what their letters must be here.
fn check_merges(vocab: &Vocab, merges: &Merges, options: &Options) -> Result<()> {
    let mut product = String::new();
    for (rank, (left, right)) in merges.iter().enumerate() {
        let fail = |reason: &str| Err(Error::vocabulary(format!("merge {rank} {reason}")));
        product.clear();
        product.push_str(left);
        product.push_str(right);
        if left.is_empty() || right.is_empty() {
            return fail("has an empty part");
        }
        for part in [left, right] {
            if !vocab.contains_key(part) {
                return fail(&format!("joins {}, which is not in the vocab", show_text(part)));
            }
        }
        if !vocab.contains_key(product.as_str()) {
            return fail(&format!("makes {}, which is not in the vocab", show_text(&product)));
        }
        if !product.is_ascii() {
            return fail(&format!("makes {}; genotok supports letters of ASCII", show_text(&product)));
        }
        let is_unknown = |token: &str| token.len() > 1 && options.unknown.as_deref() == Some(token);
        if is_unknown(left) || is_unknown(right) || is_unknown(&product) {
            return fail("joins or makes the unknown token, which genotok does not support");
        }
    }
    Ok(())
}

/// The letters that are parts of merges, in order.
fn merging_letters(merges: &Merges, is_by_byte: bool) -> Result<Vec<u8>> {
    let mut is_part = [false; 128];
    let parts = merges.iter().flat_map(|(left, right)| [left, right]);
    for part in parts.filter(|part| part.len() == 1) {
        part.bytes().for_each(|letter| is_part[usize::from(letter)] = true);
    }
    let letters: Vec<u8> = (0..128).filter(|&letter| is_part[usize::from(letter)]).collect();
    if letters.len() > MAX_SYMBOLS {
        return refuse(format!(
            "its merges join {} letters; up to {MAX_SYMBOLS} are supported",
            letters.len()
        ));
    }
    match letters.iter().find(|&&letter| is_by_byte && byte_of(letter.into()) != Some(letter)) {
        Some(_) => refuse("its merges join white space, which pre_tokenizer ByteLevel never shows to them"),
        None => Ok(letters),
    }
}

/// The alphabet: the merging letters that do not stand alone, and, while there is room, other letters that are tokens.
fn alphabet(vocab: &Vocab, merging: &[u8], splitting: &Splitting) -> Result<Vec<u8>> {
    let may_join = |letter: &u8| !splitting.isolates(char::from(*letter));
    let mut alphabet: Vec<u8> = merging.iter().copied().filter(may_join).collect();
    let by_use = |&letter: &u8| (!letter.is_ascii_uppercase(), !letter.is_ascii_lowercase(), letter);
    let mut others: Vec<u8> = (b'!'..=b'~').filter(|letter| !merging.contains(letter)).collect();
    others.sort_unstable_by_key(by_use);
    let is_token = |letter: &u8| vocab.contains_key(char::from(*letter).to_string().as_str());
    let room = MAX_SYMBOLS.saturating_sub(merging.len());
    alphabet.extend(others.into_iter().filter(is_token).take(room));
    alphabet.sort_unstable();
    if alphabet.is_empty() { refuse("its vocab has no letter") } else { Ok(alphabet) }
}

/// The merges as training makes them; `None` if it does not: a token made twice, or before its parts.
fn as_trained<'m>(
    alphabet: &[u8],
    merges: impl Iterator<Item = (&'m str, &'m str)>,
) -> Result<Option<MergeTable>> {
    let mut table = MergeTable::over(alphabet)?;
    let mut tokens: FxHashMap<Box<str>, Token> =
        alphabet.iter().map(|&letter| char::from(letter).to_string().into()).zip(0..).collect();
    for (left, right) in merges {
        let (Some(&left_token), Some(&right_token)) = (tokens.get(left), tokens.get(right)) else {
            return Ok(None);
        };
        let product = table.push((left_token, right_token))?;
        if tokens.insert([left, right].concat().into(), product).is_some() {
            return Ok(None);
        }
    }
    Ok(Some(table))
}

/// Tokens of one character that are not in the alphabet.
fn singles(vocab: &Vocab, alphabet: &[u8], is_by_byte: bool) -> FxHashMap<char, Id> {
    let single = |(token, id): (&str, Id)| {
        let mut characters = token.chars();
        let only = characters.next().filter(|_| characters.next().is_none())?;
        let only = if is_by_byte { char::from(byte_of(only)?) } else { only };
        let is_letter = u8::try_from(only).is_ok_and(|byte| alphabet.contains(&byte));
        (!is_letter).then_some((only, id))
    };
    vocab.iter().map(|(token, &id)| (&**token, id)).filter_map(single).collect()
}

/// The id of the unknown token, and its code if it is a letter that merges join.
fn find_unknown(
    vocab: &Vocab,
    merging: &[u8],
    alphabet: &[u8],
    options: &Options,
) -> Result<(Option<Id>, Option<u8>)> {
    let Some(name) = options.unknown.as_deref() else { return Ok((None, None)) };
    let Some(&id) = vocab.get(name) else {
        return refuse(format!("the unknown token {} is not in its vocab", show_text(name)));
    };
    let is_name = |letter: &u8| name.len() == 1 && name.as_bytes()[0] == *letter;
    let code = alphabet.iter().zip(0..).find(|(letter, _)| is_name(letter) && merging.contains(letter));
    if code.is_some() && options.fuses_unknown {
        return refuse(
            "fuse_unk is true and the unknown token is joined by merges, which genotok does not support",
        );
    }
    Ok((Some(id), code.map(|(_, code)| code)))
}

/// The tokens of bytes that unknown characters become: all 256 of them, or none.
fn fallback(
    vocab: &Vocab,
    merges: &Merges,
    options: &Options,
    splitting: &Splitting,
) -> Result<Option<Box<[Id; 256]>>> {
    if !options.falls_back {
        return Ok(None);
    }
    let found: Vec<Id> =
        (0..=255_u8).filter_map(|byte| vocab.get(format!("<0x{byte:02X}>").as_str()).copied()).collect();
    if found.is_empty() {
        return Ok(None);
    }
    let joined: FxHashSet<&str> = merges
        .iter()
        .flat_map(|(left, right)| [&**left, &**right])
        .filter(|part| part.starts_with("<0x"))
        .collect();
    if splitting.is_by_byte() || !joined.is_empty() {
        return refuse(
            "byte_fallback is true, and bytes are seen or joined elsewhere; genotok does not support that",
        );
    }
    let missing =
        || Error::vocabulary("byte_fallback is true, but its vocab has not all tokens from <0x00> to <0xFF>");
    found.try_into().map(Some).map_err(|_| missing())
}
