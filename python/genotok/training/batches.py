"""Batches for training, in numpy: masking, padding, and which sequence comes when.

Every random draw is a function of (seed, epoch, index): a resumed run, or one spread over processes, sees the
same batches with the same masks, and the step number is the only state to keep.

Masking (Devlin et al., 2019): each token that is not special is chosen independently with probability
`share`; of the chosen, 80 % become `[MASK]`, 10 % a random token that is not special, 10 % stay. Only chosen
tokens have labels. An overlapping k-mer can be read off its neighbours, so DNABERT masks k tokens in a row:
that is `span`. Spans start at a rate that keeps the share of chosen tokens the same.
"""

# Dimensions: L tokens of a sequence, B sequences, S padded length, V vocabulary.

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
"""The label of a token without loss, as in torch and transformers."""


@dataclass(frozen=True, slots=True)
class Masking:
    """How tokens are masked for a model that predicts them.

    Attributes:
        special: The vocabulary's special tokens, which are never chosen and never drawn.
        share: Share of tokens that are chosen, above 0.
        masked: Share of the chosen that become `[MASK]`.
        replaced: Share of the chosen that become a random token.
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

        At least one token is chosen, if any may be: a sequence without labels has no loss.
        """
        draw = np.random.default_rng(key)
        ordinary = ~np.isin(ids, self.special.all)
        chance = draw.random(len(ids))
        starts = chance < 1 - (1 - self.share) ** (1 / self.span)
        chosen = ordinary & np.convolve(starts, np.ones(self.span, np.int64))[: len(ids)].astype(bool)
        if not chosen.any() and ordinary.any():
            chosen[np.where(ordinary, chance, np.inf).argmin()] = True
        fate = draw.random(len(ids))
        inputs = np.where(chosen & (fate < self.masked), self.special.mask, ids)
        anything = chosen & (fate >= self.masked) & (fate < self.masked + self.replaced)
        inputs[anything] = self._any(draw, int(anything.sum()))
        return inputs, np.where(chosen, ids, IGNORED)

    def _any(self, draw: np.random.Generator, count: int) -> Ids:
        """Random ids that are not special: drawn among those, then shifted past special ids below them."""
        found = draw.integers(0, self.special.vocab_size - len(self.special.all), count)
        for special in self.special.all:
            found += found >= special
        return found


class Order:
    """The order of N sequences in a run: each epoch is a permutation of its own.

    Args:
        count: N.
        seed: Seed of all permutations.
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
    """Rows of any lengths as one array (B, S), padded on the right."""
    out = np.full((len(rows), max(map(len, rows), default=0)), filler, np.int64)
    for row, ids in enumerate(rows):
        out[row, : len(ids)] = ids
    return out
