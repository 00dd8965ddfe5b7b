"""From sequence files to encoded sequences on disk, in one call."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from contextlib import closing
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

from genotok import _native
from genotok.dataset.folder import write_folder
from genotok.dataset.job import EncodingJob
from genotok.dataset.portions import PortionReader, RemoteJob
from genotok.dataset.single import write_rows
from genotok.dataset.slowness import warn_if_slow
from genotok.dataset.target import Target
from genotok.dataset.vocabulary import Vocabulary
from genotok.dataset.writers import files as open_files
from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.atomic import open_sink
from genotok.files.paths import STANDARD_INPUT, Bed, Files, expand
from genotok.options import (
    OutputKeywords,
    OutputOptions,
    RowKeywords,
    RowOptions,
    RunKeywords,
    RunOptions,
    grouped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from genotok.dataset.formats import FormatName
    from genotok.dataset.manifest import Portion
    from genotok.dataset.portions import RemoteEncoder
    from genotok.files.atomic import ByteSink
    from genotok.tokenizer import Tokenizer

__all__ = ["DEFAULT_SHARD_SIZE", "EncodingOptions", "EncodingReport", "encode", "encode_dataset"]

DEFAULT_SHARD_SIZE = 1_000_000_000

NOT_RECORDED = frozenset({"allow_unknown"})
"""Row options that decide whether files are refused, not what the rows are."""


class EncodingReport(TypedDict):
    """What was read and written.

    `symbols` counts the symbols of the rows, with those left out, and `bases` those without; `unknown` counts
    symbols outside the vocabulary by kind, `lower_case` those of them that the vocabulary has in upper case;
    `resumed` the portions that an earlier run completed; `seconds` are of this run.
    """

    output: str
    format: FormatName
    files: int
    records: int
    rows: int
    bases: int
    tokens: int
    symbols: int
    unknown: dict[str, int]
    lower_case: int
    bytes: int
    shards: int | None
    resumed: int
    seconds: float


class EncodeKeywords(OutputKeywords, RowKeywords, RunKeywords, total=False):
    """The keywords of `encode`."""


class EncodingOptions(NamedTuple):
    """How files are encoded: all groups of `encode`."""

    output: OutputOptions
    rows: RowOptions
    run: RunOptions


def encode(
    tokenizer: Tokenizer, files: Files, output: str | os.PathLike[str], **options: Unpack[EncodeKeywords]
) -> EncodingReport:
    """Write the rows of `files`, encoded, to `output`, atomically.

    Args:
        tokenizer: It makes the ids.
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable of them.
        output: A file, a folder of shards (one that is there, a name that ends in `/`, or anything with
            `shard_size`), or `-` for standard output.
        format: "arrow", "arrow-stream", "parquet", "megatron" or "bed"; None for what the ending says.
        shard_size: Bases after which a new file is started in a folder.
        resume: Resume a folder whose run was killed, to the same files.
        force: Replace an output that is there.
        threads: Threads to use; None for all cores.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.
        **options: The others are those of `Tokenizer.encode_files`.

    Raises:
        ArgumentError: Options contradict each other, or the output is there already.
        SequenceFileError: A file is empty, cut short, damaged, malformed, or not of nucleotides.
        SymbolError: A symbol stands for no nucleotide, or is outside the vocabulary and `unknown="error"`.
        OSError: A file cannot be read or written.
        KeyboardInterrupt: Ctrl-C, within a second; a folder can be resumed.
    """
    groups = grouped("encode", options, OutputOptions, RowOptions, RunOptions)
    return encode_dataset(tokenizer, files, output, EncodingOptions(*groups))


def encode_dataset(
    tokenizer: Tokenizer,
    files: Files,
    output: str | os.PathLike[str],
    options: EncodingOptions,
    remote: RemoteEncoder | None = None,
) -> EncodingReport:
    """`encode`, with its options as groups; by `remote`, other processes encode a folder's portions."""
    start = time.monotonic()
    chosen = options.output
    target = Target.of(os.fspath(output), chosen.format, in_shards=chosen.shard_size is not None)
    target.check(resume=chosen.resume, force=chosen.force)
    inputs = expand(files)
    if chosen.resume and STANDARD_INPUT in inputs:
        raise ArgumentError("files=-: standard input is gone; only files can be resumed")
    rows = options.rows.with_beds_read(inputs)
    job = EncodingJob(
        form=target.form,
        vocabulary=Vocabulary.of(tokenizer),
        inputs=tuple(inputs),
        options=_recorded(rows),
        shard_bases=chosen.shard_size or DEFAULT_SHARD_SIZE,
        in_one=bool(rows.region or rows.bed),
    )
    if remote is not None and target.kind != "folder":
        raise ArgumentError(f"output={target.path}: other processes need a folder of shards, such as shards/")
    if target.kind == "folder" and job.num_portions > 1:
        _native.check_bases(inputs)  # a portion has its own files only
    reader = PortionReader(job, tokenizer, rows, options.run)
    warn_if_slow(tokenizer, inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GenotokWarning)  # the report says the same
        if target.kind == "folder":
            work = RemoteJob(target.path, job, tokenizer.to_json(), rows, options.run.threads)
            report = _to_folder(target, job, reader, chosen, partial(remote, work) if remote else None)
        else:
            beds = [bed.path for bed in rows.bed if isinstance(bed, Bed)]
            with target.claimed(inputs=[*inputs, *beds], force=chosen.force):
                report = _to_file(target, job, reader)
    return {**report, "seconds": time.monotonic() - start}


