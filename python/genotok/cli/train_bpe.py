"""`genotok train-bpe`: genomes in, tokenizer.json out, a report."""

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from genotok.cli import figures, outputs
from genotok.cli.messages import note, same_command
from genotok.cli.options import (
    RUN_PANEL,
    AsJson,
    Quiet,
    Ray,
    SequenceFiles,
    Threads,
    Vocab,
    Workers,
    amount,
    on_ray,
)
from genotok.cli.reports import print_training, training_as_json
from genotok.errors import ArgumentError
from genotok.tokenizer import DEFAULT_SPECIAL_TOKENS, DEFAULT_VOCAB_SIZE, Tokenizer

__all__ = ["train_bpe"]

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
            help="The tokenizer; replaced on success only, whole or not at all.",
        ),
    ] = "tokenizer.json",
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
    from genotok.cli.progress import watching

    checkpoint = f"{output}.checkpoint"
    outputs.check_tokenizer(output, vocab)
    _check_checkpoint(checkpoint, resume)
    with watching(quiet) as watch:
        try:
            tokenizer = _train(ray, workers, threads, memory)(
                files,
                vocab_size=vocab,
                min_frequency=min_frequency,
                special_tokens=[token for token in special_tokens.split(",") if token],
                word_length=word_length,
                max_token_length=max_token_length,
                both_strands=both_strands,
                checkpoint=checkpoint,
                resume=resume,
                progress=watch,
            )
            tokenizer.save(output)
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
    if as_json:
        print(json.dumps(training_as_json(tokenizer.report, output)))
    elif not quiet:
        print_training(tokenizer.report, output)


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


def _check_checkpoint(checkpoint: str, resume: bool) -> None:
    """An error if there is nothing to resume; a note if there is, and nobody asked."""
    there = os.path.exists(checkpoint)
    if resume and not there:
        raise FileNotFoundError(errno.ENOENT, "no checkpoint to go on from; run without --resume", checkpoint)
    if there and not resume:
        note(f"{checkpoint} is left from an interrupted run; starting anew (--resume would go on from it)")


def _remove(checkpoint: str) -> None:
    """Take away the checkpoint, if there is one."""
    with suppress(FileNotFoundError):
        os.remove(checkpoint)


def _farewell(checkpoint: str, merges: int) -> str:
    """What to do after Ctrl-C."""
    if not os.path.exists(checkpoint):
        return "interrupted before the first round was complete; nothing was written"
    found = figures.count(merges, "merge")
    return f"interrupted after {found}; go on with: {same_command('--resume')}"
