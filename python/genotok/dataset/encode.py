"""From sequence files to encoded sequences on disk, in one call."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from genotok import _native
from genotok.dataset.folder import write_folder
from genotok.dataset.plan import Plan
from genotok.dataset.portions import PortionWork, Reading, RowOptions
from genotok.dataset.single import write_rows
from genotok.dataset.slowness import warn_if_slow
from genotok.dataset.target import Target
from genotok.dataset.vocabulary import Vocabulary
from genotok.dataset.writers import files as open_files
from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.atomic import open_sink
from genotok.files.paths import STANDARD_INPUT, Bed, Files, expand, read_beds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from genotok.dataset.formats import FormatName
    from genotok.dataset.manifest import Portion
    from genotok.dataset.portions import Elsewhere
    from genotok.files.atomic import ByteSink
    from genotok.tokenizer import Tokenizer
    from genotok.tokenizer.encoder import Progress

__all__ = ["DEFAULT_SHARD_SIZE", "EncodingReport", "RowOptions", "encode"]

DEFAULT_SHARD_SIZE = 1_000_000_000


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
    elsewhere: Elsewhere | None = None,
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
        elsewhere: Encodes the portions of a folder in other processes, given the work and the numbers of
            those that are left; gives them in order.
        **rows: As for `Tokenizer.encode_files`.

    Raises:
        ArgumentError: Options contradict each other, or the output is there already.
        SequenceFileError: A file is empty, cut short, damaged, malformed, or not of nucleotides.
        SymbolError: A letter stands for no nucleotide, or is outside the vocabulary and `unknown="error"`.
        OSError: A file cannot be read or written.
        KeyboardInterrupt: Ctrl-C, within a second; a folder can be gone on with.
    """
    start = time.monotonic()
    target = Target.of(os.fspath(output), format, in_shards=shard_size is not None)
    target.check(resume=resume, force=force)
    inputs = expand(files)
    if beds := read_beds(rows.get("bed"), inputs):
        rows["bed"] = beds  # they may be pipes, which can be read only once
    if resume and STANDARD_INPUT in inputs:
        raise ArgumentError("files=-: standard input is gone; only files can be gone on with")
    plan = Plan(
        form=target.form,
        vocabulary=Vocabulary.of(tokenizer),
        inputs=tuple(inputs),
        options=_settled(rows, beds),
        shard_bases=shard_size or DEFAULT_SHARD_SIZE,
        in_one=bool(rows.get("region") or beds),
    )
    if elsewhere is not None and target.kind != "folder":
        raise ArgumentError(f"output={target.path}: other processes need a folder of shards, such as shards/")
    if target.kind == "folder" and plan.num_portions > 1:
        _native.check_bases(inputs)  # each portion knows of its own only
    reading = Reading(plan, tokenizer, threads, progress, rows)
    warn_if_slow(tokenizer, inputs)
    work = PortionWork(target.path, plan, tokenizer.to_json(), threads, rows) if elsewhere else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GenotokWarning)  # what it would tell is in the report
        if target.kind == "folder":
            spread = partial(elsewhere, work) if elsewhere and work else None
            report = _to_folder(target, plan, reading, resume=resume, force=force, elsewhere=spread)
        else:
            with target.claimed(inputs=[*inputs, *(bed.path for bed in beds)], force=force):
                report = _to_file(target, plan, reading)
    return {**report, "seconds": time.monotonic() - start}


def _to_file(target: Target, plan: Plan, reading: Reading) -> EncodingReport:
    """Encode into one file, or a pair of them, or a stream."""

    def sinks() -> Sequence[ByteSink]:
        return [open_sink(target.path)] if target.kind == "pipe" else open_files(target.paths)

    with closing(reading.open(plan.inputs, 0, digests=False)) as reader:
        output = write_rows(plan, reader, sinks)
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
        "letters": found["bases"],
        "unknown": dict(found["unknown"]),
        "lower_case": found["lower_case"],
        "bytes": output.num_bytes,
        "shards": None,
        "resumed": 0,
        "seconds": 0.0,
    }


def _to_folder(
    target: Target,
    plan: Plan,
    reading: Reading,
    *,
    resume: bool,
    force: bool,
    elsewhere: Callable[[range], Iterator[Portion]] | None,
) -> EncodingReport:
    """Encode into a folder of shards."""

    def begin(left: range) -> Iterator[Portion]:
        reading.first = left.start
        return elsewhere(left) if elsewhere else iter(())

    manifest = write_folder(
        target.path,
        plan,
        reading.open,
        resume=resume,
        force=force,
        elsewhere=begin if elsewhere else None,
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
        "letters": totals.letters,
        "unknown": totals.unknown_letters,
        "lower_case": totals.lower_case,
        "bytes": sum(file.bytes for shard in manifest.shards for file in shard.files),
        "shards": totals.shards,
        "resumed": plan.num_portions if reading.first is None else reading.first,
        "seconds": 0.0,
    }


def _settled(rows: RowOptions, beds: Sequence[Bed]) -> dict[str, Any]:
    """The options as files and manifests tell them; of a BED file, what is in it."""
    regions = rows.get("region") or []
    of_beds = {name: rows.get(name, False) for name in ("bed_blocks", "bed_order")} if beds else {}
    return {
        "window": rows.get("window"),
        "stride": rows.get("stride"),
        "region": [regions] if isinstance(regions, str) else list(regions),
        "bed_sha256": [hashlib.sha256(bed.data).hexdigest() for bed in beds],
        **of_beds,
        "reverse_complement": rows.get("reverse_complement", False),
        "unknown": rows.get("unknown", "token"),
        "uppercase": rows.get("uppercase", False),
        "add_special_tokens": rows.get("add_special_tokens", False),
    }
