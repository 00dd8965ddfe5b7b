"""The flat pair of files that Megatron-style loaders read: `.bin` has the ids, `.idx` says where rows begin.

The index, little-endian throughout:

```
bytes                 what
9                     "MMIDIDX", 0, 0
8                     version, 1
1                     code of the ids' type: 8 is uint16, 4 is int32
8                     number of rows, R            (Megatron's sequences)
8                     number of documents and 1, D
4 * R                 int32: tokens of each row
8 * R                 int64: byte in .bin at which each row begins
8 * D                 int64: row at which each document begins, and R
```

A *document* is a run of rows of one record in rising order: a whole record cut into windows is one document.
The format has no place for names and coordinates. It has no unsigned 32-bit type either: ids above 65,535 are
written as int32, which holds every id there is.
"""

from __future__ import annotations

import os
import struct
from array import array
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genotok.dataset.columns import ids_of, offsets_of, starts_of, view_of
from genotok.errors import ArgumentError, SequenceFileError

if TYPE_CHECKING:
    from genotok.dataset.whole import Sink

__all__ = ["MegatronFile", "MegatronWriter"]

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
HEAD = struct.Struct("<QBQQ")
HEAD_BYTES = len(MAGIC) + HEAD.size

TYPE_CODES = {"<u2": 8, "<i4": 4}
"""The two of Megatron's eight types that are written here."""

MOST_TOKENS = (1 << 31) - 1


class MegatronWriter:
    """Writes record batches as a pair of files; the index is held back until the end."""

    def __init__(self, data: Sink, index: Sink, *, wide: bool) -> None:
        self._data, self._index = data, index
        self._type = "<i4" if wide else "<u2"
        self._lengths = array("i")
        self._documents = array("q")
        self._last: tuple[str, int] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a pyarrow record batch."""
        lengths = np.diff(offsets_of(batch))
        if len(lengths) and int(lengths.max()) > MOST_TOKENS:
            raise ArgumentError(
                f"format=megatron: a row has {int(lengths.max()):,} tokens, where the format "
                f"holds {MOST_TOKENS:,} at most; cut rows with --window"
            )
        self._begin_documents(batch)
        self._lengths.frombytes(lengths.astype(np.int32).tobytes())
        self._data.write(ids_of(batch).astype(self._type, copy=False).data)

    def _begin_documents(self, batch: pa.RecordBatch) -> None:
        """Note the rows that do not go on where the record of the row before them was."""
        if not batch.num_rows:
            return
        names, starts = batch.column("record"), starts_of(batch)
        fresh = np.ones(batch.num_rows, dtype=bool)
        fresh[1:] = view_of(pc.not_equal(names[1:], names[:-1]).cast("uint8")).astype(bool) | (
            np.diff(starts) <= 0
        )
        fresh[0] = self._last is None or self._last[0] != names[0].as_py() or self._last[1] >= starts[0]
        self._documents.frombytes((np.flatnonzero(fresh) + len(self._lengths)).astype(np.int64).tobytes())
        self._last = (names[-1].as_py(), int(starts[-1]))

    def close(self) -> None:
        """Write the index."""
        lengths = np.frombuffer(self._lengths, dtype=np.int32)
        starts = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:], dtype=np.int64)
        starts *= np.dtype(self._type).itemsize
        self._documents.append(len(lengths))
        head = HEAD.pack(VERSION, TYPE_CODES[self._type], len(lengths), len(self._documents))
        self._index.write(MAGIC + head)
        self._index.write(lengths.astype("<i4").tobytes())
        self._index.write(starts[:-1].astype("<i8").tobytes())
        self._index.write(np.frombuffer(self._documents, dtype=np.int64).astype("<i8").tobytes())


class MegatronFile:
    """A pair of files, opened for reading: the ids stay on the disk until they are looked at.

    Attributes:
        lengths: Tokens of each row.
        documents: The row at which each document begins, and the number of rows.
        ids: The ids of all rows, end to end.
    """

    def __init__(self, data: str, index: str) -> None:
        """Open the pair; nothing in it is believed before it is checked.

        Raises:
            SequenceFileError: The index is not one, or does not fit the data.
            OSError: A file cannot be read.
        """
        with open(index, "rb") as file:
            kind, num_rows, num_documents = _read_head(index, file.read(HEAD_BYTES))
        needed = HEAD_BYTES + 12 * num_rows + 8 * num_documents
        if os.path.getsize(index) != needed:
            raise _fault(index, f"{os.path.getsize(index):,} bytes, where its head promises {needed:,}")
        body = np.memmap(index, np.uint8, "r", HEAD_BYTES)
        self.lengths = body[: 4 * num_rows].view("<i4")
        self._starts = body[4 * num_rows : 12 * num_rows].view("<i8")
        self.documents = body[12 * num_rows :].view("<i8")
        num_bytes = os.path.getsize(data)
        self._check(index, np.dtype(kind).itemsize, num_bytes)
        # An empty file cannot be mapped.
        self.ids = np.memmap(data, kind, "r") if num_bytes else np.empty(0, kind)

    def _check(self, index: str, width: int, num_bytes: int) -> None:
        """An error if rows do not lie end to end in the data, or documents in the rows."""
        if len(self.lengths) and int(self.lengths.min()) < 0:
            raise _fault(index, "a row of negative length")
        ends = np.cumsum(self.lengths, dtype=np.int64) * width
        if len(ends) and (int(self._starts[0]) != 0 or not np.array_equal(self._starts[1:], ends[:-1])):
            raise _fault(index, "rows that do not lie end to end")
        if (int(ends[-1]) if len(ends) else 0) != num_bytes:
            raise _fault(
                index, f"rows of {int(ends[-1]) if len(ends) else 0:,} bytes, but data of {num_bytes:,}"
            )
        steps = np.diff(self.documents)
        first, last = (int(self.documents[0]), int(self.documents[-1]))
        if first != 0 or last != len(self.lengths) or (len(steps) and int(steps.min()) <= 0):
            raise _fault(index, "documents that do not follow one another")

    def __len__(self) -> int:
        return len(self.lengths)


def _read_head(index: str, head: bytes) -> tuple[str, int, int]:
    """The type of the ids, the number of rows, and the number of documents and 1."""
    if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
        raise _fault(index, "no Megatron index: it does not begin with MMIDIDX")
    version, code, num_rows, num_documents = HEAD.unpack(head[len(MAGIC) :])
    kinds = {code: kind for kind, code in TYPE_CODES.items()}
    if version != VERSION or code not in kinds:
        raise _fault(index, f"version {version} and type {code}, where 1 and one of 4, 8 are expected")
    if num_documents == 0:
        raise _fault(index, "no end of the last document")
    return kinds[code], num_rows, num_documents


def _fault(path: str, what: str) -> SequenceFileError:
    """The error for a file that is not what it should be."""
    return SequenceFileError(f"{path}: {what}")
