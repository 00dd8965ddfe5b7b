//! The answers of a shard: the corpora of one process, read as a question says.
//!
//! A question comes from another process and is not trusted: its version, the merges and the tokens
//! of a guess are checked, and what it wants kept in memory is limited to what training here would
//! keep.

use rustc_hash::FxHashSet;

use super::answer;
use super::counted::PassCounts;
use super::counts::hashed_entry;
use super::local::LocalText;
use super::options::{MergeOptions, WeightedCorpora};
use super::pass::TrainingText;
use super::protocol::{About, Question, VERSION};
use super::wire::put_number;
use crate::bpe::encode::MergeEncoder;
use crate::bpe::{MergeTable, Pair};
use crate::corpus::{Contents, Corpus, Stride};
use crate::error::{Error, Result};
use crate::monitor::Monitor;

/// The answer of a shard to a question.
///
/// Fails if the bytes are no question of this version. Runs on the threads of the present pool.
/// Cost: that of what is asked, a pass over the shard at most; memory as for
/// [`train`](super::train).
pub fn answer(corpora: &[Corpus], asked: &[u8], monitor: &Monitor) -> Result<Vec<u8>> {
    let no_question = |reason: String| Error::argument("question", &"bytes", reason);
    let question: Question = serde_json::from_slice(asked).map_err(|error| no_question(error.to_string()))?;
    if question.version != VERSION {
        let found = question.version;
        return Err(no_question(format!("is of version {found}; this genotok answers version {VERSION}")));
    }
    let table = MergeTable::from_merges(question.merges)?;
    let mut options = MergeOptions {
        word_length: question.word_length.filter(|&length| length > 0),
        both_strands: question.both_strands,
        ..MergeOptions::default()
    };
    if let About::Pass { guess, max_island_tokens } = &question.about {
        if let Some(&pair) = guess.iter().find(|pair| pair.0.max(pair.1) >= table.num_tokens()) {
            return Err(no_question(format!("guesses the pair {pair:?} of tokens that are not there")));
        }
        options.max_island_tokens = options.max_island_tokens.min(*max_island_tokens);
    }
    let texts = [WeightedCorpora { corpora: corpora.to_vec(), weight: 1 }];
    let mut text = LocalText::new(&texts, &options, monitor);
    match question.about {
        About::Contents => Ok(answer_contents(corpora, options.word_length)),
        About::Sample { stretch, every } => Ok(answer_sample(corpora, stretch.max(1), every.max(1))),
        About::Pass { guess, .. } => {
            let mut counted = PassCounts::new();
            let boundary_pairs = text.pass(&table, &MergeEncoder::new(&table), &guess, &mut counted)?;
            Ok(answer::pass(&mut counted.finders, &boundary_pairs))
        }
        About::Entries(entries) => {
            let wanted: FxHashSet<u32> = entries.into_iter().collect();
            let is_wanted =
                |pair: Pair| u32::try_from(hashed_entry(pair)).is_ok_and(|entry| wanted.contains(&entry));
            let counts = text.count_pairs(&table, &MergeEncoder::new(&table), is_wanted)?;
            Ok(answer::pairs(answer::summed(counts)))
        }
        About::Tokens => text.count_tokens(&table).map(answer::tokens),
    }
}

/// The contents of all corpora, and the number of their words after cutting.
fn answer_contents(corpora: &[Corpus], word_length: Option<u64>) -> Vec<u8> {
    let mut contents = Contents::default();
    corpora.iter().for_each(|corpus| contents.add(corpus.contents()));
    let pieces = corpora.iter().map(|corpus| corpus.num_pieces(word_length)).sum();
    answer::contents(&contents, pieces)
}

/// One stride through all corpora; cuts and strands do not matter to a sample.
fn answer_sample(corpora: &[Corpus], stretch: u64, every: u64) -> Vec<u8> {
    let mut bytes = vec![answer::SAMPLE];
    let sample = Stride::new(stretch, every.max(stretch)).sample(corpora);
    put_number(&mut bytes, sample.num_words() as u64);
    for word in (0..sample.num_words()).map(|word| sample.word(word)) {
        put_number(&mut bytes, word.end - word.start);
    }
    bytes.extend_from_slice(sample.packed());
    bytes
}
