"""A sequence under several tokenizers, side by side: the same letters in the same places.

The sequence is cut into blocks that fit a phone, and a block has a line for each tokenizer. Tokens alternate
in colour and have a border where they begin, so that they can be told apart without colours. A token of
overlapping k-mers is shown by the base that it begins with, as the k bases could not stand apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.study import Subject

__all__ = ["Block", "Piece", "Row", "TokenView", "token_view"]

BLOCK = 30
LONGEST = 3_000
KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Piece:
    """Letters of one token within a block.

    Attributes:
        text: The letters.
        odd: Whether the token's number is odd: colours alternate.
        begins: Whether the token begins here, and not in the block before.
        unknown: Whether it is the unknown token.
        title: The whole token and its id.
    """

    text: str
    odd: bool
    begins: bool
    unknown: bool
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One tokenizer: its letter in the blocks, its name, and what became of the sequence."""

    key: str
    name: str
    tokens: int
    letters_per_token: float
    overlap: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the sequence, its first place counted from 1, and the pieces of each tokenizer."""

    start: int
    lines: tuple[tuple[str, tuple[Piece, ...]], ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """A sequence under several tokenizers."""

    sequence: str
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]


def token_view(sequence: str, subjects: Sequence[Subject]) -> TokenView:
    """Cut a sequence into tokens, with each tokenizer.

    Args:
        sequence: Letters, 3,000 at most; what is not in a vocabulary is the unknown token.
        subjects: One to 26 tokenizers.

    Raises:
        ArgumentError: The sequence is empty, too long or has what is no letter; there is no tokenizer.
        SymbolError: A tokenizer without an unknown token does not know a letter.
    """
    if not (sequence.isascii() and sequence.isalpha() and len(sequence) <= LONGEST):
        shown = sequence if len(sequence) <= 40 else f"{sequence[:40]}…"
        raise ArgumentError(f"sequence={shown!r}: 1 to {LONGEST:,} letters are expected, and nothing else")
    if not 1 <= len(subjects) <= len(KEYS):
        raise ArgumentError(f"tokenizers: 1 to {len(KEYS)} are shown side by side, not {len(subjects)}")
    cut = [_tokens(sequence, subject) for subject in subjects]
    rows = tuple(
        Row(key, subject.name, len(tokens), len(sequence) / max(len(tokens), 1), subject.overlap)
        for key, subject, tokens in zip(KEYS, subjects, cut, strict=False)
    )
    blocks = tuple(
        Block(
            start + 1,
            tuple(
                (row.key, tuple(_pieces(sequence, tokens, start)))
                for row, tokens in zip(rows, cut, strict=True)
            ),
        )
        for start in range(0, len(sequence), BLOCK)
    )
    return TokenView(sequence, rows, blocks)


@dataclass(frozen=True, slots=True)
class _Token:
    """A token by the place where it is shown."""

    start: int
    end: int
    unknown: bool
    title: str


def _tokens(sequence: str, subject: Subject) -> list[_Token]:
    """The tokens of a sequence, each shown from its begin to that of the next one."""
    batch = subject.tokenizer.encode_batch([sequence], offsets=True)
    if batch.spans is None:
        raise TypeError("encode_batch gives places when asked for them")
    spans, ids = batch.spans.tolist(), batch.values.tolist()
    starts = [start for start, _ in spans] + [spans[-1][1] if spans else 0]
    return [
        _Token(start, max(min(end, starts[place + 1]), start + 1), index == subject.unknown,
               f"{sequence[start:end]} · id {index}")
        for place, ((start, end), index) in enumerate(zip(spans, ids, strict=True))
    ]  # fmt: skip


def _pieces(sequence: str, tokens: list[_Token], start: int) -> list[Piece]:
    """What a block that begins at `start` shows of the tokens; letters that no token shows stand alone."""
    end = min(start + BLOCK, len(sequence))
    found: list[Piece] = []
    place = start
    for number, token in enumerate(tokens):
        first, last = max(token.start, start), min(token.end, end)
        if first >= last:
            continue
        if first > place:
            found.append(
                Piece(sequence[place:first], odd=False, begins=True, unknown=False, title="no token")
            )
        odd, begins = number % 2 == 1, token.start >= start
        found.append(Piece(sequence[first:last], odd, begins, token.unknown, token.title))
        place = last
    if place < end:
        found.append(Piece(sequence[place:end], odd=False, begins=True, unknown=False, title="no token"))
    return found
