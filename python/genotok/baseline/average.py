"""The average of two baselines: w times the outputs of one, 1 - w times those of the other."""

# Shapes: N rows, C outputs.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.evaluation.metrics import merit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genotok.evaluation.metrics import Metric

__all__ = ["WEIGHTS", "averaged", "choose_weight"]

WEIGHTS = tuple(number / 20 for number in range(21))
"""The weights that are tried: 0, 0.05, ..., 1."""


def averaged(one: NDArray[np.float64], other: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The average (N, C) of outputs (N, C), `weight` being that of `one`."""
    return weight * one + (1 - weight) * other


def choose_weight(
    one: NDArray[np.float64], other: NDArray[np.float64], labels: NDArray[Any], metric: Metric
) -> tuple[float, float]:
    """The weight with the best metric of the average, and that metric; of equal ones the next to 0.5.

    Args:
        one: (N, C) outputs for dev.
        other: (N, C) those of the other baseline.
        labels: Of dev, as `Labels.values` gives them.
        metric: What is best.
    """
    found = {weight: merit(metric, labels, averaged(one, other, weight)) for weight in WEIGHTS}
    best = max(WEIGHTS, key=lambda weight: (found[weight], -abs(weight - 0.5)))
    return best, found[best]
