"""Attention within each of the packed sequences, with ALiBi bias: four backends for one result.

| backend | what it is | where | gradients | memory in the length L |
|---|---|---|---|---|
| `eager` | the formula, written out; the only one that returns weights | everywhere | yes | L² |
| `sdpa` | torch's fused kernels | everywhere | yes | L |
| `flash` | flash-attn 2.4 or newer, the packed row as it is | CUDA, 16-bit, masks without holes | yes | L |
| `flex` | torch's FlexAttention, compiled | CUDA, to 32 bits, no dropout of weights | yes | L |

`auto` takes the first of flash, flex and sdpa that supports the batch. A backend requested by name is used or
refused, never replaced: results of different backends differ in the last digits, and a run should state which
one it used.
"""

# Dimensions: T tokens in the packed row, H heads, d width of a head.

from __future__ import annotations

import functools
import logging
from dataclasses import replace

import torch
from torch import Tensor

from genotok.model import alibi
from genotok.model.attention import eager, flash, flex, sdpa
from genotok.model.attention.plan import AttentionPlan
from genotok.model.backends import Backend
from genotok.model.packing import SequencePacking

__all__ = ["AttentionPlan", "Backend", "attend", "choose", "prepare"]

log = logging.getLogger(__name__)

BACKENDS = {"eager": eager, "sdpa": sdpa, "flash": flash, "flex": flex}
PREFERRED: tuple[Backend, ...] = ("flash", "flex", "sdpa")


def choose(asked: Backend, sample: Tensor, packing: SequencePacking, dropout: float = 0.0) -> Backend:
    """The backend for a batch: the requested one, or for "auto" the first that supports it.

    Args:
        asked: A backend's name, or "auto".
        sample: A tensor with the device and type of the queries, and the width of a head as last dimension.
        packing: The batch.
        dropout: Dropout of attention weights.

    Raises:
        ValueError: The requested backend does not support this batch or machine; the message says why.
    """
    if asked != "auto":
        reason = BACKENDS[asked].why_unsupported(sample, packing, dropout)
        if reason:
            raise ValueError(f'attention="{asked}" {reason}; "auto" takes what there is')
        return asked
    candidates = PREFERRED if sample.device.type == "cuda" else ("sdpa",)
    chosen = next(name for name in candidates if not BACKENDS[name].why_unsupported(sample, packing, dropout))
    if not torch.compiler.is_compiling():
        _tell(chosen, sample.device.type, str(sample.dtype).removeprefix("torch."))
    return chosen


@functools.cache
def _tell(chosen: str, device: str, dtype: str) -> None:
    """Log the choice of "auto" once per kind of input."""
    log.info("attention: %s on %s in %s", chosen, device, dtype)


def prepare(
    backend: Backend,
    num_heads: int,
    packing: SequencePacking,
    dtype: torch.dtype,
    directional: bool = False,
) -> AttentionPlan:
    """Everything that the layers share in one batch, for a chosen backend and queries of `dtype`.

    A compiled model calls it uncompiled, as it depends on the lengths of each batch.
    """
    if torch.compiler.is_compiling():  # as a decorator, `disable` would load the compiler for everybody
        plan: AttentionPlan = torch.compiler.disable(_plan)(  # type: ignore[no-untyped-call]
            backend, num_heads, packing, dtype, directional
        )
        return plan
    return _plan(backend, num_heads, packing, dtype, directional)


def _plan(
    backend: Backend, num_heads: int, packing: SequencePacking, dtype: torch.dtype, directional: bool
) -> AttentionPlan:
    slopes = _slopes(num_heads, packing.cu_seqlens.device, directional)
    plan = AttentionPlan(backend, packing, slopes, directional)
    if backend == "sdpa":
        return replace(plan, masks=sdpa.masks(packing, slopes, dtype, directional))
    if backend == "flex":
        return replace(plan, blocks=flex.blocks(packing))
    if backend == "flash":
        return replace(plan, kernel=flash.kernel())
    return plan


@functools.lru_cache(maxsize=64)
def _slopes(num_heads: int, device: torch.device, directional: bool) -> Tensor:
    """The slopes on `device`; not a buffer of the model, as a model in 16 bits would round them."""
    with torch.inference_mode(False):
        return alibi.slopes(num_heads, directional).to(device)


def attend(qkv: Tensor, plan: AttentionPlan, dropout: float = 0.0) -> Tensor:
    """The context vectors of the tokens, (T, H, d).

    Args:
        qkv: (T, 3, H, d): queries, keys, values.
        plan: The batch.
        dropout: Dropout of attention weights.
    """
    if plan.backend == "sdpa":
        return sdpa.attend(qkv, plan, dropout)
    if plan.backend == "flash":
        return flash.attend(qkv, plan, dropout)
    if plan.backend == "flex":
        return flex.attend(qkv, plan)
    return eager.attend(qkv, plan, dropout)[0]
