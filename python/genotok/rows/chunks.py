"""What every table gives: its columns by name, and its rows in record batches of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from genotok.errors import SequenceFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["MAX_ROWS", "PIECE_LETTERS", "Chunk", "Table", "chunks_of", "unified"]

PIECE_LETTERS = 1_000_000
"""Letters that are held at once: much more than a batch of a model takes."""

MAX_ROWS = 16_384
"""Rows that are held at once."""

Chunk = tuple["NDArray[np.int64]", pa.RecordBatch]
"""The numbers of some rows, and their columns."""


class Table(Protocol):
    """A table in a file.

    Attributes:
        path: The file, for messages.
        unit: What the numbers of its rows count: "line" or "row".
        names: The names of the columns, in order.
        is_typed: The format says what its columns hold; else all is text.
    """

    path: str
    unit: str
    names: list[str]
    is_typed: bool

    def chunks(self) -> Generator[Chunk]:
        """All rows in order, in the types that their format gives them; of CSV, text.

        Raises:
            SequenceFileError: The table is damaged, or has no rows.
        """
        ...

    def take_first_row(self, names: list[str]) -> None:
        """The first row is no header, but data of columns of these names.

        Raises:
            SequenceFileError: The format has names of its own.
        """
        del names
        raise SequenceFileError(f"{self.path}: a sequence stands where the name of a column is expected")

    def types(self, batch: pa.RecordBatch) -> list[pa.DataType]:
        """The narrowest types that hold a chunk's columns."""
        ...


def unified(table: Table, before: list[pa.DataType] | None, found: list[pa.DataType]) -> list[pa.DataType]:
    """The types that hold what both lists of types hold; in CSV, text where nothing else does.

    Raises:
        SequenceFileError: A column holds text here and numbers there.
    """
    if before is None or before == found:
        return found
    types = []
    for name, one, other in zip(table.names, before, found, strict=True):
        schemas = [pa.schema([("x", one)]), pa.schema([("x", other)])]
        try:
            types.append(pa.unify_schemas(schemas, promote_options="permissive").field(0).type)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            if table.is_typed:
                raise SequenceFileError(
                    f"{table.path}: column {name}: {other} here and {one} before; one type is expected"
                ) from None
            types.append(pa.string())
    return types


def chunks_of(
    path: str, rows: Iterator[tuple[int, Any, int]], columns: Callable[[Sequence[Any]], pa.RecordBatch]
) -> Generator[Chunk]:
    """Rows with their numbers and lengths, put together."""
    numbers: list[int] = []
    held: list[Any] = []
    letters, found = 0, False
    for number, row, length in rows:
        numbers.append(number)
        held.append(row)
        letters += length
        if letters >= PIECE_LETTERS or len(held) >= MAX_ROWS:
            yield np.asarray(numbers, np.int64), columns(held)
            numbers, held, letters, found = [], [], 0, True
    if held:
        yield np.asarray(numbers, np.int64), columns(held)
    elif not found:
        raise SequenceFileError(f"{path}: has a header and no rows")
