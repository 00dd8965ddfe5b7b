//! BED: the columns that rows have where they were chosen by BED files, and BED files that are compressed and indexed.
//!
//! `bed_row` (int64), `name` and `strand` (utf8); where blocks are joined also `block_starts`, counted from `start`, and
//! `block_sizes` (lists of int64), as columns 12 and 11 of BED have them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, ListArray, StringArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Field, FieldRef};
use genotok_core::io::tabix::IndexedBedWriter;
use genotok_core::rows::BedColumns;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::capsule::internal;
use crate::errors::exception;
use crate::offsets::{offset_buffer, strings};

/// The fields of a schema, with blocks or without.
pub(crate) fn fields(with_blocks: bool) -> Vec<Field> {
    let list = |name| Field::new(name, DataType::List(number()), true);
    let mut fields = vec![
        Field::new("bed_row", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("strand", DataType::Utf8, true),
    ];
    fields.extend(with_blocks.then(|| [list("block_starts"), list("block_sizes")]).into_iter().flatten());
    fields
}

/// The columns of a batch.
pub(crate) struct BedArrays {
    pub(crate) rows: Int64Array,
    pub(crate) names: StringArray,
    pub(crate) strands: StringArray,
    blocks: Option<[ArrayRef; 2]>,
}

impl BedArrays {
    pub(crate) fn new(bed: BedColumns) -> PyResult<Self> {
        let strands = bed.is_reverse.iter().map(|&is_reverse| if is_reverse { "-" } else { "+" });
        let blocks = bed.blocks.map(|blocks| {
            let offsets = offset_buffer(&blocks.offsets);
            let list = |values: Vec<i64>| -> PyResult<ArrayRef> {
                let values = Arc::new(Int64Array::new(ScalarBuffer::from(values), None));
                let list = ListArray::try_new(number(), offsets.clone(), values, None);
                Ok(Arc::new(list.map_err(|error| internal(&error))?))
            };
            Ok::<_, PyErr>([list(blocks.starts)?, list(blocks.sizes)?])
        });
        Ok(Self {
            strands: StringArray::from_iter_values(strands),
            rows: Int64Array::new(ScalarBuffer::from(bed.rows), None),
            names: strings(bed.names, &bed.name_offsets)?,
            blocks: blocks.transpose()?,
        })
    }

    /// The columns, in the order of `fields`.
    pub(crate) fn columns(&self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(self.rows.clone()), Arc::new(self.names.clone()), Arc::new(self.strands.clone())];
        columns.extend(self.blocks.iter().flatten().cloned());
        columns
    }
}

fn number() -> FieldRef {
    Arc::new(Field::new("item", DataType::Int64, true))
}

/// Lines of BED, compressed in blocks (BGZF), and their tabix index.
#[pyclass(module = "genotok._native")]
#[derive(Default)]
pub(crate) struct IndexedBed {
    core: IndexedBedWriter,
}

#[pymethods]
impl IndexedBed {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Add whole lines; gives the bytes that the file has more by now.
    fn add<'py>(&mut self, py: Python<'py>, lines: &str) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.core.add(lines)).map_err(exception)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The last bytes of the file, and its index; nothing can be added then.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let core = std::mem::take(&mut self.core);
        let (rest, index) = py.detach(|| core.finish()).map_err(exception)?;
        Ok((PyBytes::new(py, &rest), PyBytes::new(py, &index)))
    }
}
