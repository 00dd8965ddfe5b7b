"""Attention on CPUs with a gradient computed by blocks of queries instead of by torch's kernel.

Torch's CPU kernel multiplies by every probability, and with ALiBi bias a band of them in each head is
subnormal: below e^-87, but not yet zero. A product with a subnormal number takes some hundred clock cycles,
so that the backward pass took six times as long as the forward pass at 512 tokens, and ten times at 2,048.
Here probabilities below `NEGLIGIBLE` count as zero in the backward pass: the error is 10^-24 of a token's
weight, where 32-bit numbers hold 7 digits. Only a token to which no other gives more weight in some head gets
a zero gradient in place of a negligible one.

With P the softmax of S = q·kᵀ/√d + mask, o = P·v, and g the gradient of o:

    dv = Pᵀ·g      dS = P ∘ (g·vᵀ - rowsum(g ∘ o))      dq = dS·k/√d      dk = dSᵀ·q/√d

Rows of S are independent, so a block of queries at a time is enough, and memory grows with L. All five
products are plain matrix products; 16-bit numbers are widened first.

Measured on two cores (Intel Xeon, torch 2.15, 12 heads of 64; ms per backward pass, torch's kernel and this
one): 4 x 128 tokens 3.6 and 3.5; 512: 38 and 14; 1,024: 170 and 56; 2,048: 799 and 243; 4,096: 3,429 and 953.
Short sequences use torch's kernel, which takes many of them in one call. `torch.set_flush_denormal` makes
torch's kernel as fast, but it is a setting of the thread, which a library should not change.
"""

# Dimensions: N sequences of a run, H heads, L length of one, d width of a head, b queries of a block.

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["SHORT", "attend"]

SHORT = 128
"""Sequences of at most this many tokens use torch's kernel."""

NEGLIGIBLE = 2.0**-80
"""Probabilities below count as zero in the backward pass, in 32-bit numbers."""

NUMBERS_PER_THREAD = 1 << 17
"""Scores of a block per thread: 0.5 MB, which fits the L2 cache."""

ROWS = 64
"""The least number of queries in a block: products of thin matrices are slow."""


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention without dropout, (N, H, L, d) each; `mask`, (1, H, L, L), is added to the scores."""
    context: Tensor = _Attention.apply(query, key, value, mask)
    return context


class _Attention(torch.autograd.Function):
    """Torch's kernel forward, blocks of queries backward."""

    @staticmethod
    def forward(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, output = ctx.saved_tensors
        sequences = zip(query, key, value, output, gradient, strict=True)
        each = [_of_one(mask[0], *(part.to(mask.dtype) for part in parts)) for parts in sequences]
        made = (torch.stack(parts).to(query.dtype) for parts in zip(*each, strict=True))
        return *made, None


def _of_one(
    mask: Tensor, query: Tensor, key: Tensor, value: Tensor, output: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of one sequence with respect to query, key and value, (H, L, d) each."""
    scale = 1 / math.sqrt(query.shape[-1])
    inner = (gradient * output).sum(-1, keepdim=True)
    of_query = torch.empty_like(query, memory_format=torch.contiguous_format)
    of_key, of_value = (torch.zeros_like(of_query) for _ in range(2))
    for heads, rows in _blocks(*query.shape[:2]):
        q, g, k = query[heads, rows], gradient[heads, rows], key[heads]
        weights = torch.baddbmm(mask[heads, rows], q, k.mT, alpha=scale).softmax(-1)
        if weights.dtype == torch.float32:
            functional.threshold(weights, NEGLIGIBLE, 0.0, inplace=True)
        scores = torch.bmm(g, value[heads].mT).sub_(inner[heads, rows]).mul_(weights).mul_(scale)
        of_query[heads, rows] = torch.bmm(scores, k)
        of_key[heads].baddbmm_(scores.mT, q)
        of_value[heads].baddbmm_(weights.mT, g)
    return of_query, of_key, of_value


def _blocks(num_heads: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Slices of heads and queries that cover all pairs once, each with about as many scores as fit."""
    numbers = NUMBERS_PER_THREAD * torch.get_num_threads()
    heads = min(max(numbers // (length * ROWS), 1), num_heads)
    rows = max(numbers // (length * heads), ROWS)
    for head in range(0, num_heads, heads):
        for row in range(0, length, rows):
            yield slice(head, head + heads), slice(row, row + rows)
