"""`genotok predict` and `genotok evaluate`: what a fine-tuned model says, and how right it is."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.console import print_json
from genotok.cli.extras import from_extra
from genotok.cli.messages import note, note_unknown
from genotok.cli.options import MAX_UNKNOWN, OUTPUT_PANEL, AllowUnknown, AsJson, Force, Quiet
from genotok.cli.pretrain import MODEL_PANEL, Device
from genotok.cli.scores import print_scores, scores_record

__all__ = ["evaluate", "predict"]

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
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV with a column sequence; others may be there.", show_default=False
        ),
    ],
    model: Model,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A name in .parquet, or -.", rich_help_panel=OUTPUT_PANEL
        ),
    ],
    force: Force = False,
    max_tokens: MaxTokens = None,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Predict the class of each sequence of a CSV file, with the shares of all classes."""
    classifier = from_extra("finetune", "predict", "train").Classifier(model, device=device)
    read = classifier.read(file, allow_unknown=allow_unknown)
    if not quiet:
        note_unknown(read.symbols, read.unknown)
    rows, cut = classifier.predict(read, output, max_tokens, force=force)
    if as_json:
        found = {"output": output, "rows": rows, "cut": cut, "unknown": read.unknown}
        print_json({**found, "classes": classifier.classes}, output)
    elif not quiet:
        _tell_of_cut(cut, max_tokens)
        note(f"{rows:,} predictions in {output}")


def evaluate(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV with columns sequence and label.", show_default=False)
    ],
    model: Model,
    max_tokens: MaxTokens = None,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare predictions with the labels of a CSV file: all metrics, each class, the confusion matrix."""
    classifier = from_extra("finetune", "evaluate", "train").Classifier(model, device=device)
    read = classifier.read(file, need_labels=True, allow_unknown=allow_unknown)
    if not quiet:
        note_unknown(read.symbols, read.unknown)
    found = classifier.evaluate(read, max_tokens)
    if as_json:
        print_json(scores_record(found))
        return
    if quiet:
        return
    _tell_of_cut(found.cut, max_tokens)
    print_scores(found)


def _tell_of_cut(cut: int, max_tokens: int | None) -> None:
    if cut:
        note(f"{cut:,} sequences were cut at {max_tokens} tokens")
