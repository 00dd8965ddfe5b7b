"""`genotok study`: tokenizers measured on genomes; a table, and a record."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown, one_line
from genotok.cli.shared.multiqc import wanted_sections
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    AllowUnknown,
    AsJson,
    Force,
    MultiqcOptions,
    Quiet,
    Threads,
)
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.kinds import RECORD
from genotok.files.outputs import FileOutput, is_claimed, named, output_file

if TYPE_CHECKING:
    from genotok.study import Subject

__all__ = ["DEFAULT_KMERS", "EXAMPLES", "Kmers", "sorted_out", "study"]

EXAMPLES = (
    "genotok study tokenizer.json genomes/*.fa",
    "genotok study tokenizer.json yeast='genomes/yeast*.fa' --vocab 256,1024,4096 -o records/",
    "genotok study --train a=yeast.fa --train b=chr20.fa.gz yeast.fa chr20.fa.gz --json",
)

DEFAULT_KMERS = "6,bases"
Kmers = Annotated[
    str,
    typer.Option(
        metavar="LIST",
        help="k-mers to compare with: 6 is both overlapping and non-overlapping, 6:no-overlap or 6:canonical "
        "one of them, bases single bases; '' is none.",
    ),
]

SECONDS_BETWEEN_LINES = 15.0
"""Seconds between lines in a log file, as of other commands."""


def study(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[TOKENIZER...] GENOME...",
            help="Files ending in .json are tokenizers, all others genomes. NAME=FILE names one; several "
            "files under one name are one genome.",
            show_default=False,
        ),
    ],
    kmers: Kmers = DEFAULT_KMERS,
    vocab: Annotated[
        str | None,
        typer.Option(
            "--vocab",
            "-v",
            metavar="LIST",
            help="Also each byte-pair tokenizer truncated to these sizes; --train trains at the largest.",
            show_default="as they are; 4096",
        ),
    ] = None,
    train: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILES",
            help="Train a tokenizer on these genomes and compare it on all; the same name again adds files.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH", help="A folder for the record, a file, or -."),
    ] = None,
    force: Force = False,
    keep_case: Annotated[
        bool,
        typer.Option("--keep-case", help="Do not read lower case as upper case."),
    ] = False,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    multiqc: MultiqcOptions,
) -> None:
    """Compare tokenizers on genomes: tokens, entropy, vocabulary, robustness, leakage, compute."""
    from genotok.study import named_genomes, read_genome
    from genotok.study import study as measure

    now = datetime.now(UTC)
    tokenizers, genomes = sorted_out(paths)
    by_name = named_genomes(genomes)
    sizes = _sizes(vocab)
    inputs = [path.rpartition("=")[2] for path in [*paths, *(train or [])]]
    with (
        _target(output, now, inputs, force) as target,
        wanted_sections("study", multiqc, inputs=inputs, force=force) as sections,
    ):
        try:
            with _watching(quiet) as on_status:
                subjects = _subjects(tokenizers, kmers, sizes, train or [], allow_unknown, threads, on_status)
                read = []
                for name, files in by_name.items():
                    on_status(f"reading {name}", 0.0)
                    genome = read_genome(
                        name, files, uppercase=not keep_case, allow_unknown=allow_unknown, threads=threads
                    )
                    if not quiet:
                        note_unknown(genome.bases + genome.other_symbols, genome.unknown, of=name)
                    read.append(genome)
                record = measure(
                    subjects, read, uppercase=not keep_case, threads=threads, on_status=on_status
                )
        except KeyboardInterrupt:
            note("interrupted; nothing was written")
            raise typer.Exit(130) from None
        from genotok.run_records.schemas import StudyRecord

        found = StudyRecord.from_json(record)
        if target is not None:
            target.write(found.text().encode())
        if sections:
            from genotok.multiqc import study_sections

            sections.write(study_sections(found))
    if as_json:
        print_json(record, target)
    elif not quiet:
        from genotok.cli.shared.study_tables import print_study

        print_study(found, target)


def sorted_out(paths: list[str]) -> tuple[list[str], list[str]]:
    """The tokenizers and the genomes among the arguments."""
    tokenizers = [path for path in paths if path.endswith(".json")]
    genomes = [path for path in paths if not path.endswith(".json")]
    if not genomes:
        raise ArgumentError("files=[]: no genome to study the tokenizers on; name sequence files behind them")
    return tokenizers, genomes


def _sizes(vocab: str | None) -> list[int]:
    """The sizes in a list such as `256,1024`."""
    parts = [part.strip().replace("_", "") for part in (vocab or "").split(",") if part.strip()]
    for part in parts:
        if not part.isdecimal():
            raise ArgumentError(f"--vocab={vocab}: numbers separated by commas are expected, not '{part}'")
    return [int(part) for part in parts]


def _subjects(
    tokenizers: list[str],
    kmers: str,
    sizes: list[int],
    train: list[str],
    allow_unknown: float,
    threads: int | None,
    on_status: Callable[[str, float], None],
) -> list[Subject]:
    """All tokenizers: those of files and those trained, each truncated, then k-mers."""
    from genotok.study import Subject, named_genomes, named_kmers, truncations
    from genotok.study.subjects import kmer_names, tokenizer_file
    from genotok.tokenizer import DEFAULT_VOCAB_SIZE, Tokenizer

    whole = [Subject.of(name, load_tokenizer(path)) for name, path in map(tokenizer_file, tokenizers)]
    for name, files in named_genomes(train).items() if train else ():
        on_status(f"training on {name}", 0.0)
        size = max(sizes, default=DEFAULT_VOCAB_SIZE)
        tokenizer = Tokenizer.train(files, vocab_size=size, allow_unknown=allow_unknown, threads=threads)
        whole.append(Subject.of(name, tokenizer))
    found: list[Subject] = []
    for subject in whole:
        found += truncations(subject, sizes) if subject.kind == "bpe" else [subject]
    return found + [named_kmers(name) for name in kmer_names(kmers)]


@contextmanager
def _target(output: str | None, now: datetime, inputs: list[str], force: bool) -> Iterator[FileOutput | None]:
    """The output: the given path if it ends in .json or is a stream, else a new file in that folder."""
    if output is None:
        yield None
    elif is_stream(named(output)) or (output.endswith(".json") and not os.path.isdir(output)):
        with output_file(output, RECORD, inputs=inputs, force=force) as target:
            yield target
    else:
        os.makedirs(output, exist_ok=True)
        with _new_record(os.path.join(output, f"{now:%Y-%m-%d}-study")) as target:
            yield target


def _new_record(stem: str) -> AbstractContextManager[FileOutput]:
    """The first of `stem.json`, `stem-2.json`, ... that does not exist and is not claimed by another run."""
    for number in itertools.count(1):
        path = f"{stem}.json" if number == 1 else f"{stem}-{number}.json"
        if not os.path.lexists(path) and not is_claimed(path):
            return output_file(path, RECORD)
    raise AssertionError("numbers do not end")


@contextmanager
def _watching(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A status callback: a moving line on a terminal, else a plain line every `SECONDS_BETWEEN_LINES`."""
    from genotok.cli.shared.console import standard_error

    console = standard_error()
    if quiet:
        yield lambda _words, _share: None
    elif console.is_terminal:
        with console.status("starting") as status:
            yield lambda words, done: status.update(f"{one_line(words)} ({done:.0%} done)")
    else:
        yield _plain_lines()


def _plain_lines() -> Callable[[str, float], None]:
    """A status callback that prints a line every `SECONDS_BETWEEN_LINES`."""
    last = time.monotonic()

    def on_status(words: str, done: float) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            note(f"{words} ({done:.0%} done)")

    return on_status
