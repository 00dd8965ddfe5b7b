"""What labels are: classes, numbers, or lists of labels; declared, or classes if they can be nothing else.

Labels are names. `1` and `2` are two classes of these names; `yes`, `+1` or `100` are names as well. Their
order is that of the numbers if all are numbers, else that of the texts. If all are numbers, two that are one
number in two forms (`1` and `01`, `1` and `1.0`) are an error: nobody can say whether they are one class.

Without a declared problem type labels are classes if they can be nothing else:

- texts, unless they are lists: `;` or `|` in a label, or a comma between parts of which one is in two labels;
- whole numbers, if there are no more than `MAX_CODES` of them.

All else is an error that says what was seen and names the options: numbers with a decimal point (`0.2`, and
`1.0` too) and many whole numbers may be measured values, lists may be several labels or one class each.

Declared, `regression` takes finite numbers only; `multilabel` takes names with `;` between them, of which one
that stands twice counts once, and an empty field is a row without labels.
"""

# Shape letters: N rows, C classes or labels.

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from genotok.errors import ArgumentError, SequenceFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

__all__ = ["NO_LABEL", "PROBLEM_TYPES", "SEPARATOR", "LabelError", "Labels", "ProblemType", "labels_of_list"]

ProblemType = Literal["classification", "regression", "multilabel"]
PROBLEM_TYPES: tuple[ProblemType, ...] = ("classification", "regression", "multilabel")
"""One class for each row; a number for each row; any number of labels for each row."""

SEPARATOR = ";"
"""Between labels that hold together."""

MAX_CODES = 20
"""More distinct whole numbers may be measured."""

MAX_CLASSES = 1000
"""More distinct texts are taken for a column that is none, unless they are declared to be classes."""

SHOWN = 8
"""Classes that a line of text names."""

NO_LABEL = "no label; remove the row"

WHOLE = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")
MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "inf", "+inf", "-inf"})
"""What stands among numbers where there is none."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the labels of a data set are.

    Attributes:
        names: The classes or labels, in the order of their numbers; of numbers the name of their column.
        type: Classes, numbers, or lists of labels.
    """

    names: tuple[str, ...]
    type: ProblemType = "classification"

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        type: ProblemType | None = None,  # noqa: A002 - as the attribute
        *,
        column: str = "label",
        where: Callable[[str], str] = "labels: {}".format,
    ) -> Labels:
        """What these labels are.

        Args:
            texts: All labels of all splits.
            type: What they are declared to be; None to read it off them.
            column: The column they are of.
            where: Gives the file and line of a label, for errors.

        Raises:
            ArgumentError: They may be of several types, and none is declared; or `type` is none of the three.
            SequenceFileError: A label cannot be what it is declared to be.
        """
        if type not in {None, *PROBLEM_TYPES}:
            raise ArgumentError(f"problem_type={type}: one of {', '.join(PROBLEM_TYPES)} is expected")
        distinct = set(texts)
        if type == "regression":
            return cls((column,), type)
        if type == "multilabel":
            _check_lists(distinct, where)
            names = {name for text in distinct for name in labels_of_list(text)}
            if not names:
                raise ArgumentError(
                    f"{column}: no row has a label; names with {SEPARATOR} between are expected"
                )
            return cls(_ordered(names, where), type)
        _check_missing(distinct, where)
        if type is None:
            _check_classes(distinct)
        return cls(_ordered(distinct, where))

    def values(self, texts: Iterable[str]) -> NDArray[Any]:
        """Labels as numbers: class numbers (N,), the numbers (N,), or (N, C) with 1 where a label holds.

        Raises:
            LabelError: One is none of the classes or labels, or no number; it has the number of the row.
        """
        number = {name: place for place, name in enumerate(self.names)}
        if self.type == "multilabel":
            rows = list(texts)
            holds = np.zeros((len(rows), len(self)), np.int8)
            for row, text in enumerate(rows):
                for name in labels_of_list(text):
                    holds[row, self._known(number, name, row)] = 1
            return holds
        if self.type == "regression":
            return np.array([_number(text, row) for row, text in enumerate(texts)], np.float64)
        return np.array([self._known(number, text, row) for row, text in enumerate(texts)], np.int64)

    def _known(self, number: dict[str, int], name: str, row: int) -> int:
        """The number of a name."""
        found = number.get(name)
        if not name:
            raise LabelError(row, NO_LABEL)
        if found is None:
            known = ", ".join(self.names[:10]) + (", ..." if len(self) > 10 else "")
            raise LabelError(row, f"label {name!r}; one of {known} is expected")
        return found

    def describe(self, values: NDArray[Any]) -> str:
        """What `values` gave, in a line: rows of each class or label, or range and mean of numbers."""
        if self.type == "regression":
            return (
                f"{values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}, "
                f"standard deviation {values.std():.4g}"
            )
        counts = self.counts(values)
        shown = [f"{name}: {count:,}" for name, count in zip(self.names, counts, strict=True)]
        if len(shown) > SHOWN:
            least, most = min(counts), max(counts)
            shown = [*shown[:SHOWN], f"and {len(shown) - SHOWN:,} more; {least:,} to {most:,} rows of each"]
        return ", ".join(shown)

    def counts(self, values: NDArray[Any]) -> list[int]:
        """Rows of each class or label; none of numbers."""
        if self.type == "regression":
            return []
        if self.type == "multilabel":
            counts: list[int] = values.sum(0, dtype=np.int64).tolist()
        else:
            counts = np.bincount(values, minlength=len(self)).tolist()
        return counts

    @property
    def headline(self) -> str:
        """What the labels are, in a few words."""
        if self.type == "regression":
            return f"regression of {self.names[0]}"
        kind = "classes" if self.type == "classification" else "labels"
        return f"{self.type} of {len(self):,} {kind}"

    def is_constant(self, values: NDArray[Any]) -> bool:
        """Whether all rows have the same class, number or labels: then there is nothing to be trained on."""
        return not len(values) or bool((values == values[0]).all())

    def missing(self, values: NDArray[Any], first: NDArray[Any]) -> int | None:
        """The first row with a class or label that none of the first split's rows has; None if there is none.

        Args:
            values: As `values` gives them.
            first: Those of the split that is trained on.
        """
        if self.type == "regression":
            return None
        unseen = np.array(self.counts(first)) == 0
        rows = unseen[values] if self.type == "classification" else (values[:, unseen] > 0).any(1)
        return int(rows.argmax()) if rows.any() else None


