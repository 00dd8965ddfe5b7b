"""`genotok evaluate`: the metrics of a fine-tuned model on labelled sequences."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.commands.predict import Model, tell_of_cut
from genotok.cli.commands.pretrain import Device
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note_unknown
from genotok.cli.shared.options import ReportOptions
from genotok.cli.shared.scores import print_scores, scores_record
from genotok.options.inference import EvaluationOptions

__all__ = ["EXAMPLES", "evaluate"]

EXAMPLES = ("genotok evaluate test.csv --model results/my_data/model",)


def evaluate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="Tables with sequences and labels: CSV, TSV, JSON lines, Parquet; plain or compressed; "
            "quoted patterns; - for standard input.",
            show_default=False,
        ),
    ],
    model: Model,
    *,
    rows: EvaluationOptions,
    device: Device = "auto",
    report: ReportOptions,
) -> None:
    """Compare predictions with the labels of tables: all metrics, each class, the confusion matrix."""
    from genotok.cli.shared.progress import watching

    classifier = from_extra("finetune", "evaluate", "train").Classifier(model, device=device)
    with watching(report.quiet) as watch:
        found = classifier.evaluate_files(files, rows, watch)
    if not report.quiet:
        note_unknown(found.symbols, found.unknown)
    if report.as_json:
        print_json(scores_record(found))
        return
    if report.quiet:
        return
    tell_of_cut(found.cut, rows.max_tokens)
    print_scores(found)
