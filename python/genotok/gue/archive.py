"""The members of a zip or tar archive, in bounded size and without writing a path that the archive names."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from genotok.errors import ArgumentError
from genotok.files.reading import open_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_FILE", "faults_named", "is_address", "local", "members"]

MAX_FILE = 1 << 30
"""Bytes of an extracted file, at most; the largest of GUE has some hundred megabytes."""
MAX_ARCHIVE = 1 << 33
"""Bytes of an archive, at most."""
MAX_MEMBERS = 100_000
TIMEOUT = 60.0
"""Seconds without an answer."""
PIECE = 1 << 20
PAGE = 512
"""Bytes in which a web page says that it is one."""

FAULTS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)


def is_address(source: str) -> bool:
    """Whether a source is an address and no path."""
    return source.lower().startswith(("http://", "https://"))


@contextmanager
def local(source: str) -> Iterator[str]:
    """The path of an archive; one at an address is copied to a temporary file.

    Raises:
        ArgumentError: It is larger than `MAX_ARCHIVE`.
        OSError: It cannot be read.
    """
    if not is_address(source):
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="genotok-") as copy:
        try:
            with urlopen(source, timeout=TIMEOUT) as answer:  # noqa: S310  http or https
                copied(answer, copy, MAX_ARCHIVE, source)
        except ArgumentError:
            raise
        except (URLError, HTTPException, ValueError, TimeoutError) as error:
            why = getattr(error, "reason", None) or error
            why = getattr(why, "strerror", None) or why or type(error).__name__
            raise OSError(f"{source}: {why}; give the path of an archive on disk") from None
        copy.flush()
        yield copy.name


def copied(source: IO[bytes], target: IO[bytes], limit: int, name: str) -> int:
    """Copy a stream of at most `limit` bytes; returns their number.

    Raises:
        ArgumentError: There are more.
    """
    total = 0
    while piece := source.read(PIECE):
        total += len(piece)
        if total > limit:
            raise ArgumentError(f"{name}: more than {limit:,} bytes; not an archive of GUE")
        target.write(piece)
    return total


@contextmanager
def faults_named(source: str) -> Iterator[None]:
    """Faults of an archive as errors that name it.

    Raises:
        ArgumentError: It is no archive, damaged, or encrypted.
    """
    try:
        yield
    except FAULTS as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise ArgumentError(f"{source}: cannot be unpacked, download it again: {what}") from None


def members(path: str, source: str) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """The regular files of an archive: the name of each, and its contents while it is the current one.

    Links, devices and folders are left out. Use it, and read the contents, within `faults_named`.

    Args:
        path: The archive.
        source: Its name in errors.

    Raises:
        ArgumentError: It is no archive, or has more than `MAX_MEMBERS` members.
        OSError: It cannot be read.
    """
    if zipfile.is_zipfile(path):
        yield from _zip(path, source)
        return
    with open_reading(path) as file:
        start = file.read(PAGE)
    if start.startswith(b"PK"):
        raise zipfile.BadZipFile("the end of the zip archive is missing")
    if not tarfile.is_tarfile(path):
        is_page = start.lstrip().lower().startswith((b"<!doctype html", b"<html"))
        what = "a web page, such as one that leads to the archive" if is_page else "no zip or tar archive"
        raise ArgumentError(f"{source}: is {what}; the archive itself is expected")
    yield from _tar(path, source)


def _zip(path: str, source: str) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        found = archive.infolist()
        _check_number(source, len(found))
        for one in found:
            mode = one.external_attr >> 16
            if not one.is_dir() and (mode & 0o170000) in {0, 0o100000}:
                with archive.open(one) as content:
                    yield PurePosixPath(one.filename), content


def _tar(path: str, source: str) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with tarfile.open(path, "r:*") as archive:
        for number, one in enumerate(archive):
            _check_number(source, number)
            content = archive.extractfile(one) if one.isreg() else None
            if content is not None:
                yield PurePosixPath(one.name), content


def _check_number(source: str, number: int) -> None:
    if number > MAX_MEMBERS:
        raise ArgumentError(f"{source}: more than {MAX_MEMBERS:,} members; not an archive of GUE")
