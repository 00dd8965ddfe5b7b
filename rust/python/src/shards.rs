//! Training on shards that other processes hold: a shard, the sum of answers, and the training that asks.
//!
//! Python carries questions and answers between them, by whatever it likes. The training runs in a thread of its own
//! and waits there for answers, so it never waits for Python's lock; Python takes each question when it comes.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use genotok_core::bpe::train::{CorpusShards, answer, shard};
use genotok_core::corpus::{self, Corpus};
use genotok_core::error::{Error, Result};
use genotok_core::monitor::Monitor;
use genotok_core::session::{TrainingReport, train_on_shards};
use genotok_core::tokenizer::Tokenizer as Core;
use genotok_core::verdict::MAX_UNKNOWN;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arguments::{Number, fit_count, fit_threads};
use crate::errors::{exception, internal};
use crate::options::TrainOptions;
use crate::pools::pool;
use crate::tokenizer::Tokenizer;
use crate::training_report::report_as_dictionary;
use crate::watch::{Reporter, TICK, watch};

/// How long a training that is stopped may take to write its checkpoint.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sequence or packed files that this process holds.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct Shard {
    corpora: Arc<Vec<Corpus>>,
    threads: Option<usize>,
}

#[pymethods]
impl Shard {
    /// Reads the files: packed ones are mapped, others packed in memory.
    #[new]
    #[pyo3(signature = (paths, *, allow_unknown = MAX_UNKNOWN, threads))]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        allow_unknown: f64,
        threads: Option<Number>,
    ) -> PyResult<Self> {
        let threads = fit_threads(threads)?;
        let corpora = watch(py, None, move |monitor| {
            pool(threads)?.install(|| corpus::read_part(&paths, allow_unknown, monitor))
        })?;
        Ok(Self { corpora: Arc::new(corpora), threads })
    }

    /// Bases in all files.
    #[getter]
    fn bases(&self) -> u64 {
        self.corpora.iter().map(|corpus| corpus.contents().bases).sum()
    }

    /// What this shard answers to a question of a training.
    fn answer<'py>(&self, py: Python<'py>, question: Vec<u8>) -> PyResult<Bound<'py, PyBytes>> {
        let (corpora, threads) = (Arc::clone(&self.corpora), self.threads);
        let answer = watch(py, None, move |monitor| {
            pool(threads)?.install(|| shard::answer(&corpora, &question, monitor))
        })?;
        Ok(PyBytes::new(py, &answer))
    }
}

/// The sum of answers to one question.
#[pyfunction]
pub(crate) fn add_answers(py: Python<'_>, answers: Vec<Vec<u8>>) -> PyResult<Bound<'_, PyBytes>> {
    let sum = watch(py, None, move |_| answer::add(&answers))?;
    Ok(PyBytes::new(py, &sum))
}

enum Message {
    Question(Vec<u8>),
    End(Box<thread::Result<Result<(Core, TrainingReport)>>>),
}

/// Sends questions to Python, and waits for the answers.
struct RemoteShards {
    questions: Mutex<Sender<Message>>,
    answers: Mutex<Receiver<Vec<u8>>>,
}

impl CorpusShards for RemoteShards {
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>> {
        let questions = self.questions.get_mut().unwrap_or_else(PoisonError::into_inner);
        questions.send(Message::Question(question)).map_err(|_| Error::Interrupted)?;
        self.answers.get_mut().unwrap_or_else(PoisonError::into_inner).recv().map_err(|_| Error::Interrupted)
    }
}

/// A training that asks for what it needs to know of a text.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct ShardTraining {
    monitor: Arc<Monitor>,
    messages: Mutex<Receiver<Message>>,
    answers: Mutex<Option<Sender<Vec<u8>>>>,
    reporter: Mutex<Option<Reporter>>,
    result: Mutex<Option<(Core, TrainingReport)>>,
    both_strands: bool,
    word_length: Option<u64>,
}

#[pymethods]
impl ShardTraining {
    /// Begins; `files` is how many the shards have read.
    #[new]
    fn new(files: Number, training: TrainOptions, progress: Option<Py<PyAny>>) -> PyResult<Self> {
        let files = fit_count(files, "files")?;
        let (options, checkpoint) = training.checked()?;
        let (both_strands, word_length) = (options.merging.both_strands, options.merging.word_length);
        let monitor = Arc::new(Monitor::default());
        let (send_message, messages) = channel();
        let (send_answer, answers) = channel();
        let watched = Arc::clone(&monitor);
        let run = move || {
            let mut shards =
                RemoteShards { questions: Mutex::new(send_message.clone()), answers: Mutex::new(answers) };
            let work = std::panic::AssertUnwindSafe(|| {
                train_on_shards(&mut shards, files, options, None, checkpoint.as_ref(), &watched)
            });
            let end = std::panic::catch_unwind(work);
            send_message.send(Message::End(Box::new(end))).ok(); // nobody waits any more after an interrupt
        };
        thread::Builder::new().name("genotok".to_owned()).spawn(run)?;
        Ok(Self {
            monitor,
            messages: Mutex::new(messages),
            answers: Mutex::new(Some(send_answer)),
            reporter: Mutex::new(progress.map(Reporter::new)),
            result: Mutex::new(None),
            both_strands,
            word_length,
        })
    }

    /// The next question, or nothing if training has ended.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        loop {
            if let Some(message) = self.wait(py, TICK) {
                return match message {
                    Message::Question(question) => Ok(Some(PyBytes::new(py, &question))),
                    Message::End(end) => {
                        let found = end.map_err(|panic| internal(panic.as_ref()))?.map_err(exception)?;
                        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                        Ok(None)
                    }
                };
            }
            self.look(py)?;
        }
    }

    /// Lets signals and the progress callback have their turn, while others work on an answer.
    fn look(&self, py: Python<'_>) -> PyResult<()> {
        let mut reporter = self.reporter.lock().unwrap_or_else(PoisonError::into_inner);
        py.check_signals()?;
        reporter.as_mut().map_or(Ok(()), |reporter| reporter.report(py, &self.monitor))
    }

    /// Answers the last question.
    fn answer(&self, answer: Vec<u8>) {
        if let Some(answers) = self.answers.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            answers.send(answer).ok(); // an ended training hears nothing
        }
    }

    /// Ends a training that cannot go on; it writes its checkpoint.
    fn stop(&self, py: Python<'_>) {
        self.monitor.cancel();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).take();
        let start = Instant::now();
        while start.elapsed() < PATIENCE && !matches!(self.wait(py, TICK), Some(Message::End(_))) {}
    }

    /// The tokenizer and the report of a training that has ended; once.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Option<(Tokenizer, Bound<'py, PyDict>)>> {
        let found = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((core, report)) = found else { return Ok(None) };
        let dictionary = report_as_dictionary(py, &core, &report)?;
        dictionary.set_item("both_strands", self.both_strands)?;
        dictionary.set_item("word_length", self.word_length)?;
        Ok(Some((core.into(), dictionary)))
    }
}

impl ShardTraining {
    fn wait(&self, py: Python<'_>, time: Duration) -> Option<Message> {
        py.detach(|| {
            let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            match messages.recv_timeout(time) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    Some(Message::End(Box::new(Err(Box::new("the training vanished")))))
                }
            }
        })
    }
}
