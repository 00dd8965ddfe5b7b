"""`genotok train-bpe`: genomes in, tokenizer.json out, a report."""

import errno
import os
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown, same_command
from genotok.cli.shared.options import Force, ReportOptions, SequenceFiles, is_on_ray
from genotok.cli.shared.summaries import print_training, training_as_json
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.kinds import CHECKPOINT, TOKENIZER
from genotok.files.outputs import Existing, FileOutput, check_file, named, output_file
from genotok.options import RayOptions, RunOptions, TrainOptions
from genotok.tokenizer import Tokenizer, TrainingReport
from genotok.tokenizer.tokenizer import train_tokenizer

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


def train_bpe(
    files: SequenceFiles,
    training: TrainOptions,
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
    *,
    ray: RayOptions,
    run: RunOptions,
    report: ReportOptions,
) -> None:
    """Train a tokenizer on genomes, by exact byte-pair encoding."""
    from genotok.cli.shared.progress import watching

    checkpoint = None if is_stream(named(output)) else f"{output}.checkpoint"
    claimed = output_file(
        output,
        TOKENIZER,
        inputs=files,
        existing=Existing.KEEP,
        force=force,
        num_bytes=training.vocab_size * BYTES_PER_TOKEN,
    )
    with claimed as target, watching(report.quiet) as watch:
        _check_checkpoint(checkpoint, training.resume)
        try:
            tokenizer = _train(
                files, replace(training, checkpoint=checkpoint), replace(run, progress=watch), ray
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
    _print_report(tokenizer.report, target, report)


def _print_report(found: TrainingReport, target: FileOutput, report: ReportOptions) -> None:
    """The report, and where the tokenizer is that the file held before."""
    if not report.quiet:
        note_unknown(found["bases"] + sum(found["skipped"].values()), found["skipped"])
    if report.as_json:
        print_json(training_as_json(found, target.path), target)
    elif not report.quiet:
        print_training(found, target)
    if target.kept and (report.as_json or report.quiet):
        note(f"{target.path}: the one before is kept as {target.kept}")


def _train(files: list[str], training: TrainOptions, run: RunOptions, ray: RayOptions) -> Tokenizer:
    """Train in this process, or on a Ray cluster."""
    if not is_on_ray(ray):
        return train_tokenizer(files, training, run)
    from genotok.distributed import train_on_ray

    return train_on_ray(files, training, run, ray)


def _check_checkpoint(checkpoint: str | None, resume: bool) -> None:
    """An error if there is nothing to resume; a note if there is, and nobody asked."""
    if checkpoint is None:
        if resume:
            raise ArgumentError("resume: a checkpoint stands beside a file; standard output has none")
        return
    check_file(checkpoint, CHECKPOINT, existing=Existing.KEEP)
    there = os.path.exists(checkpoint)
    if resume and not there:
        raise FileNotFoundError(
            errno.ENOENT, "no checkpoint to resume from; run without --resume", checkpoint
        )
    if there and not resume:
        note(f"{checkpoint} is left from an interrupted run; starting anew (--resume would resume from it)")


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
    return f"interrupted after {found}; resume with: {same_command('--resume')}"
