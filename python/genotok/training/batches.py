"""Batches for training, in numpy: masking, padding, and which sequence comes when.

Everything drawn is a function of (seed, epoch, index): a run that is gone on with, or spread over processes,
sees the same batches with the same masks, and nothing but the number of the step has to be remembered.

Masking (Devlin et al., 2019): each token that is not special is chosen with probability `share`, by itself;
of the chosen, 80 % become `[MASK]`, 10 % some token that is not special, 10 % stay. Only the chosen have
labels. A k-mer that overlaps its neighbours can be read off them, so DNABERT chooses k tokens in a row: that
is `span`; runs are begun so often that the share of chosen tokens is the same.
"""

# Shape letters: L tokens of a sequence, B sequences, S padded length, V vocabulary.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.tokenizer.special_ids import Ids, SpecialIds

__all__ = ["IGNORED", "Masking", "Order", "pad"]

IGNORED = -100
"""The label of a token that does not count, as torch and transformers have it."""


@dataclass(frozen=True, slots=True)
class Masking:
    """How tokens are hidden from a model that is to guess them.

    Attributes:
        special: The vocabulary's special tokens, which are never chosen and never put in.
        share: Of tokens that are chosen, above 0.
        masked: Of the chosen, those that become `[MASK]`.
        replaced: Of the chosen, those that become any token.
        span: Neighbouring tokens that are chosen together, at least 1.
    """

    special: SpecialIds
    share: float = 0.15
    masked: float = 0.8
    replaced: float = 0.1
    span: int = 1

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and self.masked >= 0 and 0 <= self.replaced <= 1 - self.masked + 1e-9):
            raise ArgumentError(
                f"share={self.share}, masked={self.masked}, replaced={self.replaced}: shares are expected, "
                "the last two of 1 at most together"
            )
        if self.span < 1:
            raise ArgumentError(f"span={self.span}: at least 1 is expected")
        if len(self.special.all) == self.special.vocab_size:
            raise ArgumentError("tokenizer: has special tokens only")

    def apply(self, ids: Ids, *key: int) -> tuple[Ids, Ids]:
        """Inputs and labels (L,) of a sequence (L,), drawn by the key's numbers.

        At least one token is chosen, if any may be: a sequence without labels teaches nothing.
        """
        draw = np.random.default_rng(key)
        ordinary = ~np.isin(ids, self.special.all)
        chance = draw.random(len(ids))
        begun = chance < 1 - (1 - self.share) ** (1 / self.span)
        chosen = ordinary & np.convolve(begun, np.ones(self.span, np.int64))[: len(ids)].astype(bool)
        if not chosen.any() and ordinary.any():
            chosen[np.where(ordinary, chance, np.inf).argmin()] = True
        fate = draw.random(len(ids))
        inputs = np.where(chosen & (fate < self.masked), self.special.mask, ids)
        anything = chosen & (fate >= self.masked) & (fate < self.masked + self.replaced)
        inputs[anything] = self._any(draw, int(anything.sum()))
        return inputs, np.where(chosen, ids, IGNORED)

    def _any(self, draw: np.random.Generator, count: int) -> Ids:
        """Ids that are not special: drawn among those, then moved past the special ones below them."""
        found = draw.integers(0, self.special.vocab_size - len(self.special.all), count)
        for special in self.special.all:
            found += found >= special
        return found


class Order:
    """Which of N sequences comes at which place of a run: all of them in an order of their own each epoch.

    Args:
        count: N.
        seed: Decides all orders.
    """

    def __init__(self, count: int, seed: int) -> None:
        if count < 1:
            raise ArgumentError("sequences: none; at least one is expected")
        self.count, self.seed = count, seed
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def at(self, place: int) -> tuple[int, int]:
        """Epoch and sequence at a place, counted from 0. O(N) at the start of an epoch, else O(1)."""
        epoch, within = divmod(place, self.count)
        if epoch != self._epoch:
            self._order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
            self._epoch = epoch
        return epoch, int(self._order[within])


def pad(rows: Sequence[Ids], filler: int) -> Ids:
    """Rows of any lengths as one array (B, S), filled up on the right."""
    out = np.full((len(rows), max(map(len, rows), default=0)), filler, np.int64)
    for row, ids in enumerate(rows):
        out[row, : len(ids)] = ids
    return out
