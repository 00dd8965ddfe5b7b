"""Tokenizers compared as models, as rows of a table: a column for each tokenizer, figures first, then sets.

Two results are called different only if their intervals have nothing in common, as in `evaluation.results`.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from genotok.evaluation.metrics import Written, differ, written
from genotok.evaluation.results import BOLD, PERCENT, has_metrics, lines, notes, shown_baselines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from genotok.evaluation.results import SetLine
    from genotok.run_records.schemas import ComparisonRecord

__all__ = [
    "ComparisonRow",
    "comparison_columns",
    "comparison_markdown",
    "comparison_notes",
    "comparison_rows",
    "comparison_summary",
]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A row.

    Attributes:
        name: What is measured.
        cells: A text for each tokenizer, and for each baseline at the end, "" where there is none.
        values: The same as numbers, None where there is none.
        best: Places of the best; several if intervals say that they do not differ from it.
        is_set: Whether it is a set of labelled sequences.
        form: How its values are written, if it is.
    """

    name: str
    cells: tuple[str, ...]
    values: tuple[float | None, ...]
    best: frozenset[int] = frozenset()
    is_set: bool = False
    form: Written = field(default_factory=lambda: written("mcc"))


FIGURES: tuple[tuple[str, Callable[[Mapping[str, Any]], float | None], str], ...] = (
    ("tokens in the vocabulary", lambda one: one["vocab_size"], "{:,}"),
    ("tokens of a window", lambda one: one["pretrain"]["tokens_per_window"], "{:.1f}"),
    ("parameters, million", lambda one: one["pretrain"]["parameters"] / 1e6, "{:.2f}"),
    ("pre-training, Mbp", lambda one: _scaled(one["pretrain"].get("bases"), 1e-6), "{:,.1f}"),
    ("pre-training, TFLOP", lambda one: _scaled(one["pretrain"].get("operations"), 1e-12), "{:,.2f}"),
    ("pre-training, s", lambda one: one["pretrain"]["seconds"], "{:,.0f}"),
    ("bits per base", lambda one: _bits(one, "eval_bits_per_base"), "{:.3f}"),
    ("unigram baseline", lambda one: _bits(one, "eval_unigram_bits_per_base"), "{:.3f}"),
    ("masked-token accuracy", lambda one: PERCENT * one["pretrain"]["eval_accuracy"], "{:.1f} %"),
    ("fine-tuning, TFLOP", lambda one: _scaled(_operations(one), 1e-12), "{:,.2f}"),
    ("fine-tuning, s", lambda one: sum(_seconds(one)), "{:,.0f}"),
    ("calls changed by shuffling", lambda one: _mean_share(one.get("shuffled", {})), "{:.1f} %"),
)


def comparison_columns(record: ComparisonRecord) -> list[str]:
    """The titles of the columns: the tokenizers, then the baselines."""
    names = [str(one["name"]) for one in record.tokenizers]
    return [*names, *shown_baselines(lines(record.results()))]


def comparison_rows(record: ComparisonRecord) -> list[ComparisonRow]:
    """The rows of a comparison: figures of the encoders, each set, the mean over sets."""
    tokenizers = record.tokenizers
    measured = lines(record.results())
    fitted = shown_baselines(measured)
    found = []
    for name, figure, form in FIGURES:
        values = [figure(one) for one in tokenizers]
        if not any(value is not None for value in values):
            continue  # records of earlier versions lack it
        cells = ("–" if value is None else form.format(value) for value in values)
        found.append(ComparisonRow(name, (*cells, *[""] * len(fitted)), (*values, *[None] * len(fitted))))
    with_metric = has_metrics(measured)
    for line in measured:
        found.append(_set_row(line, fitted, with_metric=with_metric))
        if line.clean:  # means are of all rows
            found.append(replace(_set_row(line.clean, fitted, with_metric=with_metric), is_set=False))
    forms = {line.form for line in measured}
    if len(forms) > 1 and not all(form.is_percent for form in forms):
        return found  # there is no mean of metrics in other units
    columns = list(zip(*(row.values for row in found if row.is_set), strict=True))
    means = [None if None in column else statistics.fmean(column) for column in columns]
    unit = next(iter(forms))
    texts = ["" if mean is None else unit.text(mean) for mean in means]
    top = max((mean for mean in means if mean is not None), default=None)
    best = frozenset(
        place for place, text in enumerate(texts) if text and top is not None and text == unit.text(top)
    )
    return [*found, ComparisonRow("mean over sets", tuple(texts), tuple(means), best)]


