"""Tokens as parts of a sequence in plain Python: the specification of `genotok.tokenizer.parts`.

`encode` is any function from a sequence to ids, and `length` tells how many bases an id stands for. Nothing
is assumed of either: the sequence is encoded whole, before and after an edit, and the boundaries are
compared.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Encode = Callable[[str], Sequence[int]]
    Length = Callable[[int], int]


def boundaries(ids: Iterable[int], length: Length) -> list[int]:
    """Return where each token starts, and the last one ends."""
    return [*accumulate(map(length, ids), initial=0)]


def token_at(ids: Sequence[int], position: int, length: Length) -> int:
    """Return which of the tokens holds a base; raise StopIteration if none does."""
    ends = boundaries(ids, length)[1:]
    return next(number for number, end in enumerate(ends) if position < end)


def reencode(
    sequence: str, edit: tuple[int, int, str], encode: Encode, length: Length
) -> tuple[int, int, list[int], list[int]]:
    """Return the common boundaries around an edit, and the tokens between them before and after it."""
    start, end, replacement = edit
    old, new = encode(sequence), encode(sequence[:start] + replacement + sequence[end:])
    olds, news = boundaries(old, length), boundaries(new, length)
    shift = len(replacement) - (end - start)
    first = max(at for at in olds if at <= start and at in news)
    last = min(at for at in olds if at >= end and at + shift in news)
    before = [one for one, at in zip(old, olds, strict=False) if first <= at < last]
    after = [one for one, at in zip(new, news, strict=False) if first <= at < last + shift]
    return first, last, before, after


def substitutions(
    row: tuple[int | None, int, int | None], vocabulary: dict[int, str], encode: Encode
) -> list[int]:
    """Return the ids that leave the row (left, token, right) the encoding of its string.

    ``vocabulary`` has the string of each token of bases; what is not in it on a side ends words.
    """
    left, token, right = row
    sides = [[one] if one in vocabulary else [] for one in (left, right)]
    fitting = []
    for one, text in vocabulary.items():
        whole = [*sides[0], one, *sides[1]]
        if (
            len(text) == len(vocabulary[token])
            and [*encode("".join(map(vocabulary.__getitem__, whole)))] == whole
        ):
            fitting.append(one)
    return sorted(fitting)
