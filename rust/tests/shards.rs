//! Training on shards against training in one place: the same merges, however words are spread and answers are added.
#![allow(clippy::unwrap_used, missing_docs)]

use genotok_core::bpe::MergeTable;
use genotok_core::bpe::train::answer::add;
use genotok_core::bpe::train::shard::answer;
use genotok_core::bpe::train::{
    CorpusShards, MergeOptions, RemoteCorpus, TrainingSummary, WeightedCorpora, train, train_remote,
};
use genotok_core::corpus::{Corpus, from_words};
use genotok_core::error::Result;
use genotok_core::monitor::Monitor;
use genotok_core::testing::{Random, RandomGenome, nasty};
use proptest::prelude::*;

/// Shards in this process, whose answers are added as some tree of random shape would.
struct Here {
    corpora: Vec<Vec<Corpus>>,
    random: Random,
    questions: usize,
}

impl CorpusShards for Here {
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>> {
        self.questions += 1;
        let ask = |corpora: &Vec<Corpus>| answer(corpora, &question, &Monitor::default());
        let mut answers: Vec<Vec<u8>> = self.corpora.iter().map(ask).collect::<Result<_>>()?;
        while answers.len() > 1 {
            let some = usize::try_from(self.random.within(2..=answers.len() as u64)).unwrap();
            let place = usize::try_from(self.random.below((answers.len() - some + 1) as u64)).unwrap();
            let sum = add(&answers.drain(place..place + some).collect::<Vec<_>>())?;
            answers.insert(place, sum);
        }
        Ok(answers.remove(0))
    }
}

fn here(corpora: Vec<Vec<Corpus>>, seed: u64) -> Here {
    Here { corpora, random: Random::new(seed), questions: 0 }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn at_once(corpora: Vec<Corpus>, options: &MergeOptions) -> (MergeTable, TrainingSummary) {
    let texts = [WeightedCorpora { corpora, weight: 1 }];
    let mut table = MergeTable::new();
    let summary =
        in_pool(2, || train(&texts, options, &mut table, &Monitor::default(), |_, _| Ok(()))).unwrap();
    (table, summary)
}

fn on_shards(shards: &mut Here, options: &MergeOptions, known: usize) -> (MergeTable, TrainingSummary) {
    in_pool(2, || {
        let text = RemoteCorpus::of(shards, options).unwrap();
        let mut table = MergeTable::new();
        if known > 0 {
            let first = MergeOptions { num_merges: known, ..options.clone() };
            train_remote(&text, shards, &first, &mut table, &Monitor::default(), |_, _| Ok(())).unwrap();
        }
        let summary =
            train_remote(&text, shards, options, &mut table, &Monitor::default(), |_, _| Ok(())).unwrap();
        (table, summary)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn equals_training_in_one_place(
        seed in any::<u32>(),
        count in 1_u64..14,
        shards in 1_usize..6,
        num_merges in 0_usize..300,
        known in 0_usize..40,
        guess in proptest::option::of(any::<u64>()),
        look_ahead in any::<bool>(),
        both_strands in any::<bool>(),
        word_length in proptest::option::of(1_u64..60),
        max_island_tokens in prop_oneof![1 => Just(0_usize), 2 => 1_usize..300, 3 => Just(1 << 20)],
        max_token_length in proptest::option::of(1_u32..12),
    ) {
        let words: Vec<Vec<u8>> =
            (0..count).map(|word| nasty(u64::from(seed) * 31 + word, 1 << (2 + word % 7))).collect();
        let words: Vec<Vec<u8>> = words.into_iter().filter(|word| !word.is_empty()).chain([b"A".to_vec()]).collect();
        let options = MergeOptions {
            num_merges,
            random_guess: guess,
            look_ahead_from: if look_ahead { 0 } else { u64::MAX },
            both_strands,
            word_length,
            max_island_tokens,
            max_token_length,
            ..MergeOptions::default()
        };
        // Two corpora a shard, and some shards without a word.
        let part = |shard: usize, half: usize| {
            let mine = words.iter().enumerate().filter(|(number, _)| number % shards == shard && number / shards % 2 == half);
            from_words(mine.map(|(_, word)| word)).unwrap()
        };
        let corpora: Vec<Vec<Corpus>> = (0..shards).map(|shard| vec![part(shard, 0), part(shard, 1)]).collect();
        let (table, summary) = at_once(vec![from_words(&words).unwrap()], &options);
        let mut shards = here(corpora, seed.into());
        let (spread, summary_spread) = on_shards(&mut shards, &options, known.min(num_merges));
        prop_assert_eq!(table, spread);
        prop_assert_eq!(summary.tokens, summary_spread.tokens);
    }

    #[test]
    fn what_no_shard_answered_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..7) {
        let mut answer = bytes;
        answer.insert(0, kind);
        add(&[answer.clone(), answer]).ok();
    }
}

#[test]
fn large_vocabularies_share_entries_and_are_the_same() {
    let mut bases = Vec::new();
    RandomGenome::new(9).bases(&mut bases, 1_500_000);
    let corpora: Vec<Corpus> = bases.chunks(300_000).map(|part| from_words([part]).unwrap()).collect();
    let options = MergeOptions { num_merges: 6000, max_island_tokens: 1 << 18, ..MergeOptions::default() };
    let (table, summary) = at_once(corpora.clone(), &options);
    let mut shards = here(corpora.into_iter().map(|corpus| vec![corpus]).collect(), 1);
    let (spread, summary_spread) = on_shards(&mut shards, &options, 0);
    assert_eq!(table.merges().len(), 6000);
    assert_eq!((table, summary.tokens), (spread, summary_spread.tokens));
    assert!(shards.questions < 80, "{}", shards.questions);
}

/// Keeps every question with its answer.
struct Noting<'a>(Here, &'a mut Vec<(Vec<u8>, Vec<u8>)>);

impl CorpusShards for Noting<'_> {
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>> {
        let answer = self.0.ask(question.clone())?;
        self.1.push((question, answer.clone()));
        Ok(answer)
    }
}

#[test]
fn damaged_answers_and_wrong_questions_are_errors() {
    let corpus = from_words([b"ACGTACGTTTTGACGT"]).unwrap();
    let mut questions = Vec::new();
    let mut shards = Noting(here(vec![vec![corpus.clone()]], 1), &mut questions);
    let options = MergeOptions { num_merges: 8, ..MergeOptions::default() };
    let text = RemoteCorpus::of(&mut shards, &options).unwrap();
    let mut table = MergeTable::new();
    train_remote(&text, &mut shards, &options, &mut table, &Monitor::default(), |_, _| Ok(())).unwrap();
    for (question, given) in &questions {
        // Cut anywhere and changed anywhere: an error, or another answer, but no panic and no memory.
        for cut in 0..given.len() {
            add(&[&given[..cut], &given[..]]).ok();
        }
        for place in 0..given.len() {
            let mut changed = given.clone();
            changed[place] ^= 0x55;
            add(&[&changed[..], &given[..]]).ok();
        }
        let text = String::from_utf8(question.clone()).unwrap();
        for wrong in
            [text.replace("\"version\":1", "\"version\":2"), text.replace("merges", "marges"), String::new()]
        {
            assert!(answer(std::slice::from_ref(&corpus), wrong.as_bytes(), &Monitor::default()).is_err());
        }
    }
    assert!(add(&[&questions[0].1, &questions[1].1]).is_err());
    assert!(add(&[] as &[Vec<u8>]).is_err());
}
