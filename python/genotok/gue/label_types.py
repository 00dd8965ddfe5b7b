"""The types of labels: classes, numbers, or lists of labels; declared, or classes if unambiguous.

Labels are names. `1` and `2` are two classes of these names; `yes`, `+1` or `100` are names as well. They
are ordered as numbers if all are numbers, else as text. If all are numbers, two forms of one number (`1` and
`01`, `1` and `1.0`) are an error, as it is ambiguous whether they are one class.

Without a declared problem type labels are classes if they are

- text, but not lists: `;` or `|` in a label, or a comma between parts, one of which is in two labels;
- whole numbers, at most `MAX_CODES` distinct ones.

Other labels are an error that describes them and names the options: numbers with a decimal point (`0.2`,
also `1.0`) and many whole numbers may be measured values, lists may be several labels or one class each.

With a declared type, `regression` allows finite numbers only; `multilabel` allows names with `;` between
them, where a repeated name counts once and an empty field is a row without labels.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

from genotok.errors import ArgumentError, SequenceFileError
from genotok.options import ProblemType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = [
    "NO_LABEL",
    "NUMBER",
    "PROBLEM_TYPES",
    "SEPARATOR",
    "ProblemType",
    "check_classes",
    "check_lists",
    "check_missing",
    "ordered",
]

PROBLEM_TYPES: tuple[ProblemType, ...] = get_args(ProblemType)

SEPARATOR = ";"
"""The separator of labels in a list."""

MAX_CODES = 20
"""More distinct whole numbers may be measured values."""

MAX_CLASSES = 1000
"""More distinct texts suggest a wrong column, unless they are declared to be classes."""

NO_LABEL = "no label; remove the row"

WHOLE = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")
MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "inf", "+inf", "-inf"})
"""Texts for missing values among numbers."""


def ordered(names: Collection[str], where: Callable[[str], str]) -> tuple[str, ...]:
    """Names in numerical order if all are numbers, else sorted as text."""
    if not all(map(NUMBER.fullmatch, names)):
        return tuple(sorted(names))
    ordered = sorted(names, key=lambda name: (Decimal(name), name))
    for one, other in pairwise(ordered):
        if Decimal(one) == Decimal(other):
            raise SequenceFileError(
                f"{where(other)}: label {other!r} is the same number as label {one!r}; write it in one form"
            )
    return tuple(ordered)


def check_classes(distinct: Collection[str]) -> None:
    """An error unless labels are unambiguously classes."""
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


def check_missing(distinct: Collection[str], where: Callable[[str], str]) -> None:
    """An error for an empty label, and for NA, nan and the like where all others are numbers."""
    if "" in distinct:
        raise SequenceFileError(f"{where('')}: {NO_LABEL}")
    missing = sorted(text for text in distinct if text.lower() in MISSING)
    rest = [text for text in distinct if text.lower() not in MISSING]
    if missing and rest and all(map(NUMBER.fullmatch, rest)):
        raise SequenceFileError(f"{where(missing[0])}: label {missing[0]!r} among numbers; remove the row")


def check_lists(distinct: Collection[str], where: Callable[[str], str]) -> None:
    """An error for lists with other separators, and for vectors of 0 and 1."""
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
