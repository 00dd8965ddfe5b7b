"""The audit of a data set before training: rows of one locus within and across splits, balance, lengths.

`loci` defines when rows are of one locus. A row counts once, under the first of the kinds exact, windows,
reverse, similar that links it to any row of an earlier split; within a split a row is compared with the rows
above it. Time and memory are linear in the number of bases.

A row of pairs is an exact copy if both of its sequences equal those of one other row, and similar if both are
linked to some rows in any way. The same figures are given of each side alone.
"""

# Dimensions: N rows.

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genotok.gue.loci import find_loci
from genotok.gue.overlaps import NOTHING, ClusterStatistics, Overlap, shared

if TYPE_CHECKING:
    from genotok.gue.files import LabelledSplit
    from genotok.gue.labels import Labels, ProblemType
    from genotok.options import LocusOptions

__all__ = ["Audit", "LengthStatistics", "SplitAudit", "audit"]

CountTokens = Callable[[Sequence[str]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class LengthStatistics:
    """Minimum, median, 95th percentile and maximum of the lengths of rows."""

    least: int
    median: float
    p95: float
    most: int

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> LengthStatistics:
        """Of (N,) lengths."""
        median, p95 = np.quantile(lengths, [0.5, 0.95])
        return cls(int(lengths.min()), float(median), float(p95), int(lengths.max()))


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """Range, mean and standard deviation of numeric labels."""

    least: float
    mean: float
    deviation: float
    most: float

    @classmethod
    def of(cls, labels: NDArray[np.float64]) -> LabelStatistics:
        """Of (N,) labels."""
        figures = (labels.min(), labels.mean(), labels.std(), labels.max())
        return cls(*map(float, figures))


@dataclass(frozen=True, slots=True)
class SplitAudit:
    """The audit of one split.

    Attributes:
        rows: N.
        classes: Rows of each class or label; none for numeric labels.
        numbers: Statistics of numeric labels.
        bases: Lengths in bases; those of a pair are added.
        tokens: Lengths in tokens, special tokens included, if a tokenizer was given.
        cut: For each limit in tokens, the share of longer rows.
        other_symbols: Number of symbols other than A, C, G, T in either case.
        unknown: Number of symbols outside the vocabulary of the tokenizer, if one was given, by symbol.
        lower_case: Number of lower-case symbols.
        within: Rows that share a locus with rows above them.
        against: For each earlier split, those that share a locus with its rows.
        clean: Number of rows in no cluster with a row of an earlier split.
        sides: Of pairs, the same as `within` and `against` of each side, by split; empty for other sets.
    """

    rows: int
    classes: tuple[int, ...]
    numbers: LabelStatistics | None
    bases: LengthStatistics
    tokens: LengthStatistics | None
    cut: dict[int, float]
    other_symbols: int
    unknown: dict[str, int]
    lower_case: int
    within: Overlap
    against: dict[str, Overlap]
    clean: int
    sides: tuple[dict[str, Overlap], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            **asdict(self),
            "within": self.within.to_json(),
            "against": {name: one.to_json() for name, one in self.against.items()},
            "sides": [{name: one.to_json() for name, one in side.items()} for side in self.sides],
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of all splits of a data set, and its labels."""

    problem_type: ProblemType
    classes: tuple[str, ...]
    splits: dict[str, SplitAudit]
    loci: ClusterStatistics

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        sizes = [list(one) for one in self.loci.sizes.items()]
        return {
            "problem_type": self.problem_type,
            "classes": list(self.classes),
            "splits": {name: one.to_json() for name, one in self.splits.items()},
            "loci": {**asdict(self.loci), "sizes": sizes},
        }


def audit(
    splits: dict[str, LabelledSplit],
    classes: Labels,
    *,
    count_tokens: CountTokens | None = None,
    max_tokens: Sequence[int] = (),
    loci: LocusOptions | None = None,
    threads: int | None = None,
) -> Audit:
    """Audit all splits, each also against those before it.

    Args:
        splits: In the order train, dev, test.
        classes: Their labels.
        count_tokens: Counts the tokens of sequences, without special tokens.
        max_tokens: Limits for which to report the share of longer rows.
        loci: When rows are of one locus; None for the defaults.
        threads: Threads that look for loci; None for all cores.

    Raises:
        ArgumentError: An option of `loci` is out of range.
    """
    found_loci = find_loci(splits, loci, threads=threads)
    found: dict[str, SplitAudit] = {}
    for name, split in splits.items():
        described = _describe(split, classes, count_tokens, max_tokens)
        found[name] = replace(described, **shared(found_loci, splits, name))
    names = () if classes.type == "regression" else classes.names
    return Audit(classes.type, names, found, ClusterStatistics.of(found_loci))


def _describe(
    split: LabelledSplit,
    classes: Labels,
    count_tokens: CountTokens | None,
    max_tokens: Sequence[int],
) -> SplitAudit:
    """The audit of one split, without what it shares with others."""
    sides = [side for side in (split.sequences, split.partners) if side]
    symbols = Counter("".join(map("".join, sides)))
    tokens = None
    if count_tokens is not None:
        # [CLS] one [SEP], or [CLS] one [SEP] other [SEP]
        tokens = sum((count_tokens(side) for side in sides), np.full(len(split), 1 + len(sides), np.int64))
    return SplitAudit(
        rows=len(split),
        classes=tuple(classes.counts(split.labels)),
        numbers=LabelStatistics.of(split.labels) if classes.type == "regression" else None,
        bases=LengthStatistics.of(np.sum([[len(text) for text in side] for side in sides], 0)),
        tokens=None if tokens is None else LengthStatistics.of(tokens),
        cut={} if tokens is None else {limit: float((tokens > limit).mean()) for limit in max_tokens},
        other_symbols=sum(count for symbol, count in symbols.items() if symbol not in "ACGTacgt"),
        unknown=split.unknown,
        lower_case=sum(count for symbol, count in symbols.items() if symbol.islower()),
        within=NOTHING,
        against={},
        clean=0,
    )
