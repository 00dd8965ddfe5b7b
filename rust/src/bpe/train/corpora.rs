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
const MAPPED_AT_ONCE: u64 = if cfg!(test) { 1 << 10 } else { 1 << 28 };
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::{from_words, save};
    use crate::monitor::Monitor;

    /// A corpus of one word of A.
    fn word(bases: u64) -> Corpus {
        Corpus::from_packed(&[bases], vec![0; usize::try_from(bases.div_ceil(4)).unwrap()])
    }

    fn text(bases: u64) -> Vec<WeightedCorpora> {
        vec![WeightedCorpora { corpora: vec![word(bases)], weight: 1 }]
    }

    fn mapped(bases: u64) -> Corpus {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.words");
        save(&[word(bases)], &path, &Monitor::default()).unwrap();
        Corpus::open(&path).unwrap()
    }

    fn sizes(corpora: &[Corpus]) -> Vec<usize> {
        groups(corpora).iter().map(|group| group.len()).collect()
    }

    #[test]
    fn mapped_files_are_read_in_groups_that_fit_and_others_all_at_once() {
        let half = MAPPED_AT_ONCE / 2;
        assert_eq!(sizes(&[]), [0]);
        assert_eq!(sizes(&[mapped(half), mapped(half), mapped(half), mapped(half), mapped(4)]), [2, 2, 1]);
        assert_eq!(sizes(&[mapped(half), mapped(half + 1)]), [1, 1]);
        assert_eq!(sizes(&[mapped(3 * half), mapped(4), mapped(3 * half)]), [1, 1, 1]);
        assert_eq!(sizes(&[word(3 * half), mapped(half), word(3 * half), mapped(half), word(4)]), [5]);
        assert_eq!(sizes(&[word(4), mapped(half), word(4), mapped(half + 1), word(4)]), [3, 2]);
    }

    #[test]
    fn both_strands_are_two_views_and_twice_the_bases() {
        let corpora = vec![from_words([b"ACGTA", b"ACGTA"]).unwrap()];
        let texts =
            [WeightedCorpora { corpora: corpora.clone(), weight: 3 }, WeightedCorpora { corpora, weight: 5 }];
        for (both_strands, expected) in [
            (false, vec![(false, 3), (false, 5)]),
            (true, vec![(false, 3), (true, 3), (false, 5), (true, 5)]),
        ] {
            let options = MergeOptions { both_strands, ..MergeOptions::default() };
            let corpora = Corpora::new(&texts, &options);
            let views: Vec<_> =
                corpora.views().iter().map(|(text, weight)| (text.reverse, *weight)).collect();
            assert_eq!(views, expected);
            // A word of five bases takes eight of the arena if another follows.
            assert_eq!((corpora.bases(), corpora.span()), (20 * corpora.strands(), 26));
        }
    }

    #[test]
    fn a_lane_gets_about_eight_segments_of_reasonable_length() {
        let options = MergeOptions::default();
        let segment = |bases, threads| Corpora::new(&text(bases), &options).segment(threads);
        assert_eq!(segment(1 << 24, 1), (1 << 24) / (8 * 8));
        assert_eq!(segment(1 << 24, 2), (1 << 24) / (8 * 8 * 2));
        assert_eq!((segment(1000, 1), segment(1 << 29, 1)), (MIN_SEGMENT, MAX_SEGMENT));
    }

    #[test]
    fn a_sample_is_a_seventh_in_stretches_of_a_28th() {
        let options = MergeOptions::default();
        let sample = |bases, is_random| {
            let sample = Corpora::new(&text(bases), &options).sample(bases, is_random);
            assert_eq!((sample.len(), sample[0].weight), (1, 1));
            (sample[0].corpora[0].num_words(), sample[0].corpora[0].contents().bases)
        };
        assert_eq!(sample(2800, false), (4, 400));
        assert_eq!(sample(1 << 18, false), (4, 4 * STRETCH));
        assert_eq!(sample(16_800, true), (100, 100 * SNIPPET));
        assert_eq!(sample(1, false), (1, 1));
        assert_eq!(sample(1 << 27, false), (1024, MAX_SAMPLE));
    }
}
