//! Training on shards that are elsewhere: what is asked of them, and how each answers.
//!
//! A *shard* is some corpora that one process holds. The round loop of [`super::train`] needs few answers of a text, and all
//! of them add up ([`super::answer`]):
//!
//! - once, what is in it, and a sample: stretches from all over the text, 8 MB at most, which steers every guess from
//!   then on, so that no guess has to ask again;
//! - each round, one pass for a guessed set `S`: pair counts, islands, and the pairs across cuts;
//! - if pairs share entries of the table and the last round made no merge, the counts of the pairs in some entries;
//! - after a run that did not see every merge, the number of tokens.
//!
//! So the merges are those of training in one process, to the bit, whatever the number of shards and whoever holds
//! them: what is committed depends on sums alone, and guesses and samples only decide how many rounds it takes.
//!
//! A question is JSON, and goes to all shards as it is; an answer is bytes. Nothing here knows how they travel.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::answer::{self, body};
use super::counts::hashed_entry;
use super::encode::Encoder;
use super::guess::Sampler;
use super::train::{Options, Trainer, Weighted};
use super::wire::{Numbers, damaged, put};
use super::{MergeTable, Pair};
use crate::corpus::{Contents, Corpus, Stride};
use crate::error::{Error, Result};
use crate::monitor::Monitor;

/// Of a question; a shard of another version does not answer.
const VERSION: u32 = 1;

/// Whoever asks all shards and adds up their answers.
pub trait Shards: Send + Sync {
    /// The sum ([`add`](super::answer::add)) of the answers of all shards to a question.
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>>;
}

/// What all shards are asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    version: u32,
    merges: Vec<Pair>,
    word_length: Option<u64>,
    both_strands: bool,
    about: About,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum About {
    /// What is in the shard.
    Contents,
    /// Stretches of so many bases, every so many.
    Sample { stretch: u64, every: u64 },
    /// One pass that may keep `room` tokens of islands.
    Pass { guess: Vec<Pair>, room: usize },
    /// The counts of all pairs that share these entries of the table.
    Entries(Vec<u32>),
    /// The number of tokens.
    Tokens,
}

/// A question as it travels.
pub(super) fn question(table: &MergeTable, options: &Options, about: About) -> Result<Vec<u8>> {
    let Options { word_length, both_strands, .. } = *options;
    let asked =
        Question { version: VERSION, merges: table.merges().to_vec(), word_length, both_strands, about };
    serde_json::to_vec(&asked).map_err(|error| Error::argument("question", &"", error.to_string()))
}

/// What a shard answers to a question. Runs on the threads of the present pool. Cost: that of what is asked, a pass over
/// the shard at most; memory as for [`train`](super::train::train).
pub fn answer(corpora: &[Corpus], asked: &[u8], monitor: &Monitor) -> Result<Vec<u8>> {
    let not_one = |reason: String| Error::argument("question", &"bytes", reason);
    let question: Question = serde_json::from_slice(asked).map_err(|error| not_one(error.to_string()))?;
    if question.version != VERSION {
        let found = question.version;
        return Err(not_one(format!("is of version {found}; this genotok answers version {VERSION}")));
    }
    let table = MergeTable::from_merges(question.merges)?;
    let Options { island_room, .. } = Options::default();
    let options = Options {
        word_length: question.word_length.filter(|&length| length > 0),
        both_strands: question.both_strands,
        ..Options::default()
    };
    match question.about {
        About::Contents => Ok(answer_contents(corpora, options.word_length)),
        About::Sample { stretch, every } => Ok(answer_sample(corpora, stretch.max(1), every.max(1))),
        About::Pass { guess, room } => {
            if let Some(&pair) = guess.iter().find(|pair| pair.0.max(pair.1) >= table.num_tokens()) {
                return Err(not_one(format!("guesses the pair {pair:?} of tokens that are not there")));
            }
            let options = Options { island_room: room.min(island_room), ..options };
            let texts = [weighted(corpora)];
            let mut trainer = Trainer::new(&texts, &options, monitor);
            let parted = trainer.pass(&table, &Encoder::new(&table), &guess)?;
            Ok(answer::pass(&mut trainer.finders, &parted))
        }
        About::Entries(entries) => answer_entries(corpora, &options, &table, entries, monitor),
        About::Tokens => {
            let texts = [weighted(corpora)];
            Trainer::new(&texts, &options, monitor).recount(&table).map(answer::tokens)
        }
    }
}

fn weighted(corpora: &[Corpus]) -> Weighted {
    Weighted { corpora: corpora.to_vec(), weight: 1 }
}

