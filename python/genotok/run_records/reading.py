"""Records from files that anybody may have written: bounded, cleaned, in the form of today."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError
from genotok.files.documents import parse_object, printable, read_object
from genotok.files.reading import open_reading
from genotok.run_records.version_1 import current, renamed

__all__ = ["MAX_FILE", "read_lines", "read_record", "read_settings"]

MAX_FILE = 1 << 26
"""Records have some kilobytes; a file of more bytes is none."""


def read_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The record in a file, in the form of today; an object of another kind as it is.

    Strings, keys too, have their control characters written out.

    Raises:
        ArgumentError: The file is damaged, too large or no JSON object.
        OSError: It cannot be read.
    """
    return current(read_settings(path))


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The object in a file of JSON, such as the settings of a run, as it is but for control characters.

    Raises:
        ArgumentError: The file is damaged, too large or no JSON object.
        OSError: It cannot be read.
    """
    try:
        found: dict[str, Any] = _cleaned(read_object(Path(path), "a record", max_bytes=MAX_FILE))
    except RecursionError:
        raise ArgumentError(f"{os.fspath(path)}: is nested too deeply, so not a record") from None
    except ArgumentError as error:
        raise ArgumentError(
            f"{error}; not a record, or a damaged one; genotok info says what it is"
        ) from None
    return found


def read_lines(path: str | os.PathLike[str]) -> tuple[list[dict[str, Any]], int]:
    """The objects in the lines of a log, and the number of lines that are none.

    A run that is killed may leave its last line cut short.

    Raises:
        ArgumentError: The file is too large.
        OSError: It cannot be read.
    """
    found: list[dict[str, Any]] = []
    damaged = 0
    with open_reading(path) as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ArgumentError(f"{os.fspath(path)}: larger than {MAX_FILE:,} bytes, so no log")
    for line in content.splitlines():
        try:
            found.append(renamed(_cleaned(parse_object(line))))
        except (ValueError, RecursionError):
            damaged += 1
    return found, damaged


def _cleaned(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value with control characters of all its strings, keys too, written out."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {printable(key): _cleaned(one) for key, one in value.items()}
    return value