class LabelError(ValueError):
    """A label is wrong; it has the number of its row."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(what)
        self.row = row


def labels_of_list(text: str) -> list[str]:
    """The names in a list such as `a;b`, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(SEPARATOR))) if text else []


def _number(text: str, row: int) -> float:
    """A finite number."""
    if not text:
        raise LabelError(row, NO_LABEL)
    if not NUMBER.fullmatch(text) or not math.isfinite(found := float(text)):
        raise LabelError(row, f"label {text!r}; a finite number such as 0.5 is expected")
    return found


def _ordered(names: Collection[str], where: Callable[[str], str]) -> tuple[str, ...]:
    """Names in the order of their numbers if all are numbers, else sorted."""
    if not all(map(NUMBER.fullmatch, names)):
        return tuple(sorted(names))
    ordered = sorted(names, key=lambda name: (Decimal(name), name))
    for one, other in pairwise(ordered):
        if Decimal(one) == Decimal(other):
            raise SequenceFileError(
                f"{where(other)}: label {other!r} is the number of label {one!r}; write it in one way"
            )
    return tuple(ordered)


def _check_classes(distinct: Collection[str]) -> None:
    """An error if labels may be anything but classes."""
    seen = f"{len(distinct):,} distinct, such as {', '.join(sorted(distinct, key=_length)[:4])}"
    classes = "--problem-type classification"
    if len(distinct) > 1 and all(map(NUMBER.fullmatch, distinct)):
        whole = all(map(WHOLE.fullmatch, distinct))
        if not whole or len(distinct) > MAX_CODES:
            kind = "whole numbers" if whole else "numbers"
            raise ArgumentError(
                f"label: {kind}, {seen}: measured values with --problem-type regression, or classes with "
                f"{classes}"
            )
    elif any(_is_list(text, distinct) for text in distinct):
        raise ArgumentError(
            f"label: lists, {seen}: several labels in a row with --problem-type multilabel, or one class for "
            f"each combination with {classes}"
        )
    elif len(distinct) > MAX_CLASSES:
        raise ArgumentError(
            f"label: {len(distinct):,} distinct labels; at most {MAX_CLASSES:,} are expected, or {classes}"
        )


def _is_list(text: str, distinct: Collection[str]) -> bool:
    """Whether a label looks like a list of labels."""
    if any(0 < text.find(mark) < len(text) - 1 for mark in ";|"):
        return True
    return "," in text and _has_common_part(distinct)


def _has_common_part(distinct: Collection[str]) -> bool:
    """Whether labels with commas have a part in common with another label."""
    parts = Counter(part for text in distinct for part in {part.strip() for part in text.split(",")})
    return parts.most_common(1)[0][1] > 1


def _check_missing(distinct: Collection[str], where: Callable[[str], str]) -> None:
    """An error for no label, and for NA, nan and the like where all others are numbers."""
    if "" in distinct:
        raise SequenceFileError(f"{where('')}: {NO_LABEL}")
    missing = sorted(text for text in distinct if text.lower() in MISSING)
    rest = [text for text in distinct if text.lower() not in MISSING]
    if missing and rest and all(map(NUMBER.fullmatch, rest)):
        raise SequenceFileError(f"{where(missing[0])}: label {missing[0]!r} among numbers; remove the row")


def _check_lists(distinct: Collection[str], where: Callable[[str], str]) -> None:
    """An error for lists that are separated by something else, or are vectors of 0 and 1."""
    for text in distinct:
        if text and not all(part.strip() for part in text.split(SEPARATOR)):
            raise SequenceFileError(f"{where(text)}: label {text!r}: an empty name between {SEPARATOR}")
    if not any(SEPARATOR in text for text in distinct):
        for text in sorted(distinct):
            if "|" in text or ("," in text and _has_common_part(distinct)):
                raise SequenceFileError(
                    f"{where(text)}: label {text!r}: {SEPARATOR} between labels is expected"
                )
    parts = [tuple(part.strip() for part in text.split(SEPARATOR)) for text in distinct]
    sizes = {len(part) for part in parts}
    if len(sizes) == 1 and sizes != {1} and {name for part in parts for name in part} <= {"0", "1"}:
        raise SequenceFileError(
            f"{where(min(distinct))}: label {min(distinct)!r} looks like a vector of 0 and 1; the names of "
            f"the labels that hold, with {SEPARATOR} between them, are expected"
        )


def _length(text: str) -> tuple[int, str]:
    return len(text), text
