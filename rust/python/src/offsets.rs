//! Offsets of the core as Arrow counts them, and strings that lie back to back.

use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer};
use pyo3::prelude::*;

use crate::capsule::internal;

/// Offsets in 32 bits. A batch never has 2 GB of names or blocks: they count towards its size.
pub(crate) fn offset_buffer(offsets: &[usize]) -> OffsetBuffer<i32> {
    let offsets = offsets.iter().map(|&offset| i32::try_from(offset).unwrap_or(i32::MAX));
    OffsetBuffer::new(offsets.collect::<Vec<_>>().into())
}

/// Strings that lie back to back in `text`.
pub(crate) fn strings(text: String, offsets: &[usize]) -> PyResult<StringArray> {
    let strings = StringArray::try_new(offset_buffer(offsets), Buffer::from_vec(text.into_bytes()), None);
    strings.map_err(|error| internal(&error))
}
