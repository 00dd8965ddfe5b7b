"""Tokens as BED lines: record, start, end, token, id. 0-based and half-open, as BED is.

A token's place is its row's start and the letters of the tokens before it in the row. That is only so where
tokens lie end to end, which is checked row by row; overlapping k-mers, which step by one letter, are told by
their number. Tokens that stand for no letter, such as `[CLS]`, have no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genotok.dataset.columns import bases_of, ids_of, offsets_of, starts_of
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.dataset.vocabulary import Vocabulary
    from genotok.dataset.whole import Sink

__all__ = ["BedWriter"]


class BedWriter:
    """Writes record batches as lines, one a token."""

    def __init__(self, sink: Sink, vocabulary: Vocabulary) -> None:

        self._sink = sink
        self._lengths = np.array(vocabulary.lengths, dtype=np.int64)
        ends = [f"\t{token}\t{index}\n" for index, token in enumerate(vocabulary.strings)]
        self._line_ends = pa.array(ends, pa.large_string())

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the lines of a pyarrow record batch."""
        ids = ids_of(batch)
        lengths = self._lengths[ids]
        rows = np.repeat(np.arange(batch.num_rows), np.diff(offsets_of(batch)))
        starts = self._starts(batch, rows, lengths)
        shown = np.flatnonzero(lengths)
        starts, lengths = starts[shown], lengths[shown]
        names = batch.column("record").cast(pa.large_string()).take(pa.array(rows[shown]))
        text = pa.large_string()
        lines = pc.binary_join_element_wise(
            names, pa.array(starts).cast(text), pa.array(starts + lengths).cast(text), pa.scalar("\t", text)
        )
        whole = pc.binary_join_element_wise(
            lines, self._line_ends.take(pa.array(ids[shown])), pa.scalar("", text)
        )
        if len(whole):
            self._sink.write(memoryview(whole.buffers()[2]).cast("B"))

    def close(self) -> None:
        """Nothing: lines need no end."""

    def _starts(
        self, batch: pa.RecordBatch, rows: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Where each token begins in its record."""
        offsets = offsets_of(batch)
        passed = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        letters = bases_of(batch)
        if np.array_equal(np.diff(passed[offsets]), letters):
            return passed[:-1] + (starts_of(batch) - passed[offsets[:-1]])[rows]
        counts = np.diff(offsets)
        width = int(lengths.max(initial=1))
        if bool((lengths == width).all()) and np.array_equal(
            counts[counts > 0] + width - 1, letters[counts > 0]
        ):
            return np.arange(len(rows)) + (starts_of(batch) - offsets[:-1])[rows]
        row = int(np.flatnonzero(np.diff(passed[offsets]) != letters)[0])
        raise ArgumentError(
            f"format=bed: the tokens of {batch.column('record')[row].as_py()} do not lie end to end, "
            "so that they have no place of their own; try --unknown split"
        )
