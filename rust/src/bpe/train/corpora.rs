//! The corpora that this process trains on or samples, as texts: on every strand that counts, in
//! pieces of memory.
//!
//! A pass takes its texts one after the other. Corpora in memory are one text for each weight and
//! strand; mapped files are grouped, and their pages are given back after each group, so that a
//! pass over any number of them holds no more than a group.

use super::options::{MergeOptions, WeightedCorpora};
use super::sample::STRETCH;
use crate::bpe::encode::{CorpusText, LANES};
use crate::corpus::{Corpus, Stride};

/// Bases of mapped files that a pass holds in memory at a time: 64 MiB at 2 bits per base.
const MAPPED_AT_ONCE: u64 = 1 << 28;
/// Bases in a segment: small enough to share the work, large enough that seams do not matter.
pub(super) const MAX_SEGMENT: u64 = 1 << 22;
/// Bases in the shortest segment: the search for a seam costs some thousand.
pub(super) const MIN_SEGMENT: u64 = 1 << 16;
/// Bases that a sampled text has at most: it is a seventh of the text, but not more than this.
const MAX_SAMPLE: u64 = 1 << 23;
/// Bases of the shortest stretch that is sampled.
const SNIPPET: u64 = 24;

/// Corpora with their weights, and how they are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corpora<'a> {
    /// The corpora, by weight.
    pub(super) texts: &'a [WeightedCorpora],
    options: &'a MergeOptions,
}

impl<'a> Corpora<'a> {
    /// The corpora as `options` say that they are read.
    pub(super) fn new(texts: &'a [WeightedCorpora], options: &'a MergeOptions) -> Self {
        Self { texts, options }
    }

    /// How often each base is read in one pass.
    pub(super) fn strands(&self) -> u64 {
        if self.options.both_strands { 2 } else { 1 }
    }

    /// Bases that one pass reads: those of both strands if both count.
    pub(super) fn bases(&self) -> u64 {
        self.all().map(|corpus| corpus.contents().bases).sum::<u64>() * self.strands()
    }

    /// Bases that all arenas span, on one strand, the padding between words included.
    pub(super) fn span(&self) -> u64 {
        self.all().map(Corpus::span).sum()
    }

    /// The corpora of all weights.
    fn all(&self) -> impl Iterator<Item = &'a Corpus> + use<'a> {
        self.texts.iter().flat_map(|text| &text.corpora)
    }

    /// Every text on every strand that counts, with its weight; many mapped files one after the
    /// other.
    pub(super) fn views(&self) -> Vec<(CorpusText<'a>, u64)> {
        let strands: &[bool] = if self.options.both_strands { &[false, true] } else { &[false] };
        let word_length = self.options.word_length;
        let of_text = |text: &'a WeightedCorpora| {
            let views = groups(&text.corpora).into_iter().flat_map(move |corpora| {
                strands.iter().map(move |&reverse| CorpusText { corpora, word_length, reverse })
            });
            views.map(|view| (view, text.weight)).collect::<Vec<_>>()
        };
        self.texts.iter().flat_map(of_text).collect()
    }

    /// Bases in a segment, for so many threads to share a pass: about eight segments for each lane
    /// of each thread, so that none waits long at the end.
    pub(super) fn segment(&self, threads: usize) -> u64 {
        (self.bases() / (8 * (LANES * threads) as u64)).clamp(MIN_SEGMENT, MAX_SEGMENT)
    }

    /// A text of stretches, one stride through all corpora of all weights, for a text of `bases` in
    /// all. With `is_random` the stretches are as short as can be: a random guess is to be wrong
    /// often.
    pub(super) fn sample(&self, bases: u64, is_random: bool) -> Vec<WeightedCorpora> {
        let span = self.span();
        // The sample of a text of snippets is one of snippets as well.
        let stretch = if is_random { SNIPPET } else { (span / 28).clamp(SNIPPET, STRETCH) };
        let sample = (bases / 7).min(MAX_SAMPLE);
        let every = (span / (sample / stretch).max(1)).max(stretch);
        let mut stride = Stride::new(stretch, every);
        let sampled = |text: &WeightedCorpora| WeightedCorpora {
            corpora: vec![stride.sample(&text.corpora)],
            weight: text.weight,
        };
        self.texts.iter().map(sampled).collect()
    }
}

/// Corpora in groups of neighbours: a group ends before its mapped files would exceed
/// [`MAPPED_AT_ONCE`].
fn groups(corpora: &[Corpus]) -> Vec<&[Corpus]> {
    let mut mapped = 0;
    let mut starts = vec![0];
    for (number, corpus) in corpora.iter().enumerate().filter(|(_, corpus)| corpus.is_mapped()) {
        if mapped > 0 && mapped + corpus.span() > MAPPED_AT_ONCE {
            starts.push(number);
            mapped = 0;
        }
        mapped += corpus.span();
    }
    let ends = starts.iter().copied().skip(1).chain([corpora.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &corpora[start..end]).collect()
}
