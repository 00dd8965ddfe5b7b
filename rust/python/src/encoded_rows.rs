//! `EncodedRows`: encoded sequences on their way to a file, as counts, slices and an Arrow record batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, UInt16Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, GenericListArray, OffsetSizeTrait, RecordBatch as ArrowBatch, StructArray,
};
use arrow_schema::DataType;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::capsule::{array_capsules, exported, import_rows};
use crate::errors::ArgumentError;
use crate::reader::RecordBatch;

/// Ids that are compared between two sums: so many fit the 16 bits in which vector code counts them.
const RUN: usize = 1 << 12;

/// Rows of encoded sequences: an Arrow record batch, which others take without a copy.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct EncodedRows {
    pub(crate) batch: ArrowBatch,
}

#[pymethods]
impl EncodedRows {
    /// Takes over a record batch of a reader, or one of another library, which is checked.
    #[new]
    fn new(batch: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(own) = batch.cast::<RecordBatch>() {
            return Ok(Self { batch: own.get().arrow().clone() });
        }
        let rows = import_rows(batch, "batch")?;
        if rows.columns().iter().any(|column| column.null_count() > 0) {
            return Err(ArgumentError::new_err("batch: has missing values"));
        }
        Ok(Self { batch: ArrowBatch::from(rows) })
    }

    /// How many rows there are.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// How many rows it takes, from the first, to have `bases` or more: all of them if they have fewer.
    fn rows_until(&self, bases: u64) -> usize {
        let (mut sum, mut rows) = (0, 0);
        self.each_bases(|bases_of_row| {
            if sum < bases {
                sum += bases_of_row;
                rows += 1;
            }
        });
        rows
    }

    /// Some of the rows, without a copy.
    fn slice(&self, start: usize, rows: usize) -> Self {
        let start = start.min(self.batch.num_rows());
        Self { batch: self.batch.slice(start, rows.min(self.batch.num_rows() - start)) }
    }

    /// The bases of all rows, their tokens, and how many of these are the token `unknown_id`.
    #[pyo3(signature = (unknown_id))]
    fn counts(&self, py: Python<'_>, unknown_id: Option<u32>) -> PyResult<(u64, usize, usize)> {
        py.detach(|| {
            let mut bases = 0;
            self.each_bases(|bases_of_row| bases += bases_of_row);
            let (tokens, unknown) = match self.batch.column_by_name("input_ids").map(AsRef::as_ref) {
                Some(lists) if matches!(lists.data_type(), DataType::List(_)) => {
                    count(lists.as_list::<i32>(), unknown_id)
                }
                Some(lists) if matches!(lists.data_type(), DataType::LargeList(_)) => {
                    count(lists.as_list::<i64>(), unknown_id)
                }
                _ => return Err(ArgumentError::new_err("batch: has no lists of ids in column input_ids")),
            };
            Ok((bases, tokens, unknown))
        })
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema; // a wish, which the interface allows to leave to the consumer
        let data = StructArray::from(self.batch.clone()).into_data();
        array_capsules(py, &data, exported(&self.batch.schema())?)
    }
}

impl EncodedRows {
    /// Calls `take` with the bases of each row: those of its blocks, if it has blocks; of rows without places, never.
    fn each_bases(&self, mut take: impl FnMut(u64)) {
        let numbers = |name| {
            let column: Option<&ArrayRef> = self.batch.column_by_name(name);
            column
                .and_then(|column| column.as_primitive_opt::<Int64Type>())
                .map(|column| column.values().clone())
        };
        let blocks = self.batch.column_by_name("block_sizes").and_then(|column| column.as_list_opt::<i32>());
        if let Some(blocks) = blocks {
            let sizes = blocks.values().as_primitive_opt::<Int64Type>();
            let sizes: &[i64] = sizes.map_or(&[], |sizes| sizes.values());
            for ends in blocks.value_offsets().windows(2) {
                let (start, end) = (ends[0].unsigned_abs() as usize, ends[1].unsigned_abs() as usize);
                take(sizes.get(start..end).map_or(0, |sizes| sizes.iter().sum::<i64>().unsigned_abs()));
            }
        } else if let (Some(starts), Some(ends)) = (numbers("start"), numbers("end")) {
            starts
                .iter()
                .zip(ends.iter())
                .for_each(|(start, end)| take(end.wrapping_sub(*start).unsigned_abs()));
        }
    }
}

/// The ids of lists, and how many of them are `unknown_id`.
fn count<O: OffsetSizeTrait>(lists: &GenericListArray<O>, unknown_id: Option<u32>) -> (usize, usize) {
    let offsets = lists.value_offsets();
    let at = |offset: Option<&O>| offset.map_or(0, |offset| offset.as_usize());
    let (start, tokens) = (at(offsets.first()), at(offsets.last()) - at(offsets.first()));
    let ids = lists.values().slice(start, tokens);
    let unknown = unknown_id.map_or(0, |id| match ids.data_type() {
        DataType::UInt16 => occurrences::<UInt16Type>(&ids, u16::try_from(id).ok()),
        DataType::UInt32 => occurrences::<UInt32Type>(&ids, Some(id)),
        DataType::Int32 => occurrences::<Int32Type>(&ids, i32::try_from(id).ok()),
        _ => 0,
    });
    (tokens, unknown)
}

fn occurrences<T: ArrowPrimitiveType>(ids: &ArrayRef, wanted: Option<T::Native>) -> usize {
    let Some(wanted) = wanted else { return 0 };
    let ids = ids.as_primitive::<T>().values();
    ids.chunks(RUN)
        .map(|run| usize::from(run.iter().fold(0_u16, |sum, &id| sum + u16::from(id == wanted))))
        .sum()
}
