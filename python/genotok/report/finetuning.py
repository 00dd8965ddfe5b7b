"""The section of fine-tuning on labelled sets: each set with its baseline, models and published results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.gue.results import SHOWN, Line, Result, lines, notes, summary, title
from genotok.report.plots import Axis, Series, dots
from genotok.report.tables import Cell, Column, Section, Table, caveats_of, facts, number, text

if TYPE_CHECKING:
    from genotok.report.records import Found

__all__ = ["finetuning_section"]


def finetuning_section(found: Found) -> Section:
    """One record of `genotok finetune`, or several that were kept together."""
    record = found.data
    records: list[dict[str, Any]] = record.get("records") or [record]
    if record.get("is_partial") and not record["sets"]:
        none = f"{title(record)}: no result yet."
        return Section("Fine-tuning", found.name, facts(record), caveats=_state(record), summary=none)
    measured = lines(records)
    names = ["k-mer baseline", *map(title, records)]
    columns = (
        Column("set", numeric=False),
        *(
            column
            for name in names
            for column in (
                Column(name, "mean and deviation over seeds, in percent"),
                Column("95 %", numeric=False),
            )
        ),
        *(Column(model, "published, in percent") for model in SHOWN),
        Column("note", numeric=False),
    )
    rows = tuple(_row(line) for line in measured)
    results = [[line.baseline, *line.ours] for line in measured]
    plot = dots(
        "Fine-tuning: each set",
        [line.name for line in measured],
        [_series(name, [row[place] for row in results]) for place, name in enumerate(names)],
        Axis("percent of MCC or macro F1"),
    )
    said = [one for one in (*_state(record), *caveats_of(record), summary(records), *notes(records)) if one]
    table = Table("Labelled sets", columns, rows)
    return Section("Fine-tuning", found.name, facts(record), (table,), (plot,), tuple(said))


def _row(line: Line) -> tuple[Cell, ...]:
    """The cells of a set; the best of what was measured is to be seen first."""
    measured = [line.baseline, *line.ours]
    best = max(one.interval.value for one in measured if one is not None)
    published = (number(line.published.get(model), "{:.1f}") for model in SHOWN)
    cells = (cell for one in measured for cell in _cells(one, best))
    return (text(line.name), *cells, *published, text("; ".join(line.notes)))


def _cells(one: Result | None, best: float) -> tuple[Cell, Cell]:
    """A result and its interval."""
    if one is None:
        return number(None), text("")
    return Cell(one.text, one.interval.value, one.interval.value == best), text(one.range)


def _series(name: str, results: list[Result | None]) -> Series:
    """A dot for each set that has a result."""
    there = [(place, one) for place, one in enumerate(results) if one is not None]
    return Series(name, [one.interval.value for _, one in there], [float(place) for place, _ in there])


def _state(record: dict[str, Any]) -> tuple[str, ...]:
    """What to know of a run that is not finished, or of a part of one."""
    if record.get("is_part"):
        return ("A part of a run: the baseline and the other sets are in the folder around it.",)
    if not record.get("is_partial"):
        return ()
    if record.get("state") == "running":
        return ("The run is not finished: it is running, and this is what is there so far.",)
    return ("The run is not finished: genotok finetune with --resume continues it.",)
