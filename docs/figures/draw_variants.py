"""Draw the figure of `docs/guides/variants.md`: the affected tokens of a substitution.

python docs/figures/draw_variants.py
"""

from __future__ import annotations

from pathlib import Path

from canvas import Canvas

import genotok

HERE = Path(__file__).resolve().parent
FIGURE = HERE / "variants.svg"
GENOME = HERE.parent.parent / "genomes" / "lambda_phage.fa"
START, SIZE = 1_000, 44
BASE = 17


def row(canvas: Canvas, y: float, tokens: list[str], affected: range) -> None:
    """Tokens as boxes, the affected ones in colour; bases stand on a grid."""
    left = 130.0
    for number, token in enumerate(tokens):
        width = BASE * len(token)
        canvas.box(left, y, width - 3, token, "b" if number in affected else "box")
        left += width


def affected(one: list[str], other: list[str]) -> tuple[range, range]:
    """The tokens of two rows between their common start and their common end."""
    first = next(number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    last = next(number for number, (a, b) in enumerate(zip(one[::-1], other[::-1], strict=False)) if a != b)
    return range(first, len(one) - last), range(first, len(other) - last)


def figure() -> str:
    """The figure, of a real vocabulary and a place of the genome where the borders move."""
    tokenizer = genotok.Tokenizer.train(GENOME, vocab_size=300)
    bases = "".join(GENOME.read_text().split("\n")[1:])[START : START + SIZE]
    rows = []
    for at in range(16, 28):
        for base in "ACGT".replace(bases[at], ""):
            changed = bases[:at] + base + bases[at + 1 :]
            words = [
                [tokenizer.id_to_token(each) or "" for each in tokenizer.encode(text)]
                for text in (bases, changed)
            ]
            rows.append((at, bases[at], base, *words, *affected(*words)))
    at, ref, alt, one, other, before, after = next(each for each in rows if len(each[5]) != len(each[6]))
    canvas = Canvas(130 + BASE * SIZE + 10, 150, "A substitution, and the tokens that it affects")
    canvas.text(120, 38, "reference", "right")
    row(canvas, 20, one, before)
    canvas.text(130 + BASE * (at + 0.5), 74, f"{ref} > {alt}", "strong")
    canvas.text(120, 108, "alternative", "right")
    row(canvas, 90, other, after)
    start = 130 + BASE * sum(map(len, one[: before.start]))
    end = start + BASE * sum(len(one[number]) for number in before) - 3
    canvas.path(f"M{start} 126V132H{end}V126")
    canvas.text((start + end) / 2, 147, "[a, b)")
    return canvas.svg()


if __name__ == "__main__":
    FIGURE.write_text(figure(), encoding="utf-8")
