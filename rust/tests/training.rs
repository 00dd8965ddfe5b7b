//! The trainer against its definition, on words full of runs and repeats, with every part of it forced to work.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use genotok_core::bpe::encode::{CorpusText, MergeEncoder, NoAutomaton, SegmentQueue, TokenSink};
use genotok_core::bpe::train::{MergeOptions, StopReason, TrainingSummary, WeightedCorpora, train};
use genotok_core::bpe::{MergeTable, Pair, Token};
use genotok_core::corpus::{Corpus, from_words};
use genotok_core::monitor::Monitor;
use genotok_core::testing::{Random, RandomGenome, naive, nasty};
use proptest::prelude::*;

/// Words of one seed: runs, repeats, words of one base, words that occur twice.
fn words(seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let count = 1 + random.below(12);
    let mut words: Vec<Vec<u8>> =
        (0..count).map(|word| nasty(seed * 31 + word, 1 << (2 + word % 7))).collect();
    words.retain(|word| !word.is_empty());
    words.push(b"A".to_vec());
    words.push(words[0].clone());
    words
}

/// Trains on the words, those of one weight spread over so many corpora.
fn run_on(
    words: &[(Vec<u8>, u64)],
    corpora: usize,
    options: &MergeOptions,
    threads: usize,
) -> (MergeTable, TrainingSummary) {
    let mut weights: Vec<u64> = words.iter().map(|&(_, weight)| weight).collect();
    weights.sort_unstable();
    weights.dedup();
    let of = |weight: u64, part: usize| {
        let all = words.iter().filter(|word| word.1 == weight).enumerate();
        from_words(all.filter(|(number, _)| number % corpora == part).map(|(_, word)| &word.0)).unwrap()
    };
    let spread = |weight: u64| (0..corpora).map(|part| of(weight, part)).collect();
    let texts: Vec<WeightedCorpora> =
        weights.iter().map(|&weight| WeightedCorpora { corpora: spread(weight), weight }).collect();
    let mut table = MergeTable::new();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let trained = pool.install(|| train(&texts, options, &mut table, &Monitor::default(), |_, _| Ok(())));
    let summary = trained.unwrap();
    (table, summary)
}

/// The merges of words of which every other one goes to another corpus.
fn run(words: &[(Vec<u8>, u64)], options: &MergeOptions, threads: usize) -> MergeTable {
    run_on(words, 2, options, threads).0
}

fn weighted(words: &[Vec<u8>]) -> Vec<(Vec<u8>, u64)> {
    words.iter().map(|word| (word.clone(), 1)).collect()
}

