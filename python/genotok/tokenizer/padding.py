"""Rows of any lengths as one matrix, filled up to the same length."""

# Shapes: B rows, S padded length.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

__all__ = ["Padded", "Side", "pad", "pad_rows"]

Side = Literal["right", "left"]
"""Where rows are filled up."""


class Padded(NamedTuple):
    """Rows as a matrix, under the names that models take them by.

    Attributes:
        input_ids: The ids and the padding (B, S), of the dtype asked for.
        attention_mask: 1 for each id, 0 for padding (B, S), of the same dtype.
    """

    input_ids: NDArray[np.integer]
    attention_mask: NDArray[np.integer]


def pad(
    values: NDArray[np.integer],
    offsets: NDArray[np.int64],
    *,
    value: int,
    length: int | None = None,
    side: Side = "right",
    dtype: DTypeLike = "int64",
    truncate: bool = False,
) -> Padded:
    """The rows `values[offsets[i]:offsets[i + 1]]` as one matrix; linear in its size. A null is all padding.

    Args:
        values: The ids of all rows back to back.
        offsets: Where each row begins in them, and the last ends (B + 1).
        value: The id to fill up with: the tokenizer's `pad_token_id`.
        length: S; None for the length of the longest row.
        side: Fill up on the right, or on the left, as models that generate want it.
        dtype: An integer type of numpy that holds all ids; int64 is what torch looks embeddings up by.
        truncate: Keep only the first `length` ids of longer rows. Special tokens behind them go too.

    Raises:
        ArgumentError: A row is longer than `length`; an argument is outside its rule.
    """
    kind = _checked_kind(dtype, value, values)
    if side not in ("right", "left"):
        raise ArgumentError(f'side={side!r}: must be "right" or "left"')
    lengths = np.diff(offsets)
    longest = int(lengths.max(initial=0))
    width = longest if length is None else length
    if isinstance(width, bool) or not hasattr(width, "__index__") or width < 0:
        raise ArgumentError(f"length={length!r}: a number of tokens is expected")
    if longest > width:
        if not truncate:
            row = int(lengths.argmax())
            raise ArgumentError(
                f"length={width}: row {row} has {longest:,} tokens; give a larger length, or truncate=True "
                "to keep the first"
            )
        within = np.arange(len(values)) - np.repeat(offsets[:-1], lengths)
        values, lengths = values[within < width], np.minimum(lengths, width)
    places = np.arange(width)
    is_id = places < lengths[:, None] if side == "right" else places >= width - lengths[:, None]
    padded = np.full(is_id.shape, value, kind)
    padded[is_id] = values
    return Padded(padded, is_id.astype(kind))


def pad_rows(
    rows: Sequence[NDArray[np.integer]],
    *,
    value: int,
    length: int | None = None,
    side: Side = "right",
    truncate: bool = False,
) -> Padded:
    """The same of rows that are arrays of their own, as int64."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    values = np.concatenate(rows) if rows else np.empty(0, np.int64)
    return pad(values, offsets, value=value, length=length, side=side, truncate=truncate)


def _checked_kind(dtype: DTypeLike, value: int, values: NDArray[np.integer]) -> np.dtype[Any]:
    """The numpy type, if it holds the padding and all ids."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise ArgumentError(f"value={value!r}: the id of the padding token is expected")
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind.kind not in "iu":
        raise ArgumentError(f"dtype={dtype!r}: an integer type of numpy is expected")
    largest = max(int(value), int(values.max(initial=0)))
    if largest > np.iinfo(kind).max:
        raise ArgumentError(f"dtype={kind}: does not hold the id {largest:,}; int64 holds all")
    return kind
