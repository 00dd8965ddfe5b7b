//! `batch_checksum`: what a record batch holds, as a checksum that does not depend on the container.
//!
//! Arrow, Parquet and Megatron keep the same rows with other offsets, padding and bitmaps. The checksum covers what they
//! have in common: the number of rows; of names and lists the lengths, then the contents without gaps; of numbers the
//! numbers. It covers two things beside: a text (what the file says about itself) and the number of the batch in the
//! file, so that batches that change places, or come from another file, are found.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, UInt16Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, GenericListArray, GenericStringArray, OffsetSizeTrait, RecordBatch, StructArray,
};
use arrow_schema::DataType;
use genotok_core::ContentChecksum;
use pyo3::prelude::*;

use crate::capsule::import;
use crate::errors::ArgumentError;

/// Bytes of a checksum: enough against accidents, and half of the text.
const BYTES: usize = 16;

/// The checksum of a record batch of strings, 64-bit numbers and lists of them or of ids, in hexadecimal digits.
///
/// Takes no missing values. Cost: one pass over the data, at a few gigabytes a second, without the interpreter's lock.
#[pyfunction]
pub(crate) fn batch_checksum(batch: &Bound<'_, PyAny>, about: &str, number: u64) -> PyResult<String> {
    let py = batch.py();
    let arrays = import(batch, "batch")?.unwrap_or_default();
    let sum = py.detach(|| {
        let mut sum = start(about, number);
        for array in arrays {
            let rows = StructArray::from(array);
            add_columns(&mut sum, rows.len(), rows.columns())?;
        }
        Ok(sum.digits(BYTES))
    });
    sum.map_err(|kind: DataType| ArgumentError::new_err(format!("batch: has a column of type {kind}")))
}

/// The same of a batch that this module made.
pub(crate) fn sum_of(batch: &RecordBatch, about: &str, number: u64) -> Result<String, DataType> {
    let mut sum = start(about, number);
    add_columns(&mut sum, batch.num_rows(), batch.columns())?;
    Ok(sum.digits(BYTES))
}

fn start(about: &str, number: u64) -> ContentChecksum {
    let mut sum = ContentChecksum::new();
    sum.add_sized(about.as_bytes());
    sum.add_number(number);
    sum
}

/// Adds all columns; the type that is not among those of encoded sequences is the error.
fn add_columns(sum: &mut ContentChecksum, rows: usize, columns: &[ArrayRef]) -> Result<(), DataType> {
    // As a stream pyarrow gives a batch without rows as no batch at all.
    if rows == 0 {
        return Ok(());
    }
    sum.add_number(rows as u64);
    columns.iter().try_for_each(|column| match column.data_type() {
        DataType::Utf8 => {
            add_strings::<i32>(sum, column.as_string());
            Ok(())
        }
        DataType::LargeUtf8 => {
            add_strings::<i64>(sum, column.as_string());
            Ok(())
        }
        DataType::Int64 => {
            add_numbers::<Int64Type>(sum, column.as_ref(), 0..column.len());
            Ok(())
        }
        DataType::List(_) => add_lists::<i32>(sum, column.as_list()),
        DataType::LargeList(_) => add_lists::<i64>(sum, column.as_list()),
        other => Err(other.clone()),
    })
}

fn add_strings<O: OffsetSizeTrait>(sum: &mut ContentChecksum, strings: &GenericStringArray<O>) {
    let offsets = strings.value_offsets();
    add_lengths(sum, offsets);
    sum.add_sized(&strings.value_data()[range(offsets)]);
}

fn add_lists<O: OffsetSizeTrait>(
    sum: &mut ContentChecksum,
    lists: &GenericListArray<O>,
) -> Result<(), DataType> {
    let offsets = lists.value_offsets();
    add_lengths(sum, offsets);
    let (values, within) = (lists.values(), range(offsets));
    match values.data_type() {
        DataType::UInt16 => add_numbers::<UInt16Type>(sum, values, within),
        DataType::UInt32 => add_numbers::<UInt32Type>(sum, values, within),
        // Megatron's files have no unsigned type of this width.
        DataType::Int32 => add_numbers::<Int32Type>(sum, values, within),
        // Places of blocks.
        DataType::Int64 => add_numbers::<Int64Type>(sum, values, within),
        other => return Err(other.clone()),
    }
    Ok(())
}

fn add_numbers<T: ArrowPrimitiveType>(
    sum: &mut ContentChecksum,
    array: &dyn Array,
    within: std::ops::Range<usize>,
) {
    let values = array.as_primitive::<T>().values().slice(within.start, within.len());
    sum.add_sized(values.inner().as_slice());
}

/// Adds how long each item is.
fn add_lengths<O: OffsetSizeTrait>(sum: &mut ContentChecksum, offsets: &[O]) {
    sum.add_numbers(offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_usize() as u64));
}

/// Where the items lie.
fn range<O: OffsetSizeTrait>(offsets: &[O]) -> std::ops::Range<usize> {
    let at = |offset: Option<&O>| offset.map_or(0, |offset| offset.as_usize());
    at(offsets.first())..at(offsets.last())
}
