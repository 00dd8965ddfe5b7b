"""`genotok evaluate`: the metrics of a fine-tuned model, or of predictions, on labelled sequences."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.commands.finetune import Tasks
from genotok.cli.commands.predict import tell_of_cut
from genotok.cli.commands.pretrain import Device
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note_unknown
from genotok.cli.shared.options import ReportOptions
from genotok.cli.shared.scores import print_given, print_scores, scores_record
from genotok.options.declaration import LABELS, MODEL
from genotok.options.fields import ProblemType
from genotok.options.inference import EvaluationOptions
from genotok.options.learning import LabelOptions

__all__ = ["EXAMPLES", "evaluate"]

EXAMPLES = (
    "genotok evaluate test.csv --model results/my_data/model",
    "genotok evaluate GUE/ --task mouse_0 --predictions mine.csv --json",
)


def evaluate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="Tables with sequences and labels: CSV, TSV, JSON lines, Parquet; plain or compressed; "
            "quoted patterns; - for standard input. With --predictions folders with train.csv, dev.csv and "
            "test.csv, or GUE's layout.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A model that finetune made.",
            rich_help_panel=MODEL,
            show_default="none",
        ),
    ] = None,
    predictions: Annotated[
        str | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help="Predictions of any tool for test, in its order or with the column line: the columns "
            "prob_CLASS, or predicted; or a folder with SET.csv for each set.",
            rich_help_panel=MODEL,
            show_default="those of the model",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What the predictions are of.",
            rich_help_panel=MODEL,
            show_default="the name of the file",
        ),
    ] = None,
    task: Tasks = None,
    problem_type: Annotated[
        ProblemType | None,
        typer.Option(
            "--problem-type",
            help="What labels are, with --predictions.",
            rich_help_panel=LABELS,
            show_default="that of the model, or classes",
        ),
    ] = None,
    *,
    rows: EvaluationOptions,
    device: Device = "auto",
    report: ReportOptions,
) -> None:
    """Compare predictions with the labels of tables: all metrics, each class, the confusion matrix."""
    if (model is None) == (predictions is None):
        raise typer.BadParameter("one of --model and --predictions is expected")
    if predictions is not None:
        labels = LabelOptions(problem_type=problem_type, label=rows.label, sequences=rows.sequence)
        _given(files, task or [], predictions, name, labels, report)
        return
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


def _given(
    folders: list[str],
    task: list[str],
    predictions: str,
    name: str | None,
    labels: LabelOptions,
    report: ReportOptions,
) -> None:
    """Score predictions that are given."""
    from genotok.evaluation.given import score_given
    from genotok.gue import find_tasks

    record = score_given(find_tasks(folders, task, labels), predictions, name)
    if report.as_json:
        print_json(record.to_json())
    elif not report.quiet:
        print_given(record)
