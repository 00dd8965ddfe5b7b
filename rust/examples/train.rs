//! Trains on files and prints the rounds: `cargo run --release --example train -- vocab word_length|0 files...`
#![allow(clippy::unwrap_used)]
use genotok_core::bpe::{MergeTable, train::*};
use genotok_core::{corpus, monitor::Monitor};
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let monitor = Monitor::default();
    let start = Instant::now();
    let corpora = args[2..].iter().map(|path| corpus::read(path.as_ref(), &monitor).unwrap()).collect();
    eprintln!("read {:?}", start.elapsed());
    let word: u64 = args[1].parse().unwrap();
    let options = Options {
        num_merges: args[0].parse::<usize>().unwrap() - 9,
        word_length: (word > 0).then_some(word),
        ..Options::default()
    };
    let mut table = MergeTable::new();
    let summary = train(&[Weighted { corpora, weight: 1 }], &options, &mut table, &monitor, |_, round| {
        eprintln!("{:3} {:5} S {:6} islands {:8} theta {:8} {:?}", round.round, round.merges, round.guessed_pairs, round.islands, round.theta, round.times);
        Ok(())
    })
    .unwrap();
    eprintln!("{:?} {} tokens, {:?}", summary.stop, summary.tokens, start.elapsed());
    for &(left, right) in table.merges() {
        println!("{} {}", table.letters(left), table.letters(right));
    }
}
