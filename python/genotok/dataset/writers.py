"""Record batches to bytes, one small class a format; and an output: a writer, its files, and a count.

All writers are alike: `write(batch)` appends, `close()` ends. Where the bytes go, and whether they stay
there, is the sinks' concern (see `genotok.files.atomic`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from genotok.dataset.batch_checksums import BATCH, COUNT, ChecksumWriter, total_of
from genotok.dataset.bed import BedWriter, TabixSink, refuse_blocks
from genotok.dataset.columns import bases_of, ids_of, is_wide
from genotok.dataset.megatron import MegatronWriter
from genotok.dataset.metadata import describe, text_of
from genotok.files.atomic import AtomicFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from genotok.dataset.job import EncodingJob
    from genotok.files.atomic import ByteSink

__all__ = ["Counts", "Output", "files"]


MAX_ROWS = 1 << 20
"""Rows of a Parquet row group at most."""


class Writer(Protocol):
    """What turns record batches into bytes."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a pyarrow record batch."""
        ...

    def close(self) -> None:
        """Write what stands at the end of the format."""
        ...


class IpcWriter:
    """Arrow IPC: a file, which ends in an index of its batches, or a stream, read as it comes.

    A batch is held back until the next one comes, since the last one says how many there are.
    """

    def __init__(self, sink: ByteSink, schema: pa.Schema, checksums: ChecksumWriter, *, stream: bool) -> None:
        self._checksums = checksums
        self._held: pa.RecordBatch | None = None
        self._schema = schema
        self._writer = (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a record batch as it is."""
        if self._held is not None:
            self._put(self._held, {})
        self._held = batch

    def close(self) -> None:
        """Write the last batch, an empty one if there is none, and the index or the end mark."""
        last = self._held
        if last is None:
            last = pa.record_batch([pa.array([], kind) for kind in self._schema.types], schema=self._schema)
        self._put(last, {COUNT: str(len(self._checksums.sums) + 1)})
        self._writer.close()

    def _put(self, batch: pa.RecordBatch, more: dict[bytes, str]) -> None:
        """Write a batch with its checksum."""
        self._writer.write_batch(batch, {BATCH: self._checksums.add(batch), **more})


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


@dataclass(slots=True)
class Counts:
    """What was written.

    Attributes:
        unknown: How often the unknown token stands in it.
    """

    rows: int = 0
    bases: int = 0
    tokens: int = 0
    unknown: int = 0

    def add(self, batch: pa.RecordBatch, unknown_id: int | None) -> None:
        """Count a record batch in."""
        ids = ids_of(batch)
        self.rows += batch.num_rows
        self.bases += int(bases_of(batch).sum()) if batch.num_columns > 1 else 0
        self.tokens += len(ids)
        if unknown_id is not None:
            self.unknown += int(np.count_nonzero(ids == unknown_id))


def files(paths: Iterable[str], *, checksum: bool = False, deferred: bool = False) -> list[AtomicFile]:
    """The files at `paths`, open for writing: all of them, or none and an error."""
    opened: list[AtomicFile] = []
    try:
        opened.extend(AtomicFile(path, checksum=checksum, deferred=deferred) for path in paths)
    except BaseException:
        _discard(opened)
        raise
    return opened


class Output:
    """One output in the making: sinks, a writer into them, and a count; a `with` statement bounds its life.

    What is not committed at the end of the block leaves nothing behind.

    Attributes:
        counts: What was written so far.
    """

    def __init__(self, job: EncodingJob, sinks: Sequence[ByteSink], schema: pa.Schema) -> None:
        """Begin to write; the sinks belong to the output from here on."""
        self.counts = Counts()
        self._sinks = sinks
        self._unknown_id = job.vocabulary.unknown_id
        self._checksums = ChecksumWriter(text_of(job.facts))
        try:
            self._writer = _open_writer(job, sinks, schema, self._checksums)
        except BaseException:
            _discard(sinks)
            raise

    @property
    def num_bytes(self) -> int:
        """Bytes in all its files."""
        return sum(sink.num_bytes for sink in self._sinks)

    @property
    def checksum(self) -> str:
        """One checksum for all batches of a complete output."""
        return total_of(self._checksums.sums)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a pyarrow record batch, if it has any."""
        if not batch.num_rows:
            return
        self._writer.write(batch)
        self.counts.add(batch, self._unknown_id)

    def commit(self) -> None:
        """End the files, bring all of them to the disk, then give them their names, the last one last."""
        self._writer.close()
        for sink in self._sinks:
            sink.sync()
        for sink in self._sinks:
            sink.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _discard(self._sinks)


def _discard(sinks: Iterable[ByteSink]) -> None:
    """Let go of all of them."""
    for sink in sinks:
        sink.discard()


def _open_writer(
    job: EncodingJob, sinks: Sequence[ByteSink], schema: pa.Schema, checksums: ChecksumWriter
) -> Writer:
    """The writer into `sinks`, one for each ending of the format."""
    form = job.form
    described = describe(schema, checksums.about)
    if form.name == "parquet":
        return ParquetWriter(sinks[0], described, checksums)
    if form.name == "megatron":
        return MegatronWriter(sinks[0], sinks[1], checksums, wide=is_wide(schema))
    if form.name in {"bed", "bed-gz"}:
        refuse_blocks(schema)
        reverse = bool(job.options.get("reverse_complement"))
        return BedWriter(TabixSink(*sinks) if len(sinks) > 1 else sinks[0], job.vocabulary, reverse=reverse)
    return IpcWriter(sinks[0], described, checksums, stream=form.name == "arrow-stream")
