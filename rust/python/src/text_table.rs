//! The table of how a tokenizer reads a text, as a dictionary.

use genotok_core::tokenizer::{CharacterEntry, TextTable};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The table: `ascii` and `others` hold pairs of a kind and an id; `others` is a reason if such texts are not covered.
pub(crate) fn as_dictionary(py: Python<'_>, table: TextTable) -> PyResult<Bound<'_, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("ascii", table.ascii.into_iter().map(entry).collect::<Vec<_>>())?;
    match table.others {
        Ok(other) => dictionary.set_item("others", entry(other))?,
        Err(reason) => dictionary.set_item("others", reason)?,
    }
    dictionary.set_item("drops_other_space", table.drops_other_space)?;
    dictionary.set_item("fuses_unknown", table.fuses_unknown)?;
    let added = table
        .added
        .into_iter()
        .map(|token| (token.content, token.id, token.strips_left, token.strips_right, token.is_second));
    dictionary.set_item("added", added.collect::<Vec<_>>())?;
    let kmers =
        table.kmers.map(|(kmer, first)| (kmer.k(), kmer.is_overlapping(), kmer.is_canonical(), first));
    dictionary.set_item("kmers", kmers)?;
    Ok(dictionary)
}

/// The kind of a character and its id; 0 where it has none.
fn entry(entry: CharacterEntry) -> (&'static str, u32) {
    match entry {
        CharacterEntry::Symbol(id) => ("symbol", id),
        CharacterEntry::Alone(id) => ("alone", id),
        CharacterEntry::Unknown => ("unknown", 0),
        CharacterEntry::Dropped => ("dropped", 0),
        CharacterEntry::Unsure => ("unsure", 0),
    }
}
