"""Intervals around figures, from rows that are drawn again, and whether two of them differ.

An interval is a percentile bootstrap: rows are drawn with replacement, as many as there are, and the interval
holds `level` of the figures of the draws. A draw is a weight for each row: how often it was drawn.

Rows of one locus are not independent. Where the cluster of each row is given, whole clusters are drawn with
replacement, as many as there are, and the weights of a draw are scaled to a sum of N (the cluster bootstrap;
Davison and Hinkley, 1997, section 3.8). With clusters of one row it is the same as drawing rows.
"""

# Shapes: N rows, R draws, K clusters.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DRAWS", "Interval", "differ", "percentiles", "ratio", "weights"]

Floats = NDArray[np.float64]

DRAWS, MIN_DRAWS = 2000, 100
BUDGET = 10_000_000
"""Drawn numbers: with more than this for `DRAWS` draws there are fewer, down to `MIN_DRAWS`."""
AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the interval that `level` of the draws fall into."""

    value: float
    low: float
    high: float
    level: float = 0.95


def differ(one: Interval, other: Interval) -> bool:
    """Whether two intervals have nothing in common; if they have, no difference should be claimed.

    That is stricter than a test of the difference: of two that touch, some do differ.
    """
    return one.low > other.high or other.low > one.high


def percentiles(value: float, drawn: Floats, level: float = 0.95) -> Interval:
    """A value with the interval of the figures of draws, (R,)."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


def weights(
    rows: int, columns: int = 1, *, seed: int = 0, clusters: NDArray[np.int64] | None = None
) -> Iterator[Floats]:
    """Draws as weights of the rows, (R, N) in parts of bounded size; the same for a seed.

    Args:
        rows: N.
        columns: Figures of each row; the more, the fewer draws.
        seed: Decides the draws.
        clusters: (N,) the cluster of each row, any numbers: clusters are drawn, not rows.
    """
    generator = np.random.default_rng(seed)
    draws = min(max(BUDGET // (rows * columns), MIN_DRAWS), DRAWS)
    at_once = max(AT_ONCE // rows, 1)
    units, of_row = rows, None
    if clusters is not None:
        found, of_row = np.unique(clusters, return_inverse=True)
        units = len(found)
    for first in range(0, draws, at_once):
        part = min(at_once, draws - first)
        drawn = generator.integers(0, units, (part, units))
        drawn += np.arange(part)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=part * units).reshape(part, units).astype(np.float64)
        yield counts if of_row is None else _scaled(counts[:, of_row])


def _scaled(weights_of_rows: Floats) -> Floats:
    """Weights (R, N) whose sum is N in each draw."""
    found: Floats = weights_of_rows * (weights_of_rows.shape[1] / weights_of_rows.sum(1, keepdims=True))
    return found


def ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    """A quotient, 0 where the divisor is."""
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    found: Floats = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)
    return found
