"""The tokens of a sequence under several tokenizers, aligned: the same symbols in the same places.

The sequence is cut into blocks that fit a phone, and a block has a line for each tokenizer. Tokens alternate
in colour and have a border at their start, so that they differ without colours too. A token of overlapping
k-mers is shown by its first base, as the k bases of neighbours overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.study import Subject

__all__ = ["Block", "TokenPart", "TokenView", "ViewedTokenizer", "token_view"]

BLOCK = 30
MAX_SYMBOLS = 3_000
KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class TokenPart:
    """Symbols of one token within a block.

    Attributes:
        text: The symbols.
        odd: Whether the token's number is odd: colours alternate.
        is_start: Whether the token starts here, and not in the block before.
        unknown: Whether it is the unknown token.
        title: The whole token and its id.
    """

    text: str
    odd: bool
    is_start: bool
    unknown: bool
    title: str


@dataclass(frozen=True, slots=True)
class ViewedTokenizer:
    """One tokenizer: its key in the blocks, its name, and the number of its tokens."""

    key: str
    name: str
    tokens: int
    symbols_per_token: float
    overlap: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the sequence, its first position counted from 1, and the parts of each tokenizer."""

    start: int
    lines: tuple[tuple[str, tuple[TokenPart, ...]], ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """A sequence under several tokenizers."""

    sequence: str
    rows: tuple[ViewedTokenizer, ...]
    blocks: tuple[Block, ...]


def token_view(sequence: str, subjects: Sequence[Subject]) -> TokenView:
    """Cut a sequence into tokens, with each tokenizer.

    Args:
        sequence: IUPAC codes or residues, 3,000 at most; those of no vocabulary are the unknown token.
        subjects: One to 26 tokenizers.

    Raises:
        ArgumentError: The sequence is empty, too long or has other characters; there is no tokenizer.
        SymbolError: A tokenizer without an unknown token does not know a symbol.
    """
    if not (sequence.isascii() and sequence.isalpha() and len(sequence) <= MAX_SYMBOLS):
        shown = sequence if len(sequence) <= 40 else f"{sequence[:40]}…"
        raise ArgumentError(f"sequence={shown!r}: 1 to {MAX_SYMBOLS:,} characters from A to Z are expected")
    if not 1 <= len(subjects) <= len(KEYS):
        raise ArgumentError(f"tokenizers: 1 to {len(KEYS)} are expected, not {len(subjects)}")
    cut = [_tokens(sequence, subject) for subject in subjects]
    rows = tuple(
        ViewedTokenizer(key, subject.name, len(tokens), len(sequence) / max(len(tokens), 1), subject.overlap)
        for key, subject, tokens in zip(KEYS, subjects, cut, strict=False)
    )
    blocks = tuple(
        Block(
            start + 1,
            tuple(
                (row.key, tuple(_parts(sequence, tokens, start)))
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
    """The tokens of a sequence, each shown from its start to that of the next one."""
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


def _parts(sequence: str, tokens: list[_Token], start: int) -> list[TokenPart]:
    """The parts of tokens in the block at `start`; symbols of no token are parts of their own."""
    end = min(start + BLOCK, len(sequence))
    found: list[TokenPart] = []
    place = start
    for number, token in enumerate(tokens):
        first, last = max(token.start, start), min(token.end, end)
        if first >= last:
            continue
        if first > place:
            found.append(
                TokenPart(sequence[place:first], odd=False, is_start=True, unknown=False, title="no token")
            )
        odd, is_start = number % 2 == 1, token.start >= start
        found.append(TokenPart(sequence[first:last], odd, is_start, token.unknown, token.title))
        place = last
    if place < end:
        found.append(
            TokenPart(sequence[place:end], odd=False, is_start=True, unknown=False, title="no token")
        )
    return found
