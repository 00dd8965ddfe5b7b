"""`genotok predict`: the predictions of a fine-tuned model for sequences."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import typer

from genotok.cli.commands.pretrain import MODEL_PANEL, Device
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    OUTPUT_PANEL,
    AllowUnknown,
    AsJson,
    Force,
    InputFiles,
    InputFormat,
    Quiet,
    SequenceColumns,
    Stride,
    Window,
)

__all__ = ["EXAMPLES", "MaxTokens", "Model", "predict", "tell_of_cut"]

EXAMPLES = ("genotok predict new.csv --model results/my_data/model -o predictions.parquet",)

Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="FOLDER", help="A model that finetune made.", rich_help_panel=MODEL_PANEL
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        min=4, metavar="N", help="Cut longer sequences, and say how many.", show_default="none is cut"
    ),
]


def predict(
    files: InputFiles,
    model: Model,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A name in .parquet, .csv, .tsv, .jsonl, .bed or .bedgraph (text also with .gz), or -.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    sequence: SequenceColumns = None,
    input_format: InputFormat = None,
    window: Window = None,
    stride: Stride = None,
    output_format: Annotated[
        Literal["parquet", "csv", "tsv", "jsonl", "bed", "bedgraph"] | None,
        typer.Option(
            "--format",
            help="The format of the output.",
            show_default="what its name says; of - parquet",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="The class whose probability bedGraph holds.",
            show_default="the second of two",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    force: Force = False,
    max_tokens: MaxTokens = None,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Predict the class of each record, window or table row, with the probabilities of all classes."""
    from genotok.cli.shared.progress import watching

    classifier = from_extra("finetune", "predict", "train").Classifier(model, device=device)
    report: dict[str, Any] | None = None
    with watching(quiet) as watch, suppress(KeyboardInterrupt):
        report = classifier.predict(
            files,
            output,
            max_tokens,
            sequence=sequence,
            input_format=input_format,
            window=window,
            stride=stride,
            output_format=output_format,
            class_name=class_name,
            allow_unknown=allow_unknown,
            force=force,
            progress=watch,
        )
    if report is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if not quiet:
        note_unknown(report["symbols"], report["unknown"])
    if as_json:
        print_json(report, report["output"])
    elif not quiet:
        tell_of_cut(report["cut"], max_tokens)
        place = "standard output" if report["output"] == "-" else report["output"]
        note(f"{report['rows']:,} predictions in {place}")


def tell_of_cut(cut: int, max_tokens: int | None) -> None:
    """Report how many sequences were cut, if any."""
    if cut:
        note(f"{cut:,} sequences were cut at {max_tokens} tokens")
