"""Numbers as they are trained on: in standard deviations from the mean of train.

Predictions are in the units of the user all the same: while a model is trained its outputs are scaled back,
and at the end mean and scale become part of its last layer, so that its logits are the numbers themselves,
for whoever loads it.
"""

# Shape letters: N rows.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["Targets"]


@dataclass(frozen=True, slots=True)
class Targets:
    """Mean and standard deviation of the numbers of train."""

    mean: float
    scale: float

    @classmethod
    def of(cls, labels: NDArray[np.float64]) -> Targets:
        """Of (N,) numbers; one alone, or all the same, have scale 1."""
        return cls(float(labels.mean()), float(labels.std()) or 1.0)

    def standard(self, labels: NDArray[Any]) -> NDArray[Any]:
        """What is trained on, (N,)."""
        return (labels - self.mean) / self.scale

    def restored(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """What a model in training predicts, (N, 1), in the units of the labels."""
        return outputs * self.scale + self.mean

    def fold_into(self, layer: nn.Linear) -> None:
        """Make a last layer predict in the units of the labels."""
        with torch.no_grad():
            layer.weight.mul_(self.scale)
            layer.bias.mul_(self.scale).add_(self.mean)
