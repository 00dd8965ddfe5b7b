"""Encoded rows to bytes; and an output: a writer, its files, and a count.

All writers are alike: `write(rows)` appends, `close()` ends. Where the bytes go, and whether they stay there,
is the sinks' concern (see `genotok.files.atomic`). Arrow and Parquet are written by the native module, from a
thread of its own, without pyarrow; the other formats take the rows as pyarrow record batches, without a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from genotok import _native
from genotok.dataset.batch_checksums import total_of
from genotok.dataset.counts import Counts
from genotok.dataset.metadata import metadata_of, text_of
from genotok.files.atomic import AtomicFile, commit_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from genotok._native import EncodedRows
    from genotok.dataset.job import EncodingJob, RowReader
    from genotok.files.atomic import ByteSink

__all__ = ["Output", "files"]


class Writer(Protocol):
    """What turns rows into bytes."""

    def write(self, rows: EncodedRows) -> None:
        """Append rows."""
        ...

    def close(self) -> list[str]:
        """Write what stands at the end of the format; the checksums of the batches."""
        ...


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

    def __init__(self, job: EncodingJob, sinks: Sequence[ByteSink], reader: RowReader) -> None:
        """Begin to write what `reader` gives; the sinks belong to the output from here on."""
        self.counts = Counts()
        self._sinks = sinks
        self._unknown_id = job.vocabulary.unknown_id
        self._sums: list[str] = []
        try:
            self._writer = _open_writer(job, sinks, reader)
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
        return total_of(self._sums)

    def write(self, rows: EncodedRows) -> None:
        """Append rows, if there are any."""
        if rows.num_rows:
            self._writer.write(rows)
            self.counts.add(rows, self._unknown_id)

    def commit(self) -> None:
        """End the files, bring all of them to the disk, then give them their names, the last one last."""
        self._sums = self._writer.close()
        for sink in self._sinks:
            sink.sync()
        commit_together(self._sinks)

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


def _open_writer(job: EncodingJob, sinks: Sequence[ByteSink], reader: RowReader) -> Writer:
    """The writer into `sinks`, one for each ending of the format."""
    about = text_of(job.facts)
    if job.form.name in {"arrow", "arrow-stream", "parquet"}:
        sink = sinks[0].native if isinstance(sinks[0], AtomicFile) else sinks[0]
        return _native.BatchWriter(sink, reader, metadata_of(about), about, form=job.form.name)
    from genotok.dataset.table_writers import TableWriter  # noqa: PLC0415 - loads pyarrow

    return TableWriter(job, sinks, reader, about)
