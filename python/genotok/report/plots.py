"""The plots: lines, stems and dots, drawn by matplotlib without a screen, returned as SVG for the page.

Each series has a colour and a marker of its own, and lines change their dashes after six, so that no plot is
read by colour alone. The legend is the page's, as it can wrap there. No series hides another: markers of
lines are staggered, a line that shares points with a later one is wider, and dots and stems of one place
stand next to each other or around each other. Drawn twice, a plot is the same text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genotok.report.canvas import (
    DASHES,
    MARKERS,
    MAX_SERIES,
    Axis,
    axes_of,
    key_of,
    label_rows,
    marker_of,
    scale,
)
from genotok.report.svg import FOREGROUND, SERIES_COLOURS
from genotok.report.tables import Figure, LegendEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["MARKERS", "MAX_SERIES", "Axis", "Level", "Series", "dots", "lines", "stems"]

DODGE = 0.5
"""Dots of a row stand so much apart, in rows, from the first series to the last: equal ones stay visible."""

LINE_HEIGHT, PLOT_HEIGHT = 0.27, 3.2
MARKERS_OF_LINE = 12
FEW_PLACES = 4
"""So few values of x are the ticks themselves."""
MAX_LINEAR = 16
"""A wider range of whole numbers has a logarithmic axis, as most of them are small."""


@dataclass(frozen=True, slots=True)
class Series:
    """A named series of points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Level:
    """A value of y that lines are to be compared with, such as that of a baseline."""

    name: str
    y: float


def lines(
    caption: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    mark: float | None = None,
    levels: Sequence[Level] = (),
) -> Figure:
    """Lines with markers.

    Args:
        caption: What the plot shows.
        series: The lines; one of a single point is a marker, and one without points is named as empty.
        x: What is on the horizontal axis.
        y: What is on the vertical axis.
        mark: A value of x that matters: a vertical line.
        levels: Horizontal lines.
    """
    shown = series[:MAX_SERIES]
    keys = []
    with axes_of(caption, PLOT_HEIGHT) as (axes, drawn):
        for number, each in enumerate(shown):
            same = _same(each, shown[:number])
            _line(axes, number, shown)
            keys.append(key_of(number, each.name, _note(each, same)))
        scale(axes, x, y)
        places = sorted({place for each in shown for place in each.x})
        if not x.log and 0 < len(places) <= FEW_PLACES:
            axes.set_xticks(places)
        for number, level in enumerate(levels):
            style = (0, (4, 2)) if number == 0 else (0, (1, 2))
            axes.axhline(level.y, color=FOREGROUND, linewidth=1.1, linestyle=style)
            keys.append(LegendEntry(level.name, 0, "╌╌" if number == 0 else "····"))
        if mark is not None:
            axes.axvline(mark, color=FOREGROUND, linewidth=1, linestyle=(0, (2, 2)))
    return Figure(_caption(caption, series), drawn[0], tuple(keys))


def stems(caption: str, series: Sequence[Series], x: Axis, y: Axis) -> Figure:
    """Shares of whole numbers: a stem with a marker for each, series next to each other."""
    shown = series[:MAX_SERIES]
    places = sorted({place for each in shown for place in each.x})
    is_wide = bool(places) and places[0] > 0 and places[-1] - places[0] > MAX_LINEAR
    with axes_of(caption, PLOT_HEIGHT) as (axes, drawn):
        for number, each in enumerate(shown):
            aside = _aside(number, len(shown))
            at = [place * (1 + aside / 3) if is_wide else place + aside for place in each.x]
            colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
            size = _nested(number, shown) if len(each.x) == 1 else 4.5
            axes.vlines(at, 0, each.y, colors=colour, linewidth=1.6)
            axes.plot(at, each.y, color=colour, linestyle="none", **marker_of(number, size))
        scale(axes, replace(x, log=is_wide), y)
        if places and not is_wide:
            axes.set_xlim(places[0] - 1, places[-1] + 1)
        if places and places[-1] - places[0] <= MAX_LINEAR:
            axes.set_xticks(range(math.floor(places[0]), math.ceil(places[-1]) + 1))
        axes.set_ylim(bottom=0)
    keys = tuple(key_of(number, each.name, _note(each, ""), line=False) for number, each in enumerate(shown))
    return Figure(_caption(caption, series), drawn[0], keys)


def dots(caption: str, rows: Sequence[str], series: Sequence[Series], x: Axis) -> Figure:
    """A row for each name and a dot for each series in it: `Series.y` are numbers of rows."""
    shown = series[:MAX_SERIES]
    with axes_of(caption, 0.8 + LINE_HEIGHT * max(len(rows), 3)) as (axes, drawn):
        for number, each in enumerate(shown):
            aside = _aside(number, len(shown))
            places = [place + aside for place in each.y]
            colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
            axes.plot(each.x, places, color=colour, linestyle="none", **marker_of(number, 5.5))
        label_rows(axes, rows)
        scale(axes, x, None)
    keys = tuple(key_of(number, each.name, _note(each, ""), line=False) for number, each in enumerate(shown))
    return Figure(_caption(caption, series), drawn[0], keys)


def _line(axes: Axes, number: int, shown: Sequence[Series]) -> None:
    """One line; the more later ones share points with it, the larger its markers are.

    It is wider for each that shares half of its points. Its markers begin at a place of its own, so that
    those of long equal lines alternate.
    """
    series = shown[number]
    points = set(zip(series.x, series.y, strict=True))
    shared = [len(points & set(zip(each.x, each.y, strict=True))) for each in shown[number + 1 :]]
    below = min(sum(count > 0 for count in shared), 3)
    under = min(sum(2 * count >= max(len(points), 1) for count in shared), 3)
    every = max(len(series.x) // MARKERS_OF_LINE, 1)
    axes.plot(
        series.x,
        series.y,
        color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
        linestyle=DASHES[number // len(MARKERS) % len(DASHES)],
        marker=MARKERS[number % len(MARKERS)],
        markersize=_nested(number, shown) if len(series.x) == 1 else 4 + 2.5 * below,
        markevery=(number * every // 3 % every, every),
        linewidth=1.4 + 1.6 * under,
        alpha=0.65 if under else None,
    )


def _nested(number: int, shown: Sequence[Series]) -> float:
    """The size of the marker of a series of one point: the larger, the more such are drawn over it."""
    return 5 + 2.5 * sum(len(each.x) == 1 for each in shown[number + 1 :])


def _same(series: Series, others: Sequence[Series]) -> str:
    """The name of the one of `others` that has the same points; "" if none has, or there are no points."""
    points = (list(series.x), list(series.y))
    return next((other.name for other in others if points == (list(other.x), list(other.y)) != ([], [])), "")


def _note(series: Series, same: str) -> str:
    """What the legend adds to a name."""
    if not series.x:
        return "no data"
    return f"the same values as {same}" if same else ""


def _aside(number: int, count: int) -> float:
    """How far from its place a series is drawn."""
    return DODGE * (number - (count - 1) / 2) / max(count - 1, 1)


def _caption(caption: str, series: Sequence[Series]) -> str:
    """The caption, and how many series were left out."""
    left = len(series) - MAX_SERIES
    return f"{caption} ({left} more are in the table)" if left > 0 else caption
