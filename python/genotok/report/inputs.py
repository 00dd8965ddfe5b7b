"""The section of training on many files beside one of the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Cell

__all__ = ["inputs_section"]

CAVEAT = "Medians of trainings in fresh processes, the one file and the many in turn; their merges are equal."


def inputs_section(found: FoundRecord) -> Section:
    """Seconds and memory of the one file and of the many, for each number of threads."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("inputs", numeric=False),
        Column("threads"),
        Column("one file", "seconds"),
        Column("many files", "seconds"),
        Column("times as long"),
        Column("one file", "megabytes"),
        Column("many files", "megabytes"),
    )
    table = ReportTable("Many files", columns, tuple(_case(one) for one in record.cases))
    return Section("Many files", found.name, facts(record), (table,), (), (CAVEAT,))


def _case(case: Mapping[str, Any]) -> tuple[Cell, ...]:
    one, many = case["one"], case["many"]
    return (
        text(case["title"]),
        number(case["threads"], "{:,}"),
        number(one["seconds"], "{:.2f}"),
        number(many["seconds"], "{:.2f}"),
        number(many["seconds"] / one["seconds"], "{:.2f}"),
        number(one["peak_bytes"], "{:.0f}", 1e-6),
        number(many["peak_bytes"], "{:.0f}", 1e-6),
    )
