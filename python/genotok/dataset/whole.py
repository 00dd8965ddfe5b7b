"""Files that appear whole or not at all, and pipes, behind one face: what the writers write to.

A `WholeFile` has a temporary name in the folder of its final one. `commit` brings it to the disk, renames it
and brings the folder to the disk: killed anywhere, or out of space, there is the old file or the new one,
never a part of one. A checksum, if wanted, is taken of the bytes as they pass by.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from typing import BinaryIO, Protocol

__all__ = ["TEMPORARY_PREFIX", "TEMPORARY_SUFFIX", "Pipe", "Sink", "WholeFile", "sync_folder", "write_whole"]

TEMPORARY_PREFIX = ".genotok-"
TEMPORARY_SUFFIX = ".tmp"

Bytes = bytes | bytearray | memoryview


class Sink(Protocol):
    """What a writer needs of the place that it writes to; pyarrow takes it for a file."""

    closed: bool
    num_bytes: int

    def write(self, data: Bytes) -> int:
        """Append `data`; its length in bytes."""
        ...

    def flush(self) -> None:
        """Nothing: what was written counts once it is committed."""
        return

    def close(self) -> None:
        """Nothing: closing is left to `commit` and `discard`."""
        return

    def settle(self) -> None:
        """Bring what was written to where it is safe, not yet under its name."""
        return

    def commit(self) -> None:
        """What was written is all: deliver it."""
        ...

    def discard(self) -> None:
        """What was written is not wanted."""
        ...


class WholeFile(Sink):
    """A file in the making.

    Attributes:
        path: Its final name.
        num_bytes: Bytes written so far.
    """

    def __init__(self, path: str, *, checksum: bool = False) -> None:
        """Open a temporary file beside `path`, which is left as it is until `commit`."""
        self.path = path
        self.num_bytes = 0
        self.closed = False
        self._hash = hashlib.sha256() if checksum else None
        self._target = os.path.realpath(path)
        name = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        self._temporary = os.path.join(os.path.dirname(self._target), name)
        try:
            self._file = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise self._named(error) from None

    def write(self, data: Bytes) -> int:
        """Append `data`; after `discard`, which may happen in the middle of a writer's work, do nothing."""
        view = _bytes(data)
        if self.closed:
            return len(view)
        written = 0
        try:
            while written < len(view):
                written += os.write(self._file, view[written:])
        except OSError as error:
            raise self._named(error) from None
        if self._hash:
            self._hash.update(view)
        self.num_bytes += len(view)
        return len(view)

    @property
    def sha256(self) -> str:
        """The checksum of what was written, in hexadecimal digits."""
        if self._hash is None:
            raise ValueError("no checksum was asked for")
        return self._hash.hexdigest()

    def settle(self) -> None:
        """Bring the bytes to the disk, under the temporary name still."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._named(error) from None

    def commit(self) -> None:
        """Bring the file to the disk and give it its name."""
        self.settle()
        try:
            os.replace(self._temporary, self._target)
        except OSError as error:
            raise self._named(error) from None
        self.closed = True
        os.close(self._file)
        sync_folder(os.path.dirname(self._target))

    def discard(self) -> None:
        """Leave nothing behind; after `commit`, do nothing."""
        if not self.closed:
            self.closed = True
            os.close(self._file)
            with suppress(FileNotFoundError):
                os.remove(self._temporary)

    def _named(self, error: OSError) -> OSError:
        """`error` with the name that the user gave, not that of the temporary file."""
        return OSError(error.errno, error.strerror, self.path)


class Pipe(Sink):
    """A stream that takes what it gets, such as standard output."""

    def __init__(self, stream: BinaryIO) -> None:
        self.closed = False
        self.num_bytes = 0
        self._stream = stream

    def write(self, data: Bytes) -> int:
        """Append `data`."""
        view = _bytes(data)
        self._stream.write(view)
        self.num_bytes += len(view)
        return len(view)

    def commit(self) -> None:
        """Push on what is held back."""
        self._stream.flush()

    def discard(self) -> None:
        """What is out is out."""


def _bytes(data: Bytes) -> memoryview:
    """`data` byte by byte."""
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(b"")


def write_whole(path: str, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    file = WholeFile(path)
    try:
        file.write(data)
        file.commit()
    finally:
        file.discard()


def sync_folder(folder: str) -> None:
    """Bring names in `folder` to the disk; not every file system can, and none needs it to be whole."""
    with suppress(OSError):
        number = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
