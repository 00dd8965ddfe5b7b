//! What Python sees of a `TokenArray`.

use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyInt, PyList, PySlice, PyTuple, PyType};

use crate::capsule::{array_capsules, internal, schema_capsule};
use crate::errors::{ArgumentError, exception};
use crate::tokens::{TokenArray, Values};
use crate::view::numpy;

impl TokenArray {
    /// The list of a sequence that is there; None if it is null.
    fn list<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Option<Bound<'py, PyList>>> {
        if self.is_null(index) {
            return Ok(None);
        }
        let range = self.range(index);
        match &self.values {
            Values::Narrow(ids) => PyList::new(py, &ids[range]),
            Values::Wide(ids) => PyList::new(py, &ids[range]),
        }
        .map(Some)
    }

    /// The lists of a slice.
    fn of_slice(&self, py: Python<'_>, slice: &Bound<'_, PySlice>) -> PyResult<Self> {
        let length = isize::try_from(self.len())?;
        let found = slice.indices(length)?;
        let rows: Vec<usize> = match found.step {
            1 => return Ok(self.slice(found.start.cast_unsigned(), found.slicelength)),
            step => (0..found.slicelength)
                .map(|at| (found.start + at.cast_signed() * step).cast_unsigned())
                .collect(),
        };
        py.detach(|| self.take(&rows)).map_err(exception)
    }

    /// The lists of what Python takes for row numbers.
    fn of_rows<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let rows = py
            .import("genotok.tokenizer.selection")?
            .call_method1("rows_of", (key, self.len(), "sequences"))?;
        if let Ok(number) = rows.cast::<PyInt>() {
            return Ok(self.list(py, number.extract()?)?.into_pyobject(py)?.into_any());
        }
        let rows: Vec<i64> = PyBuffer::get(&rows)?.to_vec(py)?;
        let rows: Vec<usize> = rows.into_iter().map(usize::try_from).collect::<Result<_, _>>()?;
        let taken = py.detach(|| self.take(&rows)).map_err(exception)?;
        Ok(Bound::new(py, taken)?.into_any())
    }
}

#[pymethods]
impl TokenArray {
    /// Lists of ids from numpy arrays: what `values`, `offsets`, `spans`, `validity`, `unknown` and `lower_case` of
    /// another gave.
    #[new]
    #[pyo3(signature = (values, offsets, spans=None, validity=None, unknown=None, lower_case=None))]
    fn new(
        values: &Bound<'_, PyAny>,
        offsets: &Bound<'_, PyAny>,
        spans: Option<&Bound<'_, PyAny>>,
        validity: Option<&Bound<'_, PyAny>>,
        unknown: Option<u64>,
        lower_case: Option<u64>,
    ) -> PyResult<Self> {
        let values = match numbers(values, "values") {
            Ok(ids) => Values::Narrow(ids),
            Err(_) => Values::Wide(numbers(values, "values")?),
        };
        let validity: Option<ScalarBuffer<u8>> = match validity {
            Some(given) => Some(numbers(&given.call_method1("view", ("uint8",))?, "validity")?),
            None => None,
        };
        let valid = validity.map(|bytes| bytes.iter().map(|&byte| byte != 0).collect::<BooleanBuffer>());
        let mut tokens = Self {
            values,
            offsets: numbers(offsets, "offsets")?,
            spans: spans.map(|spans| numbers(spans, "spans")).transpose()?,
            nulls: valid.map(NullBuffer::new),
            counts: unknown.zip(lower_case),
        };
        tokens.check()?;
        tokens.nulls = tokens.nulls.filter(|nulls| nulls.null_count() > 0);
        Ok(tokens)
    }

