//! The model of a file: its vocabulary and merges, as a token model and what is left over.
//!
//! A vocabulary may hold any strings; a token model knows an alphabet of at most 32 symbols and what its merges make. So the
//! strings of the vocabulary are told apart: symbols of the alphabet and products of merges (the token model), other single
//! characters (`singles`), tokens of bytes (`fallback`), and the rest, which words never become. Each of Hugging Face's
//! options that would make a difference to ids is either carried out or refused; none is ignored.
//!
//! ```text
//! "vocab":  {"[UNK]": 0, "A": 1, "C": 2, "G": 3, "N": 4, "AC": 5, "ACA": 6, "TT": 7}
//! "merges": [["A", "C"], ["AC", "A"]]
//!
//! alphabet A C G N        of these A and C merge; G and N are tokens that no merge joins
//! products AC ACA         tokens 4 and 5 of the model, ids 5 and 6 of the file
//! others   TT             an id without a text; "[UNK]" too, unless it is an added token
//! ```

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::fields::{flag_or_false, refuse, show};
use super::strict::{Merges, Vocab};
use crate::bpe::encode::rules::MergeRules;
use crate::bpe::{MAX_SYMBOLS, MergeTable, Token};
use crate::error::{Error, Result, show_text};
use crate::tokenizer::Id;
use crate::tokenizer::bytes::byte_of;
use crate::tokenizer::splitting::Splitting;
use crate::tokenizer::token_model::TokenModel;

/// Bytes of all tokens for which it is tried out whether each encodes to itself.
const MAX_TRIED: usize = 1 << 22;

/// What a file says of its model, apart from vocabulary and merges.
#[derive(Debug)]
pub(super) struct ModelOptions {
    /// The token of unknown characters.
    pub(super) unknown: Option<String>,
    /// Neighbouring unknown characters are one token.
    pub(super) fuses_unknown: bool,
    /// Unknown characters become tokens of bytes.
    falls_back: bool,
    /// A word that is in the vocabulary becomes that token, whatever the merges make.
    ignores_merges: bool,
    /// Strings that are never words, because they are found in the raw text before.
    pub(super) never_words: FxHashSet<String>,
}

impl ModelOptions {
    /// Those of a model whose words are looked up; for words of one character the same as one without merges.
    pub(super) fn of_words(unknown: Option<String>) -> Self {
        Self {
            unknown,
            fuses_unknown: false,
            falls_back: false,
            ignores_merges: false,
            never_words: FxHashSet::default(),
        }
    }

    /// Reads and checks them; `dropout`, prefixes and suffixes of words must be off.
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

/// A vocabulary with its merges, taken apart. Each id of the vocabulary is in at most one of its parts.
#[derive(Debug)]
pub(super) struct ParsedModel {
    /// How words become tokens.
    pub(super) token_model: TokenModel,
    /// The id of each token of the token model.
    pub(super) ids: Vec<Id>,
    /// Characters that are tokens but not in the alphabet, as the model sees them or the bytes they stand for.
    pub(super) singles: FxHashMap<char, Id>,
    /// The tokens of the 256 bytes, by byte, if unknown characters become such.
    pub(super) fallback: Option<Box<[Id; 256]>>,
    /// The id of the unknown token.
    pub(super) unknown: Option<Id>,
    /// The code of the symbol that is the unknown token, where merges join it.
    pub(super) unknown_code: Option<u8>,
}

impl ParsedModel {
    /// One whose words are looked up whole; single characters and bytes mean nothing to it.
    pub(super) fn of_words(token_model: TokenModel, ids: Vec<Id>, unknown: Option<Id>) -> Self {
        Self { token_model, ids, singles: FxHashMap::default(), fallback: None, unknown, unknown_code: None }
    }

