"""Attention by torch's fused `scaled_dot_product_attention`, without an L x L matrix in memory.

On CPUs the bias is a view of 2L - 1 numbers per head (see `alibi`), and the kernel is torch's FlashAttention
for CPUs; long sequences have a backward pass of this package (see `gradients`). On other devices the kernels
need a mask in memory: there queries are split into blocks, so that the slice of the mask for one block stays
below `MAX_SLICE`, and slices are recomputed in the backward pass instead of kept. Masks with holes are
computed in blocks on every device.

Each run, consecutive sequences of equal length, is one call, without padding. Tried and dropped: padding
around attention as in the published model, which needs a mask per sequence and multiplies padding.

Inside `torch.compile` attention is one operator, so that the lengths of a batch are data and not part of the
program; its backward pass recomputes attention.
"""

# Dimensions: T tokens in the packed row, N sequences of a run, L length of one, H heads, d width of one.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from genotok.model import alibi
from genotok.model.attention import gradients
from genotok.model.attention.plan import AttentionPlan
from genotok.model.packing import SequencePacking, SequenceRun, runs

__all__ = ["attend", "masks", "why_unsupported"]

MAX_SLICE = 1 << 24
"""Numbers in the slice of a mask for one block of queries, about."""

MIN_BLOCK = 16


def why_unsupported(sample: Tensor, packing: SequencePacking, dropout: float) -> str | None:  # noqa: ARG001
    """None: every batch is supported."""
    return None


def masks(
    packing: SequencePacking, slopes: Tensor, dtype: torch.dtype, directional: bool = False
) -> dict[int, Tensor]:
    """The bias for each length in the batch, for reversed queries; none where blocks are used."""
    if slopes.device.type != "cpu" or packing.positions is not None:
        return {}
    wide = torch.promote_types(dtype, torch.float32)
    lengths = {run.length for run in packing.runs}
    return {length: alibi.toeplitz(slopes, length, wide, directional) for length in lengths}


def attend(qkv: Tensor, plan: AttentionPlan, dropout: float = 0.0) -> Tensor:
    """The context vectors (T, H, d), from (T, 3, H, d)."""
    if torch.compiler.is_compiling() and dropout == 0:
        context: Tensor = _operator(
            qkv, plan.slopes, plan.packing.starts, plan.packing.positions, plan.directional
        )
        return context
    bias = _Bias(plan.slopes, plan.directional, plan.packing.positions, plan.masks)
    return _visit(qkv, bias, plan.packing.runs, dropout)


@dataclass(frozen=True, slots=True, eq=False)
class _Bias:
    """The ALiBi bias of a batch: slopes (H,), its form, positions (T,) if there are holes, and `masks`."""

    slopes: Tensor
    directional: bool
    positions: Tensor | None
    masks: dict[int, Tensor]


def _visit(qkv: Tensor, bias: _Bias, runs_: tuple[SequenceRun, ...], dropout: float) -> Tensor:
    """Attention run by run."""
    context, positions = [], bias.positions
    # Autocast would convert the mask, and a converted view is a full matrix.
    with torch.autocast(qkv.device.type, enabled=False):
        for run in runs_ if positions is None else _one_by_one(runs_):
            rows = slice(run.start, run.start + run.count * run.length)
            batch = qkv[rows].view(run.count, run.length, *qkv.shape[1:])
            query, key, value = batch.permute(2, 0, 3, 1, 4)
            mask = bias.masks.get(run.length)
            if mask is not None:
                out = _reversed(query, key, value, mask, dropout)
            else:
                places = torch.arange(run.length, device=qkv.device) if positions is None else positions[rows]
                out = _in_blocks(query, key, value, bias, places, dropout)
            context.append(out.transpose(1, 2).flatten(0, 1))
    if len(context) == 1:
        return context[0]
    return torch.cat(context) if context else qkv[:, 0]


def _one_by_one(runs_: tuple[SequenceRun, ...]) -> list[SequenceRun]:
    """Each sequence as a separate run."""
    return [SequenceRun(run.start + n * run.length, 1, run.length) for run in runs_ for n in range(run.count)]


def _reversed(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, dropout: float) -> Tensor:
    """Attention (N, H, L, d) with the mask for reversed queries."""
    backwards = query.flip(2)
    if query.shape[2] > gradients.SHORT and dropout == 0:
        return gradients.attend(backwards, key, value, mask).flip(2)
    out = functional.scaled_dot_product_attention(backwards, key, value, attn_mask=mask, dropout_p=dropout)
    return out.flip(2)


