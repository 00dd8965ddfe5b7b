"""Batches of sequences with masked tokens."""

# Dimensions: B sequences, S padded length.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genotok.training.batches import IGNORED, pad

if TYPE_CHECKING:
    from genotok.tokenizer.special_ids import Ids

__all__ = ["collate"]


def collate(rows: list[tuple[Ids, Ids]], padding: int) -> dict[str, torch.Tensor]:
    """Inputs and labels of sequences as a padded batch (B, S)."""
    inputs = pad([ids for ids, _ in rows], padding)
    labels = pad([labels for _, labels in rows], IGNORED)
    mask = pad([np.ones(len(ids), np.int64) for ids, _ in rows], 0)
    named = {"input_ids": inputs, "attention_mask": mask, "labels": labels}
    return {name: torch.from_numpy(array) for name, array in named.items()}
