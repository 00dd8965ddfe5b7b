"""Errors of the system that name the file, also those of reading, writing and flushing.

Python puts a name into the errors of calls that take a name, such as `open`. That of `read`, on a damaged
disk or a network file system, would not tell which file it is.
"""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

__all__ = ["errors_name", "open_reading", "read_bytes"]

Name = str | os.PathLike[str]


@contextmanager
def errors_name(path: Name) -> Iterator[None]:
    """Within the `with` statement an `OSError` without a name gets that of `path`.

    Raises:
        OSError: As the statement does.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


class _NamedFile(io.FileIO):
    """A file that is read, whose errors name it."""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with errors_name(str(self.name)):
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with errors_name(str(self.name)):
            return super().readall()


def open_reading(path: Name) -> io.BufferedReader:
    """Open a file to read its bytes.

    Raises:
        OSError: It cannot be opened; names it, as do errors of reading.
    """
    return io.BufferedReader(_NamedFile(os.fspath(path)))


def read_bytes(path: Name) -> bytes:
    """All bytes of a file.

    Raises:
        OSError: It cannot be read; names it.
    """
    with open_reading(path) as file:
        return file.read()
