"""The plots: lines and dots, drawn by matplotlib without a screen, returned as SVG for the page.

Each series has a colour and a marker of its own, and lines change their dashes after six, so that no plot is
read by colour alone. The legend is the page's, as it can wrap there. Drawn twice, a plot is the same text.
"""

from __future__ import annotations

import io
import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from genotok.report.svg import FOREGROUND, GRID, SERIES_COLOURS, inline
from genotok.report.tables import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MplAxis

__all__ = ["MARKERS", "MOST_SERIES", "Axis", "Series", "dots", "lines"]

MARKERS = "os^DvP"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DASHES = ("-", "--", ":")
MOST_SERIES = len(MARKERS) * len(DASHES)
"""More series in one plot could not be told apart; those beyond are left out, and the caption says so."""

DODGE = 0.5
"""Dots of a row stand so much apart, in rows, from the first series to the last: equal ones stay visible."""

WIDTH, LINE_HEIGHT, PLOT_HEIGHT = 5.2, 0.27, 3.2
SETTINGS: dict[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.size": 10,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": FOREGROUND,
    "axes.labelcolor": FOREGROUND,
    "axes.edgecolor": FOREGROUND,
    "xtick.color": FOREGROUND,
    "ytick.color": FOREGROUND,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, with its unit, and whether it is logarithmic."""

    label: str
    log: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A named series of points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def lines(caption: str, series: Sequence[Series], x: Axis, y: Axis, *, mark: float | None = None) -> Figure:
    """Lines with markers; `mark` draws a vertical line at a value of x that matters."""
    shown = series[:MOST_SERIES]
    with _axes(caption, PLOT_HEIGHT) as (axes, drawn):
        for number, each in enumerate(shown):
            axes.plot(
                each.x,
                each.y,
                color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
                linestyle=DASHES[number // len(MARKERS)],
                marker=MARKERS[number % len(MARKERS)],
                markersize=4,
                markevery=max(len(each.x) // 12, 1),
                linewidth=1.4,
            )
        if mark is not None:
            axes.axvline(mark, color=FOREGROUND, linewidth=1, linestyle=(0, (2, 2)))
        _scale(axes, x, y)
    return Figure(_caption(caption, series), drawn[0], tuple(each.name for each in shown))


def dots(caption: str, rows: Sequence[str], series: Sequence[Series], x: Axis) -> Figure:
    """A row for each name and a dot for each series in it: `Series.y` are numbers of rows."""
    shown = series[:MOST_SERIES]
    with _axes(caption, 0.8 + LINE_HEIGHT * max(len(rows), 3)) as (axes, drawn):
        for number, each in enumerate(shown):
            aside = DODGE * (number - (len(shown) - 1) / 2) / max(len(shown) - 1, 1)
            axes.plot(
                each.x,
                [place + aside for place in each.y],
                color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
                linestyle="none",
                marker=MARKERS[number % len(MARKERS)],
                markersize=5.5,
                fillstyle="full" if number < len(MARKERS) else "none",
            )
        axes.set_yticks(range(len(rows)), [_short(row) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        _scale(axes, x, None)
    return Figure(_caption(caption, series), drawn[0], tuple(each.name for each in shown))


@contextmanager
def _axes(caption: str, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; the SVG is in the list afterwards."""
    drawn: list[str] = []
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": caption}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that its font lacks: the browser's has them
        canvas = Canvas(figsize=(WIDTH, height))
        FigureCanvasSVG(canvas)
        yield canvas.add_subplot(), drawn
        target = io.BytesIO()
        canvas.savefig(target, format="svg", metadata={"Date": None})
    drawn.append(inline(target.getvalue(), caption))


def _scale(axes: Axes, x: Axis, y: Axis | None) -> None:
    """Labels with units, logarithmic axes where they are wanted, and numbers as people write them."""
    axes.set_xlabel(x.label)
    if x.log:
        axes.set_xscale("log")
        _ticks(axes.xaxis, axes.get_xlim())
    elif y is None:
        axes.set_xlim(left=min(0, axes.get_xlim()[0]))
    if y is not None:
        axes.set_ylabel(y.label)
        if y.log:
            axes.set_yscale("log")
            _ticks(axes.yaxis, axes.get_ylim())


def _ticks(axis: MplAxis, limits: tuple[float, float]) -> None:
    """Ticks of a logarithmic axis at powers of ten, over few decades also at twice and five times that."""
    decades = math.log10(limits[1] / limits[0])
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _written(value)))
    axis.set_minor_formatter(NullFormatter())


def _written(value: float) -> str:
    """`0.01`, `5,000`, `10⁻⁶`."""
    if 1e-3 < value < 1e6:
        return f"{value:,.0f}" if value >= 1 else f"{value:g}"
    power = round(math.log10(value))
    factor = value / 10**power
    head = "" if abs(factor - 1) < 1e-6 else f"{factor:g}·"
    return f"{head}10{str(power).translate(RAISED)}"


def _short(name: str) -> str:
    """A name that leaves room for the plot."""
    return name if len(name) <= 28 else f"{name[:14]}…{name[-13:]}"


def _caption(caption: str, series: Sequence[Series]) -> str:
    """The caption, and how many series were left out."""
    left = len(series) - MOST_SERIES
    return f"{caption} ({left} more are in the table)" if left > 0 else caption