fn no_limits(merges: usize) -> naive::TrainingLimits {
    naive::TrainingLimits { merges, min_frequency: 0, max_length: u32::MAX }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn equals_the_definition(
        seed in any::<u32>(),
        merges in 0_usize..400,
        threads in 1_usize..4,
        guess in proptest::option::of(any::<u64>()),
        look_ahead in any::<bool>(),
        island_tokens in prop_oneof![Just(0_usize), 1_usize..300, Just(1 << 20)],
        min_frequency in prop_oneof![3 => Just(0_u64), 1 => 1_u64..9],
        max_length in prop_oneof![3 => Just(None), 1 => (1_u32..12).prop_map(Some)],
    ) {
        let words = weighted(&words(seed.into()));
        let options = MergeOptions {
            num_merges: merges,
            random_guess: guess,
            look_ahead_from: if look_ahead { 0 } else { u64::MAX },
            max_island_tokens: island_tokens,
            min_frequency,
            max_token_length: max_length,
            ..MergeOptions::default()
        };
        let limits = naive::TrainingLimits { merges, min_frequency, max_length: max_length.unwrap_or(u32::MAX) };
        prop_assert_eq!(run(&words, &options, threads), naive::train(&words, &limits));
    }

    #[test]
    fn counts_weights_strands_and_pieces(
        seed in any::<u32>(),
        weights in proptest::collection::vec(prop_oneof![1_u64..4, Just(3_000_000_000), Just(1 << 40)], 14),
        piece in proptest::option::of(1_u64..40),
        both_strands in any::<bool>(),
        look_ahead in any::<bool>(),
    ) {
        let words: Vec<(Vec<u8>, u64)> = words(seed.into()).into_iter().zip(weights).collect();
        let options = MergeOptions {
            num_merges: 150,
            word_length: piece,
            both_strands,
            look_ahead_from: if look_ahead { 0 } else { u64::MAX },
            ..MergeOptions::default()
        };
        let pieces = pieces(&words, piece, both_strands);
        prop_assert_eq!(run(&words, &options, 2), naive::train(&pieces, &no_limits(150)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn many_corpora_equal_the_definition(
        seed in any::<u32>(),
        corpora in prop_oneof![1_usize..40, Just(150), Just(700)],
        weights in 1_u64..60,
        threads in 1_usize..4,
        guess in proptest::option::of(any::<u64>()),
        look_ahead in any::<bool>(),
        piece in proptest::option::of(1_u64..40),
        both_strands in any::<bool>(),
    ) {
        let words: Vec<(Vec<u8>, u64)> =
            words(seed.into()).into_iter().zip(0..).map(|(word, number)| (word, 1 + number % weights)).collect();
        let options = MergeOptions {
            num_merges: 120,
            random_guess: guess,
            look_ahead_from: if look_ahead { 0 } else { u64::MAX },
            word_length: piece,
            both_strands,
            ..MergeOptions::default()
        };
        let (table, summary) = run_on(&words, corpora, &options, threads);
        let pieces = pieces(&words, piece, both_strands);
        prop_assert_eq!(&table, &naive::train(&pieces, &no_limits(120)));
        prop_assert_eq!(summary.tokens, tokens_in(&pieces, &table));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    /// Of corpora that a sample must not take whole, or it is as large as the text, and its own sample as well.
    #[test]
    fn many_corpora_of_a_stretch_each_equal_the_definition(
        seed in any::<u32>(),
        corpora in 128_usize..170,
        bases in 8200_usize..9000,
        threads in 1_usize..4,
        both_strands in any::<bool>(),
    ) {
        let mut genome = Vec::new();
        RandomGenome::new(seed.into()).bases(&mut genome, corpora * bases);
        let words: Vec<(Vec<u8>, u64)> = genome.chunks(bases).map(|word| (word.to_vec(), 1)).collect();
        let options = MergeOptions { num_merges: 12, both_strands, ..MergeOptions::default() };
        let (table, summary) = run_on(&words, corpora, &options, threads);
        let pieces = pieces(&words, None, both_strands);
        prop_assert_eq!(&table, &naive::train(&pieces, &no_limits(12)));
        prop_assert_eq!(summary.tokens, tokens_in(&pieces, &table));
        // A weight for each corpus is as many texts as there are corpora.
        let weighted: Vec<(Vec<u8>, u64)> =
            words.into_iter().zip(1..).map(|((word, _), weight)| (word, weight)).collect();
        let together = run_on(&weighted, 1, &MergeOptions { num_merges: 8, ..MergeOptions::default() }, threads).0;
        prop_assert_eq!(&together, &naive::train(&weighted, &no_limits(8)));
    }
}

/// What counts: each word in pieces, on one strand or both.
fn pieces(words: &[(Vec<u8>, u64)], piece: Option<u64>, both_strands: bool) -> Vec<(Vec<u8>, u64)> {
    let mut pieces = Vec::new();
    for (word, weight) in words {
        let length = piece.map_or(word.len(), |piece| usize::try_from(piece).unwrap());
        for cut in word.chunks(length) {
            pieces.push((cut.to_vec(), *weight));
            if both_strands {
                pieces.push((naive::reverse_complement(cut), *weight));
            }
        }
    }
    pieces
}

/// The tokens of all words, each as often as it counts.
fn tokens_in(words: &[(Vec<u8>, u64)], table: &MergeTable) -> u64 {
    let encoder = MergeEncoder::new(table);
    let of = |(word, weight): &(Vec<u8>, u64)| encoder.encode(&codes(word)).len() as u64 * weight;
    words.iter().map(of).sum()
}

fn codes(word: &[u8]) -> Vec<u8> {
    word.iter().map(|&symbol| b"ACGT".iter().position(|&base| base == symbol).unwrap() as u8).collect()
}

#[test]
fn counts_beyond_32_bits() {
    // (T, T) occurs 2^33 times; in 32 bits its count would be 0, and as a signed number 2^31 of (C, C) would be negative.
    let words = vec![(b"TT".to_vec(), 1 << 33), (b"CC".to_vec(), 1 << 31), (b"GG".to_vec(), 5)];
    let table = run(&words, &MergeOptions { num_merges: 3, ..MergeOptions::default() }, 2);
    assert_eq!(table.merges(), [(3, 3), (1, 1), (2, 2)]);
}

#[test]
fn a_run_of_one_base_neither_fills_the_memory_nor_hangs() {
    let words = vec![(vec![b'A'; 1_000_000], 1)];
    let options = MergeOptions { num_merges: 100, max_island_tokens: 1000, ..MergeOptions::default() };
    let table = run(&words, &options, 2);
    assert_eq!(table.merges()[..4], [(0, 0), (4, 4), (5, 5), (6, 6)]);
}

#[test]
fn says_why_it_stopped_and_how_many_tokens_there_are() {
    let corpus = || from_words([&b"ACACACGT"[..], b"ACGT"]).unwrap();
    let stop = |options: &MergeOptions, table: &mut MergeTable| {
        let texts = [WeightedCorpora { corpora: vec![corpus()], weight: 1 }];
        let summary = train(&texts, options, table, &Monitor::default(), |_, _| Ok(())).unwrap();
        let encoder = MergeEncoder::new(table);
        let tokens =
            [&[0, 1, 0, 1, 0, 1, 2, 3][..], &[0, 1, 2, 3]].map(|word| encoder.encode(word).len() as u64);
        assert_eq!(summary.tokens, tokens.iter().sum::<u64>());
        summary.stop
    };
    for look_ahead_from in [0, u64::MAX] {
        let options = MergeOptions { look_ahead_from, ..MergeOptions::default() };
        let full = MergeOptions { num_merges: 2, ..options.clone() };
        assert_eq!(stop(&full, &mut MergeTable::new()), StopReason::Full);
        assert_eq!(stop(&full, &mut MergeTable::from_merges([(0, 1)]).unwrap()), StopReason::Full);
        assert_eq!(stop(&options, &mut MergeTable::new()), StopReason::NoPairLeft);
        let rare = MergeOptions { min_frequency: 3, ..options };
        assert_eq!(stop(&rare, &mut MergeTable::new()), StopReason::MinFrequency);
    }
}

#[test]
fn without_an_automaton_the_summary_says_why() {
    // A token for each length up to 65,537: two thousand million symbols, whose prefixes would not fit into memory.
    let staircase: Vec<Pair> = (0..65_536).map(|step| (if step == 0 { 0 } else { step + 3 }, 0)).collect();
    let mut table = MergeTable::from_merges(staircase).unwrap();
    let count = 3 + (1..=65_537).sum::<usize>();
    let reason = NoAutomaton::TooMany { what: "symbols in all tokens", count };
    assert_eq!(MergeEncoder::new(&table).why_no_automaton(), Some(&reason));
    assert_eq!(MergeEncoder::new(&table.truncated(1)).why_no_automaton(), None);

    let texts = [WeightedCorpora { corpora: vec![from_words([b"CCGCC"]).unwrap()], weight: 1 }];
    let options = MergeOptions { num_merges: 65_537, ..MergeOptions::default() };
    let summary = train(&texts, &options, &mut table, &Monitor::default(), |_, _| Ok(())).unwrap();
    assert_eq!(summary.why_no_automaton, Some(reason));
    assert_eq!(table.parts(65_540), Some((1, 1)));
}

#[test]
fn a_cancelled_training_ends() {
    let texts = [WeightedCorpora { corpora: vec![from_words([b"ACGTACGT"]).unwrap()], weight: 1 }];
    let monitor = Monitor::default();
    monitor.cancel();
    let result = train(&texts, &MergeOptions::default(), &mut MergeTable::new(), &monitor, |_, _| Ok(()));
    assert!(matches!(result, Err(genotok_core::Error::Interrupted)));
}

/// Collects the tokens of one segment a thread.
#[derive(Default)]
struct Collector {
    lanes: [Vec<Token>; 4],
    done: Vec<Vec<Token>>,
}

impl TokenSink for Collector {
    fn tokens(&mut self, lane: usize, tokens: &[Token], _continuing: bool) {
        self.lanes[lane].extend_from_slice(tokens);
    }

    fn end(&mut self, lane: usize) {
        self.done.push(std::mem::take(&mut self.lanes[lane]));
    }
}

fn encode_in_segments(
    encoder: &MergeEncoder,
    separator: Token,
    corpus: &Corpus,
    bases: u64,
    reverse: bool,
) -> Vec<Token> {
    let text = CorpusText { corpora: std::slice::from_ref(corpus), word_length: None, reverse };
    let (segments, _) = encoder.segments(text, bases, |_| true);
    let mut tokens: Vec<Vec<Token>> = Vec::new();
    for segment in segments {
        let mut collector = Collector::default();
        encoder.run(text, &SegmentQueue::new(vec![segment]), &mut collector, &Monitor::default()).unwrap();
        tokens.extend(collector.done);
    }
    if reverse {
        tokens.reverse();
    }
    tokens.concat().into_iter().filter(|&token| token != separator).collect()
}

#[test]
fn seams_and_blocks_do_not_show() {
    let mut genome = Vec::new();
    RandomGenome::new(3).with_n(false).bases(&mut genome, 400_000);
    // Long runs and a short period, in which states never agree, and blocks that end within them.
    genome.splice(100_000..100_000, std::iter::repeat_n(b'A', 50_001));
    genome.splice(250_000..250_000, b"ACG".repeat(20_000));
    let corpus = from_words([&genome]).unwrap();
    let mut table = MergeTable::new();
    let texts = [WeightedCorpora { corpora: vec![corpus.clone()], weight: 1 }];
    let options = MergeOptions { num_merges: 600, ..MergeOptions::default() };
    let summary = train(&texts, &options, &mut table, &Monitor::default(), |_, _| Ok(())).unwrap();
    let encoder = MergeEncoder::new(&table);
    let whole = encoder.encode(&codes(&genome));
    assert_eq!(summary.tokens, whole.len() as u64);
    let back = encoder.encode(&codes(&naive::reverse_complement(&genome)));
    for bases in [9_000, 70_000, 1 << 30] {
        assert_eq!(encode_in_segments(&encoder, table.num_tokens(), &corpus, bases, false), whole, "{bases}");
        assert_eq!(encode_in_segments(&encoder, table.num_tokens(), &corpus, bases, true), back, "{bases}");
    }
}

/// What the rounds of a training did, on one thread: merges in the table, pairs guessed, different islands, count of theta.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn work(words: &[Vec<u8>], options: &MergeOptions) -> Vec<[u64; 4]> {
    let texts = [WeightedCorpora { corpora: vec![from_words(words).unwrap()], weight: 1 }];
    let (mut table, mut rounds) = (MergeTable::new(), Vec::new());
    let note = |_: &MergeTable, round: &genotok_core::bpe::train::Round| {
        rounds.push([round.merges as u64, round.guessed_pairs as u64, round.islands as u64, round.theta]);
        Ok(())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| train(&texts, options, &mut table, &Monitor::default(), note)).unwrap();
    rounds
}

/// Guesses, samples and bounds change the work of training and never its merges, so only this test sees them change. Where
/// a change is meant, `python -m benchmarks.train` says whether it is faster, and the figures here are renewed. Other
/// machines may round a guess otherwise.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn training_does_the_work_that_is_recorded() {
    let mut genome = RandomGenome::new(7);
    let words: Vec<Vec<u8>> = (1..=40)
        .map(|number| {
            let mut word = Vec::new();
            genome.bases(&mut word, 250 * number);
            word
        })
        .collect();
    let plain = MergeOptions { num_merges: 1000, ..MergeOptions::default() };
    let recorded: [(MergeOptions, &[[u64; 4]]); 3] = [
        (
            MergeOptions { look_ahead_from: u64::MAX, ..plain },
            &[
                [2, 2, 39, 16997],
                [2, 3, 23, 11453],
                [10, 16, 10207, 3633],
                [15, 19, 1025, 1955],
                [32, 54, 5400, 712],
                [83, 179, 7838, 180],
                [273, 914, 9211, 33],
                [1000, 3164, 6953, 5],
            ],
        ),
        (
            MergeOptions { look_ahead_from: 0, both_strands: true, ..plain },
            &[
                [17, 0, 0, 0],
                [28, 22, 1493, 1693],
                [37, 48, 2104, 951],
                [85, 124, 9198, 355],
                [167, 328, 9341, 132],
                [498, 2125, 14841, 33],
                [1000, 2264, 7716, 11],
            ],
        ),
        (
            MergeOptions { max_island_tokens: 5000, min_frequency: 12, max_token_length: Some(9), ..plain },
            &[
                [2, 2, 39, 16997],
                [2, 3, 23, 11453],
                [4, 4, 2, 9892],
                [4, 3, 1, 9262],
                [8, 7, 383, 4923],
                [9, 4, 2, 3789],
                [12, 9, 78, 2426],
                [18, 16, 428, 1623],
                [25, 16, 328, 1101],
                [32, 20, 182, 712],
                [46, 45, 961, 376],
                [66, 50, 884, 270],
                [89, 56, 751, 159],
                [110, 72, 463, 110],
                [150, 82, 347, 77],
                [173, 77, 304, 65],
                [209, 85, 340, 51],
                [260, 146, 657, 36],
                [317, 151, 414, 27],
                [387, 171, 321, 21],
                [500, 288, 617, 16],
                [657, 530, 980, 10],
            ],
        ),
    ];
    let done = recorded.map(|(options, expected)| (work(&words, &options), expected));
    assert!(done.iter().all(|(work, expected)| work == expected), "{done:?}");
}
