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

__all__ = ["AnyScores", "as_record", "figures", "score_outputs"]

Record = dict[str, Any]
AnyScores = Scores | NumberScores | LabelScores


def score_outputs(problem: Problem, labels: NDArray[Any], outputs: NDArray[Any]) -> AnyScores:
    """All metrics of outputs (N, C) against labels from `Labels.values`."""
    if problem.type == "regression":
        return number_scores(labels, outputs[:, 0])
    if problem.type == "multilabel":
        return label_scores(labels, outputs)
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


def figures(problem: Problem, labels: NDArray[Any], outputs: NDArray[Any], metric: Metric) -> Record:
    """All metrics of outputs (N, C), with the interval of the main metric as `low` and `high`."""
    found = score_outputs(problem, labels, outputs)
    record = as_record(found)
    if isinstance(found, Scores):
        interval = bootstrap(found.matrix, cast("ClassMetric", metric))
        record["calibration_error"] = calibration(labels, outputs)
    else:
        interval = cast("Mapping[Metric, Interval]", found.intervals)[metric]
    return {**record, "low": interval.low, "high": interval.high}


def _with_intervals(intervals: Mapping[Any, Interval]) -> Record:
    """Values, and the bounds of their intervals."""
    ends = {name: [one.low, one.high] for name, one in intervals.items()}
    return {**{name: one.value for name, one in intervals.items()}, "intervals": ends}
