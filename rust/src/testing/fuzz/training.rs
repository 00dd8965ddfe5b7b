//! Training on small texts against its definition, and checkpoints.

use super::input::Knobs;
use super::scratch;
use crate::bpe::train::checkpoint::{self, CheckpointWriter};
use crate::bpe::train::{MergeOptions, WeightedCorpora, train};
use crate::bpe::{MergeTable, Pair};
use crate::corpus::from_words;
use crate::error::Error;
use crate::monitor::Monitor;
use crate::testing::naive;

/// Words and bases of a text, at most.
const MAX_WORDS: usize = 8;
const MAX_BASES: usize = 64;

/// The symbols of words, four to a byte.
fn words(knobs: &mut Knobs<'_>) -> Vec<(Vec<u8>, u64)> {
    let (mut words, weighted) = (Vec::new(), knobs.below(2) == 1);
    while !knobs.0.is_empty() && words.len() < MAX_WORDS {
        let length = 1 + knobs.below(MAX_BASES);
        let bytes = knobs.take(length.div_ceil(4));
        let codes = bytes.iter().flat_map(|byte| (0..4).map(move |place| (byte >> (2 * place)) & 3));
        let word: Vec<u8> = codes.take(length).map(|code| b"ACGT"[usize::from(code)]).collect();
        let weight = if weighted { 1 + (words.len() % 3) as u64 } else { 1 };
        if !word.is_empty() {
            words.push((word, weight));
        }
    }
    words
}

/// Merges of training, with every part of it forced to work, are those of the definition.
pub(super) fn training(data: &[u8]) {
    let mut knobs = Knobs(data);
    let merges = knobs.below(40);
    let flags = knobs.byte();
    let is_set = |bit: u8| flags & (1 << bit) != 0;
    let options = MergeOptions {
        num_merges: merges,
        min_frequency: if is_set(0) { knobs.below(6) as u64 } else { 0 },
        max_token_length: is_set(1).then(|| knobs.below(16) as u32),
        word_length: is_set(2).then(|| 1 + knobs.below(40) as u64),
        both_strands: is_set(3),
        random_guess: is_set(4).then(|| u64::from(knobs.byte())),
        look_ahead_from: if is_set(5) { 0 } else { u64::MAX },
        max_island_tokens: if is_set(6) { knobs.size() } else { 1 << 20 },
    };
    let words = words(&mut knobs);
    let mut weights: Vec<u64> = words.iter().map(|word| word.1).collect();
    weights.sort_unstable();
    weights.dedup();
    let corpora = |weight: u64| {
        let all: Vec<_> = words.iter().filter(|word| word.1 == weight).collect();
        all.chunks(2).map(|part| from_words(part.iter().map(|word| &word.0)).unwrap()).collect()
    };
    let texts: Vec<_> =
        weights.iter().map(|&weight| WeightedCorpora { corpora: corpora(weight), weight }).collect();
    let mut table = MergeTable::new();
    let trained = train(&texts, &options, &mut table, &Monitor::default(), |_, _| Ok(()));
    trained.expect("these words are trained on");
    let limits = naive::TrainingLimits {
        merges,
        min_frequency: options.min_frequency,
        max_length: options.max_token_length.unwrap_or(u32::MAX),
    };
    assert_eq!(table, naive::train(&pieces(&words, &options), &limits), "{options:?}");
}

/// The words as training reads them: cut, and of both strands.
fn pieces(words: &[(Vec<u8>, u64)], options: &MergeOptions) -> Vec<(Vec<u8>, u64)> {
    let mut pieces = Vec::new();
    for (word, weight) in words {
        let length = options.word_length.map_or(word.len(), |length| length as usize);
        for piece in word.chunks(length.max(1)) {
            pieces.push((piece.to_vec(), *weight));
            if options.both_strands {
                pieces.push((naive::reverse_complement(piece), *weight));
            }
        }
    }
    pieces
}

/// A checkpoint of any bytes, or of JSON whose checksum is made right: it is refused, or gives the first part of its merges.
pub(super) fn checkpoint(data: &[u8]) {
    let mut knobs = Knobs(data);
    let is_right = knobs.below(2) == 1;
    let options = MergeOptions { num_merges: knobs.below(20), ..MergeOptions::default() };
    let fingerprint = u128::from(knobs.byte());
    let text = is_right.then(|| with_checksum(knobs.0)).flatten().unwrap_or_else(|| knobs.0.to_vec());
    let path = scratch::file("checkpoint", &text);
    match checkpoint::load(&path, &options) {
        Err(error) => assert!(matches!(error, Error::File { .. }), "{error}"),
        Ok(loaded) => {
            let Ok(table) = loaded.table_for(fingerprint, &options) else { return };
            assert!(table.merges().len() <= options.num_merges);
            let mut writer = CheckpointWriter::new(&path, fingerprint, &options, table.merges().len() + 1);
            writer.round(&table).unwrap();
            writer.stop(&table).unwrap();
            let again = checkpoint::load(&path, &options).expect("what is written is read");
            assert_eq!(again.table_for(fingerprint, &options).unwrap(), table);
        }
    }
}

/// The text with the checksum of its merges, if it is JSON with merges.
fn with_checksum(text: &[u8]) -> Option<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(text).ok()?;
    let merges: Vec<Pair> = serde_json::from_value(value.get("merges")?.clone()).ok()?;
    *value.get_mut("checksum")? = checkpoint::checksum(&merges).into();
    serde_json::to_vec(&value).ok()
}
