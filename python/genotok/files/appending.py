"""Files that grow record by record, such as the journal of a run: what was appended is on the disk."""

from __future__ import annotations

import os
from typing import Self

from genotok.files.reading import errors_name

__all__ = ["AppendFile"]


class AppendFile:
    """A file that is appended to; a killed writer leaves at most a part of the last record.

    Readers therefore skip a last line without its line end.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, or create it.

        Raises:
            OSError: It cannot be opened.
        """
        self.path = os.fspath(path)
        self._file = open(path, "a+b")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def append(self, record: str, *, deferred: bool = False) -> None:
        """Append a record in UTF-8 and flush it to the disk, or, `deferred`, leave that to `sync`."""
        with errors_name(self.path):
            self._file.write(record.encode())
            self._file.flush()
        if not deferred:
            self.sync()

    def sync(self) -> None:
        """Flush what was appended to the disk."""
        with errors_name(self.path):
            os.fsync(self._file.fileno())

    def read(self) -> bytes:
        """Everything in the file."""
        with errors_name(self.path):
            self._file.seek(0)
            return self._file.read()

    def truncate(self, size: int) -> None:
        """Keep the first `size` bytes."""
        with errors_name(self.path):
            self._file.truncate(size)

    def close(self) -> None:
        """Close the file."""
        with errors_name(self.path):
            self._file.close()
