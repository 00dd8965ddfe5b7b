"""Shards of every format behind one face: rows in pyarrow record batches.

Arrow files and Megatron's are mapped into memory, not read: a row is a view of the page cache. What comes
from a file is checked before it is touched (Arrow's full validation: one altered offset would make a view of
memory that is not ours). That looks at offsets and names, not at the ids; these are compared with the batch's
checksum, if the file has them. Both happen once for each record batch, when it is first asked for.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from genotok.dataset.batch_checksums import of_arrow, of_parquet
from genotok.dataset.columns import BLOCK_COLUMNS, fault_of_schema
from genotok.dataset.formats import Format, choose, found_in
from genotok.dataset.mapped import mapped
from genotok.dataset.megatron import MegatronFile
from genotok.dataset.metadata import about_of, facts_of
from genotok.errors import ArgumentError, SequenceFileError
from genotok.rows.parquet import rows_of_groups

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from genotok.dataset.batch_checksums import BatchChecksums

__all__ = ["TokenShard", "arrow_faults", "open_shard"]


class TokenShard(ABC):
    """Rows in record batches.

    Attributes:
        path: The file.
        form: Its format.
        schema: The pyarrow schema; None for Megatron's pair, which has none.
        batch_rows: How many rows each batch has.
        checksums: Those of the batches; None in files of older versions, and of others.
        facts: What the file says of how it was made.
    """

    schema: pa.Schema | None = None

    form: Format

    checksums: BatchChecksums | None = None

    def __init__(self, path: str, batch_rows: list[int]) -> None:
        self.path = path
        self.batch_rows = batch_rows
        self._checked = bytearray(len(batch_rows))

    @property
    def facts(self) -> dict[str, Any]:
        """What the file says of how it was made."""
        return facts_of(self.checksums.about if self.checksums else self.schema)

    def batch(self, index: int) -> pa.RecordBatch:
        """A record batch, checked: columns record, start, end, input_ids; of Megatron's, input_ids only.

        Raises:
            SequenceFileError: It is damaged.
        """
        with arrow_faults(self.path, f"record batch {index}: "):
            batch = self._load(index)
            if not self._checked[index]:
                if batch.num_rows != self.batch_rows[index]:
                    raise ValueError(
                        f"{batch.num_rows:,} rows, where the file says {self.batch_rows[index]:,}"
                    )
                batch.validate(full=True)
                _check_nulls(batch)
                if self.checksums:
                    self.checksums.check(batch, index)
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


class _ArrowShard(TokenShard):
    """An Arrow IPC file or stream, mapped."""

    def __init__(self, path: str, *, stream: bool) -> None:

        with arrow_faults(path):
            content = mapped(path)
            reader = pa.ipc.open_stream(content) if stream else pa.ipc.open_file(content)
            self.schema = _check_schema(reader.schema)
            found = list(_batches_of_stream(reader) if stream else _batches_of_file(reader))
            self._batches = [pair.batch for pair in found]
            about = about_of(self.schema)
            self.checksums = of_arrow(about, [pair.custom_metadata for pair in found])
        super().__init__(path, [batch.num_rows for batch in self._batches])

    def _load(self, index: int) -> pa.RecordBatch:
        return self._batches[index]


def _batches_of_stream(reader: pa.ipc.RecordBatchStreamReader) -> Iterator[Any]:
    """The batches of a stream with their metadata."""
    yield from reader.iter_batches_with_custom_metadata()


def _batches_of_file(reader: pa.ipc.RecordBatchFileReader) -> Iterator[Any]:
    """The batches of a file with their metadata."""
    for number in range(reader.num_record_batches):
        yield reader.get_batch_with_custom_metadata(number)


class _ParquetShard(TokenShard):
    """A Parquet file: a row group is unpacked when it is asked for, and the last one kept."""

    def __init__(self, path: str) -> None:

        with arrow_faults(path):
            content = pa.BufferReader(mapped(path))
            self._file = parquet.ParquetFile(content, page_checksum_verification=True)
            self.schema = _check_schema(self._file.schema_arrow)
            head = self._file.metadata
            batch_rows = rows_of_groups(head)
            about = about_of(self.schema)
            self.checksums = of_parquet(about, head.metadata, head.num_row_groups)
        self._last: tuple[int, pa.RecordBatch | None] = (-1, None)
        super().__init__(path, batch_rows)

    def _load(self, index: int) -> pa.RecordBatch:
        if self._last[0] != index:
            table = self._file.read_row_group(index)
            columns = [column.combine_chunks() for column in table.columns]
            self._last = (index, pa.record_batch(columns, table.schema))
        return self._last[1]


class _MegatronShard(TokenShard):
    """Megatron's pair, mapped; one batch, if it does not say which batches it was written in."""

    def __init__(self, data: str, index: str) -> None:
        self._file = MegatronFile(data, index)
        trailer = self._file.trailer
        self.checksums = trailer.checksums if trailer else None
        super().__init__(data, list(trailer.rows) if trailer else [len(self._file)])
        self._ends = list(accumulate(self.batch_rows, initial=0))
        self._offsets: pa.Array | None = None

    def _load(self, index: int) -> pa.RecordBatch:
        if self._offsets is None:
            offsets = np.zeros(len(self._file) + 1, np.int64)
            np.cumsum(self._file.lengths, out=offsets[1:])
            self._offsets, self._ids = pa.array(offsets), pa.array(self._file.ids)
        offsets = self._offsets.slice(self._ends[index], self.batch_rows[index] + 1)
        return pa.record_batch({"input_ids": pa.LargeListArray.from_arrays(offsets, self._ids)})


