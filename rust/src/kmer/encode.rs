//! Symbols to ids: runs of bases are found, their k-mers named all at once, and what lies between them is filled in.
//!
//! # Cost
//!
//! Linear. Finding the end of a run (`runs`) and naming the k-mers of a run (`windows`) take many symbols at a time, but
//! each run has a fixed cost besides. So speed depends on the length of runs: `examples/kmers.rs` measures long and short
//! ones. Memory: the ids, and two kilobytes.
//!
//! # Parts
//!
//! A long sequence is shared among threads in parts that are encoded alone and concatenated ([`Kmer::cut`]).
//! Overlapping k-mers may be cut anywhere: the tokens whose k-mers start in `a..b` are those of the symbols
//! `a..b + k - 1`. Non-overlapping ones may be cut between runs, and a multiple of k bases after the start of a
//! run; so these cuts are found from left to right, as fast as runs are found.
//!
//! ```text
//! ACGTTNAC, k = 3     overlapping       ACG CGT GTT  ?   ?   ?           8 - 3 + 1 tokens
//!                     non-overlapping   ACG T T N A C                    one k-mer, four bases, N
//! ```
//!
//! # One count, three walks
//!
//! [`Kmer::count`], [`Kmer::fill`] and [`Kmer::spans`] walk over the same runs and must agree on the number of tokens of
//! each: `fill` writes into memory that `count` measured. The tests compare all three with the definitions.

use std::borrow::Cow;
use std::ops::Range;

use super::kinds::{BASES, Kmer};
use super::runs::{SymbolRun, case, runs};
use super::width::IdWidth;
use super::windows::Namer;

/// Symbols that are encoded before the ids get more memory: what is fresh in the cache is written at once.
const PART: usize = 1 << 14;

/// How symbols become ids of k-mers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KmerOptions {
    /// Lower-case bases are read as upper-case ones; otherwise they are outside the vocabulary.
    pub upper_case: bool,
    /// The id of the first k-mer; those of the other tokens follow.
    pub first: u32,
    /// The id of symbols outside the vocabulary; without one they cut the sequence and are left out.
    pub unknown: Option<u32>,
}

/// How many symbols of a sequence its vocabulary lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnknownCounts {
    /// Symbols outside the vocabulary.
    pub unknown: u64,
    /// Of these, lower-case ones whose upper case is in the vocabulary.
    pub lower_case: u64,
}

/// The characters of UTF-8 text as symbols of one byte each: of a character of several bytes the first.
///
/// A first byte of several is no symbol of any vocabulary, so such a character is unknown, and it counts once.
pub fn symbols_of(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let starts_a_character = |byte: &u8| byte & 0xc0 != 0x80;
    Cow::Owned(text.iter().copied().filter(starts_a_character).collect())
}

impl Kmer {
    /// Appends the ids of UTF-8 text.
    ///
    /// Ids must fit into `W`: the largest is `options.first + self.num_tokens() - 1`, or the unknown one.
    pub fn encode_into<W: IdWidth>(&self, text: &[u8], options: &KmerOptions, ids: &mut Vec<W>) {
        let symbols = symbols_of(text);
        for part in self.cut(&symbols, options.upper_case, PART) {
            let start = ids.len();
            ids.resize(start + self.count(&symbols[part.clone()], options), W::default());
            self.fill(&symbols[part], options, &mut ids[start..]);
        }
    }

    /// How many ids these symbols make. Arithmetic if k-mers overlap and unknown symbols have an id, linear otherwise.
    pub fn count(&self, symbols: &[u8], options: &KmerOptions) -> usize {
        if self.overlap && options.unknown.is_some() {
            return self.positions(symbols.len());
        }
        runs(symbols, options.upper_case).map(|run| self.count_run(symbols, options, &run)).sum()
    }

    fn count_run(&self, symbols: &[u8], options: &KmerOptions, run: &SymbolRun) -> usize {
        let length = run.range.len();
        match (run.is_bases, self.overlap) {
            (true, true) => self.positions(length),
            (true, false) => length / self.k + length % self.k,
            (false, true) => 0,
            (false, false) if options.unknown.is_some() => length,
            (false, false) => self.known(&symbols[run.range.clone()], options.upper_case).count(),
        }
    }

    /// The positions at which a k-mer starts, among so many symbols.
    fn positions(&self, num_symbols: usize) -> usize {
        (num_symbols + 1).saturating_sub(self.k)
    }

    /// Writes the ids of symbols, one byte each, to `out`, which is as long as [`Self::count`] says.
    pub fn fill<W: IdWidth>(&self, symbols: &[u8], options: &KmerOptions, mut out: &mut [W]) {
        match options.unknown.map(W::of) {
            Some(unknown) if self.overlap => return self.fill_positions(symbols, options, unknown, out),
            _ => {}
        }
        let mut namer = Namer::new(self.k, self.canonical);
        for run in runs(symbols, options.upper_case) {
            let part = &symbols[run.range.clone()];
            let count = self.count_run(symbols, options, &run);
            let out = out.split_off_mut(..count).unwrap_or_default();
            match (run.is_bases, self.overlap) {
                (true, true) => namer.every(part, options.first, out),
                (true, false) => self.fill_non_overlapping(&mut namer, part, options, out),
                (false, true) => {}
                (false, false) => self.fill_others(part, options, out),
            }
        }
    }

