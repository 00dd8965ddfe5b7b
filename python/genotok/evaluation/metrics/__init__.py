"""How good predictions are: metrics of classes, numbers and labels, intervals around them, differences.

A quotient by zero is 0, as in scikit-learn.
"""

from genotok.evaluation.metrics.classes import (
    CLASS_METRICS,
    ClassMetric,
    Scores,
    area_under_precision_recall,
    area_under_roc,
    bootstrap,
    bootstrap_clusters,
    calibration,
    confusion,
    score,
    scores,
)
from genotok.evaluation.metrics.intervals import Interval, differ
from genotok.evaluation.metrics.merit import METRICS, Metric, Written, merit, written
from genotok.evaluation.metrics.multilabel import (
    LABEL_METRICS,
    THRESHOLD,
    LabelMetric,
    LabelScores,
    label_scores,
)
from genotok.evaluation.metrics.numbers import NUMBER_METRICS, NumberMetric, NumberScores, number_scores

__all__ = [
    "CLASS_METRICS",
    "LABEL_METRICS",
    "METRICS",
    "NUMBER_METRICS",
    "THRESHOLD",
    "ClassMetric",
    "Interval",
    "LabelMetric",
    "LabelScores",
    "Metric",
    "NumberMetric",
    "NumberScores",
    "Scores",
    "Written",
    "area_under_precision_recall",
    "area_under_roc",
    "bootstrap",
    "bootstrap_clusters",
    "calibration",
    "confusion",
    "differ",
    "label_scores",
    "merit",
    "number_scores",
    "score",
    "scores",
    "written",
]
