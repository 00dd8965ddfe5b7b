"""What the layers share in one batch: computed once, passed to every layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from genotok.model.packing import SequencePacking

if TYPE_CHECKING:
    from genotok.model.backends import Backend

__all__ = ["AttentionPlan"]


@dataclass(frozen=True, eq=False)
class AttentionPlan:
    """The attention of one batch.

    Attributes:
        backend: The chosen backend; never "auto".
        packing: The boundaries of the sequences.
        slopes: (H,) float32 on the device of the tokens.
        directional: Whether each head attends to one side only (see `alibi`).
        masks: `sdpa` on CPUs: the ALiBi bias for each length in the batch.
        blocks: `flex`: its block mask.
        kernel: `flash`: the package's function.
    """

    backend: Backend
    packing: SequencePacking
    slopes: Tensor
    directional: bool = False
    masks: dict[int, Tensor] = field(default_factory=dict)
    blocks: Any = None
    kernel: Callable[..., Any] | None = None