    /// Writes an id for each position: of its k-mer, or the unknown one if not all of it is bases.
    ///
    /// Before each run `out[..done]` is written; positions from there to the run's first k-mer hold a foreign symbol.
    fn fill_positions<W: IdWidth>(&self, symbols: &[u8], options: &KmerOptions, unknown: W, out: &mut [W]) {
        let mut namer = Namer::new(self.k, self.canonical);
        let mut done = 0;
        let of_bases = runs(symbols, options.upper_case).filter(|run| run.is_bases);
        for run in of_bases.map(|run| run.range).filter(|run| run.len() >= self.k) {
            let named = run.start..run.end + 1 - self.k;
            out[done..named.start].fill(unknown);
            done = named.end;
            namer.every(&symbols[run], options.first, &mut out[named]);
        }
        out[done..].fill(unknown);
    }

    /// Writes the ids of a run of bases: its k-mers, then the single bases that remain, fewer than k.
    ///
    /// With q k-mers and r single bases `out` has q + r places. r < k, so q is `run.len() / k`.
    fn fill_non_overlapping<W: IdWidth>(
        &self,
        namer: &mut Namer,
        run: &[u8],
        options: &KmerOptions,
        out: &mut [W],
    ) {
        let (whole, singles) = out.split_at_mut(run.len() / self.k);
        namer.stepped(run, options.first, whole);
        for (out, base) in singles.iter_mut().zip(&run[whole.len() * self.k..]) {
            *out = W::of(options.first + self.num_kmers() + self.single(*base));
        }
    }

    /// Writes the ids of symbols that are not bases: N, and the unknown one if there is one.
    fn fill_others<W: IdWidth>(&self, symbols: &[u8], options: &KmerOptions, out: &mut [W]) {
        let any_base = W::of(options.first + self.num_tokens() - 1);
        let Some(unknown) = options.unknown.map(W::of) else { return out.fill(any_base) };
        let case = case(options.upper_case);
        for (out, symbol) in out.iter_mut().zip(symbols) {
            *out = if symbol & case == b'N' { any_base } else { unknown };
        }
    }

    /// The number of a base, in either case, among the single bases that follow the k-mers.
    fn single(&self, base: u8) -> u32 {
        let base = base.to_ascii_uppercase();
        if self.canonical {
            return u32::from(matches!(base, b'C' | b'G'));
        }
        (0..).zip(BASES).find_map(|(number, other)| (other == base).then_some(number)).unwrap_or(0)
    }

    /// Those of some symbols that are in the vocabulary.
    fn known<'a>(&'a self, symbols: &'a [u8], upper_case: bool) -> impl Iterator<Item = &'a u8> {
        let case = case(upper_case);
        symbols.iter().filter(move |symbol| self.knows(**symbol & case))
    }

    /// How many of these symbols are not in the vocabulary; runs of bases cost no more than finding their ends.
    pub fn count_unknown(&self, symbols: &[u8], upper_case: bool) -> UnknownCounts {
        let mut counts = UnknownCounts::default();
        for run in runs(symbols, upper_case).filter(|run| !run.is_bases) {
            let part = &symbols[run.range];
            let known = self.known(part, upper_case).count();
            counts.unknown += (part.len() - known) as u64;
            counts.lower_case += (self.known(part, true).count() - known) as u64;
        }
        counts
    }

    /// The position of the first symbol that is not in the vocabulary.
    pub fn first_unknown(&self, symbols: &[u8], upper_case: bool) -> Option<usize> {
        let case = case(upper_case);
        symbols.iter().position(|symbol| !self.knows(symbol & case))
    }

    /// Hands out the symbols, from where to where, of each token, in the order of [`Self::fill`].
    pub fn spans(&self, symbols: &[u8], options: &KmerOptions, mut take: impl FnMut(Range<usize>)) {
        if self.overlap && options.unknown.is_some() {
            return (0..self.positions(symbols.len())).for_each(|at| take(at..at + self.k));
        }
        let case = case(options.upper_case);
        for SymbolRun { range, is_bases } in runs(symbols, options.upper_case) {
            let mut at = range.start;
            while is_bases && at + self.k <= range.end {
                take(at..at + self.k);
                at += if self.overlap { 1 } else { self.k };
            }
            let is_token =
                |at: &usize| !self.overlap && (options.unknown.is_some() || self.knows(symbols[*at] & case));
            (at..range.end).filter(is_token).for_each(|at| take(at..at + 1));
        }
    }

    /// Parts of about `size` symbols that are encoded alone: their ids, concatenated, are those of all symbols.
    ///
    /// Parts of overlapping k-mers have k - 1 symbols in common, so that each position belongs to one part only.
    pub fn cut(&self, symbols: &[u8], upper_case: bool, size: usize) -> Vec<Range<usize>> {
        let size = size.max(self.k);
        if symbols.len() <= size {
            return std::iter::once(0..symbols.len()).collect();
        }
        if self.overlap {
            let part = |start: usize| start..(start + size + self.k - 1).min(symbols.len());
            return (0..symbols.len()).step_by(size).map(part).collect();
        }
        // Parts end at most `size` after their start, at the last place where a token ends: a multiple of k into a run of
        // bases, anywhere in another run.
        let (mut parts, mut start) = (Vec::new(), 0);
        for SymbolRun { range, is_bases } in runs(symbols, upper_case) {
            let step = if is_bases { self.k } else { 1 };
            let mut at = range.start;
            while range.end - start > size {
                at += (start + size - at) / step * step;
                parts.push(start..at);
                start = at;
            }
        }
        parts.push(start..symbols.len());
        parts
    }
}
