"""Reading the files of a folder's portions, here one after the other, or each in some other process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from genotok.dataset.folder import encode_portion
from genotok.errors import GenotokWarning
from genotok.options import ReadOptions, RunOptions
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.dataset.job import EncodingJob, RowReader
    from genotok.dataset.manifest import Portion
    from genotok.options import RowOptions

__all__ = ["PortionReader", "RemoteEncoder", "RemoteJob"]


class PortionReader:
    """Opens readers, portion after portion, and makes their progress that of the whole run.

    Attributes:
        first: The first portion that was opened; those before it were there already.
    """

    def __init__(self, job: EncodingJob, tokenizer: Tokenizer, rows: RowOptions, run: RunOptions) -> None:
        self.first: int | None = None
        self._job, self._tokenizer, self._rows, self._run = job, tokenizer, rows, run
        self._before = 0
        self._bases_before = self._bases = 0
        # Bytes of the inputs before each portion from the first on, and of all; from the first event on.
        self._ends: list[int] = []
        self._is_known = False

    def open(self, paths: Sequence[str], before: int, *, sums: bool = True) -> RowReader:
        """A reader of the files of the portion that has so many portions before it.

        With `sums` its report has the digests of the records, and the checksums of the files.
        """
        if self.first is None:
            self.first = before
        self._before = before
        self._bases_before += self._bases
        self._bases = 0
        run = replace(self._run, progress=self._report if self._run.progress else None)
        is_all = len(paths) == len(self._job.inputs)
        read = ReadOptions(digests=sums, checksums=sums, need_bases=is_all)
        return self._tokenizer.encode_rows(paths, self._rows, read, run)

    def _report(self, event: dict[str, Any]) -> None:
        """Report the progress of the whole run, from that of a reader in its portion."""
        self._bases = event["bases"]
        if not self._ends:
            sizes = [_size(path) for path in self._job.inputs[self.first or 0 :]]
            self._is_known = None not in sizes
            self._ends = [0, *accumulate(size or 0 for size in sizes)]
        of_run = {
            "file_index": event["file_index"] + self._before,
            "files": len(self._job.inputs),
            "bytes": event["bytes"] + self._ends[self._before - (self.first or 0)],
            "bytes_total": self._ends[-1] if self._is_known else 0,
            "bases": event["bases"] + self._bases_before,
        }
        if self._run.progress:
            self._run.progress({**event, **of_run})


def _size(path: str) -> int | None:
    """The bytes of a file; None for what is not one."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else None
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """What another process needs to encode any portion of a folder; it can be pickled.

    Attributes:
        folder: The output folder, as that process sees it.
        job: What to encode.
        tokenizer: Its `tokenizer.json`.
        rows: What rows are, their BED files read.
        threads: Threads to use.
    """

    folder: str
    job: EncodingJob
    tokenizer: str
    rows: RowOptions
    threads: int | None

    def encode(self, index: int) -> Portion:
        """Encode one portion, atomically, over what an earlier try left of it."""
        tokenizer = Tokenizer.from_json(self.tokenizer)
        reader = PortionReader(self.job, tokenizer, self.rows, RunOptions(threads=self.threads))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GenotokWarning)  # the report says the same
            return encode_portion(self.folder, self.job, index, reader.open)


RemoteEncoder = Callable[["RemoteJob", range], "Iterator[Portion]"]
"""Encodes the portions of these numbers in other processes, and gives them in order."""
