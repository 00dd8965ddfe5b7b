"""Which rows a key between brackets means: one, a slice, many by number, or those of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from typing import SupportsIndex

    from numpy.typing import ArrayLike, NDArray

__all__ = ["rows_of"]


@overload
def rows_of(key: SupportsIndex, length: int, what: str) -> int: ...
@overload
def rows_of(key: slice | ArrayLike, length: int, what: str) -> range | NDArray[np.int64]: ...
def rows_of(
    key: SupportsIndex | slice | ArrayLike, length: int, what: str
) -> int | range | NDArray[np.int64]:
    """The rows of `key` among `length` of them, counted from 0.

    Args:
        key: An integer (negative ones count from the end), a slice, integers or as many booleans as there
            are rows: a list, a numpy array, or what numpy makes an array of.
        length: How many rows there are.
        what: What the rows are, for errors.

    Raises:
        IndexError: A row is not there; a mask is of another length.
        TypeError: The key is none of these.
    """
    if isinstance(key, slice):
        return range(length)[key]
    if isinstance(key, int):
        return _row(key, length, what)
    try:
        keys = np.asarray(key)
    except ValueError:  # lists of lists of several lengths
        keys = np.empty((0, 0))
    if not keys.size and keys.ndim == 1:
        keys = keys.astype(np.int64) if keys.dtype != bool else keys
    if keys.ndim == 0 and keys.dtype.kind in "iu":
        return _row(int(keys), length, what)
    if keys.ndim != 1 or keys.dtype.kind not in "iub":
        found = f"{keys.ndim} axes" if keys.ndim > 1 else f"{type(key).__name__} of {keys.dtype}"
        raise TypeError(f"an integer, a slice, or integers or booleans in one axis are expected, not {found}")
    if keys.dtype.kind == "b":
        if len(keys) != length:
            raise IndexError(f"a mask of {len(keys):,} values: there are {length:,} {what}")
        return np.flatnonzero(keys).astype(np.int64)
    outside = (keys >= length) | (keys < -length)
    if outside.any():
        _row(int(keys[outside.argmax()]), length, what)
    rows = keys.astype(np.int64)
    return np.where(rows < 0, rows + length, rows)


def _row(number: int, length: int, what: str) -> int:
    """One row, counted from 0."""
    if not -length <= number < length:
        raise IndexError(f"index {number}: there are {length:,} {what}")
    return number + length if number < 0 else number
