"""The flat pair of files that Megatron-style loaders read: `.bin` has the ids, `.idx` says where rows start.

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
8 * D                 int64: row at which each document starts, and R
```

Behind it, where Megatron's readers do not look, stands what the format has no place for; an index without it
is read as well:

```
8                     "genotok", 0
8                     length of the text, L
L                     JSON: what the file says about itself, and the rows and the checksum of each batch
32                    SHA-256 of the index up to here
```

A *document* is a run of rows of one record, or of one line of a BED file, in rising order: a whole record cut
into windows is one document. The format has no place for names, coordinates and what a BED file says. It has
no unsigned 32-bit type either: ids above 65,535 are written as int32, which holds every id there is.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genotok.dataset.batch_checksums import BatchChecksums
from genotok.dataset.columns import bed_rows_of, ids_of, offsets_of, starts_of, view_of
from genotok.dataset.mapped import mapped
from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.reading import open_reading

if TYPE_CHECKING:
    from genotok.dataset.batch_checksums import ChecksumWriter
    from genotok.files.atomic import ByteSink

__all__ = ["MegatronFile", "MegatronWriter"]

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
HEAD = struct.Struct("<QBQQ")
HEAD_BYTES = len(MAGIC) + HEAD.size

TRAILER_MAGIC = b"genotok\x00"
LENGTH = struct.Struct("<Q")
DIGEST_BYTES = 32
MIN_TRAILER_BYTES = len(TRAILER_MAGIC) + LENGTH.size + DIGEST_BYTES

TYPE_CODES = {"<u2": 8, "<i4": 4}
"""The two of Megatron's eight types that are written here."""

MAX_TOKENS = (1 << 31) - 1


