"""The table of GUE: baselines of the newest record beside every published result, and predictions of others.

    genotok baseline GUE/ -o baselines                      # results.json is the record of kind `baseline`
    genotok evaluate GUE/ --predictions mine --name NAME --json    # a record of kind `predictions`

Both kinds stand in `benchmarks/record/`. Sets that the newest record lacks, because they were run apart or
because one file would be too large, have a record of their own,
`DATE-baseline-further-sets.json`. `rows` is what the table and the figure share.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from benchmarks.train import RECORDS, newest_record
from genotok.evaluation.baselines import BASELINES
from genotok.evaluation.mean_result import MeanResult, mean_result
from genotok.gue import GueSet, gue_sets, published
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import BaselineRecord, PredictionsRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "COMPLETE",
    "Row",
    "completed",
    "costs",
    "differences",
    "figures_of",
    "given",
    "markdown",
    "rows",
]

REDUCED = "trained on 85 % of dev"
COMPLETE = ("mouse_0", "mouse_2", "mouse_4", "human_tf_0", "human_tf_2", "prom_core_tata", "prom_300_tata")
"""The complete sets of the page on models, over which means are compared."""
AVERAGE = BASELINES["average"]
CNN = ("CNN, CPU s per seed", "epochs", "chosen")
TITLES = [title.removesuffix(" baseline") for title in BASELINES.values()]


@dataclass(frozen=True, slots=True)
class Row:
    """A set.

    Attributes:
        known: The set.
        baselines: The result of each baseline by title; empty if there is none.
        clean: The averaged baseline on clean rows; None if that was not measured, or they are too few.
        clean_rows: Clean rows of test; None if that is not known.
        is_reduced: Whether baselines were trained on a part of dev.
        published: Each model's published result.
        given: The result of each record of predictions, by its name.
    """

    known: GueSet
    baselines: dict[str, MeanResult] = field(default_factory=dict)
    clean: MeanResult | None = None
    clean_rows: int | None = None
    is_reduced: bool = False
    published: dict[str, float] = field(default_factory=dict)
    given: dict[str, MeanResult] = field(default_factory=dict)


def given(folder: Path = RECORDS) -> list[PredictionsRecord]:
    """The records of predictions of others."""
    paths = sorted(folder.glob("*/*-predictions*.json"))
    return [PredictionsRecord.from_json(read_record(path)) for path in paths]


def completed(record: BaselineRecord, folder: Path = RECORDS) -> BaselineRecord:
    """A record with the sets that it lacks, from the newest one of further sets; all in the order of GUE."""
    further = newest_record("baseline-further-sets", folder)
    others = BaselineRecord.from_json(further).sets if further else ()
    there = {one["name"] for one in record.sets}
    places = {known.name: place for place, known in enumerate(gue_sets())}
    sets = [*record.sets, *(one for one in others if one["name"] not in there)]
    return replace(record, sets=sorted(sets, key=lambda one: places[one["name"]]))


def rows(record: BaselineRecord, others: Sequence[PredictionsRecord] = ()) -> list[Row]:
    """All sets with published results, in the order of GUE."""
    fitted = {str(one["name"]): one for one in record.sets}
    known = published()
    return [
        _row(one, fitted.get(one.name), known[one.name], others) for one in gue_sets() if one.name in known
    ]


def _row(
    known: GueSet,
    one: Mapping[str, Any] | None,
    results: dict[str, float],
    others: Sequence[PredictionsRecord],
) -> Row:
    """A set, with its baselines if it has any."""
    found = {
        other.model: mean_result(each["runs"], each["metric"])
        for other in others
        for each in other.sets
        if each["name"] == known.name
    }
    if one is None:
        return Row(known, published=results, given=found)
    metric, fitted = one["metric"], one["baselines"]
    parts = [run["test"].get("clean") or {} for run in fitted["average"]["runs"]]
    is_measured = all(metric in part for part in parts)
    return Row(
        known,
        {title: mean_result(fitted[key]["runs"], metric) for key, title in BASELINES.items()},
        mean_result([{"test": part} for part in parts], metric) if is_measured else None,
        parts[0].get("rows"),
        REDUCED in one["note"],
        results,
        found,
    )


def markdown(record: BaselineRecord, others: Sequence[PredictionsRecord] = ()) -> str:
    """The table, its means, and what it says of the complete sets."""
    found = rows(record, others)
    models = _models(found)
    has_clean = any(row.clean_rows is not None for row in found)
    clean = ["clean rows", "averaged, clean rows", "95 %"] if has_clean else []
    names = list(dict.fromkeys(name for row in found for name in row.given))
    head = ["set", *TITLES, "95 %", *clean, *names, *models]
    table = [head, ["---", *["---:"] * (len(head) - 1)]]
    table += [_cells(row, models, names, has_clean=has_clean) for row in found]
    complete = [row for row in found if row.baselines and not row.is_reduced]
    if len(complete) > 1:
        table.append(_means(complete, models, names, has_clean=has_clean))
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    return "\n\n".join(["\n".join(lines), *_said(record, found)])


def _models(found: Sequence[Row]) -> list[str]:
    """The published models, the best on average first."""
    models = found[0].published
    return sorted(models, key=lambda model: -statistics.fmean(row.published[model] for row in found))


def _cells(row: Row, models: Sequence[str], names: Sequence[str], *, has_clean: bool) -> list[str]:
    """A line of the table; measured results that are above all published ones are bold."""
    best = max(row.published.values())

    def shown(one: MeanResult | None) -> str:
        if one is None:
            return ""
        return f"**{one.text}**" if one.interval.value > best and not row.is_reduced else one.text

    def on_both(one: MeanResult | None) -> str:
        return f"{shown(one)}; clean {one.clean.text}" if one and one.clean else shown(one)

    average = row.baselines.get(AVERAGE)
    clean = [
        "" if row.clean_rows is None else f"{row.clean_rows:,}",
        row.clean.text if row.clean else "",
        row.clean.range if row.clean else "",
    ]
    return [
        f"{row.known.name}{'*' if row.is_reduced else ''}",
        *(shown(row.baselines.get(title)) for title in BASELINES.values()),
        average.range if average else "",
        *(clean if has_clean else ()),
        *(on_both(row.given.get(name)) for name in names),
        *(f"{row.published[model]:.1f}" for model in models),
    ]


def _means(
    found: Sequence[Row], models: Sequence[str], names: Sequence[str], *, has_clean: bool
) -> list[str]:
    """The means over complete sets; of a column that lacks a set there is none."""
    clean = ["", _mean(row.clean for row in found), ""] if has_clean else []
    return [
        f"mean of {len(found)} complete sets",
        *(_mean(row.baselines[title] for row in found) for title in BASELINES.values()),
        "",
        *clean,
        *(_mean(row.given.get(name) for row in found) for name in names),
        *(f"{statistics.fmean(row.published[model] for row in found):.1f}" for model in models),
    ]


def _mean(results: Iterable[MeanResult | None]) -> str:
    """The mean; "" if one is missing."""
    there = list(results)
    values = [one.interval.value for one in there if one is not None]
    return f"{statistics.fmean(values):.1f}" if len(values) == len(there) else ""


def _said(record: BaselineRecord, found: Sequence[Row]) -> list[str]:
    """What the table says, and what it is made of."""
    said = []
    seven = [row for row in found if row.known.name in COMPLETE and row.baselines and not row.is_reduced]
    if len(seven) > 1:
        means = [
            f"{name} {_mean(row.baselines[title] for row in seven)}"
            for title, name in (
                (AVERAGE, "averaged baseline"),
                (BASELINES["cnn"], "CNN"),
                (BASELINES["kmers"], "k-mers"),
            )
        ]
        means += [
            f"{model} {statistics.fmean(row.published[model] for row in seven):.1f}"
            for model in ("DNABERT-2", "NT-2500M-multi")
        ]
        said.append(f"Mean over {', '.join(row.known.name for row in seven)}: {'; '.join(means)}.")
    seeds: dict[int, list[str]] = {}
    for one in record.sets:
        seeds.setdefault(len(one["baselines"]["cnn"]["runs"]), []).append(one["name"])
    of_seeds = f"{next(iter(seeds))} per set"
    if len(seeds) > 1:
        of_seeds = "; ".join(f"{number}: {', '.join(names)}" for number, names in sorted(seeds.items()))
    said.append(
        "Percent of MCC, of covid macro F1; baselines: mean and deviation over seeds "
        f"({of_seeds}), then the mean 95 % bootstrap interval of the test split. "
        "Bold: above every published result. *: train is missing, and baselines were trained on 85 % of dev, "
        "a ninth of the data; they cannot be compared with published results."
    )
    return said


def differences(record: BaselineRecord) -> str:
    """By how much each baseline is lower or higher on clean rows, as Markdown; most shared rows first."""
    table = [["set", "test rows", "not clean", *(f"{title}, all and clean" for title in TITLES), "averaged"]]
    table.append(["---", *["---:"] * (len(table[0]) - 1)])
    found = [one for one in map(_difference, record.sets) if one is not None]
    found.sort(key=lambda one: -one[0])
    reduced = [cells for share, cells in found if cells[0].endswith("*")]
    said = "; ".join(f"{cells[0].rstrip('*')} {cells[-1]}" for cells in reduced)
    table += [cells for _, cells in found]
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    note = "Percent of MCC, mean over seeds; the last column is the change from all rows to clean rows."
    trained = f" *: trained on 85 % of dev; the averaged baseline changes by: {said}." if reduced else ""
    return f"{lines}\n\n{note}{trained}"


def _difference(one: Mapping[str, Any]) -> tuple[float, list[str]] | None:
    """The share of test rows that are not clean, and the cells of a set; None if that was not measured."""
    results = [mean_result(one["baselines"][key]["runs"], one["metric"]) for key in BASELINES]
    clean_rows, rows = results[0].clean_rows, one["rows"]["test"]
    pairs = [(each.interval.value, each.clean.interval.value) for each in results if each.clean]
    if clean_rows is None or len(pairs) < len(results):
        return None
    share = 1 - clean_rows / rows
    change = f"{round(pairs[-1][1] - pairs[-1][0], 1) + 0:+.1f}".replace("-", "\N{MINUS SIGN}")
    both = [f"{value:.1f}, {clean:.1f}" for value, clean in pairs]
    mark = "*" if REDUCED in one["note"] else ""
    return share, [f"{one['name']}{mark}", f"{rows:,}", f"{share:.1%}", *both, change]


def costs(record: BaselineRecord) -> str:
    """What each baseline chose on dev and what it took, as Markdown."""
    table = [
        ["set", "train rows", "strands", "k-mers, s", "C", "seeds", *CNN, "weight of CNN"],
        ["---", "---:", "---", "---:", "---:", "---:", "---:", "---:", "---", "---"],
    ]
    for one in record.sets:
        kmers, cnn, average = (one["baselines"][key] for key in BASELINES)
        fitted = kmers["runs"][0]
        runs = cnn["runs"]
        table.append(
            [
                one["name"],
                f"{one['rows']['train']:,}",
                ("one" if kmers["stranded"] else "both") + (", places" if cnn["aligned"] else ""),
                f"{fitted['seconds']:,.0f}",
                f"{fitted['penalty']:g}",
                f"{len(runs)}",
                f"{statistics.fmean(run['cpu_seconds'] for run in runs):,.0f}",
                f"{runs[0]['epochs']}",
                ", ".join(str(run["epoch"]) for run in runs),
                ", ".join(f"{run['weight_of_cnn']:g}" for run in average["runs"]),
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def figures_of(result: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """What a record of a trial keeps of a result on test: of all rows, and of clean ones."""
    wanted = (metric, "low", "high", "rows", "note")
    found = {key: result[key] for key in wanted if key in result}
    clean = result.get("clean")
    return found | ({"clean": {key: clean[key] for key in wanted if key in clean}} if clean else {})
