"""Atomic writes to files, and pipes, behind one face: what the writers write to.

A `WholeFile` has a temporary name in the folder of its final one. `commit` brings it to the disk, renames it
and brings the folder to the disk: killed anywhere, or out of space, there is the old file or the new one,
never a part of one. A checksum, if wanted, is taken of the bytes as they pass by.

Names and locks of temporary files are those of `rust/src/io/atomic.rs`: the first writer in a folder removes
what killed writers left there, in Rust or here.
"""

import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Protocol

from genotok import _native

__all__ = [
    "STANDARD_OUTPUT",
    "TEMPORARY",
    "Pipe",
    "Sink",
    "WholeFile",
    "is_stream",
    "open_sink",
    "sync_folder",
    "write_whole",
]

TEMPORARY = r"\.genotok-[^/]*\.tmp"
"""A pattern of the names of temporary files."""

STANDARD_OUTPUT = "-"

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
        folder = os.path.dirname(self._target)
        _native.sweep(folder)
        try:
            self._temporary, self._file = _temporary_in(folder)
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
    """A stream that takes what it gets, such as standard output, or a device."""

    def __init__(self, stream: BinaryIO, name: str = "standard output") -> None:
        self.closed = False
        self.num_bytes = 0
        self._stream = stream
        self._name = name

    def write(self, data: Bytes) -> int:
        """Append `data`."""
        view = _bytes(data)
        with self._named():
            self._stream.write(view)
        self.num_bytes += len(view)
        return len(view)

    def commit(self) -> None:
        """Push on what is held back."""
        with self._named():
            self._stream.flush()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors of the stream say what it is."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None

    def discard(self) -> None:
        """What is out is out."""


class Device(Pipe):
    """A device or a FIFO with a name, which is closed in the end."""

    def __init__(self, path: str) -> None:
        super().__init__(open(path, "wb"), path)  # noqa: SIM115

    def discard(self) -> None:
        """What is out is out; what is held back has failed, and was told of."""
        with suppress(OSError):
            self._stream.close()


def is_stream(path: str) -> bool:
    """Whether `path` takes what it gets, and keeps nothing to be replaced: `-`, a device or a FIFO."""
    if path == STANDARD_OUTPUT:
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def open_sink(path: str) -> Sink:
    """Where what belongs to `path` is written to: a stream, or a file that is written atomically."""
    if path == STANDARD_OUTPUT:
        return Pipe(sys.stdout.buffer)
    return Device(path) if is_stream(path) else WholeFile(path)


def _temporary_in(folder: str) -> tuple[str, int]:
    """The path of a new temporary file, and the file, open and locked as long as it is open."""
    while True:
        path = os.path.join(folder, _native.temporary_name())
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            return path, file  # a file system without locks, where nobody sweeps
        # Between its making and its lock a sweeper may have taken it for a leftover.
        if os.fstat(file).st_nlink:
            return path, file
        os.close(file)


def _bytes(data: Bytes) -> memoryview:
    """`data` byte by byte."""
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(b"")


def write_whole(path: str, data: bytes) -> None:
    """Write `data` to `path` atomically; to a stream as it is."""
    file = open_sink(path)
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
