"""From sequence files to encoded sequences on disk, in one call."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from genotok.dataset.folder import write_folder
from genotok.dataset.plan import Plan, Reader
from genotok.dataset.single import write_rows
from genotok.dataset.target import Target
from genotok.dataset.vocabulary import Vocabulary
from genotok.dataset.whole import Pipe
from genotok.dataset.writers import files as open_files
from genotok.errors import ArgumentError, GenotokWarning
from genotok.inputs import STANDARD_INPUT, Files, expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.dataset.formats import FormatName
    from genotok.tokenizer import Progress, Tokenizer

__all__ = ["DEFAULT_SHARD_SIZE", "EncodingReport", "RowOptions", "encode"]

DEFAULT_SHARD_SIZE = 1_000_000_000


class RowOptions(TypedDict, total=False):
    """What rows are, and what becomes of their letters: as `Tokenizer.encode_files` takes it."""

    window: int | None
    stride: int | None
    region: str | list[str] | None
    bed: str | os.PathLike[str] | None
    reverse_complement: bool
    unknown: str
    uppercase: bool
    add_special_tokens: bool


class EncodingReport(TypedDict):
    """What was read and written.

    `letters` are those of the rows, with those that were left out, and `bases` without; `unknown` counts
    letters outside the vocabulary by kind, `lower_case` those of them that the vocabulary has in upper case;
    `resumed` the portions that an earlier run had done; `seconds` are of this run.
    """

    output: str
    format: FormatName
    files: int
    records: int
    rows: int
    bases: int
    tokens: int
    letters: int
    unknown: dict[str, int]
    lower_case: int
    bytes: int
    shards: int | None
    resumed: int
    seconds: float


def encode(
    tokenizer: Tokenizer,
    files: Files,
    output: str | os.PathLike[str],
    *,
    format: FormatName | str | None = None,  # noqa: A002
    shard_size: int | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    **rows: Unpack[RowOptions],
) -> EncodingReport:
    """Write the rows of `files`, encoded, to `output`: whole or not at all.

    Args:
        tokenizer: It makes the ids.
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable of them.
        output: A file, a folder of shards (one that is there, a name that ends in `/`, or anything with
            `shard_size`), or `-` for standard output.
        format: "arrow", "arrow-stream", "parquet", "megatron" or "bed"; None for what the ending says.
        shard_size: Bases after which a new file is begun in a folder.
        resume: Go on with a folder whose run was killed, to the same files.
        force: Replace an output that is there.
        threads: Threads to use; None for all cores.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.
        **rows: As for `Tokenizer.encode_files`.

    Raises:
        ArgumentError: Options contradict each other, or the output is there already.
        SequenceFileError: A file is empty, cut short, damaged or malformed.
        OSError: A file cannot be read or written.
        KeyboardInterrupt: Ctrl-C, within a second; a folder can be gone on with.
    """
    start = time.monotonic()
    target = Target.of(os.fspath(output), format, in_shards=shard_size is not None)
    target.check(resume=resume, force=force)
    inputs = expand(files)
    if resume and STANDARD_INPUT in inputs:
        raise ArgumentError("files=-: standard input is gone; only files can be gone on with")
    plan = Plan(
        form=target.form,
        vocabulary=Vocabulary.of(tokenizer),
        inputs=tuple(inputs),
        options=_settled(rows),
        shard_bases=shard_size or DEFAULT_SHARD_SIZE,
        in_one=bool(rows.get("region") or rows.get("bed")),
    )
    reading = _Reading(plan, tokenizer, threads, progress, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GenotokWarning)  # what it would tell is in the report
        if target.kind == "folder":
            report = _to_folder(target, plan, reading, resume=resume, force=force)
        else:
            report = _to_file(target, plan, reading)
    return {**report, "seconds": time.monotonic() - start}


def _to_file(target: Target, plan: Plan, reading: _Reading) -> EncodingReport:
    """Encode into one file, or a pair of them, or a pipe."""
    sinks = [Pipe(sys.stdout.buffer)] if target.kind == "pipe" else open_files(target.paths)
    with closing(reading.open(plan.inputs, 0, digests=False)) as reader:
        counts = write_rows(plan, reader, sinks)
        found = reader.report()
    return {
        "output": target.path,
        "format": target.form.name,
        "files": found["files"],
        "records": found["records"],
        "rows": counts.rows,
        "bases": counts.bases,
        "tokens": counts.tokens,
        "letters": found["bases"],
        "unknown": dict(found["unknown"]),
        "lower_case": found["lower_case"],
        "bytes": sum(sink.num_bytes for sink in sinks),
        "shards": None,
        "resumed": 0,
        "seconds": 0.0,
    }


def _to_folder(target: Target, plan: Plan, reading: _Reading, *, resume: bool, force: bool) -> EncodingReport:
    """Encode into a folder of shards."""
    manifest = write_folder(target.path, plan, reading.open, resume=resume, force=force)
    totals = manifest.totals()
    return {
        "output": target.path,
        "format": target.form.name,
        "files": totals.files,
        "records": totals.records,
        "rows": totals.rows,
        "bases": totals.bases,
        "tokens": totals.tokens,
        "letters": totals.letters,
        "unknown": totals.unknown_letters,
        "lower_case": totals.lower_case,
        "bytes": sum(file.bytes for shard in manifest.shards for file in shard.files),
        "shards": totals.shards,
        "resumed": len(plan.portions) if reading.first is None else reading.first,
        "seconds": 0.0,
    }


class _Reading:
    """Opens readers, portion after portion, and makes their progress that of the whole run.

    Attributes:
        first: The first portion that was opened; those before it were there already.
    """

    def __init__(
        self,
        plan: Plan,
        tokenizer: Tokenizer,
        threads: int | None,
        progress: Progress | None,
        rows: RowOptions,
    ) -> None:
        self.first: int | None = None
        self._plan, self._tokenizer, self._threads, self._rows = plan, tokenizer, threads, rows
        self._progress = progress
        self._before = 0
        self._bases_before = self._bases = 0

    def open(self, paths: Sequence[str], before: int, *, digests: bool = True) -> Reader:
        """A reader of the files of the portion that has so many portions before it."""
        if self.first is None:
            self.first = before
        self._before = before
        self._bases_before += self._bases
        self._bases = 0
        reader: Reader = self._tokenizer.encode_files(
            paths,
            threads=self._threads,
            progress=self._hear if self._progress else None,
            digests=digests,
            **self._rows,
        )
        return reader

    def _hear(self, event: dict[str, Any]) -> None:
        """Tell of the whole run what a reader tells of its portion."""
        self._bases = event["bases"]
        passed = self._plan.portions[self.first or 0 : self._before]
        ahead = self._plan.portions[self._before :]
        sizes = [[_size(path) for portion in part for path in portion] for part in (passed, ahead)]
        is_known = None not in sizes[0] + sizes[1]
        told = {
            "file_index": event["file_index"] + self._before,
            "files": len(self._plan.inputs),
            "bytes": event["bytes"] + sum(size or 0 for size in sizes[0]),
            "bytes_total": sum(size or 0 for size in sizes[0] + sizes[1]) if is_known else 0,
            "bases": event["bases"] + self._bases_before,
        }
        if self._progress:
            self._progress({**event, **told})


def _size(path: str) -> int | None:
    """The bytes of a file; None for what is not one."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else None
    except OSError:
        return None


def _settled(rows: RowOptions) -> dict[str, Any]:
    """The options as files and manifests tell them; of a BED file, what is in it."""
    regions = rows.get("region") or []
    bed = rows.get("bed")
    return {
        "window": rows.get("window"),
        "stride": rows.get("stride"),
        "region": [regions] if isinstance(regions, str) else list(regions),
        "bed_sha256": None if bed is None else hashlib.sha256(Path(bed).read_bytes()).hexdigest(),
        "reverse_complement": rows.get("reverse_complement", False),
        "unknown": rows.get("unknown", "token"),
        "uppercase": rows.get("uppercase", False),
        "add_special_tokens": rows.get("add_special_tokens", False),
    }
