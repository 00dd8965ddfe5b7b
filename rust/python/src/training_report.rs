//! What training tells, as a dictionary.

use genotok_core::bpe::train::Round;
use genotok_core::session::TrainingReport;
use genotok_core::tokenizer::Tokenizer as Core;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::corpus::add_contents;
use crate::slow::warn_if_training_was_slow;

/// What training read and found.
pub(crate) fn report_as_dictionary<'py>(
    py: Python<'py>,
    core: &Core,
    report: &TrainingReport,
) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("files", report.files)?;
    add_contents(&dictionary, &report.contents)?;
    dictionary.set_item("vocab_size", core.vocab_size())?;
    dictionary.set_item("merges", core.num_merges())?;
    dictionary.set_item("rounds", report.summary.rounds.len())?;
    dictionary.set_item("resumed_merges", report.resumed_merges)?;
    dictionary.set_item("stopped", report.stopped())?;
    let [seconds_reading, seconds_training] = report.seconds;
    dictionary.set_item("seconds_reading", seconds_reading)?;
    dictionary.set_item("seconds_training", seconds_training)?;
    dictionary.set_item("threads", report.threads)?;
    dictionary.set_item("tokens", report.summary.tokens)?;
    dictionary.set_item("bases_per_token", report.bases_per_token)?;
    dictionary.set_item("longest_tokens", &report.longest_tokens)?;
    let rounds = report.summary.rounds.iter().map(|round| round_as_dictionary(py, round));
    dictionary.set_item("round_log", rounds.collect::<PyResult<Vec<_>>>()?)?;
    warn_if_training_was_slow(py, report)?;
    Ok(dictionary)
}

fn round_as_dictionary<'py>(py: Python<'py>, round: &Round) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("round", round.round)?;
    dictionary.set_item("merges", round.merges)?;
    dictionary.set_item("guessed_pairs", round.guessed_pairs)?;
    dictionary.set_item("islands", round.islands)?;
    dictionary.set_item("theta", round.theta)?;
    dictionary.set_item("seconds", round.times.iter().sum::<std::time::Duration>().as_secs_f64())?;
    for (key, time) in ["seconds_guess", "seconds_pass", "seconds_replay"].into_iter().zip(round.times) {
        dictionary.set_item(key, time.as_secs_f64())?;
    }
    Ok(dictionary)
}