    /// Puts vocabulary, merges and options together.
    ///
    /// First the alphabet: the characters that merges join, and, as far as there is capacity, others that are tokens. Over it
    /// the merges are replayed as training would make them; merges for which that fails become rules, which are slower and
    /// as exact. Linear in the size of the file.
    pub(super) fn read(
        vocab: &Vocab,
        merges: &Merges,
        options: &ModelOptions,
        splitting: &Splitting,
    ) -> Result<Self> {
        check_merges(vocab, merges, options)?;
        let merging = merging_symbols(merges, splitting.is_by_byte())?;
        splitting.check(&merging)?;
        let alphabet = alphabet(vocab, &merging, splitting)?;
        let strings = || merges.iter().map(|(left, right)| (&**left, &**right));
        let token_model = match as_trained(&alphabet, strings())? {
            Some(table) => table.into(),
            None => TokenModel::Rules(MergeRules::new(&alphabet, strings())),
        };
        let id_of = |token: Token| vocab.get(token_model.spell(token).as_str()).copied();
        let ids = (0..token_model.num_tokens()).map(id_of).collect::<Option<Vec<Id>>>();
        let Some(ids) = ids else { return refuse("a character of its merges is not in its vocab") };
        let (unknown, unknown_code) = find_unknown(vocab, &merging, &alphabet, options)?;
        let model = Self {
            singles: singles(vocab, &alphabet, splitting.is_by_byte()),
            fallback: fallback(vocab, merges, options, splitting)?,
            token_model,
            ids,
            unknown,
            unknown_code,
        };
        if options.ignores_merges {
            model.check_merges_make_all(vocab, &options.never_words)?;
        }
        Ok(model)
    }

