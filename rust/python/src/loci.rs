//! `find_loci`: copies, overlapping windows and clusters of sequences in memory.

use arrow_buffer::ScalarBuffer;
use genotok_core::loci::{self, FoundLoci, Link, find_loci as find};
use genotok_core::threads::pool;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Nulls, Number, fit_count};
use crate::options::RunOptions;
use crate::texts::Texts;
use crate::view::numpy;

/// `genotok.options.LocusOptions`: what sequences of one locus are.
#[derive(FromPyObject)]
pub(crate) struct LocusOptions {
    min_overlap: Number,
    min_identity: f64,
    max_sequences: Number,
}

/// The links of sequences in groups of these sizes to each group, and their clusters, as numpy arrays.
#[pyfunction]
pub(crate) fn find_loci<'py>(
    py: Python<'py>,
    sequences: &Bound<'py, PyAny>,
    sizes: Vec<usize>,
    options: LocusOptions,
    run: RunOptions,
) -> PyResult<Bound<'py, PyDict>> {
    let options = loci::LocusOptions {
        min_overlap: fit_count(options.min_overlap, "min_overlap")?,
        min_identity: options.min_identity,
        max_sequences: fit_count(options.max_sequences, "max_sequences")?,
    };
    let (threads, watched) = run.checked()?;
    let texts = Texts::of(sequences, Nulls::Error)?;
    let num_groups = sizes.len().max(1);
    let found = watched.watch(py, move |monitor| {
        let text = texts.sequences();
        pool(threads)?.install(|| find(text.bytes, text.offsets, &sizes, &options, monitor))
    })?;
    as_dictionary(py, found, num_groups)
}

fn as_dictionary(py: Python<'_>, found: FoundLoci, num_groups: usize) -> PyResult<Bound<'_, PyDict>> {
    fn column<T>(links: &[Link], of: impl Fn(&Link) -> T) -> Vec<T> {
        links.iter().map(of).collect()
    }
    let dictionary = PyDict::new(py);
    let links = &found.links;
    let kinds = ScalarBuffer::from(column(links, |link| link.kind as u8));
    let partners = ScalarBuffer::from(column(links, |link| link.partner));
    let shifts = ScalarBuffer::from(column(links, |link| i64::from(link.shift)));
    let overlaps = ScalarBuffer::from(column(links, |link| link.overlap));
    dictionary.set_item("kinds", numpy(py, &kinds, num_groups)?)?;
    dictionary.set_item("partners", numpy(py, &partners, num_groups)?)?;
    dictionary.set_item("shifts", numpy(py, &shifts, num_groups)?)?;
    dictionary.set_item("overlaps", numpy(py, &overlaps, num_groups)?)?;
    dictionary.set_item("clusters", numpy(py, &ScalarBuffer::from(found.clusters), 1)?)?;
    dictionary.set_item("frequent_kmers", found.frequent_kmers)?;
    dictionary.set_item("frequent_sequences", found.frequent_sequences)?;
    Ok(dictionary)
}
