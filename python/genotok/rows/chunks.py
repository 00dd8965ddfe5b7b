"""The interface of tables: columns by name, and rows in record batches of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from genotok.errors import SequenceFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["BATCH_SYMBOLS", "MAX_ROWS", "Chunk", "InputTable", "chunks_of", "unified"]

BATCH_SYMBOLS = 1_000_000
"""Symbols of the rows in memory at once: many more than a batch of a model takes."""

MAX_ROWS = 16_384
"""Rows in memory at once."""

Chunk = tuple["NDArray[np.int64]", pa.RecordBatch]
"""The numbers of some rows, (N,), and their columns."""


class InputTable(Protocol):
    """A table in a file.

    Attributes:
        path: The file, for messages.
        unit: What row numbers count: "line" or "row".
        names: The names of the columns, in order.
        is_typed: Whether the format has types; else each column is text.
    """

    path: str
    unit: str
    names: list[str]
    is_typed: bool

    def chunks(self) -> Generator[Chunk]:
        """All rows in order, in the types of the format; text for CSV.

        Raises:
            SequenceFileError: The table is damaged, or has no rows.
        """
        ...

    def take_first_row(self, names: list[str]) -> None:
        """Take the first row for data, not for a header, and name the columns.

        Raises:
            SequenceFileError: The format always has column names.
        """
        del names
        raise SequenceFileError(f"{self.path}: a sequence stands where the name of a column is expected")

    def types(self, batch: pa.RecordBatch) -> list[pa.DataType]:
        """The narrowest types for a chunk's columns."""
        ...


def unified(
    table: InputTable, before: list[pa.DataType] | None, found: list[pa.DataType]
) -> list[pa.DataType]:
    """The common types of two lists of types; in CSV, text where there is no other.

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
    """Chunks of rows that come with their numbers and their lengths in symbols."""
    numbers: list[int] = []
    held: list[Any] = []
    num_symbols, found = 0, False
    for number, row, length in rows:
        numbers.append(number)
        held.append(row)
        num_symbols += length
        if num_symbols >= BATCH_SYMBOLS or len(held) >= MAX_ROWS:
            yield np.asarray(numbers, np.int64), columns(held)
            numbers, held, num_symbols, found = [], [], 0, True
    if held:
        yield np.asarray(numbers, np.int64), columns(held)
    elif not found:
        raise SequenceFileError(f"{path}: has a header and no rows")