    /// Fails unless every token of several characters is what the merges make of its own string, so that it is the same
    /// whether they are asked or not. Encodes each such token once.
    fn check_merges_make_all(&self, vocab: &Vocab, never_words: &FxHashSet<String>) -> Result<()> {
        let ours: FxHashMap<Id, Token> = self.ids.iter().copied().zip(0..).collect();
        if vocab.keys().map(|token| token.len()).sum::<usize>() > MAX_TRIED {
            return refuse(
                "ignore_merges is true for tokens that are too long to see if it makes a difference",
            );
        }
        let alphabet = self.token_model.alphabet();
        let code =
            |symbol: u8| alphabet.iter().zip(0..).find(|&(&known, _)| known == symbol).map(|(_, code)| code);
        let mut tokens: Vec<(&str, Id)> = vocab.iter().map(|(token, &id)| (&**token, id)).collect();
        tokens.sort_unstable_by_key(|&(_, id)| id);
        tokens.retain(|&(token, _)| token.chars().nth(1).is_some() && !never_words.contains(token));
        for (token, id) in tokens {
            let codes: Option<Vec<u8>> = token.bytes().map(code).collect();
            let made = codes.map(|codes| self.token_model.encode(&codes));
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

/// What Hugging Face demands of merges: parts and products are in the vocabulary; and what is demanded here: ASCII, and no
/// unknown token of several characters among them.
fn check_merges(vocab: &Vocab, merges: &Merges, options: &ModelOptions) -> Result<()> {
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
            return fail(&format!(
                "makes {}; genotok supports merges of ASCII characters",
                show_text(&product)
            ));
        }
        let is_unknown = |token: &str| token.len() > 1 && options.unknown.as_deref() == Some(token);
        if is_unknown(left) || is_unknown(right) || is_unknown(&product) {
            return fail("joins or makes the unknown token, which genotok does not support");
        }
    }
    Ok(())
}

/// The characters that are parts of merges, in order.
fn merging_symbols(merges: &Merges, is_by_byte: bool) -> Result<Vec<u8>> {
    let mut is_part = [false; 128];
    let parts = merges.iter().flat_map(|(left, right)| [left, right]);
    for part in parts.filter(|part| part.len() == 1) {
        part.bytes().for_each(|symbol| is_part[usize::from(symbol)] = true);
    }
    let symbols: Vec<u8> = (0..128).filter(|&symbol| is_part[usize::from(symbol)]).collect();
    if symbols.len() > MAX_SYMBOLS {
        return refuse(format!(
            "its merges join {} different characters; up to {MAX_SYMBOLS} are supported",
            symbols.len()
        ));
    }
    match symbols.iter().find(|&&symbol| is_by_byte && byte_of(symbol.into()) != Some(symbol)) {
        Some(_) => refuse("its merges join white space, which pre_tokenizer ByteLevel never shows to them"),
        None => Ok(symbols),
    }
}

/// The alphabet: the merging symbols that do not stand alone, and, up to its capacity, other characters that are tokens: upper
/// case first, then lower case, then the rest. Those that find no place become `singles`, which is the same to a text.
fn alphabet(vocab: &Vocab, merging: &[u8], splitting: &Splitting) -> Result<Vec<u8>> {
    let may_join = |symbol: &u8| !splitting.isolates(char::from(*symbol));
    let mut alphabet: Vec<u8> = merging.iter().copied().filter(may_join).collect();
    let by_use = |&symbol: &u8| (!symbol.is_ascii_uppercase(), !symbol.is_ascii_lowercase(), symbol);
    let mut others: Vec<u8> = (b'!'..=b'~').filter(|symbol| !merging.contains(symbol)).collect();
    others.sort_unstable_by_key(by_use);
    let is_token = |symbol: &u8| vocab.contains_key(char::from(*symbol).to_string().as_str());
    let capacity = MAX_SYMBOLS.saturating_sub(merging.len());
    alphabet.extend(others.into_iter().filter(is_token).take(capacity));
    alphabet.sort_unstable();
    if alphabet.is_empty() { refuse("its vocab has no token of one ASCII character") } else { Ok(alphabet) }
}

/// The merges as training makes them; `None` if it does not: a token made twice, or before its parts.
///
/// `tokens` holds what exists after the merges so far, so that a part is found only if it is older.
fn as_trained<'m>(
    alphabet: &[u8],
    merges: impl Iterator<Item = (&'m str, &'m str)>,
) -> Result<Option<MergeTable>> {
    let mut table = MergeTable::over(alphabet)?;
    let mut tokens: FxHashMap<Box<str>, Token> =
        alphabet.iter().map(|&symbol| char::from(symbol).to_string().into()).zip(0..).collect();
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

/// Tokens of one character that are not in the alphabet; where the model sees bytes, by the byte that the character shows.
fn singles(vocab: &Vocab, alphabet: &[u8], is_by_byte: bool) -> FxHashMap<char, Id> {
    let single = |(token, id): (&str, Id)| {
        let mut characters = token.chars();
        let only = characters.next().filter(|_| characters.next().is_none())?;
        let only = if is_by_byte { char::from(byte_of(only)?) } else { only };
        let is_symbol = u8::try_from(only).is_ok_and(|byte| alphabet.contains(&byte));
        (!is_symbol).then_some((only, id))
    };
    vocab.iter().map(|(token, &id)| (&**token, id)).filter_map(single).collect()
}

/// The id of the unknown token, and its code if it is a symbol that merges join: then unknown characters take part in merges,
/// as with Hugging Face.
fn find_unknown(
    vocab: &Vocab,
    merging: &[u8],
    alphabet: &[u8],
    options: &ModelOptions,
) -> Result<(Option<Id>, Option<u8>)> {
    let Some(name) = options.unknown.as_deref() else { return Ok((None, None)) };
    let Some(&id) = vocab.get(name) else {
        return refuse(format!("the unknown token {} is not in its vocab", show_text(name)));
    };
    let is_name = |symbol: &u8| name.as_bytes() == [*symbol];
    let code = alphabet.iter().zip(0..).find(|(symbol, _)| is_name(symbol) && merging.contains(symbol));
    if code.is_some() && options.fuses_unknown {
        return refuse(
            "fuse_unk is true and the unknown token is joined by merges, which genotok does not support",
        );
    }
    Ok((Some(id), code.map(|(_, code)| code)))
}

/// The tokens of bytes that unknown characters become: all 256 of them, or none.
///
/// Refused where merges join such tokens, or where the model sees bytes anyway: then the bytes of one unknown character would
/// be part of words.
fn fallback(
    vocab: &Vocab,
    merges: &Merges,
    options: &ModelOptions,
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
