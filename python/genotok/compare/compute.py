"""Pre-training at equal compute: the operations of a step, and the steps that operations allow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genotok.errors import ArgumentError
from genotok.model.operations import SequenceSizes, training_operations
from genotok.pretrain.tokens import bases_of_tokens, overlap_of, spelling_if_seen
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.new_encoder import new_encoder

if TYPE_CHECKING:
    from genotok.dataset import TokenDataset
    from genotok.pretrain import PretrainConfig
    from genotok.tokenizer import Tokenizer

__all__ = ["at_compute", "step_operations"]

SAMPLE = 10_000
"""Windows that are counted; more would not change the mean."""


def step_operations(tokens: TokenDataset, tokenizer: Tokenizer, config: PretrainConfig) -> float:
    """Floating-point operations of a step of pre-training on windows of `config.row_bases` bases.

    Args:
        tokens: The windows.
        tokenizer: What they were encoded with.
        config: The settings.

    Raises:
        ArgumentError: There is no window of that many bases without other symbols.
    """
    special, added, overlap = SpecialIds.of(tokenizer), bases_of_tokens(tokenizer), overlap_of(tokenizer)
    places = np.unique(np.linspace(0, len(tokens) - 1, min(len(tokens), SAMPLE)).astype(np.int64))
    windows = [
        special.around(ids)
        for ids in (np.asarray(tokens[place]) for place in places.tolist())
        if added[ids].sum() + overlap == config.row_bases
    ]
    if not windows:
        raise ArgumentError(f"window={config.row_bases}: there is no window of so many bases without N")
    spelling = spelling_if_seen(tokenizer, config)
    encoder = new_encoder(config, vocab_size=tokenizer.vocab_size, spelling=spelling)
    sizes = SequenceSizes.of(windows, spelling).per_sequence()
    added_tokens = len(special.before) + len(special.behind)
    masked = config.mask_share * (sizes.tokens - added_tokens)
    return config.batch * training_operations(encoder, sizes, masked=masked)


def at_compute(config: PretrainConfig, steps: float) -> PretrainConfig:
    """The settings for another number of steps; the warm-up keeps its share of them."""
    number = max(round(steps), 1)
    warmup = min(round(config.warmup * number / config.steps), number)
    return replace(config, steps=number, warmup=warmup)
