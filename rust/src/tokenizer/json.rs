//! The file: `tokenizer.json` of Hugging Face `tokenizers`, version 1.0, model BPE.
//!
//! # Written
//!
//! Special tokens are added tokens with the first ids. The normalizer makes lower-case bases upper case (four
//! replacements: `tokenizers` has no upper-casing one). There is no pre-tokenizer. The post-processor puts the usual special
//! tokens around a sequence, if the vocabulary has them. The decoder joins. One token and one merge a line; the same
//! bytes for the same tokenizer. Files written before had no post-processor: [`forms`].
//!
//! # Read
//!
//! Our own files, and files of others whose merges join at most 32 letters of ASCII and whose other parts come down to a
//! table of letters ([`super::letters`]), some steps before it ([`super::normalizer`]), tokens that are found first and
//! a template around. Tokens that no merge makes keep their ids; merges that no training makes go to the heap. A
//! `WordLevel` model is read if its words are bases or k-mers ([`super::words`]). Anything else is refused by name, never
//! ignored. What has no influence on ids (the decoder, truncation and padding) is kept and written again.
//!
//! A file without a post-processor puts nothing around a sequence, as Hugging Face has it, unless it is an old one of ours.
//!
//! A file is not trusted. It may have 64 MiB, a million tokens, 200,000 values besides, and nest 128 levels deep; a key
//! that comes twice is refused; every id and every merge is checked before it is used.

mod added;
mod fields;
mod file;
mod forms;
pub(super) mod frame;
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

use self::fields::{refuse, show};
use self::file::MAX_BYTES;
use self::frame::Frame;
use self::model::{Model, Options};
use self::strict::{Merges, Parsed, Vocab};
use super::added::Added;
use super::growth::excess;
use super::letters::{Letters, Rest};
use super::normalizer::Normalizer;
use super::splitting::Splitting;
use super::words::Words;
use super::{Id, Meaning, Reading, Template, Tokenizer};
use crate::error::{Error, Result, show_text};
use crate::io::atomic;

pub(super) use self::kmers::obstacle;
pub(super) use self::post_processor::usual_template;
pub use self::roles::Roles;
pub(super) use self::settings::SETTINGS;

impl Tokenizer {
    /// The text of the file: the same bytes for the same tokenizer, always.
    ///
    /// Fails if the tokens are so long that the file could not be read again.
    pub fn to_json(&self) -> Result<String> {
        self.write(&self.document()?)
    }

    /// The file, with vocabulary and merges.
    fn document(&self) -> Result<Value> {
        if let Some(kmer) = self.kmers() {
            return Ok(kmers::document(self, kmer));
        }
        let length = |token| u64::from(self.scheme.length(token));
        let in_merges = self.scheme.merges().iter().map(|&(left, right)| length(left) + length(right));
        self.check_size(2 * in_merges.sum::<u64>())?;
        let mut document = self.frame.0.clone();
        if let Some(model) = document.get_mut("model").and_then(Value::as_object_mut) {
            let meanings = (0..).map_while(|id| self.numbering.meaning(id));
            let tokens = meanings.zip((0..).map(|id: Id| Value::from(id)));
            let in_vocab = tokens.filter(|(meaning, _)| match meaning {
                Meaning::Added(place) => self.reading.added[*place].is_in_vocab,
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
            (0..self.scheme.num_tokens()).map(|token| self.scheme.length(token)).max().unwrap_or(0)
        )))
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = self.to_json()?;
        atomic::write(path, |file| file.write_all(text.as_bytes()))
    }

    /// The tokenizer in the file at `path`, with the roles that stand beside it.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?;
        let tokenizer = Self::from_json(&text).map_err(|error| error.in_file(path))?;
        Ok(tokenizer.with_roles(Roles::beside(path)?))
    }

    /// The tokenizer in the text of a file.
    pub fn from_json(text: &str) -> Result<Self> {
        if text.len() as u64 > MAX_BYTES {
            return refuse(format!("a tokenizer.json of more than {MAX_BYTES} bytes is not read"));
        }
        let Parsed { frame, vocab, merges, .. } =
            strict::parse(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        settings::check(&frame)?;
        if let Some(tokenizer) = kmers::read(&frame, vocab.as_ref())? {
            return Ok(tokenizer);
        }
        check_document(&frame)?;
        let Plan { model, added, normalizer, splitting, words, fuses_unknown, others, template } =
            Plan::read(&frame, vocab, merges)?;
        let letters = Letters::read(
            model.scheme.alphabet(),
            Rest {
                normalizer,
                splitting,
                singles: model.singles,
                fallback: model.fallback,
                unknown_letter: model.unknown_letter,
                fuses_unknown,
                words,
            },
        );
        let reading = Reading { letters, added, others, unknown: model.unknown, template };
        Self::assemble(model.scheme, model.ids, reading, Frame(frame))
    }
}

