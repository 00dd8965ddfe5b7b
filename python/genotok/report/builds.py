"""The sections of benchmarks by two builds in turns, and of training with one thread and with more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Cell

__all__ = ["ingest_memory_section", "ingest_section", "scaling_section"]

Result = dict[str, Any]


def ingest_section(found: FoundRecord) -> Section:
    """Seconds from files to tokens before and after, on each number of cores."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("case", numeric=False),
        Column("cores"),
        Column("before, s"),
        Column("after, s"),
        Column("times as fast"),
        Column("after, Mbp/s"),
        Column("aim, Mbp/s", "on two cores"),
    )
    rows = [
        (
            text(case["title"]),
            number(cores, "{:,}"),
            number(pair.get("before", {}).get("seconds"), "{:,.3f}"),
            number(pair["after"]["seconds"], "{:,.3f}"),
            number(_times(pair), "{:.2f}", strong=True),
            number(case["bases"] / pair["after"]["seconds"], "{:,.0f}", 1e-6),
            number(case["aim_mbps"], "{:,}"),
        )
        for case in record.cases
        for cores, pair in _pairs(case)
    ]
    table = ReportTable("From files to tokens", columns, tuple(rows))
    return Section("From files to tokens", found.name, facts(record), (table,), (), tuple(record.caveats))


def ingest_memory_section(found: FoundRecord) -> Section:
    """Peak memory from files to tokens before and after."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("case", numeric=False),
        Column("input, MB"),
        Column("before, MB", "peak of the process"),
        Column("after, MB", "peak of the process"),
    )
    rows = [
        (
            text(case["title"]),
            number(case["bytes"], "{:,.0f}", 1e-6),
            number(pair.get("before", {}).get("peak_bytes"), "{:,.0f}", 1e-6),
            number(pair["after"]["peak_bytes"], "{:,.0f}", 1e-6, strong=True),
        )
        for case in record.cases
        for _, pair in _pairs(case)
    ]
    table = ReportTable("Peak memory", columns, tuple(rows))
    title = "From files to tokens: memory"
    return Section(title, found.name, facts(record), (table,), (), tuple(record.caveats))


def _pairs(case: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Result]]]:
    """The results of a case by build, for each number of cores."""
    for cores in sorted({result["cores"] for result in case["results"]}):
        pair = {result["build"]: result for result in case["results"] if result["cores"] == cores}
        if "after" in pair:
            yield cores, pair


def _times(pair: Mapping[str, Result]) -> float | None:
    return pair["before"]["seconds"] / pair["after"]["seconds"] if "before" in pair else None


def scaling_section(found: FoundRecord) -> Section:
    """Seconds of the phases of training with one thread and with more, for each vocabulary."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("phase", numeric=False),
        Column("1 thread, s"),
        Column(f"{record.threads} threads, s"),
        Column("serial share, %", "what more threads do not make faster"),
    )
    tables = tuple(
        ReportTable(case["title"], columns, tuple(_phase(row) for row in case["phases"]))
        for case in record.cases
    )
    title = "Training with more threads"
    return Section(title, found.name, facts(record), tables, (), tuple(record.caveats))


def _phase(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        text(row["phase"]),
        number(row["one"], "{:.2f}"),
        number(row["several"], "{:.2f}"),
        number(row["share"], "{:.0f}", 100, strong=True),
    )
