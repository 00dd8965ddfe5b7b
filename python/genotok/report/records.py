"""From files to records: found, read, checked, and cleaned of what no page should hold."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LARGEST_FILE", "Found", "read_records"]

LARGEST_FILE = 1 << 26
"""Records are some kilobytes; a file above this many bytes is none."""

PYTEST_BENCHMARK = "pytest-benchmark"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A record and where it was.

    Attributes:
        name: The file's name below the folder that was given.
        path: Its path, for messages.
        kind: What it says it is; "" if it does not.
        data: What is in it.
    """

    name: str
    path: str
    kind: str
    data: Record


def read_records(paths: Iterable[str]) -> list[Found]:
    """The records in files and, of folders, in all files below that end in `.json`; by kind, then by name.

    Raises:
        FileNotFoundError: A path does not exist.
        ArgumentError: A file is damaged or no JSON object; a folder has no record; nothing was given.
    """
    found = [_read(name, path) for given in paths for name, path in _files(given)]
    if not found:
        raise ArgumentError("records=[]: name at least one record, or a folder of them")
    return sorted(found, key=lambda each: (each.kind, each.name))


def _files(given: str) -> Iterable[tuple[str, str]]:
    """Name and path of each file that `given` stands for."""
    if not os.path.exists(given):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), given)
    if not os.path.isdir(given):
        return [(os.path.basename(given), given)]
    below = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(given)
        for name in names
        if name.endswith(".json")
    ]
    if not below:
        raise ArgumentError(f"{given}: holds no file that ends in .json, so no record")
    return [(os.path.relpath(path, given), path) for path in sorted(below)]


def _read(name: str, path: str) -> Found:
    """One record."""
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ArgumentError(f"{path}: larger than {LARGEST_FILE:,} bytes, so not a record")
    try:
        data = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{path}: not a record, or a damaged one: {_one_line(str(error))}") from None
    if not isinstance(data, dict):
        raise ArgumentError(f"{path}: not a record: a JSON object is expected, not {type(data).__name__}")
    clean = _cleaned(data)
    return Found(_one_line(name), path, _kind(clean), clean)


def _kind(data: Record) -> str:
    """What a record says it is; pytest-benchmark's files say it by their keys."""
    kind = data.get("kind", data.get("benchmark"))
    if isinstance(kind, str):
        return kind
    return PYTEST_BENCHMARK if {"machine_info", "benchmarks"} <= data.keys() else ""


def _refuse_constant(constant: str) -> NoReturn:
    """No NaN and no infinity: JSON has neither, and no axis can show them."""
    raise ValueError(f"{constant} is not a number of JSON")


def _cleaned(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value with control characters of all its strings, keys too, written out."""
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {_one_line(key): _cleaned(each) for key, each in value.items()}
    return value


def _one_line(text: str) -> str:
    """`text` with what is not printable written out; lone surrogates cannot be written at all otherwise."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
