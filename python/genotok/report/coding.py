"""The sections of scores of variants: in reading frames, and their speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Cell

__all__ = ["coding_section", "variants_speed_section"]

AREAS = {
    "all": ("area", "the chance that a worse substitution scores lower"),
    "same change": ("same change", "within codon position and the two bases"),
    "same usage": ("same usage", "within tenths of the ratio of codon frequencies"),
}


def coding_section(found: FoundRecord) -> Section:
    """One record of `benchmarks.coding_variants`: a row for each pair of classes and each score."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("worse", numeric=False),
        Column("better", numeric=False),
        Column("score", numeric=False),
        *(
            column
            for title, meaning in AREAS.values()
            for column in (Column(title, meaning), Column("95 %", "of drawn frames", numeric=False))
        ),
    )
    rows = tuple(
        (
            text(case["worse"]),
            text(case["better"]),
            text(case["score"]),
            *(cell for name in AREAS for cell in _cells(case.get(name))),
        )
        for case in record.cases
    )
    numbers = ", ".join(f"{count:,} {kind}" for kind, count in record.more.get("substitutions", {}).items())
    return Section(
        "Substitutions in reading frames",
        found.name,
        facts(record),
        (ReportTable("Areas under the curve", columns, rows),),
        (),
        tuple(record.caveats),
        f"{numbers} substitutions in {record.more.get('frames', 0):,} reading frames.",
    )


def _cells(one: Mapping[str, Any] | None) -> tuple[Cell, Cell]:
    """An area and its interval."""
    if one is None:
        return text(""), text("")
    return number(one["area"], "{:.3f}"), text(f"{one['low']:.3f}–{one['high']:.3f}")


def variants_speed_section(found: FoundRecord) -> Section:
    """One record of `benchmarks.variants`: a row for each preset."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("preset", numeric=False),
        Column("variants"),
        Column("variants/s"),
        Column("rows per variant", "through the model"),
        Column("naive, variants/s", "two whole encodings, and all tokens masked in turn"),
        Column("times"),
    )
    rows = tuple(
        (
            text(case["preset"]),
            number(case["variants"], "{:,}"),
            number(case["variants_per_second"], "{:,.1f}", strong=True),
            number(case["passes_per_variant"], "{:.2f}"),
            number(case["naive_variants_per_second"], "{:,.2g}"),
            number(case["times_faster"], "{:,.0f}"),
        )
        for case in record.cases
    )
    table = ReportTable("Variants per second", columns, rows)
    return Section(
        "Scores of variants: speed", found.name, facts(record), (table,), (), tuple(record.caveats)
    )
