"""`genotok train-bpe`: genomes in, tokenizer.json out, a report."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown, same_command
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    RUN_PANEL,
    AllowUnknown,
    AsJson,
    Force,
    Quiet,
    Ray,
    SequenceFiles,
    Threads,
    Vocab,
    Workers,
    amount,
    on_ray,
)
from genotok.cli.shared.summaries import print_training, training_as_json
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.kinds import CHECKPOINT, TOKENIZER
from genotok.files.outputs import Existing, FileOutput, check_file, named, output_file
from genotok.tokenizer import DEFAULT_SPECIAL_TOKENS, DEFAULT_VOCAB_SIZE, Tokenizer, TrainingReport

__all__ = ["EXAMPLES", "train_bpe"]

EXAMPLES = (
    "genotok train-bpe --vocab 4096 genomes/*.fa",
    "genotok train-bpe --both-strands -o human.json GRCh38.fa.gz",
    "zcat reads.fq.gz | genotok train-bpe --max-token-length 64 -",
    "genotok train-bpe corpus.pack --resume",
    "genotok train-bpe --vocab 4096 shards/ --ray local --workers 4",
)

BYTES_PER_TOKEN = 64
"""What a token takes in tokenizer.json, about."""

CORPUS_PANEL = "Corpus"
VOCABULARY_PANEL = "Vocabulary"


def train_bpe(
    files: SequenceFiles,
    vocab: Vocab = DEFAULT_VOCAB_SIZE,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The tokenizer, or - for standard output; another one that is there is kept as FILE.1.",
        ),
    ] = "tokenizer.json",
    force: Force = False,
    special_tokens: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Tokens with the first ids, separated by commas; '' for none.",
            rich_help_panel=VOCABULARY_PANEL,
        ),
    ] = ",".join(DEFAULT_SPECIAL_TOKENS),
    min_frequency: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Stop when no pair occurs this often.", rich_help_panel=VOCABULARY_PANEL
        ),
    ] = 0,
    max_token_length: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="BASES",
            help="Longest token allowed.",
            show_default="no limit",
            rich_help_panel=VOCABULARY_PANEL,
        ),
    ] = None,
    word_length: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="BASES",
            help="Cut sequences into words of this length.",
            show_default="uncut",
            rich_help_panel=CORPUS_PANEL,
        ),
    ] = None,
    both_strands: Annotated[
        bool,
        typer.Option("--both-strands", help="Count reverse complements too.", rich_help_panel=CORPUS_PANEL),
    ] = False,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from FILE.checkpoint, left by Ctrl-C.", rich_help_panel=RUN_PANEL
        ),
    ] = False,
    ray: Ray = None,
    workers: Workers = None,
    memory: Annotated[
        int | None,
        typer.Option(
            parser=amount,
            metavar="BYTES",
            help="Stay below this, such as 2G; packed files and shards do not count.",
            show_default="what it takes",
            rich_help_panel=RUN_PANEL,
        ),
    ] = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Learn a tokenizer from genomes, by exact byte-pair encoding."""
    from genotok.cli.shared.progress import watching

    checkpoint = None if is_stream(named(output)) else f"{output}.checkpoint"
    claimed = output_file(
        output,
        TOKENIZER,
        inputs=files,
        existing=Existing.KEEP,
        force=force,
        num_bytes=vocab * BYTES_PER_TOKEN,
    )
    with claimed as target, watching(quiet) as watch:
        _check_checkpoint(checkpoint, resume)
        try:
            tokenizer = _train(ray, workers, threads, memory)(
                files,
                vocab_size=vocab,
                min_frequency=min_frequency,
                special_tokens=[token for token in special_tokens.split(",") if token],
                word_length=word_length,
                max_token_length=max_token_length,
                both_strands=both_strands,
                allow_unknown=allow_unknown,
                checkpoint=checkpoint,
                resume=resume,
                progress=watch,
            )
            target.write(tokenizer.to_json().encode())
            _remove(checkpoint)  # not before the tokenizer is safe
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    if interrupted:
        note(_farewell(checkpoint, watch.merges))
        raise typer.Exit(130)
    if tokenizer.report is None:
        raise TypeError("a trained tokenizer has a report")
    _tell(tokenizer.report, target, as_json, quiet)


def _tell(report: TrainingReport, target: FileOutput, as_json: bool, quiet: bool) -> None:
    """The report, and what became of the tokenizer that was there."""
    if not quiet:
        note_unknown(report["bases"] + sum(report["skipped"].values()), report["skipped"])
    if as_json:
        print_json(training_as_json(report, target.path), target)
    elif not quiet:
        print_training(report, target)
    if target.kept and (as_json or quiet):
        note(f"{target.path}: the one before is kept as {target.kept}")


def _train(
    ray: str | None, workers: int | None, threads: int | None, memory: int | None
) -> Callable[..., Tokenizer]:
    """What trains: this process, or a Ray cluster."""
    where = on_ray("train", ray, workers, threads)
    if where is None:
        return partial(Tokenizer.train, threads=threads, memory=memory)
    if memory is not None:
        raise ArgumentError(
            f"memory={memory}: is for this process; Ray's workers hold a part of the files each"
        )
    return where


def _check_checkpoint(checkpoint: str | None, resume: bool) -> None:
    """An error if there is nothing to resume; a note if there is, and nobody asked."""
    if checkpoint is None:
        if resume:
            raise ArgumentError("resume: a checkpoint stands beside a file; standard output has none")
        return
    check_file(checkpoint, CHECKPOINT, existing=Existing.KEEP)
    there = os.path.exists(checkpoint)
    if resume and not there:
        raise FileNotFoundError(errno.ENOENT, "no checkpoint to go on from; run without --resume", checkpoint)
    if there and not resume:
        note(f"{checkpoint} is left from an interrupted run; starting anew (--resume would go on from it)")


def _remove(checkpoint: str | None) -> None:
    """Take away the checkpoint, if there is one."""
    with suppress(FileNotFoundError):
        if checkpoint is not None:
            os.remove(checkpoint)


def _farewell(checkpoint: str | None, merges: int) -> str:
    """What to do after Ctrl-C."""
    if checkpoint is None or not os.path.exists(checkpoint):
        return "interrupted before the first round was complete; nothing was written"
    found = figures.count(merges, "merge")
    return f"interrupted after {found}; go on with: {same_command('--resume')}"
