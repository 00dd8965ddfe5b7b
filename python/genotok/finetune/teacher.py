"""What a teacher predicts for the rows of train, mixed with their labels: distillation.

The cross entropy is linear in its target. So the loss of the labels and that of the teacher's probabilities,
with weights 1 - w and w, are together the loss of one target, in which both are mixed by these weights. For
numbers this holds but for a constant, which has no gradient.
"""

# Dimensions: N rows of train, C classes.

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError
from genotok.evaluation.given import read_given, table_of
from genotok.files.identity import file_sha256
from genotok.rows import text_rows
from genotok.rows.column_request import LINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.evaluation.problem import Problem
    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import LabelledSplit, Task
    from genotok.options.learning import FinetuneOptions

__all__ = ["Teacher", "teacher_of"]


@dataclass(frozen=True, slots=True)
class Teacher:
    """A table of predictions, as `genotok predict` writes it.

    Attributes:
        table: The file.
        weight: The share w of its predictions in what is learned.
    """

    table: Path
    weight: float

    def facts(self) -> dict[str, Any]:
        """What the record of a set says of it."""
        return {"file": str(self.table), "SHA-256": self.digest(), "weight": self.weight}

    def digest(self) -> str | None:
        """The SHA-256 of the table; None of a pipe."""
        return file_sha256(self.table)

    def mixed(self, train: LabelledSplit, problem: Problem) -> NDArray[np.float64]:
        """Labels and predictions in one: numbers (N,), or (N, C) for classes and labels.

        Raises:
            ArgumentError: The table has other columns, or not the rows of train.
            SequenceFileError: It is damaged, or a value is no probability, no number or no class.
            OSError: It cannot be read.
        """
        outputs = read_given(self.table, train, problem)
        self._check_sequences(train)
        labels: NDArray[Any] = train.labels
        if problem.type == "regression":
            outputs = outputs[:, 0]
        elif problem.type == "classification":
            labels = np.eye(problem.num_outputs)[labels]
        found: NDArray[np.float64] = (1 - self.weight) * labels + self.weight * outputs
        return found

    def _check_sequences(self, train: LabelledSplit) -> None:
        """An error if the table has sequences, and a row another one than that of train."""
        (_, names), *body = text_rows(self.table)
        header = [name.strip() for name in names]
        row_of = {int(line): row for row, line in enumerate(train.lines)}
        sides = ((train.sequences, ("sequence", "sequence1")), (train.partners, ("sequence2",)))
        for side, known in sides:
            column = next((header.index(name) for name in known if name in header), None)
            if column is None or not side:
                continue
            for number, (line, fields) in enumerate(body):
                row = row_of[int(float(fields[header.index(LINE)]))] if LINE in header else number
                if fields[column].strip().upper() != side[row].upper():
                    raise ArgumentError(
                        f"{self.table}: line {line:,}: not the sequence of {train.place(row)}; a teacher "
                        "predicts the rows of train"
                    )


def teacher_of(
    task: Task, num_tasks: int, config: FinetuneConfig, options: FinetuneOptions
) -> Teacher | None:
    """The teacher of a set; None if none is named.

    Raises:
        ArgumentError: There is no table for the set, or more than one.
        OSError: It cannot be read.
    """
    if options.teacher is None:
        return None
    return Teacher(table_of(Path(options.teacher), task, num_tasks), config.teacher_weight)
