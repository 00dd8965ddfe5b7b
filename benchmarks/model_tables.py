"""Tables of small encoders: on sets of GUE, settings, what pre-training adds, scores of substitutions."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.gue_table import completed
from benchmarks.train import RECORDS, newest_record
from genotok.evaluation import results as gue_results
from genotok.evaluation.baselines import BASELINES
from genotok.evaluation.mean_result import mean_result
from genotok.gue import published
from genotok.run_records.schemas import BaselineRecord, FinetuneRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from genotok.run_records.schemas import BenchmarkRecord

__all__ = [
    "coding_markdown",
    "markdown",
    "means",
    "pretraining_markdown",
    "recipe_markdown",
    "speed_markdown",
]

Record = dict[str, Any]

PUBLISHED = ("DNABERT-2", "NT-2500M-multi")


def _records_of(record: Record) -> list[FinetuneRecord]:
    """The models of a record."""
    return [FinetuneRecord.from_json(one) for one in record["records"]]


def _floors_of(records: Sequence[FinetuneRecord], folder: Path = RECORDS) -> list[BaselineRecord]:
    """The newest record of baselines, of the sets of some models; none where there is none."""
    newest = newest_record("baseline", folder)
    names = {one["name"] for record in records for one in record.sets}
    if newest is None or any(one.get("baselines") or one.get("baseline") for one in records[0].sets):
        return []
    found = completed(BaselineRecord.from_json(newest), folder)
    return [replace(found, sets=[one for one in found.sets if one["name"] in names])]


def markdown(record: Record) -> str:
    """The table of a record, with the baselines."""
    records = _records_of(record)
    return gue_results.markdown(records, _floors_of(records))


def means(record: Record) -> str:
    """Means over the sets of a record: models, also averaged with baselines; baselines; published models.

    The models of a record of pre-trained ones are among them.
    """
    records = [*_records_of(record), *_records_of(newest_record("gue-pretrained") or {"records": []})]
    floors = _floors_of(records)
    names = [one["name"] for one in records[0].sets]
    table = [
        [
            f"mean over {len(names)} sets",
            "all rows",
            "clean rows",
            "averaged with the baselines",
            "clean rows",
        ],
        ["---", *["---:"] * 4],
    ]
    for one in records:
        if [row["name"] for row in one.sets] != names:
            continue  # no mean over other sets
        alone = [(row["runs"], row["metric"]) for row in one.sets]
        both = [(row["with_baselines"]["runs"], row["metric"]) for row in one.sets if "with_baselines" in row]
        mixed = _mean(both) if len(both) == len(names) else ["", ""]
        table.append([one.title, *_mean(alone), *mixed])
    for floor in floors:
        for key, title in BASELINES.items():
            parts = [(row["baselines"][key]["runs"], row["metric"]) for row in floor.sets]
            table.append([title, *_mean(parts), "", ""])
    known = published()
    for model in PUBLISHED:
        if all(model in known.get(name, {}) for name in names):
            value = statistics.fmean(known[name][model] for name in names)
            table.append([f"{model}, published", f"{value:.1f}", "", "", ""])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def _mean(parts: Sequence[tuple[Sequence[Record], str]]) -> list[str]:
    """The means over sets of all rows, with the deviation of it over seeds, and of clean rows."""
    found = [mean_result(runs, metric) for runs, metric in parts]
    value = statistics.fmean(one.interval.value for one in found)
    seeds = min(len(runs) for runs, _ in parts)
    spread = ""
    if seeds > 1:
        of_seed = [
            100 * statistics.fmean(runs[seed]["test"][metric] for runs, metric in parts)
            for seed in range(seeds)
        ]
        spread = f" ± {statistics.stdev(of_seed):.1f}"
    clean = [one.clean for one in found if one.clean]
    of_clean = statistics.fmean(one.interval.value for one in clean) if len(clean) == len(found) else None
    return [f"{value:.1f}{spread}", "" if of_clean is None else f"{of_clean:.1f}"]


def recipe_markdown(record: BenchmarkRecord) -> str:
    """The table of a record: settings by their mean on dev, the best first."""
    names = [one["name"] for one in record.cases[0]["sets"]]
    table = [["setting", "mean", *names, "CPU s"], ["---", *["---:"] * (len(names) + 2)]]
    for case in record.cases:
        runs = [run for one in case["sets"] for run in one["runs"]]
        seeds = len(record.provenance.seeds or (1,))
        seconds = sum(run.get("cpu_seconds", run["seconds"]) for run in runs) / seeds
        values = [f"{100 * one['mean']:.1f}" for one in case["sets"]]
        table.append([case["title"], f"{100 * case['mean']:.1f}", *values, f"{seconds:,.0f}"])
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    seeds = ", ".join(map(str, record.provenance.seeds))
    said = f"Percent of the metric on dev, mean over seeds {seeds}; CPU time of a seed on all sets."
    return "\n\n".join([lines, said, *record.caveats])


def pretraining_markdown(record: BenchmarkRecord) -> str:
    """The table of a trial of pre-training: encoders along the way, with means over sets."""
    names = [one["name"] for one in record.cases[0]["sets"]]
    head = [
        "encoder",
        "Mb seen",
        "bits per base",
        "seeds",
        "dev",
        "test",
        "clean rows",
        *(f"{name}, test" for name in names),
    ]
    table = [head, ["---", *["---:"] * (len(head) - 1)]]
    for case in record.cases:
        bits = "" if case["bits_per_base"] is None else f"{case['bits_per_base']:.3f}"
        parts = [(one["runs"], one["metric"]) for one in case["sets"]]
        dev = statistics.fmean(run["dev"][metric] for runs, metric in parts for run in runs)
        each = [mean_result(runs, metric).text for runs, metric in parts]
        seen, seeds = f"{case['bases'] / 1e6:g}", str(len(parts[0][0]))
        table.append([case["encoder"], seen, bits, seeds, f"{100 * dev:.1f}", *_mean(parts), *each])
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    said = "Percent of the metric, mean and deviation over seeds; dev and test are means over sets."
    curves = [
        f"Bits per base of held-out windows, {encoder}: "
        + ", ".join(f"{one['bits_per_base']:.3f} at {one['bases'] / 1e6:g} Mb" for one in points)
        + "."
        for encoder, points in record.more["curves"].items()
    ]
    genomes = f"Genomes: {', '.join(record.more['genomes'])}."
    return "\n\n".join([lines, said, *curves, genomes, *record.caveats])


def _threads(number: int | None) -> str:
    return "all threads" if number is None else f"{number:,} thread{'s' * (number != 1)}"


def coding_markdown(record: BenchmarkRecord) -> str:
    """The table of `benchmarks.coding_variants`: an area for each pair of classes and each score."""
    names = ("all", "same change", "same usage")
    table = [["worse, better", "score", "area", *names[1:]], ["---", "---", "---:", "---:", "---:"]]
    for case in record.cases:
        areas = [
            f"{one['area']:.3f} ({one['low']:.3f}–{one['high']:.3f})" if (one := case.get(name)) else ""
            for name in names
        ]
        table.append([f"{case['worse']}, {case['better']}", case["score"], *areas])
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    numbers = ", ".join(f"{count:,} {kind}" for kind, count in record.more["substitutions"].items())
    said = (
        f"{numbers} substitutions in {record.more['frames']:,} reading frames, windows of "
        f"{record.more['window']:,} bases; {record.more['passes']:,} rows through the model in "
        f"{record.more['seconds']:,.0f} s, {_threads(record.threads)}. In brackets the 95 % interval "
        f"of drawn frames. {100 * record.more['marginal_share']:.0f} % of the substitutions have "
        "candidates for `marginal`."
    )
    return "\n\n".join([lines, said, *record.caveats])


def speed_markdown(record: BenchmarkRecord) -> str:
    """The table of `benchmarks.variants`: variants per second for each preset, beside the naive way."""
    table = [
        ["preset", "variants/s", "rows per variant", "naive, variants/s", "times"],
        ["---", *["---:"] * 4],
    ]
    for case in record.cases:
        rates = case["variants_per_second"], case["naive_variants_per_second"]
        table.append(
            [
                case["preset"],
                f"{rates[0]:,.1f}",
                f"{case['passes_per_variant']:.2f}",
                f"{rates[1]:,.2g}",
                f"{case['times_faster']:,.0f}",
            ]
        )
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    said = (
        f"`pll` of substitutions in *E. coli*, one strand, windows of {record.more['window']:,} bases, 4,096 "
        f"tokens, {_threads(record.threads)}; equal scores asserted first. {record.provenance.date}."
    )
    return "\n\n".join([lines, said, *record.caveats])
