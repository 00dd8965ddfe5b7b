//! Lists of ids from Python: a `TokenArray`, Arrow, or iterables of Python's own objects.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, make_array};
use arrow_schema::DataType;
use genotok_core::Error;
use genotok_core::tokenizer::Id;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::arguments::{Nulls, Number, is_null, refused_null};
use crate::capsule::import;
use crate::errors::{ArgumentError, exception};
use crate::texts::PATIENCE;
use crate::tokens::{TokenArray, Values};

/// Lists of ids back to back, and where each starts, and the last ends.
pub(crate) struct IdLists {
    pub(crate) ids: Vec<Id>,
    pub(crate) offsets: Vec<i64>,
    /// Which lists are null, and empty here; nothing if none is.
    is_null: Vec<bool>,
    nulls: Nulls,
}

impl IdLists {
    /// The lists of a `TokenArray`, of Arrow lists, or of an iterable of iterables of numbers.
    pub(crate) fn of(lists: &Bound<'_, PyAny>, nulls: Nulls) -> PyResult<Self> {
        let mut all = Self { ids: Vec::new(), offsets: vec![0], is_null: Vec::new(), nulls };
        if let Ok(tokens) = lists.cast::<TokenArray>() {
            all.set_tokens(tokens.get())?;
        } else if let Some(chunks) = import(lists, "lists")? {
            chunks.into_iter().try_for_each(|chunk| all.add_array(&make_array(chunk)))?;
        } else {
            for (number, list) in lists.try_iter()?.enumerate() {
                let list = list?;
                if is_null(&list)? {
                    all.push_null()?;
                } else {
                    all.ids.extend(ids_of(&list).map_err(|error| all.at_null(&list).unwrap_or(error))?);
                    all.close();
                }
                if number.is_multiple_of(PATIENCE) {
                    lists.py().check_signals()?;
                }
            }
        }
        Ok(all)
    }

    /// Whether a list is null, and stays so.
    pub(crate) fn is_null(&self, number: usize) -> bool {
        self.is_null.get(number).is_some_and(|&is_null| is_null)
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn set_tokens(&mut self, tokens: &TokenArray) -> PyResult<()> {
        let nulls = tokens.nulls.iter().flat_map(|nulls| (0..nulls.len()).filter(|&at| nulls.is_null(at)));
        for at in nulls {
            self.note_null(at)?;
        }
        self.ids = match &tokens.values {
            Values::Narrow(ids) => ids.iter().map(|&id| Id::from(id)).collect(),
            Values::Wide(ids) => ids.to_vec(),
        };
        self.offsets = tokens.offsets.to_vec();
        Ok(())
    }

    /// The error at a list of Python's with a null in it, if that is what is wrong.
    fn at_null(&self, list: &Bound<'_, PyAny>) -> Option<PyErr> {
        let mut ids = list.try_iter().ok()?;
        ids.any(|id| id.and_then(|id| is_null(&id)).unwrap_or(false)).then(|| self.null_within())
    }

    fn null_within(&self) -> PyErr {
        ArgumentError::new_err(format!("lists[{}]: has a null; leave it out", self.len()))
    }

    fn close(&mut self) {
        self.offsets.push(i64::try_from(self.ids.len()).unwrap_or(i64::MAX));
    }

    fn push_null(&mut self) -> PyResult<()> {
        self.note_null(self.len())?;
        self.close();
        Ok(())
    }

    fn note_null(&mut self, number: usize) -> PyResult<()> {
        match self.nulls {
            Nulls::Error => return Err(refused_null("lists", number)),
            Nulls::Empty => {}
            Nulls::Null => {
                self.is_null.resize(number, false);
                self.is_null.push(true);
            }
        }
        Ok(())
    }

    fn add_array(&mut self, array: &ArrayRef) -> PyResult<()> {
        let list: Box<dyn Fn(usize) -> ArrayRef> = match array.data_type() {
            DataType::List(_) => Box::new(|at| array.as_list::<i32>().value(at)),
            DataType::LargeList(_) => Box::new(|at| array.as_list::<i64>().value(at)),
            DataType::ListView(_) => Box::new(|at| array.as_list_view::<i32>().value(at)),
            DataType::LargeListView(_) => Box::new(|at| array.as_list_view::<i64>().value(at)),
            DataType::FixedSizeList(..) => Box::new(|at| array.as_fixed_size_list().value(at)),
            DataType::Null => return (0..array.len()).try_for_each(|_| self.push_null()),
            other => {
                let rule = format!("Arrow lists of integers are expected, found {other}");
                return Err(ArgumentError::new_err(format!("lists: {rule}")));
            }
        };
        (0..array.len())
            .try_for_each(|at| if array.is_null(at) { self.push_null() } else { self.add_ids(&list(at)) })
    }

    fn add_ids(&mut self, ids: &ArrayRef) -> PyResult<()> {
        let number = self.len();
        if ids.null_count() > 0 || (matches!(ids.data_type(), DataType::Null) && !ids.is_empty()) {
            return Err(self.null_within());
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
    if ids.is_instance_of::<PyString>() || ids.is_instance_of::<PyBytes>() {
        return Err(no_ids(ids));
    }
    // Only if one does not fit is each checked, to name it.
    ids.extract().or_else(|_| {
        let numbers = ids.try_iter().map_err(|_| no_ids(ids))?.enumerate();
        numbers.map(|(place, id)| id_of(place, &id?)?.fit("id", 0)).collect()
    })
}

fn id_of(place: usize, id: &Bound<'_, PyAny>) -> PyResult<Number> {
    id.extract().or_else(|_| {
        let found = id.get_type().name()?;
        Err(PyTypeError::new_err(format!("ids[{place}]: an integer is expected, found {found}")))
    })
}

fn no_ids(found: &Bound<'_, PyAny>) -> PyErr {
    let kind = found.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("ids: an iterable of integers is expected, found {kind}"))
}
