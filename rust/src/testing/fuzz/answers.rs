//! What shards of a distributed training send each other.

use super::input::Knobs;
use crate::bpe::MergeTable;
use crate::bpe::train::{CorpusShards, MergeOptions, RemoteCorpus, answer, shard, train_remote};
use crate::corpus::{Corpus, from_words};
use crate::error::Result;
use crate::monitor::Monitor;

/// The corpora of two shards.
fn corpora() -> [Vec<Corpus>; 2] {
    let [first, second] = ["ACGTACGTTTTTTACGA", "GATTACAGATTACA"];
    [first, second].map(|word| vec![from_words([word, "ACAC"]).unwrap()])
}

/// Answers of any bytes are refused or summed; a sum is an answer, and is its own sum.
pub(super) fn answers(data: &[u8]) {
    let mut knobs = Knobs(data);
    let length = usize::from(knobs.byte()) | usize::from(knobs.byte()) << 8;
    let (first, second) = (knobs.take(length), knobs.0);
    // A pass of many tokens has a table of 32 MiB: rarely, for it takes milliseconds.
    let has_many = matches!(first, [3, low, high, ..] if *low >= 128 && *high > 3);
    if has_many && length % 64 != 63 {
        return;
    }
    let Ok(one) = answer::add(&[first]) else { return };
    assert_same(&answer::add(&[&one]).expect("a sum is an answer"), &one);
    let Ok(both) = answer::add(&[first, second]) else { return };
    let other = answer::add(&[second]).expect("it was added");
    assert_same(&answer::add(&[&one, &other]).expect("sums are answers"), &both);
    if one[0] != answer::SAMPLE {
        assert_same(&answer::add(&[second, first]).expect("in any order"), &both);
    }
}

/// Islands have no order; all else of two sums is equal.
fn assert_same(one: &[u8], other: &[u8]) {
    let [one, other] = [one, other].map(|sum| answer::ordered(sum).expect("a sum is an answer"));
    assert_eq!(one, other);
}

/// Questions of any bytes are refused or answered, and the answers of shards add up.
pub(super) fn questions(data: &[u8]) {
    let answered = corpora().map(|corpora| shard::answer(&corpora, data, &Monitor::default()));
    assert_eq!(answered[0].is_ok(), answered[1].is_ok());
    if let [Ok(one), Ok(two)] = answered {
        answer::add(&[one, two]).expect("answers to one question");
    }
}

/// Two shards whose answers are damaged in some places.
struct DamagedShards<'a> {
    corpora: [Vec<Corpus>; 2],
    knobs: Knobs<'a>,
    questions: usize,
}

impl CorpusShards for DamagedShards<'_> {
    fn ask(&mut self, question: Vec<u8>) -> Result<Vec<u8>> {
        self.questions += 1;
        assert!(self.questions < 2000, "training asks without end");
        let monitor = Monitor::default();
        let mut answers = Vec::new();
        for corpora in &self.corpora {
            let mut bytes = shard::answer(corpora, &question, &monitor).expect("a question is answered");
            for _ in 0..self.knobs.below(3) {
                let (at, change) = (usize::from(self.knobs.byte()), self.knobs.byte());
                match bytes.get_mut(at) {
                    Some(byte) => *byte ^= change,
                    None => bytes.push(change),
                }
            }
            answers.push(bytes);
        }
        answer::add(&answers)
    }
}

/// Training on shards that lie ends, with an error or with merges.
pub(super) fn remote(data: &[u8]) {
    let mut knobs = Knobs(data);
    let options = MergeOptions {
        num_merges: knobs.below(12),
        both_strands: knobs.below(2) == 1,
        look_ahead_from: if knobs.below(2) == 1 { 0 } else { u64::MAX },
        ..MergeOptions::default()
    };
    let mut shards = DamagedShards { corpora: corpora(), knobs, questions: 0 };
    let Ok(corpus) = RemoteCorpus::of(&mut shards, &options) else { return };
    let mut table = MergeTable::new();
    let trained =
        train_remote(&corpus, &mut shards, &options, &mut table, &Monitor::default(), |_, _| Ok(()));
    assert!(trained.is_err() || table.merges().len() <= options.num_merges);
}
