//! Numbers from Python, which may be of any size.

use genotok_core::Error;
use genotok_core::alphabet::UnknownPolicy;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use crate::errors::{ArgumentError, exception};

/// A Python integer; one that does not fit is kept as the text of it.
#[derive(Debug)]
pub(crate) struct Number(Result<i128, String>);

impl<'py> FromPyObject<'_, 'py> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<i128>() {
            Ok(number) => Ok(Self(Ok(number))),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                let is_negative = object.lt(0)?;
                Ok(Self(Err(if is_negative { "below -2^127" } else { "above 2^127" }.to_owned())))
            }
            Err(error) => Err(error),
        }
    }
}

impl Number {
    /// The number as an unsigned type, from `least` to that type's largest.
    pub(crate) fn fit<T: TryFrom<i128> + Into<u64>>(self, name: &'static str, least: u64) -> PyResult<T> {
        let value = match self.0 {
            Ok(number) => match T::try_from(number).ok().filter(|_| number >= i128::from(least)) {
                Some(fitting) => return Ok(fitting),
                None => number.to_string(),
            },
            Err(text) => text,
        };
        let rule = format!("a number from {least} to 2^{} - 1 is expected", 8 * size_of::<T>());
        Err(exception(Error::argument(name, &value, rule)))
    }
}

/// An optional number.
pub(crate) fn fit<T: TryFrom<i128> + Into<u64>>(
    number: Option<Number>,
    name: &'static str,
    least: u64,
) -> PyResult<Option<T>> {
    number.map(|number| number.fit(name, least)).transpose()
}

/// A count of things in memory.
pub(crate) fn fit_count(number: Number, name: &'static str) -> PyResult<usize> {
    let count: u64 = number.fit(name, 0)?;
    usize::try_from(count).map_err(|error| exception(Error::argument(name, &count, error.to_string())))
}

/// A number of threads; none is all cores.
pub(crate) fn fit_threads(threads: Option<Number>) -> PyResult<Option<usize>> {
    Ok(fit::<u32>(threads, "threads", 1)?.map(|threads| threads as usize))
}

/// The policy for symbols outside the vocabulary.
pub(crate) fn unknown(text: &str) -> PyResult<UnknownPolicy> {
    match text {
        "token" => Ok(UnknownPolicy::Token),
        "split" => Ok(UnknownPolicy::Split),
        "error" => Ok(UnknownPolicy::Refuse),
        _ => {
            let value = format!("{text:?}");
            Err(exception(Error::argument("unknown", &value, "must be \"token\", \"split\" or \"error\"")))
        }
    }
}

/// The policy for rows that are null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// They are an error.
    Error,
    /// They are empty.
    Empty,
    /// They stay null.
    Null,
}

impl Nulls {
    pub(crate) fn of(text: &str) -> PyResult<Self> {
        match text {
            "error" => Ok(Self::Error),
            "empty" => Ok(Self::Empty),
            "null" => Ok(Self::Null),
            _ => {
                let value = format!("{text:?}");
                Err(exception(Error::argument("nulls", &value, "must be \"error\", \"empty\" or \"null\"")))
            }
        }
    }
}

/// The error at a row that is null where none may be.
pub(crate) fn refused_null(name: &str, row: usize) -> PyErr {
    let remedy = "nulls=\"empty\" takes it as empty, nulls=\"null\" keeps it null";
    ArgumentError::new_err(format!("{name}[{row}]: is null; {remedy}"))
}

/// Whether an object stands for a missing value: `None`, the NaN of pandas and numpy, or `pandas.NA`.
pub(crate) fn is_null(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_none() {
        return Ok(true);
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(number.value().is_nan());
    }
    let kind = object.get_type();
    Ok(kind.name()? == "NAType" && kind.module()?.to_cow()?.starts_with("pandas"))
}
