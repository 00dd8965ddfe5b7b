"""Classes: accuracy, precision, recall, F1 and MCC, equal to scikit-learn's (`tests/test_metrics.py`).

All start from counts. For C classes the confusion matrix N has in row t and column p how many rows of class t
were predicted as p; with it

    accuracy = Σ N[c,c] / n    precision[c] = N[c,c] / Σ_t N[t,c]    recall[c] = N[c,c] / Σ_p N[c,p]
    F1[c] = 2 N[c,c] / (row + column)    macro = mean over the classes that are true or predicted of any row
    MCC = (n Σ N[c,c] - Σ rows[c] columns[c]) / √((n² - Σ columns²) (n² - Σ rows²))     (Gorodkin, 2004)

The bootstrap draws rows with replacement, and because the metrics depend on the matrix only, what is drawn is
the matrix itself, from a multinomial distribution over its cells: a thousand draws of a set of any size take
milliseconds.
"""

# Shapes: N rows, C classes, R draws, K cells of the matrix that are not 0.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genotok.errors import ArgumentError
from genotok.evaluation.metrics.intervals import DRAWS, Interval, percentiles, ratio

__all__ = [
    "CLASS_METRICS",
    "ClassMetric",
    "Scores",
    "area_under_precision_recall",
    "area_under_roc",
    "bootstrap",
    "bootstrap_clusters",
    "calibration",
    "confusion",
    "score",
    "scores",
]

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
ClassMetric = Literal["mcc", "f1", "accuracy"]
CLASS_METRICS: tuple[ClassMetric, ...] = ("mcc", "f1", "accuracy")
"""Those that a set of GUE is judged by, or may be; `f1` is the macro-averaged one."""

MAX_DRAWN = 1 << 22
"""Numbers that are drawn at once."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All metrics of one set of predictions, as shares (MCC from -1 to 1).

    Attributes:
        rows: N.
        mcc: Matthews correlation of any number of classes.
        f1: Macro-averaged F1.
        accuracy: Share of right predictions.
        precision: Of each class, (C,).
        recall: Of each class, (C,).
        f1_of_class: Of each class, (C,).
        support: True rows of each class, (C,).
        matrix: (C, C), true classes in rows.
    """

    rows: int
    mcc: float
    f1: float
    accuracy: float
    precision: Floats
    recall: Floats
    f1_of_class: Floats
    support: Counts
    matrix: Counts


