"""The sizes of the features of bases (`genotok.model.bases`): shapes and operations, without torch."""

# Dimensions: D hidden.

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok.model.config import EncoderConfig

__all__ = [
    "CHANNELS",
    "GAP",
    "KMERS",
    "PLACES",
    "WIDTHS",
    "K",
    "base_shapes",
    "operations_per_base",
    "operations_per_token",
]

K = 6
KMERS = 4**K
"""Known 6-mers; the row behind them is that of all others."""

CHANNELS = (128, 64)
WIDTHS = (15, 5)
"""Output channels and widths of the convolutions."""

GAP = max(WIDTHS) // 2
"""Zeros between stretches of bases: at least the reach of each convolution to one side."""

PLACES = 1_024
"""Rows of the table of places."""


def base_shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """The tensors of the features by name, below `embeddings.bases.`; none without features."""
    width, kinds = config.hidden_size, config.base_features.split("+")
    found: dict[str, tuple[int, ...]] = {}
    if "kmer" in kinds:
        found["kmers.weight"] = (KMERS + 1, width)
    if "conv" in kinds:
        for number, (before, channels, wide) in enumerate(
            zip((4, *CHANNELS[:-1]), CHANNELS, WIDTHS, strict=True)
        ):
            found[f"convolution.convolutions.{number}.weight"] = (channels, before, wide)
            for name in (f"convolutions.{number}.bias", f"norms.{number}.weight", f"norms.{number}.bias"):
                found[f"convolution.{name}"] = (channels,)
        found["convolution.projection.weight"] = (width, 2 * CHANNELS[-1])
        found["convolution.projection.bias"] = (width,)
    if config.base_position:
        found["places.weight"] = (PLACES, CHANNELS[-1] if "conv" in kinds else width)
    return found


def operations_per_token(config: EncoderConfig, bases_per_token: float) -> float:
    """Floating-point operations of the features for a token; lookups and pooling count nothing."""
    if "conv" not in config.base_features:
        return 0.0
    return bases_per_token * sum(operations_per_base()) + 2 * 2 * CHANNELS[-1] * config.hidden_size


def operations_per_base() -> tuple[int, ...]:
    """Floating-point operations of each convolution for a base."""
    pairs = zip((4, *CHANNELS[:-1]), CHANNELS, WIDTHS, strict=True)
    return tuple(2 * before * channels * wide for before, channels, wide in pairs)
