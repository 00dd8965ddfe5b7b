"""Targets of regression, standardized: standard deviations from the mean of train.

Predictions are in the units of the labels: during training the outputs are scaled back, and afterwards mean
and scale are folded into the last layer, so that the logits of the saved model are the numbers themselves.
"""

# Dimensions: N rows.

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
        """Of (N,) numbers; a constant has scale 1."""
        return cls(float(labels.mean()), float(labels.std()) or 1.0)

    def standard(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Standardized labels, (N,)."""
        return (labels - self.mean) / self.scale

    def restored(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Standardized outputs (N, 1) in the units of the labels."""
        return outputs * self.scale + self.mean

    def fold_into(self, layer: nn.Linear) -> None:
        """Make the last layer of a model predict in the units of the labels."""
        with torch.no_grad():
            layer.weight.mul_(self.scale)
            layer.bias.mul_(self.scale).add_(self.mean)
