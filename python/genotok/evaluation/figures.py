"""The metrics of predictions, in the form that records of runs have."""

# Dimensions: N rows, C outputs.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from genotok.evaluation.metrics import (
    Interval,
    LabelScores,
    NumberScores,
    Scores,
    bootstrap,
    bootstrap_clusters,
    calibration,
    confusion,
    label_scores,
    number_scores,
    scores,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from genotok.evaluation.metrics import ClassMetric, Metric
    from genotok.evaluation.problem import Problem
    from genotok.gue import CleanRows

__all__ = ["AnyScores", "as_record", "figures", "score_outputs"]

Record = dict[str, Any]
AnyScores = Scores | NumberScores | LabelScores

MIN_LOCI = 100
"""Fewer clean loci are too few: of 100 rows of two classes an MCC of 0.5 has an interval 0.34 wide."""


def score_outputs(
    problem: Problem,
    labels: NDArray[Any],
    outputs: NDArray[Any],
    clusters: NDArray[np.int64] | None = None,
) -> AnyScores:
    """All metrics of outputs (N, C) against labels from `Labels.values`.

    Intervals are of drawn rows, or with `clusters`, (N,), of drawn clusters of them.
    """
    if problem.type == "regression":
        return number_scores(labels, outputs[:, 0], clusters=clusters)
    if problem.type == "multilabel":
        return label_scores(labels, outputs, clusters=clusters)
    return scores(confusion(labels, outputs.argmax(1), problem.num_outputs))


def as_record(found: AnyScores) -> Record:
    """All metrics as JSON values; null where undefined."""
    if isinstance(found, Scores):
        return {
            "mcc": found.mcc,
            "f1": found.f1,
            "accuracy": found.accuracy,
            "precision": found.precision.tolist(),
            "recall": found.recall.tolist(),
            "f1_of_class": found.f1_of_class.tolist(),
            "confusion": found.matrix.tolist(),
        }
    if isinstance(found, NumberScores):
        return _with_intervals(found.intervals)
    return {
        **_with_intervals(found.intervals),
        "precision": found.precision.tolist(),
        "recall": found.recall.tolist(),
        "f1_of_label": found.f1_of_label.tolist(),
        "average_precision": [None if np.isnan(one) else one for one in found.average_precision.tolist()],
        "support": found.support.tolist(),
    }


def figures(
    problem: Problem,
    labels: NDArray[Any],
    outputs: NDArray[Any],
    metric: Metric,
    clean: CleanRows | None = None,
) -> Record:
    """All metrics of outputs (N, C), with the interval of the main metric as `low` and `high`.

    With `clean`, intervals are of drawn loci, and `clean` holds the same metrics of the clean rows, with
    their number as `rows`, that of their loci as `loci`, and a `note` if they are too few, or if a split that
    they are compared with is missing.
    """
    if clean is None:
        return _figures(problem, labels, outputs, metric, None)
    chosen = clean.is_clean
    found = _figures(problem, labels, outputs, metric, clean.clusters)
    loci = len(np.unique(clean.clusters[chosen]))
    part: Record = {"rows": int(chosen.sum()), "loci": loci}
    is_constant = problem.labels.is_constant(labels[chosen])
    if not is_constant:
        part |= _figures(problem, labels[chosen], outputs[chosen], metric, clean.clusters[chosen])
    too_few = ""
    if is_constant or loci < MIN_LOCI:
        why = ", all with one label" if chosen.any() and is_constant else ""
        too_few = f"too few: {loci:,} clean loci{why}; at least {MIN_LOCI} are wanted"
    part["note"] = "; ".join(filter(None, (too_few, clean.note)))
    return {**found, "loci": len(np.unique(clean.clusters)), "clean": part}


def _figures(
    problem: Problem,
    labels: NDArray[Any],
    outputs: NDArray[Any],
    metric: Metric,
    clusters: NDArray[np.int64] | None,
) -> Record:
    """All metrics, and the interval of the main one."""
    found = score_outputs(problem, labels, outputs, clusters)
    record = as_record(found)
    if isinstance(found, Scores):
        chosen = cast("ClassMetric", metric)
        if clusters is None:
            interval = bootstrap(found.matrix, chosen)
        else:
            interval = bootstrap_clusters(labels, outputs.argmax(1), problem.num_outputs, chosen, clusters)
        record["calibration_error"] = calibration(labels, outputs)
    else:
        interval = cast("Mapping[Metric, Interval]", found.intervals)[metric]
    return {**record, "low": interval.low, "high": interval.high}


def _with_intervals(intervals: Mapping[Any, Interval]) -> Record:
    """Values, and the bounds of their intervals."""
    ends = {name: [one.low, one.high] for name, one in intervals.items()}
    return {**{name: one.value for name, one in intervals.items()}, "intervals": ends}
