"""Records of FASTA and FASTQ files, or windows of them, as rows."""

from __future__ import annotations

from contextlib import closing
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

    from genotok.tokenizer.encoder import Progress

__all__ = ["SequenceFiles"]


class SequenceFiles(RowSource):
    """Rows of sequence files, with columns `record`, `start`, `end` (0-based, half-open)."""

    schema = pa.schema([("record", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    label = None
    sides = 1
    has_lines = False

    def __init__(self, options: RowTokenization, paths: Sequence[str]) -> None:
        self.symbols = RowSymbolCounts()
        self.is_repeatable = all(map(is_repeatable, paths))
        self._options, self._paths = options, paths

    def batches(self, progress: Progress | None = None) -> Generator[SourceRows]:
        """All rows, in order."""
        options = self._options
        reader = options.tokenizer.encode_files(
            list(self._paths),
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
        with closing(reader):
            for batch in reader:
                yield self._batch(pa.record_batch(batch))
            found = reader.report()
        kinds = dict(found["unknown"])
        self.symbols = RowSymbolCounts(found["bases"], sum(kinds.values()), found["lower_case"], kinds)

    def _batch(self, batch: pa.RecordBatch) -> SourceRows:
        """Convert a record batch of encoded sequences."""

        def place(row: int) -> str:
            record, start, end = (batch.column(name)[row].as_py() for name in ("record", "start", "end"))
            file = f"{self._paths[0]}: " if len(self._paths) == 1 else ""
            return f"{file}record {record}, {start:,}-{end:,}"

        lists = batch.column("input_ids")
        offsets = view_of(lists.offsets).astype(np.int64)
        tokens = Tokens(view_of(lists.flatten()), offsets - offsets[0])
        if not self._options.allow_empty:
            lengths = view_of(batch.column("end")) - view_of(batch.column("start"))
            if len(empty := np.flatnonzero(lengths == 0)):
                raise SequenceFileError(f"{place(int(empty[0]))}: an empty sequence; remove the record")
        return SourceRows(batch.select(self.schema.names), (tokens,), place)
