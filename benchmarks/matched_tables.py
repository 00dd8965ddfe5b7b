"""The tables of `docs/tokenizers.md`, from the newest record of the matched trial.

A row for each arm (`genotok.compare.trial`), and below them, where all sets of the trial have been scored,
the predictions of others (`benchmarks.gue_table.given`). Records `DATE-matched-NAME.json` add their arms to
those of the newest `DATE-matched.json`.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.gue_table import given
from benchmarks.train import RECORDS
from genotok.compare.trial import ArmRow, choices, contrasts, trial_rows
from genotok.evaluation.mean_result import mean_result
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from genotok.run_records.schemas import PredictionsRecord

__all__ = [
    "FIGURE",
    "arms",
    "choices_markdown",
    "conditions",
    "contrasts_markdown",
    "sets_markdown",
    "with_others",
]

TERA = 1e-12
FIGURE = "![Mean MCC of the arms against the operations of their training](figures/tokenizers.svg)"
"""What `docs.figures.draw_tokenizers` draws of the record."""


def with_others(record: BenchmarkRecord, folder: Path = RECORDS) -> BenchmarkRecord:
    """A record with the arms of records of others."""
    paths = sorted(folder.glob("*/????-??-??-matched-*.json"))
    cases = [case for path in paths for case in BenchmarkRecord.from_json(read_record(path)).cases]
    return replace(record, cases=[*record.cases, *cases])


def arms(record: BenchmarkRecord, others: Sequence[PredictionsRecord] | None = None) -> str:
    """The arms, the best mean first; equal bases, then equal compute."""
    head = ["arm", "equal", "vocabulary", "tokens per row", "parameters", "TFLOP", "CPU s"]
    head += ["MCC", "95 %", "clean rows", "dev", "changed by shuffling"]
    rows = sorted(trial_rows(record), key=lambda row: (row.equal, -row.mean.interval.value))
    cells = [[row.arm.title, row.equal, *_sizes(row), *_results(row)] for row in rows]
    names = list(rows[0].sets) if rows else []
    cells += [_predicted(one, names) for one in (given() if others is None else others)]
    return _table(head, [one for one in cells if one], words=2)


def _sizes(row: ArmRow) -> list[str]:
    return [
        f"{row.vocab_size:,}",
        f"{row.tokens_per_row:.1f}",
        f"{row.parameters / 1e6:.2f} M",
        f"{TERA * row.operations:.2f}",
        f"{row.seconds:,.0f}",
    ]


def _results(row: ArmRow) -> list[str]:
    return [
        row.mean.text,
        row.mean.range,
        "–" if row.clean is None else f"{row.clean:.1f}",
        f"{row.dev:.1f}",
        "–" if row.shuffled is None else f"{100 * row.shuffled:.1f} %",
    ]


def _predicted(record: PredictionsRecord, names: Sequence[str]) -> list[str]:
    """The row of predictions; empty if they are not of all sets."""
    found = {one["name"]: mean_result(one["runs"], one["metric"]) for one in record.sets}
    results = [found[name] for name in names if name in found]
    if not names or len(results) < len(names):
        return []
    cleans = [one.clean.interval.value for one in results if one.clean]
    clean = f"{statistics.fmean(cleans):.1f}" if len(cleans) == len(results) else "–"
    mean = f"{statistics.fmean(one.interval.value for one in results):.1f}"
    return [record.model, "given", *["–"] * 5, mean, "–", clean, "–", "–"]


def sets_markdown(record: BenchmarkRecord) -> str:
    """Each arm on each set: all rows, then clean rows."""
    rows = sorted(trial_rows(record), key=lambda row: (row.equal, -row.mean.interval.value))
    names = list(rows[0].sets) if rows else []
    cells = []
    for row in rows:
        of_sets = []
        for name in names:
            one = row.sets[name]
            clean = f", {one.clean.interval.value:.1f}" if one.clean else ""
            of_sets.append(f"{one.text}{clean}")
        cells.append([row.arm.title, row.equal, *of_sets])
    return _table(["arm", "equal", *names], cells, words=2)


def choices_markdown(record: BenchmarkRecord) -> str:
    """The arm of each family that is best on dev."""
    head = ["tokens", "base features", "equal", "best on dev", "tokens per row", "TFLOP"]
    head += ["MCC", "95 %", "clean rows"]
    rows = sorted(
        choices(trial_rows(record)), key=lambda row: (row.equal, row.arm.features, -row.mean.interval.value)
    )
    cells = [
        [
            row.arm.family,
            "yes" if row.arm.features else "no",
            row.equal,
            row.arm.tokenizer,
            f"{row.tokens_per_row:.1f}",
            f"{TERA * row.operations:.2f}",
            row.mean.text,
            row.mean.range,
            "–" if row.clean is None else f"{row.clean:.1f}",
        ]
        for row in rows
    ]
    return _table(head, cells, words=4)


def contrasts_markdown(record: BenchmarkRecord) -> str:
    """What each thing changes, over tokenizers."""
    cells = []
    for one in contrasts(trial_rows(record)):
        lowest, highest = (choose(one.changes, key=one.changes.__getitem__) for choose in (min, max))
        cells.append(
            [
                one.name,
                one.equal,
                f"{len(one.changes)}",
                _signed(one.mean),
                f"{_signed(one.changes[lowest])} ({lowest})",
                f"{_signed(one.changes[highest])} ({highest})",
            ]
        )
    head = ["with it, minus without", "equal", "pairs of arms", "mean change", "lowest", "highest"]
    return _table(head, cells, words=2)


def conditions(record: BenchmarkRecord) -> str:
    """What the tables are of, in two sentences, and the caveats."""
    rows, made = trial_rows(record), record.provenance
    config = record.more["config"]
    names = ", ".join(rows[0].sets) if rows else "none"
    said = (
        f"Sets: {names}; seeds: {len(made.seeds)}; at equal bases {config['epochs']} epochs in batches "
        f"of {config['batch']}; reference at equal compute: {record.more['reference']}; {made.date}."
    )
    return "\n".join([said, "", *(f"- {caveat}" for caveat in record.caveats)])


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """A table in Markdown; the first `words` columns are words, the others numbers."""
    aligned = ["---"] * words + ["---:"] * (len(head) - words)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, aligned, *rows))
