"""Draws the figures of `docs/concepts`, from tokenizers that are trained on the spot where one is needed.

python docs/figures/draw_concepts.py
"""

from __future__ import annotations

import tempfile
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from canvas import Canvas
from tiny_automaton import states

import genotok

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
CELL, PITCH = 30, 34
KINDS = ("a", "b", "c")


def trained(sequence: str, merges: int) -> genotok.Tokenizer:
    """A tokenizer with this many merges, trained on one sequence."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "toy.fa")
        file.write_text(f">toy\n{sequence}\n", encoding="ascii")
        return genotok.Tokenizer.train(file, vocab_size=9 + merges)


def tokens_of(tokenizer: genotok.Tokenizer, sequence: str) -> list[str]:
    """The tokens of a sequence as strings."""
    return [str(tokenizer.id_to_token(one)) for one in tokenizer.encode(sequence)]


def token_row(canvas: Canvas, left: float, y: float, tokens: list[str]) -> None:
    """Tokens as boxes as wide as their bases; longer ones are coloured."""
    at = left
    for token in tokens:
        kind = "box" if len(token) == 1 else KINDS[min(len(token) - 2, 2)]
        canvas.box(at, y, PITCH * len(token) - 4, token, kind)
        at += PITCH * len(token)


def bpe() -> Iterator[tuple[str, Canvas]]:
    """The merges of a sequence, one row for each."""
    tokenizer = trained("ACGACGACT", 3)
    steps = tokenizer.explain("ACGACGACT")
    shown = [one for one, after in pairwise([*steps, None]) if after is None or after["rank"] != one["rank"]]
    canvas = Canvas(480, 50 + 40 * len(shown), "The sequence ACGACGACT after each merge")
    canvas.text(4, 20, "merge", "left")
    canvas.text(160, 20, "tokens afterwards", "left")
    for number, one in enumerate(shown):
        y = 34 + 40 * number
        label = "none yet" if one["rank"] is None else f"{one['rank']}: {one['left']} + {one['right']}"
        canvas.text(4, y + 18, label, "left")
        token_row(canvas, 160, y, one["tokens"])
    yield "bpe", canvas


def automaton() -> Iterator[tuple[str, Canvas]]:
    """The states of two merges, and the run of five bases with the walk back."""
    tokenizer = trained("ACACACCGCG", 2)
    table = states(tokenizer)
    canvas = Canvas(480, 250, "The states of the automaton for the merges A + C and C + G")
    places = {"": (40, 125), "A": (180, 40), "C": (180, 100), "G": (180, 160), "T": (180, 220)}
    places |= {"AC": (360, 40), "CG": (360, 100)}
    if {state.last for state in table} != set(places) or len(table) != len(places):
        raise ValueError(f"{table}: other states than those of the figure")
    for state, after in table.items():
        for base, to in after.items():
            if state.last == "" or len(to.last) > 1:
                edge(canvas, places[state.last], places[to.last], base)
    for last, (x, y) in places.items():
        canvas.circle(x, y, last or "start", "c" if last == "" else "a" if len(last) > 1 else "box", 26)
    canvas.text(252, 175, "all other transitions lead", "left")
    canvas.text(252, 195, "to the states A, C, G, T", "left")
    yield "automaton", canvas
    yield "automaton-run", run(tokenizer, "ACGCG")


def edge(canvas: Canvas, one: tuple[float, float], other: tuple[float, float], label: str) -> None:
    """An arrow between two states, with its base."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = round(dx / length, 3), round(dy / length, 3)
    start, tip = (one[0] + 27 * ux, one[1] + 27 * uy), (other[0] - 28 * ux, other[1] - 28 * uy)
    canvas.arrow(f"M{start[0]:g} {start[1]:g}L{tip[0]:g} {tip[1]:g}", tip, (ux, uy))
    middle = (start[0] + tip[0]) / 2, (start[1] + tip[1]) / 2
    canvas.text(round(middle[0], 1), round(middle[1] - 7, 1), label, "strong")


def run(tokenizer: genotok.Tokenizer, sequence: str) -> Canvas:
    """Forward along the states, then backward by the lengths of the last tokens."""
    canvas = Canvas(480, 190, f"The automaton reads {sequence}; the tokens are read off backwards")
    places = [50 + 76 * number for number in range(len(sequence) + 1)]
    lasts = [tokens_of(tokenizer, sequence[:end])[-1] for end in range(1, len(sequence) + 1)]
    for at, label in zip(places, ["start", *lasts], strict=True):
        canvas.circle(at, 60, label, "c" if label == "start" else "a" if len(label) > 1 else "box", 24)
    for (one, other), base in zip(pairwise(places), sequence, strict=True):
        canvas.arrow(f"M{one + 25} 60L{other - 26} 60", (other - 26, 60), (1, 0))
        canvas.text((one + other) / 2, 30, base, "strong")
    end = len(sequence)
    while end:
        token = lasts[end - 1]
        start = end - len(token)
        right, left = places[end], places[start]
        depth = 130 if len(token) > 1 else 118
        canvas.arrow(
            f"M{right - 6} 86Q{(left + right) / 2:g} {depth} {left + 8} 90", (left + 6, 87), (-0.8, -0.6)
        )
        canvas.text((left + right) / 2, depth + (12 if len(token) > 1 else 14), token, "strong")
        end = start
    canvas.text(240, 180, "walk back over the token of each state")
    return canvas


