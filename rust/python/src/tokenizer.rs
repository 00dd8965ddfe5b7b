//! The class `Tokenizer`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use genotok_core::error::Error;
use genotok_core::kmer::Kmer;
use genotok_core::session;
use genotok_core::threads::LITTLE;
use genotok_core::tokenizer::{KmerSpecials, Roles, Tokenizer as Core};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::arguments::{Nulls, Number, fit, fit_count, fit_threads};
use crate::batches::{self, INSTANT};
use crate::errors::exception;
use crate::files::open;
use crate::id_lists::{IdLists, ids_of};
use crate::options::{BatchOptions, ReadOptions, RowOptions, RunOptions, TrainOptions};
use crate::parts;
use crate::pools::pool;
use crate::reader::TokenReader;
use crate::text_table;
use crate::texts::{Texts, text_of};
use crate::tokens::TokenArray;
use crate::training_report::report_as_dictionary;
use crate::view::numpy;
use crate::watch::{watch, watch_blind};

/// An exact byte-pair tokenizer.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct Tokenizer {
    core: Arc<Core>,
}

impl From<Core> for Tokenizer {
    fn from(core: Core) -> Self {
        Self { core: Arc::new(core) }
    }
}

impl Tokenizer {
    /// Calls the core, in a watched thread unless it will be quick.
    fn call<T: Send + 'static>(
        &self,
        py: Python<'_>,
        is_quick: bool,
        work: impl FnOnce(&Core) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        if is_quick {
            return py.detach(|| work(&self.core)).map_err(exception);
        }
        let core = Arc::clone(&self.core);
        watch_blind(py, move || work(&core))
    }
}

#[pymethods]
impl Tokenizer {
    /// Trains on sequence files; returns the tokenizer and a report.
    #[staticmethod]
    fn train(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        training: TrainOptions,
        run: RunOptions,
    ) -> PyResult<(Self, Bound<'_, PyDict>)> {
        let (mut options, checkpoint) = training.checked()?;
        let (threads, watched) = run.checked()?;
        options.memory = watched.memory; // which training divides, and packed files do not count
        let (both_strands, word_length) = (options.merging.both_strands, options.merging.word_length);
        let (core, report) = watch(py, watched.progress, move |monitor| {
            session::train(&paths, options, threads, checkpoint.as_ref(), monitor)
        })?;
        let dictionary = report_as_dictionary(py, &core, &report)?;
        dictionary.set_item("both_strands", both_strands)?;
        dictionary.set_item("word_length", word_length)?;
        Ok((core.into(), dictionary))
    }

    /// Trains on weighted words over A, C, G, T. With a seed, the pairs to count are drawn at random, for tests.
    #[staticmethod]
    #[pyo3(signature = (words, training, *, threads, seed))]
    fn train_words(
        py: Python<'_>,
        words: Vec<(String, Number)>,
        training: TrainOptions,
        threads: Option<Number>,
        seed: Option<Number>,
    ) -> PyResult<Self> {
        let (mut options, _) = training.checked()?;
        options.merging.random_guess = fit(seed, "seed", 0)?;
        let threads = fit_threads(threads)?;
        let weighted = |(word, weight): (String, Number)| Ok((word, weight.fit("weight", 0)?));
        let words: Vec<(String, u64)> = words.into_iter().map(weighted).collect::<PyResult<_>>()?;
        let core = watch(py, None, move |monitor| session::train_words(&words, options, threads, monitor))?;
        Ok(core.into())
    }

    /// A tokenizer of k-mers. Without special tokens, it has those of the published model of its kind.
    #[staticmethod]
    #[pyo3(signature = (k, *, overlap, canonical, special_tokens, uppercase))]
    fn kmer(
        k: Number,
        overlap: bool,
        canonical: bool,
        special_tokens: Option<Vec<String>>,
        uppercase: bool,
    ) -> PyResult<Self> {
        let kmer = Kmer::new(fit_count(k, "k")?, overlap, canonical).map_err(exception)?;
        let specials = match special_tokens {
            Some(before) => KmerSpecials { before, after: Vec::new() },
            None => KmerSpecials::published(&kmer),
        };
        Core::kmer(kmer, &specials, uppercase).map(Self::from).map_err(exception)
    }

    /// The text of a `tokenizer.json` that Hugging Face gives the same ids with.
    fn to_hugging_face_json(&self, py: Python<'_>) -> PyResult<String> {
        self.call(py, false, Core::to_hugging_face_json)
    }

