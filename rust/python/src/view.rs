//! Numbers in the memory of this module, as numpy sees them without a copy.

use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Keeps numbers alive and tells where they are: numpy's array interface, version 3.
#[pyclass(frozen, module = "genotok._native")]
pub(crate) struct View {
    /// Keeps the memory alive; never read.
    _owner: arrow_buffer::Buffer,
    address: usize,
    shape: Vec<usize>,
    type_code: &'static str,
}

#[pymethods]
impl View {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("shape", pyo3::types::PyTuple::new(py, &self.shape)?)?;
        interface.set_item("typestr", self.type_code)?;
        interface.set_item("data", (self.address, true))?; // read-only
        interface.set_item("version", 3)?;
        Ok(interface)
    }
}

/// A read-only numpy array of `numbers`, in rows of `width` if it is more than 1.
pub(crate) fn numpy<'py, T: Named>(
    py: Python<'py>,
    numbers: &ScalarBuffer<T>,
    width: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let rows = numbers.len() / width;
    let view = View {
        _owner: numbers.inner().clone(),
        address: numbers.as_ptr() as usize,
        shape: if width == 1 { vec![rows] } else { vec![rows, width] },
        type_code: T::CODE,
    };
    py.import("numpy")?.call_method1("asarray", (Bound::new(py, view)?,))
}

/// Numbers that numpy has a name for.
pub(crate) trait Named: ArrowNativeType {
    /// The name, with the byte order of this machine.
    const CODE: &'static str;
}

/// `<` or `>` before a name.
macro_rules! named {
    ($($of:ty => $name:literal),*) => {
        $(impl Named for $of {
            const CODE: &'static str =
                if cfg!(target_endian = "little") { concat!("<", $name) } else { concat!(">", $name) };
        })*
    };
}
named!(u8 => "u1", u16 => "u2", u32 => "u4", i32 => "i4", i64 => "i8");
