"""Floating-point operations of encoders are counted as torch counts them, forward and in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from genotok.model import EncoderConfig, MaskedLanguageModel, SequenceClassifier, pack  # noqa: E402
from genotok.model.base_sizes import GAP  # noqa: E402
from genotok.model.operations import (  # noqa: E402
    SequenceSizes,
    forward_operations,
    training_operations,
)

SPELLING = "N N N N NNN A C G T ACG TTTTT CA"
SIZES: dict[str, Any] = {
    "vocab_size": 12,
    "hidden_size": 48,
    "num_layers": 2,
    "num_heads": 4,
    "intermediate_size": 64,
    "attention": "eager",
    "hidden_dropout": 0.0,
}
BASES = {"spelling": SPELLING}
KINDS: dict[str, dict[str, Any]] = {
    "tokens alone": {},
    "both features": {**BASES, "base_features": "kmer+conv", "pooling": "skip"},
    "convolution and places": {**BASES, "base_features": "conv", "base_position": True, "pooling": "mean"},
    "6-mers, directional": {**BASES, "base_features": "kmer", "alibi": "directional"},
    "no layers": {"num_layers": 0, "pooling": "mean+max"},
    "features, no layers": {**BASES, "base_features": "kmer+conv", "num_layers": 0, "pooling": "mean+max"},
}


def rows() -> list[Any]:
    draw = np.random.default_rng(1)
    return [draw.integers(5, 12, length) for length in (7, 1, 12)]


def sizes_of(config: EncoderConfig) -> SequenceSizes:
    """The sizes as torch sees them: between n sequences there are n - 1 gaps."""
    found = SequenceSizes.of(rows(), config.spelling)
    return replace(found, bases=found.bases - GAP)


def counted(model: Any, labels: torch.Tensor, *, backward: bool) -> int:
    ids = rows()
    packing = pack([len(row) for row in ids])
    with FlopCounterMode(display=False) as counter:
        loss, _ = model(torch.from_numpy(np.concatenate(ids)), packing, labels=labels)
        if backward:
            loss.backward()
    return int(counter.get_total_flops())


@pytest.mark.parametrize("kind", KINDS)
def test_classifiers_are_counted_as_torch_counts_them(kind: str) -> None:
    config = EncoderConfig(**{**SIZES, **KINDS[kind]})
    model, labels = SequenceClassifier(config, 3), torch.tensor([0, 2, 1])
    sizes = sizes_of(config)
    assert counted(model, labels, backward=False) == forward_operations(config, sizes, classes=3)
    assert counted(model, labels, backward=True) == training_operations(config, sizes, classes=3)


@pytest.mark.parametrize("kind", ["tokens alone", "both features"])
def test_masked_language_models_are_counted_as_torch_counts_them(kind: str) -> None:
    config = EncoderConfig(**{**SIZES, **KINDS[kind]})
    labels = torch.full((20,), -100)
    labels[[2, 9, 15]] = 7
    model, sizes = MaskedLanguageModel(config), sizes_of(config)
    assert counted(model, labels, backward=False) == forward_operations(config, sizes, masked=3)
    assert counted(model, labels, backward=True) == training_operations(config, sizes, masked=3)


def test_sizes_are_means_over_sequences() -> None:
    found = SequenceSizes.of([np.array([1, 10, 2]), np.array([1, 2])], SPELLING)
    assert found == SequenceSizes(2, 5, 13, 9)
    assert found.per_sequence() == SequenceSizes(1, 2.5, 6.5, 4.5)
