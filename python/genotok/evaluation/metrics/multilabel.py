"""Several labels of a row: F1 over labels, average precision, exact matches; equal to scikit-learn's.

For label l with TP, FP and FN rows

    F1[l] = 2 TP / (2 TP + FP + FN)     macro = mean over the labels that are true or predicted of any row
    micro F1 = the same of the sums over labels
    AP[l] = Σ precision · gained recall, over thresholds     mAP = mean over the labels that any row has
    AUROC = mean area under the ROC curve over the labels that some rows have and some have not
    subset accuracy = share of rows whose labels are predicted exactly
"""

# Shapes: N rows, L labels, R draws.

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genotok.errors import ArgumentError
from genotok.evaluation.metrics.classes import area_under_precision_recall, area_under_roc
from genotok.evaluation.metrics.intervals import Interval, percentiles, ratio, weights

__all__ = ["LABEL_METRICS", "LabelMetric", "LabelScores", "label_score", "label_scores"]

Floats = NDArray[np.float64]
LabelMetric = Literal["map", "f1_micro", "f1_macro", "subset_accuracy", "auroc"]
LABEL_METRICS: tuple[LabelMetric, ...] = ("map", "f1_micro", "f1_macro", "subset_accuracy", "auroc")

THRESHOLD = 0.5
"""A label holds from this probability on."""


@dataclass(frozen=True, slots=True)
class LabelScores:
    """All metrics of predicted labels, as shares.

    Attributes:
        rows: N.
        intervals: Each metric with its bootstrap interval; AUROC is not drawn, its interval is its value.
        precision: Of each label, (L,).
        recall: Of each label, (L,).
        f1_of_label: Of each label, (L,).
        average_precision: Of each label, (L,); nan for a label that no row has.
        support: True rows of each label, (L,).
    """

    rows: int
    intervals: dict[LabelMetric, Interval]
    precision: Floats
    recall: Floats
    f1_of_label: Floats
    average_precision: Floats
    support: NDArray[np.int64]

    def __getitem__(self, metric: LabelMetric) -> float:
        """The value of a metric."""
        return self.intervals[metric].value


def label_scores(
    true: ArrayLike, probabilities: ArrayLike, *, seed: int = 0, clusters: NDArray[np.int64] | None = None
) -> LabelScores:
    """All metrics of labels.

    Args:
        true: (N, L) 1 where a label holds.
        probabilities: (N, L) predicted.
        seed: Decides the draws of the intervals.
        clusters: (N,) the cluster of each row, if those are drawn (`intervals`).

    Raises:
        ArgumentError: There are no rows, or the two have other sizes.
    """
    truth, likely = _checked(true, probabilities)
    whole = _Whole(truth, likely)
    drawn = [whole.scores(part) for part in weights(*truth.shape, seed=seed, clusters=clusters)]
    values = whole.scores(np.ones((1, len(truth))))
    intervals: dict[LabelMetric, Interval] = {
        metric: percentiles(float(values[metric][0]), np.concatenate([part[metric] for part in drawn]))
        for metric in LABEL_METRICS
        if metric != "auroc"
    }
    area = _auroc(truth, likely)
    guess = likely >= THRESHOLD
    right = (truth & guess).sum(0)
    return LabelScores(
        rows=len(truth),
        intervals={**intervals, "auroc": Interval(area, area, area)},
        precision=ratio(right, guess.sum(0)),
        recall=ratio(right, truth.sum(0)),
        f1_of_label=ratio(2 * right, guess.sum(0) + truth.sum(0)),
        average_precision=_average_precision(truth, likely),
        support=truth.sum(0),
    )


def label_score(true: ArrayLike, probabilities: ArrayLike, metric: LabelMetric) -> float:
    """One metric; arguments and errors are those of `label_scores`."""
    truth, likely = _checked(true, probabilities)
    if metric == "auroc":
        return _auroc(truth, likely)
    return float(_Whole(truth, likely).scores(np.ones((1, len(truth))))[metric][0])


class _Whole:
    """True and predicted labels, and what all draws of them share."""

    def __init__(self, truth: NDArray[np.bool_], likely: Floats) -> None:
        guess = likely >= THRESHOLD
        self.rows, self.labels = truth.shape
        self._counted = np.concatenate([truth & guess, truth, guess], 1).astype(np.float64)
        self._exact = (truth == guess).all(1).astype(np.float64)
        self._truth = truth.astype(np.float64)
        self._orders = np.argsort(-likely, 0, kind="stable")
        self._likely = likely

    def scores(self, draws: Floats) -> dict[LabelMetric, Floats]:
        """All metrics but AUROC, (R,) each, of draws (R, N)."""
        right, true, guessed = np.split(draws @ self._counted, 3, axis=1)
        both = true + guessed
        precisions = np.stack([self._precision(draws, label) for label in range(self.labels)], 1)
        return {
            "map": ratio(precisions.sum(1), (true > 0).sum(1)),
            "f1_micro": ratio(2 * right.sum(1), both.sum(1)),
            "f1_macro": ratio(ratio(2 * right, both).sum(1), (both > 0).sum(1)),
            "subset_accuracy": draws @ self._exact / self.rows,
        }

    def _precision(self, draws: Floats, label: int) -> Floats:
        """The average precision of a label in draws, (R,); 0 where no row has it."""
        order = self._orders[:, label]
        likely = self._likely[order, label]
        last = np.flatnonzero(np.append(likely[1:] != likely[:-1], True))
        drawn = draws[:, order]
        hits = np.cumsum(drawn * self._truth[order, label], 1)[:, last]
        gained = np.diff(hits, prepend=0, axis=1)
        return ratio((gained * ratio(hits, np.cumsum(drawn, 1)[:, last])).sum(1), hits[:, -1])


def _average_precision(truth: NDArray[np.bool_], likely: Floats) -> Floats:
    """Of each label, (L,); nan for one that no row has."""
    found = np.full(truth.shape[1], np.nan)
    for label in np.flatnonzero(truth.any(0)):
        side = truth[:, label]
        found[label] = 1.0 if side.all() else area_under_precision_recall(side, likely[:, label])
    return found


def _auroc(truth: NDArray[np.bool_], likely: Floats) -> float:
    """The mean area over the labels that some rows have and some have not; 0 if there are none."""
    both = np.flatnonzero(truth.any(0) & ~truth.all(0))
    areas = [area_under_roc(truth[:, label], likely[:, label]) for label in both]
    return float(np.mean(areas)) if areas else 0.0


def _checked(true: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    """Both, checked."""
    truth, likely = np.asarray(true), np.asarray(probabilities, np.float64)
    if truth.shape != likely.shape or truth.ndim != 2 or not truth.size:
        raise ArgumentError(f"probabilities: {likely.shape}; {truth.shape}, rows and labels, are expected")
    return truth > 0, likely