    /// The text of the same tokenizer's file in its other form, with or without a template; nothing if there is none.
    fn to_json_in_other_form(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.call(py, false, Core::to_json_in_other_form)
    }

    /// The tokenizer in the text of a `tokenizer.json`.
    #[staticmethod]
    #[pyo3(signature = (text, roles=(BTreeMap::new(), Vec::new())))]
    fn from_json(
        py: Python<'_>,
        text: String,
        roles: (BTreeMap<String, String>, Vec<String>),
    ) -> PyResult<Self> {
        let (tokens, others) = roles;
        let read = move || Ok(Core::from_json(&text)?.with_roles(Roles { tokens, others }));
        watch_blind(py, read).map(Self::from)
    }

    /// The tokenizer in the `tokenizer.json` at `path`.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        watch_blind(py, move || Core::from_file(&path)).map(Self::from)
    }

    /// The text of the `tokenizer.json`.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.call(py, false, Core::to_json)
    }

    /// Writes the `tokenizer.json`, atomically.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let core = Arc::clone(&self.core);
        watch(py, None, move |_| core.save(&path)) // waited for, so that no temporary file is left
    }

    /// The tokenizer that training at the smaller size would have given.
    fn truncate(&self, py: Python<'_>, vocab_size: Number) -> PyResult<Self> {
        let vocab_size = fit_count(vocab_size, "vocab_size")?;
        self.call(py, true, move |core| core.truncate(vocab_size)).map(Self::from)
    }

    /// The strings that each merge joins, by rank.
    #[getter]
    fn merges(&self, py: Python<'_>) -> Vec<(String, String)> {
        py.detach(|| self.core.merges().collect())
    }

    /// Token to id, in order of id.
    #[getter]
    fn vocab<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tokens: Vec<String> = py.detach(|| self.core.vocab().collect());
        let vocab = PyDict::new(py);
        for (id, token) in tokens.iter().enumerate() {
            vocab.set_item(token, id)?;
        }
        Ok(vocab)
    }

    /// States and bytes of the encoding automaton; nothing if there is none. Builds it when first called.
    fn automaton_size(&self, py: Python<'_>) -> PyResult<Option<(usize, usize)>> {
        self.call(py, false, |core| Ok(core.automaton_size()))
    }

    /// Why there is no encoding automaton, if the vocabulary is slow for want of it. Builds it when first called.
    fn why_no_automaton(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.call(py, false, |core| Ok(core.why_no_automaton().map(str::to_owned)))
    }

    /// What the file says of truncation and padding: key to JSON.
    #[getter]
    fn settings(&self) -> BTreeMap<&'static str, String> {
        self.core.settings().collect()
    }

    /// The ids before and behind a sequence; nothing where one of genotok's own files does not say.
    #[getter]
    fn template(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        self.core.own_template().map(|template| (template.before.clone(), template.after.clone()))
    }

    /// What stands around one sequence and around two, as the JSON of the file's part.
    #[getter]
    fn post_processor(&self) -> String {
        self.core.post_processor()
    }

    /// What files beside the tokenizer's say of special tokens: role to token, and other tokens.
    #[getter]
    fn roles(&self) -> (BTreeMap<String, String>, Vec<String>) {
        let roles = self.core.roles();
        (roles.tokens.clone(), roles.others.clone())
    }

    /// How a text is read, as a table for programs in other languages; an error with the reason if none can say it.
    fn text_table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        text_table::as_dictionary(py, self.core.text_table().map_err(exception)?)
    }

    /// Number of tokens.
    #[getter]
    fn vocab_size(&self) -> usize {
        self.core.vocab_size()
    }

    /// The special tokens in order of id.
    #[getter]
    fn special_tokens(&self) -> Vec<String> {
        self.core.special_tokens().map(str::to_owned).collect()
    }

    /// The id of a token, if it is one.
    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.core.id_of_string(token)
    }

    /// The token of an id, if it is one.
    fn id_to_token(&self, id: Number) -> PyResult<Option<String>> {
        Ok(self.core.string_of(id.fit("id", 0)?))
    }

    /// The id of symbols outside the vocabulary; nothing if they are errors.
    #[getter]
    fn unknown_id(&self) -> Option<u32> {
        self.core.unknown_id()
    }

    /// The ids of a text, `str` or `bytes`, without special tokens around it.
    fn encode<'py>(&self, py: Python<'py>, sequence: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let text = text_of(sequence)?;
        let ids = if !self.core.is_ready() || text.len() > LITTLE {
            let text = text.to_owned();
            self.call(py, false, move |core| pool(None)?.install(|| core.encode(&text)))?
        } else if text.len() > INSTANT {
            py.detach(|| self.core.encode(text)).map_err(exception)?
        } else {
            self.core.encode(text).map_err(exception)?
        };
        PyList::new(py, ids)
    }

    /// The ids of many sequences.
    fn encode_batch(
        &self,
        py: Python<'_>,
        sequences: &Bound<'_, PyAny>,
        options: BatchOptions,
    ) -> PyResult<TokenArray> {
        let (options, nulls, threads) = options.checked()?;
        batches::encode(py, &self.core, Texts::of(sequences, nulls)?, options, threads)
    }

    /// The number of tokens of each of many sequences: a numpy array of int64.
    fn count_tokens<'py>(
        &self,
        py: Python<'py>,
        sequences: &Bound<'py, PyAny>,
        options: BatchOptions,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (options, nulls, threads) = options.checked()?;
        let counts = batches::count(py, &self.core, Texts::of(sequences, nulls)?, options, threads)?;
        numpy(py, &counts.into(), 1)
    }

    /// The strings of many lists of ids.
    #[pyo3(signature = (lists, *, nulls, skip_special_tokens = false))]
    fn decode_batch<'py>(
        &self,
        py: Python<'py>,
        lists: &Bound<'py, PyAny>,
        nulls: &str,
        skip_special_tokens: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        batches::decode(py, &self.core, IdLists::of(lists, Nulls::of(nulls)?)?, skip_special_tokens)
    }

    /// What each of many edits, `(start, end, replacement)`, changes in the tokens of a sequence: `parts::Changes`.
    #[pyo3(signature = (sequence, edits, *, reverse))]
    fn reencode<'py>(
        &self,
        py: Python<'py>,
        sequence: &Bound<'py, PyAny>,
        edits: &Bound<'py, PyAny>,
        reverse: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        parts::reencode(py, &self.core, sequence, edits, reverse)
    }

    /// The ids that may stand in place of one between two others, or an end: a numpy array of int32.
    fn substitutions<'py>(
        &self,
        py: Python<'py>,
        left: Option<Number>,
        token: Number,
        right: Option<Number>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (left, right) = (fit(left, "left", 0)?, fit(right, "right", 0)?);
        let token = token.fit("token", 0)?;
        let is_quick = self.core.is_ready() && self.core.why_no_automaton().is_none();
        let found = self.call(py, is_quick, move |core| core.substitutions(left, token, right))?;
        numpy(py, &parts::signed(found).into(), 1)
    }

    /// Where the tokens of the ids begin in their sequence, and the last ends: a numpy array of int64.
    fn boundaries<'py>(&self, py: Python<'py>, ids: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let ids = ids_of(ids)?;
        let found = self.call(py, ids.len() <= LITTLE, move |core| core.boundaries(&ids))?;
        numpy(py, &found.into(), 1)
    }

    /// The ids of sequence files, as a stream of record batches.
    fn encode_files(
        &self,
        py: Python<'_>,
        files: Vec<PathBuf>,
        rows: RowOptions,
        read: ReadOptions,
        run: RunOptions,
    ) -> PyResult<TokenReader> {
        open(py, Arc::clone(&self.core), files, rows, read, run)
    }

    /// The strings of the ids, joined.
    fn decode(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<String> {
        let ids = ids_of(ids)?;
        self.call(py, ids.len() <= LITTLE, move |core| core.decode(&ids))
    }

    /// The tokens of a text after each merge.
    fn explain<'py>(&self, py: Python<'py>, sequence: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let sequence = text_of(sequence)?.to_owned();
        let steps = self.call(py, false, move |core| core.explain(&sequence))?;
        let names: Vec<Bound<'py, PyString>> =
            self.core.vocab().map(|token| PyString::new(py, &token)).collect();
        let parts: Vec<(String, String)> = self.core.merges().collect();
        let nothing = (String::new(), String::new());
        let explained = PyList::empty(py);
        for step in steps {
            let (left, right) = step.rank.map_or(&nothing, |rank| &parts[rank]);
            let tokens = PyList::new(py, step.ids.iter().map(|&id| &names[id as usize]))?;
            let entry = PyDict::new(py);
            entry.set_item("rank", step.rank)?;
            entry.set_item("left", left)?;
            entry.set_item("right", right)?;
            entry.set_item("tokens", tokens)?;
            explained.append(entry)?;
        }
        Ok(explained)
    }
}
