//! Sequences from Python: iterables of Python's own objects, or Arrow.

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, ArrayRef, GenericByteArray, make_array};
use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use genotok_core::Error;
use genotok_core::batch::Sequences;
use genotok_core::io::memory;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyList, PyString};

use crate::arguments::{Nulls, is_null, refused_null};
use crate::capsule::import;
use crate::errors::{ArgumentError, ResourceError};
use crate::row_map::{NULL, RowMap};

/// Objects taken between two looks for an interrupt.
pub(crate) const PATIENCE: usize = 1 << 14;
/// Bytes copied between two.
const PATIENCE_BYTES: usize = 1 << 24;

/// Sequences back to back, and the rows that have them.
pub(crate) struct Texts {
    bytes: Bytes,
    offsets: Vec<usize>,
    /// None where each row has the sequence of its number.
    rows: Option<RowMap>,
    nulls: Nulls,
    dictionary: Option<Dictionary>,
}

/// The dictionary that rows were last added from.
struct Dictionary {
    values: ArrayData,
    /// The number of each value among the sequences; [`NULL`] of one that no row has had.
    numbers: Vec<usize>,
}

enum Bytes {
    Own(Vec<u8>),
    /// The only sequence, as Python has it.
    Python(Box<dyn AsRef<[u8]> + Send + Sync>),
    /// The values of an Arrow array, as they are.
    Arrow(Buffer),
}

