//! Sequences and lists of ids from Python: iterables of Python's own objects, or Arrow.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ByteArrayType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, GenericByteArray, OffsetSizeTrait, make_array};
use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use genotok_core::Error;
use genotok_core::batch::Sequences;
use genotok_core::memory;
use genotok_core::tokenizer::Id;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyList, PyString};

use crate::arguments::Number;
use crate::capsule::import;
use crate::errors::{ArgumentError, ResourceError, exception};
use crate::tokens::{TokenArray, Values};

/// Objects taken between two looks for an interrupt.
const PATIENCE: usize = 1 << 14;
/// Bytes copied between two.
const PATIENCE_BYTES: usize = 1 << 24;

/// Sequences end to end.
pub(crate) struct Texts {
    bytes: Bytes,
    offsets: Vec<usize>,
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

    /// Bytes in all sequences.
    pub(crate) fn num_bytes(&self) -> usize {
        let ends = self.offsets.first().zip(self.offsets.last());
        ends.map_or(0, |(first, last)| last - first)
    }

    /// Sequences of an iterable of `str` or `bytes`, or of Arrow strings.
    pub(crate) fn of(sequences: &Bound<'_, PyAny>) -> PyResult<Self> {
        if sequences.is_instance_of::<PyString>() || sequences.is_instance_of::<PyBytes>() {
            let rule = "an iterable of sequences is expected, not one sequence; put it into a list";
            return Err(ArgumentError::new_err(format!("sequences: {rule}")));
        }
        match import(sequences, "sequences")? {
            Some(chunks) => Self::of_arrow(chunks),
            None => Self::of_iterable(sequences),
        }
    }

    fn of_iterable(sequences: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut all = sequences.try_iter()?;
        let (first, second) = (all.next().transpose()?, all.next());
        if let (Some(only), None) = (&first, &second) {
            let offsets = vec![0, letters_of(only, 0)?.len()];
            return Ok(Self { bytes: Bytes::Python(kept(only)?), offsets });
        }
        let (mut bytes, mut offsets, mut looked) = (Vec::new(), vec![0], 0);
        let letters = letters_in(sequences)?;
        memory::try_reserve(&mut bytes, letters).map_err(|_| {
            ResourceError::new_err(format!("sequences: their {letters} letters do not fit into memory"))
        })?;
        for sequence in first.map(Ok).into_iter().chain(second).chain(all) {
            bytes.extend_from_slice(letters_of(&sequence?, offsets.len() - 1)?);
            offsets.push(bytes.len());
            if offsets.len().is_multiple_of(PATIENCE) || bytes.len() - looked > PATIENCE_BYTES {
                looked = bytes.len();
                sequences.py().check_signals()?;
            }
        }
        Ok(Self { bytes: Bytes::Own(bytes), offsets })
    }

    fn of_arrow(mut chunks: Vec<ArrayData>) -> PyResult<Self> {
        let mut texts = Self { bytes: Bytes::Own(Vec::new()), offsets: vec![0] };
        let is_only = chunks.len() == 1;
        for chunk in chunks.drain(..) {
            texts.add_array(&make_array(chunk), is_only)?;
        }
        Ok(texts)
    }

    fn add_array(&mut self, array: &ArrayRef, is_only: bool) -> PyResult<()> {
        let first = self.offsets.len() - 1;
        if let Some(at) = first_null(array) {
            return Err(ArgumentError::new_err(format!("sequences[{}]: is null", first + at)));
        }
        match array.data_type() {
            DataType::Utf8 if is_only => self.share(array.as_string::<i32>()),
            DataType::LargeUtf8 if is_only => self.share(array.as_string::<i64>()),
            DataType::Utf8 => self.add(array.as_string::<i32>().iter().flatten().map(str::as_bytes))?,
            DataType::LargeUtf8 => self.add(array.as_string::<i64>().iter().flatten().map(str::as_bytes))?,
            DataType::Utf8View => self.add(array.as_string_view().iter().flatten().map(str::as_bytes))?,
            DataType::Binary => self.add(array.as_binary::<i32>().iter().flatten())?,
            DataType::LargeBinary => self.add(array.as_binary::<i64>().iter().flatten())?,
            DataType::BinaryView => self.add(array.as_binary_view().iter().flatten())?,
            DataType::Null if array.is_empty() => {}
            DataType::Struct(_) => {
                let rule = "a table is not a column of sequences; give one of its columns";
                return Err(ArgumentError::new_err(format!("sequences: {rule}")));
            }
            other => {
                return Err(ArgumentError::new_err(format!(
                    "sequences: Arrow strings are expected, found {other}"
                )));
            }
        }
        Ok(())
    }

    /// Takes an array over without a copy.
    fn share<T: ByteArrayType>(&mut self, array: &GenericByteArray<T>) {
        self.bytes = Bytes::Arrow(array.values().clone());
        self.offsets = array.value_offsets().iter().map(|offset| offset.as_usize()).collect();
    }

    fn add<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) -> PyResult<()> {
        let Bytes::Own(bytes) = &mut self.bytes else { return Ok(()) };
        for value in values {
            std::str::from_utf8(value).map_err(|error| not_utf8(self.offsets.len() - 1, error))?;
            bytes.extend_from_slice(value);
            self.offsets.push(bytes.len());
        }
        Ok(())
    }
}

