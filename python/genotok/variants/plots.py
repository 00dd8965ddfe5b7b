"""A heat map of all substitutions of a region, below a sequence logo, as one SVG.

The logo takes the scores of the four bases at a place, 0 for the base that is there, as logarithms of their
probabilities up to a constant: p = softmax(scores). A column is 2 - H(p) bits high, and each base takes its
share p of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genotok.errors import ArgumentError
from genotok.variants.rows import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genotok.variants.saturation import Mutations

__all__ = ["MAX_PLOTTED", "heat_map"]

MAX_PLOTTED = 5_000
"""Bases of the longest region that is plotted."""

PER_LINE = 100
CELL = 9
LOGO = 46
LEFT = 30
LINE = LOGO + len(BASES) * CELL + 40
COLOURS = {"A": "#3a9d4f", "C": "#3f7fd0", "G": "#c9803d", "T": "#cf4a4a"}
STYLE = (
    "text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#59636e}"
    ".logo text{font-weight:bold;font-size:10px}"
    "@media (prefers-color-scheme:dark){text{fill:#9aa4af}}"
)


def heat_map(found: Mutations, score: str) -> str:
    """The figure, with a title and a scale; blue is less likely than the reference, red more.

    Raises:
        ArgumentError: The region is too long, or there are no such scores.
    """
    values = found.matrix(score)
    if len(values) > MAX_PLOTTED:
        raise ArgumentError(f"plot: {len(values):,} bases are too many; at most {MAX_PLOTTED:,} are plotted")
    finite = np.abs(values[np.isfinite(values)])
    scale = float(np.quantile(finite, 0.99)) if len(finite) else 0.0
    width, lines = LEFT + PER_LINE * CELL + 10, -(-len(values) // PER_LINE)
    title = f"genotok mutagenesis: {score} of {found.region}; blue below 0, red above, full at {scale:.3g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {lines * LINE + 24}" role="img">',
        f"<title>{_escaped(title)}</title><style>{STYLE}</style>",
        f'<text x="{LEFT}" y="14">{_escaped(title)}</text>',
    ]
    for number in range(lines):
        first = number * PER_LINE
        some = values[first : first + PER_LINE]
        parts.append(f'<g transform="translate({LEFT} {24 + number * LINE})">')
        parts += [
            *_logo(some),
            *_cells(some, scale or 1.0),
            *_axis(found.region.start + first + 1, len(some)),
        ]
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _logo(values: NDArray[np.float64]) -> Iterator[str]:
    """The stacked bases of each place, that of the highest probability on top."""
    yield '<g class="logo">'
    for at, scores in enumerate(values):
        if np.isnan(scores).any():
            continue
        p = np.exp(scores - scores.max())
        p /= p.sum()
        bits = 2 + float((p * np.log2(np.maximum(p, 1e-12))).sum())
        below = 0.0
        for number in np.argsort(p):
            height = p[number] * bits / 2 * LOGO
            if height >= 0.5:
                base, y = BASES[number], LOGO - below
                shape = f"translate({at * CELL:g} {y:.1f}) scale(1.45 {height / 7.3:.3f})"
                yield f'<text transform="{shape}" style="fill:{COLOURS[base]}">{base}</text>'
            below += height
    yield "</g>"


def _cells(values: NDArray[np.float64], scale: float) -> Iterator[str]:
    """A row of cells for each base; none where there is no score."""
    for number, base in enumerate(BASES):
        y = LOGO + 4 + number * CELL
        yield f'<text x="-12" y="{y + 8}">{base}</text>'
        for at, value in enumerate(values[:, number].tolist()):
            if value == value:  # noqa: PLR0124 - no NaN
                place = f'x="{at * CELL}" y="{y}" width="{CELL}" height="{CELL}"'
                yield f'<rect {place} fill="{_colour(value / scale)}"/>'


def _axis(first: int, number: int) -> Iterator[str]:
    """The position of every twentieth base."""
    for at in range(0, number, 20):
        yield f'<text x="{at * CELL}" y="{LOGO + len(BASES) * CELL + 18}">{first + at:,}</text>'


def _colour(value: float) -> str:
    """Blue for -1 and less, a light grey for 0, red for 1 and more."""
    share = min(abs(value), 1.0)
    end = (63, 127, 208) if value < 0 else (207, 74, 74)
    parts = (round(236 + (colour - 236) * share) for colour in end)
    return "#" + "".join(f"{part:02x}" for part in parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
