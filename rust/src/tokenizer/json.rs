//! The file: `tokenizer.json` of Hugging Face `tokenizers`, version 1.0, model BPE.
//!
//! # Written
//!
//! Special tokens are added tokens with the first ids. The normalizer makes lower-case bases upper case (four
//! replacements: `tokenizers` has no upper-casing one). There is no pre-tokenizer. The post-processor puts the usual special
//! tokens around a sequence, if the vocabulary has them. The decoder joins. One token and one merge per line; the same
//! bytes for the same tokenizer. Files written before had no post-processor: [`forms`].
//!
//! # Read
//!
//! Our own files, and files of others whose merges join at most 32 ASCII characters and whose other parts come down to a
//! table of symbols ([`super::symbols`]), some steps before it ([`super::normalizer`]), tokens that are found first and
//! a template around. Tokens that no merge makes keep their ids; merges that no training makes go to the heap. A
//! `WordLevel` model is read if its words are bases or k-mers ([`super::words`]). Anything else is refused by name, never
//! ignored. What has no influence on ids (the decoder, truncation and padding) is kept and written again.
//!
//! | file here | part of the file |
//! |---|---|
//! | `strict`, `file` | the text of it, and JSON without doubles |
//! | `model`, `words`, `kmers` | `model`: merges, words to look up, k-mers as genotok writes them |
//! | `normalizer`, `pre_tokenizer`, `post_processor`, `added`, `settings` | the parts of these names |
//! | `document`, `forms`, `layout` | what is written, in which form, and how it is indented |
//! | `roles` | the files beside it |
//!
//! A file without a post-processor puts nothing around a sequence, as Hugging Face has it, unless it is an old one of ours.
//!
//! A file is not trusted. It may have 64 MiB, a million tokens, 200,000 values besides, and nest 128 levels deep; a key
//! that comes twice is refused; every id and every merge is checked before it is used. So reading takes time and memory in
//! proportion to the file.

mod added;
pub(super) mod document;
mod fields;
mod file;
mod forms;
mod kmers;
mod layout;
mod model;
mod normalizer;
mod post_processor;
mod pre_tokenizer;
mod roles;
mod settings;
mod strict;
mod words;

use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};

use self::document::TokenizerDocument;
use self::fields::{refuse, show};
use self::file::MAX_BYTES;
use self::model::{ModelOptions, ParsedModel};
use self::strict::{Merges, Parsed, Vocab};
use super::added::AddedToken;
use super::growth::excess;
use super::normalizer::Normalizer;
use super::splitting::Splitting;
use super::symbols::{FileRules, SymbolTable};
use super::words::WordLookup;
use super::{Id, Meaning, Template, TextRules, Tokenizer};
use crate::error::{Error, Result, show_text};
use crate::io::atomic;

pub(super) use self::kmers::why_unsupported;
pub(super) use self::post_processor::usual_template;
pub use self::roles::Roles;
pub(super) use self::settings::SETTINGS;

impl Tokenizer {
    /// The text of the file: the same bytes for the same tokenizer, always.
    ///
    /// Fails if the tokens are so long that the file would have more than 64 MiB and could not be read again.
    pub fn to_json(&self) -> Result<String> {
        self.write(&self.full_document()?)
    }

    /// The document, with vocabulary and merges. Their size is checked before they are made: a small table of merges may
    /// spell tokens of gigabytes.
    fn full_document(&self) -> Result<Value> {
        if let Some(kmer) = self.kmers() {
            return Ok(kmers::document(self, kmer));
        }
        let length = |token| u64::from(self.model.length(token));
        let in_merges = self.model.merges().iter().map(|&(left, right)| length(left) + length(right));
        self.check_size(2 * in_merges.sum::<u64>())?;
        let mut document = self.document.0.clone();
        if let Some(model) = document.get_mut("model").and_then(Value::as_object_mut) {
            let meanings = (0..).map_while(|id| self.numbering.meaning(id));
            let tokens = meanings.zip((0..).map(|id: Id| Value::from(id)));
            let in_vocab = tokens.filter(|(meaning, _)| match meaning {
                Meaning::Added(place) => self.rules.added[*place].is_in_vocab,
                Meaning::Token(_) | Meaning::Other(_) => true,
            });
            let vocab: Map<String, Value> = in_vocab.map(|(meaning, id)| (self.spell(meaning), id)).collect();
            model.insert("vocab".to_owned(), Value::Object(vocab));
            if model.get("type").is_none_or(|kind| kind != "WordLevel") {
                let merges = self.merges().map(|(left, right)| json!([left, right])).collect();
                model.insert("merges".to_owned(), merges);
            }
        }
        Ok(document)
    }