/// The parts of a file, read.
struct Plan {
    model: Model,
    added: Vec<Added>,
    normalizer: Normalizer,
    splitting: Splitting,
    words: Option<Arc<Words>>,
    fuses_unknown: bool,
    others: Vec<(String, Id)>,
    template: Option<Template>,
}

impl Plan {
    fn read(frame: &Value, vocab: Option<Vocab>, merges: Option<Merges>) -> Result<Self> {
        let of_model = frame.get("model").unwrap_or(&Value::Null);
        let is_words = of_model.get("type").is_some_and(|kind| kind == "WordLevel");
        let options = if is_words { None } else { Some(Options::read(of_model)?) };
        let Some(vocab) = vocab else { return refuse("its model has no vocab that is an object") };
        let added = added::read(frame.get("added_tokens"), &vocab)?;
        let normalizer = read_normalizer(frame, &added)?;
        let mut plan = match options {
            None => {
                let (model, splitting, words) = words::read(frame, &vocab, &added)?;
                Self::new(model, added, normalizer, splitting, Some(words))
            }
            Some(options) => {
                let Some(merges) = merges else { return refuse("its model has no merges that are a list") };
                Self::of_merges(frame, &vocab, &merges, options, added, normalizer)?
            }
        };
        plan.others = others(&vocab, &plan.added, &plan.model)?;
        let vocab_size = vocab.len() + plan.added.iter().filter(|token| !token.is_in_vocab).count();
        let template = post_processor::read(frame.get("post_processor"), vocab_size)?;
        plan.template = template.or(plan.template);
        Ok(plan)
    }

    /// One without a template; a foreign file puts nothing around a sequence.
    fn new(
        model: Model,
        added: Vec<Added>,
        normalizer: Normalizer,
        splitting: Splitting,
        words: Option<Arc<Words>>,
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

    fn of_merges(
        frame: &Value,
        vocab: &Vocab,
        merges: &Merges,
        mut options: Options,
        added: Vec<Added>,
        normalizer: Normalizer,
    ) -> Result<Self> {
        if normalizer.is_nothing() {
            let raw = added.iter().filter(|token| !token.is_normalized);
            options.never_words = raw.map(|token| token.content.clone()).collect();
        }
        let splitting = Splitting::new(pre_tokenizer::read(frame.get("pre_tokenizer"))?);
        if options.fuses_unknown && splitting.may_part_unknown() {
            return refuse(
                "fuse_unk is true with a pre_tokenizer that may part unknown letters, which genotok does not support",
            );
        }
        let model = Model::read(vocab, merges, &options, &splitting)?;
        let is_ours = Frame(frame.clone()).is_ours(&added, options.unknown.as_deref());
        let mut plan = Self::new(model, added, normalizer, splitting, None);
        plan.fuses_unknown = options.fuses_unknown;
        if is_ours {
            plan.template = None;
        }
        Ok(plan)
    }
}

/// Checks what is not the model, nor read elsewhere.
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
fn read_normalizer(document: &Value, added: &[Added]) -> Result<Normalizer> {
    let steps = normalizer::read(document.get("normalizer"))?;
    if let Some(reason) = excess(&steps) {
        return refuse(reason);
    }
    let is_asked = added.iter().any(|token| token.is_normalized);
    Ok(if is_asked { Normalizer::carried_out(steps) } else { Normalizer::new(steps) })
}

/// The tokens of the vocabulary that are neither added nor of the scheme; fails if an id is missing or given twice.
fn others(vocab: &Vocab, added: &[Added], model: &Model) -> Result<Vec<(String, Id)>> {
    // Added tokens that are not in the vocab get the ids behind it, whatever the file says.
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
