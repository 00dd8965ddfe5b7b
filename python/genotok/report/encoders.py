"""The sections of the encoder's benchmarks: its memory against the length, its speed against others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.plots import Axis, Series, dots, lines
from genotok.report.tables import Column, ReportTable, Section, facts, number, once, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord

__all__ = ["memory_section", "speed_section", "training_section"]


def memory_section(found: FoundRecord) -> Section:
    """The encoder's memory against the length of the sequence."""
    record = BenchmarkRecord.from_json(found.data)
    cases = sorted(record.cases, key=lambda case: case["tokens"])
    columns = (
        Column("tokens", "in one sequence"),
        Column("forward, MB", "more than before, million bytes"),
        Column("forward and backward, MB", "more than before, million bytes"),
        Column("forward, s"),
        Column("forward and backward, s"),
    )
    rows = [
        (
            number(case["tokens"], "{:,}"),
            number(case["forward_bytes"], "{:,.1f}", 1e-6),
            number(case["both_bytes"], "{:,.1f}", 1e-6, strong=True),
            number(case.get("forward_seconds"), "{:,.2f}"),
            number(case.get("both_seconds"), "{:,.2f}"),
        )
        for case in cases
    ]
    tokens = [case["tokens"] for case in cases]
    plot = lines(
        "Encoder: memory against length",
        [
            Series("forward", tokens, [case["forward_bytes"] / 1e6 for case in cases]),
            Series("forward and backward", tokens, [case["both_bytes"] / 1e6 for case in cases]),
        ],
        Axis("tokens", log=True),
        Axis("million bytes", log=True),
    )
    table = ReportTable("Memory", columns, tuple(rows))
    return Section("Encoder: memory", found.name, facts(record), (table,), (plot,), _caveats(record))


def speed_section(found: FoundRecord) -> Section:
    """The encoder's speed against others: a row for each batch and model, a dot for each model."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("batch", numeric=False),
        Column("model", numeric=False),
        Column("forward, tokens/s"),
        Column("forward and backward, tokens/s"),
        Column("forward, s"),
        Column("forward and backward, s"),
        Column("memory, MB", "peak of the process, million bytes"),
    )
    rows = [
        (
            text(case["title"]),
            text(name),
            number(result["forward_tokens_per_second"], "{:,.1f}"),
            number(result["both_tokens_per_second"], "{:,.1f}", strong=True),
            number(result.get("forward_seconds"), "{:,.3g}"),
            number(result.get("both_seconds"), "{:,.3g}"),
            number(result.get("peak_bytes"), "{:,.0f}", 1e-6),
        )
        for case in record.cases
        for name, result in case["results"].items()
    ]
    plot = dots(
        "Encoder: forward and backward",
        [case["title"] for case in record.cases],
        [
            Series(
                name,
                [case["results"][name]["both_tokens_per_second"] for case in record.cases],
                [float(place) for place in range(len(record.cases))],
            )
            for name in dict.fromkeys(name for case in record.cases for name in case["results"])
        ],
        Axis("tokens per second", log=True),
    )
    table = ReportTable("Speed", columns, tuple(rows))
    return Section("Encoder: speed", found.name, facts(record), (table,), (plot,), _caveats(record))


def training_section(found: FoundRecord) -> Section:
    """The speed of pre-training against another trainer's."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("batch", numeric=False),
        Column("trainer", numeric=False),
        Column("parameters"),
        Column("tokens/s"),
        Column("waiting", "share of the time spent waiting for batches, in percent"),
    )
    rows = [
        (
            text(case["title"]),
            text(name),
            number(result["parameters"], "{:,}"),
            number(result["tokens_per_second"], "{:,.1f}", strong=True),
            number(result.get("waiting"), "{:.1f}", 100),
        )
        for case in record.cases
        for name, result in case["results"].items()
    ]
    table = ReportTable("Pre-training", columns, tuple(rows))
    return Section("Pre-training: speed", found.name, facts(record), (table,), (), _caveats(record))


def _caveats(record: BenchmarkRecord) -> tuple[str, ...]:
    """The caveats of the record and of its cases, each once."""
    cases = once((str(case.get("title", "all")), str(case.get("caveats", ""))) for case in record.cases)
    return (*map(str, record.caveats), *cases)
