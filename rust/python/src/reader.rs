//! The classes `TokenReader` and `RecordBatch`: the tokens of files, batch by batch.
//!
//! A reader is an iterator of record batches for Python and a stream for Arrow; both take from the same work, which runs
//! ahead in threads of its own. Whoever waits for a batch waits without the interpreter's lock and looks for signals
//! twenty times a second.
//!
//! A consumer of the Arrow stream, such as pyarrow, sees only that the stream fails. So that Ctrl-C is not taken for a
//! damaged stream, the interrupt is raised once more, and Python comes upon it as soon as it is back in charge.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch as ArrowBatch, RecordBatchReader, StringArray, StructArray,
};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use genotok_core::Error;
use genotok_core::monitor::Monitor;
use genotok_core::rows::{KINDS, RowReport};
use genotok_core::stream::{StreamStep, TokenBatch, TokenStream};
use genotok_core::tokenizer::Tokenizer;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple, PyType};

use crate::bed::{self, BedArrays};
use crate::capsule::{array_capsules, exported, internal, schema_capsule, stream_capsule};
use crate::errors::{GenotokWarning, exception, internal as panicked};
use crate::offsets::strings;
use crate::slow::{LARGE, warn_if_slow};
use crate::tokens::{TokenArray, item};
use crate::view::numpy;
use crate::watch::{Reporter, TICK};

/// The tokens of sequence files: an iterator of record batches, and an Arrow stream. `Tokenizer.encode_files` makes it.
///
/// Each batch has the columns `record` (utf8), `start`, `end` (int64, counted from 0, the end excluded) and `input_ids`
/// (list of uint16, of uint32 above 65,536 tokens); with BED files also those of `bed.rs`. Reading and encoding begin with the first batch asked for and run
/// ahead by a batch or two. After the last batch the reader is at its end; after an error, an interrupt or `close` it
/// can no longer be used.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct TokenReader {
    source: Arc<Source>,
}

/// What an iterator and Arrow streams take batches from.
struct Source {
    stream: Mutex<TokenStream>,
    /// Found so far; apart from the stream, which is locked while someone waits.
    found: Mutex<Found>,
    monitor: Arc<Monitor>,
    schema: SchemaRef,
    progress: Option<Mutex<Reporter>>,
    splits: bool,
    has_digests: bool,
    has_checksums: bool,
    core: Arc<Tokenizer>,
}

#[derive(Default)]
struct Found {
    report: RowReport,
    tokens: u64,
    has_warned: bool,
    has_warned_of_slowness: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a reader knows beside its stream.
#[allow(clippy::struct_excessive_bools)] // they are independent
pub(crate) struct ReaderOptions {
    pub(crate) is_narrow: bool,
    pub(crate) splits: bool,
    pub(crate) has_digests: bool,
    pub(crate) has_checksums: bool,
    /// There are BED files, and whether their blocks are joined.
    pub(crate) bed: Option<bool>,
    pub(crate) progress: Option<Py<PyAny>>,
    pub(crate) core: Arc<Tokenizer>,
}

impl TokenReader {
    pub(crate) fn new(stream: TokenStream, options: ReaderOptions) -> Self {
        let mut columns = vec![
            Field::new("record", DataType::Utf8, true),
            Field::new("start", DataType::Int64, true),
            Field::new("end", DataType::Int64, true),
            Field::new("input_ids", DataType::List(item(options.is_narrow)), true),
        ];
        columns.extend(options.bed.into_iter().flat_map(bed::fields));
        let source = Source {
            monitor: Arc::clone(stream.monitor()),
            stream: Mutex::new(stream),
            found: Mutex::new(Found::default()),
            schema: Arc::new(Schema::new(columns)),
            progress: options.progress.map(|callback| Mutex::new(Reporter::new(callback))),
            splits: options.splits,
            has_digests: options.has_digests,
            has_checksums: options.has_checksums,
            core: options.core,
        };
        Self { source: Arc::new(source) }
    }
}

impl Source {
    /// The next batch, if it comes within `patience`.
    fn step(&self, patience: Duration) -> PyResult<StreamStep> {
        let mut stream = lock(&self.stream);
        let step = catch_unwind(AssertUnwindSafe(|| stream.next(patience)));
        let mut found = lock(&self.found);
        found.report.clone_from(stream.report());
        found.tokens = stream.tokens();
        step.map_err(|panic| panicked(panic.as_ref()))?.map_err(exception)
    }

