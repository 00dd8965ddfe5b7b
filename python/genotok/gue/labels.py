"""What labels are: classes, numbers, or lists of labels."""

from __future__ import annotations

from typing import Literal

__all__ = ["PROBLEM_TYPES", "ProblemType"]

ProblemType = Literal["classification", "regression", "multilabel"]
PROBLEM_TYPES: tuple[ProblemType, ...] = ("classification", "regression", "multilabel")
"""One class for each row; a number for each row; any number of labels for each row."""
