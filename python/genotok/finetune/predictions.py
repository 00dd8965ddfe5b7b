"""The columns of predictions, in one place: behind those of the rows, `predicted` and `prob_<class>` of each.

Rows of text tables have their `line` in front, those of sequence files `record`, `start` and `end`; every
column of a table is kept. A column of a table that is called as one of ours is an error.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genotok.dataset.metadata import describe
from genotok.errors import ArgumentError
from genotok.rows.targets import Target
from genotok.rows.wanted import LINE
from genotok.rows.writers import bed_names, row_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.finetune.problem import Problem
    from genotok.gue import LabelledSplit

__all__ = ["batch_of", "columns_of", "schema_of", "value_of", "write_predictions"]


def columns_of(problem: Problem) -> list[str]:
    """The names of the columns of predictions."""
    return list(problem.columns(np.zeros((0, problem.num_outputs))))


def schema_of(kept: pa.Schema, problem: Problem, *, has_lines: bool, **about: Any) -> pa.Schema:
    """The columns of rows with those of predictions; in the metadata how they were made."""
    is_number = problem.type == "regression"
    ours = [
        pa.field(name, pa.string() if name == "predicted" and not is_number else pa.float64())
        for name in columns_of(problem)
    ]
    front = [pa.field(LINE, pa.int64())] if has_lines else []
    fields = [*front, *kept.remove_metadata(), *ours]
    about = {"genotok": version("genotok"), "problem_type": problem.type, **about}
    return describe(pa.schema(fields), json.dumps(about))


def batch_of(
    kept: pa.RecordBatch,
    lines: NDArray[np.int64] | None,
    problem: Problem,
    outputs: NDArray[Any],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Rows with what is predicted of them, (N, C)."""
    columns = [*kept.columns, *map(pa.array, problem.columns(outputs).values())]
    return pa.RecordBatch.from_arrays(
        columns if lines is None else [pa.array(lines), *columns], schema=schema
    )


def value_of(target: Target, problem: Problem, name: str | None) -> str:
    """The column that bedGraph shows; "" for other formats.

    Raises:
        ArgumentError: `name` is no class, is needed, or is of no use; or BED cannot show such predictions.
    """
    if target.form != "bedgraph":
        if name is not None:
            raise ArgumentError(f"class={name}: chooses what bedGraph shows; {target.form} has all classes")
        if target.form == "bed":
            if problem.type != "classification":
                raise ArgumentError(f"format=bed: shows one class, and the model's type is {problem.type}")
            bed_names(problem.names)
        return ""
    if problem.type == "regression":
        if name is not None:
            raise ArgumentError(f"class={name}: the model predicts a number, which bedGraph shows")
        return "predicted"
    if name is None and problem.type == "classification" and problem.num_outputs == 2:
        name = problem.names[1]
    if name not in problem.names:
        said = "bedGraph shows one class" if name is None else f"class={name}: is none of the model's"
        raise ArgumentError(f"{said}; choose one with --class: {', '.join(problem.names)}")
    return f"prob_{name}"


def write_predictions(path: str, split: LabelledSplit, problem: Problem, outputs: NDArray[Any]) -> None:
    """A row for each sequence of a split, as Parquet: its line, its label if it has one, and predictions."""
    labels = {"label": list(split.texts)} if any(split.texts) else {}
    kept = pa.table(labels)
    schema = schema_of(kept.schema, problem, has_lines=True)
    columns = [pa.array(split.lines), *map(pa.array, labels.values())]
    columns += map(pa.array, problem.columns(outputs).values())
    target = Target(path, "parquet", is_gzip=False)
    with row_writer(target, schema) as (writer, _):
        writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))