    /// Waits for the next batch. An exception of a signal handler or of the callback ends the reader.
    fn wait(&self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        loop {
            match py.detach(|| self.step(TICK))? {
                StreamStep::Batch(batch) => {
                    self.look(py)?;
                    self.warn_of_slowness(py)?;
                    return RecordBatch::new(*batch, &self.schema).map(Some);
                }
                StreamStep::Waiting => self.look(py)?,
                StreamStep::End => return self.warn(py).map(|()| None),
            }
        }
    }

    fn look(&self, py: Python<'_>) -> PyResult<()> {
        let looked = py.check_signals().and_then(|()| match &self.progress {
            Some(reporter) => lock(reporter).report(py, &self.monitor),
            None => Ok(()),
        });
        looked.inspect_err(|_| self.close(py))
    }

    fn close(&self, py: Python<'_>) {
        self.monitor.cancel(); // whoever waits for a batch now gets an answer, and lets go of the stream
        py.detach(|| lock(&self.stream).close());
    }

    /// Once, when much was read: says that there is no automaton.
    fn warn_of_slowness(&self, py: Python<'_>) -> PyResult<()> {
        let (has_warned, symbols) = {
            let found = lock(&self.found);
            (found.has_warned_of_slowness, found.report.symbols)
        };
        if !has_warned && symbols >= LARGE {
            lock(&self.found).has_warned_of_slowness = true;
            warn_if_slow(py, &self.core, symbols)?;
        }
        Ok(())
    }

    /// At the end, once: says that lower case was not read.
    fn warn(&self, py: Python<'_>) -> PyResult<()> {
        let message = {
            let mut found = lock(&self.found);
            if std::mem::replace(&mut found.has_warned, true) || found.report.lower_case == 0 {
                return Ok(());
            }
            let (lower, all) = (found.report.lower_case, found.report.symbols);
            #[allow(clippy::cast_precision_loss)] // for people
            let share = 100.0 * lower as f64 / all.max(1) as f64;
            let became = if self.splits { "were left out" } else { "became the unknown token" };
            format!(
                "{share:.1} % of the symbols ({lower} of {all}) are lower case and {became}, as this vocabulary has upper \
                 case only; lower case marks repeats: give uppercase=True to read it"
            )
        };
        let message = std::ffi::CString::new(message)?;
        PyErr::warn(py, &PyType::new::<GenotokWarning>(py), &message, 1)
    }
}

#[pymethods]
impl TokenReader {
    fn __iter__(own: PyRef<'_, Self>) -> PyRef<'_, Self> {
        own
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        self.source.wait(py)
    }

    fn __enter__(own: PyRef<'_, Self>) -> PyRef<'_, Self> {
        own
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.source.close(py);
    }

    /// Stop the work and let go of files and memory; batches that were given stay.
    fn close(&self, py: Python<'_>) {
        self.source.close(py);
    }

    /// What was found in the rows given so far, and at the end in all files.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (report, tokens) = {
            let found = lock(&self.source.found);
            (found.report.clone(), found.tokens)
        };
        let dictionary = PyDict::new(py);
        for (name, number) in [
            ("files", report.files),
            ("records", report.records),
            ("rows", report.rows),
            ("bases", report.symbols),
            ("tokens", tokens),
        ] {
            dictionary.set_item(name, number)?;
        }
        let unknown = PyDict::new(py);
        for (kind, count) in KINDS.iter().zip(report.unknown).filter(|&(_, count)| count > 0) {
            unknown.set_item(kind.name(), count)?;
        }
        dictionary.set_item("unknown", unknown)?;
        dictionary.set_item("lower_case", report.lower_case)?;
        dictionary.set_item("duplicate_names", report.duplicate_names)?;
        if self.source.has_digests {
            dictionary.set_item("digests", digests(py, &report)?)?;
        }
        if self.source.has_checksums {
            dictionary.set_item("checksums", report.checksums)?;
        }
        Ok(dictionary)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // a wish, which the interface allows to leave to the consumer
        stream_capsule(py, Box::new(Batches { source: Arc::clone(&self.source) }))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, exported(&self.source.schema)?)
    }
}

fn digests<'py>(py: Python<'py>, report: &RowReport) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for record in &report.digests {
        let entry = PyDict::new(py);
        entry.set_item("file", record.file.as_os_str())?;
        entry.set_item("record", &record.record)?;
        entry.set_item("length", record.length)?;
        entry.set_item("digest", &record.digest)?;
        list.append(entry)?;
    }
    Ok(list)
}

/// The batches of a reader for consumers in other languages, which may call from any thread, with the lock or without.
struct Batches {
    source: Arc<Source>,
}

