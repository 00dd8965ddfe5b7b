"""The section of the matched trial: arms as rows, and what each thing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.compare.trial import choices, contrasts, trial_rows
from genotok.report.tables import Cell, Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.compare.trial import ArmRow, Contrast
    from genotok.report.records import FoundRecord

__all__ = ["trial_section"]


def trial_section(found: FoundRecord) -> Section:
    """One record of `benchmarks.matched`."""
    record = BenchmarkRecord.from_json(found.data)
    rows = trial_rows(record)
    best = [
        f"{row.arm.title} {row.mean.text} ({row.mean.range})"
        for row in sorted(choices(rows), key=lambda row: -row.mean.interval.value)
        if row.equal == "bases"
    ]
    tables = (
        _arms("Arms; bold: chosen on dev among the tokenizers of a kind", rows, choices(rows)),
        _contrasts(contrasts(rows)),
    )
    return Section(
        "Tokenizers, matched",
        found.name,
        facts(record),
        tables,
        (),
        tuple(record.caveats),
        f"Of each kind the arm that is best on dev, at equal bases: {'; '.join(best)}." if best else "",
    )


def _arms(caption: str, rows: Sequence[ArmRow], chosen: Sequence[ArmRow]) -> ReportTable:
    """A row for each arm."""
    columns = (
        Column("arm", numeric=False),
        Column("equal", numeric=False),
        Column("vocabulary", "tokens"),
        Column("tokens per row", "mean over train"),
        Column("parameters"),
        Column("TFLOP", "training on all sets, one seed"),
        Column("CPU s", "training on all sets, one seed"),
        Column("test, %", "mean over sets, all rows"),
        Column("95 %"),
        Column("clean rows, %"),
        Column("dev, %"),
        Column("changed, %", "dev rows whose class changes when tokens are shuffled"),
    )
    cells = tuple(
        (
            text(row.arm.title),
            text(row.equal),
            number(row.vocab_size, "{:,}"),
            number(row.tokens_per_row, "{:.1f}"),
            number(row.parameters, "{:,}"),
            number(row.operations, "{:.2f}", 1e-12),
            number(row.seconds, "{:,.0f}"),
            Cell(row.mean.text, row.mean.interval.value, row in chosen),
            Cell(row.mean.range, row.mean.interval.low),
            number(row.clean, "{:.1f}"),
            number(row.dev, "{:.1f}"),
            number(row.shuffled, "{:.1f}", 100),
        )
        for row in rows
    )
    return ReportTable(caption, columns, cells)


def _contrasts(found: Sequence[Contrast]) -> ReportTable:
    """A row for each thing that arms have or lack."""
    columns = (
        Column("with it, minus without", numeric=False),
        Column("equal", numeric=False),
        Column("pairs of arms"),
        Column("mean change, %"),
        Column("lowest"),
        Column("highest"),
    )
    cells = tuple(
        (
            text(one.name),
            text(one.equal),
            number(len(one.changes), "{:d}"),
            number(one.mean, "{:+.1f}"),
            number(min(one.changes.values()), "{:+.1f}"),
            number(max(one.changes.values()), "{:+.1f}"),
        )
        for one in found
    )
    return ReportTable("What arms gain from a thing, in percent of the metric on test", columns, cells)
