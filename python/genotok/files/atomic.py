"""Atomic writes: after a crash there is the old file or the new one, never a part of one.

An `AtomicFile` is written under a temporary name in the folder of its final name. `commit` flushes it to the
disk (fsync), renames it, and flushes the folder. It can compute a checksum of the bytes as they are written.
Streams and devices, which cannot be renamed, have the same interface (`ByteSink`).

The work is done by `rust/src/io/atomic.rs`: a writer removes the leftovers of killed writers in its folder,
and on Linux the disk begins to write before the fsync waits for it.
"""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, Protocol

from genotok import _native

__all__ = [
    "STANDARD_OUTPUT",
    "TEMPORARY_PATTERN",
    "AtomicFile",
    "ByteSink",
    "OutputStream",
    "commit_together",
    "is_stream",
    "open_sink",
    "write_atomic",
]

TEMPORARY_PATTERN = r"\.genotok-[^/]*\.tmp"
"""A regular expression for the names of temporary files."""

STANDARD_OUTPUT = "-"

Bytes = bytes | bytearray | memoryview


class ByteSink(Protocol):
    """Where a writer's bytes go; pyarrow accepts it as a file."""

    closed: bool
    num_bytes: int

    def write(self, data: Bytes) -> int:
        """Append `data`; returns its length in bytes."""
        ...

    def flush(self) -> None:
        """Do nothing: the bytes count once they are committed."""
        return

    def close(self) -> None:
        """Do nothing: `commit` and `discard` close the sink."""
        return

    def sync(self) -> None:
        """Flush the bytes to the disk; the output does not have its name yet."""
        return

    def commit(self) -> None:
        """Finish the output."""
        ...

    def discard(self) -> None:
        """Drop an output that was not committed."""
        ...


class AtomicFile(ByteSink):
    """A file under its temporary name.

    Attributes:
        path: Its final name.
        num_bytes: Bytes written so far; by a native writer, from `sync` on.
        native: What native writers append to.
    """

    def __init__(self, path: str, *, checksum: bool = False, deferred: bool = False) -> None:
        """Create the temporary file in the folder of `path`, which stays as it is until `commit`.

        Args:
            path: The final name; a link is followed.
            checksum: Whether to compute the BLAKE3 sum of the bytes.
            deferred: Whether the caller removes leftovers in the folder, and calls `sync_files` before it
                relies on the file: for thousands of small files, each of which would wait for the disk.

        Raises:
            OSError: No file can be created there; names `path`, as all errors of this class do.
        """
        self.path = path
        self.num_bytes = 0
        self.closed = False
        self._checksum: str | None = None
        self.native = _native.AtomicFile(path, checksum=checksum, deferred=deferred)

    def write(self, data: Bytes) -> int:
        """Append `data`; do nothing after `discard`, which may come while a writer is still at work."""
        written = self.native.write(data if isinstance(data, bytes) else _bytes(data))
        self.num_bytes += written
        return written

    @property
    def checksum(self) -> str:
        """The BLAKE3 sum of the bytes, in hexadecimal digits, once `sync` or `commit` is done.

        Raises:
            ValueError: The file was opened without `checksum`, or is still being written.
        """
        if self._checksum is None:
            raise ValueError("no checksum was asked for, or the file is still being written")
        return self._checksum

    def sync(self) -> None:
        """Flush the bytes to the disk, still under the temporary name, unless that is deferred."""
        self.num_bytes, self._checksum = self.native.sync()

    def commit(self) -> None:
        """Flush the bytes to the disk and rename the file."""
        if self._checksum is None:
            self.sync()
        self.native.commit()
        self.closed = True

    def discard(self) -> None:
        """Remove the temporary file; do nothing after `commit`."""
        self.closed = True
        self.native.discard()


class OutputStream(ByteSink):
    """A stream, such as standard output: bytes are delivered as they are written."""

    def __init__(self, stream: BinaryIO, name: str = "standard output") -> None:
        self.closed = False
        self.num_bytes = 0
        self._stream = stream
        self._name = name

    def write(self, data: Bytes) -> int:
        """Append `data`."""
        view = _bytes(data)
        with self._errors_name_stream():
            self._stream.write(view)
        self.num_bytes += len(view)
        return len(view)

    def commit(self) -> None:
        """Flush the stream's buffer."""
        with self._errors_name_stream():
            self._stream.flush()

    def discard(self) -> None:
        """Do nothing: what was written is delivered."""

    @contextmanager
    def _errors_name_stream(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None


class OutputDevice(OutputStream):
    """A device or a FIFO, which is opened by its path and closed by `discard`."""

    def __init__(self, path: str) -> None:
        super().__init__(open(path, "wb"), path)  # noqa: SIM115

    def discard(self) -> None:
        """Close it. Bytes still in the buffer failed before, and that error was reported."""
        with suppress(OSError):
            self._stream.close()


def is_stream(path: str) -> bool:
    """Whether `path` is `-`, a device or a FIFO, none of which can be replaced."""
    if path == STANDARD_OUTPUT:
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def open_sink(path: str) -> ByteSink:
    """The sink for an output: a stream where `path` is one, else a file that is written atomically.

    Raises:
        OSError: It cannot be opened or created.
    """
    if path == STANDARD_OUTPUT:
        return OutputStream(sys.stdout.buffer)
    return OutputDevice(path) if is_stream(path) else AtomicFile(path)


def commit_together(sinks: Sequence[ByteSink]) -> None:
    """Finish outputs that belong together; if one fails, all are as they were before.

    After a kill, nothing has changed, or the next writer in the folder completes them; until then readers,
    which start with the last file, find none. Files opened with `deferred` get their names one by one.

    Raises:
        OSError: One cannot be finished.
    """
    files = [sink for sink in sinks if isinstance(sink, AtomicFile)]
    if len(files) < max(2, len(sinks)):
        for sink in sinks:
            sink.commit()
        return
    _native.commit_together([file.native for file in files])
    for file in files:
        file.closed = True


def _bytes(data: Bytes) -> memoryview:
    """A view of the bytes of `data`."""
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(b"")


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to the file `path` atomically, or to a stream as it is.

    Raises:
        OSError: It cannot be written; a file that was there is as it was.
    """
    sink = open_sink(os.fspath(path))
    try:
        sink.write(data)
        sink.commit()
    finally:
        sink.discard()
