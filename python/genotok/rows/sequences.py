"""Records of FASTA and FASTQ files, or windows of them, as rows."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genotok.errors import SequenceFileError
from genotok.rows import chunks
from genotok.rows.arrays import view_of
from genotok.rows.opening import is_repeatable
from genotok.rows.source_rows import RowSource, RowSymbolCounts, RowTokenization, SourceRows, Tokens

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from genotok.tokenizer.encoder import Progress, RecordBatch, TokenReader

__all__ = ["SequenceFiles"]


class SequenceFiles(RowSource):
    """Rows of sequence files, with columns `record`, `start`, `end` (0-based, half-open)."""

    schema = pa.schema([("record", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    label = None
    sides = 1
    has_lines = False

    def __init__(self, options: RowTokenization, paths: Sequence[str], held: object = None) -> None:
        self.symbols = RowSymbolCounts()
        self.is_repeatable = all(map(is_repeatable, paths))
        self._options, self._paths = options, paths
        self._held = held  # temporary copies, which end with this source

    def batches(self, progress: Progress | None = None) -> Generator[SourceRows]:
        """All rows, in order; for both strands the files are read twice at once."""
        with closing(self._reader(progress)) as reader, ExitStack() as held:
            others = None
            if self._options.both_strands:
                others = iter(held.enter_context(closing(self._reader(reverse_complement=True))))
            for each in reader:
                batch = self._batch(pa.record_batch(each))
                yield batch if others is None else self._with_other(batch, next(others, None))
            found = reader.report()
        kinds = dict(found["unknown"])
        self.symbols = RowSymbolCounts(found["bases"], sum(kinds.values()), found["lower_case"], kinds)

    def _reader(self, progress: Progress | None = None, *, reverse_complement: bool = False) -> TokenReader:
        """The encoded rows of the files, of one strand."""
        options = self._options
        return options.tokenizer.encode_files(
            list(self._paths),
            reverse_complement=reverse_complement,
            window=options.window,
            stride=options.stride,
            unknown=options.unknown,
            uppercase=options.uppercase,
            add_special_tokens=options.special,
            batch_bases=chunks.BATCH_SYMBOLS,
            allow_unknown=options.allow_unknown,
            threads=options.threads,
            progress=progress,
        )

    def _with_other(self, batch: SourceRows, found: RecordBatch | None) -> SourceRows:
        """A batch with the tokens of the other strand; an error if they are of other rows."""
        other = batch.columns.slice(0, 0) if found is None else pa.record_batch(found)
        if not batch.columns.equals(other.select(self.schema.names)):
            raise SequenceFileError(f"{self._paths[0]}: was changed while it was read")
        return replace(batch, reverse=(_tokens(other),))

    def _batch(self, batch: pa.RecordBatch) -> SourceRows:
        """Convert a record batch of encoded sequences."""

        def place(row: int) -> str:
            record, start, end = (batch.column(name)[row].as_py() for name in ("record", "start", "end"))
            file = f"{self._paths[0]}: " if len(self._paths) == 1 else ""
            return f"{file}record {record}, {start:,}-{end:,}"

        if not self._options.allow_empty:
            lengths = view_of(batch.column("end")) - view_of(batch.column("start"))
            if len(empty := np.flatnonzero(lengths == 0)):
                raise SequenceFileError(f"{place(int(empty[0]))}: an empty sequence; remove the record")
        return SourceRows(batch.select(self.schema.names), (_tokens(batch),), place)


def _tokens(batch: pa.RecordBatch) -> Tokens:
    """The tokens of encoded rows, as views."""
    lists = batch.column("input_ids")
    offsets = view_of(lists.offsets).astype(np.int64)
    return Tokens(view_of(lists.flatten()), offsets - offsets[0])
