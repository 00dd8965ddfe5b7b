"""The matched trial: arms that differ in tokenizer, base features and attention, each trained alike.

An arm is a setting of `genotok finetune` without a model; `benchmarks/matched.py` runs arms on labelled sets,
at equal bases (the same rows for the same epochs) and at equal compute (as many floating-point operations as
the reference arm). Its record has a case for each arm and each of these two; here cases become rows of a
table, and rows become answers:

- `choices`: of each family of tokenizers the arm that is best on dev, with its result on test;
- `contrasts`: the mean change of a metric between arms that differ in one thing only.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genotok.evaluation.mean_result import MeanResult, mean_result
from genotok.evaluation.metrics import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from genotok.run_records.schemas import BenchmarkRecord

__all__ = ["Arm", "ArmRow", "Contrast", "choices", "contrasts", "trial_rows"]

PERCENT = 100.0
FAMILIES = {
    "BPE": "byte pairs",
    "patches": "fixed patches",
    "overlapping": "overlapping k-mers",
    "bases": "single bases",
}
"""The first word of a tokenizer's name, and what its family is called."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What an arm is.

    Attributes:
        tokenizer: Its tokenizer in words, such as "BPE 512" or "patches of 5".
        features: Whether it sees the bases under its tokens.
        identities: Whether tokens have embeddings of their own.
        alibi: The form of the ALiBi bias.
        layers: Whether it has layers; without them it reads a bag of token vectors.
    """

    tokenizer: str
    features: bool
    identities: bool = True
    alibi: str = "symmetric"
    layers: bool = True

    @property
    def family(self) -> str:
        """The kind of tokenizer, in words."""
        return FAMILIES.get(self.tokenizer.split()[0], self.tokenizer)

    @property
    def title(self) -> str:
        """Such as "BPE 512 + features, no identities"."""
        said = [
            "" if self.identities else "no identities",
            "" if self.alibi == "symmetric" else self.alibi,
            "" if self.layers else "no layers",
        ]
        return ", ".join([self.tokenizer + " + features" * self.features, *filter(None, said)])


@dataclass(frozen=True, slots=True)
class ArmRow:
    """The results of an arm.

    Attributes:
        arm: What it is.
        equal: "bases" or "compute".
        sets: The result on each set, with that on clean rows.
        mean: The mean over sets, its deviation over seeds, and its interval, the sets being independent.
        clean: The mean over sets on clean rows; None if a set has none.
        dev: The mean over sets and seeds on dev.
        vocab_size: Tokens of the vocabulary, on the first set.
        tokens_per_row: The mean over sets.
        parameters: That are trained, on the first set.
        operations: Of training on all sets with one seed.
        seconds: CPU time of the same.
        shuffled: Share of dev rows whose class changes when tokens are shuffled, mean over sets; None if that
            was not measured.
    """

    arm: Arm
    equal: str
    sets: dict[str, MeanResult]
    mean: MeanResult
    clean: float | None
    dev: float
    vocab_size: int
    tokens_per_row: float
    parameters: int
    operations: float
    seconds: float
    shuffled: float | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """The change of a metric between arms that differ in one thing.

    Attributes:
        name: The thing.
        equal: "bases" or "compute".
        changes: In percent of the metric, with it minus without it, by tokenizer.
    """

    name: str
    equal: str
    changes: dict[str, float]

    @property
    def mean(self) -> float:
        """The mean over tokenizers."""
        return statistics.fmean(self.changes.values())


def trial_rows(record: BenchmarkRecord) -> list[ArmRow]:
    """The rows of a record; arms that lack a set are left out, as their means would be of other sets."""
    names = {one["name"] for case in record.cases for one in case["sets"]}
    rows = [_row(case) for case in record.cases if {one["name"] for one in case["sets"]} == names]
    if any(row.equal == "compute" for row in rows):  # the reference is its own equal
        reference = [row for row in rows if row.arm.title == record.more.get("reference")]
        rows += [replace(row, equal="compute") for row in reference if row.equal == "bases"]
    return rows


def _row(case: Mapping[str, Any]) -> ArmRow:
    sets = case["sets"]
    found = {str(one["name"]): mean_result(one["runs"], one["metric"]) for one in sets}
    cleans = [one.clean for one in found.values()]
    measured = [one["shuffled"] for one in sets]
    return ArmRow(
        arm=Arm(**case["arm"]),
        equal=case["equal"],
        sets=found,
        mean=_mean(sets, found),
        clean=None if None in cleans else statistics.fmean(one.interval.value for one in cleans if one),
        dev=PERCENT * statistics.fmean(map(_dev, sets)),
        vocab_size=sets[0]["vocab_size"],
        tokens_per_row=statistics.fmean(one["tokens_per_row"] for one in sets),
        parameters=sets[0]["parameters"],
        operations=sum(_over_runs(one, lambda run: run["operations"]) for one in sets),
        seconds=sum(_over_runs(one, lambda run: run["cpu_seconds"]) for one in sets),
        shuffled=None if None in measured else statistics.fmean(measured),
    )


def _dev(one: Mapping[str, Any]) -> float:
    """The mean of a set's metric on dev over its runs."""
    return statistics.fmean(run["dev"][one["metric"]] for run in one["runs"])


