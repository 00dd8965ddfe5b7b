"""Predicted numbers beside the true ones: correlations, the share of the variance, errors.

With x predicted, y true, e = x - y and means over rows

    Pearson = cov(x, y) / √(var x · var y)        Spearman = Pearson of the ranks, ties at their mean rank
    R² = 1 - mean(e²) / var y                     RMSE = √mean(e²)         MAE = mean |e|

A correlation with what is constant is 0, and so is R² if the true numbers are.
"""

# Shapes: N rows, R draws, G groups of equal numbers.

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genotok.errors import ArgumentError
from genotok.evaluation.metrics.intervals import Interval, percentiles, ratio, weights

__all__ = ["NUMBER_METRICS", "NumberMetric", "NumberScores", "number_score", "number_scores"]

Floats = NDArray[np.float64]
NumberMetric = Literal["pearson", "spearman", "r2", "rmse", "mae"]
NUMBER_METRICS: tuple[NumberMetric, ...] = ("pearson", "spearman", "r2", "rmse", "mae")

NO_VARIANCE = 1e-12
"""A variance below this share of the mean square is rounding."""


@dataclass(frozen=True, slots=True)
class NumberScores:
    """All metrics of predicted numbers; RMSE and MAE in the units of the numbers.

    Attributes:
        rows: N.
        intervals: Each metric with its bootstrap interval.
    """

    rows: int
    intervals: dict[NumberMetric, Interval]

    def __getitem__(self, metric: NumberMetric) -> float:
        """The value of a metric."""
        return self.intervals[metric].value


def number_scores(
    true: ArrayLike, predicted: ArrayLike, *, seed: int = 0, clusters: NDArray[np.int64] | None = None
) -> NumberScores:
    """All metrics of predicted numbers (N,) beside the true ones (N,), with intervals.

    `seed` decides the draws; with `clusters`, (N,), those of rows are drawn (`intervals`).

    Raises:
        ArgumentError: There are no rows, not as many of one as of the other, or a number is not finite.
    """
    pairs = _Pairs(true, predicted)
    drawn = [pairs.scores(part) for part in weights(pairs.rows, seed=seed, clusters=clusters)]
    values = pairs.scores(np.ones((1, pairs.rows)))
    return NumberScores(
        pairs.rows,
        {
            metric: percentiles(float(values[metric][0]), np.concatenate([part[metric] for part in drawn]))
            for metric in NUMBER_METRICS
        },
    )


def number_score(true: ArrayLike, predicted: ArrayLike, metric: NumberMetric) -> float:
    """One metric; arguments and errors are those of `number_scores`."""
    pairs = _Pairs(true, predicted)
    return float(pairs.scores(np.ones((1, pairs.rows)))[metric][0])


class _Pairs:
    """True and predicted numbers, and what all draws of them share."""

    def __init__(self, true: ArrayLike, predicted: ArrayLike) -> None:
        truth, guess = (np.asarray(side, np.float64) for side in (true, predicted))
        if truth.shape != guess.shape or truth.ndim != 1 or not len(truth):
            raise ArgumentError(
                f"predicted: {guess.shape} numbers; {truth.shape}, and at least one, expected"
            )
        if not (np.isfinite(truth).all() and np.isfinite(guess).all()):
            raise ArgumentError("predicted: a number is not finite; nothing can be said of it")
        self.rows = len(truth)
        error = guess - truth
        # Differences to the median: a large mean costs no digits, and what is constant is 0 to the bit.
        x, y = guess - np.median(guess), truth - np.median(truth)
        self._columns = np.stack([x, y, x * x, y * y, x * y, error * error, np.abs(error)], 1)
        self._ranked = _Ranks(x), _Ranks(y)

    def scores(self, draws: Floats) -> dict[NumberMetric, Floats]:
        """All metrics, (R,) each, of draws (R, N)."""
        x, y, xx, yy, xy, squared, absolute = (draws @ self._columns / self.rows).T
        ranks = [side.of(draws) for side in self._ranked]
        moments = [*ranks, ranks[0] ** 2, ranks[1] ** 2, ranks[0] * ranks[1]]
        spread = _variance(y, yy)
        return {
            "pearson": _correlation(x, y, xx, yy, xy),
            "spearman": _correlation(*((draws * moment).sum(1) / self.rows for moment in moments)),
            "r2": np.where(spread > 0, 1 - ratio(squared, spread), 0.0),
            "rmse": np.sqrt(squared),
            "mae": absolute,
        }


class _Ranks:
    """Numbers that are ranked in every draw: sorted once."""

    def __init__(self, numbers: Floats) -> None:
        self._order = np.argsort(numbers, kind="stable")
        _, self._group, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        self._starts = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def of(self, draws: Floats) -> Floats:
        """The rank of each row (R, N) among the rows of a draw, from the middle rank and in shares of N."""
        groups = np.add.reduceat(draws[:, self._order], self._starts, axis=1)
        middle = np.cumsum(groups, 1) - groups / 2
        ranks: Floats = middle[:, self._group] / draws.shape[1] - 0.5
        return ranks


def _variance(mean: Floats, square: Floats) -> Floats:
    """The variance, 0 where it is rounding."""
    found = square - mean**2
    return np.where(found > NO_VARIANCE * square, found, 0.0)


def _correlation(x: Floats, y: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    """Pearson's correlation from means."""
    return np.clip(ratio(xy - x * y, np.sqrt(_variance(x, xx) * _variance(y, yy))), -1, 1)
