"""The sections of several runs of one kind, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.plots import Axis, lines
from genotok.report.records import as_number
from genotok.report.tables import Cell, Column, Section, Table, number, text
from genotok.report.training_log import curve, last_evaluation, last_step, points, run_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.report.records import Found

__all__ = ["pretraining_overview"]


def pretraining_overview(runs: Sequence[Found]) -> Section:
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
    table = Table("Runs", columns, rows)
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


def _overview_row(found: Found) -> tuple[Cell, ...]:
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
