"""Reading the files of a folder's portions, here one after the other, or each in some other process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypedDict

from genotok.dataset.folder import encode_portion
from genotok.errors import GenotokWarning
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.dataset.manifest import Portion
    from genotok.dataset.plan import Plan, Reader
    from genotok.files.paths import Beds
    from genotok.tokenizer.encoder import Progress, Unknown

__all__ = ["Elsewhere", "PortionWork", "Reading", "RowOptions"]


class RowOptions(TypedDict, total=False):
    """What rows are, and what becomes of their letters: as `Tokenizer.encode_files` takes it."""

    window: int | None
    stride: int | None
    region: str | Sequence[str] | None
    bed: Beds | None
    bed_blocks: bool
    bed_order: bool
    reverse_complement: bool
    unknown: Unknown
    uppercase: bool
    add_special_tokens: bool
    allow_unknown: float


class Reading:
    """Opens readers, portion after portion, and makes their progress that of the whole run.

    Attributes:
        first: The first portion that was opened; those before it were there already.
    """

    def __init__(
        self,
        plan: Plan,
        tokenizer: Tokenizer,
        threads: int | None,
        progress: Progress | None,
        rows: RowOptions,
    ) -> None:
        self.first: int | None = None
        self._plan, self._tokenizer, self._threads, self._rows = plan, tokenizer, threads, rows
        self._progress = progress
        self._before = 0
        self._bases_before = self._bases = 0
        # Bytes of the inputs before each portion from the first on, and of all, once somebody listens.
        self._ends: list[int] = []
        self._is_known = False

    def open(self, paths: Sequence[str], before: int, *, digests: bool = True) -> Reader:
        """A reader of the files of the portion that has so many portions before it."""
        if self.first is None:
            self.first = before
        self._before = before
        self._bases_before += self._bases
        self._bases = 0
        reader: Reader = self._tokenizer.encode_files(
            paths,
            threads=self._threads,
            progress=self._hear if self._progress else None,
            digests=digests,
            need_bases=len(paths) == len(self._plan.inputs),
            **self._rows,
        )
        return reader

    def _hear(self, event: dict[str, Any]) -> None:
        """Tell of the whole run what a reader tells of its portion."""
        self._bases = event["bases"]
        if not self._ends:
            sizes = [_size(path) for path in self._plan.inputs[self.first or 0 :]]
            self._is_known = None not in sizes
            self._ends = [0, *accumulate(size or 0 for size in sizes)]
        told = {
            "file_index": event["file_index"] + self._before,
            "files": len(self._plan.inputs),
            "bytes": event["bytes"] + self._ends[self._before - (self.first or 0)],
            "bytes_total": self._ends[-1] if self._is_known else 0,
            "bases": event["bases"] + self._bases_before,
        }
        if self._progress:
            self._progress({**event, **told})


def _size(path: str) -> int | None:
    """The bytes of a file; None for what is not one."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else None
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class PortionWork:
    """What another process needs to encode any portion of a folder; it can be pickled.

    Attributes:
        folder: Where to, as that process sees it.
        plan: What to do.
        tokenizer: Its `tokenizer.json`.
        threads: Threads to use.
        rows: What rows are.
    """

    folder: str
    plan: Plan
    tokenizer: str
    threads: int | None
    rows: RowOptions

    def encode(self, index: int) -> Portion:
        """Encode one portion, whole or over what an earlier try left of it."""
        reading = Reading(self.plan, Tokenizer.from_json(self.tokenizer), self.threads, None, self.rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GenotokWarning)  # what it would tell is in the report
            return encode_portion(self.folder, self.plan, index, reading.open)


Elsewhere = Callable[["PortionWork", range], "Iterator[Portion]"]
"""Encodes portions of these numbers in other processes, and gives them in order."""
