"""Attention by the flash-attn package, which takes the packed row and its boundaries directly.

Its ALiBi term is -slope·|i + len_k - len_q - j|, which for self-attention without a causal mask is the
symmetric bias, with positions counted in the packed row: correct for every mask without holes. The
directional bias takes two calls, each with a window of its kernel that is open on one side.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genotok.model.attention.plan import AttentionPlan
from genotok.model.packing import SequencePacking

__all__ = ["attend", "why_unsupported"]

MAX_HEAD_SIZE = 256

EVERYWHERE, LEFT, RIGHT = (-1, -1), (-1, 0), (0, -1)
"""Windows of the package: -1 is no limit."""


def why_unsupported(sample: Tensor, packing: SequencePacking, dropout: float) -> str | None:  # noqa: ARG001
    """Why this batch is not supported, or None; `sample` has the device, type and width of queries."""
    if kernel() is None:
        return "needs the package flash-attn, 2.4 or newer, which is not installed"
    if sample.device.type != "cuda":
        return f"needs a CUDA device; the input is on {sample.device.type}"
    if sample.dtype not in {torch.float16, torch.bfloat16}:
        return f"computes in float16 or bfloat16 (use autocast); the input is {sample.dtype}"
    if packing.positions is not None:
        return "cannot keep the distances of a mask with holes; use sdpa or flex"
    if sample.shape[-1] > MAX_HEAD_SIZE:
        return f"takes heads up to {MAX_HEAD_SIZE} wide; they are {sample.shape[-1]}"
    return None


def kernel() -> Callable[..., Any] | None:
    """The package's function for packed rows; None if it is missing or has no ALiBi slopes."""
    try:
        found: Callable[..., Any] = importlib.import_module("flash_attn").flash_attn_varlen_qkvpacked_func
    except (ImportError, AttributeError):
        return None
    return found if "alibi_slopes" in inspect.signature(found).parameters else None


def attend(qkv: Tensor, plan: AttentionPlan, dropout: float = 0.0) -> Tensor:
    """The context vectors (T, H, d), from (T, 3, H, d)."""
    if plan.kernel is None:
        raise RuntimeError("a plan for flash-attn holds its function; this one was made without `prepare`")
    if not plan.directional:
        return _called(qkv, plan, plan.slopes, EVERYWHERE, dropout)
    half = qkv.shape[2] // 2
    left = _called(qkv[:, :, :half], plan, plan.slopes[:half], LEFT, dropout)
    return torch.cat([left, _called(qkv[:, :, half:], plan, plan.slopes[half:], RIGHT, dropout)], 1)


def _called(
    qkv: Tensor, plan: AttentionPlan, slopes: Tensor, window: tuple[int, int], dropout: float
) -> Tensor:
    """The package's function for some of the heads; a window counts tokens to the left and to the right."""
    kernel: Any = plan.kernel
    context: Tensor = kernel(
        qkv,
        plan.packing.cu_seqlens,
        plan.packing.max_length,
        dropout_p=dropout,
        causal=False,
        window_size=window,
        alibi_slopes=slopes,
        deterministic=torch.are_deterministic_algorithms_enabled(),
    )
    return context
