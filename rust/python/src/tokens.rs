//! The class `TokenArray`: the tokens of many sequences.

use std::sync::Arc;

use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::types::{UInt16Type, UInt32Type};
use arrow_array::{Array, ArrayRef, LargeListArray, ListArray, PrimitiveArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use genotok_core::batch::{Encoded, Ids};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use crate::capsule::{array_capsules, internal, schema_capsule};
use crate::view::numpy;

/// The token ids of many sequences: a list of `uint16` for each (`uint32` above 65,536 tokens).
///
/// It is an Arrow array: `pyarrow.array(tokens)`, `polars.Series(tokens)` and whatever else speaks Arrow take it without
/// a copy. `values` and `offsets` are the same as numpy arrays, also without a copy.
#[pyclass(frozen, module = "genotok._native")]
#[derive(Clone)]
pub(crate) struct TokenArray {
    pub(crate) values: Values,
    pub(crate) offsets: ScalarBuffer<i64>,
    spans: Option<ScalarBuffer<i64>>,
    unknown: u64,
    lower_case: u64,
}

/// Ids in memory that Arrow, numpy and this module share.
#[derive(Clone)]
pub(crate) enum Values {
    Narrow(ScalarBuffer<u16>),
    Wide(ScalarBuffer<u32>),
}

impl From<Encoded> for TokenArray {
    fn from(encoded: Encoded) -> Self {
        Self {
            values: match encoded.ids {
                Ids::Narrow(ids) => Values::Narrow(ids.into()),
                Ids::Wide(ids) => Values::Wide(ids.into()),
            },
            offsets: encoded.offsets.into(),
            spans: encoded.spans.map(|spans| spans.into_flattened().into()),
            unknown: encoded.unknown,
            lower_case: encoded.lower_case,
        }
    }
}

/// The type of the items of a list.
pub(crate) fn item(is_narrow: bool) -> FieldRef {
    let number = if is_narrow { DataType::UInt16 } else { DataType::UInt32 };
    Arc::new(Field::new_list_field(number, true))
}

fn exported_type(array: &ArrayRef) -> PyResult<FFI_ArrowSchema> {
    FFI_ArrowSchema::try_from(array.data_type()).map_err(|error| internal(&error))
}

impl TokenArray {
    /// All ids, and where each list begins in them, as an Arrow array: with offsets of 32 bits if they suffice.
    pub(crate) fn list_array(&self) -> ArrayRef {
        let (is_narrow, values): (bool, ArrayRef) = match &self.values {
            Values::Narrow(ids) => (true, Arc::new(PrimitiveArray::<UInt16Type>::new(ids.clone(), None))),
            Values::Wide(ids) => (false, Arc::new(PrimitiveArray::<UInt32Type>::new(ids.clone(), None))),
        };
        let narrow: Option<Vec<i32>> =
            self.offsets.iter().map(|&offset| i32::try_from(offset).ok()).collect();
        if let Some(offsets) = narrow {
            Arc::new(ListArray::new(item(is_narrow), OffsetBuffer::new(offsets.into()), values, None))
        } else {
            let offsets = OffsetBuffer::new(self.offsets.clone());
            Arc::new(LargeListArray::new(item(is_narrow), offsets, values, None))
        }
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The list of a sequence that is there.
    fn list<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyList>> {
        let at = |offset: i64| usize::try_from(offset).unwrap_or_default();
        let range = at(self.offsets[index])..at(self.offsets[index + 1]);
        match &self.values {
            Values::Narrow(ids) => PyList::new(py, &ids[range]),
            Values::Wide(ids) => PyList::new(py, &ids[range]),
        }
    }
}

#[pymethods]
impl TokenArray {
    /// All ids, end to end: a read-only numpy array of uint16 or uint32.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.values {
            Values::Narrow(ids) => numpy(py, ids, 1),
            Values::Wide(ids) => numpy(py, ids, 1),
        }
    }

    /// Where the ids of each sequence begin in `values`, and the last end: a read-only numpy array of int64.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        numpy(py, &self.offsets, 1)
    }

    /// Where each token begins and ends in its sequence, in letters: a read-only numpy array of int64, one row for each
    /// of `values`, [0, 0] for special tokens that were added; None if not asked for.
    #[getter]
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.spans.as_ref().map(|spans| numpy(py, spans, 2)).transpose()
    }

    /// Letters that were outside the vocabulary, in all sequences.
    #[getter]
    fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Of these, lower-case letters that the vocabulary has in upper case.
    #[getter]
    fn lower_case(&self) -> u64 {
        self.lower_case
    }

    /// The ids of each sequence, as lists.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let lists = PyList::empty(py);
        for index in 0..self.len() {
            lists.append(self.list(py, index)?)?;
        }
        Ok(lists)
    }

    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyList>> {
        let from_start = if index < 0 { index.checked_add_unsigned(self.len()) } else { Some(index) };
        let index =
            from_start.and_then(|index| usize::try_from(index).ok()).filter(|&index| index < self.len());
        let index =
            index.ok_or_else(|| PyIndexError::new_err(format!("there are {} sequences", self.len())))?;
        self.list(py, index)
    }

    fn __iter__(own: PyRef<'_, Self>) -> TokenArrayIterator {
        TokenArrayIterator { of: own.into(), next: 0 }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema; // a wish, which the interface allows to leave to the consumer
        let array = self.list_array();
        array_capsules(py, &array.to_data(), exported_type(&array)?)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, exported_type(&self.list_array())?)
    }

    fn __repr__(&self) -> String {
        let num_tokens = match &self.values {
            Values::Narrow(ids) => ids.len(),
            Values::Wide(ids) => ids.len(),
        };
        format!("<genotok.TokenArray: {} sequences, {num_tokens} tokens>", self.len())
    }
}

/// Goes through the lists of a `TokenArray`.
#[pyclass(module = "genotok._native")]
pub(crate) struct TokenArrayIterator {
    of: Py<TokenArray>,
    next: usize,
}

#[pymethods]
impl TokenArrayIterator {
    fn __iter__(own: PyRef<'_, Self>) -> PyRef<'_, Self> {
        own
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let tokens = self.of.get();
        if self.next == tokens.len() {
            return Ok(None);
        }
        self.next += 1;
        tokens.list(py, self.next - 1).map(Some)
    }
}
