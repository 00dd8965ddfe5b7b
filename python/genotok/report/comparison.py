"""The section of tokenizers compared as models: rows are figures and sets, columns tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.compare.table import (
    comparison_columns,
    comparison_notes,
    comparison_rows,
    comparison_summary,
)
from genotok.report.canvas import Axis
from genotok.report.estimates import forests
from genotok.report.identities import identity_table
from genotok.report.plots import Series, dots, lines
from genotok.report.records import as_number
from genotok.report.tables import Cell, Column, Figure, Headline, ReportTable, Section, facts, text
from genotok.report.training_log import curve
from genotok.run_records.schemas import ComparisonRecord

if TYPE_CHECKING:
    from genotok.compare.table import ComparisonRow
    from genotok.report.records import FoundRecord

__all__ = ["comparison_section"]

MAX_HEADLINES = 8


def comparison_section(found: FoundRecord) -> Section:
    """One record of `genotok compare`."""
    record = ComparisonRecord.from_json(found.data)
    names = [str(one["name"]) for one in record.tokenizers]
    titles = comparison_columns(record)
    columns = (Column("measure or set", numeric=False), *map(Column, titles))
    rows = comparison_rows(record)
    table = ReportTable(
        "Measures and sets; bold: the best on a set, and what does not differ from it beyond the intervals",
        columns,
        tuple(map(_cells, rows)),
    )
    figures = (
        *forests("Test split: each set", dict(zip(names, record.results(), strict=True))),
        *_bits(record, names),
        *_curves(record, names),
    )
    return Section(
        "Tokenizers as models",
        found.name,
        (*_facts(record), *facts(record)),
        (table, *identity_table(found.data)),
        figures,
        tuple(comparison_notes(record)),
        comparison_summary(record),
        _headlines(rows, titles),
    )


def _cells(row: ComparisonRow) -> tuple[Cell, ...]:
    """The cells of a row."""
    shown = zip(row.cells, row.values, strict=True)
    return (
        text(row.name),
        *(Cell(cell, value, place in row.best) for place, (cell, value) in enumerate(shown)),
    )


def _bits(record: ComparisonRecord, names: list[str]) -> list[Figure]:
    """Bits per base of each encoder beside its unigram baseline; overlapping tokens have none to compare."""
    pairs = (("encoder", "eval_bits_per_base"), ("unigram baseline", "eval_unigram_bits_per_base"))
    series = []
    for label, key in pairs:
        known = [
            (value, float(row))
            for row, one in enumerate(record.tokenizers)
            if not one["overlap_bases"] and (value := as_number(one["pretrain"].get(key))) is not None
        ]
        series.append(Series(label, [value for value, _ in known], [row for _, row in known]))
    if not series[0].x:
        return []
    axis = Axis("bits per base (lower is better)", from_zero=False)
    return [dots("Held-out sequences: bits per base", names, series, axis)]


def _curves(record: ComparisonRecord, names: list[str]) -> list[Figure]:
    """What the logs of pre-training say, where they are there: the tokenizers in one plot."""
    logs = record.more.get("logs")
    if not isinstance(logs, dict):
        return []
    overlaps = {str(one["name"]): bool(one["overlap_bases"]) for one in record.tokenizers}
    wanted: tuple[tuple[str, str, str, Any], ...] = (
        ("eval_bits_per_base", "Pre-training: bits per base of held-out sequences", "bits per base", 1),
        ("eval_accuracy", "Pre-training: masked-token accuracy", "% of masked tokens", 100),
    )
    found = []
    for key, caption, unit, factor in wanted:
        series = []
        for name in names:
            if key == "eval_bits_per_base" and overlaps[name]:
                continue
            line = curve({"log": logs.get(name)}, key, name)
            series.append(Series(name, line.x, [factor * value for value in line.y]))
        if any(each.x for each in series):
            found.append(lines(caption, series, Axis("training steps"), Axis(unit)))
    return found


def _facts(record: ComparisonRecord) -> tuple[tuple[str, str], ...]:
    """What was compared, on what."""
    told = (
        ("tokenizers", ", ".join(str(one["name"]) for one in record.tokenizers)),
        ("encoder", str(record.pretrain.get("encoder", ""))),
        ("pre-trained on", ", ".join(map(str, record.files))),
        ("held-out records", ", ".join(map(str, record.hold_out))),
        ("seeds", ", ".join(map(str, record.provenance.seeds))),
    )
    return tuple((label, fact) for label, fact in told if fact)


def _headlines(rows: list[ComparisonRow], names: list[str]) -> tuple[Headline, ...]:
    """The last row, the mean over sets, if there is one and it has few columns."""
    mean, sets = rows[-1], [row for row in rows if row.is_set]
    if mean.is_set:
        return ()  # sets in different units have no mean
    shown = [(name, cell) for name, cell in zip(names, mean.cells, strict=True) if cell]
    unit = ", in percent" if sets and sets[0].form.is_percent else ""
    note = f"mean over {len(sets):,} sets{unit}" if len(sets) > 1 else f"on one set{unit}"
    return tuple(Headline(name, cell, note) for name, cell in shown) if len(shown) <= MAX_HEADLINES else ()
