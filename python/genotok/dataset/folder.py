"""Sequence files to a folder of shards, one portion after another, so that a killed run can resume.

Order of events, on which resuming relies: the tokenizer and the head of the journal; then, for each portion,
its shards, each written atomically, the list of its records, and its line in the journal; in the end the
manifest, and the journal goes. So a portion whose line is in the journal was complete. After a crash of the
system its files may be missing: resuming compares them with the checksums in the line. A portion that is not
whole is encoded again from its start, over what there may be of it: the files come out the same.

Everything is on the disk before the manifest is. Until then small portions share a flush.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from genotok._native import EncodedRows
from genotok.dataset.input_states import InputStates
from genotok.dataset.journal import DIGESTS, SHARD, Journal, check_folder
from genotok.dataset.manifest import FileEntry, Manifest, Portion, ShardEntry
from genotok.dataset.writers import Output, files
from genotok.files.atomic import AtomicFile
from genotok.files.checksums import blake3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from genotok.dataset.job import EncodingJob, OpenRows, RowReader

__all__ = ["encode_portion", "write_folder"]


def write_folder(
    folder: str,
    job: EncodingJob,
    read: OpenRows,
    *,
    resume: bool = False,
    force: bool = False,
    remote: Callable[[range], Iterator[Portion]] | None = None,
) -> Manifest:
    """Encode the files of `job` into `folder`.

    Args:
        folder: The folder; made if it is not there.
        job: What to encode.
        read: Called with the files of a portion and the number of files before them; gives their rows, and
            reports digests of records and checksums of files.
        resume: Resume a run that was killed, to the result it would have had.
        force: Replace a folder of shards that is there.
        remote: Called with the numbers of the portions that are left; encodes them into the folder by
            `encode_portion`, in other processes, and gives them in order.

    Raises:
        ArgumentError: The folder may not be written to, or does not fit what is to be resumed.
        OSError: A file cannot be read or written.
    """
    check_folder(folder, resume=resume, force=force)
    journal = Journal(folder, job.head(), job.vocabulary.json, resume=resume and not force, force=force)
    try:
        left = range(len(journal.portions), job.num_portions)
        local = (encode_portion(folder, job, index, read, deferred=True) for index in left)
        for portion in local if remote is None else remote(left):
            journal.add(portion)
        manifest = Manifest(job.head(), tuple(journal.portions))
        journal.finish(manifest)
    finally:
        journal.close()
    return manifest


def encode_portion(
    folder: str, job: EncodingJob, index: int, read: OpenRows, *, deferred: bool = False
) -> Portion:
    """Encode the files of one portion into shards, over what an earlier try may have left of them.

    They are on the disk when it returns; `deferred`, once the journal is flushed.
    """
    paths = job.portion(index)
    states = InputStates(paths)
    with closing(read(paths, index)) as reader:
        shards = tuple(_write_shards(folder, job, index, reader, deferred=deferred))
        report = reader.report()
        digests = _write_digests(folder, index, report["digests"], deferred=deferred)
        return Portion(
            inputs=states.entries(report["checksums"]),
            records=report["records"],
            digests=digests,
            shards=shards,
            symbols=report["bases"],
            unknown=dict(report["unknown"]),
            lower_case=report["lower_case"],
        )


def _write_shards(
    folder: str, job: EncodingJob, index: int, reader: RowReader, *, deferred: bool
) -> Iterator[ShardEntry]:
    """The shards of a portion, each complete when it is yielded."""
    part = 0
    rows = _Rows(EncodedRows(batch) for batch in reader)
    while rows:
        stem = SHARD.format(portion=index, part=part)
        paths = [os.path.join(folder, stem + ending) for ending in job.form.endings]
        sinks = files(paths, checksum=True, deferred=deferred)
        with Output(job, sinks, reader) as output:
            while rows and output.counts.bases < job.shard_bases:
                output.write(rows.take(job.shard_bases - output.counts.bases))
            output.commit()
            yield _shard_entry(sinks, output)
        part += 1


class _Rows:
    """The rows of a stream of batches; true as long as there are any."""

    def __init__(self, stream: Iterator[EncodedRows]) -> None:
        self._stream = stream
        self._batch = next(stream, None)

    def __bool__(self) -> bool:
        while self._batch is not None and not self._batch.num_rows:
            self._batch = next(self._stream, None)
        return self._batch is not None

    def take(self, bases: int) -> EncodedRows:
        """The next rows, of one batch: all, or those up to the one that makes them `bases` or more."""
        batch = self._batch
        if batch is None:
            raise ValueError("there are no rows left")
        rows = batch.rows_until(bases)
        self._batch = batch.slice(rows, batch.num_rows)
        return batch.slice(0, rows)


def _shard_entry(sinks: Sequence[AtomicFile], output: Output) -> ShardEntry:
    """A complete shard."""
    counts = output.counts
    entries = tuple(
        FileEntry(os.path.basename(sink.path), sink.num_bytes, blake3(sink.checksum)) for sink in sinks
    )
    return ShardEntry(entries, counts.rows, counts.bases, counts.tokens, counts.unknown, output.checksum)


def _write_digests(
    folder: str, index: int, digests: Sequence[Mapping[str, Any]], *, deferred: bool
) -> FileEntry:
    """The list of a portion's records: file, name, length, refget digest."""
    path = os.path.join(folder, DIGESTS.format(portion=index))
    sink = AtomicFile(path, checksum=True, deferred=deferred)
    try:
        sink.write(b"file\trecord\tlength\trefget\n")
        for entry in digests:
            line = f"{entry['file']}\t{entry['record']}\t{entry['length']}\t{entry['digest']}\n"
            sink.write(line.encode("utf-8", "surrogateescape"))
        sink.commit()
    finally:
        sink.discard()
    return FileEntry(os.path.basename(path), sink.num_bytes, blake3(sink.checksum))
