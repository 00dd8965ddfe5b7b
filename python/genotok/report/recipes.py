"""The sections of how small encoders are trained: settings compared on dev, and what pre-training adds."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from genotok.report.plots import Axis, Series, lines
from genotok.report.tables import Cell, Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.report.records import FoundRecord

__all__ = ["pretraining_trial_section", "recipe_section"]


def recipe_section(found: FoundRecord) -> Section:
    """One record of `benchmarks.recipe`: a row for each setting, the best first."""
    record = BenchmarkRecord.from_json(found.data)
    names = list(dict.fromkeys(one["name"] for case in record.cases for one in case["sets"]))
    columns = (
        Column("setting", numeric=False),
        Column("what it changes", numeric=False),
        Column("mean, %", "over sets and seeds, on dev"),
        *(Column(f"{name}, %", "mean over seeds, on dev") for name in names),
        Column("s", "of a seed, all sets"),
    )
    rows = []
    for case in record.cases:
        sets = {one["name"]: one for one in case["sets"]}
        seconds = sum(sum(run["seconds"] for run in one["runs"]) / len(one["runs"]) for one in sets.values())
        changes = ", ".join(f"{key}={value}" for key, value in case["changes"].items()) or "nothing"
        rows.append(
            (
                text(case["title"]),
                text(changes),
                Cell(f"{100 * case['mean']:.1f}", case["mean"], case is record.cases[0]),
                *(number(sets[name]["mean"] if name in sets else None, "{:.1f}", 100) for name in names),
                number(seconds, "{:,.0f}"),
            )
        )
    best = record.cases[0]
    return Section(
        "Settings, compared on dev",
        found.name,
        facts(record),
        (ReportTable("Settings, the best on dev first", columns, tuple(rows)),),
        (),
        tuple(record.caveats),
        f"Best on dev: {best['title']}, {100 * best['mean']:.1f} % over {len(names)} sets.",
    )


def pretraining_trial_section(found: FoundRecord) -> Section:
    """One record of `benchmarks.pretraining_trial`: a row for each encoder at each point."""
    record = BenchmarkRecord.from_json(found.data)
    names = list(dict.fromkeys(one["name"] for case in record.cases for one in case["sets"]))
    columns = (
        Column("encoder", numeric=False),
        Column("steps"),
        Column("Mb seen", "bases of windows, million"),
        Column("bits per base", "of held-out windows"),
        Column("dev, %", "mean over sets and seeds"),
        Column("test, %", "mean over sets and seeds"),
        *(Column(f"{name}, %", "test, mean over seeds") for name in names),
    )
    rows = []
    curves: dict[str, list[tuple[float, float]]] = {}
    for case in record.cases:
        values = {one["name"]: _values(one, "test") for one in case["sets"]}
        dev = statistics.fmean(value for one in case["sets"] for value in _values(one, "dev"))
        test = statistics.fmean(value for one in values.values() for value in one)
        curves.setdefault(case["encoder"], []).append((case["bases"] / 1e6, 100 * test))
        rows.append(
            (
                text(case["encoder"]),
                number(case["step"], "{:,}"),
                number(case["bases"], "{:,.1f}", 1e-6),
                number(case["bits_per_base"], "{:.3f}"),
                number(dev, "{:.1f}", 100),
                number(test, "{:.1f}", 100, strong=True),
                *(number(statistics.fmean(values[name]), "{:.1f}", 100) for name in names),
            )
        )
    plot = lines(
        "Fine-tuned along the way: mean over sets on test",
        [Series(name, [x for x, _ in points], [y for _, y in points]) for name, points in curves.items()],
        Axis("million bases seen in pre-training"),
        Axis("mean over sets, %"),
    )
    table = ReportTable("Encoders, fine-tuned along the way", columns, tuple(rows))
    return Section(
        "Pre-training, followed by fine-tuning",
        found.name,
        facts(record),
        (table,),
        (plot,),
        tuple(record.caveats),
    )


def _values(one: Mapping[str, Any], split: str) -> list[float]:
    """The metric of each run of a set on a split."""
    return [run[split][one["metric"]] for run in one["runs"]]