class MegatronWriter:
    """Writes record batches as a pair of files; the index is held back until the end."""

    def __init__(self, data: ByteSink, index: ByteSink, checksums: ChecksumWriter, *, wide: bool) -> None:
        self._data, self._index, self._checksums = data, index, checksums
        self._digest = hashlib.sha256()
        self._rows: list[int] = []
        self._type = "<i4" if wide else "<u2"
        self._lengths = array("i")
        self._documents = array("q")
        self._last: tuple[str, int, int] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a pyarrow record batch."""
        lengths = np.diff(offsets_of(batch))
        if len(lengths) and int(lengths.max()) > MAX_TOKENS:
            raise ArgumentError(
                f"format=megatron: a row has {int(lengths.max()):,} tokens, where the format "
                f"holds {MAX_TOKENS:,} at most; cut rows with --window"
            )
        self._begin_documents(batch)
        self._checksums.add(batch.select(["input_ids"]))
        self._rows.append(batch.num_rows)
        self._lengths.frombytes(lengths.astype(np.int32).tobytes())
        self._data.write(ids_of(batch).astype(self._type, copy=False).data)

    def _begin_documents(self, batch: pa.RecordBatch) -> None:
        """Note the rows that do not go on where the record, or the BED line, of the row before them was."""
        if not batch.num_rows:
            return
        names, starts = batch.column("record"), starts_of(batch)
        lines = bed_rows_of(batch)
        fresh = np.ones(batch.num_rows, dtype=bool)
        other_name = view_of(pc.not_equal(names[1:], names[:-1]).cast("uint8")).astype(bool)
        fresh[1:] = other_name | (np.diff(starts) <= 0) | (np.diff(lines) != 0)
        name, start, line = self._last or (None, 0, -1)
        fresh[0] = name != names[0].as_py() or start >= starts[0] or line != lines[0]
        self._documents.frombytes((np.flatnonzero(fresh) + len(self._lengths)).astype(np.int64).tobytes())
        self._last = (names[-1].as_py(), int(starts[-1]), int(lines[-1]))

    def close(self) -> None:
        """Write the index."""
        lengths = np.frombuffer(self._lengths, dtype=np.int32)
        starts = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:], dtype=np.int64)
        starts *= np.dtype(self._type).itemsize
        self._documents.append(len(lengths))
        head = HEAD.pack(VERSION, TYPE_CODES[self._type], len(lengths), len(self._documents))
        self._put(MAGIC + head)
        self._put(lengths.astype("<i4").tobytes())
        self._put(starts[:-1].astype("<i8").tobytes())
        self._put(np.frombuffer(self._documents, dtype=np.int64).astype("<i8").tobytes())
        batches = [list(pair) for pair in zip(self._rows, self._checksums.sums, strict=True)]
        text = json.dumps({"about": self._checksums.about, "batches": batches}).encode()
        self._put(TRAILER_MAGIC + LENGTH.pack(len(text)) + text)
        self._put(self._digest.digest())

    def _put(self, data: bytes) -> None:
        """Append to the index."""
        self._index.write(data)
        self._digest.update(data)


@dataclass(frozen=True, slots=True)
class Trailer:
    """What stands behind the index.

    Attributes:
        rows: How many each batch has.
        checksums: Those of the batches, and what the file says about itself.
    """

    rows: tuple[int, ...]
    checksums: BatchChecksums


class MegatronFile:
    """A pair of files, opened for reading: the ids stay on the disk until they are read.

    Attributes:
        lengths: Tokens of each row.
        documents: The row at which each document starts, and the number of rows.
        ids: The ids of all rows, concatenated.
        trailer: What stands behind the index; None in files of others, and of older versions.
    """

    def __init__(self, data: str, index: str) -> None:
        """Open the pair; nothing in it is believed before it is checked.

        Raises:
            SequenceFileError: The index is not one, or does not fit the data.
            OSError: A file cannot be read.
        """
        with open_reading(index) as file:
            kind, num_rows, num_documents = _read_head(index, file.read(HEAD_BYTES))
        needed = HEAD_BYTES + 12 * num_rows + 8 * num_documents
        size = os.path.getsize(index)
        if size != needed and size < needed + MIN_TRAILER_BYTES:
            raise _fault(index, f"{size:,} bytes, where its head promises {needed:,}")
        self.trailer = _read_trailer(index, needed) if size > needed else None
        body = np.frombuffer(mapped(index), np.uint8, needed - HEAD_BYTES, HEAD_BYTES)
        self.lengths = body[: 4 * num_rows].view("<i4")
        self._starts = body[4 * num_rows : 12 * num_rows].view("<i8")
        self.documents = body[12 * num_rows :].view("<i8")
        num_bytes = os.path.getsize(data)
        self._check(index, np.dtype(kind).itemsize, num_bytes)
        if self.trailer and sum(self.trailer.rows) != num_rows:
            raise _fault(index, f"batches of {sum(self.trailer.rows):,} rows, but {num_rows:,} rows")
        # An empty file cannot be mapped.
        self.ids = np.frombuffer(mapped(data), kind) if num_bytes else np.empty(0, kind)

    def _check(self, index: str, width: int, num_bytes: int) -> None:
        """An error if rows are not contiguous in the data, or documents in the rows."""
        if len(self.lengths) and int(self.lengths.min()) < 0:
            raise _fault(index, "a row of negative length")
        ends = np.cumsum(self.lengths, dtype=np.int64) * width
        if len(ends) and (int(self._starts[0]) != 0 or not np.array_equal(self._starts[1:], ends[:-1])):
            raise _fault(index, "rows that are not contiguous")
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


def _read_trailer(index: str, start: int) -> Trailer:
    """What stands behind the index from byte `start` on; the checksum covers the whole file."""
    content = np.frombuffer(mapped(index), np.uint8)
    found, expected = content[start:-DIGEST_BYTES].tobytes(), content[-DIGEST_BYTES:].tobytes()
    if not found.startswith(TRAILER_MAGIC):
        raise _fault(index, f"{len(content):,} bytes, where its head promises {start:,}")
    if hashlib.sha256(content.data[:-DIGEST_BYTES]).digest() != expected:
        raise _fault(
            index, "damaged: its checksum differs; encode the input again, or restore it from a copy"
        )
    try:
        value = json.loads(found[len(TRAILER_MAGIC) + LENGTH.size :])
        rows, sums = zip(*value["batches"], strict=True) if value["batches"] else ((), ())
        return Trailer(rows, BatchChecksums(value["about"], sums))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _fault(index, f"damaged: what stands behind the index: {error!r}") from None


def _fault(path: str, what: str) -> SequenceFileError:
    """The error for a file that is not what it should be."""
    return SequenceFileError(f"{path}: {what}")
