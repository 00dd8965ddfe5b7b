//! How fast k-mers are encoded, on one core: `cargo run --release -p genotok-core --example kmers [megabases]`.
//!
//! From bases in memory to ids in memory that is in use already; the best of fifteen times each. `N in 100` has an
//! N at every hundredth place, `mixed` a lower-case base, which no k-mer here knows, at every tenth;
//! `reads` are of 150 bases, and `counted` makes no ids.

use std::time::Instant;

use genotok_core::kmer::{IdWidth, Kmer, KmerOptions};
use genotok_core::testing::RandomGenome;

const ROUNDS: usize = 15;
const FIRST: u32 = 5;

fn main() {
    let megabases = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(16);
    let mut clean = Vec::new();
    RandomGenome::new(1).bases(&mut clean, megabases * 1_000_000);
    let spoilt = |distance: usize, with: fn(u8) -> u8| {
        let mut text = clean.clone();
        text.iter_mut().step_by(distance).for_each(|base| *base = with(*base));
        text
    };
    let texts = [clean.clone(), spoilt(100, |_| b'N'), spoilt(10, |base| base.to_ascii_lowercase())];
    let title = format!("{megabases} Mbp, Gbp/s");
    println!("{title:35} {:>8} {:>8} {:>8} {:>8} {:>8}", "clean", "N in 100", "mixed", "reads", "counted");
    for (overlap, canonical) in [(true, false), (false, false), (true, true), (false, true)] {
        for k in [1, 3, 6, 7, 8, 11, 12] {
            let Ok(kmer) = Kmer::new(k, overlap, canonical) else { continue };
            if kmer.num_tokens() + FIRST <= 1 << 16 {
                report::<u16>(&kmer, &texts);
            } else {
                report::<u32>(&kmer, &texts);
            }
        }
    }
}

fn report<W: IdWidth>(kmer: &Kmer, texts: &[Vec<u8>; 3]) {
    let options = KmerOptions { upper_case: false, first: FIRST, unknown: Some(1) };
    let mut ids: Vec<W> = Vec::new();
    let mut encode = |parts: &mut dyn Iterator<Item = &[u8]>| {
        ids.clear();
        parts.for_each(|part| kmer.encode_into(part, &options, &mut ids));
    };
    let whole = texts.each_ref().map(|text| rate(text, || encode(&mut std::iter::once(&text[..]))));
    let reads = rate(&texts[0], || encode(&mut texts[0].chunks(150)));
    let count = rate(&texts[0], || {
        std::hint::black_box(kmer.count(&texts[0], &options));
    });
    let overlap = if kmer.is_overlapping() { "overlapping" } else { "non-overlapping" };
    let name =
        format!("{:2}-mers {overlap}{}", kmer.k(), if kmer.is_canonical() { ", canonical" } else { "" });
    println!("{name:35} {:8.2} {:8.2} {:8.2} {reads:8.2} {count:8.2}", whole[0], whole[1], whole[2]);
}

/// Gigabases per second, the best of some rounds.
fn rate(text: &[u8], mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let best = (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min);
    #[allow(clippy::cast_precision_loss)] // a number of bases
    let bases = text.len() as f64;
    bases / best / 1e9
}
