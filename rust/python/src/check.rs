//! `check`: every defect of sequence files.

use std::path::PathBuf;

use genotok_core::check::{CheckOptions, CheckReport, FileDefect, SequenceFormat, Severity, check_files};
use genotok_core::threads::pool;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{Number, fit_count};
use crate::options::RunOptions;

/// Checks sequence files; one dictionary for each.
#[pyfunction]
pub(crate) fn check(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    limit: Number,
    allow_unknown: f64,
    run: RunOptions,
) -> PyResult<Bound<'_, PyList>> {
    let options = CheckOptions { limit: fit_count(limit, "limit")?, allow_unknown };
    let (threads, watched) = run.checked()?;
    let work = move |monitor: &_| pool(threads)?.install(|| check_files(&paths, options, monitor));
    let reports = watched.watch(py, work)?;
    let reports = reports.iter().map(|report| as_dictionary(py, report));
    PyList::new(py, reports.collect::<PyResult<Vec<_>>>()?)
}

fn as_dictionary<'py>(py: Python<'py>, report: &CheckReport) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("file", report.path.as_os_str())?;
    dictionary.set_item("format", report.format.map(SequenceFormat::name))?;
    dictionary.set_item("compression", Some(report.compression).filter(|name| !name.is_empty()))?;
    dictionary.set_item("complete", report.is_complete)?;
    dictionary.set_item("bytes", report.bytes)?;
    dictionary.set_item("text_bytes", report.text_bytes)?;
    dictionary.set_item("lines", report.lines)?;
    dictionary.set_item("records", report.records)?;
    dictionary.set_item("symbols", symbols(py, report)?)?;
    dictionary.set_item("gc", report.composition.gc())?;
    let lengths = PyDict::new(py);
    lengths.set_item("shortest", report.lengths.shortest)?;
    lengths.set_item("longest", report.lengths.longest)?;
    lengths.set_item("median", report.lengths.median)?;
    lengths.set_item("n50", report.lengths.n50)?;
    dictionary.set_item("lengths", lengths)?;
    dictionary.set_item("errors", report.count(Severity::Error))?;
    dictionary.set_item("warnings", report.count(Severity::Warning))?;
    dictionary.set_item("notes", report.count(Severity::Note))?;
    let counts = PyDict::new(py);
    for (kind, count) in &report.counts {
        counts.set_item(kind.code(), count)?;
    }
    dictionary.set_item("counts", counts)?;
    let defects = report.defects.iter().map(|defect| defect_as_dictionary(py, defect));
    dictionary.set_item("defects", defects.collect::<PyResult<Vec<_>>>()?)?;
    Ok(dictionary)
}

fn symbols<'py>(py: Python<'py>, report: &CheckReport) -> PyResult<Bound<'py, PyDict>> {
    let composition = &report.composition;
    let [a, c, g, t] = composition.bases;
    let counts = [
        ("total", composition.total()),
        ("A", a),
        ("C", c),
        ("G", g),
        ("T", t),
        ("N", composition.any_base),
        ("ambiguity codes", composition.ambiguity),
        ("gaps", composition.gaps),
        ("uracil", composition.uracil),
        ("amino acids", composition.amino_acids),
        ("lower case", composition.lower_case),
    ];
    let dictionary = PyDict::new(py);
    for (name, count) in counts {
        dictionary.set_item(name, count)?;
    }
    Ok(dictionary)
}

fn defect_as_dictionary<'py>(py: Python<'py>, defect: &FileDefect) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("severity", defect.kind.severity().name())?;
    dictionary.set_item("code", defect.kind.code())?;
    dictionary.set_item("line", defect.place.map(|place| place.line))?;
    dictionary.set_item("column", defect.place.and_then(|place| place.column))?;
    dictionary.set_item("offset", defect.place.map(|place| place.offset))?;
    dictionary.set_item("record", &defect.record)?;
    dictionary.set_item("what", &defect.what)?;
    dictionary.set_item("fix", &defect.fix)?;
    Ok(dictionary)
}
