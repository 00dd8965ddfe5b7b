//! `BatchWriter`: encoded sequences into an Arrow IPC file or stream, or a Parquet file, with a checksum for each batch.
//!
//! ```text
//!  write(rows) ──> two batches at most ──> thread: checksum, messages or pages, bytes to the file, their checksum, write-back
//! ```
//!
//! Into a file the work is done in a thread of its own, without the interpreter's lock, while the next batches are
//! encoded; of a small file, at its end, which takes less time than starting a thread. Into an object of Python it is
//! done where the call is, since that object's code runs anyway.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use arrow_array::{RecordBatch, new_empty_array};
use arrow_schema::{Metadata, Schema};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrow_messages::{Body, MessageWriter, OddColumn};
use crate::atomic_file::{AtomicFile, SharedFile};
use crate::capsule::import_schema;
use crate::checksum::sum_of;
use crate::encoded_rows::EncodedRows;
use crate::errors::{ArgumentError, internal};
use crate::parquet::ParquetFile;
use crate::watch::TICK;

/// Batches that wait for the thread, with the one that it works on.
const MAX_WAITING: usize = 2;
/// Bytes in the first batch that are worth a thread.
const LARGE: usize = 1 << 18;
/// Small pieces are collected into one of so many bytes before they go to an object of Python.
const PIECE: usize = 1 << 16;
/// Rows of a row group of Parquet at most.
const MAX_ROWS: usize = 1 << 20;
/// The keys of a batch's checksum and of the number of batches, as in `genotok/dataset/batch_checksums.py`.
const CHECKSUM: &str = "genotok.checksum";
const COUNT: &str = "genotok.batches";

/// Writes record batches; `write` appends, `close` ends.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct BatchWriter {
    state: Mutex<State>,
}

enum State {
    /// At most one small batch came.
    Small(Box<Encoder>, SharedFile),
    /// The thread has the rest.
    Thread(Worker),
    /// The encoder, and the object whose `write` takes the bytes.
    Object(Box<Encoder>, Py<PyAny>),
    Ended,
}

#[pymethods]
impl BatchWriter {
    /// Begins a file of `form`: "arrow", "arrow-stream" or "parquet". `schema` has `__arrow_c_schema__`, `metadata` becomes
    /// that of the schema, `about` goes into each checksum. `sink` is an `AtomicFile` of this module, or any object with
    /// `write`.
    #[new]
    #[pyo3(signature = (sink, schema, metadata, about, *, form))]
    fn new(
        sink: &Bound<'_, PyAny>,
        schema: &Bound<'_, PyAny>,
        metadata: std::collections::BTreeMap<String, String>,
        about: String,
        form: &str,
    ) -> PyResult<Self> {
        let form = match form {
            "arrow" => Form::Arrow,
            "arrow-stream" => Form::ArrowStream,
            "parquet" => Form::Parquet,
            other => return Err(ArgumentError::new_err(format!("form={other}: is not written here"))),
        };
        let metadata = metadata.into_iter().collect::<Metadata>();
        let schema = import_schema(schema)?.with_metadata(metadata);
        let mut encoder = Encoder { about, form, held: None, sums: Vec::new(), out: Out::Schema(schema) };
        let state = if let Ok(file) = sink.cast::<AtomicFile>() {
            State::Small(Box::new(encoder), file.get().shared())
        } else {
            encoder.start(&mut ObjectSink::new(sink))?;
            State::Object(Box::new(encoder), sink.clone().unbind())
        };
        Ok(Self { state: Mutex::new(state) })
    }

    /// Appends a record batch; waits while the thread is behind.
    fn write(&self, py: Python<'_>, rows: &EncodedRows) -> PyResult<()> {
        let batch = rows.batch.clone();
        let mut state = self.lock();
        if let State::Small(encoder, _) = &mut *state {
            if encoder.held.is_none() && batch.get_array_memory_size() < LARGE {
                encoder.held = Some(batch);
                return Ok(());
            }
            if let State::Small(encoder, file) = std::mem::replace(&mut *state, State::Ended) {
                *state = State::Thread(Worker::start(*encoder, file)?);
            }
        }
        match &mut *state {
            State::Thread(worker) => {
                worker.wait(py, MAX_WAITING - 1)?;
                worker.send(batch)
            }
            State::Object(encoder, sink) => {
                encoder.write(batch, &mut ObjectSink::new(sink.bind(py))).map_err(Fault::into_py)
            }
            State::Small(..) | State::Ended => Err(ended()),
        }
    }

