"""The average of two baselines: w times the outputs of one, 1 - w times those of the other."""

# Shapes: N rows, C outputs.

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.evaluation.metrics import merit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genotok.baseline.blind import BlindSet

__all__ = ["WEIGHTS", "averaged", "choose_weight"]

WEIGHTS = tuple(number / 20 for number in range(21))
"""The weights that are tried: 0, 0.05, ..., 1."""


def averaged(one: NDArray[np.float64], other: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The average (N, C) of outputs (N, C), `weight` being that of `one`."""
    return weight * one + (1 - weight) * other


def choose_weight(
    one: NDArray[np.float64], other: NDArray[np.float64], blind: BlindSet
) -> tuple[float, float]:
    """The weight whose average is best on dev, of equal ones that of the least loss; and its metric.

    Args:
        one: (N, C) outputs for dev.
        other: (N, C) those of the other baseline.
        blind: The set.
    """
    labels = blind.splits["dev"].labels
    found = {}
    for weight in WEIGHTS:
        outputs = averaged(one, other, weight)
        found[weight] = merit(blind.metric, labels, outputs), -blind.problem.loss(outputs, labels)
    best = max(WEIGHTS, key=found.__getitem__)
    return best, found[best][0]
