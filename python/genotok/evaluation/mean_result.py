"""The mean of a metric over seeds, with its interval and how it is written."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
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
        clean: The same on clean rows; None if that is not known, or if there are none.
        clean_rows: Number of clean rows; None if that is not known.
        clean_note: What limits the result on clean rows, such as that they are too few; "" if nothing.
    """

    interval: Interval
    deviation: float | None
    seeds: int
    form: Written = field(default_factory=lambda: written("mcc"))
    clean: MeanResult | None = None
    clean_rows: int | None = None
    clean_note: str = ""

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
    """The mean of some runs, on all rows of test and on the clean ones."""
    found = _mean([run["test"] for run in runs], metric)
    parts = [run["test"].get("clean") for run in runs]
    there = [part for part in parts if part is not None]
    if not runs or len(there) < len(runs):
        return found
    clean = _mean(there, metric) if all(metric in part for part in there) else None
    return replace(found, clean=clean, clean_rows=there[0]["rows"], clean_note=there[0]["note"])


def _mean(figures: Sequence[Mapping[str, Any]], metric: str) -> MeanResult:
    """The mean of the figures of some runs."""
    form = written(metric)
    value, low, high = (
        form.scale * statistics.fmean(one[key] for one in figures) for key in (metric, "low", "high")
    )
    values = [form.scale * one[metric] for one in figures]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return MeanResult(Interval(value, low, high), deviation, len(values), form)