def _recorded(rows: RowOptions) -> dict[str, Any]:
    """The options as files and manifests record them; of BED files, which are read, their digests."""
    found: dict[str, Any] = {}
    for field in fields(rows):
        value = getattr(rows, field.name)
        if field.name == "bed":
            found["bed_sha256"] = [hashlib.sha256(bed.data).hexdigest() for bed in value]
        elif field.name not in NOT_RECORDED and (rows.bed or not field.name.startswith("bed_")):
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def _to_file(target: Target, job: EncodingJob, rows: PortionReader) -> EncodingReport:
    """Encode into one file, or a pair of them, or a stream."""

    def sinks() -> Sequence[ByteSink]:
        return [open_sink(target.path)] if target.kind == "pipe" else open_files(target.paths)

    with closing(rows.open(job.inputs, 0, sums=False)) as reader:
        output = write_rows(job, reader, sinks)
        counts = output.counts
        found = reader.report()
    return {
        "output": target.path,
        "format": target.form.name,
        "files": found["files"],
        "records": found["records"],
        "rows": counts.rows,
        "bases": counts.bases,
        "tokens": counts.tokens,
        "symbols": found["bases"],
        "unknown": dict(found["unknown"]),
        "lower_case": found["lower_case"],
        "bytes": output.num_bytes,
        "shards": None,
        "resumed": 0,
        "seconds": 0.0,
    }


def _to_folder(
    target: Target,
    job: EncodingJob,
    reader: PortionReader,
    options: OutputOptions,
    remote: Callable[[range], Iterator[Portion]] | None,
) -> EncodingReport:
    """Encode into a folder of shards."""

    def encode_remotely(left: range) -> Iterator[Portion]:
        reader.first = left.start
        return remote(left) if remote else iter(())

    manifest = write_folder(
        target.path,
        job,
        reader.open,
        resume=options.resume,
        force=options.force,
        remote=encode_remotely if remote else None,
    )
    totals = manifest.totals()
    return {
        "output": target.path,
        "format": target.form.name,
        "files": totals.files,
        "records": totals.records,
        "rows": totals.rows,
        "bases": totals.bases,
        "tokens": totals.tokens,
        "symbols": totals.symbols,
        "unknown": totals.unknown_symbols,
        "lower_case": totals.lower_case,
        "bytes": sum(file.bytes for shard in manifest.shards for file in shard.files),
        "shards": totals.shards,
        "resumed": job.num_portions if reader.first is None else reader.first,
        "seconds": 0.0,
    }
