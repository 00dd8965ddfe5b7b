"""Random samples of mutants, and what they say of all."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

SEED = 2026
"""Which sample is drawn."""


def drawn(names: Iterable[str], number: int, part: str) -> list[str]:
    """`number` of a part's names at random, 0 for all. Each start of their order is a sample too."""
    order = list(names)
    random.Random(f"{SEED} {part}").shuffle(order)
    return order[:number] if number else order


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if tried == 0:
        return 0.0, 1.0
    z, share = 1.959964, killed / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z / (1 + z * z / tried) * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    return middle - half, middle + half


def row(name: str, total: int, results: Counter[str]) -> str:
    """A row of the table: mutants, tried, killed (of these by time), survived, share, interval."""
    tried, survived = results.total(), results["survived"] + results["unreached"]
    low, high = interval(tried - survived, tried)
    share = f"{(tried - survived) / tried:.1%}" if tried else ""
    parts = (
        name,
        total,
        tried,
        tried - survived,
        results["time"],
        survived,
        share,
        f"{low:.1%} to {high:.1%}",
    )
    return f"| {' | '.join(map(str, parts))} |"


HEAD = (
    "| part | mutants | tried | killed | of these by time | survived | share | 95 % interval |\n"
    "|---|---|---|---|---|---|---|---|"
)