    /// The text of a document of this tokenizer.
    fn write(&self, document: &Value) -> Result<String> {
        let text = layout::write(document)?;
        if self.kmers().is_none() {
            self.check_size(text.len() as u64)?;
        }
        Ok(text)
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        if bytes <= MAX_BYTES {
            return Ok(());
        }
        Err(Error::vocabulary(format!(
            "its file would have {bytes} bytes, more than the {MAX_BYTES} that can be read again; the longest token has \
             {} bases: set max_token_length or a smaller vocab_size",
            (0..self.model.num_tokens()).map(|token| self.model.length(token)).max().unwrap_or(0)
        )))
    }

    /// Writes the file, atomically.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = self.to_json()?;
        atomic::write(path, |file| file.write_all(text.as_bytes()))
    }

    /// The tokenizer in the file at `path`, with the roles that the files beside it name.
    ///
    /// Fails if the file cannot be read or is not one of those that [`json`](self) describes; the error says which part of
    /// it is not supported. A pipe or device may take five seconds.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?;
        let tokenizer = Self::from_json(&text).map_err(|error| error.in_file(path))?;
        Ok(tokenizer.with_roles(Roles::beside(path)?))
    }

    /// The tokenizer in the text of a file, without roles.
    pub fn from_json(text: &str) -> Result<Self> {
        if text.len() as u64 > MAX_BYTES {
            return refuse(format!("a tokenizer.json of more than {MAX_BYTES} bytes is not read"));
        }
        let Parsed { document, vocab, merges, .. } =
            strict::parse(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        settings::check(&document)?;
        if let Some(tokenizer) = kmers::read(&document, vocab.as_ref())? {
            return Ok(tokenizer);
        }
        check_document(&document)?;
        let FileParts { model, added, normalizer, splitting, words, fuses_unknown, others, template } =
            FileParts::read(&document, vocab, merges)?;
        let symbols = SymbolTable::read(
            model.token_model.alphabet(),
            FileRules {
                normalizer,
                splitting,
                singles: model.singles,
                fallback: model.fallback,
                unknown_code: model.unknown_code,
                fuses_unknown,
                words,
            },
        );
        let rules = TextRules { symbols, added, others, unknown: model.unknown, template };
        Self::assemble(model.token_model, model.ids, rules, TokenizerDocument(document))
    }
}

/// The parts of a file, read: all that a tokenizer is assembled from.
struct FileParts {
    model: ParsedModel,
    added: Vec<AddedToken>,
    normalizer: Normalizer,
    splitting: Splitting,
    words: Option<Arc<WordLookup>>,
    fuses_unknown: bool,
    others: Vec<(String, Id)>,
    template: Option<Template>,
}

impl FileParts {
    /// Reads each part; the order is that in which they depend on each other: options, added tokens (they need the
    /// vocabulary for their ids), normalizer, model, and what is left of the vocabulary.
    fn read(document: &Value, vocab: Option<Vocab>, merges: Option<Merges>) -> Result<Self> {
        let of_model = document.get("model").unwrap_or(&Value::Null);
        let is_words = of_model.get("type").is_some_and(|kind| kind == "WordLevel");
        let options = if is_words { None } else { Some(ModelOptions::read(of_model)?) };
        let Some(vocab) = vocab else { return refuse("its model has no vocab that is an object") };
        let added = added::read(document.get("added_tokens"), &vocab)?;
        let normalizer = read_normalizer(document, &added)?;
        let mut plan = match options {
            None => {
                let (model, splitting, words) = words::read(document, &vocab, &added)?;
                Self::new(model, added, normalizer, splitting, Some(words))
            }
            Some(options) => {
                let Some(merges) = merges else { return refuse("its model has no merges that are a list") };
                Self::of_merges(document, &vocab, &merges, options, added, normalizer)?
            }
        };
        plan.others = others(&vocab, &plan.added, &plan.model)?;
        let vocab_size = vocab.len() + plan.added.iter().filter(|token| !token.is_in_vocab).count();
        let template = post_processor::read(document.get("post_processor"), vocab_size)?;
        plan.template = template.or(plan.template);
        Ok(plan)
    }

