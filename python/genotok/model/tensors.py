"""A tensor in a file of weights, by type, shape and place, and what such a file cannot be."""

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
"""Types by the names that safetensors gives them, with the bytes of a number."""


class CheckpointError(ValueError):
    """A file of weights is damaged, holds something else, or does not fit the model."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file.

    Attributes:
        dtype: The type of its numbers, as safetensors names it, such as "F32".
        shape: Its dimensions.
        place: Where the numbers that it is made of start in the file, and how many there are.
    """

    dtype: str
    shape: tuple[int, ...]
    place: tuple[int, int] = (0, 0)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def are_sizes(found: Any) -> bool:
    """Whether something is a list of whole numbers from 0 that a file can have."""
    return isinstance(found, list | tuple) and all(
        isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 1 << 62 for one in found
    )
