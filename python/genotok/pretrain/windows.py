"""Where the windows of an epoch are: words cut anew, each at a random offset.

A word of n bases is cut at o, o + w, o + 2 w, ... for windows of w bases; the offset o, from 1 to w, is
drawn anew for each word and epoch. A word of at most w bases is one window. So in each epoch every base is in
exactly one window, no window spans two words, and only the first and the last window of a word are shorter
than w.

Everything is a function of (seed, epoch, number), so windows can be read in any order by any process.
"""

# Dimensions: W words, N windows of an epoch.

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cuts", "Epoch", "Epochs", "Window"]

DRAWS = 0x77696E64
"""A key of these draws, apart from those of masks."""


class Window(NamedTuple):
    """A window: a word by its number, the range of its bases, and whether the other strand is read."""

    word: int
    first: int
    end: int
    reverse: bool


class Cuts:
    """Words cut into windows, by number.

    Args:
        lengths: The bases of each word, (W,).
        window: The bases of a window, w.
        offsets: Where each word is cut first, from 1 to w, (W,).
    """

    def __init__(self, lengths: NDArray[np.int64], window: int, offsets: NDArray[np.int64]) -> None:
        self._lengths, self._window = lengths, window
        self._first = np.where(lengths > window, offsets, lengths)
        self.counts = 1 - (self._first - lengths) // window
        """The windows of each word, (W,)."""
        self._ends = np.cumsum(self.counts)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def at(self, number: int) -> tuple[int, int, int]:
        """The word of a window, its first base, and its end."""
        word = int(np.searchsorted(self._ends, number, side="right"))
        within = number - int(self._ends[word] - self.counts[word])
        cut = int(self._first[word]) + within * self._window
        return word, max(cut - self._window, 0) if within else 0, min(cut, int(self._lengths[word]))


class Epoch:
    """The windows of an epoch, in the order in which they are trained on.

    Args:
        lengths: The bases of each word, (W,).
        window: The bases of a window.
        seed: Seed of all epochs.
        epoch: The number of this one.
        stranded: Whether all windows are of the strand in the files.
    """

    def __init__(
        self, lengths: NDArray[np.int64], window: int, seed: int, epoch: int, *, stranded: bool = False
    ) -> None:
        draw = np.random.default_rng([DRAWS, seed, epoch])
        self._cuts = Cuts(lengths, window, draw.integers(1, window + 1, len(lengths)))
        self._order = draw.permutation(len(self._cuts))
        self._reverse = draw.random(len(self._cuts)) < (0 if stranded else 0.5)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Window:
        """A window by its place in the order."""
        return Window(*self._cuts.at(int(self._order[index])), bool(self._reverse[index]))


class Epochs:
    """The windows of a run: epoch after epoch. Epochs differ in length by at most a window per word.

    A step forward to the next epoch costs O(W + N), a step back all epochs before; memory is that of one.

    Args:
        lengths: The bases of each word, (W,).
        window: The bases of a window.
        seed: Seed of offsets, order and strands.
        stranded: Whether all windows are of the strand in the files.

    Raises:
        ArgumentError: There is no word.
    """

    def __init__(self, lengths: NDArray[np.int64], window: int, seed: int, *, stranded: bool = False) -> None:
        if not len(lengths):
            raise ArgumentError("sequences: none; at least one is expected")
        self._lengths, self._window, self._seed, self._stranded = lengths, window, seed, stranded
        self._number, self._start, self._epoch = 0, 0, self.epoch(0)

    def epoch(self, number: int) -> Epoch:
        """The windows of an epoch."""
        return Epoch(self._lengths, self._window, self._seed, number, stranded=self._stranded)

    def at(self, place: int) -> tuple[int, int, Window]:
        """Epoch, place within the epoch, and window at a place of the run, counted from 0."""
        if place < self._start:
            self._number, self._start, self._epoch = 0, 0, self.epoch(0)
        while place - self._start >= len(self._epoch):
            self._start += len(self._epoch)
            self._number += 1
            self._epoch = self.epoch(self._number)
        within = place - self._start
        return self._number, within, self._epoch[within]
