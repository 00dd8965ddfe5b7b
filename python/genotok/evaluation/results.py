"""Results of fine-tuning beside the baselines and the published numbers, as lines of a table.

A line is one set. Each result is the mean over seeds with its deviation, and the interval is the mean of the
runs' 95 % bootstrap intervals: what another test split of the same size would leave open. Two results are
called different only if their intervals have nothing in common.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genotok.evaluation.baselines import BASELINES, runs_of_baselines, sizes_of_baselines
from genotok.evaluation.mean_result import MeanResult, mean_result
from genotok.evaluation.metrics import CLASS_METRICS, METRICS, Written, differ, written
from genotok.gue.registry import PAPER, published

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from genotok.run_records.schemas import BaselineRecord, FinetuneRecord

__all__ = [
    "BOLD",
    "PERCENT",
    "MeanResult",
    "SetLine",
    "has_metrics",
    "lines",
    "markdown",
    "notes",
    "shown_baselines",
    "shown_models",
    "summary",
    "units",
    "with_clean",
]

Row = Mapping[str, Any]
SHOWN = (PAPER, "NT-2500M-multi")
PERCENT = 100.0
BOLD = "Bold: the best of a row, and what does not differ from it beyond the intervals."
"""The legend of a table."""
CLEAN = "test rows are clean"

GUE_METRICS = frozenset({"mcc", "f1"})


@dataclass(frozen=True, slots=True)
class SetLine:
    """One set.

    Attributes:
        name: Its name.
        metric: What it is judged by, such as `mcc`.
        baselines: The result of each baseline that was fitted, by title, the strongest by its making last.
        ours: A result of each record, in their order; None where a record lacks the set.
        published: Results of others, by model; empty where there are none.
        notes: What cannot be compared, and what differs.
        others: All other metrics of each result, of numbers and of labels.
    """

    name: str
    metric: str
    baselines: dict[str, MeanResult]
    ours: tuple[MeanResult | None, ...]
    published: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def form(self) -> Written:
        """How its metric is written."""
        return written(self.metric)

    @property
    def baseline(self) -> MeanResult | None:
        """What models are compared with: the averaged baseline, or the one that was fitted, or None."""
        return next(reversed(self.baselines.values()), None)

    @property
    def clean(self) -> SetLine | None:
        """The line of its clean rows; None if nothing is known of them, or there are none."""
        floors = {title: one.clean for title, one in self.baselines.items() if one.clean}
        ours = tuple(one.clean if one else None for one in self.ours)
        if not floors and not any(ours):
            return None
        return SetLine(f"{self.name}, clean rows", self.metric, floors, ours)

    @property
    def is_reduced(self) -> bool:
        """Whether it was trained on part of dev."""
        return any("trained on 85 % of dev" in note for note in self.notes)


def lines(records: Sequence[FinetuneRecord], baselines: Sequence[BaselineRecord] = ()) -> list[SetLine]:
    """A line for each set of any record, in the order in which they come.

    Args:
        records: Models, a column each.
        baselines: Records of `genotok baseline`: the baselines of sets whose models have none of their own.
    """
    tables = [record.sets for record in records] + [record.sets for record in baselines]
    sets: dict[str, list[Row | None]] = {}
    for number, table in enumerate(tables):
        for one in table:
            sets.setdefault(one["name"], [None] * len(tables))[number] = one
    return [_line(name, found, [record.title for record in records]) for name, found in sets.items()]


def with_clean(found: Iterable[SetLine]) -> list[SetLine]:
    """The lines, each with that of its clean rows below it."""
    return [one for line in found for one in (line, line.clean) if one is not None]


def summary(records: Sequence[FinetuneRecord]) -> str:
    """How two records compare on the sets that both have; "" for other than two."""
    if len(records) != 2:
        return ""
    both = [line.ours for line in lines(records) if None not in line.ours]
    pairs = [(one, other) for one, other in both if one is not None and other is not None]
    if not pairs:
        return ""
    forms = {one.form for one, _ in pairs}
    form = next(iter(forms))
    gains = [one.interval.value - other.interval.value for one, other in pairs]
    apart = [
        gain for (one, other), gain in zip(pairs, gains, strict=True) if differ(one.interval, other.interval)
    ]
    first, second = (record.title for record in records)
    mean = statistics.fmean(gains)
    average = ""  # of metrics in other units there is none
    if len(forms) == 1 or all(one.is_percent for one in forms):
        average = f"{'+' if mean >= 0 else ''}{form.text(mean)} on average over {len(pairs)} sets; "
    return (
        f"{first} against {second}: {average}"
        f"better on {sum(gain > 0 for gain in gains)}, of which {sum(gain > 0 for gain in apart)} beyond "
        f"the intervals; worse on {sum(gain < 0 for gain in gains)}, of which "
        f"{sum(gain < 0 for gain in apart)} beyond them."
    )


def notes(records: Sequence[FinetuneRecord], baselines: Sequence[BaselineRecord] = ()) -> list[str]:
    """What to know before any two columns are compared."""
    measured = lines(records, baselines)
    sizes = ", ".join(
        [
            *(f"{record.title}: {record.parameters / 1e6:.1f} million" for record in records),
            *sizes_of_baselines([*_sets(records), *_sets(baselines)]),
        ]
    )
    others = (
        "; DNABERT-2 has 117 million, Nucleotide Transformer 2,500 million. Published numbers are of other "
        "training runs on full data, from their authors"
    )
    found = [
        (
            f"{units(measured)}; mean and deviation over seeds, then the mean 95 % bootstrap interval of "
            "the test split."
        ),
        f"Parameters: {sizes}{others if shown_models(measured) else ''}.",
    ]
    if any(line.clean for line in measured):
        found.append(
            "Clean rows: test rows that share no locus with train or dev (genotok gue audit). Where they are "
            "known, intervals are of drawn loci, not of drawn rows."
        )
    reduced = [line.name for line in measured if line.is_reduced]
    if reduced:
        found.append(
            f"Reduced, not comparable with published numbers: {', '.join(reduced)}, whose train split is "
            "missing: trained on 85 % of dev."
        )
    return found


def markdown(records: Sequence[FinetuneRecord], baselines: Sequence[BaselineRecord] = ()) -> str:
    """The table, what it says, and its notes, as Markdown."""
    names = [record.title for record in records]
    found = lines(records, baselines)
    metric = ["metric"] if has_metrics(found) else []
    models = (part for name in names for part in (name, "interval"))
    others_shown, fitted = shown_models(found), shown_baselines(found)
    floors = [part for name in fitted for part in ((name,) if names else (name, "interval"))]
    head = ["set", *metric, *floors, *models, *others_shown]
    rows = [list(_cells(line, others_shown, fitted, with_metric=bool(metric))) for line in with_clean(found)]
    aligned = ["---"] * (1 + len(metric))
    table = [_row(head), _row([*aligned, *["---:"] * (len(head) - len(aligned))]), *map(_row, rows)]
    others = [f"{line.name}, {one}" for line in found for one in line.others]
    clean = [f"{line.name}: {one}" for line in found for one in line.notes if CLEAN in one]
    said = [text for text in (*others, *clean, summary(records), BOLD, *notes(records, baselines)) if text]
    return "\n".join([*table, "", *(f"{text}\n" for text in said)]).rstrip()


def shown_models(found: Sequence[SetLine]) -> tuple[str, ...]:
    """The published models that stand in a table: those with a result on one of its sets."""
    return tuple(model for model in SHOWN if any(model in line.published for line in found))


def shown_baselines(found: Sequence[SetLine]) -> tuple[str, ...]:
    """The titles of the baselines that stand in a table: those that were fitted, or an empty column."""
    titles = (title for title in BASELINES.values() if any(title in line.baselines for line in found))
    return tuple(titles) or (BASELINES["kmers"],)


def has_metrics(found: Sequence[SetLine]) -> bool:
    """Whether sets are judged by other metrics than those of GUE, so that a table has to say by which."""
    return any(line.metric not in GUE_METRICS for line in found)


def units(found: Sequence[SetLine]) -> str:
    """What the numbers of a table are."""
    if not has_metrics(found):
        return "Percent of MCC, of covid macro F1" if shown_models(found) else "Percent of MCC"
    forms = {line.form: None for line in found}
    shares = [form.title for form in forms if form.is_percent]
    others = [form.title for form in forms if not form.is_percent]
    return "; ".join(([f"Percent of {', '.join(shares)}"] if shares else []) + others)


def _cells(
    line: SetLine, models: Sequence[str], baselines: Sequence[str], *, with_metric: bool
) -> Iterator[str]:
    """The cells of a line; in bold the best of those measured, and what does not differ from it."""
    measured = [one for one in (*line.baselines.values(), *line.ours) if one is not None]
    best = max(measured, key=lambda one: one.interval.value).interval
    mark = "*" if line.is_reduced else ""
    yield f"{line.name}{mark}"
    if with_metric:
        yield line.form.title

    def shown(one: MeanResult | None) -> str:
        if one is None:
            return ""
        return one.text if differ(one.interval, best) else f"**{one.text}**"

    for name in baselines:
        yield shown(line.baselines.get(name))
        if not line.ours:
            yield line.baselines[name].range if name in line.baselines else ""
    for one in line.ours:
        yield shown(one)
        yield one.range if one else ""
    for model in models:
        yield f"{line.published[model]:.1f}" if model in line.published else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(name: str, found: Sequence[Row | None], titles: Sequence[str]) -> SetLine:
    """A set of some records."""
    there = [one for one in found if one is not None]
    metric = there[0]["metric"]
    fitted = runs_of_baselines(there)
    baselines = {title: mean_result(runs, metric) for title, runs in fitted.items()}
    models = found[: len(titles)]
    ours = tuple(mean_result(one["runs"], metric) if one else None for one in models)
    said = [one["note"] for one in there if one["note"]]
    strongest = next(reversed(baselines.values()), None)
    for result, who, one in zip(ours, titles, models, strict=True):
        if result and strongest and not differ(result.interval, strongest.interval):
            said.append(f"{who} and the baseline: within their intervals")
        if one and one.get("with_baselines"):
            averaged = mean_result(one["with_baselines"]["runs"], metric)
            said.append(f"{who} averaged with the baselines: {averaged.text}, {averaged.range}")
    results = [one for one in (*baselines.values(), *ours) if one and one.clean_rows is not None]
    if results:
        rows, note = results[0].clean_rows, results[0].clean_note
        said.append(f"{rows:,} of {there[0]['rows']['test']:,} {CLEAN}{note and f'; {note}'}")
    cut = sum(there[0].get("cut", {}).values())
    if cut:
        said.append(f"{cut:,} sequences cut at {there[0]['max_tokens']} tokens")
    others = [_others(runs, metric, title) for title, runs in fitted.items()]
    others += [_others(one["runs"], metric, who) for one, who in zip(models, titles, strict=True) if one]
    notes = tuple(dict.fromkeys(said))
    return SetLine(
        name, metric, baselines, ours, published().get(name, {}), notes, tuple(filter(None, others))
    )


def _sets(records: Sequence[FinetuneRecord] | Sequence[BaselineRecord]) -> list[Row]:
    """All sets of records."""
    return [one for record in records for one in record.sets]


def _others(runs: Sequence[Row], metric: str, who: str) -> str:
    """The mean over runs of all metrics but the set's own; "" of classes, which have tables."""
    if metric in CLASS_METRICS:
        return ""
    said = []
    for name in METRICS:
        if name != metric and all(name in run["test"] for run in runs):
            form = written(name)
            value = form.scale * statistics.fmean(run["test"][name] for run in runs)
            said.append(f"{form.title} {form.text(value)}{' %' if form.is_percent else ''}")
    return f"{who}: {', '.join(said)}"
