"""`genotok predict`: the predictions of a fine-tuned model for sequences."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.commands.pretrain import Device
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import OUTPUT_PANEL, InputFiles, ReportOptions
from genotok.options.declaration import MODEL
from genotok.options.inference import PredictionOptions, PredictionOutputOptions

if TYPE_CHECKING:
    from genotok.finetune.predict import PredictionReport

__all__ = ["EXAMPLES", "Model", "predict", "tell_of_cut"]

EXAMPLES = ("genotok predict new.csv --model results/my_data/model -o predictions.parquet",)

Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="FOLDER", help="A model that finetune made.", rich_help_panel=MODEL
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
    *,
    rows: PredictionOptions,
    written: PredictionOutputOptions,
    device: Device = "auto",
    report: ReportOptions,
) -> None:
    """Predict the class of each record, window or table row, with the probabilities of all classes."""
    from genotok.cli.shared.progress import watching

    classifier = from_extra("finetune", "predict", "train").Classifier(model, device=device)
    found: PredictionReport | None = None
    with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
        found = classifier.predict_files(files, output, rows, written, watch)
    if found is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if not report.quiet:
        note_unknown(found["symbols"], found["unknown"])
    if report.as_json:
        print_json(found, found["output"])
    elif not report.quiet:
        tell_of_cut(found["cut"], rows.max_tokens)
        place = "standard output" if found["output"] == "-" else found["output"]
        note(f"{found['rows']:,} predictions in {place}")


def tell_of_cut(cut: int, max_tokens: int | None) -> None:
    """Report how many sequences were cut, if any."""
    if cut:
        note(f"{cut:,} sequences were cut at {max_tokens} tokens")
