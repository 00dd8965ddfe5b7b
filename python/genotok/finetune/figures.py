"""The figures of predictions, as the records of runs hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.metrics import bootstrap, calibration, scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["figures"]

Record = dict[str, Any]


def figures(matrix: NDArray[Any], shares: NDArray[Any], labels: NDArray[Any], metric: Any) -> Record:
    """All metrics of predictions, with the interval of the set's own."""
    found = scores(matrix)
    interval = bootstrap(matrix, metric)
    return {
        "mcc": found.mcc,
        "f1": found.f1,
        "accuracy": found.accuracy,
        "precision": found.precision.tolist(),
        "recall": found.recall.tolist(),
        "f1_of_class": found.f1_of_class.tolist(),
        "confusion": matrix.tolist(),
        "calibration_error": calibration(labels, shares),
        "low": interval.low,
        "high": interval.high,
    }
