"""Rows of sequence files with their tokens, piece by piece; and what every source of rows gives.

A piece holds about a million letters: much more than a batch of the encoder, so that rows of like length can
be found in it, and little enough that it and its vectors fit anywhere.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from genotok.dataset.columns import ids_of, offsets_of
from genotok.inputs import STANDARD_INPUT
from genotok.verdict import MAX_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genotok.tokenizer import Tokenizer
    from genotok.tokens import Progress, Unknown

__all__ = ["PIECE_LETTERS", "Letters", "Piece", "Reading", "SequenceFiles", "Source"]

PIECE_LETTERS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some rows.

    Attributes:
        columns: What is written of each beside its vector.
        ids: Their tokens, end to end.
        offsets: Row i has `ids[offsets[i]:offsets[i + 1]]`.
        place: What a row is called in an error.
    """

    columns: pa.RecordBatch
    ids: NDArray[Any]
    offsets: NDArray[np.int64]
    place: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def parts(self, most_rows: int) -> Iterator[Piece]:
        """The same rows, so many at a time; their ids are views."""
        for first in range(0, len(self), most_rows):
            offsets = self.offsets[first : first + most_rows + 1]
            columns = self.columns.slice(first, len(offsets) - 1)
            yield Piece(columns, self.ids[offsets[0] : offsets[-1]], offsets - offsets[0], self.place)


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
class Reading:
    """How letters become tokens.

    Attributes:
        tokenizer: It makes them, with special tokens around each row.
        unknown: What becomes of letters outside the vocabulary.
        uppercase: Read lower-case letters as upper-case ones.
        threads: Threads to encode on; None for all cores.
        allow_unknown: The share of a file's symbols other than N that may be unknown.
    """

    tokenizer: Tokenizer
    unknown: Unknown
    uppercase: bool
    threads: int | None
    allow_unknown: float = MAX_UNKNOWN


class Source(Protocol):
    """Where rows come from.

    Attributes:
        schema: The pyarrow schema of the columns.
        letters: What the last walk through `pieces` has read.
        is_repeatable: `pieces` can be walked through again.
    """

    schema: pa.Schema
    letters: Letters
    is_repeatable: bool

    def pieces(self, progress: Progress | None = None) -> Generator[Piece]:
        """All rows, in order."""
        ...


class SequenceFiles(Source):
    """Records of FASTA and FASTQ files, or windows of them: columns `record`, `start`, `end`."""

    schema = pa.schema([("record", pa.string()), ("start", pa.int64()), ("end", pa.int64())])

    def __init__(
        self, reading: Reading, paths: Sequence[str], window: int | None = None, stride: int | None = None
    ) -> None:
        self.letters = Letters()
        self.is_repeatable = STANDARD_INPUT not in paths
        self._reading, self._paths = reading, paths
        self._window, self._stride = window, stride

    def pieces(self, progress: Progress | None = None) -> Generator[Piece]:
        """All rows, in order."""
        how = self._reading
        reader = how.tokenizer.encode_files(
            list(self._paths),
            window=self._window,
            stride=self._stride,
            unknown=how.unknown,
            uppercase=how.uppercase,
            add_special_tokens=True,
            batch_bases=PIECE_LETTERS,
            allow_unknown=how.allow_unknown,
            threads=how.threads,
            progress=progress,
        )
        with closing(reader):
            for batch in reader:
                yield _piece(pa.record_batch(batch))
            found = reader.report()
        kinds = dict(found["unknown"])
        self.letters = Letters(found["bases"], sum(kinds.values()), found["lower_case"], kinds)


def _piece(batch: pa.RecordBatch) -> Piece:
    """A record batch of encoded sequences as a piece."""

    def place(row: int) -> str:
        record, start, end = (batch.column(name)[row].as_py() for name in ("record", "start", "end"))
        return f"record {record}, {start:,}-{end:,}"

    columns = batch.select(SequenceFiles.schema.names)
    return Piece(columns, ids_of(batch), offsets_of(batch), place)
