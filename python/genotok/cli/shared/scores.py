"""How right predictions are, as tables and as JSON: of classes, numbers and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.cli.shared.console import standard_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genotok.evaluation.figures import AnyScores
    from genotok.evaluation.metrics import Interval, LabelScores, Scores
    from genotok.finetune import Evaluation
    from genotok.run_records.schemas import PredictionsRecord

__all__ = ["print_given", "print_scores", "scores_record"]

MAX_MATRIX = 12
"""Classes up to which the confusion matrix is printed."""

MAX_SHOWN = 40
"""Classes or labels that are printed."""


def scores_record(found: Evaluation) -> dict[str, Any]:
    """All figures of an evaluation."""
    from genotok.evaluation.figures import as_record

    head = {"rows": found.scores.rows, "cut": found.cut, "unknown": found.unknown}
    loci = found.loci and {"loci": found.loci["loci"], "clean": found.loci["clean"]}
    return {**head, "classes": list(found.classes), **as_record(found.scores), **(loci or {})}


def print_scores(found: Evaluation) -> None:
    """All figures of an evaluation, each class or label by itself."""
    from genotok.evaluation.metrics import NumberScores, Scores

    if isinstance(found.scores, Scores):
        _print_classes(found.scores, found.classes)
    elif isinstance(found.scores, NumberScores):
        _print_intervals(found.scores.rows, found.scores.intervals)
    else:
        _print_labels(found.scores, found.classes)
    if found.loci:
        _print_loci(found.scores, found.loci)


def _print_loci(scores: AnyScores, loci: Mapping[str, Any]) -> None:
    """The main metric on all and on clean rows, with intervals of drawn loci."""
    from genotok.evaluation.mean_result import mean_result
    from genotok.evaluation.metrics import NumberScores, Scores

    metric = "mcc" if isinstance(scores, Scores) else "pearson" if isinstance(scores, NumberScores) else "map"
    found = mean_result([{"test": loci}], metric)
    rows = [["all", f"{scores.rows:,}", f"{loci['loci']:,}", found.text, found.range]]
    clean = loci["clean"]
    ends = [found.clean.text, found.clean.range] if found.clean else ["", ""]
    rows.append(["clean", f"{clean['rows']:,}", f"{clean['loci']:,}", *ends])
    unit = ", %" if found.form.is_percent else ""
    _print_table(("rows", "number", "loci", f"{found.form.title}{unit}", "95 %, drawn loci"), rows)
    if clean["note"]:
        standard_output().print(f"clean rows: {clean['note']}", style="dim", soft_wrap=True)


def print_given(record: PredictionsRecord) -> None:
    """The main metric of predictions on each set, with its interval, beside published results."""
    from genotok.evaluation.mean_result import mean_result
    from genotok.evaluation.results import SHOWN
    from genotok.gue import published

    rows, notes = [], []
    shown = [model for model in SHOWN if any(one["name"] in published() for one in record.sets)]
    for one in record.sets:
        found = mean_result(one["runs"], one["metric"])
        clean = found.clean
        known = published().get(one["name"], {})
        others = [f"{known[model]:.1f}" if model in known else "" for model in shown]
        rows.append(
            [one["name"], f"{one['rows']['test']:,}", found.form.title, found.text, found.range, *others]
        )
        cells = [found.form.title, clean.text, clean.range] if clean else [found.form.title, "", ""]
        rows.append([f"{one['name']}, clean rows", f"{found.clean_rows or 0:,}", *cells])
        if found.clean_note:
            notes.append(f"{one['name']}, clean rows: {found.clean_note}")
    _print_table(("set", "rows", "metric", record.model, "95 %", *shown), rows)
    for note in notes:
        standard_output().print(note, style="dim", soft_wrap=True)


def _print_classes(result: Scores, classes: Sequence[str]) -> None:
    """The class report and the confusion matrix."""
    standard_output().print(
        f"{result.rows:,} sequences: MCC {result.mcc:.4f}, macro F1 {result.f1:.4f}, "
        f"accuracy {result.accuracy:.4f}"
    )
    matrix = classes if len(classes) <= MAX_MATRIX else ()
    titles = ("class", "rows", "precision", "recall", "F1", *(f"as {name}" for name in matrix))
    rows = []
    for number, name in enumerate(classes):
        figures = (result.precision[number], result.recall[number], result.f1_of_class[number])
        counts = [f"{count:,}" for count in result.matrix[number].tolist()] if matrix else []
        rows.append([name, f"{result.support[number]:,}", *(f"{figure:.3f}" for figure in figures), *counts])
    _print_table(titles, rows)


def _print_labels(result: LabelScores, labels: Sequence[str]) -> None:
    """The metrics, and the report of labels."""
    _print_intervals(result.rows, result.intervals)
    columns = (result.precision, result.recall, result.f1_of_label, result.average_precision)
    rows = [
        [name, f"{result.support[number]:,}", *(f"{column[number]:.3f}" for column in columns)]
        for number, name in enumerate(labels)
    ]
    _print_table(("label", "rows", "precision", "recall", "F1", "AP"), rows)


def _print_intervals(rows: int, intervals: Mapping[Any, Interval]) -> None:
    """The metrics with their intervals."""
    from genotok.evaluation.metrics import written

    standard_output().print(f"{rows:,} sequences")
    shown = []
    for name, one in intervals.items():
        form = written(name)
        value, low, high = (form.scale * number for number in (one.value, one.low, one.high))
        drawn = "" if low == high == value else f"{form.text(low)} to {form.text(high)}"
        shown.append([form.title + (", %" if form.is_percent else ""), form.text(value), drawn])
    _print_table(("metric", "value", "95 %"), shown)


def _print_table(titles: Sequence[str], rows: list[list[str]]) -> None:
    """A table, its first column to the left; shortened if it is long."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(Text(title), justify="left" if title == titles[0] else "right")
    for row in rows[:MAX_SHOWN]:
        table.add_row(*map(Text, row))
    console = standard_output()
    console.print(table)
    if len(rows) > MAX_SHOWN:
        console.print(f"and {len(rows) - MAX_SHOWN:,} more; --json has all", style="dim")
