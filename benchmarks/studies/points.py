"""Which tool is measured at which value: the parameters of a study.

Tools differ in speed by a factor of a hundred and more, so each has a reach: the largest value it is asked
for at the small scale, and at the large one. A point beyond the small reach carries the mark `beyond_small`,
which `pytest --benchmark` leaves out unless `--benchmark-scale large` is given; one beyond the large reach
does not exist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Reach = tuple[float, float]
EVERYTHING: Reach = (float("inf"), float("inf"))


def slug(name: str) -> str:
    """A tool's name as part of a test's: lower case, a to z, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def points(values: Mapping[str, float] | Sequence[int], reaches: Mapping[str, Reach]) -> list[Any]:
    """The pairs of a value and a tool, value by value, as pytest's parameters.

    Args:
        values: The values, or names of them; a name is what the test gets, its value what reaches speak of.
        reaches: For each tool the largest value at the small scale, and at the large one.
    """
    named = values if hasattr(values, "items") else {value: value for value in values}
    made = []
    for value, size in named.items():
        for engine, (small, large) in reaches.items():
            if size <= large:
                marks = () if size <= small else (pytest.mark.beyond_small,)
                made.append(pytest.param(value, engine, id=f"{value}-{slug(engine)}", marks=marks))
    return made
