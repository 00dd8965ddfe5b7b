"""Predictions of any tool, from a table: read, compared with the labels of test, as a record.

A table has a row for each row of test, in its order, or a column `line` with the line of each in test's file.
Its columns are those of `genotok predict`: `prob_<class>` for each class or label, or `predicted` alone.
"""

# Shapes: N rows of test, C outputs.

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError, SequenceFileError
from genotok.evaluation.figures import figures
from genotok.evaluation.problem import Problem
from genotok.files.identity import files_sha256
from genotok.gue.clean import clean_rows
from genotok.gue.labels import LabelError
from genotok.rows import text_rows
from genotok.rows.column_request import LINE
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import PredictionsRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genotok.gue import LabelledSplit, Task

__all__ = ["read_given", "score_given", "table_of"]

PREDICTED = "predicted"
ROUNDING = 1e-6
"""By how much a probability may be outside 0 and 1."""


def score_given(tasks: Sequence[Task], path: str, model: str | None = None) -> PredictionsRecord:
    """The scores of predictions for the test splits of sets.

    Args:
        tasks: The sets; not more than one if `path` is a file.
        path: A table of predictions, or a folder with one for each set: `mouse_0.csv` and so on.
        model: What the predictions are of, as tables call it; None for the name of the path.

    Raises:
        ArgumentError: A table is missing, has other columns, or not the rows of test.
        SequenceFileError: A table, or a file of a set, is malformed.
        OSError: A file cannot be read.
    """
    tables = {task.name: table_of(Path(path), task, len(tasks)) for task in tasks}
    digests = dict(zip(tables, files_sha256([str(one) for one in tables.values()]), strict=True))
    return PredictionsRecord(
        provenance=Provenance.now(inputs={"predictions": digests}),
        model=model or Path(path).name.partition(".")[0],
        sets=[_scored(task, tables[task.name]) for task in tasks],
    )


def _scored(task: Task, path: Path) -> dict[str, Any]:
    """The scores of one set."""
    splits, labels = task.read()
    problem, metric, test = Problem(labels.type, labels.names), task.metric_of(labels), splits["test"]
    outputs = read_given(path, test, problem)
    return {
        "name": task.name,
        "metric": metric,
        "problem_type": problem.type,
        "classes": list(problem.classes),
        "rows": {name: len(split) for name, split in splits.items()},
        "note": "",
        "runs": [{"test": figures(problem, test.labels, outputs, metric, clean_rows(splits))}],
    }


def read_given(path: Path, test: LabelledSplit, problem: Problem) -> NDArray[np.float64]:
    """Predictions as outputs (N, C) in the order of test, or of another split.

    Of `predicted` alone outputs are 0 and 1.

    Raises:
        ArgumentError: It has other columns, or not the rows of test.
        SequenceFileError: It is damaged, or a value is no probability, no number or no class.
        OSError: It cannot be read.
    """
    rows = list(text_rows(path))
    header, body = ([field.strip() for field in rows[0][1]], rows[1:]) if rows else ([], [])
    wanted = [f"prob_{name}" for name in problem.classes]
    if problem.classes and set(wanted) <= set(header):
        columns = [
            _numbers(path, name, _column(header, body, name), "a probability from 0 to 1", _is_share)
            for name in wanted
        ]
        outputs = np.stack(columns, 1)
    elif PREDICTED in header:
        outputs = _predicted(path, _column(header, body, PREDICTED), problem)
    else:
        said = f"{', '.join(wanted)}, or " if wanted else ""
        raise ArgumentError(f"{path}: columns {', '.join(header)}; {said}{PREDICTED} is expected")
    if len(outputs) != len(test):
        raise ArgumentError(f"{path}: {len(outputs):,} rows; {test.path} has {len(test):,}")
    if LINE not in header:
        return outputs
    lines = _numbers(path, LINE, _column(header, body, LINE), "a line", float.is_integer).astype(np.int64)
    order, places = np.argsort(lines, kind="stable"), np.argsort(test.lines, kind="stable")
    if (lines[order] != test.lines[places]).any():
        raise ArgumentError(f"{path}: column {LINE}: not the lines of the rows of {test.path}")
    placed = np.empty_like(outputs)
    placed[places] = outputs[order]
    return placed


def _column(header: list[str], body: list[tuple[int, list[str]]], name: str) -> list[tuple[int, str]]:
    """Line and text of each row."""
    place = header.index(name)
    return [(line, fields[place].strip() if place < len(fields) else "") for line, fields in body]


def _numbers(
    path: Path, name: str, texts: list[tuple[int, str]], what: str, is_right: Callable[[float], bool]
) -> NDArray[np.float64]:
    """A column of numbers, (N,), each of which `is_right`."""
    found = np.empty(len(texts))
    for row, (line, text) in enumerate(texts):
        try:
            found[row] = number = float(text)
        except ValueError:
            number = math.nan
        if not is_right(number):
            raise SequenceFileError(f"{path}: line {line:,}: {name} {text!r}; {what} is expected")
    return found


def _is_share(number: float) -> bool:
    """Whether a number is from 0 to 1, with the rounding of sums."""
    return -ROUNDING <= number <= 1 + ROUNDING


def _predicted(path: Path, texts: list[tuple[int, str]], problem: Problem) -> NDArray[np.float64]:
    """Classes, numbers or lists of labels as outputs."""
    try:
        values = problem.labels.values([text for _, text in texts])
    except LabelError as error:
        raise SequenceFileError(f"{path}: line {texts[error.row][0]:,}: {error}") from None
    if problem.type == "classification":
        outputs: NDArray[np.float64] = np.eye(problem.num_outputs)[values]
        return outputs
    return values.astype(np.float64).reshape(len(texts), -1)


def table_of(place: Path, task: Task, sets: int) -> Path:
    """The table for a set, of one file or of a folder.

    Raises:
        ArgumentError: There is none, or more than one.
    """
    if not place.is_dir():
        if sets > 1:
            raise ArgumentError(
                f"{place}: predictions of {sets} sets; a folder with a table for each is expected"
            )
        return place
    found = [one for one in sorted(place.iterdir()) if one.is_file() and one.name.startswith(f"{task.name}.")]
    if len(found) != 1:
        raise ArgumentError(f"{place}: {len(found)} tables of {task.name}; {task.name}.csv is expected")
    return found[0]
