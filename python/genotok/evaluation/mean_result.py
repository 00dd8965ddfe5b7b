"""The mean of a metric over seeds, with its interval and how it is written."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genotok.evaluation.metrics import Interval, Written, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MeanResult", "mean_result"]


@dataclass(frozen=True, slots=True)
class MeanResult:
    """A result, in percent of its metric where that is a share.

    Attributes:
        interval: The mean over seeds, and its interval.
        deviation: Over seeds; None with one seed, or for what has none.
        seeds: How many.
        form: How its metric is written.
    """

    interval: Interval
    deviation: float | None
    seeds: int
    form: Written = field(default_factory=lambda: written("mcc"))

    @property
    def text(self) -> str:
        """Such as `61.2 ± 0.8`, or `0.834 ± 0.010` of a correlation."""
        spread = "" if self.deviation is None else f" ± {self.form.text(self.deviation)}"
        return f"{self.form.text(self.interval.value)}{spread}"

    @property
    def range(self) -> str:
        """Low and high end; with `to` between them if one is negative."""
        low, high = (self.form.text(end) for end in (self.interval.low, self.interval.high))
        return f"{low} to {high}" if "-" in low else f"{low}–{high}"


def mean_result(runs: Sequence[Mapping[str, Any]], metric: str) -> MeanResult:
    """The mean of some runs."""
    form = written(metric)
    value, low, high = (
        form.scale * statistics.fmean(run["test"][key] for run in runs) for key in (metric, "low", "high")
    )
    values = [form.scale * run["test"][metric] for run in runs]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return MeanResult(Interval(value, low, high), deviation, len(values), form)
