"""`genotok evaluate`: the metrics of a fine-tuned model on labelled sequences."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.commands.predict import MaxTokens, Model, tell_of_cut
from genotok.cli.commands.pretrain import Device
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note_unknown
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    AllowUnknown,
    AsJson,
    InputFormat,
    LabelColumn,
    Quiet,
    SequenceColumns,
)
from genotok.cli.shared.scores import print_scores, scores_record

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
    sequence: SequenceColumns = None,
    label: LabelColumn = None,
    input_format: InputFormat = None,
    max_tokens: MaxTokens = None,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare predictions with the labels of tables: all metrics, each class, the confusion matrix."""
    from genotok.cli.shared.progress import watching

    classifier = from_extra("finetune", "evaluate", "train").Classifier(model, device=device)
    with watching(quiet) as watch:
        found = classifier.evaluate(
            files,
            max_tokens,
            sequence=sequence,
            label=label,
            input_format=input_format,
            allow_unknown=allow_unknown,
            progress=watch,
        )
    if not quiet:
        note_unknown(found.symbols, found.unknown)
    if as_json:
        print_json(scores_record(found))
        return
    if quiet:
        return
    tell_of_cut(found.cut, max_tokens)
    print_scores(found)
