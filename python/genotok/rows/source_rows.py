"""The interface of sources of rows: rows with their tokens, in batches.

A batch has about a million symbols: many more than a batch of a model, so that rows of similar length can be
grouped, and few enough that it and its results fit into memory.
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

    from genotok.options import Progress, UnknownPolicy
    from genotok.tokenizer import Tokenizer

__all__ = ["RowSource", "RowSymbolCounts", "RowTokenization", "SourceRows", "Tokens", "non_empty"]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The ids of some rows.

    Attributes:
        ids: The ids of all rows, concatenated.
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
        """Concatenate rows."""
        lengths = np.concatenate([part.lengths for part in parts])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return cls(np.concatenate([part.ids for part in parts]), offsets)

    def some(self, first: int, count: int) -> Tokens:
        """`count` rows, starting with row `first`; their ids are views."""
        offsets = self.offsets[first : first + count + 1]
        return Tokens(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])


@dataclass(frozen=True, slots=True, eq=False)
class SourceRows:
    """N rows with their tokens.

    Attributes:
        columns: The columns that are written in front of the results.
        sides: The tokens of the sequence of each row; of pairs, those of the first and of the second.
        place: Row to its name in an error.
        lines: The line of each row in its file (N,); None where rows have no lines.
        reverse: The tokens of the other strand, for each of `sides`; empty unless they were asked for.
    """

    columns: pa.RecordBatch
    sides: tuple[Tokens, ...]
    place: Callable[[int], str]
    lines: NDArray[np.int64] | None = None
    reverse: tuple[Tokens, ...] = ()

    def __len__(self) -> int:
        return len(self.sides[0])

    @property
    def num_tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(side.ids) for side in self.sides)

    @classmethod
    def joined(cls, batches: Sequence[SourceRows]) -> SourceRows:
        """Concatenate batches of one schema."""
        if len(batches) == 1:
            return batches[0]
        starts = np.cumsum([0, *map(len, batches)])

        def place(row: int) -> str:
            number = int(np.searchsorted(starts, row, "right")) - 1
            return batches[number].place(row - int(starts[number]))

        sides = zip(*(batch.sides for batch in batches), strict=True)
        reverse = zip(*(batch.reverse for batch in batches), strict=True)
        lines = [batch.lines for batch in batches if batch.lines is not None]
        return cls(
            pa.concat_batches([batch.columns for batch in batches]),
            tuple(map(Tokens.joined, sides)),
            place,
            np.concatenate(lines) if lines else None,
            tuple(map(Tokens.joined, reverse)),
        )

    def parts(self, max_rows: int) -> Iterator[SourceRows]:
        """The same rows in batches of at most `max_rows`; their ids are views."""
        for first in range(0, len(self), max_rows):
            count = min(max_rows, len(self) - first)
            yield SourceRows(
                self.columns.slice(first, count),
                tuple(side.some(first, count) for side in self.sides),
                partial(_place, self.place, first),
                None if self.lines is None else self.lines[first : first + count],
                tuple(side.some(first, count) for side in self.reverse),
            )


def _place(place: Callable[[int], str], first: int, row: int) -> str:
    """The name of a row of a part."""
    return place(first + row)


@dataclass(slots=True)
class RowSymbolCounts:
    """Counts of the symbols that were read.

    Attributes:
        read: All symbols.
        unknown: Symbols outside the vocabulary.
        lower_case: Unknown symbols that are lower case.
        kinds: Unknown symbols by kind.
    """

    read: int = 0
    unknown: int = 0
    lower_case: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowTokenization:
    """What a row is, and how its symbols become tokens.

    Attributes:
        tokenizer: The tokenizer.
        special: Whether to add special tokens around each row.
        unknown: The policy for symbols outside the vocabulary.
        uppercase: Whether to read lower case as upper case.
        allow_empty: Whether a row may be empty.
        allow_unknown: The share of a file's symbols other than N that may be unknown.
        window: Symbols of a row, into which records of sequence files are cut; None for whole records.
        stride: Symbols from the start of one window to the start of the next; None for `window`.
        threads: Threads for encoding; None for all cores.
        both_strands: Whether to give the tokens of reverse complements too.
    """

    tokenizer: Tokenizer
    special: bool = True
    unknown: UnknownPolicy = "token"
    uppercase: bool = False
    allow_empty: bool = True
    allow_unknown: float = MAX_UNKNOWN
    window: int | None = None
    stride: int | None = None
    threads: int | None = None
    both_strands: bool = False


class RowSource(Protocol):
    """A source of rows.

    Attributes:
        schema: The pyarrow schema of the columns.
        label: The name of the column of labels; None if there is none.
        sides: Sequences per row: 1, or 2 for pairs.
        has_lines: Whether rows have line numbers.
        symbols: Counts of the symbols in the last iteration of `batches`.
        is_repeatable: Whether `batches` can be iterated again.
    """

    schema: pa.Schema
    label: str | None
    sides: int
    has_lines: bool
    symbols: RowSymbolCounts
    is_repeatable: bool

    def batches(self, progress: Progress | None = None) -> Generator[SourceRows]:
        """All rows, in order.

        Raises:
            SequenceFileError: A file cannot be read as rows of nucleotides.
            SymbolError: A symbol is not a nucleotide code, or is unknown where that is an error.
        """
        ...


def non_empty(batches: Iterator[SourceRows]) -> Iterator[SourceRows]:
    """The same batches.

    Raises:
        ArgumentError: There was no row in any of them.
    """
    found = False
    for batch in batches:
        found = found or len(batch) > 0
        yield batch
    if not found:
        raise ArgumentError("files: there is no row in them")
