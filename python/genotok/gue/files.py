"""Labelled sequences of a table; `rows.columns` finds the columns.

No row is dropped or repaired: a fault is an error that names file and line.
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
from genotok.options import grouped
from genotok.options.learning import LabelOptions

if TYPE_CHECKING:
    from typing import Unpack

    from numpy.typing import NDArray

    from genotok.gue.labels import Labels
    from genotok.options.learning import LabelKeywords

__all__ = ["LabelledSplit", "read_labelled"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """Labelled sequences.

    Attributes:
        path: The file.
        sequences: The N sequences.
        partners: The second sequence of each row of pairs, else empty.
        texts: The N labels as text; "" if the file has none.
        lines: The line of each row in its file, (N,).
        labels: The labels as numbers (`Labels.values`) after `numbered`; empty before.
        label_name: The name of the column of labels.
        note: A remark on a file whose columns are not found by name, or "".
        symbols: Number of all symbols of the file's sequences.
        unknown: Number of unknown symbols, by symbol.
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
            SequenceFileError: A label is not a class, or not a number.
        """
        try:
            return replace(self, labels=labels.values(self.texts))
        except LabelError as error:
            raise SequenceFileError(f"{self.place(error.row)}: {error}") from None

    def taken(self, rows: NDArray[np.int64]) -> LabelledSplit:
        """The rows of these numbers, in this order."""

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
    known: bytes = BASES,
    allow_unknown: float = MAX_UNKNOWN,
    **options: Unpack[LabelKeywords],
) -> LabelledSplit:
    """The rows of one table, labels still as text.

    Args:
        path: CSV, TSV, JSON lines or Parquet, plain or compressed; `columns` says what its first row may be.
        need_labels: An error if there is no column of labels; else labels are "".
        known: The symbols that are not unknown.
        allow_unknown: The share of the symbols other than N that may be unknown (`corpus.verdict`).
        problem_type: With "multilabel" a label may be empty.
        label: Name of the column of labels; None for `label`.
        sequences: Names of the one or two columns of sequences; empty for the usual names.

    Raises:
        SequenceFileError: It is empty or damaged, a row has too many fields or too few, a sequence is empty
            or is not DNA, or too many symbols are unknown.
        SymbolError: A sequence holds a protein residue.
        OSError: It cannot be read.
    """
    # Importing pyarrow takes longer than `genotok gue list`.
    from genotok.rows import text_rows  # noqa: PLC0415
    from genotok.rows.columns import find_columns  # noqa: PLC0415

    name = os.fspath(path)
    rows = text_rows(name)
    start, header = next(rows, (0, []))
    if not any(header):
        raise SequenceFileError(f"{name}: is empty; a header with sequence and label is expected")
    (labels,) = grouped("read_labelled", options, LabelOptions)
    found = find_columns(
        name, header, sequences=labels.sequences, label=labels.label, need_labels=need_labels
    )
    may_be_empty = found.label is None or labels.problem_type == "multilabel"
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
        if not text and not may_be_empty:
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
    """A checked sequence."""
    sequence = text.strip()
    if not sequence:
        raise SequenceFileError(f"{name}: line {line:,}: an empty sequence; remove the row")
    check_sequence(name, line, sequence)
    return sequence
