"""A labelled set without the labels of its test split: what baselines are fitted on.

All choices (penalty, epoch, weight) see this alone, so no choice can depend on a label of test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from genotok.evaluation.metrics import Metric
    from genotok.evaluation.problem import Problem
    from genotok.gue import LabelledSplit

__all__ = ["BlindSet"]


@dataclass(frozen=True, slots=True, eq=False)
class BlindSet:
    """The splits of a set, and what is known of them.

    Attributes:
        splits: train and dev with labels as numbers, test without labels.
        problem: What is predicted.
        metric: What is chosen by.
        stranded: Whether all sequences are of one strand, so that reverse complements mean nothing.
        aligned: Whether a place means the same in all sequences, as in windows around a site.
    """

    splits: dict[str, LabelledSplit]
    problem: Problem
    metric: Metric
    stranded: bool = False
    aligned: bool = False

    def __post_init__(self) -> None:
        """Take the labels of test away.

        Raises:
            ArgumentError: All rows of train have the same label.
        """
        train, test = self.splits["train"], self.splits["test"]
        if self.problem.labels.is_constant(train.labels):
            raise ArgumentError(f"{train.path}: all rows have one label; there is nothing to tell apart")
        unlabelled = replace(test, labels=test.labels[:0], texts=())
        object.__setattr__(self, "splits", {"train": train, "dev": self.splits["dev"], "test": unlabelled})
