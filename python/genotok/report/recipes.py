"""The section of the settings of training that were compared on dev."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.tables import Cell, Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord

__all__ = ["recipe_section"]


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
