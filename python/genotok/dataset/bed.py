"""Tokens as BED lines: record, start, end, token, id, strand. 0-based and half-open, as BED is.

A token's place is its row's start and the letters of the tokens before it in the row. That is only so where
tokens lie end to end, which is checked row by row; overlapping k-mers, which step by one letter, are told by
their number. Tokens that stand for no letter, such as `[CLS]`, have no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genotok.dataset.columns import bases_of, ends_of, ids_of, offsets_of, starts_of
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.dataset.vocabulary import Vocabulary
    from genotok.files.whole import Sink

__all__ = ["BedWriter"]


class BedWriter:
    """Writes record batches as lines, one a token.

    Rows that are reverse complements have strand `-`: their first token is the last in the record.
    """

    def __init__(self, sink: Sink, vocabulary: Vocabulary, *, reverse: bool) -> None:
        self._sink = sink
        self._reverse = reverse
        self._lengths = np.array(vocabulary.lengths, dtype=np.int64)
        strand = "-" if reverse else "+"
        ends = [f"\t{token}\t{index}\t{strand}\n" for index, token in enumerate(vocabulary.strings)]
        self._line_ends = pa.array(ends, pa.large_string())

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the lines of a pyarrow record batch."""
        ids = ids_of(batch)
        lengths = self._lengths[ids]
        rows = np.repeat(np.arange(batch.num_rows), np.diff(offsets_of(batch)))
        into = self._letters_before(batch, rows, lengths)
        starts = ends_of(batch)[rows] - into - lengths if self._reverse else starts_of(batch)[rows] + into
        shown = np.flatnonzero(lengths)
        starts, lengths = starts[shown], lengths[shown]
        text = pa.large_string()
        columns = [
            batch.column("record").cast(text).take(pa.array(rows[shown])),
            pa.array(starts).cast(text),
            pa.array(starts + lengths).cast(text),
        ]
        places = pc.binary_join_element_wise(*columns, pa.scalar("\t", text))
        line_ends = self._line_ends.take(pa.array(ids[shown]))
        lines = pc.binary_join_element_wise(places, line_ends, pa.scalar("", text))
        if len(lines):
            # The strings of an Arrow array lie end to end: they are the text.
            self._sink.write(memoryview(lines.buffers()[2]))

    def close(self) -> None:
        """Nothing: lines need no end."""

    def _letters_before(
        self, batch: pa.RecordBatch, rows: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many letters of its row come before each token."""
        offsets, letters = offsets_of(batch), bases_of(batch)
        passed = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        if np.array_equal(np.diff(passed[offsets]), letters):
            return np.asarray(passed[:-1] - passed[offsets[:-1]][rows])
        counts = np.diff(offsets)
        width = int(lengths.max(initial=1))
        steps_by_one = bool((lengths == width).all())
        if steps_by_one and np.array_equal((counts + width - 1)[counts > 0], letters[counts > 0]):
            return np.arange(len(rows)) - offsets[:-1][rows]
        row = int(np.flatnonzero(np.diff(passed[offsets]) != letters)[0])
        raise ArgumentError(
            f"format=bed: the tokens of {batch.column('record')[row].as_py()} do not lie end to end, "
            "so that they have no place of their own; try --unknown split"
        )
