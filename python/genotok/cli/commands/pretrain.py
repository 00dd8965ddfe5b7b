"""`genotok pretrain`: sequence or token files in, a masked language model out."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated, Any

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_facts, print_json, standard_output
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, same_command
from genotok.cli.shared.options import RUN_PANEL, ReportOptions
from genotok.options.declaration import MODEL
from genotok.options.learning import ModelRunOptions
from genotok.options.pretraining import PretrainOptions

__all__ = ["EXAMPLES", "Device", "Settings", "pretrain"]

EXAMPLES = (
    "genotok pretrain genomes/*.fa -o model",
    "genotok pretrain shards/ --preset small --set learning_rate=5e-4 -o model",
    "genotok pretrain --windows 1000 genomes/*.fa --hold-out chrI -o model",
    "genotok pretrain chr*.fa.gz --hold-out chr20 --hold-out chr21 -o model --resume",
    "torchrun --nproc-per-node 8 -m genotok pretrain shards/ --preset dnabert2 -o model",
)

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one setting; may be given again.",
        show_default="the preset's",
        rich_help_panel=MODEL,
    ),
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="cpu, or auto, which takes CUDA.", rich_help_panel=RUN_PANEL)
]


def pretrain(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="FASTA or FASTQ, plain or compressed, or quoted patterns; or one folder or file "
            "of genotok encode; with --windows also what genotok pack makes.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of the run and the model.")
    ],
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="tiny, small, dnabert2 (the paper's), or a file in .toml.",
            rich_help_panel=MODEL,
        ),
    ] = "tiny",
    changes: Settings = None,
    *,
    options: PretrainOptions,
    run: ModelRunOptions,
    report: ReportOptions,
) -> None:
    """Pre-train a masked language model; started by torchrun, on many devices."""
    from genotok.cli.shared.progress import watching

    module = from_extra("pretrain", "pretrain", "train")
    from genotok.training.settings import configured, from_texts
    from genotok.training.settings import preset as of_preset

    config = configured(
        module.PretrainConfig, of_preset("genotok.pretrain", preset), from_texts(changes or [])
    )
    is_first = os.environ.get("RANK", "0") == "0"
    is_quiet = report.quiet or not is_first
    record: dict[str, Any] | None = None
    try:
        with watching(is_quiet) as watch:
            run = replace(run, progress=watch, on_status=None if is_quiet else note)
            record = module.pretrain_model(files, output, config, options, run)
    except KeyboardInterrupt:
        note(f"interrupted; resume from the last checkpoint: {same_command('--resume')}")
        raise typer.Exit(130) from None
    if not is_first:
        return
    if report.as_json:
        print_json(record)
    elif not report.quiet:
        _print(record, output)


def _print(report: dict[str, Any], output: str) -> None:
    """The report on a terminal."""
    config = report["config"]
    facts = [
        ("encoder", f"{config['encoder']}, {report['parameters'] / 1e6:.1f} million parameters"),
        ("tokens", f"{report['tokens']:,} in {report['train_sequences']:,} sequences to train on"),
        ("steps", f"{report['steps']:,} of {config['batch']:,} sequences"),
        ("time", figures.duration(report["seconds"])),
    ]
    if report["windows"]:
        facts[1] = ("windows", _windows(report))
        facts[3] = ("time", f"{facts[3][1]}; waiting for data {report['waiting']:.1%} of training")
    if "eval_loss" in report:
        bits, unigram = report["eval_bits_per_base"], report["eval_unigram_bits_per_base"]
        facts += [
            ("held out", f"{report['held_out_sequences']:,} sequences"),
            (
                "loss",
                f"{report['eval_loss']:.3f} per token; unigram baseline {report['eval_unigram_loss']:.3f}",
            ),
            ("bits per base", f"{bits:.3f}; unigram baseline {unigram:.3f}"),
            ("accuracy", f"{report['eval_accuracy']:.1%} of masked tokens"),
        ]
    print_facts(standard_output(), f"model in {output}", facts)


def _windows(report: dict[str, Any]) -> str:
    """What was trained on, in words."""
    epochs = report["steps"] * report["config"]["batch"] / report["train_sequences"]
    return (
        f"{report['train_sequences']:,} of {report['windows']:,} bases in each of {epochs:.1f} epochs; "
        f"about {report['tokens']:,} tokens"
    )
