"""Draws `speed-light.svg` and `speed-dark.svg`: training and encoding beside other tools.

The numbers are those of the newest records. `make tables` runs it:

python -m docs.figures.draw_speed
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import table
from benchmarks.train import OURS

from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent

WIDTH, LEFT, RIGHT, TOP, ROW, GROUP, FOOT = 860, 190, 130, 6, 19, 30, 58
LOWEST, HIGHEST = 0.5, 2000.0
DECADES = (1, 10, 100, 1000)
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours of one scheme."""

    text: str
    quiet: str
    ours: str
    others: str


SCHEMES = {
    "light": Palette(text="#1f2328", quiet="#59636e", ours="#c2410c", others="#57606a"),
    "dark": Palette(text="#f0f6fc", quiet="#9198a1", ours="#fb923c", others="#9198a1"),
}


@dataclass(frozen=True)
class Group:
    """One comparison: what was done, and the speed of each tool in Mbp/s."""

    title: str
    speeds: tuple[tuple[str, float], ...]


def _record(kind: str) -> BenchmarkRecord:
    return BenchmarkRecord.from_json(table.newest(kinds=(kind,)))


def _case(record: BenchmarkRecord, key: str) -> dict[str, Any]:
    return next(case for case in record.cases if case["key"] == key)


def _group(title: str, case: dict[str, Any], bases: int, threads: int) -> Group:
    """The results of a case with this number of threads; those of training do not name theirs."""
    results = [one for one in case["results"] if one.get("threads", threads) == threads]
    return Group(title, tuple((one["engine"], bases / one["median_seconds"] / 1e6) for one in results))


def groups() -> tuple[Group, ...]:
    """What the figure shows. Both read one chromosome; the record of encoding states its bases."""
    train, encode = _record("train"), _record("encode")
    whole = _case(encode, "chromosome")
    windows, files = _case(encode, "windows"), _case(encode, "file-windows")
    return (
        _group(
            "Train 4,096 tokens on human chromosome 20 in words of 1 kb, 2 threads",
            _case(train, "chr20-cut"),
            whole["bases"],
            2,
        ),
        _group("Encode the chromosome as one string, 1 thread", whole, whole["bases"], 1),
        _group("Encode windows of 1 kb, 1 thread", windows, windows["bases"], 1),
        _group("FASTA file to Arrow file in windows of 1 kb, 2 threads", files, files["bases"], 2),
    )


def _x(speed: float) -> float:
    share = math.log(speed / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, content: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{content}</text>'


def _number(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}"


def _rows(group: Group, y: float, palette: Palette) -> Iterator[str]:
    """A heading, and below it a line for each tool with its dot and its number."""
    yield _text(0, y + 19, group.title, font_weight="600", fill=palette.text)
    fastest = dict(group.speeds)[OURS]
    for index, (name, speed) in enumerate(group.speeds):
        middle = y + GROUP + ROW * index + ROW / 2
        is_ours = name == OURS
        colour = palette.ours if is_ours else palette.others
        weight = "600" if is_ours else "400"
        line = f"M{LEFT} {middle:g}H{_x(speed) - 8:.1f}"
        yield f'<path d="{line}" stroke="{palette.quiet}" stroke-dasharray="1 3"/>'
        yield _text(LEFT - 12, middle + 4.5, name, text_anchor="end", fill=palette.text, font_weight=weight)
        yield f'<circle cx="{_x(speed):.1f}" cy="{middle:g}" r="{6 if is_ours else 5}" fill="{colour}"/>'
        ratio = "" if is_ours else f"  ({_number(fastest / speed)}× slower)"
        label = f"{_number(speed)} Mbp/s{ratio}"
        yield _text(round(_x(speed) + 11, 1), middle + 4.5, label, fill=colour, font_weight=weight)


def _foot(y: float, palette: Palette) -> Iterator[str]:
    """The axis, and where the numbers are from."""
    yield f'<path d="M{LEFT} {y:g}H{WIDTH - RIGHT}" stroke="{palette.quiet}"/>'
    for decade in DECADES:
        yield f'<path d="M{_x(decade):.1f} {y:g}v5" stroke="{palette.quiet}"/>'
        yield _text(
            round(_x(decade), 1),
            y + 19,
            f"{decade:,}",
            text_anchor="middle",
            fill=palette.quiet,
            font_size="12",
        )
    yield _text(WIDTH - RIGHT + 11, y + 19, "Mbp/s, log scale", fill=palette.quiet, font_size="12")
    train, encode = _record("train").provenance, _record("encode").provenance
    machine = f"{encode.machine['cpu']}, {encode.machine['cpu_cores']} cores"
    line = (
        f"{machine}; medians of {train.date} and {encode.date}; "
        "equal merges and equal ids are asserted before anything is timed"
    )
    yield _text(0, y + 40, line, fill=palette.quiet, font_size="12")


def figure(palette: Palette) -> str:
    """The SVG in these colours, on a transparent ground."""
    parts: list[str] = []
    y = float(TOP)
    for group in groups():
        parts += _rows(group, y, palette)
        y += GROUP + ROW * len(group.speeds)
    parts += _foot(y + 10, palette)
    height = y + FOOT
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'font-family="{FONT}" font-size="13.5">'
    )
    title = "<title>Speed of genotok and other tools in million bases per second</title>"
    return "\n".join([head, title, *parts, "</svg>\n"])


def main() -> None:
    """Write both files."""
    for name, palette in SCHEMES.items():
        (HERE / f"speed-{name}.svg").write_text(figure(palette), encoding="utf-8")


if __name__ == "__main__":
    main()
