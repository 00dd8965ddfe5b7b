"""The section of fine-tuning on labelled sets: each set with its baseline, models and published results."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from genotok.evaluation.metrics import differ
from genotok.evaluation.results import (
    MeanResult,
    SetLine,
    lines,
    notes,
    shown_baselines,
    shown_models,
    summary,
    with_clean,
)
from genotok.report.canvas import Axis
from genotok.report.classes import class_tables
from genotok.report.estimates import forests, unit_of
from genotok.report.identities import identity_table
from genotok.report.plots import Series
from genotok.report.plots import lines as line_plot
from genotok.report.records import as_number
from genotok.report.tables import (
    Cell,
    Column,
    Figure,
    Headline,
    ReportTable,
    Section,
    facts,
    number,
    text,
)
from genotok.run_records.schemas import FinetuneRecord, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from genotok.report.records import FoundRecord

__all__ = ["finetuned", "finetuning_section", "headlines", "leaders", "results_table"]

MAX_CURVES = 12
"""Sets whose evaluations on dev are drawn."""


def finetuning_section(found: FoundRecord) -> Section:
    """One record of `genotok finetune`, or several that were kept together."""
    head, records = RunRecord.from_json(found.data), finetuned(found)
    state = _state(head.more)
    if head.more.get("is_partial") and not records[0].sets:
        none = f"{records[0].title}: no result yet."
        return Section("Fine-tuning", found.name, facts(head), caveats=state, summary=none)
    measured = lines(records)
    names = [record.title for record in records]
    said = [str(one) for one in (*state, *(head.more.get("caveats") or ()), *notes(records)) if one]
    tables = (
        results_table(measured, names),
        *(table for name, one in zip(names, records, strict=True) for table in class_tables(one, name)),
        *identity_table(found.data),
    )
    figures = [*forests("Test split: each set", dict(zip(names, records, strict=True))), *_curves(records)]
    return Section(
        "Fine-tuning",
        found.name,
        (*_facts(records), *facts(head)),
        tables,
        tuple(figures),
        tuple(said),
        " ".join([*(_sentence(name, place, measured) for place, name in enumerate(names)), summary(records)]),
        headlines(measured, names),
    )


def finetuned(found: FoundRecord) -> list[FinetuneRecord]:
    """The record of `genotok finetune`, or those that were kept together."""
    return [FinetuneRecord.from_json(one) for one in found.data.get("records") or [found.data]]


def leaders(results: Sequence[MeanResult | None]) -> frozenset[int]:
    """Places of the best result, and of those that do not differ from it beyond the intervals."""
    there = [one for one in results if one is not None]
    if not there:
        return frozenset()
    top = max(there, key=lambda one: one.interval.value)
    return frozenset(
        place
        for place, one in enumerate(results)
        if one is not None and not differ(one.interval, top.interval)
    )


def results_table(measured: list[SetLine], names: list[str]) -> ReportTable:
    """A row for each set, columns for models and baselines, published results and notes if there are any."""
    known, fitted = shown_models(measured), shown_baselines(measured)
    measured = with_clean(measured)
    noted = [["; ".join([*line.notes, *line.others])] for line in measured]
    has_notes = any(note for (note,) in noted)
    columns = (
        Column("set", numeric=False),
        *(
            column
            for name in [*names, *fitted]
            for column in (
                Column(name, "mean and deviation over seeds"),
                Column("95 %", "interval of the test split", numeric=False),
            )
        ),
        *(Column(model, "published, in percent") for model in known),
        *([Column("note", numeric=False)] if has_notes else []),
    )
    rows = tuple(
        (
            *_measured(line, fitted),
            *(number(line.published.get(model), "{:.1f}") for model in known),
            *(map(text, note) if has_notes else ()),
        )
        for line, note in zip(measured, noted, strict=True)
    )
    return ReportTable(
        "Labelled sets; bold: the best of a row, and what does not differ from it beyond the intervals",
        columns,
        rows,
    )


def _measured(line: SetLine, baselines: Sequence[str]) -> tuple[Cell, ...]:
    """The name of a set, and what was measured."""
    results = [*line.ours, *(line.baselines.get(name) for name in baselines)]
    best = leaders(results)
    cells = (cell for place, one in enumerate(results) for cell in _cells(one, is_best=place in best))
    return (text(line.name), *cells)


def _cells(one: MeanResult | None, *, is_best: bool) -> tuple[Cell, Cell]:
    """A result and its interval."""
    if one is None:
        return number(None), text("")
    return Cell(one.text, one.interval.value, is_best), text(one.range)


def _curves(records: list[FinetuneRecord]) -> list[Figure]:
    """The evaluations on dev: a line for each seed of each model, a plot for each set."""
    series: dict[tuple[str, str], list[Series]] = {}
    for record in records:
        for one in record.sets:
            _, scale = unit_of(one["metric"])
            for run in one["runs"]:
                there = [one for one in run.get("evaluations", []) if as_number(one[1]) is not None]
                name = f"seed {run.get('seed', '?')}"
                who = name if len(records) == 1 else f"{record.title}, {name}"
                line = Series(who, [one[0] for one in there], [scale * one[1] for one in there])
                series.setdefault((one["name"], one["metric"]), []).append(line)
    drawn = list(series.items())[:MAX_CURVES]
    left = len(series) - len(drawn)
    more = f" ({left} more sets are not drawn)" if left else ""
    return [
        line_plot(
            f"{name}: evaluations on dev{more if number == len(drawn) else ''}",
            each,
            Axis("training steps"),
            Axis(unit_of(metric)[0]),
        )
        for number, ((name, metric), each) in enumerate(drawn, 1)
        if any(one.x for one in each)
    ]


def _facts(records: list[FinetuneRecord]) -> tuple[tuple[str, str], ...]:
    """Models, seeds and settings that all records share."""
    seeds = {str(run.get("seed")) for record in records for one in record.sets for run in one["runs"]}
    config = records[0].config
    settings = config if isinstance(config, dict) else {}
    wanted = ("learning_rate", "batch", "epochs", "max_steps", "lora", "precision", "choose_by")
    told = [
        ("models", ", ".join(record.title for record in records)),
        ("seeds", ", ".join(sorted(seeds, key=lambda seed: (len(seed), seed)))),
        (
            "settings",
            ", ".join(f"{key} {settings[key]}" for key in wanted if settings.get(key) not in (None, False)),
        ),
        ("device", str(records[0].device)),
    ]
    return tuple((label, fact) for label, fact in told if fact)


def _sentence(name: str, place: int, measured: list[SetLine]) -> str:
    """How a model does on all sets, and beside the baseline."""
    there = [(line, line.ours[place]) for line in measured if line.ours[place] is not None]
    pairs = [
        (one.interval, line.baseline.interval)
        for line, one in there
        if one is not None and line.baseline is not None
    ]
    if len(there) == 1 and (one := there[0][1]) is not None:
        return _one_set(name, there[0][0], one)
    count = f"{name} on {len(there):,} sets"
    if not pairs:
        return f"{count}."
    against = _strongest(line for line, _ in there)
    apart = [ours.value > base.value for ours, base in pairs if differ(ours, base)]
    return (
        f"{count}: beyond the intervals better than the {against} on {sum(apart)}, worse on "
        f"{len(apart) - sum(apart)}, within them on {len(pairs) - len(apart)}."
    )


def _one_set(name: str, line: SetLine, one: MeanResult) -> str:
    """How a model does on a single set, and beside its baseline."""
    unit = " %" if line.form.is_percent else ""
    said = f"{name} on {line.name}: {line.form.title} {one.text}{unit} (95 % interval {one.range})"
    base, against = line.baseline, _strongest([line])
    if base is None:
        return f"{said}."
    beyond = "differ" if differ(one.interval, base.interval) else "do not differ"
    return f"{said}, {against} {base.text}{unit} ({base.range}): they {beyond} beyond the intervals."


def headlines(measured: list[SetLine], names: list[str]) -> tuple[Headline, ...]:
    """The mean over sets of each model and of the baseline, where they are of one metric."""
    if len({line.metric for line in measured}) != 1 or len(names) > 4:
        return ()
    unit = unit_of(measured[0].metric)[0]
    fitted = shown_baselines(measured)
    columns = [[line.ours[place] for line in measured] for place in range(len(names))]
    columns += [[line.baselines.get(name) for line in measured] for name in fitted]
    found = []
    for name, column in zip([*names, *fitted], columns, strict=True):
        there = [one for one in column if one is not None]
        if len(there) == 1:
            found.append(Headline(f"{name}: {unit}", there[0].text, f"95 % interval {there[0].range}"))
        elif there:
            mean = statistics.fmean(one.interval.value for one in there)
            digits = 1 if unit.endswith("%") else 3
            found.append(Headline(f"{name}: {unit}", f"{mean:.{digits}f}", f"mean over {len(there)} sets"))
    return tuple(found)


def _strongest(measured: Iterable[SetLine]) -> str:
    """The title of the baseline that models are compared with."""
    return next((title for line in measured for title in reversed(line.baselines)), "baseline")


def _state(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What to know of a run that is not finished, or of a part of one."""
    if record.get("is_part"):
        return ("A part of a run: the baseline and the other sets are in the folder around it.",)
    if not record.get("is_partial"):
        return ()
    if record.get("state") == "running":
        return ("The run is not finished: it is running, and this is what is there so far.",)
    return ("The run is not finished: genotok finetune with --resume continues it.",)
