//! Samples of a text: stretches at equal distances, however the text is divided into files.
//!
//! Stretches are cut on bytes of the arena (`every` is a multiple of four and words start on bytes), so a sample is copied
//! and never repacked. A word that crosses the border of a stretch is cut there, and counts as one word on either side.

use std::ops::Range;

use super::arena::{Contents, Corpus};

/// Stretches of `length` bases, one every `every` bases, of corpora one after the other.
///
/// The stride carries over from one corpus to the next, and a stretch that the end of a corpus cuts continues in the next.
/// A sample therefore has the same share of many small corpora as of one large corpus.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    length: u64,
    /// A multiple of four: words start on a byte, and so do stretches.
    every: u64,
    /// Bases of the corpora so far, each rounded up to a byte.
    passed: u64,
}

impl Stride {
    /// Stretches of `length` bases, one every `every` bases, rounded up to a multiple of four. Any values are safe.
    pub fn new(length: u64, every: u64) -> Self {
        let every = every.max(1).checked_next_multiple_of(4).unwrap_or(u64::MAX - 3);
        Self { length: length.max(1), every, passed: 0 }
    }

    /// The positions of the stretches in the next corpus, whose arena has `span` bases. Advances the stride.
    ///
    /// Over all corpora back to back, stretch `n` is `n * every..n * every + length`. `passed` converts: the part of a stretch
    /// before the corpus is over already, the part after it comes with the next corpus, and what is left is returned.
    pub fn over(&mut self, span: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let Self { length, every, passed } = *self;
        self.passed += span.next_multiple_of(4);
        // The first stretch that is not over yet.
        let first = passed.checked_sub(length).map_or(0, |all| all / every + 1);
        let starts = (first..).map(move |number| number.saturating_mul(every));
        starts.take_while(move |&start| start < passed + span).map(move |start| {
            let end = start.saturating_add(length) - passed;
            start.saturating_sub(passed)..end.min(span)
        })
    }

    /// A corpus of the stretches of the next corpora, without a fingerprint. Cost: linear in its size, plus a binary search
    /// per stretch.
    #[allow(clippy::cast_possible_truncation)] // places in memory
    pub fn sample(&mut self, corpora: &[Corpus]) -> Corpus {
        let mut contents = Contents::default();
        let (mut ends, mut arena) = (Vec::new(), Vec::new());
        for corpus in corpora {
            for Range { start, end } in self.over(corpus.span()) {
                let words = (corpus.word_after(start)..corpus.num_words()).map(|word| corpus.word(word));
                for word in words.take_while(|word| word.start < end) {
                    let (first, last) = (word.start.max(start), word.end.min(end));
                    let start = 4 * arena.len() as u64;
                    arena.extend_from_slice(&corpus.arena()[(first / 4) as usize..last.div_ceil(4) as usize]);
                    ends.push(start + last - first);
                    contents.bases += last - first;
                }
            }
        }
        contents.words = ends.len() as u64;
        Corpus::owned(contents, ends, arena)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::from_words;
    use crate::testing::RandomGenome;

    #[test]
    fn a_sample_is_made_of_stretches() {
        let mut text = Vec::new();
        RandomGenome::new(4).bases(&mut text, 5000);
        for (length, every) in [(1, 1), (24, 100), (7, 13), (64, 64), (10_000, 10_000)] {
            let words = [&text[..1001], b"ACG", &text[1001..1008], &text[1008..]];
            let corpus = from_words(words).unwrap();
            let all = codes(&corpus);
            let sample = Stride::new(length, every).sample(std::slice::from_ref(&corpus));
            let mut bases = 0;
            for stretch in codes(&sample) {
                assert!(!stretch.is_empty() && stretch.len() as u64 <= length);
                assert!(all.iter().any(|word| word.windows(stretch.len()).any(|window| window == stretch)));
                bases += stretch.len() as u64;
            }
            assert_eq!(
                (sample.contents().bases, sample.contents().words),
                (bases, sample.num_words() as u64)
            );
            assert!(length < 10_000 || bases == corpus.contents().bases);
        }
    }

    #[test]
    fn a_sample_of_many_corpora_is_that_of_one() {
        let mut text = Vec::new();
        RandomGenome::new(5).bases(&mut text, 40_000);
        for part in [1, 8, 200, 4000] {
            let words: Vec<&[u8]> = text.chunks(part).collect();
            let one = from_words(&words).unwrap();
            let many: Vec<Corpus> = words.iter().map(|word| from_words([word]).unwrap()).collect();
            for (length, every) in [(24, 100), (8192, 12_000), (8192, 8192), (50_000, 50_000)] {
                let expected = Stride::new(length, every).sample(std::slice::from_ref(&one));
                let found = Stride::new(length, every).sample(&many);
                assert_eq!(codes(&found), codes(&expected), "{part} {length} {every}");
                assert_eq!(found.contents(), expected.contents());
            }
        }
    }

    #[test]
    fn stretches_go_on_in_the_next_corpus() {
        let mut stride = Stride::new(6, 9);
        // One every twelve bases; the first corpus takes sixteen, of which the last two are no bases.
        assert_eq!(stride.over(14).collect::<Vec<_>>(), [0..6, 12..14]);
        assert_eq!(stride.over(20).collect::<Vec<_>>(), [0..2, 8..14]);
        assert_eq!(stride.over(4).collect::<Vec<_>>(), [0..4; 1]);
        assert_eq!(stride.over(8).collect::<Vec<_>>(), [0..2; 1]);
        assert_eq!(stride.over(1).collect::<Vec<_>>(), [0..1; 1]);
    }

    #[test]
    fn a_stride_of_any_size_does_no_harm() {
        for (length, every) in [(0, 0), (u64::MAX, 1 << 40), (u64::MAX, u64::MAX), (1, u64::MAX)] {
            let mut stride = Stride::new(length, every);
            assert_eq!(stride.over(0).count(), 0);
            assert!(stride.over(5).chain(stride.over(7)).all(|range| range.start < range.end));
        }
    }

    fn codes(corpus: &Corpus) -> Vec<Vec<u8>> {
        let words = (0..corpus.num_words()).map(|word| corpus.word(word));
        let unpacked = |Range { start, end }: Range<u64>| {
            let mut codes = vec![0; usize::try_from(end - start).unwrap()];
            corpus.unpack(start, &mut codes);
            codes
        };
        words.map(unpacked).collect()
    }
}
