"""Labelled sequences in CSV files: GUE's own layout, and anybody's.

A folder holds `train.csv`, `dev.csv` (or `valid.csv`, `val.csv`, `validation.csv`) and `test.csv`. Each has a
header; the columns `sequence` and `label`, or for pairs `sequence1`, `sequence2` and `label`, are found by
name, in any order, others are left alone. A file whose header has none of these is read as the published code
reads it: the last column is the label, the one or two before it are sequences.

Labels are whole numbers from 0 in GUE; elsewhere they may be any text: classes are the distinct ones, sorted.
Nothing is dropped or mended: what cannot be right is an error that names file and line.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError, SequenceFileError
from genotok.verdict import BASES, MAX_UNKNOWN, Composition, check_sequence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["SPLITS", "LabelledSplit", "Labels", "read_labelled", "read_splits"]

SPLITS = ("train", "dev", "test")
DEV_FILES = ("dev.csv", "valid.csv", "val.csv", "validation.csv")
"""What the file of the dev split may be called."""

MOST_CLASSES = 1000
"""More distinct labels are taken for a column that is none."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The classes of a data set: their names, in the order of their numbers."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Labels:
        """Classes for these labels: numbers from 0 to the largest if all are numbers, else sorted texts."""
        distinct = set(texts)
        if all(text.isascii() and text.isdigit() and len(text) < 4 for text in distinct):
            return cls(tuple(map(str, range(max(map(int, distinct)) + 1))))
        if len(distinct) > MOST_CLASSES:
            raise ArgumentError(
                f"label: {len(distinct):,} distinct labels; at most {MOST_CLASSES} are expected"
            )
        return cls(tuple(sorted(distinct)))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """Labelled sequences.

    Attributes:
        path: The file.
        sequences: N of them.
        partners: The second sequence of each row, or none.
        texts: The labels as they are written, N; "" where a file has none.
        lines: The line of each row in its file, (N,).
        labels: Class numbers (N,) once the classes are known (`numbered`), before that empty.
        symbols: All symbols in the file's sequences.
        unknown: Those of them that are unknown, by kind.
    """

    path: str
    sequences: tuple[str, ...]
    partners: tuple[str, ...]
    texts: tuple[str, ...]
    lines: NDArray[np.int64]
    labels: NDArray[np.int64]
    symbols: int = 0
    unknown: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sequences)

    def numbered(self, classes: Labels) -> LabelledSplit:
        """The same with class numbers.

        Raises:
            SequenceFileError: A label is none of the classes.
        """
        number = {name: index for index, name in enumerate(classes.names)}
        found = np.empty(len(self), np.int64)
        for row, text in enumerate(self.texts):
            label = number.get(
                str(int(text)) if text.isascii() and text.isdigit() else text, number.get(text)
            )
            if label is None:
                known = ", ".join(classes.names[:10]) + (", ..." if len(classes) > 10 else "")
                raise SequenceFileError(
                    f"{self.path}: line {self.lines[row]:,}: label {text!r}; one of {known} is expected"
                )
            found[row] = label
        return replace(self, labels=found)

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


def read_splits(
    folder: str | os.PathLike[str],
    *,
    classes: int | None = None,
    known: bytes = BASES,
    allow_unknown: float = MAX_UNKNOWN,
) -> tuple[dict[str, LabelledSplit], Labels]:
    """All splits of a folder that are there, with class numbers, and the classes.

    Args:
        folder: It holds train.csv, dev.csv (or valid.csv, val.csv, validation.csv) and test.csv; test.csv at
            least.
        classes: How many classes the set has; None to count them.
        known: As for `read_labelled`.
        allow_unknown: As for `read_labelled`.

    Raises:
        SymbolError, SequenceFileError: A file is not what it should be; a label is above `classes` or, where
            train is there, in none of its rows.
        ArgumentError: There is no split, no test.csv, or two files of the dev split.
        OSError: The folder is not there, or a file cannot be read.
    """
    place = Path(folder)
    there = sorted(os.listdir(place))
    found = {
        split: read_labelled(place / name, known=known, allow_unknown=allow_unknown)
        for split, name in _files(place, there).items()
    }
    if "test" not in found or len(found) == 1:
        listed = ", ".join(there[:8]) or "nothing"
        others = ", ".join(DEV_FILES[1:])
        raise ArgumentError(
            f"{place}: train.csv, dev.csv (or {others}) and test.csv are expected, and there is: {listed}"
        )
    texts = [text for split in found.values() for text in split.texts]
    named = Labels(tuple(map(str, range(classes)))) if classes else Labels.of(texts)
    numbered = {name: split.numbered(named) for name, split in found.items()}
    first = next(iter(numbered.values()))
    for split in numbered.values():
        _check_same_shape(first, split)
        unseen = np.setdiff1d(split.labels, first.labels)
        if len(unseen):
            row = int(np.flatnonzero(split.labels == unseen[0])[0])
            raise SequenceFileError(
                f"{split.path}: line {split.lines[row]:,}: label {split.texts[row]!r} is in no row of "
                f"{first.path}"
            )
    return numbered, named


