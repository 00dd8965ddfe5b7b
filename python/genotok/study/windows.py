"""How many tokens pieces of a genome have, and which of them an encoder's input can hold.

A genome is cut into contiguous windows of w symbols from the start of each record, each encoded for itself,
as a model is fed. Windows with other symbols and the shorter rest of a record are left out. DNABERT-2 was
published for inputs of 512 tokens, two of which are `[CLS]` and `[SEP]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.study.counting import encoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.study.genomes import Genome
    from genotok.study.subjects import Subject

__all__ = ["INPUT_TOKENS", "SPECIAL_TOKENS", "WIDTHS", "fitting", "tokens_per_window"]

WIDTHS = (1_000, 2_000, 4_000, 10_000)
"""Symbols of a window."""

INPUT_TOKENS, SPECIAL_TOKENS = 512, 2
"""Tokens of an input, and how many of them stand around the sequence."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """For each row the number of its tokens, whether all stand for bases, and how many bases it has."""

    tokens: NDArray[np.int64]
    whole: NDArray[np.bool_]


def tokens_per_window(
    subject: Subject, genome: Genome, width: int, *, uppercase: bool = True, threads: int | None = None
) -> NDArray[np.int64]:
    """Tokens of each window of `width` bases, without special ones, in the order of the genome."""
    found = [np.zeros(0, dtype=np.int64)]
    for ids, bounds in encoded(subject, genome, window=width, uppercase=uppercase, threads=threads):
        rows = _rows(subject, ids, bounds, width)
        found.append(rows.tokens[rows.whole])
    return np.concatenate(found)


def _rows(subject: Subject, ids: NDArray[np.unsignedinteger], bounds: NDArray[np.int64], width: int) -> _Rows:
    """Look at the rows of a batch.

    A row of tokens that do not overlap is whole if their lengths add up to the width. Overlapping k-mers
    are so many that each but the last adds one base.
    """
    tokens = np.diff(bounds)
    lengths = subject.lengths[ids]
    sums = np.concatenate([[0], np.cumsum(np.where(lengths > 0, lengths - subject.overlap, 0))])
    bases = sums[bounds[1:]] - sums[bounds[:-1]] + subject.overlap
    return _Rows(tokens, bases == width)


def fitting(tokens: NDArray[np.int64]) -> float | None:
    """The share of windows that an input of 512 tokens holds, special ones counted; None of no windows."""
    if not len(tokens):
        return None
    return float(np.mean(tokens + SPECIAL_TOKENS <= INPUT_TOKENS))
