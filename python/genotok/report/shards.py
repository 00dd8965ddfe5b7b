"""The sections of corpora larger than memory: packing, out of core, Ray, and what a cluster would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Cell

__all__ = ["cluster_section", "shards_section"]


def shards_section(found: FoundRecord) -> Section:
    """Cases with seconds, bases and perhaps memory; the rounds of those that tell them."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("case", numeric=False),
        Column("seconds"),
        Column("speed", "million bases per second"),
        Column("peak memory", "gigabytes"),
    )
    tables = [ReportTable("Shards", columns, tuple(_case(one) for one in record.cases))]
    tables += [_rounds(one) for one in record.cases if one.get("rounds")]
    return Section("Shards", found.name, facts(record), tuple(tables), (), tuple(map(str, record.caveats)))


def _case(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    speed = one["bases"] / one["seconds"] / 1e6
    return (
        text(one["title"]),
        number(one["seconds"], "{:,.2f}"),
        number(speed, "{:,.0f}"),
        number(one.get("peak_bytes"), "{:.2f}", 1e-9),
    )


def _rounds(one: Mapping[str, Any]) -> ReportTable:
    """The log of a training, round by round."""
    names = {"round": "round", "merges": "merges", "guessed_pairs": "pairs watched", "islands": "islands"}
    columns = (*(Column(name) for name in names.values()), Column("seconds"))
    rows = (
        (*(number(each[key], "{:,}") for key in names), number(each["seconds"], "{:.2f}"))
        for each in one["rounds"]
    )
    return ReportTable(f"Rounds: {one['title']}", columns, tuple(rows))


def cluster_section(found: FoundRecord) -> Section:
    """Estimates for corpora and numbers of workers."""
    record = BenchmarkRecord.from_json(found.data)
    parts = ("pass", "broadcast", "reduction", "here")
    columns = (
        Column("corpus", numeric=False),
        Column("workers"),
        Column("training", "seconds, estimated"),
        *(Column(part, "seconds of it") for part in parts),
        Column("moved per round", "gigabytes"),
        Column("packed per worker", "gigabytes"),
    )
    rows = tuple(
        (
            text(one["title"]),
            number(one["workers"], "{:,}"),
            number(one["seconds"], "{:,.0f}"),
            *(number(one["parts"][part], "{:,.1f}") for part in parts),
            number(one["bytes_per_round"], "{:.2f}", 1e-9),
            number(one["packed_bytes_per_worker"], "{:,.1f}", 1e-9),
        )
        for one in record.cases
    )
    table = ReportTable("A cluster, estimated", columns, rows)
    return Section("A cluster", found.name, facts(record), (table,), (), tuple(map(str, record.caveats)))