def comparison_summary(record: ComparisonRecord) -> str:
    """Which tokenizer is ahead, and how often beyond the intervals."""
    names = [one["name"] for one in record.tokenizers]
    rows = [row for row in comparison_rows(record) if row.is_set]
    ahead = dict.fromkeys(names, 0)
    clear = dict.fromkeys(names, 0)
    level: dict[str, int] = {}
    for row in rows:
        of_models = enumerate(row.values[: len(names)])
        ours = {place: value for place, value in of_models if value is not None}
        if not ours:
            continue
        shown = row.form.text(max(ours.values()))
        first = [place for place, value in ours.items() if row.form.text(value) == shown]
        if len(first) > 1:
            tied = " and ".join(names[place] for place in first)
            level[tied] = level.get(tied, 0) + 1
            continue
        ahead[names[first[0]]] += 1
        clear[names[first[0]]] += row.best & ours.keys() == set(first)
    said = [
        f"{name} on {count}, of which {clear[name]} beyond the intervals of all others"
        for name, count in ahead.items()
        if count
    ]
    said += [f"{tied} level on {count}" for tied, count in level.items()]
    return f"Ahead on {len(rows)} set{'s' if len(rows) != 1 else ''}: {'; '.join(said)}."


def comparison_notes(record: ComparisonRecord) -> list[str]:
    """What to know before two columns are compared."""
    config, seeds = record.pretrain, record.provenance.seeds
    what = (
        f"{config['encoder']}, pre-trained by {config['steps']:,} steps of {config['batch']} windows of "
        f"{record.window} bases, {record.bases / 1e6:.1f} Mbp in all; fine-tuned with "
        f"{len(seeds)} seed{'s' if len(seeds) != 1 else ''}."
    )
    about = notes(record.results()[:1])
    return [what, *record.caveats, about[0], *about[2:]]


def comparison_markdown(record: ComparisonRecord) -> str:
    """The table, what it says, and its notes, as Markdown."""
    head = ["", *comparison_columns(record)]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in comparison_rows(record):
        marked = (f"**{cell}**" if place in row.best else cell for place, cell in enumerate(row.cells))
        rows.append([row.name, *marked])
    said = [comparison_summary(record), BOLD, *comparison_notes(record)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join([table, *said])


def _set_row(line: SetLine, baselines: Sequence[str], *, with_metric: bool) -> ComparisonRow:
    """A set; baselines come last."""
    results = [*line.ours, *(line.baselines.get(name) for name in baselines)]
    there = [one for one in results if one is not None]
    top = max(there, key=lambda one: one.interval.value)
    best = frozenset(
        place
        for place, one in enumerate(results)
        if one is not None and not differ(one.interval, top.interval)
    )
    cells = tuple("" if one is None else one.text for one in results)
    values = tuple(None if one is None else one.interval.value for one in results)
    name = f"{line.name}{'*' if line.is_reduced else ''}" + (f", {line.form.title}" if with_metric else "")
    return ComparisonRow(name, cells, values, best, is_set=True, form=line.form)


def _bits(one: Mapping[str, Any], figure: str) -> float | None:
    """Bits per base; none of tokens that overlap, where a base is predicted several times."""
    return None if one["overlap_bases"] else float(one["pretrain"][figure])


def _scaled(value: float | None, scale: float) -> float | None:
    """A figure in other units."""
    return None if value is None else scale * value


def _operations(one: Mapping[str, Any]) -> float | None:
    """The operations of all runs of fine-tuning; None if that is not recorded."""
    found = [run.get("operations") for each in one["finetune"]["sets"] for run in each["runs"]]
    return None if None in found else float(sum(found))


def _mean_share(shuffled: Mapping[str, float | None]) -> float | None:
    """The mean over sets of the share of dev rows whose class changes, in percent."""
    shares = [share for share in shuffled.values() if share is not None]
    return PERCENT * statistics.fmean(shares) if shares else None


def _seconds(one: Mapping[str, Any]) -> list[float]:
    """Of each run of fine-tuning."""
    return [run["seconds"] for found in one["finetune"]["sets"] for run in found["runs"]]