def _over_runs(one: Mapping[str, Any], figure: Callable[[Any], float]) -> float:
    """The mean of a figure over the runs of a set."""
    return statistics.fmean(map(figure, one["runs"]))


def _mean(sets: Sequence[Mapping[str, Any]], found: Mapping[str, MeanResult]) -> MeanResult:
    """The mean over sets, with its deviation over seeds."""
    results = list(found.values())
    value = statistics.fmean(one.interval.value for one in results)
    below = math.hypot(*(one.interval.value - one.interval.low for one in results)) / len(results)
    above = math.hypot(*(one.interval.high - one.interval.value for one in results)) / len(results)
    seeds = min(len(one["runs"]) for one in sets)
    of_seeds = [
        statistics.fmean(
            one.form.scale * each["runs"][seed]["test"][each["metric"]]
            for one, each in zip(results, sets, strict=True)
        )
        for seed in range(seeds)
    ]
    return replace(
        results[0],
        interval=Interval(value, value - below, value + above),
        deviation=statistics.stdev(of_seeds) if seeds > 1 else None,
        seeds=seeds,
        clean=None,
    )


def choices(rows: Sequence[ArmRow]) -> list[ArmRow]:
    """For each family of tokenizers, with and without base features, the arm that is best on dev.

    Arms without layers, without identities of tokens or with directional attention are no candidates, so that
    families are compared by their tokens.
    """
    best: dict[tuple[str, str, bool], ArmRow] = {}
    for row in rows:
        arm = row.arm
        if arm != Arm(arm.tokenizer, arm.features):
            continue
        key = (row.equal, arm.family, arm.features)
        if key not in best or row.dev > best[key].dev:
            best[key] = row
    return list(best.values())


def contrasts(rows: Sequence[ArmRow]) -> list[Contrast]:
    """What each thing changes on test, over the tokenizers that have both arms."""
    means = {(row.equal, row.arm): row.mean.interval.value for row in rows}
    found = []
    for name, without in CONTRASTS.items():
        for equal in dict.fromkeys(row.equal for row in rows):
            changes = {}
            for (of, arm), value in means.items():
                other = means.get((equal, without(arm)))
                if of == equal and other is not None and without(arm) != arm:
                    changes[arm.title] = value - other
            if changes:
                found.append(Contrast(name, equal, changes))
    return found


CONTRASTS: dict[str, Callable[[Arm], Arm]] = {
    "base features": lambda arm: replace(arm, features=False),
    "identities of tokens": lambda arm: replace(arm, identities=False),
    "directional attention": lambda arm: replace(arm, alibi="symmetric"),
    "layers": lambda arm: replace(arm, layers=False),
}
"""What an arm has, and the same arm without it."""
