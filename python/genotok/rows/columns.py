"""Which columns of a table of labelled sequences are what, by its first row.

A header names them: `sequence` and `label`, for pairs `sequence1`, `sequence2` and `label`, in any order and
case, among others that are left alone; or the names that were asked for. A header of two or three columns
without any of these names is read as the published code of GUE reads it: the last column is the label.

A first row that holds a sequence is no header. It is data if the layout can be only one: one or two sequences
and then a label, or where no labels are needed sequences alone. Else it is an error.
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
"""From so many letters on, a field of bases alone, or of IUPAC codes as well, is no name of a column."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns are what.

    Attributes:
        sequences: The places of one or two columns of sequences.
        label: The place of the labels; None if there are none.
        label_name: What their column is called.
        is_data: Whether the first row is data, not a header.
        note: What to say of a table whose columns are not found by name; "" if nothing.
    """

    sequences: tuple[int, ...]
    label: int | None
    label_name: str = LABEL
    is_data: bool = False
    note: str = ""

    @property
    def first_row(self) -> str:
        """What the first row is."""
        return "first row" if self.is_data else "header"


def find_columns(
    name: str,
    first: Sequence[str],
    *,
    sequences: Sequence[str] = (),
    label: str | None = None,
    need_labels: bool = True,
) -> Columns:
    """The columns of a table.

    Args:
        name: The file, for errors.
        first: The fields of its first row.
        sequences: Names of the columns of sequences, one or two, where they are not the usual ones.
        label: Name of the column of labels, where it is not `label`.
        need_labels: An error if there are no labels.

    Raises:
        SequenceFileError: The columns are not there, or not found by what is there.
        ArgumentError: More than two columns of sequences are asked for, or one twice.
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
    """What to say of columns that are not there."""
    expected = " and ".join(sequences) if sequences else "sequence (or sequence1 and sequence2)"
    if need_labels or label:
        expected += f" and {label or LABEL}"
    said = f"{name}: columns {', '.join(fields)}; {expected} are expected"
    for mark in (";", "\t"):
        if len(fields) == 1 and mark in fields[0]:
            return f"{said}, with commas between fields, not {mark!r}"
    return f"{said}; {HINT}" if not (sequences and label) else said


def _place(name: str, fields: list[str], wanted: str) -> int | None:
    """Where a column is: of exactly this name, or but for case; None if there is none."""
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