def confusion(true: ArrayLike, predicted: ArrayLike, classes: int) -> Counts:
    """The confusion matrix (C, C), true classes in rows.

    Args:
        true: (N,) class numbers from 0.
        predicted: (N,) likewise.
        classes: C.

    Raises:
        ArgumentError: The two have other lengths, there are no rows, or a number is not below C.
    """
    truth, guess = (np.asarray(side) for side in (true, predicted))
    if truth.shape != guess.shape or truth.ndim != 1:
        raise ArgumentError(f"predicted: {guess.shape} numbers, where {truth.shape} are expected, in one row")
    if not len(truth):
        raise ArgumentError("true: no rows; there is nothing to score")
    for name, side in (("true", truth), ("predicted", guess)):
        if not np.issubdtype(side.dtype, np.integer):
            raise ArgumentError(
                f"{name}: numbers of type {side.dtype}; whole numbers of classes are expected"
            )
        if side.min() < 0 or side.max() >= classes:
            raise ArgumentError(f"{name}: from {side.min()} to {side.max()}; 0 to {classes - 1} is expected")
    cells = truth.astype(np.int64) * classes + guess.astype(np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def scores(matrix: Counts) -> Scores:
    """All metrics of a confusion matrix (C, C)."""
    right, rows, columns = np.diagonal(matrix), matrix.sum(1), matrix.sum(0)
    return Scores(
        rows=int(matrix.sum()),
        mcc=float(score(matrix, "mcc")),
        f1=float(score(matrix, "f1")),
        accuracy=float(score(matrix, "accuracy")),
        precision=ratio(right, columns),
        recall=ratio(right, rows),
        f1_of_class=ratio(2 * right, rows + columns),
        support=rows,
        matrix=matrix,
    )


def score(matrices: NDArray[Any], metric: ClassMetric) -> Floats:
    """One metric of confusion matrices (..., C, C), (...)."""
    right = np.diagonal(matrices, axis1=-2, axis2=-1).astype(np.float64)
    rows, columns = (matrices.sum(axis).astype(np.float64) for axis in (-1, -2))
    return _score(right, rows, columns, metric)


def _score(right: Floats, rows: Floats, columns: Floats, metric: ClassMetric) -> Floats:
    """One metric of diagonals and sums of confusion matrices, (..., C) each, (...)."""
    total = rows.sum(-1)
    if metric == "accuracy":
        return ratio(right.sum(-1), total)
    if metric == "f1":
        seen = rows + columns > 0
        return ratio(ratio(2 * right, rows + columns).sum(-1), seen.sum(-1))
    if metric != "mcc":
        raise ArgumentError(f"metric={metric}: one of {', '.join(CLASS_METRICS)} is expected")
    above = right.sum(-1) * total - (rows * columns).sum(-1)
    below = (total**2 - (columns**2).sum(-1)) * (total**2 - (rows**2).sum(-1))
    return ratio(above, np.sqrt(np.maximum(below, 0)))


def bootstrap(
    matrix: Counts, metric: ClassMetric, *, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> Interval:
    """A metric of a confusion matrix (C, C) with its percentile bootstrap interval; the same for a seed."""
    if draws < 1 or not 0 < level < 1:
        raise ArgumentError(f"draws={draws}, level={level}: at least 1, and a share, are expected")
    total, generator = int(matrix.sum()), np.random.default_rng(seed)
    if draws * matrix.size <= MAX_DRAWN:
        drawn = generator.multinomial(total, matrix.ravel() / total, draws)
        found = score(drawn.reshape(draws, *matrix.shape), metric)
    else:
        found = _drawn_sparse(matrix, metric, draws, generator)
    return percentiles(float(score(matrix, metric)), found, level)


def bootstrap_clusters(
    true: ArrayLike,
    predicted: ArrayLike,
    classes: int,
    metric: ClassMetric,
    clusters: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Interval:
    """A metric with its percentile bootstrap interval from drawn clusters of rows; the same for a seed.

    There are `DRAWS` draws; time is linear in the number of clusters.

    Args:
        true: (N,) class numbers from 0.
        predicted: (N,) likewise.
        classes: C.
        metric: The metric.
        clusters: (N,) the cluster of each row, any numbers.
        seed: Decides the draws.

    Raises:
        ArgumentError: As for `confusion`.
    """
    matrix = confusion(true, predicted, classes)
    cells, cell_of = np.unique(np.asarray(true) * classes + np.asarray(predicted), return_inverse=True)
    names, cluster_of = np.unique(clusters, return_inverse=True)
    number = len(names)
    counts = np.zeros((number, len(cells)))
    np.add.at(counts, (cluster_of, cell_of), 1)
    generator, found = np.random.default_rng(seed), []
    at_once = max(MAX_DRAWN // max(number, classes * classes), 1)
    for first in range(0, DRAWS, at_once):
        part = min(at_once, DRAWS - first)
        drawn = generator.multinomial(number, np.full(number, 1 / number), part) @ counts
        matrices = np.zeros((part, classes * classes))
        matrices[:, cells] = drawn
        found.append(score(matrices.reshape(part, classes, classes), metric))
    return percentiles(float(score(matrix, metric)), np.concatenate(found))


def _drawn_sparse(matrix: Counts, metric: ClassMetric, draws: int, generator: np.random.Generator) -> Floats:
    """A metric of drawn matrices of many classes, (R,): their cells are mostly 0 and take no memory."""
    classes, total = len(matrix), int(matrix.sum())
    truth, guess = np.nonzero(matrix)
    chances = matrix[truth, guess] / total
    at_once = max(MAX_DRAWN // max(len(truth), classes), 1)
    found = []
    for first in range(0, draws, at_once):
        drawn = generator.multinomial(total, chances, min(at_once, draws - first)).astype(np.float64)
        sums = (
            _sums(drawn[:, truth == guess], truth[truth == guess], classes),
            _sums(drawn, truth, classes),
            _sums(drawn, guess, classes),
        )
        found.append(_score(*sums, metric))
    return np.concatenate(found)


def _sums(drawn: Floats, classes_of: Counts, classes: int) -> Floats:
    """The sums (R, C) of cells (R, K) by the class of each, (K,)."""
    found = np.zeros((len(drawn), classes))
    if len(classes_of):
        order = np.argsort(classes_of, kind="stable")
        there, starts = np.unique(classes_of[order], return_index=True)
        found[:, there] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return found


def area_under_roc(true: ArrayLike, likelihood: ArrayLike) -> float:
    """Area under the ROC curve of two classes: the chance that a row of class 1 is ranked above one of 0.

    Args:
        true: (N,) 0 or 1.
        likelihood: (N,) anything that grows with the chance of class 1; ties count half.

    Raises:
        ArgumentError: There are no rows of one of the classes.
    """
    truth, ranked = _binary(true, likelihood)
    order = np.argsort(ranked, kind="stable")
    _, first, size = np.unique(ranked[order], return_index=True, return_counts=True)
    ranks = np.empty(len(truth))
    ranks[order] = np.repeat(first + (size + 1) / 2, size)
    positive = int(truth.sum())
    above = ranks[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(truth) - positive)))


def area_under_precision_recall(true: ArrayLike, likelihood: ArrayLike) -> float:
    """Average precision of two classes: precision at each threshold, weighted by the recall it adds."""
    truth, ranked = _binary(true, likelihood)
    order = np.argsort(-ranked, kind="stable")
    values, hits = ranked[order], np.cumsum(truth[order])
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    gained = np.diff(hits[last], prepend=0)
    return float((gained * hits[last] / (last + 1)).sum() / truth.sum())


def calibration(true: ArrayLike, shares: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: how far the highest share is from how often it is right, on average.

    Args:
        true: (N,) class numbers.
        shares: (N, C) predicted shares of the classes.
        bins: Equal parts of 0 to 1; each counts with its rows (Naeini et al., 2015).
    """
    truth, likely = np.asarray(true), np.asarray(shares, np.float64)
    sure, right = likely.max(1), likely.argmax(1) == truth
    part = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(part, right - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def _binary(true: ArrayLike, likelihood: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    """Both, checked."""
    truth, ranked = np.asarray(true), np.asarray(likelihood, np.float64)
    if truth.shape != ranked.shape or set(np.unique(truth).tolist()) != {0, 1}:
        raise ArgumentError("true: rows of both classes 0 and 1, as many as likelihoods, are expected")
    return truth.astype(bool), ranked
