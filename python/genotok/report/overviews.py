"""The sections of several runs of one kind, next to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.evaluation.results import lines as lines_of
from genotok.report.estimates import forests, unit_of
from genotok.report.finetuning import finetuned
from genotok.report.plots import Axis, lines
from genotok.report.records import as_number
from genotok.report.tables import Cell, Column, ReportTable, Section, number, text
from genotok.report.training_log import curve, last_evaluation, last_step, points, run_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.report.records import FoundRecord
    from genotok.run_records.schemas import FinetuneRecord

__all__ = ["finetuning_overview", "pretraining_overview"]

MAX_DRAWN = 6
"""More runs are not drawn in one plot; all are in the table."""


def finetuning_overview(runs: Sequence[FoundRecord]) -> Section:
    """Several runs: a row for each model on each set, and all of them in one plot if they are few."""
    columns = (
        Column("run", numeric=False),
        Column("model", numeric=False),
        Column("set", numeric=False),
        Column("metric", numeric=False),
        Column("result", "mean and deviation over seeds"),
        Column("95 %", "interval of the test split", numeric=False),
        Column("baseline", "the average of k-mers and a CNN, or k-mers where only they were fitted"),
    )
    models = [(each.name, record) for each in runs for record in finetuned(each)]
    rows = tuple(row for name, record in models for row in _set_rows(name, record))
    drawn = {f"{name}: {record.title}": record for name, record in models if record.sets}
    figures = forests("Test split: all runs", drawn) if len(drawn) <= MAX_DRAWN else []
    said = f"{len(models):,} runs of fine-tuning, {len(rows):,} results."
    table = ReportTable("Results", columns, rows)
    return Section("Fine-tuning: all runs", "", (), (table,), tuple(figures), (), said)


def _set_rows(name: str, record: FinetuneRecord) -> list[tuple[Cell, ...]]:
    """The results of one model."""
    found: list[tuple[Cell, ...]] = []
    for line in lines_of([record]) if record.sets else []:
        (ours,) = line.ours
        if ours is not None:
            found.append(
                (
                    text(name),
                    text(record.title),
                    text(line.name),
                    text(unit_of(line.metric)[0]),
                    Cell(ours.text, ours.interval.value),
                    text(ours.range),
                    Cell(line.baseline.text, line.baseline.interval.value) if line.baseline else number(None),
                )
            )
    return found


def pretraining_overview(runs: Sequence[FoundRecord]) -> Section:
    """Several runs: a row of figures for each, and their held-out curves in one plot."""
    columns = (
        Column("run", numeric=False),
        Column("state", numeric=False),
        Column("encoder", numeric=False),
        Column("parameters"),
        Column("steps"),
        Column("train loss", "nats per token, at the last step that was logged"),
        Column("held-out loss", "nats per masked token, at the last evaluation"),
        Column("bits per base", "of held-out sequences"),
        Column("unigram baseline", "bits per base of guessing by token frequencies"),
        Column("accuracy, %", "masked-token accuracy on held-out sequences"),
    )
    rows = tuple(_overview_row(each) for each in runs)
    table = ReportTable("Runs", columns, rows)
    figures = []
    for key, caption, unit in (
        ("eval_bits_per_base", "Held-out sequences: bits per base", "bits per base"),
        ("eval_loss", "Held-out sequences: loss", "nats per masked token"),
    ):
        series = [curve(each.data, key, each.name) for each in runs]
        if any(each.x for each in series):
            figures.append(lines(caption, series, Axis("training steps"), Axis(unit)))
    caveats = (
        (
            "Losses per token of different vocabularies cannot be compared; bits per base can, if both runs "
            "are evaluated on the same sequences."
        ),
    )
    said = f"{len(runs):,} runs of pre-training."
    return Section("Pre-training: all runs", "", (), (table,), tuple(figures), caveats, said)


def _overview_row(found: FoundRecord) -> tuple[Cell, ...]:
    run, final = found.data, last_evaluation(found.data)
    train = points(run, "loss")
    return (
        text(found.name),
        text(run_state(run).partition(":")[0]),
        text(run["config"]["encoder"]),
        number(as_number(run.get("parameters")), "{:,.0f}"),
        number(last_step(run), "{:,.0f}"),
        number(train[-1][1] if train else None, "{:.3f}"),
        number(as_number(final.get("eval_loss")), "{:.3f}"),
        number(as_number(final.get("eval_bits_per_base")), "{:.3f}"),
        number(as_number(final.get("eval_unigram_bits_per_base")), "{:.3f}"),
        number(as_number(final.get("eval_accuracy")), "{:.1f}", 100),
    )
