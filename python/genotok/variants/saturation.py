"""Saturation mutagenesis: the scores of all substitutions of a region, and of deletions.

Every base A, C, G, T of the region is replaced by each of the three others, and deleted if asked for. Each
variant has its own window, so that its scores are those of `VariantScorer.score`. The three substitutions at
a place share the rows of the reference, which are computed once: under a vocabulary of 4,096 tokens a place
takes some 8 rows through the model for each strand, and not 12. Bases such as N stay, and have no scores.
"""

# Shapes: L bases of the region.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.variants.edits import Edit, WindowEdit
from genotok.variants.rows import BASES
from genotok.variants.scorer import MAX_TOGETHER
from genotok.variants.scores import VariantScores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genotok.options import Progress
    from genotok.variants.regions import ContigRegion
    from genotok.variants.scorer import VariantScorer

__all__ = ["Mutations", "mutate"]

DELETED = "-"


@dataclass(frozen=True, slots=True, eq=False)
class Mutations:
    """All substitutions of a region with their scores.

    Attributes:
        region: The region.
        places: (N,) the place of each in the contig, counted from 0, in order.
        refs: (N,) the base there.
        alts: (N,) what replaces it; "-" for a deletion.
        scores: The scores of all N.
    """

    region: ContigRegion
    places: NDArray[np.int64]
    refs: NDArray[np.str_]
    alts: NDArray[np.str_]
    scores: VariantScores

    def matrix(self, score: str) -> NDArray[np.float64]:
        """(L, 4) the scores of A, C, G, T at each base; 0 for the base that is there, NaN without a score."""
        found = np.full((len(self.region), len(BASES)), np.nan)
        for number, base in enumerate(BASES):
            chosen = self.alts == base
            found[self.places[chosen] - self.region.start, number] = getattr(self.scores, score)[chosen]
            found[self.places[self.refs == base] - self.region.start, number] = 0.0
        return found

    def means(self, score: str) -> NDArray[np.float64]:
        """(L,) the mean score of the substitutions at each base; NaN without any."""
        total, number = np.zeros(len(self.region)), np.zeros(len(self.region))
        chosen = self.alts != DELETED
        places = self.places[chosen] - self.region.start
        np.add.at(total, places, getattr(self.scores, score)[chosen])
        np.add.at(number, places, 1)
        found: NDArray[np.float64] = np.full(len(total), np.nan)
        return np.divide(total, number, out=found, where=number > 0)


def mutate(
    scorer: VariantScorer, region: ContigRegion, *, deletions: bool = False, progress: Progress | None = None
) -> Mutations:
    """Score all substitutions of a region.

    Args:
        scorer: The model, and what is computed.
        region: The region; its contig is what windows are cut from.
        deletions: Also score the deletion of each base.
        progress: Called with a dictionary as the work proceeds; an exception stops it.
    """
    places, refs, alts = [], [], []
    for at, ref in enumerate(region.bases, region.start):
        if ref in BASES:
            for alt in [*BASES.replace(ref, ""), *([DELETED] if deletions else [])]:
                places.append(at)
                refs.append(ref)
                alts.append(alt)
    parts = [scorer.score_windows([])]
    for first in range(0, len(places), MAX_TOGETHER):
        some = slice(first, first + MAX_TOGETHER)
        parts.append(scorer.score_windows(_windows(scorer, region, places[some], alts[some])))
        if progress:
            done = min(first + MAX_TOGETHER, len(places))
            progress({"phase": "scoring", "variants": done, "variants_total": len(places)})
    columns = np.array(places, np.int64), np.array(refs, "U1"), np.array(alts, "U1")
    return Mutations(region, *columns, VariantScores.joined(parts))


def _windows(
    scorer: VariantScorer, region: ContigRegion, places: list[int], alts: list[str]
) -> Iterator[WindowEdit]:
    """The variants in their windows."""
    for at, alt in zip(places, alts, strict=True):
        edit = Edit(at, at + 1, alt.replace(DELETED, ""))
        yield WindowEdit.around(region.contig, edit, scorer.options.window)