    /// Writes the last batch, an empty one if there is none, and the end; the checksums of all batches.
    fn close(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        match std::mem::replace(&mut *self.lock(), State::Ended) {
            State::Small(mut encoder, file) => {
                let mut sink = FileSink(file.clone());
                let ended: Result<_, Fault> = py.detach(|| {
                    encoder.start(&mut sink)?;
                    encoder.end(&mut sink)?;
                    Ok(encoder.sums)
                });
                ended.map_err(|fault| fault.of_file(&file))
            }
            State::Thread(mut worker) => worker.end(py),
            State::Object(mut encoder, sink) => {
                encoder.end(&mut ObjectSink::new(sink.bind(py))).map_err(Fault::into_py)?;
                Ok(encoder.sums)
            }
            State::Ended => Err(ended()),
        }
    }
}

impl BatchWriter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended() -> PyErr {
    ArgumentError::new_err("writer=closed: start again")
}

/// Why a batch was not written.
enum Fault {
    Io(io::Error),
    Column(OddColumn),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    /// The exception, which names the file.
    fn of_file(self, file: &SharedFile) -> PyErr {
        match self {
            Self::Io(error) => file.exception(error),
            Self::Column(_) => self.into_py(),
        }
    }

    /// The exception of an object's `write`, as it was.
    fn into_py(self) -> PyErr {
        match self {
            Self::Io(error) => PyErr::from(error),
            Self::Column(OddColumn(kind)) => {
                ArgumentError::new_err(format!("batch: has a column of type {kind}"))
            }
        }
    }
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Arrow,
    ArrowStream,
    Parquet,
}

/// The file, once its beginning was written.
enum Out {
    Schema(Schema),
    Messages(MessageWriter),
    Parquet(Box<ParquetFile>),
    Ended,
}

/// Batches to bytes. A batch of Arrow is held back until the next one comes, since the last says how many there are.
struct Encoder {
    about: String,
    form: Form,
    held: Option<RecordBatch>,
    sums: Vec<String>,
    out: Out,
}

impl Encoder {
    fn start(&mut self, sink: &mut dyn Write) -> io::Result<()> {
        if let Out::Schema(schema) = std::mem::replace(&mut self.out, Out::Ended) {
            self.out = match self.form {
                Form::Parquet => Out::Parquet(Box::new(ParquetFile::start(schema, sink)?)),
                form => Out::Messages(MessageWriter::start(schema, form == Form::ArrowStream, sink)?),
            };
        }
        sink.flush()
    }

    fn write(&mut self, batch: RecordBatch, sink: &mut dyn Write) -> Result<(), Fault> {
        if let Out::Parquet(_) = &self.out {
            let before = self.held.take();
            before.iter().chain([&batch]).try_for_each(|batch| self.put_groups(batch, sink))?;
            return Ok(());
        }
        match self.held.replace(batch) {
            Some(before) => self.put(&before, false, sink),
            None => Ok(()),
        }
    }

    /// Writes a batch as a row group, or as some if it has very many rows.
    fn put_groups(&mut self, batch: &RecordBatch, sink: &mut dyn Write) -> Result<(), Fault> {
        for first in (0..batch.num_rows()).step_by(MAX_ROWS) {
            let group = batch.slice(first, MAX_ROWS.min(batch.num_rows() - first));
            let sum = self.sum(&group)?;
            self.sums.push(sum);
            if let Out::Parquet(file) = &mut self.out {
                file.batch(&group, sink)?.map_err(Fault::Column)?;
            }
        }
        Ok(sink.flush()?)
    }

    /// The checksum of the next batch.
    fn sum(&self, batch: &RecordBatch) -> Result<String, Fault> {
        sum_of(batch, &self.about, self.sums.len() as u64).map_err(|kind| Fault::Column(OddColumn(kind)))
    }

    fn put(&mut self, batch: &RecordBatch, is_last: bool, sink: &mut dyn Write) -> Result<(), Fault> {
        let sum = self.sum(batch)?;
        let Out::Messages(messages) = &mut self.out else { return Ok(()) };
        let mut metadata = Metadata::from([(CHECKSUM, sum.as_str())]);
        self.sums.push(sum);
        if is_last {
            metadata.insert(COUNT, self.sums.len().to_string());
        }
        let body = Body::of(batch).map_err(Fault::Column)?;
        messages.batch(&body, &metadata, sink)?;
        Ok(sink.flush()?)
    }

