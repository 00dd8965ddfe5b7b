"""JSON objects in files that anybody may have written: read strictly, in bounded memory."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any, NoReturn

from genotok.errors import ArgumentError
from genotok.files.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parse_object", "printable", "read_object"]

MAX_BYTES = 1 << 24


def read_object(file: Path, what: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The object in a file of JSON.

    Refused are a pipe or a device, which would block the reader, a file of more than `max_bytes`, keys that
    occur twice, NaN and infinity, and endless nesting.

    Args:
        file: The file.
        what: What it is expected to be, for the message of a missing one.
        max_bytes: The largest size.

    Raises:
        ArgumentError: The file holds something else.
        OSError: It does not exist, or cannot be read.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"no such file; {what} is expected", os.fspath(file)) from None
    if not stat.S_ISREG(found.st_mode):
        raise ArgumentError(f"{file}: is no regular file; {what} is expected")
    if found.st_size > max_bytes:
        raise ArgumentError(f"{file}: has {found.st_size:,} bytes; at most {max_bytes:,} are expected")
    try:
        return parse_object(read_bytes(file))
    except ValueError as error:
        raise ArgumentError(f"{file}: {error}; a JSON object is expected") from None


def parse_object(content: bytes) -> dict[str, Any]:
    """The object that a text in JSON and UTF-8 holds.

    Raises:
        ValueError: The text holds something else; the message says why in one line.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError((str(error).splitlines() or ["no JSON"])[0][:200]) from None
    if not isinstance(value, dict):
        raise ValueError(f"holds a {type(value).__name__}")  # noqa: TRY004  of content, not of an argument
    return value


def printable(text: str) -> str:
    """`text` with what is not printable written out: no line end, no control character, no lone surrogate."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} is there twice")
        found[key] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