fn answer_contents(corpora: &[Corpus], word_length: Option<u64>) -> Vec<u8> {
    let mut contents = Contents::default();
    corpora.iter().for_each(|corpus| contents.add(corpus.contents()));
    let pieces = corpora.iter().map(|corpus| corpus.num_pieces(word_length)).sum();
    answer::contents(&contents, pieces)
}

fn answer_sample(corpora: &[Corpus], stretch: u64, every: u64) -> Vec<u8> {
    let mut bytes = vec![answer::SAMPLE];
    let sample = Stride::new(stretch, every.max(stretch)).sample(corpora);
    put(&mut bytes, sample.num_words() as u64);
    for word in (0..sample.num_words()).map(|word| sample.word(word)) {
        put(&mut bytes, word.end - word.start);
    }
    bytes.extend_from_slice(sample.packed());
    bytes
}

/// Counts pairs in some entries of the table, which has one for several pairs.
fn answer_entries(
    corpora: &[Corpus],
    options: &Options,
    table: &MergeTable,
    entries: Vec<u32>,
    monitor: &Monitor,
) -> Result<Vec<u8>> {
    let wanted: FxHashSet<u32> = entries.into_iter().collect();
    let texts = [weighted(corpora)];
    let trainer = Trainer::new(&texts, options, monitor);
    let mut counts: FxHashMap<Pair, u64> = FxHashMap::default();
    for (text, _) in trainer.views() {
        let is_wanted = |pair| u32::try_from(hashed_entry(pair)).is_ok_and(|entry| wanted.contains(&entry));
        let make = || Sampler::new(table.num_tokens(), is_wanted);
        for sampler in trainer.count_all(text, &Encoder::new(table), make)? {
            #[allow(clippy::iter_over_hash_type)] // sums
            for (pair, count) in sampler.counts {
                *counts.entry(pair).or_insert(0) += count;
            }
        }
    }
    Ok(answer::pairs(answer::summed(counts.into_iter().collect())))
}

/// A text that is on shards: what is in it, and a sample that is here.
#[derive(Debug)]
pub struct Elsewhere {
    /// What is in all shards.
    pub contents: Contents,
    /// Words after they were cut as the options say.
    pub pieces: u64,
    pub(super) sample: [Weighted; 1],
}

/// Bases of the sample, at most and at least, and their share of the text.
const MOST_SAMPLED: u64 = 1 << 25;
const LEAST_SAMPLED: u64 = 1 << 21;
const SAMPLED_SHARE: u64 = 16;

impl Elsewhere {
    /// Asks what is there.
    pub fn of(shards: &mut dyn Shards, options: &Options) -> Result<Self> {
        let nothing = MergeTable::new();
        let mut ask = |about| shards.ask(question(&nothing, options, about)?);
        let (contents, pieces) = answer::read_contents(body(&ask(About::Contents)?, answer::CONTENTS)?)?;
        let wanted = (contents.bases / SAMPLED_SHARE).clamp(LEAST_SAMPLED, MOST_SAMPLED);
        let stretch = if wanted >= contents.bases { contents.bases.max(1) } else { super::guess::STRETCH };
        let every = if wanted >= contents.bases { stretch } else { contents.bases / (wanted / stretch) };
        let sampled = ask(About::Sample { stretch, every })?;
        let sample = read_sample(body(&sampled, answer::SAMPLE)?, 4 * MOST_SAMPLED)?;
        Ok(Self { contents, pieces, sample: [Weighted { corpora: vec![sample], weight: 1 }] })
    }
}

/// The sample that all shards gave parts of, of `most` bases in all at most.
fn read_sample(body: &[u8], most: u64) -> Result<Corpus> {
    let mut numbers = Numbers(body);
    let (mut lengths, mut arena) = (Vec::new(), Vec::new());
    let mut bases = 0;
    while !numbers.0.is_empty() {
        let known = lengths.len();
        for _ in 0..numbers.count()? {
            lengths.push(numbers.below(most)?);
        }
        let part = &lengths[known..];
        if part.contains(&0) {
            return Err(damaged());
        }
        let bytes: u64 = part.iter().map(|length| length.div_ceil(4)).sum();
        bases += part.iter().sum::<u64>();
        if bases > most {
            return Err(damaged());
        }
        #[allow(clippy::cast_possible_truncation)] // below `most`
        arena.extend_from_slice(numbers.bytes(bytes as usize)?);
    }
    Ok(Corpus::from_packed(&lengths, arena))
}
