"""A small convolutional network over bases: sequences to outputs, without a tokenizer.

Bases are one-hot, other symbols are zeros. Three convolutions follow, each with batch norm and GELU; the
output of the second is added to that of the third. The sum is pooled over the sequence: the maximum and the
mean of each channel and, where places mean something, the maximum in each of eight bins of equal length. One
linear layer gives the outputs. With two classes the network has 70,146 parameters, with bins 71,170.

| convolution | width | dilation | channels |
|---|---|---|---|
| 1 | 15 | 1 | 128 |
| 2 | 5 | 1 | 64 |
| 3 | 5 | 2 | 64 |

Padding is set to zero before each convolution and left out of every pool, so that the outputs of a sequence
do not depend on the batch that it is in.
"""

# Shapes: B sequences of a batch, L bases of the longest, F features of a side, C outputs.

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PADDING", "UNKNOWN", "SmallNetwork"]

UNKNOWN, PADDING = 4, 5
"""Codes of a symbol that is no base, and of places behind the end of a sequence; bases are 0 to 3."""

BINS = 8
"""Parts of a sequence whose maxima are features where places mean something."""

NONE = -1.0
"""The value of padding in a maximum: below any sum of two GELU, which are above -0.18."""


class SmallNetwork(nn.Module):
    """The network, for single sequences or pairs.

    Args:
        outputs: C.
        sides: Sequences in a row: 1, or 2 for pairs, which share the convolutions.
        width: Bases of the sequences, if a place means the same in all of them; else None. What is behind
            them counts as the last base.
    """

    def __init__(self, outputs: int, *, sides: int = 1, width: int | None = None) -> None:
        super().__init__()
        self.width = width
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(4, 128, 15, padding="same"),
                nn.Conv1d(128, 64, 5, padding="same"),
                nn.Conv1d(64, 64, 5, padding="same", dilation=2),
            ]
        )
        self.norms = nn.ModuleList([nn.BatchNorm1d(channels) for channels in (128, 64, 64)])
        self.head = nn.Linear(64 * (2 + (BINS if width else 0)) * sides, outputs)

    def forward(self, sides: Sequence[Tensor]) -> Tensor:
        """The outputs (B, C) of codes, (B, L) for each side."""
        found: Tensor = self.head(torch.cat([self._features(codes) for codes in sides], 1))
        return found

    def _features(self, codes: Tensor) -> Tensor:
        """The features (B, F) of one side."""
        real = (codes != PADDING)[:, None]
        x = functional.one_hot(codes.long(), PADDING + 1)[..., :4].to(self.head.weight.dtype).transpose(1, 2)
        before = x
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            before, x = x, functional.gelu(norm(convolution(x))) * real
        x = before + x
        lengths = real.sum(-1)
        peaks = x.masked_fill(~real, NONE)
        features = [peaks.amax(-1), x.sum(-1) / lengths]
        if self.width:
            last = (
                peaks[..., self.width - 1 :].amax(-1, keepdim=True) if peaks.shape[-1] >= self.width else None
            )
            ends = functional.pad(peaks, (0, self.width - peaks.shape[-1]), value=NONE)
            placed = ends if last is None else torch.cat([ends[..., :-1], last], -1)
            features.append(functional.adaptive_max_pool1d(placed, BINS).flatten(1))
        return torch.cat(features, 1)
