"""Writers of rows with their results: Parquet, CSV, TSV, JSON lines, BED and bedGraph.

Numbers are written in a form that reads back as the same number. A null is an empty field in CSV and TSV; NaN
is null in JSON lines.
"""

from __future__ import annotations

import csv
import io
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from genotok.errors import ArgumentError
from genotok.files.atomic import open_sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.files.atomic import ByteSink
    from genotok.rows.targets import RowTarget

__all__ = ["RowWriter", "row_writer"]

DELIMITERS = {"csv": ",", "tsv": "\t"}
MAX_SCORE = 1000
"""The largest score of BED."""


class RowWriter(Protocol):
    """Writes record batches of one schema."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Finish the output."""
        ...


@contextmanager
def row_writer(
    target: RowTarget, schema: pa.Schema, *, value: str = ""
) -> Iterator[tuple[RowWriter, ByteSink]]:
    """A writer to an output, which is written atomically at the end of a `with` block.

    Args:
        target: The output.
        schema: The columns. BED takes `record`, `start`, `end`, `predicted` and the largest of the
            probabilities (`prob_*`); bedGraph takes the place and one column of numbers.
        value: The column of bedGraph.

    Raises:
        ArgumentError: The format cannot hold a column, or lacks one.
        OSError: It cannot be written.
    """
    sink = open_sink(target.path)
    try:
        stream = pa.CompressedOutputStream(pa.PythonFile(sink, "w"), "gzip") if target.is_gzip else sink
        writer = _writer(target, stream, schema, value)
        yield writer, sink
        writer.close()
        if target.is_gzip:
            stream.close()
        sink.commit()
    finally:
        sink.discard()


def _writer(target: RowTarget, stream: Any, schema: pa.Schema, value: str) -> RowWriter:  # noqa: ANN401
    if target.form == "parquet":
        text = [field.name for field in schema if field.type == pa.string()]
        return _Parquet(parquet.ParquetWriter(stream, schema, compression="zstd", use_dictionary=text))
    if target.form in DELIMITERS:
        return _Delimited(stream, schema, target.form)
    if target.form == "jsonl":
        return _JsonLines(stream, schema)
    if "record" not in schema.names:
        raise ArgumentError(
            f"format={target.form}: rows of tables have no place in a sequence; write another format"
        )
    return _Places(stream, schema, value)


class _Parquet(RowWriter):
    def __init__(self, writer: parquet.ParquetWriter) -> None:
        self._writer = writer

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Delimited(RowWriter):
    """CSV or TSV with a header; fields are quoted where necessary."""

    def __init__(self, stream: Any, schema: pa.Schema, form: str) -> None:  # noqa: ANN401
        for field in schema:
            kind = _plain(field.type)
            if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                raise ArgumentError(
                    f"format={form}: column {field.name} is {field.type}, which no text holds; write "
                    "Parquet, or leave the column out"
                )
        self._stream, self._delimiter = stream, DELIMITERS[form]
        self._lines([schema.names])

    def write(self, batch: pa.RecordBatch) -> None:
        self._lines(zip(*(_texts(column).to_pylist() for column in batch.columns), strict=True))

    def close(self) -> None:
        return

    def _lines(self, rows: Any) -> None:  # noqa: ANN401 - tuples of texts
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        self._stream.write(text.getvalue().encode())


class _JsonLines(RowWriter):
    """JSON lines, an object per row."""

    def __init__(self, stream: Any, schema: pa.Schema) -> None:  # noqa: ANN401
        for field in schema:
            if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
                raise ArgumentError(
                    f"format=jsonl: column {field.name} is {field.type}, which JSON has not; write Parquet"
                )
        self._stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        self._stream.write("".join(map(_json_line, batch.to_pylist())).encode())

    def close(self) -> None:
        return


class _Places(RowWriter):
    """BED (place, predicted class, its probability as a score) or, with a column of numbers, bedGraph."""

    def __init__(self, stream: Any, schema: pa.Schema, value: str) -> None:  # noqa: ANN401
        self._stream, self._value = stream, value
        self._shown = [name for name in schema.names if name.startswith("prob_")]

    def write(self, batch: pa.RecordBatch) -> None:
        places = [batch.column(name) for name in ("record", "start", "end")]
        if self._value:
            results = [batch.column(self._value)]
        else:
            likely = pc.max_element_wise(*(batch.column(name) for name in self._shown))
            score = pc.round(pc.multiply(likely, float(MAX_SCORE))).cast(pa.int64())
            results = [batch.column("predicted"), score]
        columns = [_texts(column).cast(pa.large_string()) for column in (*places, *results)]
        lines = pc.binary_join_element_wise(*columns, pa.scalar("\t", pa.large_string()))
        text = "\n".join(lines.to_pylist())
        self._stream.write(f"{text}\n".encode() if text else b"")

    def close(self) -> None:
        return


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, without dictionary encoding."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _texts(column: pa.Array) -> pa.Array:
    """A column as text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _json_line(row: dict[str, Any]) -> str:
    """A row as a line of JSON."""
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n"
    except ValueError:
        return json.dumps(_finite(row), ensure_ascii=False, default=str) + "\n"


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value with null for NaN and infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


def bed_names(names: Sequence[str]) -> None:
    """Raise an error if a name cannot be a field of BED."""
    for name in names:
        if not name or any(one in name for one in "\t\r\n"):
            raise ArgumentError(f"format=bed: the class {name!r} cannot stand in a line of BED; write CSV")