/// How many bytes of letters there are, as far as a list tells without a look at them.
fn letters_in(sequences: &Bound<'_, PyAny>) -> PyResult<usize> {
    let Ok(list) = sequences.cast::<PyList>() else { return Ok(0) };
    let mut letters = 0_usize;
    for (number, sequence) in list.iter().enumerate() {
        // Not by `len`, which a class of somebody's own may answer as it likes.
        letters = letters.saturating_add(match sequence.cast::<PyString>() {
            Ok(text) => text.to_str().map_or(0, str::len),
            Err(_) => sequence.cast::<PyBytes>().map_or(0, |bytes| bytes.as_bytes().len()),
        });
        if number.is_multiple_of(PATIENCE) {
            sequences.py().check_signals()?;
        }
    }
    Ok(letters)
}

/// The letters of sequence `number`.
fn letters_of<'a>(sequence: &'a Bound<'_, PyAny>, number: usize) -> PyResult<&'a [u8]> {
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
fn kept(sequence: &Bound<'_, PyAny>) -> PyResult<Box<dyn AsRef<[u8]> + Send + Sync>> {
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

fn first_null(array: &ArrayRef) -> Option<usize> {
    (array.null_count() > 0).then(|| (0..array.len()).find(|&at| array.is_null(at))).flatten()
}

/// Lists of ids end to end, and where each begins, and the last ends.
#[derive(Default)]
pub(crate) struct IdLists {
    pub(crate) ids: Vec<Id>,
    pub(crate) offsets: Vec<i64>,
}

impl IdLists {
    /// The lists of a `TokenArray`, of Arrow lists, or of an iterable of iterables of numbers.
    pub(crate) fn of(lists: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(tokens) = lists.cast::<TokenArray>() {
            let tokens = tokens.get();
            let ids = match &tokens.values {
                Values::Narrow(ids) => ids.iter().map(|&id| Id::from(id)).collect(),
                Values::Wide(ids) => ids.to_vec(),
            };
            return Ok(Self { ids, offsets: tokens.offsets.to_vec() });
        }
        let mut all = Self { ids: Vec::new(), offsets: vec![0] };
        if let Some(chunks) = import(lists, "lists")? {
            chunks.into_iter().try_for_each(|chunk| all.add_array(&make_array(chunk)))?;
            return Ok(all);
        }
        for (number, list) in lists.try_iter()?.enumerate() {
            all.ids.extend(ids_of(&list?)?);
            all.close();
            if number.is_multiple_of(PATIENCE) {
                lists.py().check_signals()?;
            }
        }
        Ok(all)
    }

    fn close(&mut self) {
        self.offsets.push(i64::try_from(self.ids.len()).unwrap_or(i64::MAX));
    }

    fn add_array(&mut self, array: &ArrayRef) -> PyResult<()> {
        if let Some(at) = first_null(array) {
            let number = self.offsets.len() - 1 + at;
            return Err(ArgumentError::new_err(format!("lists[{number}]: is null")));
        }
        match array.data_type() {
            DataType::List(_) => self.add_lists::<i32>(array),
            DataType::LargeList(_) => self.add_lists::<i64>(array),
            DataType::FixedSizeList(..) => {
                let lists = array.as_fixed_size_list();
                (0..lists.len()).try_for_each(|at| self.add_ids(&lists.value(at)))
            }
            DataType::Null if array.is_empty() => Ok(()),
            other => Err(ArgumentError::new_err(format!(
                "lists: Arrow lists of integers are expected, found {other}"
            ))),
        }
    }

    fn add_lists<O: OffsetSizeTrait>(&mut self, array: &ArrayRef) -> PyResult<()> {
        let lists = array.as_list::<O>();
        (0..lists.len()).try_for_each(|at| self.add_ids(&lists.value(at)))
    }

    fn add_ids(&mut self, ids: &ArrayRef) -> PyResult<()> {
        let number = self.offsets.len() - 1;
        if ids.null_count() > 0 {
            return Err(ArgumentError::new_err(format!("lists[{number}]: has a null")));
        }
        match ids.data_type() {
            DataType::UInt8 => self.add_numbers::<UInt8Type>(ids),
            DataType::UInt16 => self.add_numbers::<UInt16Type>(ids),
            DataType::UInt32 => self.add_numbers::<UInt32Type>(ids),
            DataType::UInt64 => self.add_numbers::<UInt64Type>(ids),
            DataType::Int8 => self.add_numbers::<Int8Type>(ids),
            DataType::Int16 => self.add_numbers::<Int16Type>(ids),
            DataType::Int32 => self.add_numbers::<Int32Type>(ids),
            DataType::Int64 => self.add_numbers::<Int64Type>(ids),
            DataType::Null if ids.is_empty() => {
                self.close();
                Ok(())
            }
            other => {
                Err(ArgumentError::new_err(format!("lists[{number}]: integers are expected, found {other}")))
            }
        }
    }

    fn add_numbers<T: ArrowPrimitiveType<Native: Into<i128> + Copy>>(
        &mut self,
        ids: &ArrayRef,
    ) -> PyResult<()> {
        for &id in ids.as_primitive::<T>().values() {
            let id: i128 = id.into();
            self.ids.push(Id::try_from(id).map_err(|_| {
                exception(Error::argument("id", &id, "a number from 0 to 2^32 - 1 is expected"))
            })?);
        }
        self.close();
        Ok(())
    }
}

/// Ids of an iterable of numbers.
pub(crate) fn ids_of(ids: &Bound<'_, PyAny>) -> PyResult<Vec<Id>> {
    // Only if one does not fit is each looked at, to name it.
    ids.extract().or_else(|_| {
        let numbers: Vec<Number> = match ids.extract() {
            Ok(numbers) => numbers,
            Err(_) => ids.try_iter()?.map(|id| id?.extract()).collect::<PyResult<_>>()?,
        };
        numbers.into_iter().map(|id| id.fit("id", 0)).collect()
    })
}