def open_shard(path: str, name: str | None = None) -> TokenShard:
    """The shard at `path`, in the format `name`, or what its first bytes say, or its ending.

    Raises:
        ArgumentError: Nothing tells the format.
        SequenceFileError: It is not what it should be.
        OSError: It cannot be read.
    """
    _check_regular(path)
    form = found_in(path) if name is None else None
    form = form or choose(name, path)
    paths = form.paths(path)
    for part in paths:
        _check_regular(part)
    shard = _open(form, paths)
    shard.form = form
    return shard


def _check_regular(path: str) -> None:
    """An error for what is no regular file: opening a pipe would wait for ever."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", path)


def _open(form: Format, paths: list[str]) -> TokenShard:
    """The shard of these files."""
    if form.name == "megatron":
        return _MegatronShard(*paths)
    if form.name == "parquet":
        return _ParquetShard(paths[0])
    if not form.shards:
        raise ArgumentError(f"{paths[0]}: {form.name} is not read back; encode to one of the other formats")
    return _ArrowShard(paths[0], stream=form.name == "arrow-stream")


@contextmanager
def arrow_faults(path: str, where: str = "") -> Iterator[None]:
    """Says of what Arrow refuses in which file it is, and where."""
    try:
        yield
    except (pa.ArrowException, ValueError, MemoryError, OSError) as error:
        if isinstance(error, SequenceFileError) or (isinstance(error, OSError) and error.errno):
            raise
        if "launch worker thread" in str(error):
            raise  # which the file is not to blame for
        told = " ".join(str(error).split()) or "it asks for too much memory"
        raise SequenceFileError(f"{path}: damaged: {where}{told}") from None


def _check_schema(schema: pa.Schema) -> pa.Schema:
    """`schema`, if it is that of encoded sequences."""
    if fault := fault_of_schema(schema):
        raise ValueError(fault)
    return schema


def _check_nulls(batch: pa.RecordBatch) -> None:
    """An error if a value is missing."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        is_list = name in {"input_ids", *BLOCK_COLUMNS}
        if column.null_count or (is_list and column.flatten().null_count):
            raise ValueError(f"column {name} has missing values")
