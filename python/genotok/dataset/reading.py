"""A data set of encoded sequences: a folder of shards, or one file, as rows by number."""

from __future__ import annotations

import bisect
import os
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import pyarrow as pa

from genotok.dataset.batches import PaddedRows
from genotok.dataset.columns import BED_COLUMNS, Ids, ids_of, is_of_bed, offsets_of, view_of
from genotok.dataset.manifest import JOURNAL, MANIFEST, Manifest
from genotok.dataset.shards import TokenShard, open_shard
from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.checksums import digits_of
from genotok.tokenizer.selection import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self, SupportsIndex

    from numpy.typing import ArrayLike, NDArray

    from genotok.tokenizer.padding import Side

    RowNumbers = range | NDArray[np.int64]

__all__ = ["BedRow", "Row", "TokenDataset"]


class Row(NamedTuple):
    """A row: the ids of the bases `start..end` of a record. Megatron's files know the ids only."""

    record: str
    start: int
    end: int
    ids: Ids


class BedRow(NamedTuple):
    """A row that a BED file chose.

    Attributes:
        bed_row: The number of its line among those with a region, from 0, through all BED files; -1 if it was
            chosen by a region beside them.
        name: Column 4 of that line.
        strand: The strand that was read, `+` or `-`.
    """

    record: str
    start: int
    end: int
    ids: Ids
    bed_row: int
    name: str
    strand: str


