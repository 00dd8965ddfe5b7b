"""Encoded rows to the formats that are written from pyarrow record batches: Parquet, Megatron's pair, BED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
from pyarrow import parquet

from genotok.dataset.batch_checksums import COUNT, ChecksumWriter
from genotok.dataset.bed import BedWriter, TabixSink, refuse_blocks
from genotok.dataset.columns import is_wide
from genotok.dataset.megatron import MegatronWriter
from genotok.dataset.metadata import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok._native import EncodedRows
    from genotok.dataset.job import EncodingJob, RowReader
    from genotok.files.atomic import ByteSink

__all__ = ["TableWriter"]

MAX_ROWS = 1 << 20
"""Rows of a Parquet row group at most."""


class BatchWriter(Protocol):
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
) -> BatchWriter:
    """The writer into `sinks`, one for each ending of the format."""
    form = job.form
    if form.name == "parquet":
        return ParquetWriter(sinks[0], describe(schema, checksums.about), checksums)
    if form.name == "megatron":
        return MegatronWriter(sinks[0], sinks[1], checksums, wide=is_wide(schema))
    refuse_blocks(schema)
    reverse = bool(job.options.get("reverse_complement"))
    return BedWriter(TabixSink(*sinks) if len(sinks) > 1 else sinks[0], job.vocabulary, reverse=reverse)


class ParquetWriter:
    """Parquet with zstd: a row group per batch.

    Parquet stores ids of 16 bits as 32: one stream for each of the four bytes, of which two are zeros, makes
    files a fifth smaller than plain ids, and is written in two thirds of the time. A dictionary lies between.
    """

    def __init__(self, sink: ByteSink, schema: pa.Schema, checksums: ChecksumWriter) -> None:
        self._checksums = checksums
        repeated = [name for name in ("record", "strand") if name in schema.names]
        encodings = {"input_ids.list.element": "BYTE_STREAM_SPLIT"}
        encodings |= {name: "DELTA_BINARY_PACKED" for name in ("start", "end") if name in schema.names}
        self._writer = parquet.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            use_dictionary=repeated,
            column_encoding=encodings,
            write_page_checksum=True,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a record batch as a row group, or as some if it has very many rows."""
        for first in range(0, batch.num_rows, MAX_ROWS):
            part = batch.slice(first, MAX_ROWS)
            self._checksums.add(part)
            self._writer.write_batch(part)

    def close(self) -> None:
        """Write the footer."""
        self._writer.add_key_value_metadata({COUNT: " ".join(self._checksums.sums)})
        self._writer.close()
