//! Seeded DNA for tests and benchmarks: genomes of any length, and nasty words.
//!
//! Feature `testing`; not part of the stable interface. Everything here is a function of its seed alone, on every
//! platform and in every version: own generator, integers only, no hash order. A test holds the result to a fixed
//! fingerprint, so recorded benchmarks stay comparable; to change the recipe is to start a new series.
//!
//! # The genome
//!
//! [`RandomGenome`] imitates what matters to a tokenizer in a vertebrate genome, not its biology:
//!
//! - *composition*: stretches drawn from a Markov chain of order 3, rich in A and T (59 %), poor in CG (a fifth of what
//!   independent C and G would give), with a liking for runs of A and of T;
//! - *interspersed repeats*: 2,000 families of 300 to 6,000 bases, few of them common and most rare; each copy is of
//!   either strand, cut off at its head if long, 5 to 20 % diverged (four in five changes substitutions, most of them
//!   transitions, the rest short insertions and deletions), often with a tail of A. They make up about 45 %;
//! - *tandem repeats*: units of 1 to 6 bases (microsatellites) or 10 to 60 (minisatellites), slightly worn;
//! - with [`RandomGenome::with_n`], stretches of N: mostly short, sometimes as long as the gaps of an assembly.
//!
//! The sequence does not depend on how many bases are requested at a time. Cost: 3 ns per base, 6 MB for the
//! families, 10 ms to make them.
//!
//! # Sources
//!
//! xoshiro256++ and SplitMix64 (Blackman and Vigna, 2019), from their published recurrences.

#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod naive;

use std::ops::RangeInclusive;

use crate::alphabet::{BASES, CODES, complement};

/// Repeat families in a genome.
const NUM_FAMILIES: u64 = 2000;
/// Lengths of a family's consensus, in bases.
const FAMILY_BASES: RangeInclusive<u64> = 300..=6000;

/// The generator of all randomness here: xoshiro256++, seeded by SplitMix64.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator that depends on `seed` only; seeds that differ in one bit give unrelated sequences.
    pub fn new(seed: u64) -> Self {
        let mut counter = seed;
        let mut split_mix = || {
            counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = counter;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        };
        Self { state: [split_mix(), split_mix(), split_mix(), split_mix()] }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `bound` (which is not 0); the bias is below 2^-32 for bounds below 2^32.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number within `range`.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// True once in `rarity` times.
    pub fn one_in(&mut self, rarity: u64) -> bool {
        self.below(rarity) == 0
    }

    fn base(&mut self) -> u8 {
        BASES[index(self.below(4))]
    }

    fn length(&mut self, range: RangeInclusive<u64>) -> usize {
        index(self.within(range))
    }
}

/// A small number as an index.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// An endless genome-like sequence.
#[derive(Debug, Clone)]
pub struct RandomGenome {
    random: Random,
    chain: Chain,
    /// Consensus sequences; each family has two, one per strand.
    families: Vec<[Vec<u8>; 2]>,
    with_n: bool,
    /// The sequence made last, and how much of it is used.
    segment: Vec<u8>,
    used: usize,
}

impl RandomGenome {
    /// The genome of `seed`, without N.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut chain = Chain::new();
        let families = (0..NUM_FAMILIES).map(|_| family(&mut random, &mut chain)).collect();
        Self { random, chain, families, with_n: false, segment: Vec::new(), used: 0 }
    }

    /// The same recipe with stretches of N now and then, or without.
    #[must_use]
    pub fn with_n(self, with_n: bool) -> Self {
        Self { with_n, ..self }
    }

    /// Appends the next `num_bases` characters of the genome to `out`: A, C, G, T, and N if enabled.
    pub fn bases(&mut self, out: &mut Vec<u8>, num_bases: usize) {
        let mut missing = num_bases;
        while missing > 0 {
            if self.used == self.segment.len() {
                self.next_segment();
            }
            let count = missing.min(self.segment.len() - self.used);
            out.extend_from_slice(&self.segment[self.used..self.used + count]);
            self.used += count;
            missing -= count;
        }
    }

    /// Makes some unique sequence and something that is not unique after it.
    fn next_segment(&mut self) {
        self.segment.clear();
        self.used = 0;
        let length = self.random.length(50..=1550);
        self.chain.extend(&mut self.random, &mut self.segment, length);
        match self.random.below(100) {
            0..80 => self.add_repeat(),
            80..90 => self.add_tandem(1..=6, 12..=120),
            90..93 => self.add_tandem(10..=60, 100..=1500),
            93..99 => self.add_run(6..=35),
            _ if self.with_n => self.add_unknown(),
            _ => {}
        }
    }

    /// A worn copy of a repeat family.
    fn add_repeat(&mut self) {
        let random = &mut self.random;
        // The cube of a uniform number: few families have most of the copies.
        let uniform = [random.below(1 << 16), random.below(1 << 16), random.below(1 << 16)];
        let family = (uniform.iter().product::<u64>() * NUM_FAMILIES) >> 48;
        let strand = usize::from(random.one_in(2));
        let consensus = &self.families[index(family)][strand];
        let longest = consensus.len() as u64;
        let kept = if longest <= 500 { consensus.len() } else { random.length(200..=longest) };
        // Copying starts at the tail and breaks off, so the head is what is lost.
        let part = if strand == 0 { &consensus[consensus.len() - kept..] } else { &consensus[..kept] };
        let divergence_percent = random.within(5..=20);
        copy_worn(random, &mut self.segment, part, divergence_percent);
        if strand == 0 && random.one_in(2) {
            let length = random.length(8..=30);
            self.segment.extend(std::iter::repeat_n(b'A', length));
        }
    }

    /// A unit, over and over.
    fn add_tandem(&mut self, unit_bases: RangeInclusive<u64>, total_bases: RangeInclusive<u64>) {
        let unit_length = self.random.length(unit_bases);
        let total = self.random.length(total_bases);
        let mut unit = Vec::new();
        self.chain.extend(&mut self.random, &mut unit, unit_length);
        let perfect: Vec<u8> = unit.iter().copied().cycle().take(total).collect();
        copy_worn(&mut self.random, &mut self.segment, &perfect, 2);
    }

    /// One base, over and over: A or T twice as often as C or G.
    fn add_run(&mut self, bases: RangeInclusive<u64>) {
        let base = b"AATTCG"[index(self.random.below(6))];
        let length = self.random.length(bases);
        self.segment.extend(std::iter::repeat_n(base, length));
    }

    /// A gap: a few N, or once in 50 times as many as an assembly puts where it knows nothing.
    fn add_unknown(&mut self) {
        let length = if self.random.one_in(50) { 50_000 } else { self.random.length(1..=200) };
        self.segment.extend(std::iter::repeat_n(b'N', length));
    }
}

