"""`genotok predict` and `genotok evaluate`: what a fine-tuned model says, and how right it is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genotok.cli.console import print_json, standard_output
from genotok.cli.extras import from_extra
from genotok.cli.messages import note, note_unknown
from genotok.cli.options import MAX_UNKNOWN, OUTPUT_PANEL, AllowUnknown, AsJson, Force, Quiet
from genotok.cli.pretrain import MODEL_PANEL, Device

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
    result = found.scores
    if as_json:
        print_json(_as_json(result, found))
        return
    if quiet:
        return
    _tell_of_cut(found.cut, max_tokens)
    _print(result, found.classes)


def _tell_of_cut(cut: int, max_tokens: int | None) -> None:
    if cut:
        note(f"{cut:,} sequences were cut at {max_tokens} tokens")


def _as_json(result: Any, found: Any) -> dict[str, Any]:
    """All figures of an evaluation."""
    return {
        "rows": result.rows,
        "cut": found.cut,
        "unknown": found.unknown,
        "mcc": result.mcc,
        "f1": result.f1,
        "accuracy": result.accuracy,
        "classes": list(found.classes),
        "precision": result.precision.tolist(),
        "recall": result.recall.tolist(),
        "f1_of_class": result.f1_of_class.tolist(),
        "confusion": result.matrix.tolist(),
    }


def _print(result: Any, classes: tuple[str, ...]) -> None:
    """The class report and the confusion matrix."""
    from rich.table import Table

    console = standard_output()
    console.print(
        f"{result.rows:,} sequences: MCC {result.mcc:.4f}, macro F1 {result.f1:.4f}, "
        f"accuracy {result.accuracy:.4f}"
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("class", "rows", "precision", "recall", "F1", *(f"as {name}" for name in classes)):
        table.add_column(title, justify="left" if title == "class" else "right")
    for number, name in enumerate(classes):
        figures = (result.precision[number], result.recall[number], result.f1_of_class[number])
        counts = [f"{count:,}" for count in result.matrix[number].tolist()]
        table.add_row(name, f"{result.support[number]:,}", *(f"{figure:.3f}" for figure in figures), *counts)
    console.print(table)
