"""Small files of JSON that others wrote: read strictly, in bounded memory."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError

__all__ = ["read_object"]

MAX_BYTES = 1 << 24


def read_object(file: Path, what: str) -> dict[str, Any]:
    """The object in a file of JSON.

    Refused are a pipe or a device, which would make a reader wait, a file of more than 16 MiB, keys that are
    there twice, NaN and infinity, and anything nested without end.

    Args:
        file: The file.
        what: What it is expected to be, for the message of a missing one.

    Raises:
        ArgumentError: The file holds something else.
        OSError: It is not there, or cannot be read.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"no such file; {what} is expected", os.fspath(file)) from None
    if not stat.S_ISREG(found.st_mode):
        raise ArgumentError(f"{file}: is no regular file; {what} is expected")
    if found.st_size > MAX_BYTES:
        raise ArgumentError(f"{file}: has {found.st_size:,} bytes; at most {MAX_BYTES:,} are expected")
    try:
        value = json.loads(
            file.read_bytes().decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_number
        )
    except RecursionError:
        raise ArgumentError(f"{file}: is nested too deeply; a plain JSON object is expected") from None
    except ValueError as error:
        reason = (str(error).splitlines() or ["no JSON"])[0][:200]
        raise ArgumentError(f"{file}: {reason}; a JSON object is expected") from None
    if not isinstance(value, dict):
        raise ArgumentError(f"{file}: a JSON object is expected")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} is there twice")
        found[key] = value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
