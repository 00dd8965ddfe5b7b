//! Arrow in and out of Python: the PyCapsule interface over Arrow's C data interface.
//!
//! An object that has Arrow data to give has `__arrow_c_array__` or `__arrow_c_stream__`, whatever library it is of. The
//! capsules that these return hold C structures which say where the data is and how to release it; nothing is copied.
//!
//! # What is believed
//!
//! The structures carry no lengths of buffers. That a buffer is as long as its array says can only be believed, except
//! of arrays of pyarrow, which knows and is asked. Everything that the data itself says, first of all offsets, is
//! checked before it is used: an altered offset is an error and not a read outside.
//!
//! # Safety
//!
//! This is the one file of the binding with `unsafe` code, for the one thing that cannot be had without: to take over
//! the structures of capsules that others made. Each capsule is checked to be of the kind that its name says, which is
//! all that the interface offers; what it promises beyond that is the producer's promise.

#![allow(unsafe_code)]

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, RecordBatchReader, StructArray};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Schema};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyTuple};

use crate::errors::{ArgumentError, GenotokError};

/// The capsules of an array whose type `schema` tells.
pub(crate) fn array_capsules<'py>(
    py: Python<'py>,
    data: &ArrayData,
    schema: FFI_ArrowSchema,
) -> PyResult<Bound<'py, PyTuple>> {
    let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(data), c"arrow_array")?;
    PyTuple::new(py, [schema_capsule(py, schema)?, array])
}

/// The capsule of a type.
pub(crate) fn schema_capsule(py: Python<'_>, schema: FFI_ArrowSchema) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// The capsule of a stream of record batches.
pub(crate) fn stream_capsule(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
}

/// The type of record batches, for export.
pub(crate) fn exported(schema: &Schema) -> PyResult<FFI_ArrowSchema> {
    FFI_ArrowSchema::try_from(schema).map_err(|error| internal(&error))
}

/// An error of Arrow that cannot be.
pub(crate) fn internal(error: &ArrowError) -> PyErr {
    GenotokError::new_err(format!("internal error, please report it: {error}"))
}

/// The arrays that an object has to give, checked through and through; none if it does not speak Arrow.
pub(crate) fn import(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Vec<ArrayData>>> {
    let py = object.py();
    let refused = |error: &dyn std::fmt::Display| {
        ArgumentError::new_err(format!("{name}: Arrow data that is not valid: {error}"))
    };
    let is_stream = object.hasattr("__arrow_c_stream__")?;
    if !is_stream && !object.hasattr("__arrow_c_array__")? {
        return Ok(None);
    }
    ask_pyarrow(object).map_err(|error| refused(&error.value(py)))?;
    let arrays =
        if is_stream { import_stream(object)? } else { import_array(object)?.map(|array| vec![array]) };
    let check = |arrays: Vec<ArrayData>| {
        arrays.iter().try_for_each(ArrayData::validate_full)?;
        Ok(arrays)
    };
    py.detach(|| arrays.and_then(check)).map(Some).map_err(|error: ArrowError| refused(&error))
}

/// The rows that an object has to give by `__arrow_c_array__`, checked through and through.
pub(crate) fn import_rows(object: &Bound<'_, PyAny>, name: &str) -> PyResult<StructArray> {
    let py = object.py();
    let refused = |error: &dyn std::fmt::Display| {
        ArgumentError::new_err(format!("{name}: Arrow data that is not valid: {error}"))
    };
    ask_pyarrow(object).map_err(|error| refused(&error.value(py)))?;
    let array = import_array(object)?;
    let checked = py.detach(|| array.and_then(|array| array.validate_full().map(|()| array)));
    let array = checked.map_err(|error| refused(&error))?;
    if !matches!(array.data_type(), DataType::Struct(_)) {
        return Err(refused(&format!("{} in place of a record batch", array.data_type())));
    }
    Ok(StructArray::from(array))
}

/// Lets pyarrow compare its arrays with its buffers, whose lengths the capsules do not tell.
fn ask_pyarrow(object: &Bound<'_, PyAny>) -> PyResult<()> {
    let module = object.get_type().module()?;
    if module.to_cow()?.starts_with("pyarrow") && object.hasattr("validate")? {
        let keywords = PyDict::new(object.py());
        keywords.set_item("full", true)?;
        object.call_method("validate", (), Some(&keywords))?;
    }
    Ok(())
}

/// The schema that an object has to give by `__arrow_c_schema__`.
pub(crate) fn import_schema(object: &Bound<'_, PyAny>) -> PyResult<Schema> {
    let capsule = object.call_method0("__arrow_c_schema__")?.cast_into::<PyCapsule>()?;
    let schema = capsule.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
    // SAFETY: a capsule of this name holds this structure, and lives as long as `capsule`.
    let schema = unsafe { schema.as_ref() };
    Schema::try_from(schema).map_err(|error| ArgumentError::new_err(format!("schema: {error}")))
}

fn import_array(object: &Bound<'_, PyAny>) -> PyResult<Result<ArrayData, ArrowError>> {
    let capsules = object.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = capsules.extract()?;
    let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
    // SAFETY: a capsule of this name holds this structure, and lives as long as `capsules`. `from_raw` leaves a released
    // structure behind, so that the capsule does not release the array a second time.
    Ok(unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) })
}

/// The arrays of a stream that may be one of any type.
fn import_stream(object: &Bound<'_, PyAny>) -> PyResult<Result<Vec<ArrayData>, ArrowError>> {
    let capsule = object.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: as above.
    let reader = unsafe { ArrayStreamReader::from_raw(stream.as_ptr()) };
    Ok(reader.and_then(|reader| reader.map(|array| Ok(array?.to_data())).collect()))
}
