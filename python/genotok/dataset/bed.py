"""Tokens as BED lines: record, start, end, token, 0, strand, id. 0-based and half-open, as BED is.

Six columns as every BED file of six columns has them, with the score 0, and the id as a seventh of our own:
BED6+1. Lines of a row rise, also on strand `-`, so that rows in order make a file in order, which can be
compressed and indexed.

A token's place is its row's start and the bases of the tokens before it in the row. That is only so where
tokens are contiguous, which is checked row by row; overlapping k-mers, which step by one base, are recognised
by their number. Tokens that stand for no base, such as `[CLS]`, have no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genotok import _native
from genotok.dataset.columns import (
    bases_of,
    ends_of,
    ids_of,
    is_of_bed,
    is_of_blocks,
    offsets_of,
    starts_of,
    view_of,
)
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.dataset.vocabulary import Vocabulary
    from genotok.files.atomic import ByteSink

__all__ = ["BedWriter", "TabixSink", "refuse_blocks"]


def refuse_blocks(schema: pa.Schema) -> None:
    """An error if rows are joined blocks: a token over a joint has no one place."""
    if is_of_blocks(schema):
        raise ArgumentError(
            "format=bed: a token over the joint of two blocks has no one place; choose another format, or "
            "leave out --bed-blocks"
        )


class Lines(Protocol):
    """Where lines of BED go."""

    def write(self, data: memoryview) -> int:
        """Append whole lines."""
        ...

    def close(self) -> None:
        """All lines are there."""
        ...


class TabixSink(Lines):
    """Lines into a BGZF file, with a tabix index in a second one."""

    def __init__(self, packed: ByteSink, index: ByteSink) -> None:
        self._packed, self._index = packed, index
        self._file = _native.IndexedBed()

    def write(self, data: memoryview) -> int:
        """Append whole lines, packed."""
        return self._packed.write(self._file.add(str(data, "utf-8")))

    def close(self) -> None:
        """Write the end of the file, and the index."""
        rest, index = self._file.finish()
        self._packed.write(rest)
        self._index.write(index)


class BedWriter:
    """Writes record batches as lines, one a token.

    Rows that are reverse complements have strand `-`: their first token is the last in the record, and so the
    last line. `reverse` says whether they are, where rows do not say so themselves.
    """

    def __init__(self, sink: ByteSink | Lines, vocabulary: Vocabulary, *, reverse: bool) -> None:
        self._sink = sink
        self._reverse = reverse
        self._lengths = np.array(vocabulary.lengths, dtype=np.int64)
        ends = [
            f"\t{token}\t0\t{strand}\t{index}\n"
            for strand in "+-"
            for index, token in enumerate(vocabulary.strings)
        ]
        self._line_ends = pa.array(ends, pa.large_string())

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the lines of a pyarrow record batch."""
        ids = ids_of(batch)
        lengths = self._lengths[ids]
        offsets = offsets_of(batch)
        rows = np.repeat(np.arange(batch.num_rows), np.diff(offsets))
        into = self._bases_before(batch, rows, lengths)
        reverse = self._are_reverse(batch)[rows]
        starts = np.where(reverse, ends_of(batch)[rows] - into - lengths, starts_of(batch)[rows] + into)
        # The tokens of a row by rising place: those of a reverse one backwards.
        order = np.arange(len(ids))
        order[reverse] = (offsets[:-1] + offsets[1:])[rows[reverse]] - 1 - order[reverse]
        shown = order[lengths[order] > 0]
        starts, lengths = starts[shown], lengths[shown]
        text = pa.large_string()
        columns = [
            batch.column("record").cast(text).take(pa.array(rows[shown])),
            pa.array(starts).cast(text),
            pa.array(starts + lengths).cast(text),
        ]
        places = pc.binary_join_element_wise(*columns, pa.scalar("\t", text))
        line_ends = self._line_ends.take(pa.array(ids[shown] + len(self._lengths) * reverse[shown]))
        lines = pc.binary_join_element_wise(places, line_ends, pa.scalar("", text))
        if len(lines):
            # The strings of an Arrow array are contiguous: they are the text.
            self._sink.write(memoryview(lines.buffers()[2]))

    def close(self) -> None:
        """Write what the sink has after all lines."""
        self._sink.close()

    def _are_reverse(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """Whether each row was read from the other strand."""
        if not is_of_bed(batch):
            return np.full(batch.num_rows, self._reverse)
        return view_of(pc.equal(batch.column("strand"), "-").cast("uint8")).astype(bool)

    def _bases_before(
        self, batch: pa.RecordBatch, rows: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many bases of its row come before each token."""
        offsets, bases = offsets_of(batch), bases_of(batch)
        passed = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        if np.array_equal(np.diff(passed[offsets]), bases):
            return np.asarray(passed[:-1] - passed[offsets[:-1]][rows])
        counts = np.diff(offsets)
        width = int(lengths.max(initial=1))
        steps_by_one = bool((lengths == width).all())
        if steps_by_one and np.array_equal((counts + width - 1)[counts > 0], bases[counts > 0]):
            return np.arange(len(rows)) - offsets[:-1][rows]
        row = int(np.flatnonzero(np.diff(passed[offsets]) != bases)[0])
        raise ArgumentError(
            f"format=bed: the tokens of {batch.column('record')[row].as_py()} are not contiguous, "
            "so that they have no place of their own; try --unknown split"
        )