def _in_blocks(
    query: Tensor, key: Tensor, value: Tensor, bias: _Bias, places: Tensor, dropout: float
) -> Tensor:
    """Attention (N, H, L, d), a block of queries at a time."""
    length = query.shape[2]
    size = max(MAX_SLICE // (len(bias.slopes) * length), MIN_BLOCK)
    if length <= size:
        return _block(query, key, value, (bias, places, places), dropout)
    blocks = []
    for start in range(0, length, size):
        rows = slice(start, start + size)
        block = checkpoint(
            _block,
            query[:, :, rows],
            key,
            value,
            (bias, places[rows], places),
            dropout,
            use_reentrant=False,
            preserve_rng_state=dropout > 0,
        )
        blocks.append(block)
    return torch.cat(blocks, 2)


def _block(
    query: Tensor, key: Tensor, value: Tensor, of_bias: tuple[_Bias, Tensor, Tensor], dropout: float
) -> Tensor:
    """Attention of a block of queries to all keys, with the bias of their positions (`alibi.bias`)."""
    dtype = query.dtype
    if query.device.type == "cpu":
        dtype = torch.promote_types(dtype, torch.float32)
    bias, of_queries, of_keys = of_bias
    mask = alibi.bias(bias.slopes, of_queries, of_keys, dtype, bias.directional)[None]
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)


# -- one operator for the compiler ------------------------------------------------------------------


@torch.library.custom_op("genotok::attend", mutates_args=())
def _operator(
    qkv: Tensor, slopes: Tensor, starts: Tensor, positions: Tensor | None, directional: bool
) -> Tensor:
    """`attend`, with the batch given as tensors."""
    return _from_tensors(qkv, slopes, starts, positions, directional).contiguous()


@torch.library.custom_op("genotok::attend_backward", mutates_args=())
def _operator_backward(
    gradient: Tensor,
    qkv: Tensor,
    slopes: Tensor,
    starts: Tensor,
    positions: Tensor | None,
    directional: bool,
) -> Tensor:
    """The gradient with respect to `qkv`."""
    # An operator runs below autograd; torch.func brings its own.
    given = (slopes, starts, positions, directional)
    pull_back = torch.func.vjp(lambda leaf: _from_tensors(leaf, *given), qkv)[1]
    result: Tensor = pull_back(gradient)[0]
    return result.contiguous()


def _from_tensors(
    qkv: Tensor, slopes: Tensor, starts: Tensor, positions: Tensor | None, directional: bool
) -> Tensor:
    found = tuple(runs(starts))
    made: dict[int, Tensor] = {}
    if qkv.device.type == "cpu" and positions is None:
        wide = torch.promote_types(qkv.dtype, torch.float32)
        lengths = {run.length for run in found}
        made = {length: alibi.toeplitz(slopes, length, wide, directional) for length in lengths}
    return _visit(qkv, _Bias(slopes, directional, positions, made), found, 0.0)


@_operator.register_fake
def _(
    qkv: Tensor,
    slopes: Tensor,  # noqa: ARG001
    starts: Tensor,  # noqa: ARG001
    positions: Tensor | None,  # noqa: ARG001
    directional: bool,  # noqa: ARG001
) -> Tensor:
    return qkv.new_empty(qkv.shape[0], qkv.shape[2], qkv.shape[3])


@_operator_backward.register_fake
def _(
    gradient: Tensor,  # noqa: ARG001
    qkv: Tensor,
    slopes: Tensor,  # noqa: ARG001
    starts: Tensor,  # noqa: ARG001
    positions: Tensor | None,  # noqa: ARG001
    directional: bool,  # noqa: ARG001
) -> Tensor:
    return qkv.new_empty(qkv.shape)


def _remember(ctx: torch.autograd.function.FunctionCtx, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    ctx.save_for_backward(*inputs[:-1])
    ctx.directional = inputs[-1]  # type: ignore[attr-defined]


def _backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    saved = ctx.saved_tensors  # type: ignore[attr-defined]
    return _operator_backward(gradient, *saved, ctx.directional), None, None, None, None  # type: ignore[attr-defined]


_operator.register_autograd(_backward, setup_context=_remember)
