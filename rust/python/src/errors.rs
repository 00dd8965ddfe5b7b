//! Errors of the core as exceptions of `genotok.errors`: the one table.

use std::ffi::c_int;
use std::io::{self, ErrorKind};

use genotok_core::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError};
use pyo3::import_exception;
use pyo3::prelude::*;

import_exception!(genotok.errors, GenotokError);
import_exception!(genotok.errors, SequenceFileError);
import_exception!(genotok.errors, SymbolError);
import_exception!(genotok.errors, VocabularyError);
import_exception!(genotok.errors, ArgumentError);
import_exception!(genotok.errors, ResourceError);
import_exception!(genotok.errors, GenotokWarning);

/// The exception for an error.
pub(crate) fn exception(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Io { path, source } => {
            // Python chooses the class by the number: FileNotFoundError, PermissionError, ...
            PyOSError::new_err((number(&source), reason(&source), path.into_os_string()))
        }
        Error::Fasta { .. } | Error::File { .. } => SequenceFileError::new_err(message),
        Error::Symbol { .. } => SymbolError::new_err(message),
        Error::Vocabulary { .. } => VocabularyError::new_err(message),
        Error::Argument { .. } => ArgumentError::new_err(message),
        Error::Resource { .. } => ResourceError::new_err(message),
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
        _ => GenotokError::new_err(message),
    }
}

/// The exception for a panic, which is a bug.
pub(crate) fn internal(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    GenotokError::new_err(format!("internal error, please report it: {}", text.replace(['\n', '\r'], " ")))
}

/// What the system said, without the number that Python adds itself.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// The number of the error; of one that did not come from the system itself, that of its kind.
fn number(error: &io::Error) -> c_int {
    const EIO: c_int = 5;
    error.raw_os_error().unwrap_or(match error.kind() {
        ErrorKind::NotFound => 2,
        ErrorKind::PermissionDenied => 13,
        ErrorKind::AlreadyExists => 17,
        ErrorKind::NotADirectory => 20,
        ErrorKind::IsADirectory => 21,
        ErrorKind::InvalidInput => 22,
        ErrorKind::FileTooLarge => 27,
        ErrorKind::StorageFull => 28,
        ErrorKind::ReadOnlyFilesystem => 30,
        _ => EIO,
    })
}
