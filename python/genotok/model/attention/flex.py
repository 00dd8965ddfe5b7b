"""Attention by torch's FlexAttention: the bias is a function of scores, a block mask separates the sequences.

The packed row is treated as one long sequence. A block of queries needs only the blocks of keys between the
start of the first sequence it touches and the end of the last. That range follows from the boundaries, so the
block mask is built directly, with (T / 128)² numbers, and not evaluated pair by pair.

For CUDA only. On CPUs torch (2.15) has no gradients for it, and fails to compile it for varying lengths;
there the tests run it uncompiled, which checks the two functions and the block mask, not the kernel.
"""

# Dimensions: T tokens in the packed row, H heads, d width of a head.

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genotok.model.attention.plan import AttentionPlan
from genotok.model.packing import SequencePacking

__all__ = ["attend", "blocks", "why_unsupported"]

BLOCK = 128
MIN_HEAD_SIZE = 16
"""The least width of a head that the kernels support; narrower heads are padded with zeros."""


def why_unsupported(sample: Tensor, packing: SequencePacking, dropout: float) -> str | None:  # noqa: ARG001
    """Why this batch is not supported, or None."""
    if dropout > 0:
        return f"has no dropout of weights; attention_dropout is {dropout}"
    if sample.device.type != "cuda":
        return f"needs a CUDA device; the input is on {sample.device.type}"
    if sample.dtype == torch.float64:
        return "computes in 32 bits or fewer; the input is torch.float64"
    return None


def blocks(packing: SequencePacking) -> Any:
    """The block mask of a packed row."""
    from torch.nn.attention.flex_attention import BlockMask  # noqa: PLC0415 - a second to import, seldom needed

    sequence = packing.sequence_of_token
    edges = packing.cu_seqlens.long()
    num_tokens = len(packing)
    starts = torch.arange(0, num_tokens, BLOCK, device=edges.device)
    ends = (starts + BLOCK).clamp(max=num_tokens) - 1
    first = edges[sequence[starts]] // BLOCK
    last = (edges[sequence[ends] + 1] - 1) // BLOCK
    numbers = (last - first + 1).int()
    columns = torch.arange(len(starts), device=edges.device)
    indices = (first[:, None] + columns).clamp(max=len(starts) - 1).int()

    def same_sequence(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:  # noqa: ARG001
        return sequence[query] == sequence[key]

    return BlockMask.from_kv_blocks(
        numbers[None, None],
        indices[None, None],
        BLOCK_SIZE=BLOCK,
        mask_mod=same_sequence,
        seq_lengths=(num_tokens, num_tokens),
    )


def attend(qkv: Tensor, plan: AttentionPlan) -> Tensor:
    """The context vectors (T, H, d), from (T, 3, H, d)."""
    if not len(qkv):
        return qkv[:, 0]
    slopes, positions = plan.slopes, plan.packing.position_of_token
    half = len(slopes) // 2

    def with_bias(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:  # noqa: ARG001
        return score - slopes[head] * (positions[query] - positions[key]).abs()

    def on_one_side(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        ahead = torch.where(head < half, positions[query] - positions[key], positions[key] - positions[query])
        return torch.where(ahead >= 0, with_bias(score, batch, head, query, key), -torch.inf)

    width = qkv.shape[-1]
    wide = functional.pad(qkv, (0, max(MIN_HEAD_SIZE - width, 0)))  # zeros add nothing to a score
    query, key, value = wide.permute(1, 2, 0, 3)[:, None]
    bias = on_one_side if plan.directional else with_bias
    settings = {"score_mod": bias, "block_mask": plan.blocks, "scale": width**-0.5}
    if torch.compiler.is_compiling():  # a compiled layer takes the call into its program
        out: Tensor = flex_attention()(query, key, value, **settings)
    else:
        out = _compiled(query, key, value, **settings)
    return out[0, ..., :width].transpose(0, 1)


def flex_attention() -> Callable[..., Any]:
    """Torch's FlexAttention."""
    from torch.nn.attention import flex_attention as module  # noqa: PLC0415 - likewise

    return module.flex_attention


@functools.cache
def _program() -> Callable[..., Any]:
    """FlexAttention, compiled as one graph: uncompiled it would hold all scores in memory."""
    return torch.compile(flex_attention(), dynamic=True, fullgraph=True)


def _compiled(*arguments: Any, **settings: Any) -> Any:
    """Compiled FlexAttention.

    It is recompiled for each type, with and without gradients, for one block and for several; torch stops
    after eight recompilations by default.
    """
    with torch._dynamo.config.patch(recompile_limit=64):  # noqa: SLF001 - the documented name of the setting
        return _program()(*arguments, **settings)
