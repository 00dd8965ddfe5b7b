"""Draws `gue.svg`: baselines of GUE, with intervals and seeds, beside published results.

`make tables` runs it:

python -m docs.figures.draw_gue
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import gue_table, table
from docs.figures.canvas import Canvas

from genotok.evaluation.baselines import BASELINES
from genotok.run_records.schemas import BaselineRecord

if TYPE_CHECKING:
    from genotok.evaluation.mean_result import MeanResult

GUE = Path(__file__).resolve().parent / "gue.svg"

WIDTH, LEFT, RIGHT, TOP, ROW, FOOT = 868, 198, 20, 66, 26, 44
NAMED = ("DNABERT-2", "NT-2500M-multi")
LEGEND = (
    ("dot", "averaged baseline, 95 %, seeds"),
    ("clean", "clean rows"),
    ("cross", "DNABERT-2"),
    ("plus", "NT-2500M-multi"),
    ("tick", "other models"),
)


def x_of(value: float) -> float:
    """The place of a result in percent."""
    return round(LEFT + max(value, 0) / 100 * (WIDTH - LEFT - RIGHT), 1)


def mark(canvas: Canvas, kind: str, x: float, y: float) -> None:
    """A marker."""
    shapes = {
        "dot": f'<circle cx="{x:g}" cy="{y:g}" r="5" class="dot"/>',
        "clean": f'<circle cx="{x:g}" cy="{y:g}" r="4.5" class="hollow"/>',
        "seed": f'<circle cx="{x:g}" cy="{y:g}" r="2" class="hollow"/>',
        "cross": f'<path d="M{x - 4:g} {y - 4:g}l8 8m0 -8l-8 8" class="mark"/>',
        "plus": f'<path d="M{x - 5:g} {y:g}h10m-5 -5v10" class="mark"/>',
        "tick": f'<path d="M{x:g} {y - 4:g}v8" class="line"/>',
    }
    canvas.parts.append(shapes[kind])


def measured(canvas: Canvas, found: MeanResult, y: float, kind: str) -> None:
    """A result with its interval."""
    low, high = found.interval.low, found.interval.high
    canvas.path(f"M{x_of(low):g} {y:g}H{x_of(high):g}", "curve")
    mark(canvas, kind, x_of(found.interval.value), y)


def draw_row(canvas: Canvas, row: gue_table.Row, seeds: list[float], y: float) -> None:
    """A set: published results on the line, baselines below it."""
    name = f"{row.known.name}{'*' if row.is_reduced else ''}"
    canvas.text(LEFT - 12, y + 5, name, "right in" if row.baselines else "right")
    canvas.path(f"M{LEFT} {y:g}H{WIDTH - RIGHT}", "grid")
    for model, value in row.published.items():
        if model not in NAMED:
            mark(canvas, "tick", x_of(value), y)
    for model, kind in zip(NAMED, ("cross", "plus"), strict=True):
        mark(canvas, kind, x_of(row.published[model]), y)
    average = row.baselines.get(BASELINES["average"])
    if average is not None:
        for seed in seeds:
            mark(canvas, "seed", x_of(seed), y)
        measured(canvas, average, y, "dot")
    if row.clean is not None:
        measured(canvas, row.clean, y + 8, "clean")


def draw(record: BaselineRecord) -> str:
    """The figure of a record."""
    found = gue_table.rows(record)
    runs = {str(one["name"]): one for one in record.sets}
    canvas = Canvas(WIDTH, TOP + ROW * len(found) + FOOT, "Baselines of GUE beside published results")
    canvas.parts.append(
        "<style>.dot{fill:#c2410c;stroke:none}.hollow{fill:none;stroke:#c2410c;stroke-width:1.5}"
        ".mark{fill:none;stroke:#59636e;stroke-width:2}.curve{stroke:#c2410c}"
        "@media (prefers-color-scheme:dark){.dot{fill:#fb923c}.hollow,.curve{stroke:#fb923c}"
        ".mark{stroke:#d0d7de}}</style>"
    )
    place = 8.0
    for kind, title in LEGEND:
        if kind == "clean" and not any(row.clean for row in found):
            continue
        mark(canvas, kind, place + 6, 16)
        canvas.text(place + 18, 21, title, "left")
        place += 30 + 8.5 * len(title)
    for value in range(0, 101, 20):
        canvas.path(f"M{x_of(value):g} {TOP - 16}V{TOP + ROW * len(found)}", "grid")
        canvas.text(x_of(value), TOP - 22, f"{value}")
        canvas.text(x_of(value), TOP + ROW * len(found) + 16, f"{value}")
    for number, row in enumerate(found):
        one = runs.get(row.known.name)
        seeds = (
            [100 * run["test"][one["metric"]] for run in one["baselines"]["average"]["runs"]] if one else []
        )
        draw_row(canvas, row, seeds if len(seeds) > 1 else [], TOP + ROW * (number + 0.5) - 8)
    canvas.text(WIDTH - RIGHT, TOP + ROW * len(found) + 36, "MCC, of covid macro F1, %", "right")
    return canvas.svg()


def main() -> None:
    """Write the figure of the newest record."""
    record = gue_table.completed(BaselineRecord.from_json(table.newest(kinds=("baseline",))))
    GUE.write_text(draw(record), encoding="utf-8")


if __name__ == "__main__":
    main()
