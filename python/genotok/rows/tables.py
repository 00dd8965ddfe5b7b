"""Tables of all formats, CSV, TSV, JSON lines and Parquet, as Arrow record batches.

A table is read more than once: first to find the types of its columns, before anything is written. In CSV
integers become int64 and other decimal numbers float64; everything else, including `007`, stays text. Parquet
and JSON lines have types.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from genotok.errors import SequenceFileError
from genotok.rows import chunks
from genotok.rows.chunks import Chunk, InputTable
from genotok.rows.formats import format_of
from genotok.rows.opening import InputFile, head_of
from genotok.rows.parquet import rows_of_groups
from genotok.rows.text_tables import DelimitedTable, JsonTable

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator

    from genotok.rows.formats import InputFormat

__all__ = ["table_of", "text_rows"]

DELIMITERS: dict[str, str] = {"csv": ",", "tsv": "\t"}


class ParquetTable(InputTable):
    """A Parquet file."""

    unit = "row"
    is_typed = True

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        with self._opened() as opened:
            self.names = opened.schema_arrow.names
            data = opened.metadata
            size = sum(data.row_group(group).total_byte_size for group in range(data.num_row_groups))
            try:
                self._num_rows = sum(rows_of_groups(data))
            except ValueError as error:
                raise SequenceFileError(f"{self.path}: damaged: {error}") from None
            self._rows = min(
                max(chunks.BATCH_SYMBOLS * max(self._num_rows, 1) // max(size, 1), 1), chunks.MAX_ROWS
            )

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with self._file.seekable() as place, parquet.ParquetFile(place, memory_map=True) as opened:
            yield opened

    def chunks(self) -> Generator[Chunk]:
        """All rows."""
        passed = 0
        with self._opened() as opened:
            for batch in opened.iter_batches(batch_size=self._rows):
                yield np.arange(passed + 1, passed + 1 + len(batch)), batch
                passed += len(batch)
        if passed != self._num_rows:
            raise SequenceFileError(
                f"{self.path}: damaged: {passed:,} rows, where the file says {self._num_rows:,}"
            )
        if not passed:
            raise SequenceFileError(f"{self.path}: has no rows")

    def types(self, batch: pa.RecordBatch) -> list[pa.DataType]:
        """The types of the file."""
        return list(batch.schema.types)


def table_of(file: InputFile, form: InputFormat) -> InputTable:
    """The table in a file of this format.

    Raises:
        SequenceFileError: It is empty or damaged.
        OSError: It cannot be read.
    """
    if form == "parquet":
        return ParquetTable(file)
    return JsonTable(file) if form == "jsonl" else DelimitedTable(file, DELIMITERS[form])


def text_rows(
    path: str | os.PathLike[str], given: InputFormat | None = None
) -> Generator[tuple[int, list[str]]]:
    """The rows of one table as text, each with its number; the first row has the names of the columns.

    The number is that of the line; in Parquet, which has no lines, that of the row, from 1, and 0 for the
    names. A null is "".

    Args:
        path: CSV, TSV, JSON lines or Parquet, plain or compressed.
        given: The format, if the name does not tell it.

    Raises:
        SequenceFileError: The table is empty or damaged.
        ArgumentError: Its name and its content contradict each other.
        OSError: It cannot be read.
    """
    name = str(path)
    head = head_of(name)
    form = format_of(name, head, given=given)
    table = table_of(InputFile.of(name, head), "csv" if form in {"fasta", "fastq"} else form)
    if isinstance(table, DelimitedTable):
        yield from table.fields()
        return
    yield 0, table.names
    for numbers, batch in table.chunks():
        columns = [text_of(column).to_pylist() for column in batch.columns]
        for number, *fields in zip(numbers.tolist(), *columns, strict=True):
            yield number, fields


def text_of(column: pa.Array) -> pa.Array:
    """A column as text: 1.0 keeps its decimal point, values of a list are joined by `;`, a null is ""."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        offsets, values = column.offsets, text_of(column.values)
        lists = type(column).from_arrays(offsets, values)
        joined = pc.binary_join(lists, ";")
        return pc.if_else(pc.is_valid(column), joined, "")
    if pa.types.is_floating(column.type):
        text = column.cast(pa.string())
        whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
        column = pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)
    return pc.fill_null(column.cast(pa.string()), "")
