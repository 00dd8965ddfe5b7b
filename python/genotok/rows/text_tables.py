"""Text tables: CSV and TSV, whose types follow from all rows, and JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from genotok.errors import SequenceFileError
from genotok.rows.chunks import Chunk, InputTable, chunks_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from genotok.rows.opening import InputFile

__all__ = ["DelimitedTable", "JsonTable"]

WHOLE = r"\A-?(0|[1-9]\d{0,17})\z"
DECIMAL = r"\A-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,3})?\z"


class DelimitedTable(InputTable):
    """CSV or TSV with a header, quoted as in RFC 4180; empty lines are skipped."""

    unit = "line"
    is_typed = False

    def __init__(self, file: InputFile, delimiter: str) -> None:
        self.path, self._file, self._delimiter = file.path, file, delimiter
        with closing(self.fields()) as rows:
            _, names = next(rows, (0, []))
        if not any(names):
            raise SequenceFileError(
                f"{self.path}: is empty; a header with the names of the columns is expected"
            )
        self.names = [name.strip() for name in names]
        self._has_header = True

    def take_first_row(self, names: list[str]) -> None:
        """Take the first row for data, not for a header, and name the columns."""
        self.names, self._has_header = names, False

    def fields(self) -> Generator[tuple[int, list[str]]]:
        """Line number and fields of each line that is not empty, including the first."""
        with _no_field_limit(), self._file.text() as text:
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            try:
                for fields in reader:
                    if fields:
                        yield reader.line_num, fields
            except csv.Error as error:
                raise SequenceFileError(
                    f"{self.path}: line {reader.line_num:,}: damaged, or not what its name says ({error})"
                ) from None

    def chunks(self) -> Generator[Chunk]:
        """All rows below the header, as text."""
        width = len(self.names)
        with closing(self.fields()) as rows:
            if self._has_header:
                next(rows)
            yield from chunks_of(self.path, self._whole(rows, width), self._columns)

    def _whole(
        self, rows: Iterator[tuple[int, list[str]]], width: int
    ) -> Iterator[tuple[int, list[str], int]]:
        """Rows and their lengths in symbols; another number of fields than in the header is an error."""
        for line, fields in rows:
            if len(fields) != width:
                first = "header" if self._has_header else "first row"
                raise SequenceFileError(
                    f"{self.path}: line {line:,}: {len(fields)} fields; the {first} has {width}"
                )
            yield line, fields, sum(map(len, fields))

    def _columns(self, rows: Sequence[list[str]]) -> pa.RecordBatch:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        return pa.RecordBatch.from_arrays(columns, self.names)

    def types(self, batch: pa.RecordBatch) -> list[pa.DataType]:
        """int64, float64 or string."""
        return [_narrowest(column) for column in batch.columns]


class JsonTable(InputTable):
    """JSON lines: objects with the keys of the first; a missing key is null."""

    unit = "line"
    is_typed = True

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        with closing(self._objects()) as rows:
            _, first, _ = next(rows, (0, {}, 0))
        if not first:
            raise SequenceFileError(f"{self.path}: is empty; an object in each line is expected")
        self.names = list(first)

    def _objects(self) -> Generator[tuple[int, dict[str, Any], int]]:
        """Line number and object of each line that is not empty, and its length."""
        with self._file.text() as text:
            for line, content in enumerate(text, 1):
                if not content.strip():
                    continue
                try:
                    found = json.loads(content)
                except (ValueError, RecursionError) as error:
                    raise SequenceFileError(f"{self.path}: line {line:,}: no JSON ({error})") from None
                if not isinstance(found, dict):
                    raise SequenceFileError(f"{self.path}: line {line:,}: no object; {{...}} is expected")
                yield line, found, len(content)

    def chunks(self) -> Generator[Chunk]:
        """All rows, in the types of their values."""
        with closing(self._objects()) as rows:
            yield from chunks_of(self.path, self._known(rows), self._columns)

    def _known(self, rows: Iterator[tuple[int, dict[str, Any], int]]) -> Iterator[tuple[int, Any, int]]:
        """Rows and their lengths; a key that the first row lacks is an error."""
        known = set(self.names)
        for line, found, length in rows:
            if more := found.keys() - known:
                raise SequenceFileError(
                    f"{self.path}: line {line:,}: has a key {min(more)!r}, which the first object lacks"
                )
            yield line, found, length

    def _columns(self, rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        columns = []
        for name in self.names:
            try:
                columns.append(pa.array([row.get(name) for row in rows]))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                reason = str(error).partition("\n")[0]
                raise SequenceFileError(
                    f"{self.path}: column {name}: its values are of no one type ({reason})"
                ) from None
        return pa.RecordBatch.from_arrays(columns, self.names)

    def types(self, batch: pa.RecordBatch) -> list[pa.DataType]:
        """The types of the values."""
        return list(batch.schema.types)


def _narrowest(column: pa.Array) -> pa.DataType:
    """int64 or float64 if all texts are such numbers, else string."""
    for pattern, kind in ((WHOLE, pa.int64()), (DECIMAL, pa.float64())):
        if pc.all(pc.match_substring_regex(column, pattern)).as_py() and _is_finite(column, kind):
            return kind
    return pa.string()


def _is_finite(column: pa.Array, kind: pa.DataType) -> bool:
    """Whether all numbers fit the type, which 1e400 does not."""
    return kind == pa.int64() or bool(pc.all(pc.is_finite(column.cast(kind))).as_py())


@contextmanager
def _no_field_limit() -> Iterator[None]:
    """Lift the limit of `csv` on a field, 131,072 characters, which a sequence may exceed."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