/// A consensus and its reverse complement.
fn family(random: &mut Random, chain: &mut Chain) -> [Vec<u8>; 2] {
    let (shortest, span) = (*FAMILY_BASES.start(), FAMILY_BASES.end() - FAMILY_BASES.start());
    let uniform = random.below(1 << 10);
    let length = index(shortest + ((uniform * uniform * uniform * span) >> 30));
    let mut forward = Vec::with_capacity(length);
    chain.extend(random, &mut forward, length);
    let pair = |base: &u8| BASES[usize::from(complement(CODES[usize::from(*base)]))];
    let reverse = forward.iter().rev().map(pair).collect();
    [forward, reverse]
}

/// Appends `part` with changes, on average one in `100 / percent` bases, at even distances on average.
fn copy_worn(random: &mut Random, out: &mut Vec<u8>, part: &[u8], percent: u64) {
    let widest = 200 / percent - 1;
    let mut rest = part;
    loop {
        let gap = random.length(1..=widest);
        let Some((same, after)) = rest.split_at_checked(gap) else {
            out.extend_from_slice(rest);
            return;
        };
        let Some((&changed, after)) = after.split_first() else {
            out.extend_from_slice(same);
            return;
        };
        out.extend_from_slice(same);
        rest = after;
        match random.below(10) {
            0 => rest = &rest[random.length(0..=3).min(rest.len())..],
            1 => out.extend([changed, random.base(), random.base()]),
            2..4 => out.push(random.base()),
            // A transition: A with G, C with T, which differ in the second bit of the code.
            _ => out.push(BASES[usize::from(CODES[usize::from(changed)] ^ 2)]),
        }
    }
}

/// The Markov chain of order 3.
#[derive(Debug, Clone)]
struct Chain {
    /// By the last three codes and a random byte: the next code.
    next: Vec<u8>,
    context: usize,
}

impl Chain {
    fn new() -> Self {
        let next = (0..64).flat_map(distribution).collect();
        Self { next, context: 0 }
    }

    /// Appends `length` bases.
    fn extend(&mut self, random: &mut Random, out: &mut Vec<u8>, length: usize) {
        let start = out.len();
        out.resize(start + length, 0);
        let mut context = self.context;
        for eight in out[start..].chunks_mut(8) {
            for (base, byte) in eight.iter_mut().zip(random.bits().to_le_bytes()) {
                let code = self.next[(context << 8) | usize::from(byte)];
                *base = BASES[usize::from(code)];
                context = ((context << 2) | usize::from(code)) & 63;
            }
        }
        self.context = context;
    }
}

/// What follows the last three codes in `context`: 256 equally likely codes.
fn distribution(context: usize) -> impl Iterator<Item = u8> {
    let (third, second, last) = (context >> 4, (context >> 2) & 3, context & 3);
    let mut weights: [usize; 4] = [74, 54, 54, 74];
    if last == 1 {
        // CG is depleted: methylated C decays to T.
        weights[2] /= 5;
        weights[0] += 22;
        weights[3] += 21;
    }
    if last == 3 {
        weights[2] += 14;
    }
    if second == last {
        weights[last] += 8;
        if third == last && (last == 0 || last == 3) {
            weights[last] += 40;
        }
    }
    let total: usize = weights.iter().sum();
    (0..256).map(move |slot| {
        let mut point = slot * total / 256;
        let mut code = 0;
        while point >= weights[usize::from(code)] {
            point -= weights[usize::from(code)];
            code += 1;
        }
        code
    })
}

