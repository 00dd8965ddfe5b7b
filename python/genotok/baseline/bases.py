"""Sequences as codes of their bases, both strands, in arrays that batches are cut from."""

# Shapes: N rows, L bases of the longest.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.baseline.network import PADDING, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.gue import LabelledSplit

__all__ = ["BaseCodes", "both_strands", "codes_of"]

CODE_OF = np.full(256, UNKNOWN, np.uint8)
"""Of each byte."""
for _code, _both in enumerate((b"Aa", b"Cc", b"Gg", b"Tt")):
    CODE_OF[list(_both)] = _code

COMPLEMENT_OF = np.array([3, 2, 1, 0, UNKNOWN, PADDING], np.uint8)
"""Of each code."""


@dataclass(frozen=True, slots=True, eq=False)
class BaseCodes:
    """The rows of a split as codes.

    Attributes:
        forward: For each side (N, L): the sequences as they are.
        reverse: For each side (N, L): their reverse complements, which start at the left as well.
    """

    forward: tuple[NDArray[np.uint8], ...]
    reverse: tuple[NDArray[np.uint8], ...]

    def __len__(self) -> int:
        return len(self.forward[0])

    @property
    def symbols(self) -> int:
        """All symbols of all sides."""
        return sum(int((side != PADDING).sum()) for side in self.forward)


def both_strands(split: LabelledSplit) -> BaseCodes:
    """The rows of a split as codes; pairs have two sides. Memory: twice N times L bytes for each side."""
    forward = tuple(codes_of(side) for side in (split.sequences, split.partners) if side)
    return BaseCodes(forward, tuple(map(_reversed, forward)))


def codes_of(sequences: Sequence[str]) -> NDArray[np.uint8]:
    """The codes of sequences, (N, L), in either case; padding behind the shorter ones."""
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    found = np.full((len(sequences), int(lengths.max(initial=0))), PADDING, np.uint8)
    text = np.frombuffer("".join(sequences).encode("latin-1"), np.uint8)
    found[np.arange(found.shape[1]) < lengths[:, None]] = CODE_OF[text]
    return found


def _reversed(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The reverse complements of rows of codes."""
    lengths = (codes != PADDING).sum(1)
    places = lengths[:, None] - 1 - np.arange(codes.shape[1])
    taken = np.take_along_axis(codes, np.maximum(places, 0), 1)
    found: NDArray[np.uint8] = np.where(places >= 0, COMPLEMENT_OF[taken], np.uint8(PADDING))
    return found