    fn end(&mut self, sink: &mut dyn Write) -> Result<(), Fault> {
        if let Out::Parquet(_) = &self.out {
            if let Some(batch) = self.held.take() {
                self.put_groups(&batch, sink)?;
            }
            if let Out::Parquet(file) = std::mem::replace(&mut self.out, Out::Ended) {
                file.end((COUNT, &self.sums.join(" ")), sink)?;
            }
            return Ok(sink.flush()?);
        }
        let last = match (self.held.take(), &self.out) {
            (Some(batch), _) => batch,
            (None, Out::Messages(messages)) => empty(messages.schema()),
            (None, _) => return Ok(()),
        };
        self.put(&last, true, sink)?;
        if let Out::Messages(messages) = std::mem::replace(&mut self.out, Out::Ended) {
            messages.end(sink)?;
        }
        Ok(sink.flush()?)
    }
}

/// A batch without rows.
fn empty(schema: &Schema) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
    let schema = std::sync::Arc::new(schema.clone());
    RecordBatch::try_new(std::sync::Arc::clone(&schema), columns)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema))
}

/// What the thread tells: that a batch was written, or the end with the checksums.
enum Status {
    Written,
    Ended(thread::Result<Result<Vec<String>, Fault>>),
}

/// The thread that writes into a file, seen from outside.
struct Worker {
    /// None once the last batch was sent.
    batches: Option<Sender<RecordBatch>>,
    status: Mutex<Receiver<Status>>,
    waiting: usize,
    file: SharedFile,
}

impl Worker {
    fn start(mut encoder: Encoder, file: SharedFile) -> PyResult<Self> {
        let (batches, work) = channel::<RecordBatch>();
        let (statuses, status) = channel();
        let mut sink = FileSink(file.clone());
        let run = move || {
            let mut all = || {
                encoder.start(&mut sink)?;
                for batch in &work {
                    encoder.write(batch, &mut sink)?;
                    statuses.send(Status::Written).ok(); // nobody waits any more after an interrupt
                }
                encoder.end(&mut sink)?;
                Ok(std::mem::take(&mut encoder.sums))
            };
            let end = catch_unwind(AssertUnwindSafe(&mut all));
            statuses.send(Status::Ended(end)).ok();
        };
        thread::Builder::new().name("genotok-write".to_owned()).spawn(run)?;
        Ok(Self { batches: Some(batches), status: Mutex::new(status), waiting: 0, file })
    }

    fn send(&mut self, batch: RecordBatch) -> PyResult<()> {
        self.waiting += 1;
        let sent = self.batches.as_ref().map(|batches| batches.send(batch));
        sent.and_then(Result::ok).ok_or_else(ended)
    }

    /// Waits until at most so many batches are with the thread, looking for signals.
    fn wait(&mut self, py: Python<'_>, most: usize) -> PyResult<()> {
        while self.waiting > most {
            if let Some(status) = self.next_status(py)? {
                self.take(status)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.batches = None;
        loop {
            if let Some(status) = self.next_status(py)?
                && let Some(sums) = self.take(status)?
            {
                return Ok(sums);
            }
        }
    }

    /// What the thread tells within a moment.
    fn next_status(&self, py: Python<'_>) -> PyResult<Option<Status>> {
        let status =
            py.detach(|| self.status.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK));
        match status {
            Ok(status) => Ok(Some(status)),
            Err(RecvTimeoutError::Timeout) => py.check_signals().map(|()| None),
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }

    /// The checksums, if this is the end; an error of the thread.
    fn take(&mut self, status: Status) -> PyResult<Option<Vec<String>>> {
        match status {
            Status::Written => {
                self.waiting -= 1;
                Ok(None)
            }
            Status::Ended(end) => match end.map_err(|panic| internal(panic.as_ref()))? {
                Ok(sums) => Ok(Some(sums)),
                Err(fault) => Err(fault.of_file(&self.file)),
            },
        }
    }
}

/// The file, as the thread writes to it.
struct FileSink(SharedFile);

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object of Python, whose `write` takes pieces of bytes.
struct ObjectSink<'a, 'py> {
    object: &'a Bound<'py, PyAny>,
    piece: Vec<u8>,
}

impl<'a, 'py> ObjectSink<'a, 'py> {
    fn new(object: &'a Bound<'py, PyAny>) -> Self {
        Self { object, piece: Vec::new() }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let written = self.object.call_method1("write", (PyBytes::new(self.object.py(), bytes),));
        written.map(drop).map_err(io::Error::from)
    }
}

impl Write for ObjectSink<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= PIECE {
            self.flush()?;
            self.put(bytes)?;
        } else {
            self.piece.extend_from_slice(bytes);
            if self.piece.len() >= PIECE {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() { Ok(()) } else { self.put(&piece) }
    }
}
