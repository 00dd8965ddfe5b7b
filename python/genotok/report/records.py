"""What the page is made of: records and where they were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genotok.files.documents import printable
from genotok.run_records.reading import read_record

if TYPE_CHECKING:
    from genotok.run_records.schemas import Json

__all__ = ["FoundRecord", "as_number", "found_in", "is_number"]

MAX_NUMBER = 1e100
"""No figure is larger, and no axis could show it."""

BY_KEYS = {
    "pytest-benchmark": {"machine_info", "benchmarks"},
    "tokenizer training": {"vocab_size", "merges", "rounds", "fingerprint", "stopped"},
}
"""Kinds of records that do not name their kind, and the keys they have."""


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record and where it was found.

    Attributes:
        name: The name of its file or folder below the folder that was given.
        path: Its path, for messages.
        kind: The kind that it states; "" if it states none.
        data: Its contents, in the form of today.
        why: Why nothing of it can be shown, and which command shows it; "" if that is not known yet.
        is_given: Whether the user named it, so that a fault in it is a fault of the command.
    """

    name: str
    path: str
    kind: str
    data: Json
    why: str = ""
    is_given: bool = True

    @property
    def is_fault(self) -> bool:
        """Whether nothing of it could be read, for the reason `why`."""
        return not self.data and bool(self.why)


def found_in(name: str, path: str, *, is_given: bool = True) -> FoundRecord:
    """The record in a file of JSON, or what else genotok knows the file as.

    Raises:
        ArgumentError: The file is damaged or no JSON object.
    """
    data = read_record(path)
    return FoundRecord(printable(name), path, _kind(data), data, _other(data), is_given)


def is_number(value: Any) -> bool:  # noqa: ANN401  any JSON
    """Whether a value is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_NUMBER


def as_number(value: Any) -> float | None:  # noqa: ANN401  any JSON
    """A value that is such a number; None for all others."""
    return float(value) if is_number(value) else None


def _kind(data: Json) -> str:
    """The kind that a record states, some by their keys."""
    kind = data.get("kind")
    if isinstance(kind, str):
        return kind
    return next((kind for kind, keys in BY_KEYS.items() if keys <= data.keys()), "")


def _other(data: Json) -> str:
    """What a file is that holds no record, and what shows it; "" if it may be a record."""
    if data.get("format") == "genotok k-mers" or {"version", "added_tokens", "model"} <= data.keys():
        return "a tokenizer; genotok info shows it, genotok study measures it"
    if data.get("format") == "genotok checkpoint":
        return "a checkpoint of genotok train-bpe; the same command with --resume continues it"
    if {"clean", "strict", "files"} <= data.keys():
        return "the output of genotok check, which is no measurement; read it as it is"
    return ""
