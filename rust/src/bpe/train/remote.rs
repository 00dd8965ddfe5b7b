//! A text that other processes hold: shards, known by their answers.
//!
//! The merges are those of a local text, to the bit (`protocol`). What differs is where time goes:
//! a pass is one question and one answer, so a round costs the slowest shard, and the answers, some
//! megabytes each, on the way.

use super::answer::{self, absorb, body, read_pairs, read_tokens};
use super::corpora::Corpora;
use super::counted::PassCounts;
use super::counts::PairCounter;
use super::options::{MergeOptions, WeightedCorpora};
use super::pass::TrainingText;
use super::protocol::{About, question};
use super::sample::STRETCH;
use super::wire::{VarintReader, damaged};
use crate::bpe::encode::MergeEncoder;
use crate::bpe::{MergeTable, Pair};
use crate::corpus::{Contents, Corpus};
use crate::error::Result;
use crate::monitor::Monitor;

/// The shards of a corpus, wherever they are: all are asked at once, and their answers come back as
/// one.
pub trait CorpusShards: Send + Sync {
    /// The sum ([`add`](super::answer::add)) of the answers of all shards to a question.
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>>;
}

/// A corpus that is on shards: its contents, and a sample that is in memory here.
#[derive(Debug)]
pub struct RemoteCorpus {
    /// The contents of all shards together.
    pub contents: Contents,
    /// Words after they were cut as the options say.
    pub pieces: u64,
    sample: [WeightedCorpora; 1],
}

/// Bases of the sample, at most: 8 MiB on the way and in memory.
const MAX_SAMPLED: u64 = 1 << 25;
/// Bases of the sample, at least, or all there are.
const MIN_SAMPLED: u64 = 1 << 21;
/// Bases of the text per base of the sample, between these limits.
const SAMPLED_SHARE: u64 = 16;

impl RemoteCorpus {
    /// Asks for the contents and a sample: two questions. Fails if the shards do, or if an answer
    /// is damaged.
    pub fn of(shards: &mut dyn CorpusShards, options: &MergeOptions) -> Result<Self> {
        let nothing = MergeTable::new();
        let mut ask = |about| shards.ask(question(&nothing, options, about)?);
        let (contents, pieces) = answer::read_contents(body(&ask(About::Contents)?, answer::CONTENTS)?)?;
        let wanted = (contents.bases / SAMPLED_SHARE).clamp(MIN_SAMPLED, MAX_SAMPLED);
        let stretch = if wanted >= contents.bases { contents.bases.max(1) } else { STRETCH };
        let every = if wanted >= contents.bases { stretch } else { contents.bases / (wanted / stretch) };
        let sampled = ask(About::Sample { stretch, every })?;
        let sample = read_sample(body(&sampled, answer::SAMPLE)?, 4 * MAX_SAMPLED)?;
        Ok(Self { contents, pieces, sample: [WeightedCorpora { corpora: vec![sample], weight: 1 }] })
    }
}

/// A remote corpus as a text to train on.
pub(super) struct RemoteText<'a> {
    corpus: &'a RemoteCorpus,
    shards: &'a mut dyn CorpusShards,
    options: &'a MergeOptions,
    monitor: &'a Monitor,
}

impl<'a> RemoteText<'a> {
    /// The corpus, read as `options` say by the shards that it was asked of.
    pub(super) fn new(
        corpus: &'a RemoteCorpus,
        shards: &'a mut dyn CorpusShards,
        options: &'a MergeOptions,
        monitor: &'a Monitor,
    ) -> Self {
        Self { corpus, shards, options, monitor }
    }

    /// The sum of all answers to a question about the text under `table`. An interrupt is noticed
    /// before, not while waiting.
    fn ask(&mut self, table: &MergeTable, about: About) -> Result<Vec<u8>> {
        self.monitor.check()?;
        self.shards.ask(question(table, self.options, about)?)
    }
}