impl Iterator for Batches {
    type Item = Result<ArrowBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let waited = Python::try_attach(|py| {
            self.source.wait(py).map_err(|raised| {
                let error = ArrowError::ComputeError(raised.to_string());
                if raised.is_instance_of::<PyKeyboardInterrupt>(py) {
                    // From here on no Python may run, or it would come upon the interrupt here.
                    let again = py.import("_thread").and_then(|module| module.call_method0("interrupt_main"));
                    again.map_or_else(|error| error.write_unraisable(py, None), drop);
                }
                error
            })
        });
        let gone = || Err(ArrowError::ComputeError("the Python interpreter is gone".to_owned()));
        waited.unwrap_or_else(gone).map(|batch| batch.map(|batch| batch.arrow)).transpose()
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.source.schema)
    }
}

/// Rows and their tokens: an Arrow record batch, which `pyarrow.record_batch(batch)` and others take without a copy.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct RecordBatch {
    arrow: ArrowBatch,
    names: StringArray,
    starts: ScalarBuffer<i64>,
    ends: ScalarBuffer<i64>,
    tokens: TokenArray,
    bed: Option<BedArrays>,
}

impl RecordBatch {
    fn new(batch: TokenBatch, schema: &SchemaRef) -> PyResult<Self> {
        let TokenBatch { rows, encoded } = batch;
        let tokens = TokenArray::from(encoded);
        let list = tokens.list_array();
        if list.data_type() != schema.field(3).data_type() {
            return Err(exception(Error::Resource {
                what: "tokens in one batch; a window makes the rows shorter",
                needed: rows.ends.iter().map(|&end| end.unsigned_abs()).max().unwrap_or(0),
                available: i32::MAX.unsigned_abs().into(),
            }));
        }
        let names = strings(rows.names, &rows.name_offsets)?;
        let bed = rows.bed.map(BedArrays::new).transpose()?;
        let (starts, ends) = (ScalarBuffer::from(rows.starts), ScalarBuffer::from(rows.ends));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(names.clone()),
            Arc::new(Int64Array::new(starts.clone(), None)),
            Arc::new(Int64Array::new(ends.clone(), None)),
            list,
        ];
        columns.extend(bed.iter().flat_map(BedArrays::columns));
        let arrow = ArrowBatch::try_new(Arc::clone(schema), columns).map_err(|error| internal(&error))?;
        Ok(Self { arrow, names, starts, ends, tokens, bed })
    }

    /// The rows as Arrow has them.
    pub(crate) fn arrow(&self) -> &ArrowBatch {
        &self.arrow
    }
}

#[pymethods]
impl RecordBatch {
    /// How many rows there are.
    #[getter]
    fn num_rows(&self) -> usize {
        self.arrow.num_rows()
    }

    /// The record's name of each row.
    #[getter]
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.names.iter().map(Option::unwrap_or_default))
    }

    /// Where each row begins in its record, counted from 0: a read-only numpy array of int64.
    #[getter]
    fn starts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        numpy(py, &self.starts, 1)
    }

    /// Where each row ends in its record, excluded: a read-only numpy array of int64.
    #[getter]
    fn ends<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        numpy(py, &self.ends, 1)
    }

    /// The number of each row's line in the BED files, counted from 0 over lines with a region; -1 for a row of none. A
    /// read-only numpy array of int64, or None where no BED file was given.
    #[getter]
    fn bed_rows<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.bed.as_ref().map(|bed| numpy(py, bed.rows.values(), 1)).transpose()
    }

    /// The name of each row in the BED files; None where no BED file was given.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let list = |bed: &BedArrays| PyList::new(py, bed.names.iter().map(Option::unwrap_or_default));
        self.bed.as_ref().map(list).transpose()
    }

    /// The strand that each row was read from, `+` or `-`; None where no BED file was given.
    #[getter]
    fn strands<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let list = |bed: &BedArrays| PyList::new(py, bed.strands.iter().map(Option::unwrap_or_default));
        self.bed.as_ref().map(list).transpose()
    }

    /// The tokens of each row.
    #[getter]
    fn input_ids(&self) -> TokenArray {
        self.tokens.clone()
    }

    fn __len__(&self) -> usize {
        self.arrow.num_rows()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema; // a wish, which the interface allows to leave to the consumer
        let data = StructArray::from(self.arrow.clone()).into_data();
        array_capsules(py, &data, exported(&self.arrow.schema())?)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, exported(&self.arrow.schema())?)
    }

    fn __repr__(&self) -> String {
        format!("<genotok.RecordBatch: {} rows>", self.arrow.num_rows())
    }
}
