"""The columns of predictions: those of the rows, then `predicted` and `prob_<class>` for each class.

Rows of text tables start with their `line`, rows of sequence files with `record`, `start` and `end`; every
column of a table is kept. A table column with the name of a prediction column is an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from genotok import _native
from genotok.dataset.metadata import describe
from genotok.errors import ArgumentError
from genotok.files.reading import errors_name
from genotok.rows.column_request import LINE
from genotok.rows.targets import RowTarget
from genotok.rows.writers import bed_names, row_writer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from genotok.evaluation.problem import Problem
    from genotok.gue import LabelledSplit

__all__ = ["batch_of", "columns_of", "read_outputs", "schema_of", "value_of", "write_predictions"]


def columns_of(problem: Problem) -> list[str]:
    """The names of the columns of predictions."""
    return list(problem.columns(np.zeros((0, problem.num_outputs))))


def schema_of(kept: pa.Schema, problem: Problem, *, has_lines: bool, **about: Any) -> pa.Schema:
    """The schema of rows and predictions; its metadata says how they were made."""
    is_number = problem.type == "regression"
    ours = [
        pa.field(name, pa.string() if name == "predicted" and not is_number else pa.float64())
        for name in columns_of(problem)
    ]
    front = [pa.field(LINE, pa.int64())] if has_lines else []
    fields = [*front, *kept.remove_metadata(), *ours]
    about = {"genotok": _native.VERSION, "problem_type": problem.type, **about}
    return describe(pa.schema(fields), json.dumps(about))


def batch_of(
    kept: pa.RecordBatch,
    lines: NDArray[np.int64] | None,
    problem: Problem,
    outputs: NDArray[Any],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Rows with their predictions (N, C)."""
    columns = [*kept.columns, *map(pa.array, problem.columns(outputs).values())]
    return pa.RecordBatch.from_arrays(
        columns if lines is None else [pa.array(lines), *columns], schema=schema
    )


def value_of(target: RowTarget, problem: Problem, name: str | None) -> str:
    """The column that bedGraph holds; "" for other formats.

    Raises:
        ArgumentError: `name` is not a class, is missing or unused, or BED cannot hold such predictions.
    """
    if target.form != "bedgraph":
        if name is not None:
            raise ArgumentError(
                f"class={name}: selects the class for bedGraph; {target.form} has all classes"
            )
        if target.form == "bed":
            if problem.type != "classification":
                raise ArgumentError(
                    f"format=bed: holds one class per row, and the model's type is {problem.type}"
                )
            bed_names(problem.names)
        return ""
    if problem.type == "regression":
        if name is not None:
            raise ArgumentError(f"class={name}: the model predicts a number, which bedGraph holds")
        return "predicted"
    if name is None and problem.type == "classification" and problem.num_outputs == 2:
        name = problem.names[1]
    if name not in problem.names:
        said = "bedGraph holds one class" if name is None else f"class={name}: is not a class of the model"
        raise ArgumentError(f"{said}; choose one with --class: {', '.join(problem.names)}")
    return f"prob_{name}"


def write_predictions(path: str, split: LabelledSplit, problem: Problem, outputs: NDArray[Any]) -> None:
    """Write the predictions of a split as Parquet: each row's line, its label if it has one, predictions."""
    labels = {"label": list(split.texts)} if any(split.texts) else {}
    kept = pa.table(labels)
    schema = schema_of(kept.schema, problem, has_lines=True)
    columns = [pa.array(split.lines), *map(pa.array, labels.values())]
    columns += map(pa.array, problem.columns(outputs).values())
    target = RowTarget(path, "parquet", is_gzip=False)
    with row_writer(target, schema) as (writer, _):
        writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))


def read_outputs(path: Path, problem: Problem) -> NDArray[np.float64]:
    """The outputs (N, C) that `write_predictions` wrote.

    Raises:
        ArgumentError: The file is damaged, or holds predictions of another problem.
        OSError: It cannot be read.
    """
    names = [name for name in columns_of(problem) if name != "predicted" or problem.type == "regression"]
    try:
        # In one thread, as `read_table` waits for ever if the system refuses it another one.
        with errors_name(path), parquet.ParquetFile(path) as file:
            table = file.read(columns=names, use_threads=False)
        columns = [table.column(name).to_numpy().astype(np.float64) for name in names]
    except (pa.ArrowException, KeyError) as error:
        said = (str(error.args[0]).splitlines() or ["damaged"])[0]  # str of a KeyError has quotes
        raise ArgumentError(f"{path}: {said}; predictions with {', '.join(names)} are expected") from None
    return np.stack(columns, 1)
