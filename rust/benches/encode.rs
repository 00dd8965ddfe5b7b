//! How fast sequences in memory become ids: a chromosome, windows of 1 kb, reads of 150 bases, one short call.
//!
//! `cargo bench -p genotok-core --bench encode -- tokenizer.json genome.fa` prints Gbp/s on one thread and on two, the
//! best of several runs; without arguments a simulated genome and a vocabulary trained on it.

use std::path::Path;
use std::time::Instant;

use genotok_core::batch::{EncodeOptions, Sequences};
use genotok_core::bpe::MergeTable;
use genotok_core::bpe::train::{MergeOptions, WeightedCorpora, train};
use genotok_core::corpus::from_words;
use genotok_core::testing::RandomGenome;
use genotok_core::{Monitor, Result, Tokenizer};

const RUNS: usize = 15;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let genome = match arguments.get(1) {
        Some(path) => read(Path::new(path)),
        None => simulated(64_000_000),
    };
    let tokenizer = match arguments.first() {
        Some(path) => Tokenizer::from_file(Path::new(path))?,
        None => trained()?,
    };
    let start = Instant::now();
    let size = tokenizer.automaton_size();
    println!("automaton: {size:?} (states, bytes), built in {:.1?}", start.elapsed());
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.into_iter().for_each(|pool| pool.install(|| measure_all(&tokenizer, &genome, threads)));
    }
    measure_short(&tokenizer, &genome)
}

/// The sequence of all records of a plain FASTA file, upper case.
fn read(path: &Path) -> Vec<u8> {
    let text = std::fs::read(path).unwrap_or_default();
    let lines = text.split(|&byte| byte == b'\n').filter(|line| line.first() != Some(&b'>'));
    lines.flatten().map(u8::to_ascii_uppercase).collect()
}

fn simulated(bases: usize) -> Vec<u8> {
    let mut genome = Vec::new();
    RandomGenome::new(1).with_n(true).bases(&mut genome, bases);
    genome
}

fn trained() -> Result<Tokenizer> {
    let texts = [WeightedCorpora { corpora: vec![from_words([simulated(8_000_000)])?], weight: 1 }];
    let mut table = MergeTable::new();
    train(&texts, &MergeOptions::default(), &mut table, &Monitor::default(), |_, _| Ok(()))?;
    Tokenizer::new(table, &["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"].map(str::to_owned))
}

fn measure_all(tokenizer: &Tokenizer, genome: &[u8], threads: usize) {
    for (name, length) in [("chromosome", genome.len()), ("1 kb", 1000), ("150 bases", 150)] {
        let mut offsets: Vec<usize> = (0..genome.len()).step_by(length.max(1)).collect();
        offsets.push(genome.len());
        let sequences = Sequences { bytes: genome, offsets: &offsets };
        let (options, monitor) = (EncodeOptions::default(), Monitor::default());
        let ids = best(|| tokenizer.encode_batch(sequences, &options, &monitor).map(|done| done.ids.len()));
        let count = best(|| tokenizer.count_tokens(sequences, &options, &monitor).map(|done| done.len()));
        let rate = |seconds: f64| gigabases(genome.len()) / seconds;
        println!("{threads} threads, {name:10}: {:.3} Gbp/s, counting only {:.3}", rate(ids), rate(count));
    }
}

fn measure_short(tokenizer: &Tokenizer, genome: &[u8]) -> Result<()> {
    let middle = genome.len() / 4;
    let short = String::from_utf8_lossy(&genome[middle..genome.len().min(middle + 500)]).into_owned();
    tokenizer.encode(&short)?;
    let seconds = best(|| (0..1000).try_for_each(|_| tokenizer.encode(&short).map(|_| ())));
    println!("one call of {} bases: {:.2} microseconds", short.len(), seconds * 1e3);
    Ok(())
}

/// The shortest of several runs, in seconds.
fn best<T>(mut work: impl FnMut() -> Result<T>) -> f64 {
    let time = |_| {
        let start = Instant::now();
        let _ = std::hint::black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..RUNS).map(time).fold(f64::MAX, f64::min)
}

#[allow(clippy::cast_precision_loss)]
fn gigabases(bases: usize) -> f64 {
    bases as f64 / 1e9
}
