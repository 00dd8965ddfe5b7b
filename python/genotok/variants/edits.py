"""Edits of a sequence, and the windows around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from genotok.errors import ArgumentError

__all__ = ["Bases", "Edit", "WindowEdit", "bases_of", "reverse_complement"]

PAIRS = str.maketrans("ACGTRYKMBVDH", "TGCAYRMKVBHD")
"""IUPAC's codes; S, W and N stay."""


class Bases(Protocol):
    """A sequence of which parts can be read: `str`, `bytes`, or a contig of a reference."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> str | bytes: ...


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a sequence: its bases [start, end) become `replacement`.

    Attributes:
        start: The first replaced base, counted from 0.
        end: Behind the last one; `start` for an insertion in front of `start`.
        replacement: Bases; may be none.
    """

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class WindowEdit:
    """A change in its window.

    Attributes:
        bases: The window, in upper case.
        start: The first replaced base of the window.
        end: Behind the last one.
        replacement: What stands there instead.
    """

    bases: str
    start: int
    end: int
    replacement: str

    @property
    def changed(self) -> str:
        """The window with the variant in it."""
        return self.bases[: self.start] + self.replacement + self.bases[self.end :]

    @property
    def replaced(self) -> str:
        """The bases that are replaced."""
        return self.bases[self.start : self.end]

    @property
    def other_strand(self) -> WindowEdit:
        """The same on the reverse complement."""
        size = len(self.bases)
        return WindowEdit(
            reverse_complement(self.bases),
            size - self.end,
            size - self.start,
            reverse_complement(self.replacement),
        )

    @classmethod
    def around(cls, sequence: Bases, edit: Edit, window: int) -> WindowEdit:
        """The window of at most `window` bases around an edit, as many on both sides where there are as many.

        What reference and replacement share at their ends is left out of the edit.

        Raises:
            ArgumentError: The edit is outside the sequence, or longer than half a window.
        """
        if not 0 <= edit.start <= edit.end <= len(sequence):
            raise ArgumentError(
                f"edit={edit.start}-{edit.end}: is outside of a sequence of {len(sequence):,} bases"
            )
        before, after = bases_of(sequence, edit.start, edit.end), edit.replacement.upper()
        before, after, same = cls.trimmed(before, after)
        if max(len(before), len(after)) > window // 2:
            size = max(len(before), len(after))
            raise ArgumentError(
                f"edit={edit.start}-{edit.end}: {size:,} bases are longer than half a window of {window:,}"
            )
        start = edit.start + same
        end = start + len(before)
        flank = (window - len(before)) // 2
        left = max(start - flank, 0)
        found = bases_of(sequence, left, min(end + flank, len(sequence)))
        return cls(found, start - left, end - left, after)

    @staticmethod
    def trimmed(before: str, after: str) -> tuple[str, str, int]:
        """Two texts without what they share at their ends, and how much they share at their start."""
        same_end = shared(before[::-1], after[::-1])
        before, after = before[: len(before) - same_end], after[: len(after) - same_end]
        same = shared(before, after)
        return before[same:], after[same:], same


def shared(one: str, other: str) -> int:
    """Symbols that two texts share at their start; time is linear in the answer."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    low, high = 0, size  # one[:low] is shared, one[:high] is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle)
    return low


def bases_of(sequence: Bases, start: int, end: int) -> str:
    """The bases [start, end) of a sequence, in upper case."""
    found = sequence[start:end]
    return (found if isinstance(found, str) else bytes(found).decode("latin-1")).upper()


def reverse_complement(bases: str) -> str:
    """The other strand of upper-case bases, read in its own direction."""
    return bases.translate(PAIRS)[::-1]
