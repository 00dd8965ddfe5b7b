"""What every source of rows gives: rows with their tokens, piece by piece.

A piece holds about a million letters: much more than a batch of a model, so that rows of like length can be
found in it, and little enough that it and its results fit anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from genotok.corpus.verdict import MAX_UNKNOWN
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from genotok.tokenizer import Tokenizer
    from genotok.tokenizer.encoder import Progress, Unknown

__all__ = ["Letters", "Piece", "RowTokenization", "Source", "Tokens", "non_empty"]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The ids of some rows.

    Attributes:
        ids: Those of all rows, concatenated.
        offsets: Row i has `ids[offsets[i]:offsets[i + 1]]`.
    """

    ids: NDArray[Any]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        """The ids of a row, a view."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, (N,)."""
        return np.diff(self.offsets)

    @classmethod
    def joined(cls, parts: Sequence[Tokens]) -> Tokens:
        """The rows of several, as one."""
        lengths = np.concatenate([part.lengths for part in parts])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return cls(np.concatenate([part.ids for part in parts]), offsets)

    def some(self, first: int, count: int) -> Tokens:
        """`count` rows from `first` on; their ids are views."""
        offsets = self.offsets[first : first + count + 1]
        return Tokens(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some rows.

    Attributes:
        columns: What is written of each beside its results.
        sides: Their tokens: of the sequence of each, or of the two of a pair.
        place: What a row is called in an error.
        lines: The line of each row in its file (N,); None where rows have no lines.
    """

    columns: pa.RecordBatch
    sides: tuple[Tokens, ...]
    place: Callable[[int], str]
    lines: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.sides[0])

    @property
    def num_tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(side.ids) for side in self.sides)

    @classmethod
    def joined(cls, pieces: Sequence[Piece]) -> Piece:
        """The rows of several pieces of one schema, as one."""
        if len(pieces) == 1:
            return pieces[0]
        starts = np.cumsum([0, *map(len, pieces)])

        def place(row: int) -> str:
            number = int(np.searchsorted(starts, row, "right")) - 1
            return pieces[number].place(row - int(starts[number]))

        sides = zip(*(piece.sides for piece in pieces), strict=True)
        lines = [piece.lines for piece in pieces if piece.lines is not None]
        return cls(
            pa.concat_batches([piece.columns for piece in pieces]),
            tuple(map(Tokens.joined, sides)),
            place,
            np.concatenate(lines) if lines else None,
        )

    def parts(self, max_rows: int) -> Iterator[Piece]:
        """The same rows, so many at a time; their ids are views."""
        for first in range(0, len(self), max_rows):
            count = min(max_rows, len(self) - first)
            yield Piece(
                self.columns.slice(first, count),
                tuple(side.some(first, count) for side in self.sides),
                partial(_place, self.place, first),
                None if self.lines is None else self.lines[first : first + count],
            )


def _place(place: Callable[[int], str], first: int, row: int) -> str:
    """What a row of a part is called."""
    return place(first + row)


@dataclass(slots=True)
class Letters:
    """Letters that were read: all, those outside the vocabulary, and those of them that are lower case.

    `kinds` has those outside the vocabulary by kind.
    """

    read: int = 0
    unknown: int = 0
    lower_case: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowTokenization:
    """What rows are, and how their letters become tokens.

    Attributes:
        tokenizer: It makes the tokens.
        special: Put special tokens around each row.
        unknown: What becomes of letters outside the vocabulary.
        uppercase: Read lower-case letters as upper-case ones.
        allow_empty: A row may have no letter.
        allow_unknown: The share of a file's symbols other than N that may be unknown.
        window: Cut records of sequence files into rows of so many letters; None leaves them whole.
        stride: Letters from the start of one window to that of the next; None for `window`.
        threads: Threads to encode on; None for all cores.
    """

    tokenizer: Tokenizer
    special: bool = True
    unknown: Unknown = "token"
    uppercase: bool = False
    allow_empty: bool = True
    allow_unknown: float = MAX_UNKNOWN
    window: int | None = None
    stride: int | None = None
    threads: int | None = None


class Source(Protocol):
    """Where rows come from.

    Attributes:
        schema: The pyarrow schema of the columns.
        label: The name of the column of labels; None if there is none.
        sides: Sequences of a row: 1, of pairs 2.
        has_lines: Whether rows have lines.
        letters: What the last walk through `pieces` has read.
        is_repeatable: `pieces` can be walked through again.
    """

    schema: pa.Schema
    label: str | None
    sides: int
    has_lines: bool
    letters: Letters
    is_repeatable: bool

    def pieces(self, progress: Progress | None = None) -> Generator[Piece]:
        """All rows, in order.

        Raises:
            SequenceFileError: A file cannot be read as rows of nucleotides.
            SymbolError: A letter stands for no nucleotide, or is unknown where that is an error.
        """
        ...


def non_empty(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; an error at the end if there was no row."""
    found = False
    for piece in pieces:
        found = found or len(piece) > 0
        yield piece
    if not found:
        raise ArgumentError("files: there is no row in them")
