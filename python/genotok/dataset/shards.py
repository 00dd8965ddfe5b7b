"""Shards of every format behind one face: rows in pyarrow record batches.

Arrow files and Megatron's are mapped into memory, not read: a row is a view of the page cache. What comes
from a file is checked before it is touched (Arrow's full validation: one altered offset would make a view of
memory that is not ours). That looks at offsets and names, not at the ids, and happens once for each record
batch.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from genotok.dataset.columns import fault_of_schema
from genotok.dataset.formats import Format, choose
from genotok.dataset.megatron import MegatronFile
from genotok.errors import SequenceFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Shard", "open_shard"]


class Shard(ABC):
    """Rows in record batches.

    Attributes:
        path: The file.
        form: Its format.
        schema: The pyarrow schema; None for Megatron's pair, which has none.
        batch_rows: How many rows each batch has.
    """

    schema: pa.Schema | None = None

    form: Format

    def __init__(self, path: str, batch_rows: list[int]) -> None:
        self.path = path
        self.batch_rows = batch_rows
        self._checked = bytearray(len(batch_rows))

    def batch(self, index: int) -> pa.RecordBatch:
        """A record batch, checked: columns record, start, end, input_ids; of Megatron's, input_ids only.

        Raises:
            SequenceFileError: It is damaged.
        """
        with _arrow_faults(self.path):
            batch = self._load(index)
            if not self._checked[index]:
                batch.validate(full=True)
                _check_nulls(batch)
                self._checked[index] = True
        return batch

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All record batches, in order."""
        return (self.batch(index) for index in range(len(self.batch_rows)))

    def __len__(self) -> int:
        return sum(self.batch_rows)

    @abstractmethod
    def _load(self, index: int) -> pa.RecordBatch:
        """A record batch as it is in the file."""


class _ArrowShard(Shard):
    """An Arrow IPC file or stream, mapped."""

    def __init__(self, path: str, *, stream: bool) -> None:

        with _arrow_faults(path):
            mapped = pa.memory_map(path)
            reader = pa.ipc.open_stream(mapped) if stream else pa.ipc.open_file(mapped)
            self.schema = _check_schema(reader.schema)
            numbers = () if stream else range(reader.num_record_batches)
            self._batches = list(reader) if stream else [reader.get_batch(number) for number in numbers]
        super().__init__(path, [batch.num_rows for batch in self._batches])

    def _load(self, index: int) -> pa.RecordBatch:
        return self._batches[index]


class _ParquetShard(Shard):
    """A Parquet file: a row group is unpacked when it is asked for, and the last one kept."""

    def __init__(self, path: str) -> None:

        with _arrow_faults(path):
            self._file = parquet.ParquetFile(path, memory_map=True)
            self.schema = _check_schema(self._file.schema_arrow)
            head = self._file.metadata
            batch_rows = [head.row_group(number).num_rows for number in range(head.num_row_groups)]
        self._last: tuple[int, pa.RecordBatch | None] = (-1, None)
        super().__init__(path, batch_rows)

    def _load(self, index: int) -> pa.RecordBatch:
        if self._last[0] != index:
            table = self._file.read_row_group(index)
            columns = [column.combine_chunks() for column in table.columns]
            self._last = (index, pa.record_batch(columns, table.schema))
        return self._last[1]


class _MegatronShard(Shard):
    """Megatron's pair, mapped, as one batch."""

    def __init__(self, data: str, index: str) -> None:
        self._file = MegatronFile(data, index)
        super().__init__(data, [len(self._file)])

    def _load(self, index: int) -> pa.RecordBatch:  # noqa: ARG002 - there is but one
        offsets = np.zeros(len(self._file) + 1, np.int64)
        np.cumsum(self._file.lengths, out=offsets[1:])
        rows = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(self._file.ids))
        return pa.record_batch({"input_ids": rows})


def open_shard(path: str, name: str | None = None) -> Shard:
    """The shard at `path`, in the format `name` or the one that its ending says.

    Raises:
        SequenceFileError: It is not what it should be.
        OSError: It cannot be read.
    """
    form = choose(name, path)
    paths = form.paths(path)
    for part in paths:
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(os.stat(part).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", part)
    shard = _open(form, paths)
    shard.form = form
    return shard


def _open(form: Format, paths: list[str]) -> Shard:
    """The shard of these files."""
    if form.name == "megatron":
        return _MegatronShard(*paths)
    if form.name == "parquet":
        return _ParquetShard(paths[0])
    if not form.shards:
        raise SequenceFileError(f"{paths[0]}: {form.name} is not read back")
    return _ArrowShard(paths[0], stream=form.name == "arrow-stream")


@contextmanager
def _arrow_faults(path: str) -> Iterator[None]:
    """Says of what Arrow refuses in which file it is."""
    try:
        yield
    except (pa.ArrowException, ValueError, MemoryError) as error:
        if isinstance(error, SequenceFileError):
            raise
        raise SequenceFileError(f"{path}: damaged: {str(error) or 'it asks for too much memory'}") from None
    except OSError as error:
        if error.errno:
            raise
        raise SequenceFileError(f"{path}: damaged: {error}") from None


def _check_schema(schema: pa.Schema) -> pa.Schema:
    """`schema`, if it is that of encoded sequences."""
    if fault := fault_of_schema(schema):
        raise ValueError(fault)
    return schema


def _check_nulls(batch: pa.RecordBatch) -> None:
    """An error if a value is missing."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.null_count or (name == "input_ids" and column.flatten().null_count):
            raise ValueError(f"column {name} has missing values")
