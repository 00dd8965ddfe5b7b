"""Attention among the tokens of each sequence of a packed row, with the ALiBi penalty: one result, four ways.

| backend | what it is | where | gradients | memory in the length L |
|---|---|---|---|---|
| `eager` | the formula, written out; the only one that gives weights | everywhere | yes | L² |
| `sdpa` | torch's fused kernels | everywhere | yes | L |
| `flash` | flash-attn 2.4 or newer, the packed row as it is | CUDA, 16-bit, masks without holes | yes | L |
| `flex` | torch's FlexAttention, compiled | CUDA, to 32 bits, no dropout of weights | yes | L |

`auto` takes the first of flash, flex and sdpa that can do the batch at hand. A backend asked for by name is
used or refused, never replaced: results of different backends differ in the last digits, and a run should say
which it used.
"""

# Shape letters: T tokens in the packed row, H heads, d width of a head.

from __future__ import annotations

import functools
import logging

import torch
from torch import Tensor

from genotok.model import alibi
from genotok.model.attention import eager, flash, flex, sdpa
from genotok.model.attention.plan import Plan
from genotok.model.backends import Backend
from genotok.model.packing import Packing

__all__ = ["Backend", "Plan", "attend", "choose", "prepare"]

log = logging.getLogger(__name__)

BACKENDS = {"eager": eager, "sdpa": sdpa, "flash": flash, "flex": flex}
PREFERRED: tuple[Backend, ...] = ("flash", "flex", "sdpa")


def choose(asked: Backend, sample: Tensor, packing: Packing, dropout: float = 0.0) -> Backend:
    """The backend for a batch: the one asked for, or for "auto" the first that can do it.

    Args:
        asked: A backend's name, or "auto".
        sample: Any tensor of the device and type that queries will have, with the width of a head as its
            last.
        packing: The batch.
        dropout: Dropped share of attention weights.

    Raises:
        ValueError: The backend asked for cannot do this batch, or not on this machine; the message says why.
    """
    if asked != "auto":
        reason = BACKENDS[asked].obstacle(sample, packing, dropout)
        if reason:
            raise ValueError(f'attention="{asked}" {reason}; "auto" takes what there is')
        return asked
    candidates = PREFERRED if sample.device.type == "cuda" else ("sdpa",)
    chosen = next(name for name in candidates if not BACKENDS[name].obstacle(sample, packing, dropout))
    _tell(chosen, sample.device.type, str(sample.dtype).removeprefix("torch."))
    return chosen


@functools.cache
def _tell(chosen: str, device: str, dtype: str) -> None:
    """Log what "auto" has chosen, once for each kind of input."""
    log.info("attention: %s on %s in %s", chosen, device, dtype)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def prepare(backend: Backend, num_heads: int, packing: Packing, dtype: torch.dtype) -> Plan:
    """The plan of a batch for a chosen backend and queries of `dtype`."""
    slopes = _slopes(num_heads, packing.cu_seqlens.device)
    if backend == "sdpa":
        return Plan(backend, packing, slopes, masks=sdpa.masks(packing, slopes, dtype))
    if backend == "flex":
        return Plan(backend, packing, slopes, blocks=flex.blocks(packing))
    if backend == "flash":
        return Plan(backend, packing, slopes, kernel=flash.kernel())
    return Plan(backend, packing, slopes)


@functools.lru_cache(maxsize=64)
def _slopes(num_heads: int, device: torch.device) -> Tensor:
    """The slopes on `device`. No buffer of the model: a model in 16 bits would round them."""
    with torch.inference_mode(False):
        return alibi.slopes(num_heads).to(device)


def attend(qkv: Tensor, plan: Plan, dropout: float = 0.0) -> Tensor:
    """What each token gathers from those of its sequence, (T, H, d).

    Args:
        qkv: (T, 3, H, d): queries, keys, values.
        plan: The batch.
        dropout: Dropped share of attention weights.
    """
    if plan.backend == "sdpa":
        return sdpa.attend(qkv, plan, dropout)
    if plan.backend == "flash":
        return flash.attend(qkv, plan, dropout)
    if plan.backend == "flex":
        return flex.attend(qkv, plan)
    return eager.attend(qkv, plan, dropout)[0]
