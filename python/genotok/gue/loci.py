"""Rows of one locus: which rows of a labelled set are copies or overlapping windows of others, and clusters.

Two sequences are of one locus if they are

1. *copies*: equal except for case;
2. *windows* of one sequence: on the forward strand, on some diagonal, their overlap has at least
   `min_overlap` bases and is equal throughout;
3. *reverse copies*: one is the reverse complement of the other;
4. *similar*: on some diagonal of either strand they share a run of at least `min_overlap` equal bases and
   agree on at least `min_identity` of their overlap.

A diagonal is a way to put one beside the other without gaps. A symbol other than A, C, G, T equals nothing in
2 and 4. Similar ones are found by an index of 31-mers that ignores those of more than `max_sequences`
sequences (repeats); copies and windows do not depend on it. A *cluster* is a connected component under all
four relations over all splits. In a set of pairs each side of a row is a sequence, and a row joins the
clusters of its sides. `rust/src/loci.rs` has the algorithm, its proof and its cost.
"""

# Shapes: N rows of a split.

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok import _native
from genotok.options import LocusOptions, RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from genotok.gue.files import LabelledSplit

__all__ = ["KINDS", "Links", "Loci", "find_loci"]

KINDS = ("exact", "windows", "reverse", "similar")
"""How a row is linked to another one, by their numbers from 1; of several the first counts."""

REVERSE_SIMILAR = 5


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """The link of each row to the rows of a split; within a split to those above it.

    Attributes:
        kinds: (N,) 0 for none, else the number of one of `KINDS`.
        partners: (N,) the row of the other split with the longest overlap, then the first.
        shifts: (N,) the base of the partner at which this row starts.
        overlaps: (N,) bases of the overlap.
    """

    kinds: NDArray[np.uint8]
    partners: NDArray[np.int64]
    shifts: NDArray[np.int64]
    overlaps: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Loci:
    """The loci of a set.

    Attributes:
        sizes: The rows of each split, in the order of the splits.
        sides: Sequences of a row: 1, or 2 for pairs.
        clusters: Of each split (N,) the number of the cluster of each row, the same over all splits.
        frequent_kmers: Number of k-mers that were ignored, as they are of repeats.
        frequent_sequences: Number of sequences that have such.
        options: What a locus is.
        found: The arrays of the native module.
    """

    sizes: dict[str, int]
    sides: int
    clusters: dict[str, NDArray[np.int64]]
    frequent_kmers: int
    frequent_sequences: int
    options: LocusOptions
    found: Mapping[str, Any]

    def links(self, split: str, other: str, side: int = 0) -> Links:
        """The links of the rows of a split to those of the same or an earlier one, of one side of pairs."""
        names = list(self.sizes)
        own = self._rows(names.index(split), side)
        group = names.index(other) * self.sides + side
        first = self._rows(names.index(other), side).start
        kinds, partners, shifts, overlaps = (
            self.found[key][own, group] for key in ("kinds", "partners", "shifts", "overlaps")
        )
        return Links(
            np.where(kinds == REVERSE_SIMILAR, len(KINDS), kinds).astype(np.uint8),
            np.where(kinds > 0, partners.astype(np.int64) - first, -1),
            shifts,
            overlaps.astype(np.int64),
        )

    def _rows(self, split: int, side: int) -> slice:
        """Where the sequences of a side of a split are among all."""
        sizes = list(self.sizes.values())
        first = self.sides * sum(sizes[:split]) + side * sizes[split]
        return slice(first, first + sizes[split])

    def is_clean(self, split: str, others: Iterable[str]) -> NDArray[np.bool_]:
        """(N,) whether a row of a split is in no cluster with a row of the other splits."""
        taken = np.concatenate([np.empty(0, np.int64), *(self.clusters[name] for name in others)])
        return ~np.isin(self.clusters[split], taken)


def find_loci(
    splits: Mapping[str, LabelledSplit], options: LocusOptions | None = None, *, threads: int | None = None
) -> Loci:
    """The loci of all splits of a set.

    Time is linear in the bases: a second for some megabases on one core. Memory is some 10 bytes per base.

    Args:
        splits: In the order train, dev, test.
        options: What a locus is; None for the defaults.
        threads: None for all cores.

    Raises:
        ArgumentError: An option is out of range.
    """
    chosen = options or LocusOptions()
    parts = [side for split in splits.values() for side in _sides(split)]
    lengths = [len(side) for side in parts]
    run = RunOptions(threads=threads)
    raw = _native.find_loci(list(chain.from_iterable(parts)), lengths, chosen, run)
    found = {
        key: raw[key].reshape(sum(lengths), len(lengths))
        for key in ("kinds", "partners", "shifts", "overlaps")
    }
    sizes = {name: len(split) for name, split in splits.items()}
    sides = len(lengths) // max(len(sizes), 1)
    return Loci(
        sizes=sizes,
        sides=sides,
        clusters=_clusters(raw["clusters"].astype(np.int64), sizes, sides),
        frequent_kmers=raw["frequent_kmers"],
        frequent_sequences=raw["frequent_sequences"],
        options=chosen,
        found=found,
    )


def _sides(split: LabelledSplit) -> list[tuple[str, ...]]:
    """The sequences of a split, of pairs those of each side."""
    return [split.sequences, split.partners] if split.partners else [split.sequences]


def _clusters(
    of_sequences: NDArray[np.int64], sizes: dict[str, int], sides: int
) -> dict[str, NDArray[np.int64]]:
    """The clusters of rows, numbered in the order of their first rows."""
    found: dict[str, NDArray[np.int64]] = {}
    first = 0
    for name, size in sizes.items():
        both = of_sequences[first : first + sides * size].reshape(sides, size)
        found[name], first = both, first + sides * size
    rows = np.concatenate(list(found.values()), axis=1) if found else np.empty((1, 0), np.int64)
    numbers = _joined(rows)
    ends = np.cumsum(list(sizes.values()))
    return dict(zip(sizes, np.split(numbers, ends[:-1]), strict=True))


def _joined(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The components (N,) of rows that have a cluster of each side, (sides, N), in common."""
    if len(rows) == 1:
        joined = rows[0]
    else:
        parents = list(range(int(rows.max(initial=-1)) + 1))

        def root(at: int) -> int:
            while parents[at] != at:
                parents[at] = parents[parents[at]]
                at = parents[at]
            return at

        for one, other in rows.T.tolist():
            low, high = sorted((root(one), root(other)))
            parents[high] = low
        joined = np.array([root(one) for one in rows[0].tolist()], np.int64)
    _, firsts, numbers = np.unique(joined, return_index=True, return_inverse=True)
    order = np.empty(len(firsts), np.int64)
    order[np.argsort(firsts)] = np.arange(len(firsts))
    return order[numbers]
