"""The rows of tokens of a window without and with a variant, and which tokens may stand for others.

Both are exact for each vocabulary, by `Tokenizer.reencode_many` and `Tokenizer.substitutions`. A window is
encoded once for all of its variants, and each of them only where it changes tokens.
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

MAX_KNOWN = 1 << 14
"""Sets of candidates that are kept, since neighbours recur."""


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
        self._known: dict[tuple[int | None, int, int | None], TokenIds] = {}

    def rows(self, edits: Sequence[WindowEdit]) -> list[EditedRow]:
        """The rows of windows with their variants."""
        windows: dict[str, list[int]] = {}
        for number, edit in enumerate(edits):
            windows.setdefault(edit.bases, []).append(number)
        found: dict[int, EditedRow] = {}
        for (bases, numbers), (ids, borders) in zip(
            windows.items(), self.encoded(list(windows)), strict=True
        ):
            changes = [(edits[each].start, edits[each].end, edits[each].replacement) for each in numbers]
            for number, change in zip(numbers, self._tokenizer.reencode_many(bases, changes), strict=True):
                added = len(edits[number].replacement) - (edits[number].end - edits[number].start)
                covered = (change.end - change.start, change.end - change.start + added)
                first = int(np.searchsorted(borders, change.start))
                found[number] = EditedRow(ids, borders, first, change.before, change.after, covered)
        return [found[number] for number in range(len(edits))]

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
        key = left, int(self.lengths[token]), right
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            found = self._known[key] = self._tokenizer.substitutions(left, token, right)
        return found
