"""What rows share with other rows of a set: counts by kind, shifts, labels, sizes of clusters."""

# Dimensions: N rows.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.gue.loci import KINDS, Links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genotok.gue.files import LabelledSplit
    from genotok.gue.loci import Loci

__all__ = ["NOTHING", "ClusterStatistics", "Overlap", "shared"]

COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows of a split that share a locus with a row of another split, or with one above them in their own.

    Attributes:
        exact: Number of exact copies.
        windows: Number of further rows with an overlapping window.
        reverse: Number of further rows that are reverse-complement copies.
        similar: Number of further rows that are similar on either strand.
        same_label: Of the rows of each kind, those whose partner has the same label.
        shifts: How many bases later than its partner a row starts, and the number of rows; of `windows`.
    """

    exact: int
    windows: int
    reverse: int
    similar: int
    same_label: dict[str, int]
    shifts: dict[int, int]

    @classmethod
    def of(cls, links: Links, has_same_label: NDArray[np.bool_]) -> Overlap:
        """Of the links of rows, and whether the label of the partner of each is its own."""
        counts = np.bincount(links.kinds, minlength=len(KINDS) + 1)
        same = np.bincount(links.kinds[has_same_label], minlength=len(KINDS) + 1)
        is_window = links.kinds == 1 + KINDS.index("windows")
        places, rows = np.unique(links.shifts[is_window], return_counts=True)
        return cls(
            **dict(zip(KINDS, counts[1:].tolist(), strict=True)),
            same_label=dict(zip(KINDS, same[1:].tolist(), strict=True)),
            shifts=dict(zip(places.tolist(), rows.tolist(), strict=True)),
        )

    @property
    def rows(self) -> int:
        """All rows that share a locus."""
        return self.exact + self.windows + self.reverse + self.similar

    @property
    def near(self) -> int:
        """Those that are no copies."""
        return self.windows + self.similar

    @property
    def conflicting(self) -> int:
        """Of the exact and reverse-complement copies, those with a different label."""
        return self.exact + self.reverse - self.same_label["exact"] - self.same_label["reverse"]

    def to_json(self) -> dict[str, Any]:
        """All figures, shifts as pairs in their order."""
        kinds = {name: getattr(self, name) for name in (*KINDS, "near", "conflicting", "rows")}
        return {**kinds, "same_label": self.same_label, "shifts": [list(one) for one in self.shifts.items()]}


@dataclass(frozen=True, slots=True)
class ClusterStatistics:
    """The clusters of the rows of all splits.

    Attributes:
        clusters: Number of clusters.
        largest: Rows of the largest.
        across: Number of clusters with rows of several splits.
        sizes: Number of clusters by their number of rows.
        frequent_kmers: Number of k-mers that were ignored, as they are of repeats.
        frequent_sequences: Number of sequences that have such.
    """

    clusters: int
    largest: int
    across: int
    sizes: dict[int, int]
    frequent_kmers: int
    frequent_sequences: int

    @classmethod
    def of(cls, loci: Loci) -> ClusterStatistics:
        """Of the loci of a set."""
        rows = np.bincount(np.concatenate(list(loci.clusters.values())))
        counted = [np.bincount(part, minlength=len(rows)) > 0 for part in loci.clusters.values()]
        sizes, counts = np.unique(rows, return_counts=True)
        return cls(
            clusters=len(rows),
            largest=int(rows.max()),
            across=int((np.sum(counted, 0) > 1).sum()),
            sizes=dict(zip(sizes.tolist(), counts.tolist(), strict=True)),
            frequent_kmers=loci.frequent_kmers,
            frequent_sequences=loci.frequent_sequences,
        )


NOTHING = Overlap(0, 0, 0, 0, dict.fromkeys(KINDS, 0), {})
"""Rows that share nothing."""


def shared(loci: Loci, splits: dict[str, LabelledSplit], name: str) -> dict[str, Any]:
    """What the rows of a split share with those above and with earlier splits."""
    earlier = list(splits)[: list(splits).index(name)]
    sides = tuple(
        {other: _overlap(loci.links(name, other, side), splits, name, other) for other in (*earlier, name)}
        for side in range(loci.sides)
    )
    rows = sides[0]
    if loci.sides > 1:
        rows = {other: _of_pairs(loci, splits, name, other) for other in (*earlier, name)}
    return {
        "within": rows[name],
        "against": {other: rows[other] for other in earlier},
        "clean": int(loci.is_clean(name, earlier).sum()),
        "sides": sides if loci.sides > 1 else (),
    }


def _overlap(links: Links, splits: dict[str, LabelledSplit], name: str, other: str) -> Overlap:
    """The figures of links, with the labels of both splits."""
    own, theirs = splits[name].labels, splits[other].labels[links.partners]
    same = own == theirs
    return Overlap.of(links, same.all(1) if same.ndim > 1 else same)


def _of_pairs(loci: Loci, splits: dict[str, LabelledSplit], name: str, other: str) -> Overlap:
    """The figures of whole pairs."""
    first, second = (loci.links(name, other, side) for side in (0, 1))
    similar = 1 + KINDS.index("similar")
    kinds = np.where((first.kinds > 0) & (second.kinds > 0), similar, 0).astype(np.uint8)
    partners = first.partners.copy()
    rows_of: dict[tuple[str, str], int] = {}
    if name != other:
        for row, pair in enumerate(_pairs(splits[other])):
            rows_of.setdefault(pair, row)
    for row, pair in enumerate(_pairs(splits[name])):
        flipped = tuple(side[::-1].translate(COMPLEMENT) for side in pair)
        for kind, text in (("exact", pair), ("reverse", flipped)):
            if text in rows_of:
                kinds[row], partners[row] = 1 + KINDS.index(kind), rows_of[text]
                break
        if name == other:
            rows_of.setdefault(pair, row)
    return _overlap(Links(kinds, partners, first.shifts, first.overlaps), splits, name, other)


def _pairs(split: LabelledSplit) -> Iterator[tuple[str, str]]:
    """The pairs of sequences, in upper case."""
    for one, other in zip(split.sequences, split.partners, strict=True):
        yield one.upper(), other.upper()
