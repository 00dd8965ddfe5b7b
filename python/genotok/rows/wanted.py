"""What a command wants of the columns of tables, and which columns of a table that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.rows.columns import LABEL, find_columns

if TYPE_CHECKING:
    from genotok.rows.chunks import Table

__all__ = ["LINE", "PAIR", "SINGLE", "Chosen", "Wanted", "choose"]

SINGLE = ("sequence",)
PAIR = ("sequence1", "sequence2")
LINE = "line"
"""The column of the line of each row, which text tables have."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command takes for sequences and labels.

    Attributes:
        sequence: Columns of sequences that the user names: one, of pairs two; none for the usual names.
        label: The column of labels that the user names; None for "label".
        need_label: It is an error if there is none.
        pairs: Whether rows are pairs; None takes either.
        taken: Names that the output's own columns have.
    """

    sequence: tuple[str, ...] = ()
    label: str | None = None
    need_label: bool = False
    pairs: bool | None = None
    taken: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which a table is known."""
        return self.sequence or (*SINGLE, *PAIR)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of a table by role.

    Attributes:
        names: All of them, in order.
        sequences: That of sequences, of pairs two.
        label: That of labels; None if there is none.
        is_data: The first row is data: the table has no header.
        note: What to say of a table whose columns are not found by name; "" if nothing.
    """

    names: tuple[str, ...]
    sequences: tuple[str, ...]
    label: str | None
    is_data: bool
    note: str


def choose(table: Table, wanted: Wanted, *, has_lines: bool) -> Chosen:
    """The columns of a table by role.

    Raises:
        SequenceFileError: A column is missing.
        ArgumentError: A name stands twice or is that of a column that is written, or rows are pairs where
            they must not be.
    """
    asked: tuple[str, ...] = wanted.sequence
    if not asked and wanted.pairs is False and any(name.lower() in SINGLE for name in table.names):
        asked = SINGLE  # a table may have pairs besides
    found = find_columns(
        table.path, table.names, sequences=asked, label=wanted.label, need_labels=wanted.need_label
    )
    names = tuple(table.names)
    if found.is_data:
        sides = SINGLE if len(found.sequences) == 1 else PAIR
        names = sides if found.label is None else (*sides, LABEL)
    if len(set(names)) < len(names):
        raise ArgumentError(f"{table.path}: a name stands twice among its columns: {', '.join(names)}")
    taken = wanted.taken if has_lines else wanted.taken - {LINE}
    if clash := next((name for name in names if name in taken), None):
        raise ArgumentError(
            f"{table.path}: a column is called {clash} already, as one that is written; rename it"
        )
    sequences = tuple(names[place] for place in found.sequences)
    if wanted.pairs is not None and (len(sequences) > 1) != wanted.pairs:
        has, needs = ("single sequences", "pairs") if wanted.pairs else ("pairs", "single sequences")
        raise ArgumentError(
            f"{table.path}: has {has} ({', '.join(sequences)}), and the model was trained on {needs}"
        )
    return Chosen(
        names, sequences, None if found.label is None else names[found.label], found.is_data, found.note
    )