class TokenDataset:
    """Rows of token ids on disk, by number, in the order in which they were encoded.

    Shards are opened when they are first needed and stay open; of Arrow and Megatron files a row is a view of
    the mapped file, read-only, without a copy. A record batch is compared with its checksum when one of its
    rows is first needed, so that an altered file is an error and never other ids; files of older versions
    have no checksums, and are checked for what can be. It may be pickled: another process opens the files
    anew.

    `data[10:20]`, `data[[3, 1]]` and `data[mask]` are data sets of these rows, in this order, of the same
    files: nothing is read for them. A `torch.utils.data.DataLoader` takes it as it is; `Collate` makes
    batches of its rows, and `padded` gives rows of one length, which torch's own collate stacks.

    Attributes:
        path: The folder, or the file.
        manifest: What is in the folder; None for a single file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a folder of shards or one file of encoded sequences.

        Raises:
            ArgumentError: The folder holds an unfinished run.
            SequenceFileError: The manifest or the file is not what it should be.
            OSError: It cannot be read.
        """
        self.path = os.fspath(path)
        self.manifest: Manifest | None = None
        self._open: dict[int, TokenShard] = {}
        self._rows: RowNumbers | None = None
        if os.path.isdir(self.path):
            self.manifest = _manifest(self.path)
            self._format: str | None = self.manifest.head.format
            entries = self.manifest.shards
            self._paths = [os.path.join(self.path, entry.files[0].name) for entry in entries]
            self._ends = list(accumulate(entry.rows for entry in entries))
            self._checksums = [entry.checksum for entry in entries]
        else:
            self._format = None
            self._paths = [self.path]
            self._open[0] = open_shard(self.path)
            self._ends = [len(self._open[0])]
        self._batch_ends: dict[int, list[int]] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """What is said of how it was made, as far as it is: `vocab_size`, `tokenizer_sha256`, `options`."""
        if self.manifest is None:
            return self._shard(0).facts
        head = self.manifest.head
        return {
            "genotok": head.genotok,
            "tokenizer_sha256": digits_of(head.tokenizer.checksum),
            "vocab_size": head.vocab_size,
            "options": head.options,
        }

    def __len__(self) -> int:
        return self._num_rows if self._rows is None else len(self._rows)

    @property
    def _num_rows(self) -> int:
        """The rows of all files."""
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> Ids: ...
    @overload
    def __getitem__(self, index: slice | ArrayLike) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice | ArrayLike) -> Ids | Self:
        """The ids of a row; of a slice, of numbers or of a mask, a data set of these rows."""
        rows = rows_of(index, len(self), "rows")
        if isinstance(rows, int):
            batch, row = self._find(rows)
            return _ids(batch, row)
        part = object.__new__(type(self))
        part.__dict__.update(self.__dict__)
        part._rows = self._among(rows)
        return part

    def __getitems__(self, indices: Sequence[int]) -> list[Ids]:
        """The ids of many rows: of each file in order, so that what is packed is unpacked once for all."""
        rows = rows_of(list(indices), len(self), "rows")
        places = np.asarray(self._among(rows))
        found: dict[int, Ids] = {}
        for at in np.argsort(places, kind="stable").tolist():
            batch, row = self._at(int(places[at]))
            found[at] = _ids(batch, row)
        return [found[at] for at in range(len(found))]

    def __iter__(self) -> Iterator[Ids]:
        for batch in self.batches():
            ids, offsets = ids_of(batch), offsets_of(batch).tolist()
            for start, end in pairwise(offsets):
                yield ids[start:end]

    def padded(self, value: int, length: int, *, side: Side = "right", truncate: bool = False) -> PaddedRows:
        """The rows filled up to `length` tokens, as dictionaries that torch's own collate stacks.

        Args:
            value: The id to fill up with: the tokenizer's `pad_token_id`.
            length: Tokens of each row; a longer one is an error when it is asked for.
            side: Fill up on the right or on the left.
            truncate: Keep only the first `length` ids of longer rows.
        """
        return PaddedRows(self, value, length, side=side, truncate=truncate)

    def row(self, index: int) -> Row | BedRow:
        """A row with its place; of rows that BED files chose, with what these say of it."""
        batch, row = self._find(index)
        if batch.num_columns == 1:
            return Row("", 0, 0, _ids(batch, row))
        name, start, end = (batch.column(number)[row].as_py() for number in range(3))
        if is_of_bed(batch):
            said = (batch.column(column)[row].as_py() for column in BED_COLUMNS)
            return BedRow(name, start, end, _ids(batch, row), *said)
        return Row(name, start, end, _ids(batch, row))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows as pyarrow record batches, in order; of a part, one for each run of rows in a batch."""
        if self._rows is None:
            for number in range(len(self._paths)):
                yield from self._shard(number).batches()
            return
        rows, start = self._rows, 0
        while start < len(rows):
            batch, first = self._at(int(rows[start]))
            before, end = int(rows[start]) - first, start
            while end < len(rows) and 0 <= rows[end] - before < batch.num_rows:
                end += 1
            if isinstance(rows, range) and rows.step == 1:
                yield batch.slice(first, end - start)
            else:
                yield batch.take(pa.array(np.asarray(rows[start:end]) - before))
            start = end

    def _among(self, rows: RowNumbers) -> RowNumbers:
        """The rows of the files that rows of this part are."""
        own = self._rows
        if isinstance(own, range) and isinstance(rows, range):
            return range(
                own.start + rows.start * own.step, own.start + rows.stop * own.step, own.step * rows.step
            )
        if isinstance(own, range):
            return own.start + own.step * np.asarray(rows, np.int64)
        return rows if own is None else own[np.asarray(rows, np.int64)]

    def _shard(self, number: int) -> TokenShard:
        """A shard, opened."""
        shard = self._open.get(number)
        if shard is None:
            shard = open_shard(self._paths[number], self._format)
            expected = self._ends[number] - (self._ends[number - 1] if number else 0)
            if len(shard) != expected:
                raise SequenceFileError(
                    f"{shard.path}: {len(shard):,} rows, where the manifest says {expected:,}"
                )
            if self._checksums[number] != (shard.checksums and shard.checksums.total):
                raise SequenceFileError(f"{shard.path}: is not the file that the manifest tells of")
            self._open[number] = shard
        return shard

    def _find(self, index: int) -> tuple[pa.RecordBatch, int]:
        """The record batch that a row is in, and its number there."""
        row = rows_of(index, len(self), "rows")
        return self._at(row if self._rows is None else int(self._rows[row]))

    def _at(self, place: int) -> tuple[pa.RecordBatch, int]:
        """The record batch that a row of all files is in, and its number there."""
        number = bisect.bisect_right(self._ends, place)
        place -= self._ends[number - 1] if number else 0
        shard = self._shard(number)
        ends = self._batch_ends.get(number)
        if ends is None:
            ends = self._batch_ends[number] = list(accumulate(shard.batch_rows))
        at = bisect.bisect_right(ends, place)
        return shard.batch(at), place - (ends[at - 1] if at else 0)

    def __reduce__(self) -> tuple[type[TokenDataset], tuple[str], dict[str, Any]]:
        return type(self), (self.path,), {"_rows": self._rows}

    def __repr__(self) -> str:
        return f"<genotok.dataset.TokenDataset: {self.path}, {len(self):,} rows>"


def _manifest(folder: str) -> Manifest:
    """The manifest of a folder that is complete."""
    path = os.path.join(folder, MANIFEST)
    if not os.path.exists(path) and os.path.exists(os.path.join(folder, JOURNAL)):
        raise ArgumentError(f"{folder}: holds an unfinished run; resume it by genotok encode --resume")
    return Manifest.read(path)


def _ids(batch: pa.RecordBatch, row: int) -> Ids:
    """The ids of one row of a record batch, as a view."""
    return view_of(batch.column("input_ids")[row].values)
