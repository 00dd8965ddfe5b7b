"""Input files, as they were when they were encoded."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from genotok.dataset.manifest import InputEntry
from genotok.errors import SequenceFileError
from genotok.files.checksums import blake3

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["InputStates"]


class InputStates:
    """Notes the size and time of input files before they are read, and compares them afterwards.

    Their checksums are those of the bytes that were read. What is not a regular file has none: it may be
    without an end.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._before = {path: _look(path) for path in paths}

    def entries(self, checksums: Sequence[str | None]) -> tuple[InputEntry, ...]:
        """The inputs as they were read, given the BLAKE3 sums of their bytes.

        Raises:
            SequenceFileError: A file has changed meanwhile.
        """
        sums = dict(zip(self._paths, checksums, strict=True))
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
