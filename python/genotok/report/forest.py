"""Forest plots: estimates with their intervals, a row for each set, and the runs that they are means of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.report.canvas import MAX_SERIES, Axis, axes_of, key_of, label_rows, marker_of, scale
from genotok.report.svg import FOREGROUND, GRID, SERIES_COLOURS
from genotok.report.tables import Figure, LegendEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["MAX_ROWS", "Estimate", "Estimates", "forest"]

MAX_ROWS = 24
"""Rows of a plot; more make several plots."""

REFERENCES = ("|", "x", "+", "_", "1", "2")
REFERENCE_MARKS = ("│", "×", "+", "−", "⅄", "Y")
"""Markers of results without runs and intervals, such as published ones, and the same as characters."""

NOTE = "Large marker: mean over seeds; line: 95 % interval; small circles: seeds."
SERIES_HEIGHT, ROW_GAP = 0.15, 0.14


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its interval if there is one, and the values of the runs that it is the mean of."""

    value: float
    low: float | None = None
    high: float | None = None
    runs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimates:
    """A series: an estimate for each row, None where there is none.

    A reference, such as published results, is drawn in the colour of text at the middle of its row.
    """

    name: str
    values: tuple[Estimate | None, ...]
    is_reference: bool = False


def forest(caption: str, rows: Sequence[str], series: Sequence[Estimates], x: Axis) -> list[Figure]:
    """The plots of all rows, at most `MAX_ROWS` in each; series of a row stand below each other."""
    parts = [range(at, min(at + MAX_ROWS, len(rows))) for at in range(0, len(rows), MAX_ROWS)]
    found = []
    for number, part in enumerate(parts, 1):
        shown = [
            Estimates(each.name, tuple(each.values[row] for row in part), each.is_reference)
            for each in series
        ]
        place = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
        found.append(_plot(f"{caption}{place}", [rows[row] for row in part], shown, x))
    return found


def _plot(caption: str, rows: list[str], series: list[Estimates], x: Axis) -> Figure:
    """One plot."""
    measured = [each for each in series if not each.is_reference]
    references = [each for each in series if each.is_reference and any(each.values)][: len(REFERENCES)]
    shown = measured[:MAX_SERIES]
    height = 0.75 + max(len(rows) * (ROW_GAP + SERIES_HEIGHT * max(len(shown), 1)), 0.6)
    keys = []
    with axes_of(caption, height) as (axes, drawn):
        for row in range(0, len(rows), 2):
            axes.axhspan(row - 0.5, row + 0.5, facecolor=GRID, alpha=0.35, linewidth=0)
        for number, each in enumerate(references):
            _reference(axes, number, each)
        for number, each in enumerate(shown):
            aside = 0.72 * (number - (len(shown) - 1) / 2) / len(shown)
            for row, estimate in enumerate(each.values):
                if estimate is not None:
                    _estimate(axes, number, estimate, row + aside)
            note = "" if any(each.values) else "no data"
            keys.append(key_of(number, each.name, note, line=False))
        label_rows(axes, rows)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        scale(axes, x, None)
        if axes.get_xlim()[0] < 0:
            axes.axvline(0, color=FOREGROUND, linewidth=0.8)
    keys += [LegendEntry(each.name, 0, REFERENCE_MARKS[number]) for number, each in enumerate(references)]
    left = len(measured) - len(shown)
    note = f" ({left} more are in the table)" if left > 0 else ""
    return Figure(f"{caption}{note}", drawn[0], tuple(keys), NOTE)


def _estimate(axes: Axes, number: int, one: Estimate, place: float) -> None:
    """A marker with its interval, and the runs as small circles."""
    colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
    if one.low is not None and one.high is not None:
        axes.plot([one.low, one.high], [place, place], color=colour, linewidth=1.8, marker="|", markersize=5)
    axes.plot(
        [one.value],
        [place],
        color=colour,
        linestyle="none",
        **marker_of(number, 6),
    )
    if len(one.runs) > 1:
        axes.plot(
            one.runs,
            [place] * len(one.runs),
            color=colour,
            marker="o",
            markersize=3.6,
            fillstyle="none",
            markeredgewidth=0.9,
            linestyle="none",
        )


def _reference(axes: Axes, number: int, each: Estimates) -> None:
    """Markers of one reference."""
    there = [(one.value, row) for row, one in enumerate(each.values) if one is not None]
    axes.plot(
        [value for value, _ in there],
        [row for _, row in there],
        color=FOREGROUND,
        marker=REFERENCES[number],
        markersize=15 if REFERENCES[number] == "|" else 7,
        markeredgewidth=1.3,
        linestyle="none",
    )