def _files(place: Path, there: list[str]) -> dict[str, str]:
    """The file of each split that is there."""
    found = {}
    for split in SPLITS:
        names = [name for name in (DEV_FILES if split == "dev" else (f"{split}.csv",)) if name in there]
        if len(names) > 1:
            raise ArgumentError(
                f"{place}: {' and '.join(names)} are there; one file of the {split} split is expected"
            )
        if names:
            found[split] = names[0]
    return found


def _check_same_shape(first: LabelledSplit, other: LabelledSplit) -> None:
    """An error if one has pairs and the other has not."""
    if bool(first.partners) != bool(other.partners):
        raise SequenceFileError(f"{other.path}: has not as many columns of sequences as {first.path}")


def read_labelled(
    path: str | os.PathLike[str],
    *,
    need_labels: bool = True,
    columns: tuple[str, ...] = (),
    known: bytes = BASES,
    allow_unknown: float = MAX_UNKNOWN,
) -> LabelledSplit:
    """The rows of one CSV file, labels still as text.

    Args:
        path: The file: comma-separated, UTF-8, with a header.
        need_labels: An error if it has no column of labels; else labels are "" then.
        columns: Names of the columns of sequences, one or two, where they are not the usual ones.
        known: The symbols that are no unknown ones.
        allow_unknown: The share of the symbols other than N that may be unknown (`genotok.verdict`).

    Raises:
        SequenceFileError: It is empty or damaged, a row has too many fields or too few, a sequence is empty
            or holds what is no letter of DNA, or too many symbols are unknown.
        SymbolError: A sequence holds a letter of proteins.
        OSError: It cannot be read.
    """
    name = os.fspath(path)
    rows = _rows(name)
    _, header = next(rows, (0, []))
    if not any(header):
        raise SequenceFileError(f"{name}: is empty; a header with sequence and label is expected")
    places, label = _columns(name, [field.strip() for field in header], need_labels, columns)
    sides: tuple[list[str], list[str]] = ([], [])
    texts, lines = [], []
    for line, fields in rows:
        if len(fields) != len(header):
            raise SequenceFileError(
                f"{name}: line {line:,}: {len(fields)} fields; the header has {len(header)}"
            )
        for side, place in zip(sides, places, strict=False):
            side.append(_sequence(name, line, fields[place]))
        texts.append("" if label is None else _label(name, line, fields[label]))
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
    )


def _columns(
    name: str, header: list[str], need_labels: bool, wanted: tuple[str, ...]
) -> tuple[tuple[int, ...], int | None]:
    """The columns of sequences, and that of labels."""
    lower = [field.lower() for field in header]
    for names in (wanted,) if wanted else (("sequence1", "sequence2"), ("sequence",)):
        if all(one.lower() in lower for one in names):
            label = lower.index("label") if "label" in lower else None
            if label is None and need_labels:
                break
            return tuple(lower.index(one.lower()) for one in names), label
    if need_labels and not wanted and len(header) in {2, 3} and not {"sequence", "label"} & set(lower):
        return tuple(range(len(header) - 1)), len(header) - 1
    expected = " and ".join(wanted) if wanted else "sequence (or sequence1 and sequence2)"
    if need_labels:
        expected += " and label"
    raise SequenceFileError(f"{name}: columns {', '.join(header)}; {expected} are expected")


def _sequence(name: str, line: int, text: str) -> str:
    """A sequence, if it is one."""
    sequence = text.strip()
    if not sequence:
        raise SequenceFileError(f"{name}: line {line:,}: an empty sequence; remove the row")
    check_sequence(name, line, sequence)
    return sequence


def _label(name: str, line: int, text: str) -> str:
    """A label, if there is one."""
    label = text.strip()
    if not label:
        raise SequenceFileError(f"{name}: line {line:,}: no label")
    return label


def _rows(name: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each line that is not empty."""
    before = csv.field_size_limit(sys.maxsize)  # a sequence may be longer than the 131,072 letters it allows
    try:
        with open(name, encoding="utf-8-sig", newline="") as text:
            reader: Any = csv.reader(text, strict=True)
            for fields in reader:
                if fields:
                    yield reader.line_num, fields
    except (csv.Error, UnicodeDecodeError) as error:
        raise SequenceFileError(f"{name}: damaged, or not comma-separated text ({error})") from None
    finally:
        csv.field_size_limit(before)