/// A word of at most `max_len` bases that is hard on tokenizers: few kinds of bases, long runs, tandem repeats,
/// copies of itself. May be empty.
pub fn nasty(seed: u64, max_len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let length = index(random.below(max_len as u64 + 1));
    // Often one or two kinds of bases only, so that equal pairs meet and overlap.
    let kinds: Vec<u8> = (0..random.within(1..=4)).map(|_| random.base()).collect();
    let mut word: Vec<u8> = Vec::with_capacity(length);
    while word.len() < length {
        let base = kinds[index(random.below(kinds.len() as u64))];
        match random.below(5) {
            0 => word.push(base),
            1 => word.extend(std::iter::repeat_n(base, random.length(2..=9))),
            2 => word.extend(std::iter::repeat_n(base, random.length(1..=64))),
            _ if word.is_empty() => word.push(random.base()),
            3 => {
                let unit = random.length(1..=6).min(word.len());
                let from = word.len() - unit;
                for _ in 0..random.within(1..=8) {
                    word.extend_from_within(from..from + unit);
                }
            }
            _ => {
                let from = index(random.below(word.len() as u64));
                let to = from + index(random.below((word.len() - from) as u64 + 1)).min(100);
                word.extend_from_within(from..to);
            }
        }
    }
    word.truncate(length);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genome(seed: u64, num_bases: usize) -> Vec<u8> {
        let mut bases = Vec::new();
        RandomGenome::new(seed).bases(&mut bases, num_bases);
        bases
    }

    #[test]
    fn the_generator_follows_its_published_recurrence() {
        // State 1, 2, 3, 4: the first outputs of the authors' program.
        let mut random = Random { state: [1, 2, 3, 4] };
        let first = [random.bits(), random.bits(), random.bits(), random.bits()];
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn the_sequence_depends_on_the_seed_alone() {
        let whole = genome(7, 300_000);
        assert_eq!(whole.len(), 300_000);
        assert_ne!(whole, genome(8, 300_000));
        let mut source = RandomGenome::new(7);
        let mut pieces = Vec::new();
        for count in (1..).map(|step| step * 37 % 5000) {
            let missing = whole.len() - pieces.len();
            if missing == 0 {
                break;
            }
            source.bases(&mut pieces, missing.min(count));
        }
        assert_eq!(pieces, whole);
        let mut with_n = Vec::new();
        RandomGenome::new(7).with_n(true).bases(&mut with_n, 1_000_000);
        let nasties: Vec<u8> = (0..100).flat_map(|seed| nasty(seed, 200)).collect();
        let fingerprint = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
        assert_eq!(
            [fingerprint(&whole), fingerprint(&with_n), fingerprint(&nasties)],
            ["cbe09a41126338fa", "6c094260432e36ed", "553bcfb5614ac93d"].map(str::to_owned)
        );
    }

    #[test]
    fn the_composition_is_like_a_vertebrate_genome() {
        let bases = genome(1, 4_000_000);
        let share = |wanted: &[u8]| {
            let hits = bases.windows(wanted.len()).filter(|window| *window == wanted).count();
            hits * 1000 / bases.len()
        };
        let at = share(b"A") + share(b"T");
        assert!((560..640).contains(&at), "A and T: {at} per mille");
        assert!(share(b"CG") < 15, "CG: {} per mille", share(b"CG"));
        assert!(share(b"AAAAA") > 4, "AAAAA: {} per mille", share(b"AAAAA"));
        assert!(bases.iter().all(|base| BASES.contains(base)));
    }

    #[test]
    fn unknown_stretches_come_only_if_asked_for() {
        let mut bases = Vec::new();
        RandomGenome::new(1).with_n(true).bases(&mut bases, 4_000_000);
        let unknown = memchr::memchr_iter(b'N', &bases).count();
        assert!((1_000..1_000_000).contains(&unknown), "{unknown} N");
    }

    #[test]
    fn about_45_percent_are_interspersed_repeats() {
        let mut source = RandomGenome::new(3);
        let (mut repeats, mut total) = (0, 0);
        for _ in 0..3000 {
            source.next_segment();
            let before = source.segment.len();
            source.add_repeat();
            // Four segments in five end in a repeat of the same distribution as the one just added.
            repeats += (source.segment.len() - before) * 4 / 5;
            total += before;
        }
        let percent = repeats * 100 / total;
        assert!((40..50).contains(&percent), "{percent} %");
    }

    #[test]
    fn nasty_words_keep_their_bound_and_are_full_of_runs() {
        let words: Vec<Vec<u8>> = (0..500).map(|seed| nasty(seed, 300)).collect();
        assert!(words.iter().all(|word| word.len() <= 300 && word.iter().all(|base| BASES.contains(base))));
        assert!(words.iter().any(Vec::is_empty) || nasty(1, 0).is_empty());
        let doubled: usize =
            words.iter().map(|word| word.windows(2).filter(|two| two[0] == two[1]).count()).sum();
        let total: usize = words.iter().map(Vec::len).sum();
        assert!(doubled * 2 > total, "{doubled} of {total}");
    }
}
