"""Attention by its formula, softmax(q·k/√d - m·|i - j|)·v, sequence by sequence.

All scores of a sequence are in memory at once; for inspecting weights and for testing the other backends.
"""

# Dimensions: T tokens in the packed row, B sequences, S padded length, L length of one, H heads, d width.

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genotok.model import alibi
from genotok.model.attention.plan import AttentionPlan
from genotok.model.packing import SequencePacking

__all__ = ["attend", "padded_weights", "why_unsupported"]


def why_unsupported(sample: Tensor, packing: SequencePacking, dropout: float) -> str | None:  # noqa: ARG001
    """None: every batch is supported."""
    return None


def attend(qkv: Tensor, plan: AttentionPlan, dropout: float = 0.0) -> tuple[Tensor, list[Tensor]]:
    """The context vectors (T, H, d), and the weights (H, L, L) of each sequence that is not empty."""
    context, weights = [], []
    for start, length in spans(plan.packing):
        rows = slice(start, start + length)
        query, key, value = qkv[rows].permute(1, 2, 0, 3)
        positions = plan.packing.position_of_token[rows]
        scores = query @ key.transpose(1, 2) / math.sqrt(qkv.shape[-1])
        wide = torch.promote_types(scores.dtype, torch.float32)
        scores = scores.to(wide) + alibi.bias(plan.slopes, positions, positions, wide, plan.directional)
        weight = scores.softmax(-1).to(value.dtype)
        weights.append(weight)
        context.append((functional.dropout(weight, dropout) @ value).transpose(0, 1))
    return (torch.cat(context) if context else qkv[:, 0]), weights


def spans(packing: SequencePacking) -> list[tuple[int, int]]:
    """Start and length of each sequence that is not empty."""
    return [
        (run.start + number * run.length, run.length) for run in packing.runs for number in range(run.count)
    ]


def padded_weights(weights: list[Tensor], packing: SequencePacking, num_heads: int) -> Tensor:
    """Weights as a padded batch (B, H, S, S): row i has the weights of query i; zeros at masked places."""
    batch, length = packing.shape
    sample = weights[0] if weights else torch.zeros((), device=packing.cu_seqlens.device)
    padded = sample.new_zeros(batch, num_heads, length, length)
    places = packing.places
    for (start, count), weight in zip(spans(packing), weights, strict=True):
        mine = places[start : start + count]
        sequence, place = mine[0] // length, mine % length
        padded[sequence, :, place[:, None], place] = weight
    return padded
