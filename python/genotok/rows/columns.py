"""The roles of the columns of a table of labelled sequences, found from its first row.

A header names them: `sequence` and `label`, for pairs `sequence1`, `sequence2` and `label`, in any order and
case, among other columns; or the names that the user gives. A header of two or three columns without any of
these names is read as in the published code of GUE: the last column is the label.

A first row that holds a sequence is not a header. It is data if its layout is unambiguous: one or two
sequences and then a label, or only sequences where no labels are needed. Otherwise it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.corpus.verdict import SYMBOLS
from genotok.errors import ArgumentError, SequenceFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LABEL", "Columns", "find_columns"]

USUAL = (("sequence1", "sequence2"), ("sequence",))
LABEL = "label"
HINT = "--sequence and --label name others"

BASES = frozenset("ACGTUNacgtun")
SURE_BASES, SURE_SYMBOLS = 4, 20
"""A field with at least so many bases, or IUPAC codes, is a sequence and not the name of a column."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns by role.

    Attributes:
        sequences: The indices of one or two columns of sequences.
        label: The index of the labels; None if there are none.
        label_name: The name of their column.
        is_data: Whether the first row is data, not a header.
        note: A warning for a table whose columns are not found by name; "" if they are.
    """

    sequences: tuple[int, ...]
    label: int | None
    label_name: str = LABEL
    is_data: bool = False
    note: str = ""

    @property
    def first_row(self) -> str:
        """The first row, for messages."""
        return "first row" if self.is_data else "header"


def find_columns(
    name: str,
    first: Sequence[str],
    *,
    sequences: Sequence[str] = (),
    label: str | None = None,
    need_labels: bool = True,
) -> Columns:
    """Find the columns of a table.

    Args:
        name: The file, for errors.
        first: The fields of its first row.
        sequences: Names of one or two columns of sequences, if the user gave them.
        label: Name of the column of labels, if the user gave it.
        need_labels: Whether missing labels are an error.

    Raises:
        SequenceFileError: A column is missing or ambiguous.
        ArgumentError: More than two columns of sequences are named, or one of them twice.
    """
    fields = [field.strip() for field in first]
    asked = [*sequences, *([label] if label else [])]
    if len(sequences) > 2 or len(set(asked)) < len(asked):
        raise ArgumentError(
            f"columns {', '.join(asked)}: one or two of sequences, and another of labels, are expected"
        )
    for names in (tuple(sequences),) if sequences else USUAL:
        places = [_place(name, fields, one) for one in names]
        found = tuple(place for place in places if place is not None)
        at = _place(name, fields, label or LABEL)
        if len(found) == len(names) and (at is not None or not (need_labels or label)):
            return Columns(found, at, LABEL if at is None else fields[at])
    if any(_is_sequence(field, fields[-1]) for field in fields):
        return _without_header(name, fields, asked, need_labels)
    lower = {field.lower() for field in fields}
    if need_labels and not asked and len(fields) in {2, 3} and not lower & {LABEL, "sequence"}:
        shown = " and ".join(fields[:-1])
        note = (
            f"no column is called sequence or label; {shown} {_is(len(fields) - 1)}, {fields[-1]} the label"
        )
        return Columns(tuple(range(len(fields) - 1)), len(fields) - 1, fields[-1], note=note)
    raise SequenceFileError(_missing(name, fields, sequences, label, need_labels))


def _missing(
    name: str, fields: list[str], sequences: Sequence[str], label: str | None, need_labels: bool
) -> str:
    """The message for missing columns."""
    expected = " and ".join(sequences) if sequences else "sequence (or sequence1 and sequence2)"
    if need_labels or label:
        expected += f" and {label or LABEL}"
    said = f"{name}: columns {', '.join(fields)}; {expected} are expected"
    for mark in (";", "\t"):
        if len(fields) == 1 and mark in fields[0]:
            return f"{said}, with commas between fields, not {mark!r}"
    return f"{said}; {HINT}" if not (sequences and label) else said


def _place(name: str, fields: list[str], wanted: str) -> int | None:
    """The index of the column of this name, ignoring case if there is none; None if there is none at all."""
    for places in (
        [place for place, field in enumerate(fields) if field == wanted],
        [place for place, field in enumerate(fields) if field.lower() == wanted.lower()],
    ):
        if len(places) > 1:
            raise SequenceFileError(f"{name}: {len(places)} columns are called {wanted}; one is expected")
        if places:
            return places[0]
    return None


def _without_header(name: str, fields: list[str], asked: list[str], need_labels: bool) -> Columns:
    """The columns of a table whose first row is data."""
    are = [_is_sequence(field, fields[-1]) for field in fields]
    count = sum(are)
    layouts = [(count == len(are) - 1 and not are[-1])] + ([] if need_labels else [count == len(are)])
    if asked or count > 2 or not any(layouts) or not all(are[:count]):
        raise SequenceFileError(
            f"{name}: line 1 holds a sequence where a header is expected; write one that names the "
            "columns, such as sequence,label"
        )
    label = None if count == len(are) else count
    named = " and ".join(USUAL[2 - count]) + ("" if label is None else " and label")
    note = f"no header: line 1 is read as data, the columns as {named}"
    return Columns(tuple(range(count)), label, is_data=True, note=note)


def _is_sequence(field: str, last: str) -> bool:
    """Whether a field is a sequence rather than the name of a column."""
    if BASES.issuperset(field):
        is_short = field.isupper() and last[-1:].isdigit()  # ACG,0
        return len(field) >= SURE_BASES or is_short
    return len(field) >= SURE_SYMBOLS and SYMBOLS.issuperset(field)


def _is(count: int) -> str:
    return "is the sequence" if count == 1 else "are the sequences"