impl TrainingText for RemoteText<'_> {
    fn bases(&self) -> u64 {
        self.corpus.contents.bases * self.held().strands()
    }

    /// Shards have no weights: each word counts once.
    fn weighted_bases(&self) -> u64 {
        self.bases()
    }

    /// The sample, from which each round samples again.
    fn held(&self) -> Corpora<'_> {
        Corpora::new(&self.corpus.sample, self.options)
    }

    /// The sample is one text, and stands for the whole.
    fn represented(&self, _: u64) -> u64 {
        self.corpus.contents.bases
    }

    /// The sum of what the shards counted is what one thread of this process might have found: so
    /// it goes to the first finder, and the others stay empty. The capacity for islands holds for
    /// each shard and, after them, for the sum.
    fn pass(
        &mut self,
        table: &MergeTable,
        _: &MergeEncoder,
        guess: &[Pair],
        counted: &mut PassCounts,
    ) -> Result<Vec<(Pair, u64)>> {
        let max_island_tokens = self.options.max_island_tokens;
        let found = self.ask(table, About::Pass { guess: guess.to_vec(), max_island_tokens })?;
        counted.start(table.num_tokens(), guess, max_island_tokens);
        self.monitor.add_bases(self.bases());
        absorb(&mut counted.finders[0], &found)
    }

    /// Shards know the entries by the numbers of tokens in the table that they are given.
    fn counts_new_pairs(&self) -> bool {
        false
    }

    /// Names the entries to the shards; pairs have the same entries there. Fails on tokens that are
    /// not in the table.
    fn count_shared(
        &mut self,
        table: &MergeTable,
        _: &MergeEncoder,
        counted: &PassCounts,
        least: u64,
    ) -> Result<Vec<(Pair, u64)>> {
        let entries = PairCounter::shared_from(&counted.tables(), least);
        let found = read_pairs(body(&self.ask(table, About::Entries(entries))?, answer::PAIRS)?)?;
        let is_there = |&(pair, _): &(Pair, u64)| pair.0.max(pair.1) < table.num_tokens();
        if found.iter().all(is_there) { Ok(found) } else { Err(damaged()) }
    }

    fn count_tokens(&mut self, table: &MergeTable) -> Result<u64> {
        read_tokens(body(&self.ask(table, About::Tokens)?, answer::TOKENS)?)
    }
}

/// The sample that all shards gave parts of, of `most` bases in all at most.
///
/// Each part: the number of words, their lengths in bases, their bases at four per byte, a word
/// starting with a byte.
fn read_sample(body: &[u8], most: u64) -> Result<Corpus> {
    let mut numbers = VarintReader(body);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bpe::train::shard::answer;

    /// A corpus of this process.
    struct Here(Corpus);

    impl CorpusShards for Here {
        fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>> {
            answer(std::slice::from_ref(&self.0), &question, &Monitor::default())
        }
    }

    #[test]
    fn a_small_text_is_sampled_as_a_whole_and_of_a_large_one_stretches() {
        for (bases, words, sampled) in [(1000, 1, 1000), (1 << 21, 1, 1 << 21), (1 << 23, 256, 1 << 21)] {
            let corpus = Corpus::from_packed(&[bases], vec![0; usize::try_from(bases / 4).unwrap()]);
            let found = RemoteCorpus::of(&mut Here(corpus), &MergeOptions::default()).unwrap();
            assert_eq!((found.contents.bases, found.pieces), (bases, 1));
            let contents = found.sample[0].corpora[0].contents();
            assert_eq!((contents.words, contents.bases), (words, sampled));
        }
    }

    #[test]
    fn a_sample_that_no_shard_sends_is_refused() {
        // Two words of five bases and of one, in two bytes and in one.
        let sent = [2, 5, 1, 0x1B, 0, 1];
        let sample = read_sample(&[&sent[..], &[1, 4, 0xE4]].concat(), 11).unwrap();
        assert_eq!((0..3).map(|word| sample.word(word)).collect::<Vec<_>>(), [0..5, 8..9, 12..16]);
        assert_eq!(sample.packed(), [0x1B, 0, 1, 0xE4]);
        assert!(read_sample(&[2, 3, 3, 0, 0], 6).is_ok());
        assert!(read_sample(&[2, 3, 3, 0, 0], 5).is_err(), "more bases than were asked for");
        assert!(read_sample(&sent[..5], 11).is_err(), "a byte is missing");
        assert!(read_sample(&[2, 5, 0, 0x1B, 0], 11).is_err(), "a word without a base");
    }
}