    /// All ids back to back: a read-only numpy array of uint16 or uint32.
    #[getter(values)]
    fn get_values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.values {
            Values::Narrow(ids) => numpy(py, ids, 1),
            Values::Wide(ids) => numpy(py, ids, 1),
        }
    }

    /// Where the ids of each sequence begin in `values`, and the last end: a read-only numpy array of int64. A null has none.
    #[getter(offsets)]
    fn get_offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        numpy(py, &self.offsets, 1)
    }

    /// Where each token starts and ends in its sequence, in characters: a read-only numpy array of int64, one row for each
    /// of `values`, [0, 0] for special tokens that were added; None if not asked for.
    #[getter(spans)]
    fn get_spans<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.spans.as_ref().map(|spans| numpy(py, spans, 2)).transpose()
    }

    /// Which sequences are not null: a numpy array of bool; None if none is null.
    #[getter]
    fn validity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(nulls) = &self.nulls else { return Ok(None) };
        let bytes: ScalarBuffer<u8> = nulls.iter().map(u8::from).collect();
        numpy(py, &bytes, 1)?.call_method1("view", ("bool",)).map(Some)
    }

    /// How many sequences are null.
    #[getter]
    fn null_count(&self) -> usize {
        self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    /// Symbols that were outside the vocabulary, in all sequences; None for a part of what was encoded.
    #[getter]
    fn unknown(&self) -> Option<u64> {
        self.counts.map(|(unknown, _)| unknown)
    }

    /// Of these, lower-case symbols that the vocabulary has in upper case.
    #[getter]
    fn lower_case(&self) -> Option<u64> {
        self.counts.map(|(_, lower_case)| lower_case)
    }

    /// The ids of each sequence, as lists; None for a null.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let lists = PyList::empty(py);
        for index in 0..self.len() {
            lists.append(self.list(py, index)?)?;
        }
        Ok(lists)
    }

    /// `to_list` by the name that numpy and torch have for it.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.to_list(py)
    }

    /// `to_list` by the name that pyarrow has for it.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.to_list(py)
    }

    /// The ids of each sequence, as read-only numpy views of `values`; None for a null.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (values, views) = (self.get_values(py)?, PyList::empty(py));
        for index in 0..self.len() {
            let range = self.range(index);
            let slice = PySlice::new(py, range.start.try_into()?, range.end.try_into()?, 1);
            views.append((!self.is_null(index)).then(|| values.get_item(slice)).transpose()?)?;
        }
        Ok(views)
    }

    /// All sequences as the rows of one matrix, with the mask of what is no padding: see `genotok.tokenizer.padding.pad`.
    #[pyo3(signature = (value, *, length=None, side="right", dtype=None, truncate=false))]
    fn pad<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        length: Option<&Bound<'py, PyAny>>,
        side: &str,
        dtype: Option<&Bound<'py, PyAny>>,
        truncate: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(py);
        options.set_item("value", value)?;
        options.set_item("length", length)?;
        options.set_item("side", side)?;
        options.set_item("truncate", truncate)?;
        if let Some(dtype) = dtype {
            options.set_item("dtype", dtype)?;
        }
        let lists = (self.get_values(py)?, self.get_offsets(py)?);
        py.import("genotok.tokenizer.padding")?.getattr("pad")?.call(lists, Some(&options))
    }

    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = key.cast::<PySlice>() {
            return Ok(Bound::new(py, self.of_slice(py, slice)?)?.into_any());
        }
        let index = key.cast::<PyInt>().ok().and_then(|index| index.extract::<isize>().ok());
        let Some(index) = index else { return self.of_rows(py, key) };
        let from_start = if index < 0 { index.checked_add_unsigned(self.len()) } else { Some(index) };
        let place = from_start.and_then(|place| usize::try_from(place).ok()).filter(|&at| at < self.len());
        let place = place.ok_or_else(|| {
            PyIndexError::new_err(format!("index {index}: there are {} sequences", self.len()))
        })?;
        Ok(self.list(py, place)?.into_pyobject(py)?.into_any())
    }

    fn __iter__(own: PyRef<'_, Self>) -> TokenArrayIterator {
        TokenArrayIterator { of: own.into(), next: 0 }
    }

    /// Whether both have the same ids, and nulls at the same places.
    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> bool {
        let other = other.get();
        py.detach(|| {
            self.offsets == other.offsets && self.nulls == other.nulls && self.values == other.values
        })
    }

    fn __copy__(own: Py<Self>) -> Py<Self> {
        own // it never changes
    }

    fn __deepcopy__(own: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        own
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let parts = (
            self.get_values(py)?,
            self.get_offsets(py)?,
            self.get_spans(py)?,
            self.validity(py)?,
            self.unknown(),
            self.lower_case(),
        );
        Ok((PyType::new::<Self>(py), parts.into_pyobject(py)?))
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
        let nulls = self.nulls.as_ref().map(|nulls| format!(", {} of them null", nulls.null_count()));
        let nulls = nulls.unwrap_or_default();
        format!("<genotok.TokenArray: {} sequences{nulls}, {} tokens>", self.len(), self.values.len())
    }
}

impl TokenArray {
    /// An error if the parts do not fit together.
    fn check(&self) -> PyResult<()> {
        let refuse = |rule: &str| Err(ArgumentError::new_err(format!("TokenArray: {rule}")));
        let ids = i64::try_from(self.values.len())?;
        let ends = self.offsets.first().zip(self.offsets.last());
        if ends != Some((&0, &ids)) || self.offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return refuse("offsets must rise from 0 to the number of values");
        }
        if self.spans.as_ref().is_some_and(|spans| spans.len() != 2 * self.values.len()) {
            return refuse("spans must have a row of two for each value");
        }
        match &self.nulls {
            Some(nulls) if nulls.len() != self.len() => {
                refuse("validity must have a value for each sequence")
            }
            Some(nulls) if (0..self.len()).any(|at| nulls.is_null(at) && !self.range(at).is_empty()) => {
                refuse("a sequence that is null must have no values")
            }
            _ => Ok(()),
        }
    }
}

fn exported_type(array: &ArrayRef) -> PyResult<FFI_ArrowSchema> {
    FFI_ArrowSchema::try_from(array.data_type()).map_err(|error| internal(&error))
}

/// The numbers of a numpy array of this very type.
fn numbers<T: Element + arrow_buffer::ArrowNativeType>(
    array: &Bound<'_, PyAny>,
    name: &str,
) -> PyResult<ScalarBuffer<T>> {
    let wrong = |_| {
        let kind = std::any::type_name::<T>();
        ArgumentError::new_err(format!("TokenArray: {name} must be a numpy array of {kind}"))
    };
    let buffer = PyBuffer::<T>::get(array).map_err(wrong)?;
    Ok(buffer.to_vec(array.py())?.into())
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

    fn __length_hint__(&self) -> usize {
        self.of.get().len() - self.next
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let tokens = self.of.get();
        if self.next == tokens.len() {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(tokens.list(py, self.next - 1)?.into_pyobject(py)?.into_any()))
    }
}
