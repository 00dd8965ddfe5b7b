"""From files to records: read, checked, and cleaned of what no page should hold."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, NoReturn

from genotok.errors import ArgumentError

__all__ = [
    "LARGEST_FILE",
    "Found",
    "Record",
    "as_number",
    "is_number",
    "read_json",
    "read_lines",
    "read_record",
    "written_out",
]

LARGEST_FILE = 1 << 26
"""Records are some kilobytes; a file above this many bytes is none."""

LARGEST_NUMBER = 1e100
"""No figure is larger, and no axis could show it."""

BY_KEYS = {
    "pytest-benchmark": {"machine_info", "benchmarks"},
    "tokenizer training": {"vocab_size", "merges", "rounds", "fingerprint", "stopped"},
}
"""Kinds of records that do not name their kind, and what they have."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A record and where it was.

    Attributes:
        name: The name of its file or folder below the folder that was given.
        path: Its path, for messages.
        kind: What it says it is; "" if it does not.
        data: What is in it.
        why: Why nothing of it can be shown, and which command shows it; "" if that is not known yet.
        is_given: Whether the user named it, so that a fault in it is a fault of the command.
    """

    name: str
    path: str
    kind: str
    data: Record
    why: str = ""
    is_given: bool = True

    @property
    def is_fault(self) -> bool:
        """Whether nothing of it could be read, for the reason `why`."""
        return not self.data and bool(self.why)


def read_record(name: str, path: str, *, is_given: bool = True) -> Found:
    """The record in a file of JSON, or what else genotok knows the file as.

    Raises:
        ArgumentError: The file is damaged or no JSON object.
    """
    data = read_json(path)
    return Found(written_out(name), path, _kind(data), data, _other(data), is_given)


def read_json(path: str) -> Record:
    """The object in a file of JSON, cleaned.

    Raises:
        ArgumentError: The file is damaged, too large or no JSON object.
        OSError: It cannot be read.
    """
    try:
        data = json.loads(_content(path), parse_constant=_refuse_constant)
        if not isinstance(data, dict):
            raise ArgumentError(f"{path}: not a record: a JSON object is expected, not {type(data).__name__}")
        clean: Record = _cleaned(data)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        reason = "no text" if isinstance(error, UnicodeDecodeError) else written_out(str(error))
        raise ArgumentError(
            f"{path}: not a record, or a damaged one: {reason}; genotok info says what it is"
        ) from None
    return clean


def read_lines(path: str) -> tuple[list[Record], int]:
    """The objects in the lines of a log, and the number of lines that are none.

    A run that is killed may leave its last line cut short.

    Raises:
        ArgumentError: The file is too large.
        OSError: It cannot be read.
    """
    found: list[Record] = []
    damaged = 0
    for line in _content(path).splitlines():
        try:
            entry = json.loads(line, parse_constant=_refuse_constant)
            if isinstance(entry, dict):
                found.append(_cleaned(entry))
            else:
                damaged += 1
        except (ValueError, RecursionError):
            damaged += 1
    return found, damaged


def written_out(text: str) -> str:
    """`text` with what is not printable written out; lone surrogates cannot be written at all otherwise."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_number(value: Any) -> bool:  # noqa: ANN401  any JSON
    """Whether a value is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def as_number(value: Any) -> float | None:  # noqa: ANN401  any JSON
    """A value that is such a number; None for all others."""
    return float(value) if is_number(value) else None


def _content(path: str) -> bytes:
    """All bytes of a file."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ArgumentError(f"{path}: not a record: a file is expected")
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ArgumentError(f"{path}: larger than {LARGEST_FILE:,} bytes, so not a record")
    return content


def _kind(data: Record) -> str:
    """What a record says it is; some say it by their keys."""
    kind = data.get("kind", data.get("benchmark"))
    if isinstance(kind, str):
        return kind
    return next((kind for kind, keys in BY_KEYS.items() if keys <= data.keys()), "")


def _other(data: Record) -> str:
    """What a file is that holds no record, and what shows it; "" if it may be a record."""
    if data.get("format") == "genotok k-mers" or {"version", "added_tokens", "model"} <= data.keys():
        return "a tokenizer; genotok info shows it, genotok study measures it"
    if data.get("format") == "genotok checkpoint":
        return "a checkpoint of genotok train-bpe; the same command with --resume continues it"
    if {"clean", "strict", "files"} <= data.keys():
        return "what genotok check found, which is no measurement; read it as it is"
    return ""


def _refuse_constant(constant: str) -> NoReturn:
    """No NaN and no infinity: JSON has neither, and no axis can show them."""
    raise ValueError(f"{constant} is not a number of JSON")


def _cleaned(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value with control characters of all its strings, keys too, written out."""
    if isinstance(value, str):
        return written_out(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {written_out(key): _cleaned(each) for key, each in value.items()}
    return value
