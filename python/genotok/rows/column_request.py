"""The columns that a command requests, and the columns of a table that fulfil the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.rows.columns import LABEL, find_columns

if TYPE_CHECKING:
    from genotok.rows.chunks import InputTable

__all__ = ["LINE", "PAIR", "SINGLE", "Chosen", "ColumnRequest", "choose"]

SINGLE = ("sequence",)
PAIR = ("sequence1", "sequence2")
LINE = "line"
"""The name of the column of line numbers, which text tables have."""


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """The columns of sequences and labels that a command requests.

    Attributes:
        sequence: Names of columns of sequences, one, or two for pairs; none for the default names.
        label: Name of the column of labels; None for "label".
        need_label: Whether a missing column of labels is an error.
        pairs: Whether rows must be pairs; None for either.
        taken: Names of columns that the command adds to the output.
    """

    sequence: tuple[str, ...] = ()
    label: str | None = None
    need_label: bool = False
    pairs: bool | None = None
    taken: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of columns by which a table is recognised."""
        return self.sequence or (*SINGLE, *PAIR)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of a table by role.

    Attributes:
        names: All names, in order.
        sequences: The column of sequences, or two for pairs.
        label: The column of labels; None if there is none.
        is_data: Whether the first row is data: the table has no header.
        note: A warning for a table whose columns are not found by name; "" if they are.
    """

    names: tuple[str, ...]
    sequences: tuple[str, ...]
    label: str | None
    is_data: bool
    note: str


def choose(table: InputTable, wanted: ColumnRequest, *, has_lines: bool) -> Chosen:
    """The columns of a table by role.

    Raises:
        SequenceFileError: A column is missing.
        ArgumentError: A name is repeated or is that of an added column, or rows are pairs where single
            sequences are needed, or the reverse.
    """
    asked: tuple[str, ...] = wanted.sequence
    if not asked and wanted.pairs is False and any(name.lower() in SINGLE for name in table.names):
        asked = SINGLE  # a table may have pairs as well
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
