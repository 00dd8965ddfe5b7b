//! The part of a sequence whose non-overlapping k-mers an edit can change.
//!
//! A run of bases is cut from its left end, so what stands before an edit in a run keeps its k-mers,
//! and what stands behind it keeps them if the cuts of both runs, before and after the edit, fall on
//! the same bases. Otherwise everything up to the end of the run is affected: there is no shorter
//! part, but for the single bases at the end.
//!
//! ```text
//! k = 3      ACG TAC GTA C              the T, and the T and two more bases, become G
//! one base   ACG GAC GTA C              affected: TAC
//! fewer      ACG GGT AC                 affected: TAC GTA C, up to the end of the run
//! ```

use std::ops::Range;

use super::kinds::Kmer;
use super::runs::runs;

/// The runs of bases of a sequence.
#[derive(Clone, Debug)]
pub struct BaseRuns(Vec<Range<usize>>);

impl BaseRuns {
    /// Those of these symbols, one byte each.
    pub fn of(symbols: &[u8], upper_case: bool) -> Self {
        Self(runs(symbols, upper_case).filter(|run| run.is_bases).map(|run| run.range).collect())
    }

    /// The run with the base `at`.
    fn around(&self, at: usize) -> Option<Range<usize>> {
        let run = self.0.get(self.0.partition_point(|run| run.end <= at))?;
        run.contains(&at).then(|| run.clone())
    }
}

impl Kmer {
    /// A part of the sequence that holds what is replaced, and whose ends are boundaries before and after the
    /// edit: both parts, the one as it was and the one with the edit, have the tokens that they have in the whole.
    ///
    /// `replaced` are the symbols that `replacement` takes the place of. The k-mers do not overlap.
    pub fn affected(
        &self,
        runs: &BaseRuns,
        replaced: Range<usize>,
        replacement: &[u8],
        upper_case: bool,
    ) -> Range<usize> {
        let Range { start, end } = replaced;
        let left = start.checked_sub(1).and_then(|at| runs.around(at)).map_or(start, |run| run.start);
        let first = start - (start - left) % self.k;
        let Some(right) = runs.around(end) else { return first..end };
        // How far before `end` the run of the base at `end` starts: as it is, and after the edit.
        let old = end - right.start;
        let new = match super::runs::runs(replacement, upper_case).last() {
            None => start - left,
            Some(run) if !run.is_bases => 0,
            Some(run) if run.range.start > 0 => run.range.len(),
            Some(run) => run.range.len() + start - left,
        };
        let next = end + (self.k - old % self.k) % self.k;
        first..if old % self.k == new % self.k && next <= right.end { next } else { right.end }
    }
}
