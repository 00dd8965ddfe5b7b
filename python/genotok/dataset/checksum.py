"""Checksums of input files, while they are being encoded."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Self

from genotok import _native
from genotok.dataset.manifest import InputEntry
from genotok.errors import SequenceFileError
from genotok.files.checksums import blake3

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Checksum"]


class Checksum:
    """Takes the checksums of input files in a thread of its own, for the time of a `with` block.

    A file is read twice then, by two readers. That both read the same is known from its size and time, which
    must not change from the begin to `entries`. What is not a regular file has no checksum: it can be read
    only once.
    """

    def __init__(self, paths: list[str]) -> None:
        self._before = {path: _look(path) for path in paths}
        self._regular = [path for path, state in self._before.items() if state is not None]
        self._sums: _native.FileChecksums | None = None

    def __enter__(self) -> Self:
        self._sums = _native.FileChecksums(self._regular)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sums is not None:
            self._sums.stop()

    def entries(self) -> tuple[InputEntry, ...]:
        """The inputs as they were read.

        Raises:
            SequenceFileError: A file has changed meanwhile.
            OSError: A file cannot be read.
        """
        found = self._sums.wait() if self._sums is not None else []
        sums = dict(zip(self._regular, found, strict=True))
        for path, state in self._before.items():
            if state is not None and _look(path) != state:
                raise SequenceFileError(
                    f"{path}: was changed while it was read; run again once it is complete"
                )
        return tuple(
            InputEntry(path, state[0], blake3(sums[path])) if state else InputEntry(path, None, None)
            for path, state in self._before.items()
        )


def _look(path: str) -> tuple[int, int, int] | None:
    """Size, time of change and identity of a regular file; None for anything else."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None
