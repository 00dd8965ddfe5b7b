"""Labels as names and as numbers: classes, numbers, or lists of labels (`label_types`)."""

# Dimensions: N rows, C classes or labels.

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError
from genotok.gue.label_types import (
    NO_LABEL,
    NUMBER,
    PROBLEM_TYPES,
    SEPARATOR,
    ProblemType,
    check_classes,
    check_lists,
    check_missing,
    ordered,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

__all__ = ["NO_LABEL", "PROBLEM_TYPES", "SEPARATOR", "LabelError", "Labels", "ProblemType", "labels_of_list"]

MAX_DECLARED = 2000
"""The limit on classes, also declared ones: every result has their confusion matrix."""

SHOWN = 8
"""Maximum number of classes in a line of text."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a data set.

    Attributes:
        names: The classes or labels, by number; for numeric labels the name of their column.
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
        """The labels in these texts.

        Args:
            texts: All labels of all splits.
            type: The declared type; None to infer it.
            column: The name of their column.
            where: Returns the file and line of a label, for errors.

        Raises:
            ArgumentError: The type is ambiguous and not declared, or `type` is unknown.
            SequenceFileError: A label is not of the declared type.
        """
        if type not in {None, *PROBLEM_TYPES}:
            raise ArgumentError(f"problem_type={type}: one of {', '.join(PROBLEM_TYPES)} is expected")
        distinct = set(texts)
        if type == "regression":
            return cls((column,), type)
        if type == "multilabel":
            check_lists(distinct, where)
            names = {name for text in distinct for name in labels_of_list(text)}
            if not names:
                raise ArgumentError(
                    f"{column}: no row has a label; names with {SEPARATOR} between are expected"
                )
            return cls(ordered(names, where), type)
        check_missing(distinct, where)
        if type is None:
            check_classes(distinct)
        if len(distinct) > MAX_DECLARED:
            raise ArgumentError(
                f"{column}: {len(distinct):,} distinct labels; a model has at most {MAX_DECLARED:,} classes"
            )
        return cls(ordered(distinct, where))

    def values(self, texts: Iterable[str]) -> NDArray[Any]:
        """Labels as numbers: class numbers (N,), the numbers (N,), or (N, C) with 1 where a label holds.

        Raises:
            LabelError: A label is unknown, or not a number; the error has the number of the row.
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
        """The distribution of `values`, in a line: rows of each class or label, or range and mean."""
        if self.type == "regression":
            return (
                f"{values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}, "
                f"standard deviation {values.std():.4g}"
            )
        counts = self.counts(values)
        shown = [f"{name}: {count:,}" for name, count in zip(self.names, counts, strict=True)]
        if len(shown) > SHOWN:
            low, high = min(counts), max(counts)
            rows = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            shown = [*shown[:SHOWN], f"and {len(shown) - SHOWN:,} more; {rows} rows of each"]
        return ", ".join(shown)

    def counts(self, values: NDArray[Any]) -> list[int]:
        """The number of rows of each class or label; none for numbers."""
        if self.type == "regression":
            return []
        if self.type == "multilabel":
            counts: list[int] = values.sum(0, dtype=np.int64).tolist()
        else:
            counts = np.bincount(values, minlength=len(self)).tolist()
        return counts

    @property
    def headline(self) -> str:
        """The type of the labels, and their number, in a few words."""
        if self.type == "regression":
            return f"regression of {self.names[0]}"
        kind = "classes" if self.type == "classification" else "labels"
        return f"{self.type} of {len(self):,} {kind}"

    def is_constant(self, values: NDArray[Any]) -> bool:
        """Whether all rows have the same class, number or labels."""
        return not len(values) or bool((values == values[0]).all())

    def missing(self, values: NDArray[Any], first: NDArray[Any]) -> int | None:
        """The first row with a class or label that is in no row of the first split; None if there is none.

        Args:
            values: Labels from `values`.
            first: The labels of the first split.
        """
        if self.type == "regression":
            return None
        unseen = np.array(self.counts(first)) == 0
        rows = unseen[values] if self.type == "classification" else (values[:, unseen] > 0).any(1)
        return int(rows.argmax()) if rows.any() else None


class LabelError(ValueError):
    """A label is invalid; `row` is the number of its row."""

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
