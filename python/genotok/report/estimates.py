"""From records of fine-tuning to forest plots: means over seeds, intervals, baselines, published results."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from genotok.evaluation.baselines import BASELINES, runs_of_baselines
from genotok.evaluation.clean_sets import clean_set
from genotok.evaluation.metrics import METRICS, written
from genotok.evaluation.results import SHOWN
from genotok.gue.registry import published
from genotok.report.canvas import Axis
from genotok.report.forest import Estimate, Estimates, forest
from genotok.report.records import as_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genotok.report.tables import Figure
    from genotok.run_records.schemas import BaselineRecord, FinetuneRecord

    Row = Mapping[str, Any]

__all__ = ["forests", "unit_of"]


def forests(
    caption: str, records: Mapping[str, FinetuneRecord], baselines: Sequence[BaselineRecord] = ()
) -> list[Figure]:
    """Forest plots of the sets of records by name, sets of one metric together."""
    sets: dict[str, dict[str, Row]] = {}
    tables = {name: record.sets for name, record in records.items()}
    tables |= {f"baselines {number}": record.sets for number, record in enumerate(baselines)}
    for name, table in tables.items():
        for one in table:
            sets.setdefault(str(one["name"]), {})[name] = one
            if clean := clean_set(one):
                sets.setdefault(f"{one['name']}, clean rows", {})[name] = clean
    metrics = {name: str(next(iter(there.values()))["metric"]) for name, there in sets.items()}
    found = []
    for metric in dict.fromkeys(metrics.values()):
        unit, scale = unit_of(metric)
        chosen = {name: there for name, there in sets.items() if metrics[name] == metric}
        fitted = [runs_of_baselines(there.values()) for there in chosen.values()]
        titles = [title for title in BASELINES.values() if any(title in runs for runs in fitted)]
        titles = titles or [BASELINES["kmers"]]
        series = [
            *(
                Estimates(
                    name,
                    tuple(_estimate(_runs(one.get(name)), metric, scale) for one in chosen.values()),
                )
                for name in records
            ),
            *(
                Estimates(
                    title, tuple(_estimate(_tests(runs.get(title, ())), metric, scale) for runs in fitted)
                )
                for title in titles
            ),
            *(
                Estimates(f"{model}, published", _published(chosen, model), is_reference=True)
                for model in SHOWN
            ),
        ]
        found += forest(caption, list(chosen), series, Axis(unit))
    return found


def unit_of(metric: str) -> tuple[str, float]:
    """What an axis of a metric says, and what its values are multiplied by."""
    if metric not in METRICS:
        return str(metric), 1.0
    how = written(metric)
    unit = ", %" if how.is_percent else ", in the unit of the labels" if how.digits is None else ""
    return f"{how.title}{unit}", how.scale


def _runs(one: Row | None) -> list[Row]:
    return _tests(one["runs"]) if one else []


def _tests(runs: Sequence[Row]) -> list[Row]:
    """The scores of runs on test."""
    return [run["test"] for run in runs]


def _estimate(runs: list[Row], metric: str, scale: float) -> Estimate | None:
    """The mean of some runs, with the mean interval; None without a value."""
    values = [scale * value for run in runs if (value := as_number(run[metric])) is not None]
    if not values:
        return None
    ends = [[as_number(run.get(end)) for run in runs] for end in ("low", "high")]
    low, high = (
        None if None in end else scale * statistics.fmean(value for value in end if value is not None)
        for end in ends
    )
    return Estimate(statistics.fmean(values), low, high, tuple(values))


def _published(sets: Mapping[str, object], model: str) -> tuple[Estimate | None, ...]:
    known = (published().get(name, {}).get(model) for name in sets)
    return tuple(None if value is None else Estimate(value) for value in known)