impl Texts {
    pub(crate) fn sequences(&self) -> Sequences<'_> {
        let bytes = match &self.bytes {
            Bytes::Own(bytes) => bytes,
            Bytes::Python(text) => (**text).as_ref(),
            Bytes::Arrow(buffer) => buffer.as_slice(),
        };
        Sequences { bytes, offsets: &self.offsets }
    }

    /// What there is to work on, as a measure of time: the bytes of all sequences, and their rows if they share them.
    pub(crate) fn work(&self) -> usize {
        let ends = self.offsets.first().zip(self.offsets.last());
        let bytes = ends.map_or(0, |(first, last)| last - first);
        bytes + self.rows.as_ref().map_or(0, |rows| rows.sequences().len())
    }

    /// Which sequence each row has; none where each has that of its number.
    pub(crate) fn rows(&self) -> Option<&RowMap> {
        self.rows.as_ref()
    }

    /// The same error, with the row in place of the sequence.
    pub(crate) fn at_row(&self, error: Error) -> Error {
        let Some(rows) = &self.rows else { return error };
        match error {
            Error::Symbol { file, line, record, position, byte, reason } => {
                let number = record.strip_prefix("sequence ").and_then(|number| number.parse().ok());
                let row = rows.first_row(number.unwrap_or(0));
                let record = row.map_or(record, |row| format!("sequence {row}"));
                Error::Symbol { file, line, record, position, byte, reason }
            }
            other => other,
        }
    }

    /// Sequences of an iterable of `str` or `bytes`, or of Arrow strings.
    pub(crate) fn of(sequences: &Bound<'_, PyAny>, nulls: Nulls) -> PyResult<Self> {
        if sequences.is_instance_of::<PyString>() || sequences.is_instance_of::<PyBytes>() {
            let rule = "an iterable of sequences is expected, not one sequence; put it into a list";
            return Err(ArgumentError::new_err(format!("sequences: {rule}")));
        }
        let bytes = Bytes::Own(Vec::new());
        let texts = Self { bytes, offsets: vec![0], rows: None, nulls, dictionary: None };
        match import(sequences, "sequences")? {
            Some(chunks) => texts.with_arrow(chunks),
            None => texts.with_iterable(sequences),
        }
    }

    fn num_rows(&self) -> usize {
        self.rows.as_ref().map_or(self.offsets.len() - 1, |rows| rows.sequences().len())
    }

    /// Adds a row with a sequence of its own.
    fn push(&mut self, sequence: &[u8]) {
        let number = self.add_sequence(sequence);
        if let Some(rows) = &mut self.rows {
            rows.push(number);
        }
    }

    /// Adds a row that is null.
    fn push_null(&mut self) -> PyResult<()> {
        match self.nulls {
            Nulls::Error => return Err(refused_null("sequences", self.num_rows())),
            Nulls::Empty => self.push(b""),
            Nulls::Null => self.mapped_rows().push(NULL),
        }
        Ok(())
    }

    fn add_sequence(&mut self, sequence: &[u8]) -> usize {
        if let Bytes::Own(bytes) = &mut self.bytes {
            bytes.extend_from_slice(sequence);
            self.offsets.push(bytes.len());
        }
        self.offsets.len() - 2
    }

    fn mapped_rows(&mut self) -> &mut RowMap {
        self.rows.get_or_insert_with(|| RowMap::of_each(self.offsets.len() - 1))
    }

    fn with_iterable(mut self, sequences: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut all = sequences.try_iter()?;
        let (first, second) = (all.next().transpose()?, all.next());
        if let (Some(only), None) = (&first, &second)
            && !is_null(only)?
        {
            self.offsets.push(bytes_of_text(only, 0)?.len());
            self.bytes = Bytes::Python(kept(only)?);
            return Ok(self);
        }
        let num_bytes = num_bytes(sequences)?;
        if let Bytes::Own(bytes) = &mut self.bytes {
            memory::try_reserve(bytes, num_bytes).map_err(|_| {
                ResourceError::new_err(format!("sequences: their {num_bytes} bytes do not fit into memory"))
            })?;
        }
        let mut looked = 0;
        for (row, sequence) in first.map(Ok).into_iter().chain(second).chain(all).enumerate() {
            let sequence = sequence?;
            match bytes_of_text(&sequence, row) {
                Ok(text) => self.push(text),
                Err(_) if is_null(&sequence)? => self.push_null()?,
                Err(error) => return Err(error),
            }
            let end = self.offsets.last().copied().unwrap_or_default();
            if row.is_multiple_of(PATIENCE) || end - looked > PATIENCE_BYTES {
                looked = end;
                sequences.py().check_signals()?;
            }
        }
        Ok(self)
    }

    fn with_arrow(mut self, mut chunks: Vec<ArrayData>) -> PyResult<Self> {
        let is_only = chunks.len() == 1;
        for chunk in chunks.drain(..) {
            self.add_array(&make_array(chunk), is_only)?;
        }
        Ok(self)
    }

    fn add_array(&mut self, array: &ArrayRef, is_only: bool) -> PyResult<()> {
        match array.data_type() {
            DataType::Utf8 if is_only && array.null_count() == 0 => self.share(array.as_string::<i32>()),
            DataType::LargeUtf8 if is_only && array.null_count() == 0 => self.share(array.as_string::<i64>()),
            DataType::Null => (0..array.len()).try_for_each(|_| self.push_null())?,
            DataType::Dictionary(..) => self.add_dictionary(array)?,
            _ => {
                let value = values_of(array)?;
                for at in 0..array.len() {
                    if array.is_null(at) {
                        self.push_null()?;
                    } else {
                        let sequence = text(value(at), self.num_rows())?;
                        self.push(sequence);
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the rows of a dictionary; of its values, each that a row has, once.
    fn add_dictionary(&mut self, array: &ArrayRef) -> PyResult<()> {
        let rows = array.as_any_dictionary();
        let (keys, values) = (rows.keys(), rows.values());
        let value = values_of(values)?;
        let mut dictionary = match self.dictionary.take() {
            Some(last) if last.values.ptr_eq(&values.to_data()) => last,
            _ => Dictionary { values: values.to_data(), numbers: vec![NULL; values.len()] },
        };
        let places = if values.is_empty() { vec![NULL; keys.len()] } else { rows.normalized_keys() };
        for (at, place) in places.into_iter().enumerate() {
            if keys.is_null(at) || values.is_null(place) {
                self.push_null()?;
                continue;
            }
            if dictionary.numbers[place] == NULL {
                let sequence = text(value(place), self.num_rows())?;
                self.mapped_rows();
                dictionary.numbers[place] = self.add_sequence(sequence);
            }
            self.mapped_rows().push(dictionary.numbers[place]);
        }
        self.dictionary = Some(dictionary);
        Ok(())
    }

    /// Takes an array over without a copy.
    fn share<T: ByteArrayType>(&mut self, array: &GenericByteArray<T>) {
        self.bytes = Bytes::Arrow(array.values().clone());
        self.offsets = array.value_offsets().iter().map(|offset| offset.as_usize()).collect();
    }
}

/// How to get at the values of an array of strings.
type Value<'a> = Box<dyn Fn(usize) -> &'a [u8] + 'a>;

/// The bytes of each value of an Arrow array of strings, by number.
fn values_of(array: &ArrayRef) -> PyResult<Value<'_>> {
    Ok(match array.data_type() {
        DataType::Utf8 => bytes_of(array.as_string::<i32>()),
        DataType::LargeUtf8 => bytes_of(array.as_string::<i64>()),
        DataType::Binary => bytes_of(array.as_binary::<i32>()),
        DataType::LargeBinary => bytes_of(array.as_binary::<i64>()),
        DataType::Utf8View => {
            let strings = array.as_string_view();
            Box::new(|at| strings.value(at).as_bytes())
        }
        DataType::BinaryView => {
            let strings = array.as_binary_view();
            Box::new(|at| strings.value(at))
        }
        DataType::Struct(_) => {
            let rule = "a table is not a column of sequences; give one of its columns";
            return Err(ArgumentError::new_err(format!("sequences: {rule}")));
        }
        other => {
            let rule = format!("Arrow strings are expected, found {other}");
            return Err(ArgumentError::new_err(format!("sequences: {rule}")));
        }
    })
}

fn bytes_of<T: ByteArrayType>(array: &GenericByteArray<T>) -> Value<'_> {
    Box::new(|at| array.value(at).as_ref())
}

/// The bytes of row `number`, if they are text.
fn text(bytes: &[u8], number: usize) -> PyResult<&[u8]> {
    std::str::from_utf8(bytes).map(str::as_bytes).map_err(|error| not_utf8(number, error))
}

/// How many bytes the texts have, as far as a list knows it without reading them.
fn num_bytes(sequences: &Bound<'_, PyAny>) -> PyResult<usize> {
    let Ok(list) = sequences.cast::<PyList>() else { return Ok(0) };
    let mut num_bytes = 0_usize;
    for (number, sequence) in list.iter().enumerate() {
        // Not by `len`, which a user-defined class may define as it likes.
        num_bytes = num_bytes.saturating_add(match sequence.cast::<PyString>() {
            Ok(text) => text.to_str().map_or(0, str::len),
            Err(_) => sequence.cast::<PyBytes>().map_or(0, |bytes| bytes.as_bytes().len()),
        });
        if number.is_multiple_of(PATIENCE) {
            sequences.py().check_signals()?;
        }
    }
    Ok(num_bytes)
}

/// The bytes of sequence `number`.
fn bytes_of_text<'a>(sequence: &'a Bound<'_, PyAny>, number: usize) -> PyResult<&'a [u8]> {
    if let Ok(text) = sequence.cast::<PyString>() {
        let text = text.to_str().map_err(|_| not_text(number, "it has half of a surrogate pair"))?;
        Ok(text.as_bytes())
    } else if let Ok(bytes) = sequence.cast::<PyBytes>() {
        let text = std::str::from_utf8(bytes.as_bytes()).map_err(|error| not_utf8(number, error))?;
        Ok(text.as_bytes())
    } else {
        let found = sequence.get_type().name()?;
        Err(PyTypeError::new_err(format!("sequences[{number}]: str or bytes is expected, found {found}")))
    }
}

/// A sequence for threads that do without Python.
pub(crate) fn kept(sequence: &Bound<'_, PyAny>) -> PyResult<Box<dyn AsRef<[u8]> + Send + Sync>> {
    match sequence.extract::<PyBackedStr>() {
        Ok(text) => Ok(Box::new(text)),
        Err(_) => Ok(Box::new(sequence.extract::<PyBackedBytes>()?)),
    }
}

fn not_text(number: usize, reason: &str) -> PyErr {
    ArgumentError::new_err(format!("sequences[{number}]: is not text: {reason}"))
}

fn not_utf8(number: usize, error: std::str::Utf8Error) -> PyErr {
    not_text(number, &format!("the byte at {} is not UTF-8", error.valid_up_to()))
}

/// One sequence, as Python has it.
pub(crate) fn text_of<'a>(sequence: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    if let Ok(text) = sequence.cast::<PyString>() {
        return text.to_str(); // half of a surrogate pair is a UnicodeError, as in Hugging Face
    }
    let Ok(bytes) = sequence.cast::<PyBytes>() else {
        let found = sequence.get_type().name()?;
        return Err(PyTypeError::new_err(format!("sequence: str or bytes is expected, found {found}")));
    };
    std::str::from_utf8(bytes.as_bytes()).map_err(|error| {
        let at = error.valid_up_to();
        ArgumentError::new_err(format!("sequence: is not text: the byte at {at} is not UTF-8"))
    })
}
