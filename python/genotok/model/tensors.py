"""A tensor in a file of weights by type, shape and place, and the error for a file that is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["BYTES", "MAX_DIMENSIONS", "CheckpointError", "Stored", "are_sizes"]

MAX_DIMENSIONS = 8

BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
"""Bytes per number of each type, by its name in safetensors."""


class CheckpointError(ValueError):
    """A file of weights is damaged, holds something else, or does not fit the model."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file.

    Attributes:
        dtype: The type of its numbers, as safetensors names it, such as "F32".
        shape: Its dimensions.
        place: Where the numbers of its storage start in the file, in bytes, and their count.
    """

    dtype: str
    shape: tuple[int, ...]
    place: tuple[int, int] = (0, 0)

    @property
    def size(self) -> int:
        """Its count of numbers."""
        return math.prod(self.shape)


def are_sizes(found: Any) -> bool:
    """Whether `found` is a list of non-negative integers of a plausible size."""
    return isinstance(found, list | tuple) and all(
        isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 1 << 62 for one in found
    )
