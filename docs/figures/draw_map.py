"""Draws `map.svg`: the packages in layers, and which of them each walk of ARCHITECTURE.md passes.

python docs/figures/draw_map.py
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
ARCHITECTURE = HERE.parent.parent / "ARCHITECTURE.md"
MAP = HERE / "map.svg"

# From top to bottom; a package uses only packages in lower rows.
PYTHON = (
    ("cli",),
    ("report", "multiqc", "browse"),
    ("compare",),
    ("pretrain", "finetune", "variants"),
    ("baseline",),
    ("distributed", "embedding", "evaluation", "training"),
    ("dataset", "gue", "study"),
    ("model_folder", "rows"),
    ("corpus",),
    ("tokenizer", "model"),
    ("options", "run_records"),
    ("files", "webpage"),
    ("errors", "_native"),
)
RUST = (
    ("session",),
    ("stream",),
    ("batch", "rows"),
    ("tokenizer",),
    ("kmer", "loci", "bpe::train"),
    ("bpe::encode",),
    ("bpe", "check"),
    ("corpus",),
    ("io",),
    ("verdict",),
    ("threads", "instructions", "monitor", "alphabet"),
    ("error",),
)
COLOURS = ("#c2410c", "#1d4ed8", "#15803d")

WIDTH, PANEL, TOP, ROW, BOX, GAP = 960, 450, 44, 40, 30, 8
FONT = 'font-family="ui-monospace, SFMono-Regular, Menlo, monospace" font-size="13"'
HEIGHT = TOP + ROW * len(RUST) + 52


def walks(text: str) -> list[tuple[str, list[str]]]:
    """Title and steps (`path::name`) of each walk in the text of ARCHITECTURE.md."""
    sections = text.partition("## Three walks")[2].split("\n### ")[1:]
    return [
        (section.partition("\n")[0], re.findall(r"^\| `([\w/.]+::\w+)`", section, re.MULTILINE))
        for section in sections
    ]


def package(step: str) -> tuple[str, str]:
    """The panel and the package that a step belongs to."""
    parts = step.partition("::")[0].removesuffix(".rs").removesuffix(".py").split("/")
    if parts[:2] == ["rust", "python"]:
        return "binding", "binding"
    panel, names = parts[0], parts[2:]
    return panel, "::".join(names[:2]) if names[:2] in (["bpe", "encode"], ["bpe", "train"]) else names[0]


def text_at(x: float, y: float, content: str, **style: str) -> str:
    """A line of text, centred at x."""
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle"{attributes}>{content}</text>'


def mark(x: float, y: float, number: int) -> Iterator[str]:
    """The number of a walk in a circle of its colour."""
    yield f'<circle cx="{x:g}" cy="{y:g}" r="8" fill="{COLOURS[number]}"/>'
    yield text_at(x, y + 4, str(number + 1), fill="#ffffff", font_size="11")


def box(x: float, y: float, width: float, name: str, numbers: list[int]) -> Iterator[str]:
    """A package with the numbers of the walks that pass it."""
    yield (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="4" fill="#eef2f6" stroke="#8c959f"/>'
    )
    yield text_at(x + (width - 18 * len(numbers)) / 2, y + 20, name, fill="#1f2328")
    for place, number in enumerate(reversed(numbers)):
        yield from mark(x + width - 14 - 18 * place, y + BOX / 2, number)


def panel(
    left: float, title: str, rows: tuple[tuple[str, ...], ...], passed: dict[str, list[int]]
) -> Iterator[str]:
    """The packages of one language, aligned at the bottom."""
    yield text_at(left + PANEL / 2, 26, title, fill="#6e7781", font_weight="bold")
    first = TOP + ROW * (len(RUST) - len(rows))
    for number, names in enumerate(rows):
        width = (PANEL - GAP * (len(names) - 1)) / len(names)
        for place, name in enumerate(names):
            x = left + place * (width + GAP)
            yield from box(x, first + number * ROW, width, name, passed.get(name, []))


def draw(text: str) -> str:
    """The figure for the text of ARCHITECTURE.md."""
    passed: dict[str, dict[str, list[int]]] = {"python": {}, "rust": {}, "binding": {}}
    found = walks(text)
    for number, (_, steps) in enumerate(found):
        for side, name in dict.fromkeys(map(package, steps)):
            passed[side].setdefault(name, []).append(number)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 {WIDTH + 8} {HEIGHT}" {FONT}>',
        "<title>The packages of genotok in layers; a package uses only those below it</title>",
        *panel(0, "python/genotok", PYTHON, passed["python"]),
        *panel(WIDTH - PANEL, "rust/src", RUST, passed["rust"]),
    ]
    middle, height = TOP + ROW * len(RUST) / 2, ROW * len(RUST) - GAP - 2
    binding = passed["binding"].get("binding", [])
    lines.append(
        f'<rect x="{PANEL + 12}" y="{TOP}" width="{WIDTH - 2 * PANEL - 24}" height="{height}" '
        'rx="4" fill="#eef2f6" stroke="#8c959f"/>'
    )
    lines.append(
        f'<g transform="rotate(-90 {WIDTH / 2:g} {middle:g})">'
        + text_at(WIDTH / 2, middle + 4, "rust/python: the binding", fill="#1f2328")
        + "</g>"
    )
    for place, number in enumerate(binding):
        lines += mark(WIDTH / 2, TOP + 20 + 20 * place, number)
    for number, (title, _) in enumerate(found):
        x = WIDTH * (2 * number + 1) / 6
        lines.append(text_at(x + 12, HEIGHT - 14, title, fill="#6e7781"))
        lines += mark(x - 4 * len(title) - 8, HEIGHT - 18, number)
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    MAP.write_text(draw(ARCHITECTURE.read_text(encoding="utf-8")), encoding="utf-8")
