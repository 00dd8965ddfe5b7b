"""Labelled sequences in a table: which of its columns are what is found by `columns`.

Nothing is dropped or mended: what cannot be right is an error that names file and line.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.corpus.verdict import BASES, MAX_UNKNOWN, Composition, check_sequence
from genotok.errors import SequenceFileError
from genotok.gue.labels import NO_LABEL, LabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.gue.labels import Labels

__all__ = ["LabelledSplit", "read_labelled"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """Labelled sequences.

    Attributes:
        path: The file.
        sequences: N of them.
        partners: The second sequence of each row, or none.
        texts: The labels as they are written, N; "" where a file has none.
        lines: The line of each row in its file, (N,).
        labels: What `Labels.values` makes of them once it is known what they are (`numbered`), else empty.
        label_name: What the column of labels is called.
        note: What to say of a file whose columns are not found by name; "" if nothing.
        symbols: All symbols in the file's sequences.
        unknown: Those of them that are unknown, by kind.
    """

    path: str
    sequences: tuple[str, ...]
    partners: tuple[str, ...]
    texts: tuple[str, ...]
    lines: NDArray[np.int64]
    labels: NDArray[Any]
    symbols: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    label_name: str = "label"
    note: str = ""

    def __len__(self) -> int:
        return len(self.sequences)

    def place(self, row: int) -> str:
        """File and line of a row."""
        return f"{self.path}: line {self.lines[row]:,}"

    def numbered(self, labels: Labels) -> LabelledSplit:
        """The same with labels as numbers.

        Raises:
            SequenceFileError: A label is none of the classes, or no number.
        """
        try:
            return replace(self, labels=labels.values(self.texts))
        except LabelError as error:
            raise SequenceFileError(f"{self.place(error.row)}: {error}") from None

    def taken(self, rows: NDArray[np.int64]) -> LabelledSplit:
        """Some rows, by number, in that order."""

        def of(side: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(side[row] for row in rows.tolist()) if side else ()

        labels = self.labels[rows] if len(self.labels) else self.labels
        return replace(
            self,
            sequences=of(self.sequences),
            partners=of(self.partners),
            texts=of(self.texts),
            lines=self.lines[rows],
            labels=labels,
        )


def read_labelled(
    path: str | os.PathLike[str],
    *,
    need_labels: bool = True,
    columns: Sequence[str] = (),
    label: str | None = None,
    empty_labels: bool = False,
    known: bytes = BASES,
    allow_unknown: float = MAX_UNKNOWN,
) -> LabelledSplit:
    """The rows of one table, labels still as text.

    Args:
        path: CSV, TSV, JSON lines or Parquet, plain or compressed; `columns` says what its first row may be.
        need_labels: An error if it has no column of labels; else labels are "" then.
        columns: Names of the columns of sequences, one or two, where they are not the usual ones.
        label: Name of the column of labels, where it is not `label`.
        empty_labels: Whether a label may be empty, as a list of labels may.
        known: The symbols that are no unknown ones.
        allow_unknown: The share of the symbols other than N that may be unknown (`corpus.verdict`).

    Raises:
        SequenceFileError: It is empty or damaged, a row has too many fields or too few, a sequence is empty
            or holds what is no letter of DNA, or too many symbols are unknown.
        SymbolError: A sequence holds a letter of proteins.
        OSError: It cannot be read.
    """
    # pyarrow, which they load, takes longer than the table of GUE takes to be printed.
    from genotok.rows import text_rows  # noqa: PLC0415
    from genotok.rows.columns import find_columns  # noqa: PLC0415

    name = os.fspath(path)
    rows = text_rows(name)
    start, header = next(rows, (0, []))
    if not any(header):
        raise SequenceFileError(f"{name}: is empty; a header with sequence and label is expected")
    found = find_columns(name, header, sequences=columns, label=label, need_labels=need_labels)
    sides: tuple[list[str], list[str]] = ([], [])
    texts, lines = [], []
    for line, fields in chain([(start, header)] if found.is_data else [], rows):
        if len(fields) != len(header):
            raise SequenceFileError(
                f"{name}: line {line:,}: {len(fields)} fields; the {found.first_row} has {len(header)}"
            )
        for side, place in zip(sides, found.sequences, strict=False):
            side.append(_sequence(name, line, fields[place]))
        text = "" if found.label is None else fields[found.label].strip()
        if not text and found.label is not None and not empty_labels:
            raise SequenceFileError(f"{name}: line {line:,}: {NO_LABEL}")
        texts.append(text)
        lines.append(line)
    if not lines:
        raise SequenceFileError(f"{name}: has a header and no rows")
    composition = Composition(side for one in sides for side in one)
    return LabelledSplit(
        name,
        tuple(sides[0]),
        tuple(sides[1]),
        tuple(texts),
        np.asarray(lines, np.int64),
        np.empty(0, np.int64),
        composition.symbols,
        composition.judge(name, known, allow_unknown),
        found.label_name,
        found.note,
    )


def _sequence(name: str, line: int, text: str) -> str:
    """A sequence, if it is one."""
    sequence = text.strip()
    if not sequence:
        raise SequenceFileError(f"{name}: line {line:,}: an empty sequence; remove the row")
    check_sequence(name, line, sequence)
    return sequence
