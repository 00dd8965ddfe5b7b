"""The sections of corpora larger than memory: packing, out of core, Ray, and what a cluster would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, Section, Table, caveats_of, facts, number, text

if TYPE_CHECKING:
    from genotok.report.records import Found
    from genotok.report.tables import Cell

__all__ = ["cluster_section", "shards_section"]


def shards_section(found: Found) -> Section:
    """Cases with seconds, bases and perhaps memory; the rounds of those that tell them."""
    record = found.data
    columns = (
        Column("case", numeric=False),
        Column("seconds"),
        Column("speed", "million bases a second"),
        Column("peak memory", "gigabytes"),
    )
    tables = [Table("Shards", columns, tuple(_case(one) for one in record["cases"]))]
    tables += [_rounds(one) for one in record["cases"] if one.get("rounds")]
    return Section("Shards", found.name, facts(record), tuple(tables), (), caveats_of(record))


def _case(one: dict[str, Any]) -> tuple[Cell, ...]:
    speed = one["bases"] / one["seconds"] / 1e6
    return (
        text(one["title"]),
        number(one["seconds"], "{:,.2f}"),
        number(speed, "{:,.0f}"),
        number(one.get("peak_bytes"), "{:.2f}", 1e-9),
    )


def _rounds(one: dict[str, Any]) -> Table:
    """The log of a training, round by round."""
    names = {"round": "round", "merges": "merges", "guessed_pairs": "pairs watched", "islands": "islands"}
    columns = (*(Column(name) for name in names.values()), Column("seconds"))
    rows = (
        (*(number(each[key], "{:,}") for key in names), number(each["seconds"], "{:.2f}"))
        for each in one["rounds"]
    )
    return Table(f"Rounds: {one['title']}", columns, tuple(rows))


def cluster_section(found: Found) -> Section:
    """Estimates for corpora and numbers of workers."""
    record = found.data
    parts = ("pass", "broadcast", "reduction", "here")
    columns = (
        Column("corpus", numeric=False),
        Column("workers"),
        Column("training", "seconds, estimated"),
        *(Column(part, "seconds of it") for part in parts),
        Column("moved a round", "gigabytes"),
        Column("packed, a worker", "gigabytes"),
    )
    rows = tuple(
        (
            text(one["title"]),
            number(one["workers"], "{:,}"),
            number(one["seconds"], "{:,.0f}"),
            *(number(one["parts"][part], "{:,.1f}") for part in parts),
            number(one["bytes_a_round"], "{:.2f}", 1e-9),
            number(one["packed_bytes_a_worker"], "{:,.1f}", 1e-9),
        )
        for one in record["cases"]
    )
    table = Table("A cluster, estimated", columns, rows)
    return Section("A cluster", found.name, facts(record), (table,), (), caveats_of(record))
