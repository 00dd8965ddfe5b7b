//! `pack`, folders of shards, and `simulate`.

use std::ffi::OsString;
use std::path::PathBuf;

use genotok_core::bpe::train::checkpoint;
use genotok_core::corpus::folder::{places, shards, verify};
use genotok_core::corpus::{Contents, Corpus};
use genotok_core::testing::RandomGenome;
use genotok_core::{Error, corpus, session};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arguments::{Number, fit_count};
use crate::options::{PackOptions, RunOptions};
use crate::watch::watch;

/// Bases that are made between two checks for an interrupt.
const PIECE: usize = 1 << 20;

/// Writes the words of sequence files to one packed file.
#[pyfunction]
pub(crate) fn pack(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    output: PathBuf,
    allow_unknown: f64,
    run: RunOptions,
) -> PyResult<Bound<'_, PyDict>> {
    let (threads, watched) = run.checked()?;
    let report = PyDict::new(py);
    report.set_item("output", output.as_os_str())?;
    let files = paths.len();
    let (bytes, contents) =
        watched.watch(py, move |monitor| session::pack(&paths, &output, allow_unknown, threads, monitor))?;
    report.set_item("bytes", bytes)?;
    report.set_item("files", files)?;
    add_contents(&report, &contents)?;
    Ok(report)
}

/// Writes the words of sequence files to a folder of packed files.
#[pyfunction]
pub(crate) fn pack_shards(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    folder: PathBuf,
    packing: PackOptions,
    run: RunOptions,
) -> PyResult<Bound<'_, PyDict>> {
    let (threads, watched) = run.checked()?;
    let report = PyDict::new(py);
    report.set_item("output", folder.as_os_str())?;
    report.set_item("files", paths.len())?;
    let packing = packing.checked(folder)?;
    let (manifest, contents) =
        watched.watch(py, move |monitor| session::pack_shards(&paths, &packing, threads, monitor))?;
    report.set_item("bytes", manifest.shards.iter().map(|shard| shard.bytes).sum::<u64>())?;
    report.set_item("shards", manifest.shards.len())?;
    add_contents(&report, &contents)?;
    Ok(report)
}

/// What a packed file holds, both of its checksums compared.
#[pyfunction]
pub(crate) fn packed_contents(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let contents = watch(py, None, move |_| Ok(Corpus::open(&path)?.contents().clone()))?;
    let report = PyDict::new(py);
    add_contents(&report, &contents)?;
    Ok(report)
}

/// Fails if none of the files has a base, as far as they can be read more than once.
#[pyfunction]
pub(crate) fn check_bases(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<()> {
    watch(py, None, move |monitor| corpus::check_bases(&paths, monitor))
}

/// The packed files of a folder, their lengths and headers checked.
#[pyfunction]
pub(crate) fn shard_files(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<OsString>> {
    let found = watch(py, None, move |_| shards(&folder))?;
    Ok(found.into_iter().map(PathBuf::into_os_string).collect())
}

/// The lines that say where the words of a shard came from.
#[pyfunction]
pub(crate) fn read_places(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    watch(py, None, move |_| places(&path))
}

/// Every defect of a folder of packed files: the file, and what is wrong with it.
#[pyfunction]
pub(crate) fn verify_shards(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<(OsString, String)>> {
    let found = watch(py, None, move |monitor| verify(&folder, monitor))?;
    Ok(found.into_iter().map(|(path, reason)| (path.into_os_string(), reason)).collect())
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

/// Bases of a simulated genome, with repeats and runs as real ones have them.
#[pyfunction]
pub(crate) fn simulate(py: Python<'_>, num_bases: Number, seed: Number) -> PyResult<Bound<'_, PyBytes>> {
    let num_bases = fit_count(num_bases, "num_bases")?;
    let seed = seed.fit("seed", 0)?;
    let bases = watch(py, None, move |monitor| {
        let mut bases = Vec::new();
        bases.try_reserve_exact(num_bases).map_err(|_| Error::Resource {
            what: "memory in bytes",
            needed: num_bases as u64,
            available: 0,
        })?;
        let mut genome = RandomGenome::new(seed);
        while bases.len() < num_bases {
            monitor.check()?;
            let piece = PIECE.min(num_bases - bases.len());
            genome.bases(&mut bases, piece);
        }
        Ok(bases)
    })?;
    Ok(PyBytes::new(py, &bases))
}
