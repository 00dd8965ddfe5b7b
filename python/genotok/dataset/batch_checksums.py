"""Checksums of record batches: made by the writers, compared when a batch is first touched.

A batch's checksum covers its rows in a form that no container changes (lengths, then contents; see
`genotok._native.batch_checksum`), what the file says about itself, and the batch's number. So altered ids,
names and places are found, batches that are missing, doubled or of another file, and altered metadata.

Where they stand: of Arrow files and streams in the metadata of each batch, with the number of batches in that
of the last, so that a stream cut between two batches is found; of Parquet in the footer, a row group each; of
Megatron's pair behind the index. A file without them is of an older version, or of another program.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok._native import batch_checksum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

__all__ = [
    "BATCH",
    "COUNT",
    "SCHEME",
    "BatchChecksums",
    "ChecksumWriter",
    "of_arrow",
    "of_parquet",
    "total_of",
]

SCHEME = "blake3"
"""What a file with checksums calls them."""

BATCH = b"genotok.checksum"
"""The key of a batch's checksum in its metadata."""

COUNT = b"genotok.batches"
"""The key of the number of batches, in the metadata of the last one."""


class ChecksumWriter:
    """Makes the checksums of a file that is being written.

    Args:
        about: What the file says about itself.

    Attributes:
        sums: Those of the batches so far.
    """

    def __init__(self, about: str) -> None:
        self.about = about
        self.sums: list[str] = []

    def add(self, batch: pa.RecordBatch) -> str:
        """The checksum of the next batch."""
        self.sums.append(batch_checksum(_plain(batch), self.about, len(self.sums)))
        return self.sums[-1]


@dataclass(frozen=True, slots=True)
class BatchChecksums:
    """The checksums in a file.

    Attributes:
        about: What the file says about itself.
        sums: A checksum for each batch.
    """

    about: str
    sums: tuple[str, ...]

    def check(self, batch: pa.RecordBatch, number: int) -> None:
        """ValueError if a batch is not what was written."""
        if batch_checksum(_plain(batch), self.about, number) != self.sums[number]:
            raise ValueError("its checksum differs; encode the input again, or restore the file from a copy")

    @property
    def total(self) -> str:
        """One checksum for all of them."""
        return total_of(self.sums)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The columns without names and metadata, in which an altered file may have any bytes."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, which those who write Arrow do without

    columns = [_plain_lists(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, [str(number) for number in range(len(columns))])


def _plain_lists(column: pa.Array) -> pa.Array:
    """A column; lists without the name of what is in them."""
    import pyarrow as pa  # noqa: PLC0415 - likewise

    if pa.types.is_list(column.type):
        return pa.ListArray.from_arrays(column.offsets, column.values)
    if pa.types.is_large_list(column.type):
        return pa.LargeListArray.from_arrays(column.offsets, column.values)
    return column


def total_of(sums: Sequence[str]) -> str:
    """One checksum for those of all batches of a file."""
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def of_arrow(about: str | None, batches: Sequence[Mapping[bytes, bytes] | None]) -> BatchChecksums | None:
    """The checksums in the metadata of an Arrow file's batches; None if `about` says that there are none.

    Raises:
        ValueError: One is missing, or batches are.
    """
    if about is None:
        return None
    sums = [_value(metadata, BATCH) for metadata in batches]
    if "" in sums:
        raise ValueError(
            f"record batch {sums.index('')}: has no checksum, where the file says that it has one"
        )
    count = _value(batches[-1], COUNT) if batches else ""
    if count != str(len(batches)):
        raise ValueError(
            f"it has {len(batches):,} record batches, and the last one was not written as the last: "
            "the file is cut short"
        )
    return BatchChecksums(about, tuple(sums))


def of_parquet(
    about: str | None, metadata: Mapping[bytes, bytes] | None, row_groups: int
) -> BatchChecksums | None:
    """The checksums in the footer of a Parquet file; None if `about` says that there are none.

    Raises:
        ValueError: There is not one for each row group.
    """
    if about is None:
        return None
    sums = tuple(_value(metadata, COUNT).split())
    if len(sums) != row_groups:
        raise ValueError(f"it has {row_groups:,} row groups and {len(sums):,} checksums of them")
    return BatchChecksums(about, sums)


def _value(metadata: Mapping[bytes, bytes] | None, key: bytes) -> str:
    """A value, empty if there is none."""
    if metadata is None or key not in metadata:
        return ""
    return metadata[key].decode("ascii", "replace")
