"""Sequence files to one output: a file, a pair of them, or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok._native import EncodedRows
from genotok.dataset.writers import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genotok.dataset.job import EncodingJob, RowReader
    from genotok.files.atomic import ByteSink

__all__ = ["write_rows"]


def write_rows(job: EncodingJob, reader: RowReader, open_sinks: Callable[[], Sequence[ByteSink]]) -> Output:
    """Write all rows of `reader` to the sinks, which are committed at the end, or else discarded."""
    with Output(job, open_sinks(), reader) as output:
        for batch in reader:
            output.write(EncodedRows(batch))
        output.commit()
    return output
