"""The rows of tokens of a window without and with a variant, and which tokens may stand for others.

Both are exact for each vocabulary: see `genotok.variants`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genotok.errors import ArgumentError
from genotok.tokenizer.special_ids import SpecialIds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.tokenizer import Tokenizer
    from genotok.variants.edits import WindowEdit

__all__ = ["EditedRow", "RowMaker", "TokenIds", "TokenRow"]

TokenIds = NDArray[np.int32]

BASES = "ACGT"
PROBE = "ACGTTGCAAGCTCCATGA"
TokenRow = tuple[TokenIds, NDArray[np.int64]]
"""Tokens and their borders."""

MAX_KNOWN = 1 << 16
"""Sets of candidates that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class EditedRow:
    """The tokens of a window, and what a variant changes; without special tokens.

    Attributes:
        ids: Those of the window.
        borders: Where each token starts in the window, and the window's length.
        first: The first affected token.
        before: The affected tokens, `ids[first : first + len(before)]`.
        after: What stands there with the variant.
        covered: The bases under `before`, and under `after`.
    """

    ids: TokenIds
    borders: NDArray[np.int64]
    first: int
    before: TokenIds
    after: TokenIds
    covered: tuple[int, int]

    @property
    def changed(self) -> TokenIds:
        """The tokens of the window with the variant."""
        behind = self.first + len(self.before)
        return np.concatenate([self.ids[: self.first], self.after, self.ids[behind:]])

    def within_token(self, start: int, end: int) -> int | None:
        """The token that holds all bases [start, end), at least one, of the window; None if several do."""
        token = int(np.searchsorted(self.borders, start, "right")) - 1
        return token if start < end <= self.borders[token + 1] else None


class RowMaker:
    """Makes the rows of variants under a tokenizer.

    Attributes:
        special: The special tokens of rows.
        lengths: (V,) the bases of each token; 0 for tokens of anything else.
        spelled: (V, longest) their bases as ASCII, filled up with 0.

    Raises:
        ArgumentError: The tokens of a sequence do not spell it, since they overlap or stand for both strands.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.special = SpecialIds.of(tokenizer)
        words = {
            number: token
            for token, number in tokenizer.vocab.items()
            if number not in self.special.all and token and set(BASES).issuperset(token)
        }
        size = max(words, default=0) + 1
        self.lengths = np.zeros(max(size, tokenizer.vocab_size), np.int64)
        self.spelled = np.zeros((len(self.lengths), max(map(len, words.values()), default=0)), np.uint8)
        for number, word in words.items():
            self.lengths[number] = len(word)
            self.spelled[number, : len(word)] = np.frombuffer(word.encode(), np.uint8)
        probe = PROBE * (1 + self.spelled.shape[1] // 4)
        if "".join(words.get(number, "") for number in tokenizer.encode(probe)) != probe:
            raise ArgumentError(
                "tokenizer: its tokens overlap or stand for both strands; variants need tokens that, put "
                "together, spell a sequence"
            )
        self._may_follow: dict[tuple[int, int], TokenIds] = {}
        self._may_precede: dict[tuple[int, int], TokenIds] = {}
        self._of_length: dict[int, TokenIds] = {}

    def rows(self, edits: Sequence[WindowEdit]) -> list[EditedRow]:
        """The rows of windows with their variants."""
        windows = self.encoded([edit.bases for edit in edits])
        changed = self.encoded([edit.changed for edit in edits])
        return [_compared(*each) for each in zip(edits, windows, changed, strict=True)]

    def encoded(self, texts: Sequence[str]) -> list[TokenRow]:
        """The tokens of windows, and where each starts, with the window's length behind."""
        found = self._tokenizer.encode_batch(texts, offsets=True)
        ids, starts = found.values.astype(np.int32), np.asarray(found.spans)[:, 0]
        parts = zip(texts, pairwise(found.offsets.tolist()), strict=True)
        return [(ids[one:other], np.append(starts[one:other], len(text))) for text, (one, other) in parts]

    def around(self, ids: TokenIds) -> TokenIds:
        """A row with special tokens around it."""
        return self.special.around(ids).astype(np.int32)

    def candidates(self, left: int | None, token: int, right: int | None) -> TokenIds:
        """The tokens of as many bases as `token` that may stand between two neighbours; None is the end."""
        size = int(self.lengths[token])
        found = self._all_of(size)
        for neighbour, known, is_left in ((left, self._may_follow, True), (right, self._may_precede, False)):
            if neighbour is not None and self.lengths[neighbour]:
                if (neighbour, size) not in known:
                    if len(known) >= MAX_KNOWN:
                        known.clear()
                    known[neighbour, size] = self._compatible(neighbour, size, is_left=is_left)
                found = np.intersect1d(found, known[neighbour, size], assume_unique=True)
        return found

    def _all_of(self, size: int) -> TokenIds:
        """All tokens of so many bases."""
        if size not in self._of_length:
            self._of_length[size] = np.flatnonzero(self.lengths == size).astype(np.int32)
        return self._of_length[size]

    def _compatible(self, neighbour: int, size: int, *, is_left: bool) -> TokenIds:
        """The tokens of so many bases that stay tokens next to a neighbour on their left, or right."""
        tokens = self._all_of(size)
        pairs = [(neighbour, token) if is_left else (token, neighbour) for token in tokens.tolist()]
        encoded = self._tokenizer.encode_batch(["".join(map(self._word, pair)) for pair in pairs])
        is_pair = [list(found) == list(pair) for found, pair in zip(encoded, pairs, strict=True)]
        found: TokenIds = tokens[np.array(is_pair, bool)]
        return found

    def _word(self, token: int) -> str:
        return self.spelled[token, : self.lengths[token]].tobytes().decode()


def _compared(edit: WindowEdit, one: TokenRow, other: TokenRow) -> EditedRow:
    """What differs between the rows of a window without and with its variant."""
    (ids, borders), (changed, changed_borders) = one, other
    behind = edit.start + len(edit.replacement)
    limit = min(_number(borders, edit.start), _number(changed_borders, edit.start))
    first = _equal(ids[:limit], changed[:limit])
    left = min(len(ids), len(changed)) - first
    limit = min(
        left,
        len(ids) - int(np.searchsorted(borders, edit.end)),
        len(changed) - int(np.searchsorted(changed_borders, behind)),
    )
    last = _equal(ids[len(ids) - limit :][::-1], changed[len(changed) - limit :][::-1])
    ends = len(ids) - last, len(changed) - last
    covered = int(borders[ends[0]] - borders[first]), int(changed_borders[ends[1]] - borders[first])
    return EditedRow(ids, borders, first, ids[first : ends[0]], changed[first : ends[1]], covered)


def _number(borders: NDArray[np.int64], place: int) -> int:
    """The tokens that end at or before a place."""
    return int(np.searchsorted(borders, place, "right")) - 1


def _equal(one: TokenIds, other: TokenIds) -> int:
    """The number of equal tokens at the start of two rows of equal length."""
    different = np.flatnonzero(one != other)
    return int(different[0]) if len(different) else len(one)
