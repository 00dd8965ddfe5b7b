//! `pack` and `simulate`.

use std::path::PathBuf;

use genotok_core::corpus::Contents;
use genotok_core::testing::Genome;
use genotok_core::{Error, checkpoint, session};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arguments::{Number, fit_count, fit_threads};
use crate::watch::watch;

/// Letters that are made between two looks for an interrupt.
const PIECE: usize = 1 << 20;

/// Writes the words of sequence files to one packed file.
#[pyfunction]
#[pyo3(signature = (paths, output, *, threads, progress))]
pub(crate) fn pack(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    output: PathBuf,
    threads: Option<Number>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'_, PyDict>> {
    let threads = fit_threads(threads)?;
    let report = PyDict::new(py);
    report.set_item("output", output.as_os_str())?;
    let files = paths.len();
    let (bytes, contents) =
        watch(py, progress, move |monitor| session::pack(&paths, &output, threads, monitor))?;
    report.set_item("bytes", bytes)?;
    report.set_item("files", files)?;
    add_contents(&report, &contents)?;
    Ok(report)
}

/// What was read, into a report.
pub(crate) fn add_contents(report: &Bound<'_, PyDict>, contents: &Contents) -> PyResult<()> {
    let skipped = PyDict::new(report.py());
    for (kind, count) in session::skipped(contents) {
        skipped.set_item(kind, count)?;
    }
    report.set_item("records", contents.records)?;
    report.set_item("empty_records", contents.empty_records)?;
    report.set_item("words", contents.words)?;
    report.set_item("bases", contents.bases)?;
    report.set_item("skipped", skipped)?;
    report.set_item("fingerprint", checkpoint::hex(contents.fingerprint))
}

/// Letters of a genome that never was, with the repeats and runs of real ones.
#[pyfunction]
pub(crate) fn simulate(py: Python<'_>, num_bases: Number, seed: Number) -> PyResult<Bound<'_, PyBytes>> {
    let num_bases = fit_count(num_bases, "num_bases")?;
    let seed = seed.fit("seed", 0)?;
    let letters = watch(py, None, move |monitor| {
        let mut letters = Vec::new();
        letters.try_reserve_exact(num_bases).map_err(|_| Error::Resource {
            what: "memory in bytes",
            needed: num_bases as u64,
            available: 0,
        })?;
        let mut genome = Genome::new(seed);
        while letters.len() < num_bases {
            monitor.check()?;
            let piece = PIECE.min(num_bases - letters.len());
            genome.letters(&mut letters, piece);
        }
        Ok(letters)
    })?;
    Ok(PyBytes::new(py, &letters))
}
