"""Floating-point operations of one of our encoders on given sequences, forward and in training.

Counted are products of matrices and convolutions: (m, k) times (k, n) takes 2·m·k·n operations; additions,
lookups, normalisation and activations count nothing, as in torch's `FlopCounterMode`, which a test compares
with this count. For sequences of T_i tokens, T in all, and B bases:

| part | operations, forward |
|---|---|
| layers | for each 2·T·(4·D² + 3·D·I) + 4·D·ΣT_i² |
| convolutions over bases | 97,280 per base, and per zero of the gaps between sequences |
| their projection | 2·T·128·D |
| pooler and classifier | per sequence 2·D·(parts·D + classes) |
| masked tokens | for each 2·D·(D + V) |

The backward pass takes twice as much, as each product has a gradient for both of its factors; only the first
convolution has none for its input, the bases. No padding is counted, since none is computed, and nothing of
the optimizer.
"""

# Dimensions: D hidden, I intermediate, V vocabulary.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from genotok.model.base_sizes import CHANNELS, GAP, operations_per_base
from genotok.model.config import POOLED_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from genotok.model.config import EncoderConfig

__all__ = ["SequenceSizes", "forward_operations", "training_operations"]


@dataclass(frozen=True, slots=True)
class SequenceSizes:
    """What the operations of some sequences depend on; sums or means over them.

    Attributes:
        sequences: How many.
        tokens: Tokens, special tokens included.
        squares: The sum over sequences of their squared numbers of tokens.
        bases: Bases that the tokens spell, at least one for each; 0 where nobody reads them.
    """

    sequences: float
    tokens: float
    squares: float
    bases: float = 0.0

    @classmethod
    def of(cls, ids: Iterable[NDArray[Any]], spelling: str = "") -> Self:
        """Of token ids, one array for each sequence; `spelling` as in the configuration of the encoder."""
        rows = list(ids)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        bases = 0
        if spelling and rows:
            of_token = np.fromiter(map(len, spelling.split(" ")), np.int64)
            bases = int(of_token[np.concatenate(rows)].sum())
        return cls(len(rows), int(lengths.sum()), int((lengths**2).sum()), bases)

    def per_sequence(self) -> SequenceSizes:
        """The means over sequences."""
        number = self.sequences
        return SequenceSizes(1, self.tokens / number, self.squares / number, self.bases / number)


def forward_operations(
    config: EncoderConfig, sizes: SequenceSizes, *, classes: int = 0, masked: float = 0.0
) -> float:
    """Operations of a forward pass.

    Args:
        config: The encoder.
        sizes: The sequences.
        classes: Outputs of a classifier of sequences; 0 for none.
        masked: Tokens whose scores over the vocabulary are computed.
    """
    width = config.hidden_size
    entries = 4 * width**2 + 3 * width * config.intermediate_size
    layers = config.num_layers * (2 * sizes.tokens * entries + 4 * width * sizes.squares)
    parts = POOLED_PARTS[config.pooling]
    head = sizes.sequences * 2 * width * (parts * width + classes) if classes else 0
    return layers + _features(config, sizes) + head + masked * 2 * width * (width + config.vocab_size)


def training_operations(
    config: EncoderConfig, sizes: SequenceSizes, *, classes: int = 0, masked: float = 0.0
) -> float:
    """Operations of a forward and a backward pass; arguments as of `forward_operations`."""
    without_gradient = _row(sizes) * operations_per_base()[0] if "conv" in config.base_features else 0
    return 3 * forward_operations(config, sizes, classes=classes, masked=masked) - without_gradient


def _features(config: EncoderConfig, sizes: SequenceSizes) -> float:
    """Operations of the features of bases; 6-mers are lookups."""
    if "conv" not in config.base_features:
        return 0.0
    projection = sizes.tokens * 2 * 2 * CHANNELS[-1] * config.hidden_size
    return _row(sizes) * sum(operations_per_base()) + projection


def _row(sizes: SequenceSizes) -> float:
    """The length of the row of bases that is convolved, with a gap for each sequence."""
    return sizes.bases + GAP * sizes.sequences
