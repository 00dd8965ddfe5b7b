"""A file of Arrow or Parquet in a few words, whoever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from genotok.dataset.formats import found_in
from genotok.dataset.metadata import facts_of
from genotok.dataset.shards import arrow_faults
from genotok.rows.parquet import rows_of_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TableSummary", "summary_of"]


class TableSummary(NamedTuple):
    """What the head of a file tells.

    Attributes:
        columns: Name to type.
        rows: Where it is told without reading the file.
        facts: What genotok noted of how it was made, if it did.
    """

    columns: Mapping[str, str]
    rows: int | None
    facts: Mapping[str, Any]


def summary_of(path: str) -> TableSummary | None:
    """The summary of a file; None if it is neither Arrow nor Parquet.

    Raises:
        SequenceFileError: It is damaged.
        OSError: It cannot be read.
    """
    form = found_in(path)
    if form is None or form.name not in {"arrow", "arrow-stream", "parquet"}:
        return None
    rows = None
    with arrow_faults(path):
        if form.name == "parquet":
            file = parquet.ParquetFile(path, memory_map=True)
            schema, rows = file.schema_arrow, sum(rows_of_groups(file.metadata))
        else:
            with pa.memory_map(path) as mapped:
                opened = pa.ipc.open_file if form.name == "arrow" else pa.ipc.open_stream
                schema = opened(mapped).schema
        columns = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
        return TableSummary(columns, rows, facts_of(schema))
