"""Draws `tokenizers.svg`: the mean MCC of the arms of the matched trial against their compute.

`make tables` runs it:

python -m docs.figures.draw_tokenizers
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import matched_tables, table
from docs.figures.canvas import Canvas

from genotok.compare.trial import trial_rows
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.compare.trial import ArmRow

TOKENIZERS = Path(__file__).resolve().parent / "tokenizers.svg"

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 868, 520, 60, 20, 92, 56
COLOURS = {
    "byte pairs": "bpe",
    "fixed patches": "patch",
    "overlapping k-mers": "over",
    "single bases": "base",
}
STYLE = (
    "<style>.bpe{--c:#c2410c}.patch{--c:#1d6fd1}.over{--c:#2f7d3b}.base{--c:#8a4fbf}"
    ".full{fill:var(--c);stroke:none}.hollow{fill:none;stroke:var(--c);stroke-width:1.8}"
    ".joined{fill:none;stroke:var(--c);stroke-width:1.2;stroke-opacity:.55}"
    ".range{stroke:var(--c);stroke-width:1;stroke-opacity:.35}"
    "@media (prefers-color-scheme:dark){.bpe{--c:#fb923c}.patch{--c:#6ea8ef}.over{--c:#5fbf71}"
    ".base{--c:#c39bf0}}</style>"
)
STEP = 10


class Scale:
    """The places of compute, on a logarithmic axis, and of results in percent."""

    def __init__(self, rows: Sequence[ArmRow]) -> None:
        compute = [row.operations for row in rows]
        self.first, self.last = min(compute) / 1.3, max(compute) * 1.3
        values = [end for row in rows for end in (row.mean.interval.low, row.mean.interval.high)]
        self.low = STEP * math.floor(min(values) / STEP)
        self.high = STEP * math.ceil(max(values) / STEP)

    def x(self, operations: float) -> float:
        """Of operations."""
        share = math.log(operations / self.first) / math.log(self.last / self.first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Of a result."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - FOOT - share * (HEIGHT - TOP - FOOT), 1)


def mark(canvas: Canvas, row: ArmRow, x: float, y: float) -> None:
    """Circle with features, square without, diamond without identities, triangle without layers."""
    arm = row.arm
    kind = f"{COLOURS.get(arm.family, 'bpe')} {'full' if row.equal == 'bases' else 'hollow'}"
    if not arm.layers:
        shape = f'<path d="M{x:g} {y - 6:g}l6 10h-12z" class="{kind}"/>'
    elif not arm.identities:
        shape = f'<path d="M{x:g} {y - 6:g}l6 6l-6 6l-6 -6z" class="{kind}"/>'
    elif arm.features:
        shape = f'<circle cx="{x:g}" cy="{y:g}" r="5" class="{kind}"/>'
    else:
        shape = f'<rect x="{x - 4.5:g}" y="{y - 4.5:g}" width="9" height="9" class="{kind}"/>'
    title = f"{arm.title}, equal {row.equal}: {row.mean.text} ({row.mean.range})"
    canvas.parts.append(f"<g><title>{title}</title>{shape}</g>")


def legend(canvas: Canvas) -> None:
    """What colours and shapes mean."""
    place = 8.0
    for family, colour in COLOURS.items():
        canvas.parts.append(f'<circle cx="{place + 6:g}" cy="16" r="5" class="{colour} full"/>')
        canvas.text(place + 18, 21, family, "left")
        place += 34 + 8.5 * len(family)
    shapes = (
        ('<circle cx="{x:g}" cy="42" r="5" class="hollow key"/>', "with base features"),
        ('<rect x="{left:g}" y="37.5" width="9" height="9" class="hollow key"/>', "without"),
        ('<path d="M{x:g} 36l6 6l-6 6l-6 -6z" class="hollow key"/>', "no identities"),
        ('<path d="M{x:g} 36l6 10h-12z" class="hollow key"/>', "no layers"),
    )
    place = 8.0
    for shape, said in (*shapes, ("", "hollow: equal compute")):
        canvas.parts.append(shape.format(x=place + 6, left=place + 1.5))
        canvas.text(place + 18 * bool(shape), 47, said, "left")
        place += 34 + 8.5 * len(said)


def axes(canvas: Canvas, scale: Scale) -> None:
    """The grid, with numbers."""
    for value in range(scale.low, scale.high + 1, STEP):
        canvas.path(f"M{LEFT} {scale.y(value):g}H{WIDTH - RIGHT}", "grid")
        canvas.text(LEFT - 8, scale.y(value) + 5, f"{value}", "right")
    for power in range(-3, 7):
        for digit in (1, 2, 5):
            value = digit * 10.0**power * 1e12
            if scale.first <= value <= scale.last:
                canvas.path(f"M{scale.x(value):g} {TOP}V{HEIGHT - FOOT}", "grid")
                canvas.text(scale.x(value), HEIGHT - FOOT + 20, f"{value / 1e12:g}")
    canvas.text(LEFT - 40, TOP - 16, "MCC, %, mean over sets, 95 %", "left")
    canvas.text(WIDTH - RIGHT, HEIGHT - 12, "TFLOP of training, all sets, one seed", "right")


def draw(record: BenchmarkRecord) -> str:
    """The figure of a record."""
    rows = trial_rows(record)
    canvas = Canvas(WIDTH, HEIGHT, "Results of tokenizers against compute")
    canvas.parts.append(STYLE + "<style>.key{--c:#77818c}</style>")
    legend(canvas)
    scale = Scale(rows)
    axes(canvas, scale)
    families: dict[tuple[str, bool], list[ArmRow]] = {}
    for row in rows:
        arm = row.arm
        if row.equal == "bases" and arm.identities and arm.layers and arm.alibi == "symmetric":
            families.setdefault((arm.family, arm.features), []).append(row)
    for (family, _), found in families.items():
        for one, other in pairwise(sorted(found, key=lambda row: row.operations)):
            ends = [
                f"{scale.x(row.operations):g} {scale.y(row.mean.interval.value):g}" for row in (one, other)
            ]
            canvas.path(f"M{ends[0]}L{ends[1]}", f"{COLOURS.get(family, 'bpe')} joined")
    for row in rows:
        x, interval = scale.x(row.operations), row.mean.interval
        colour = COLOURS.get(row.arm.family, "bpe")
        canvas.path(f"M{x:g} {scale.y(interval.low):g}V{scale.y(interval.high):g}", f"{colour} range")
        mark(canvas, row, x, scale.y(interval.value))
    return canvas.svg()


def main() -> None:
    """Write the figure of the newest record, if there is one."""
    try:
        record = BenchmarkRecord.from_json(table.newest(kinds=("matched",)))
    except FileNotFoundError:
        return
    TOKENIZERS.write_text(draw(matched_tables.with_others(record)), encoding="utf-8")


if __name__ == "__main__":
    main()
