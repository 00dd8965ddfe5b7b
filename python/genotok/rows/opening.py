"""Inputs as files that can be opened repeatedly, with any compression; including standard input.

The first bytes of standard input tell its format. A table is copied to a temporary file, so that it can be
read twice; sequences are passed to the native reader, which reads standard input itself.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import tempfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from genotok.errors import SequenceFileError
from genotok.files.paths import STANDARD_INPUT
from genotok.files.reading import open_reading
from genotok.rows.formats import COMPRESSED, HEAD_BYTES, compression_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["InputFile", "head_of", "is_repeatable", "put_back"]

OPENERS: dict[str, Callable[[str], Any]] = {
    "": open_reading,
    "gzip": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "zstd": lambda path: pa.input_stream(path, compression="zstd"),
}
OF_ARROW = pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowKeyError
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError, *OF_ARROW)
"""Errors that damaged files raise, besides an OSError without a file name."""

COPIED = 1 << 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that can be opened repeatedly.

    Attributes:
        path: Its name in messages.
        place: Its path; that of a temporary copy, if it has one.
        compression: Its compression, "" for none.
        held: Keeps the temporary copy alive.
    """

    path: str
    place: str
    compression: str
    held: Any = None

    @classmethod
    def of(cls, path: str, head: bytes) -> InputFile:
        """The file at `path` with the first bytes `head`; a pipe is copied to a temporary file.

        Raises:
            OSError: It cannot be read or copied.
        """
        if is_repeatable(path):
            return cls(path, path, compression_of(head))
        copy = _temporary()
        is_stdin = path == STANDARD_INPUT
        if is_stdin and not _is_regular(0):
            copy.write(head)
        with open(0 if is_stdin else path, "rb", buffering=0, closefd=not is_stdin) as source:
            shutil.copyfileobj(source, copy, COPIED)
        copy.flush()
        with open_reading(copy.name) as file:
            head = file.read(HEAD_BYTES)
        return cls("standard input" if is_stdin else path, copy.name, compression_of(head), copy)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The decompressed content, as a stream of bytes.

        Raises:
            SequenceFileError: It is damaged, or not text where text is read.
            OSError: It cannot be read.
        """
        with self.guarded(), OPENERS[self.compression](self.place) as file:
            yield file

    @contextmanager
    def text(self) -> Iterator[IO[str]]:
        """The decompressed content, as UTF-8 text without a byte order mark."""
        with self.opened() as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            yield text

    @contextmanager
    def seekable(self) -> Iterator[Any]:
        """The decompressed content, for readers that seek: the path, or a temporary file."""
        if not self.compression:
            with self.guarded():
                yield self.place
            return
        with _temporary() as copy:
            with self.opened() as file:
                shutil.copyfileobj(file, copy, COPIED)
            copy.flush()
            with self.guarded():
                yield copy.name

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Report errors of damaged data with the name of the file."""
        try:
            yield
        except (*DAMAGE, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SequenceFileError(f"{self.path}: damaged, or not what its name says ({reason})") from None


def head_of(path: str) -> bytes:
    """The first bytes of a file; those of a pipe on standard input go to `put_back` or `InputFile.of`.

    A device or FIFO with a name is not read: its format is unknown.

    Raises:
        OSError: It cannot be read.
    """
    if path == STANDARD_INPUT:
        return os.pread(0, HEAD_BYTES, os.lseek(0, 0, os.SEEK_CUR)) if _is_regular(0) else _head_of_pipe()
    if not _is_regular(path):
        return b""
    with open_reading(path) as file:
        head = file.read(1 << 12)
        return head + file.read(HEAD_BYTES - len(head)) if compression_of(head) == "zstd" else head


def put_back(head: bytes) -> None:
    """Put the bytes that `head_of` read from a pipe back in front of the rest of standard input."""
    if _is_regular(0):
        return
    source = os.dup(0)
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    os.close(reader)
    Thread(target=_carry, args=(head, source, writer), daemon=True).start()


def _carry(head: bytes, source: int, writer: int) -> None:
    """Write `head`, then copy `source`."""
    with (
        suppress(OSError),
        open(writer, "wb", buffering=0) as target,
        open(source, "rb", buffering=0) as rest,
    ):
        data: bytes | None = head
        while data:
            view = memoryview(data)
            while view:
                view = view[target.write(view) :]
            data = rest.read(COPIED)


def is_repeatable(path: str) -> bool:
    """Whether an input can be read twice: a file, neither a pipe nor a device."""
    return path != STANDARD_INPUT and _is_regular(path)


def _is_regular(path: str | int) -> bool:
    return stat.S_ISREG(os.stat(path).st_mode)


def _head_of_pipe() -> bytes:
    """The first bytes of a pipe: a complete line, or enough to decompress one."""
    head = b""
    while len(head) < HEAD_BYTES:
        data = os.read(0, HEAD_BYTES - len(head))
        head += data
        is_packed = any(start.startswith(head) for start in COMPRESSED) or compression_of(head)
        if not data or (not is_packed and b"\n" in unpacked(head).lstrip(b"\xef\xbb\xbf\r\n\t ")):
            break
    return head


def _temporary() -> Any:  # noqa: ANN401 - a class that tempfile keeps for itself
    return tempfile.NamedTemporaryFile(prefix="genotok-", suffix=".tmp")
