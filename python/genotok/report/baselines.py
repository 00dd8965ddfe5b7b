"""The section of baselines on labelled sets: k-mers, a small CNN, and their average."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.evaluation.baselines import BASELINES
from genotok.evaluation.results import lines, notes
from genotok.report.estimates import forests, unit_of
from genotok.report.finetuning import headlines, results_table
from genotok.report.identities import identity_table
from genotok.report.tables import Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import BaselineRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Cell

__all__ = ["baseline_section"]

CHOICES = (
    "Choices, each made on dev: the penalty of k-mers, the epoch of the CNN, the weight of their average"
)


def baseline_section(found: FoundRecord) -> Section:
    """One record of `genotok baseline`."""
    record = BaselineRecord.from_json(found.data)
    measured = lines([], [record])
    said = f"Baselines of {len(measured):,} sets, which need no model: what a model has to be better than."
    return Section(
        "Baselines",
        found.name,
        facts(record),
        (results_table(measured, []), _choices(record), *identity_table(found.data)),
        tuple(forests("Test split: each set", {}, [record])),
        tuple(notes([], [record])),
        said,
        headlines(measured, []),
    )


def _choices(record: BaselineRecord) -> ReportTable:
    """A row for each run of each baseline: what was chosen, how it does on dev, and what it took."""
    columns = (
        Column("set", numeric=False),
        Column("baseline", numeric=False),
        Column("strands", numeric=False),
        Column("seed"),
        Column("chosen", numeric=False),
        Column("dev"),
        Column("test"),
        Column("parameters"),
        Column("s"),
    )
    rows = tuple(row for one in record.sets for row in _rows(one))
    return ReportTable(CHOICES, columns, rows)


def _rows(one: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    """The runs of a set."""
    _, scale = unit_of(one["metric"])
    for key, title in BASELINES.items():
        fitted = one["baselines"].get(key, {"runs": ()})
        strands = {True: "one", False: "both"}.get(fitted.get("stranded"), "")
        for run in fitted["runs"]:
            yield (
                text(one["name"]),
                text(title),
                text(strands + (", places" if fitted.get("aligned") else "")),
                number(run.get("seed"), "{:d}"),
                text(_chosen(run)),
                number(run["dev"][one["metric"]], "{:.3g}", scale),
                number(run["test"][one["metric"]], "{:.3g}", scale),
                number(run.get("parameters"), "{:,d}"),
                number(run.get("seconds"), "{:,.0f}"),
            )


def _chosen(run: Mapping[str, Any]) -> str:
    """What was chosen on dev."""
    if "penalty" in run:
        return f"C = {run['penalty']:g}"
    if "weight_of_cnn" in run:
        return f"{run['weight_of_cnn']:g} of the CNN"
    return f"epoch {run['epoch']} of {run['epochs']}"