def islands() -> Iterator[tuple[str, Canvas]]:
    """The islands of the example in `rust/src/bpe/train/islands.rs`."""
    text, guess = "ACGACGACT", {"AC", "CG"}
    canvas = Canvas(480, 190, "Islands of the guessed pairs (A, C) and (C, G) in ACGACGACT")
    left, step = 52, 44
    joined = [one + other in guess for one, other in pairwise(text)]
    for number, base in enumerate(text):
        x = left + step * number
        if number < len(joined):
            canvas.path(f"M{x + CELL} 47L{x + step} 47", "thick" if joined[number] else "grid")
        canvas.box(x, 34, CELL, base)
    numbers = accumulate(
        [False, *joined], lambda island, inside: island if inside else island + 1, initial=-1
    )
    for _, group in groupby(enumerate(list(numbers)[1:]), key=lambda pair: pair[1]):
        members = [place for place, _ in group]
        if len(members) > 1:
            x, width = left + step * members[0], step * (len(members) - 1) + CELL
            kept = len(members) > 2
            canvas.box(x - 5, 28, width + 10, "", "off", 38)
            canvas.text(x + width / 2, 86, "island" if kept else "counted only")
    canvas.text(left, 20, "text; thick lines: adjacencies in S", "left")
    canvas.text(left, 122, "after the replay, which theta stops", "left")
    tokens = tokens_of(trained(text, 1), text)
    at = left
    for token in tokens:
        width = step * (len(token) - 1) + CELL
        canvas.box(at, 136, width, token, "a" if len(token) > 1 else "box")
        at += step * len(token)
    yield "islands", canvas


def packing() -> Iterator[tuple[str, Canvas]]:
    """Two words at 2 bits per base, and three sequences in one row."""
    words = ["ACGTA", "GG"]
    canvas = Canvas(480, 176, "The words ACGTA and GG in three bytes, two bits per base")
    bases = [f"{word:<{-(-len(word) // 4) * 4}}" for word in words]
    canvas.text(4, 20, "base", "left")
    canvas.text(4, 62, "bits", "left")
    canvas.text(4, 118, "byte", "left")
    for number, base in enumerate("".join(bases)):
        x = 62 + 34 * number + 4 * (number // 4)
        kind = "off" if base == " " else "a" if number < len(bases[0]) else "b"
        canvas.text(x + 15, 20, base.strip() or "–")
        canvas.box(x, 44, CELL, "00" if base == " " else f"{'ACGT'.index(base):02b}", kind)
    for number in range(3):
        part = "".join(bases)[4 * number : 4 * number + 4].replace(" ", "A")
        value = sum("ACGT".index(base) << 2 * place for place, base in enumerate(part))
        x = 62 + 140 * number
        canvas.path(f"M{x} 78v6h132v-6", "line")
        canvas.box(x, 100, 132, f"0x{value:02x} = {value:08b}")
    canvas.text(4, 160, "the first base of a byte has its lowest two bits", "left")
    yield "bit-packing", canvas
    yield "sequence-packing", rows([4, 2, 7])


def rows(lengths: list[int]) -> Canvas:
    """Sequences of these lengths as a padded batch and as a packed row."""
    canvas = Canvas(480, 268, "Three sequences of 4, 2 and 7 tokens, padded and packed")
    cell, longest = 28, max(lengths)
    canvas.text(4, 20, f"padded: {len(lengths)} × {longest} = {len(lengths) * longest} places", "left")
    for row, length in enumerate(lengths):
        for place in range(longest):
            real = place < length
            canvas.box(
                4 + 32 * place, 32 + 32 * row, cell, str(place) if real else "", KINDS[row] if real else "off"
            )
    canvas.text(4, 166, f"packed: {sum(lengths)} places", "left")
    at = 4
    for row, length in enumerate(lengths):
        for place in range(length):
            canvas.box(at, 180, cell, str(place), KINDS[row])
            at += 32
    for start in accumulate(lengths, initial=0):
        canvas.path(f"M{2 + 32 * start} 210v12", "line")
        canvas.text(2 + 32 * start if start else 6, 238, str(start))
    canvas.text(4, 260, "starts (cu_seqlens)", "left")
    return canvas


def slopes(heads: int) -> list[float]:
    """The slopes of a number of heads that is a power of two."""
    return [2 ** (-8 * head / heads) for head in range(1, heads + 1)]


def alibi() -> Iterator[tuple[str, Canvas]]:
    """The bias of each of eight heads against the distance of two tokens."""
    canvas = Canvas(480, 346, "The ALiBi bias of eight heads over the distance of two tokens")
    left, top, width, height, far, low = 62, 36, 340, 240, 64, 16
    canvas.text(4, 16, "bias added to the attention score", "left")
    for value in range(0, low + 1, 4):
        y = top + height * value / low
        canvas.path(f"M{left} {y:g}h{width}", "grid")
        canvas.text(left - 8, y + 5, f"−{value}" if value else "0", "right")
    for value in range(0, far + 1, 16):
        canvas.text(left + width * value / far, top + height + 20, str(value))
    for head, slope in enumerate(slopes(8), 1):
        reach = min(far, low / slope)
        x, y = left + width * reach / far, top + height * slope * reach / low
        canvas.path(f"M{left} {top}L{x:g} {y:g}", "curve")
        if head in {1, 2}:
            canvas.text(x + 6, y - 6, f"1/{2**head}", "left")
        elif head < 6:
            canvas.text(left + width + 6, y + 5, f"1/{2**head}", "left")
    canvas.text(left + width + 6, top + 6, "1/256", "left")
    canvas.text(left + width / 2, top + height + 42, "distance of two tokens")
    canvas.text(4, top + height + 62, "one line per head, with its slope", "left")
    yield "alibi", canvas


def figures() -> dict[str, str]:
    """All figures by the names of their files."""
    drawn = (figure for draw in (bpe, automaton, islands, packing, alibi) for figure in draw())
    return {f"{name}.svg": canvas.svg() for name, canvas in drawn}


if __name__ == "__main__":
    for name, content in figures().items():
        (HERE / name).write_text(content, encoding="utf-8")
