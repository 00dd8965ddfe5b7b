"""Checking of sequence files: every defect with its place, cause and remedy."""

from typing import TypedDict, cast

from genotok import _native
from genotok.files.paths import Files, expand
from genotok.options import Progress, RunOptions

__all__ = ["Defect", "FileReport", "Lengths", "check_files"]


class Defect(TypedDict):
    """One thing that is wrong.

    `severity` is "error" (the file is refused), "warning" or "note"; `code` names the kind. `line` and
    `column` count from 1 (the column in bytes, None if the whole line is meant), `offset` counts bytes before
    it, all after unpacking; None if the file as a whole is meant. `record` is the record's name where known.
    """

    severity: str
    code: str
    line: int | None
    column: int | None
    offset: int | None
    record: str | None
    what: str
    fix: str


class Lengths(TypedDict):
    """Lengths of records in symbols; half of all symbols are in records of `n50` symbols or more."""

    shortest: int
    longest: int
    median: int
    n50: int


class FileReport(TypedDict):
    """What is in a file and what is wrong with it.

    `format` is "FASTA", "FASTQ" or None; `complete` is false if the file was not read to its end. `symbols`
    counts by kind, `counts` the defects by code; `defects` holds the first of each kind, in order of place.
    """

    file: str
    format: str | None
    compression: str | None
    complete: bool
    bytes: int
    text_bytes: int
    lines: int
    records: int
    symbols: dict[str, int]
    gc: float | None
    lengths: Lengths
    errors: int
    warnings: int
    notes: int
    counts: dict[str, int]
    defects: list[Defect]


def check_files(
    files: Files,
    *,
    limit: int = 5,
    allow_unknown: float = _native.MAX_UNKNOWN,
    threads: int | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> list[FileReport]:
    """Find every defect of FASTA and FASTQ files; one report for each file, in order.

    A file has errors exactly if training refuses it. What cannot be read at all is an error in its report,
    not an exception. Memory is bounded, whatever is in the files.

    Args:
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable of them.
        limit: Defects of one kind that are kept of a file; all are counted.
        allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
        threads: Files checked at a time; None for as many as there are cores.
        memory: Bytes that the process may hold; None for what it takes.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.

    Raises:
        OSError: A name leads to no file.
        ArgumentError: No file at all, or one of them twice.
    """
    run = RunOptions(threads=threads, memory=memory, progress=progress)
    reports = _native.check(expand(files), limit, allow_unknown, run)
    return cast("list[FileReport]", reports)
