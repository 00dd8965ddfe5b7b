"""The tables of single classes: confusion matrices, and precision, recall and F1 of each class or label."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from genotok.report.records import as_number
from genotok.report.tables import Cell, Column, ReportTable, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.run_records.schemas import FinetuneRecord

    Row = Mapping[str, Any]

__all__ = ["class_tables"]

MAX_CLASSES = 12
"""A matrix of more classes is no longer to be read; figures of each class are."""

MAX_ROWS = 200
MAX_SETS = 12
SHADES = 9


def class_tables(record: FinetuneRecord, model: str) -> list[ReportTable]:
    """The tables of each set of a record, over all seeds; behind a heading where there are several sets."""
    sets = record.sets
    found = []
    for one in sets[:MAX_SETS]:
        runs = [run["test"] for run in one["runs"]]
        classes = [str(name) for name in one.get("classes") or []]
        title = f"{one['name']}, {model}"
        fold = f"{one['name']}: single classes"
        if 2 <= len(classes) <= MAX_CLASSES and all(
            _is_matrix(run.get("confusion"), len(classes)) for run in runs
        ):
            found.append(_matrix(title, classes, runs, fold if len(sets) > 1 else ""))
        if classes and len(one["runs"]):
            found += _by_class(title, classes, runs, fold)
    return found


def _matrix(title: str, classes: list[str], runs: list[Row], fold: str) -> ReportTable:
    """True classes in rows, predicted ones in columns, each cell with its share of the row."""
    size = range(len(classes))
    total = [[sum(run["confusion"][row][column] for run in runs) for column in size] for row in size]
    columns = (
        Column("true class", numeric=False),
        *(
            Column(f"predicted {name}", "rows of the test split, and their share of the class")
            for name in classes
        ),
    )
    rows = tuple(
        (
            text(name),
            *(_share(count, sum(total[row]), column == row) for column, count in enumerate(total[row])),
        )
        for row, name in enumerate(classes)
    )
    seeds = f", {len(runs)} seeds together" if len(runs) > 1 else ""
    return ReportTable(f"{title}: confusion matrix of the test split{seeds}", columns, rows, fold)


def _share(count: int, whole: int, is_right: bool) -> Cell:
    """A cell of the matrix."""
    share = count / whole if whole else 0.0
    return Cell(f"{count:,} ({100 * share:.0f} %)", float(count), is_right, round(SHADES * share))


def _by_class(title: str, classes: list[str], runs: list[Row], fold: str) -> list[ReportTable]:
    """Precision, recall and F1 of each class, means over seeds; none if a run lacks them."""
    f1 = "f1_of_label" if "f1_of_label" in runs[0] else "f1_of_class"
    wanted = [("precision", "precision, %"), ("recall", "recall, %"), (f1, "F1, %")]
    if "average_precision" in runs[0]:
        wanted.append(("average_precision", "average precision, %"))
    if not all(_is_list(run.get(key), len(classes)) for run in runs for key, _ in wanted):
        return []
    columns = (Column("class", numeric=False), *(Column(label, "mean over seeds") for _, label in wanted))
    rows = tuple(
        (text(name), *(number(_mean(runs, key, place), "{:.1f}", 100) for key, _ in wanted))
        for place, name in enumerate(classes[:MAX_ROWS])
    )
    left = f" (the first {MAX_ROWS} of {len(classes):,})" if len(classes) > MAX_ROWS else ""
    return [ReportTable(f"{title}: figures of each class{left}", columns, rows, fold)]


def _mean(runs: list[Row], key: str, place: int) -> float | None:
    values = [as_number(run[key][place]) for run in runs]
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _is_list(value: Any, length: int) -> bool:  # noqa: ANN401  any JSON
    return isinstance(value, list) and len(value) == length


def _is_matrix(value: Any, size: int) -> bool:  # noqa: ANN401  any JSON
    if not _is_list(value, size):
        return False
    return all(_is_list(row, size) and all(isinstance(one, int) for one in row) for row in value)
