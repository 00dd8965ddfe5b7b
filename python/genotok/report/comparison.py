"""The section of tokenizers compared as models: a row for each figure and set, a column a tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.gue.comparison import comparison_notes, comparison_rows, comparison_summary
from genotok.report.plots import Axis, Series, dots
from genotok.report.tables import Cell, Column, Section, Table, facts, text

if TYPE_CHECKING:
    from genotok.gue.comparison import Row
    from genotok.report.records import Found

__all__ = ["comparison_section"]


def comparison_section(found: Found) -> Section:
    """One record of `genotok compare`."""
    record = found.data
    names = [*(one["name"] for one in record["tokenizers"]), "k-mer baseline"]
    columns = (Column("measure or set", numeric=False), *(Column(name) for name in names))
    rows = comparison_rows(record)
    sets = [row for row in rows if row.is_set]
    plot = dots(
        "The same encoder on each tokenizer: each set",
        [row.name for row in sets],
        [_series(name, place, sets) for place, name in enumerate(names)],
        Axis("percent of MCC or macro F1"),
    )
    table = Table("Tokenizers as models", columns, tuple(map(_cells, rows)))
    said = (comparison_summary(record), *comparison_notes(record))
    return Section("Tokenizers as models", found.name, facts(record), (table,), (plot,), said)


def _cells(row: Row) -> tuple[Cell, ...]:
    """The cells of a row."""
    shown = zip(row.cells, row.values, strict=True)
    return (
        text(row.name),
        *(Cell(cell, value, place in row.best) for place, (cell, value) in enumerate(shown)),
    )


def _series(name: str, place: int, sets: list[Row]) -> Series:
    """A dot for each set that has a result."""
    there = [(number, row.values[place]) for number, row in enumerate(sets)]
    known = [(float(number), value) for number, value in there if value is not None]
    return Series(name, [value for _, value in known], [number for number, _ in known])
