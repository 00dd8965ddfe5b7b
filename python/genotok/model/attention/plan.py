"""What every backend needs to know of a batch; made once, handed to every layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from genotok.model.packing import Packing

if TYPE_CHECKING:
    from genotok.model.backends import Backend

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """How to attend in one batch.

    Attributes:
        backend: The backend that was chosen; never "auto".
        packing: Where the sequences lie.
        slopes: (H,) float32 on the device of the tokens.
        masks: `sdpa` on processors: the penalties for each length in the batch.
        blocks: `flex`: its block mask.
        kernel: `flash`: the package's function.
    """

    backend: Backend
    packing: Packing
    slopes: Tensor
    masks: dict[int, Tensor] = field(default_factory=dict)
    blocks: Any = None
    kernel: Callable[..., Any] | None = None