    /// One without a template; a foreign file puts nothing around a sequence.
    fn new(
        model: ParsedModel,
        added: Vec<AddedToken>,
        normalizer: Normalizer,
        splitting: Splitting,
        words: Option<Arc<WordLookup>>,
    ) -> Self {
        let template = Some(Template::default());
        Self {
            model,
            added,
            normalizer,
            splitting,
            words,
            fuses_unknown: false,
            others: Vec::new(),
            template,
        }
    }

    /// Those of a file with merges. The template of one that genotok wrote before it wrote any stays open.
    fn of_merges(
        document: &Value,
        vocab: &Vocab,
        merges: &Merges,
        mut options: ModelOptions,
        added: Vec<AddedToken>,
        normalizer: Normalizer,
    ) -> Result<Self> {
        if normalizer.is_nothing() {
            let raw = added.iter().filter(|token| !token.is_normalized);
            options.never_words = raw.map(|token| token.content.clone()).collect();
        }
        let splitting = Splitting::new(pre_tokenizer::read(document.get("pre_tokenizer"))?);
        if options.fuses_unknown && splitting.may_part_unknown() {
            return refuse(
                "fuse_unk is true with a pre_tokenizer that may cut between unknown characters, which genotok does not support",
            );
        }
        let model = ParsedModel::read(vocab, merges, &options, &splitting)?;
        let is_ours = TokenizerDocument(document.clone()).is_ours(&added, options.unknown.as_deref());
        let mut plan = Self::new(model, added, normalizer, splitting, None);
        plan.fuses_unknown = options.fuses_unknown;
        if is_ours {
            plan.template = None;
        }
        Ok(plan)
    }
}

/// Checks what no part of the file is.
fn check_document(document: &Value) -> Result<()> {
    if !document.is_object() {
        return refuse(format!("it is {}, not the object that a tokenizer.json is", show(document)));
    }
    if document.get("version").is_some_and(|version| version != "1.0") {
        return refuse("its version is not \"1.0\"");
    }
    Ok(())
}

/// The normalizer. Where added tokens are looked for in what it makes, nothing of it may wait for the table.
fn read_normalizer(document: &Value, added: &[AddedToken]) -> Result<Normalizer> {
    let steps = normalizer::read(document.get("normalizer"))?;
    if let Some(reason) = excess(&steps) {
        return refuse(reason);
    }
    let is_asked = added.iter().any(|token| token.is_normalized);
    Ok(if is_asked { Normalizer::carried_out(steps) } else { Normalizer::new(steps) })
}

/// The tokens of the vocabulary that are neither added nor of the model; fails if an id is missing or given twice.
fn others(vocab: &Vocab, added: &[AddedToken], model: &ParsedModel) -> Result<Vec<(String, Id)>> {
    // AddedToken tokens that are not in the vocab get the ids behind it, whatever the file says.
    if vocab.values().any(|&id| id as usize >= vocab.len()) {
        return refuse("the ids of its vocab leave a gap, or one is given twice");
    }
    let mut tokens = vec![None; vocab.len()];
    #[allow(clippy::iter_over_hash_type)] // the order only says which of several doubles is named
    for (token, &id) in vocab {
        if let Some(other) = tokens[id as usize].replace(token) {
            let (one, other) = (show_text(token.min(other)), show_text(token.max(other)));
            return refuse(format!("the id {id} is given twice, to {one} and {other}"));
        }
    }
    let known: FxHashSet<Id> = added.iter().map(|token| token.id).chain(model.ids.iter().copied()).collect();
    let others = tokens.into_iter().flatten().zip(0..).filter(|(_, id)| !known.contains(id));
    Ok(others.map(|(token, id)| (token.to_string(), id)).collect())
}
