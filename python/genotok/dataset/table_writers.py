"""Encoded rows to the formats that are written from pyarrow record batches: Megatron's pair and BED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from genotok.dataset.batch_checksums import ChecksumWriter
from genotok.dataset.bed import BedWriter, TabixSink, refuse_blocks
from genotok.dataset.columns import is_wide
from genotok.dataset.megatron import MegatronWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok._native import EncodedRows
    from genotok.dataset.job import EncodingJob, RowReader
    from genotok.files.atomic import ByteSink

__all__ = ["TableWriter"]


class FormatWriter(Protocol):
    """What turns record batches into bytes."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a pyarrow record batch."""
        ...

    def close(self) -> None:
        """Write what stands at the end of the format."""
        ...


class TableWriter:
    """Writes rows as pyarrow record batches, in the format of a job."""

    def __init__(self, job: EncodingJob, sinks: Sequence[ByteSink], reader: RowReader, about: str) -> None:
        self._checksums = ChecksumWriter(about)
        self._writer = _open(job, sinks, pa.schema(reader), self._checksums)

    def write(self, rows: EncodedRows) -> None:
        """Append rows."""
        self._writer.write(pa.record_batch(rows))

    def close(self) -> list[str]:
        """Write the end; the checksums of the batches."""
        self._writer.close()
        return self._checksums.sums


def _open(
    job: EncodingJob, sinks: Sequence[ByteSink], schema: pa.Schema, checksums: ChecksumWriter
) -> FormatWriter:
    """The writer into `sinks`, one for each ending of the format."""
    form = job.form
    if form.name == "megatron":
        return MegatronWriter(sinks[0], sinks[1], checksums, wide=is_wide(schema))
    refuse_blocks(schema)
    reverse = bool(job.options.get("reverse_complement"))
    return BedWriter(TabixSink(*sinks) if len(sinks) > 1 else sinks[0], job.vocabulary, reverse=reverse)
