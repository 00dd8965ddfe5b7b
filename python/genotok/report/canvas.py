"""What all plots share: the drawing surface, axes with units, and the keys of the legend."""

from __future__ import annotations

import io
import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from genotok.report.svg import FOREGROUND, GRID, inline
from genotok.report.tables import LegendEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MplAxis

__all__ = [
    "DASHES",
    "MARKERS",
    "MARKS",
    "MAX_SERIES",
    "Axis",
    "axes_of",
    "key_of",
    "label_rows",
    "marker_of",
    "scale",
    "short",
]

MARKERS = "os^DvP"
FILLS: tuple[Literal["full", "none", "left"], ...] = ("full", "none", "left")
"""After six series markers are hollow, after twelve filled by half."""

MARKS = ("●■▲◆▼✚", "○□△◇▽✛", "◐◧◭⬖⧨✜")
"""The same markers as characters, for the legend."""

DASHES = ("-", "--", ":")
STROKES = ("—", "- -", "···")
"""The same dashes as characters."""

MAX_SERIES = len(MARKERS) * len(DASHES)
"""More series in one plot could not be told apart; those beyond are left out, and the caption says so."""

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
WIDTH = 5.2
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
    """What an axis shows, with its unit.

    Attributes:
        label: The words beside it.
        log: Whether it is logarithmic; with a value of zero or less it is not.
        from_zero: Whether it begins at zero, or below if values are.
    """

    label: str
    log: bool = False
    from_zero: bool = True


@contextmanager
def axes_of(caption: str, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; the SVG is in the list afterwards."""
    drawn: list[str] = []
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": caption}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # characters that its font lacks; the browser has them
        canvas = Canvas(figsize=(WIDTH, height))
        FigureCanvasSVG(canvas)
        yield canvas.add_subplot(), drawn
        target = io.BytesIO()
        canvas.savefig(target, format="svg", metadata={"Date": None})
    drawn.append(inline(target.getvalue(), caption))


def scale(axes: Axes, x: Axis, y: Axis | None) -> None:
    """Labels with units, logarithmic axes where they are wanted, and numbers as people write them."""
    axes.set_xlabel(x.label)
    is_positive = [_is_positive(axes, side) for side in (0, 1)]
    if x.log and is_positive[0]:
        axes.set_xscale("log")
        _ticks(axes.xaxis, axes.get_xlim())
    else:
        if y is None and x.from_zero:
            axes.set_xlim(left=min(0, axes.get_xlim()[0]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    if y is not None:
        axes.set_ylabel(y.label)
        if y.log and is_positive[1]:
            axes.set_yscale("log")
            _ticks(axes.yaxis, axes.get_ylim())
        else:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))


def label_rows(axes: Axes, rows: Sequence[str]) -> None:
    """A name for each row, the first on top."""
    axes.set_yticks(range(len(rows)), [short(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)


def key_of(number: int, name: str, note: str = "", *, line: bool = True) -> LegendEntry:
    """The entry of a series in the legend."""
    cycle, place = divmod(number % MAX_SERIES, len(MARKERS))
    mark = f"{STROKES[cycle]}{MARKS[0][place]}" if line else MARKS[cycle][place]
    return LegendEntry(name, place + 1, mark, note)


def marker_of(number: int, size: float) -> dict[str, Any]:
    """The marker of a series that is no line."""
    cycle, place = divmod(number % MAX_SERIES, len(MARKERS))
    return {"marker": MARKERS[place], "markersize": size, "fillstyle": FILLS[cycle]}


def short(name: str) -> str:
    """A name of at most 32 characters."""
    return name if len(name) <= 32 else f"{name[:16]}…{name[-15:]}"


def _is_positive(axes: Axes, side: int) -> bool:
    """Whether a logarithmic axis can show all that is drawn."""
    values: list[Any] = [value for line in axes.lines for value in np.ravel(line.get_data()[side])]
    return bool(values) and all(value > 0 for value in values)


def _ticks(axis: MplAxis, limits: tuple[float, float]) -> None:
    """Ticks of a logarithmic axis at powers of ten, over few decades also at twice and five times that."""
    decades = math.log10(limits[1] / limits[0])
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _written(value)))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float) -> str:
    """`2,000`, `0.25`, `1e+09`."""
    shown = f"{value:,.0f}" if 1e3 <= abs(value) < 1e7 else f"{value:g}"
    return shown.replace("-", "−")


def _written(value: float) -> str:
    """`0.01`, `5,000`, `10⁻⁶`."""
    if 1e-3 < value < 1e6:
        return f"{value:,.0f}" if value >= 1 else f"{value:g}"
    power = round(math.log10(value))
    factor = value / 10**power
    head = "" if abs(factor - 1) < 1e-6 else f"{factor:g}·"
    return f"{head}10{str(power).translate(RAISED)}"
