"""Stretches of packed words: what is trained on, and what is held out."""

# Dimensions: S stretches, L tokens of a sequence.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genotok.pretrain.windows import Cuts, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.corpus.mapped import PackedWords
    from genotok.tokenizer import Tokenizer
    from genotok.tokenizer.special_ids import Ids, SpecialIds

__all__ = ["FixedWindows", "Stretches", "WindowEncoder"]


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Words, or parts of words, by number.

    Attributes:
        packed: All words.
        words: The word of each stretch, by number, (S,).
        firsts: Its first base, (S,).
        lengths: Its bases, (S,).
    """

    packed: PackedWords
    words: NDArray[np.int64]
    firsts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, packed: PackedWords) -> Stretches:
        """All words, whole."""
        return cls(packed, np.arange(len(packed)), np.zeros(len(packed), np.int64), packed.lengths)

    def __len__(self) -> int:
        return len(self.words)

    def select(self, which: NDArray[np.bool_]) -> Stretches:
        """Some of the stretches, (S,)."""
        return Stretches(self.packed, self.words[which], self.firsts[which], self.lengths[which])

    def divide(self, window: int, share: float) -> tuple[Stretches, Stretches]:
        """All windows but the last, and the last: a share of all, rounded up.

        Windows are counted from the start of each stretch. The stretch between the two parts is cut.
        """
        cuts = self.cuts(window)
        kept = len(cuts) - int(np.ceil(len(cuts) * share))
        at, first, _ = cuts.at(kept) if kept < len(cuts) else (len(self), 0, 0)
        numbers = np.arange(len(self))
        bases = np.where(numbers < at, self.lengths, np.where(numbers == at, first, 0))
        train = Stretches(self.packed, self.words, self.firsts, bases)
        held_out = Stretches(self.packed, self.words, self.firsts + bases, self.lengths - bases)
        return train.select(train.lengths > 0), held_out.select(held_out.lengths > 0)

    def cuts(self, window: int) -> Cuts:
        """The stretches cut into windows from their starts on."""
        return Cuts(self.lengths, window, np.full(len(self), window))

    def bases(self, window: Window) -> bytes:
        """The bases of a window, whose `word` is the number of a stretch."""
        word, first = int(self.words[window.word]), int(self.firsts[window.word])
        return self.packed.bases(word, first + window.first, first + window.end, reverse=window.reverse)


@dataclass(frozen=True, slots=True, eq=False)
class WindowEncoder:
    """Windows to ids with special tokens around.

    Attributes:
        stretches: Where the windows are.
        tokenizer: The tokenizer. Bases outside its vocabulary are left out.
        special: Its special tokens.
    """

    stretches: Stretches
    tokenizer: Tokenizer
    special: SpecialIds

    def encode(self, windows: Sequence[Window]) -> list[Ids]:
        """The ids of each window, (L,)."""
        sequences = [self.stretches.bases(window) for window in windows]
        # A batch takes less than a thread takes to wake up.
        found = self.tokenizer.encode_batch(sequences, unknown="split", uppercase=True, threads=1)
        return [self.special.around(ids) for ids in found.to_numpy()]


class FixedWindows:
    """Stretches cut into windows from their starts on, on the strand in the files, as sequences of ids.

    Args:
        encoder: Gives the ids.
        window: The bases of a window.
    """

    def __init__(self, encoder: WindowEncoder, window: int) -> None:
        self._encoder, self._cuts = encoder, encoder.stretches.cuts(window)

    def __len__(self) -> int:
        return len(self._cuts)

    def __getitem__(self, number: int) -> Ids:
        """The ids of a window with special tokens around, (L,)."""
        if not 0 <= number < len(self):
            raise IndexError(f"window {number:,} of {len(self):,}")
        return self._encoder.encode([Window(*self._cuts.at(number), reverse=False)])[0]

    def num_bases(self, number: int) -> int:
        """The bases of a window."""
        _, first, end = self._cuts.at(number)
        return end - first

    def without_special(self, number: int) -> Ids:
        """The ids of a window without special tokens around."""
        return self._encoder.special.within(self[number])
