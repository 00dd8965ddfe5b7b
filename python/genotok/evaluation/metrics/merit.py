"""One figure of what a model predicts, whatever it predicts, and how each metric is written."""

# Shapes: N rows, C outputs.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from genotok.errors import ArgumentError
from genotok.evaluation.metrics.classes import ClassMetric, confusion, score
from genotok.evaluation.metrics.multilabel import LabelMetric, label_score
from genotok.evaluation.metrics.numbers import NumberMetric, number_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["METRICS", "Metric", "Written", "merit", "written"]

Metric = ClassMetric | NumberMetric | LabelMetric
METRICS: tuple[Metric, ...] = (*get_args(ClassMetric), *get_args(NumberMetric), *get_args(LabelMetric))


@dataclass(frozen=True, slots=True)
class Written:
    """How a metric is written.

    Attributes:
        title: What it is called.
        scale: What its values are multiplied by: 100 if they are in percent.
        digits: Digits after the point; None for four that count, of what has units.
    """

    title: str
    scale: float = 1.0
    digits: int | None = 3

    @property
    def is_percent(self) -> bool:
        """Whether its values are written in percent."""
        return self.scale == PERCENT

    def text(self, value: float) -> str:
        """A value that is scaled already."""
        return f"{value:.4g}" if self.digits is None else f"{value:.{self.digits}f}"


PERCENT = 100.0
WRITTEN: dict[Metric, Written] = {
    "mcc": Written("MCC", PERCENT, 1),
    "f1": Written("macro F1", PERCENT, 1),
    "accuracy": Written("accuracy", PERCENT, 1),
    "pearson": Written("Pearson"),
    "spearman": Written("Spearman"),
    "r2": Written("R²"),
    "rmse": Written("RMSE", digits=None),
    "mae": Written("MAE", digits=None),
    "map": Written("mAP", PERCENT, 1),
    "f1_micro": Written("micro F1", PERCENT, 1),
    "f1_macro": Written("macro F1 of labels", PERCENT, 1),
    "subset_accuracy": Written("subset accuracy", PERCENT, 1),
    "auroc": Written("AUROC", PERCENT, 1),
}


def written(metric: str) -> Written:
    """How a metric is written.

    Raises:
        ArgumentError: There is none of this name.
    """
    if metric not in WRITTEN:
        raise ArgumentError(f"metric={metric}: one of {', '.join(METRICS)} is expected")
    return WRITTEN[metric]


def merit(metric: Metric, true: NDArray[Any], outputs: NDArray[Any]) -> float:
    """A metric of what is predicted.

    Args:
        metric: Of classes, numbers or labels.
        true: (N,) class numbers or numbers, or (N, C) 1 where a label holds.
        outputs: (N, C) probabilities of classes or labels, or (N, 1) numbers.
    """
    if metric in get_args(NumberMetric):
        return number_score(true, outputs[:, 0], cast("NumberMetric", metric))
    if metric in get_args(LabelMetric):
        return label_score(true, outputs, cast("LabelMetric", metric))
    matrix = confusion(true, outputs.argmax(1), outputs.shape[1])
    return float(score(matrix, cast("ClassMetric", metric)))
