"""The 36 sets of the Genome Understanding Evaluation: what each is, and what was published about it.

Sizes and lengths are those of the released files, settings those of the published fine-tuning scripts
(learning rate 3e-5, weight decay 0.01, global batch 32), results those of the figures in DNABERT-2's
repository. Where sources contradict each other, a set's note says so. Of GUE+ (the last eight) no settings,
and no results of single sets, were published.

Sources: Zhou et al., DNABERT-2, ICLR 2024 (arXiv 2306.15006v2), and the repository MAGICS-LAB/DNABERT_2.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from genotok.errors import ArgumentError

__all__ = ["DIAMOND", "PAPER", "GueMetric", "GueSet", "Published", "gue_set", "gue_sets", "published"]

PAPER = "DNABERT-2"
DIAMOND = "DNABERT-2-diamond"

GueMetric = Literal["mcc", "f1"]
"""What results of the 36 sets are in, as `genotok.evaluation.metrics` has it."""


@dataclass(frozen=True, slots=True)
class Published:
    """The settings that the paper's results were made with.

    Attributes:
        max_tokens: Longer sequences were cut, special tokens included.
        epochs: Passes over train.
        max_steps: Steps at most; None for no limit.
        warmup: Steps of rising learning rate.
        batch: Sequences of a step, over all devices.
    """

    max_tokens: int
    epochs: int
    max_steps: int | None
    warmup: int
    batch: int
    learning_rate: float = 3e-5
    weight_decay: float = 0.01


@dataclass(frozen=True, slots=True)
class GueSet:
    """One set.

    Attributes:
        name: Its name here, such as `emp_H3`.
        suite: GUE, or GUE+ for the eight of long sequences.
        task: The task it belongs to, of nine.
        species: Whose sequences.
        classes: How many; None where sources contradict each other.
        bases: Length of its sequences.
        rows: Rows of train, dev and test; None where nobody says.
        metric: What its results are in.
        folder: Its folder in the official layout.
        pairs: Whether a row has two sequences.
        settings: How the paper fine-tuned on it; None where nobody says.
        note: Where sources contradict each other, or what to know; "" if nothing.
    """

    name: str
    suite: str
    task: str
    species: str
    classes: int | None
    bases: int
    rows: tuple[int | None, int | None, int | None]
    metric: GueMetric
    folder: str
    pairs: bool
    settings: Published | None
    note: str


@cache
def gue_sets() -> tuple[GueSet, ...]:
    """All 36, those of a task together."""
    return tuple(_set(row) for row in _table("sets.tsv"))


def gue_set(name: str) -> GueSet:
    """The set called `name`.

    Raises:
        ArgumentError: There is none.
    """
    for found in gue_sets():
        if found.name == name:
            return found
    raise ArgumentError(f"{name}: no set of GUE has this name; genotok gue list shows them")


@cache
def published() -> dict[str, dict[str, float]]:
    """For each of the 28 sets of GUE the published result of each model, in percent of its metric."""
    return {
        row.pop("dataset"): {model: float(value) for model, value in row.items()}
        for row in _table("published.tsv")
    }


def _set(row: dict[str, str]) -> GueSet:
    """A row of the table."""
    return GueSet(
        name=row["name"],
        suite=row["suite"],
        task=row["task"],
        species=row["species"],
        classes=_number(row["classes"]),
        bases=int(row["bases"]),
        rows=(_number(row["train"]), _number(row["dev"]), _number(row["test"])),
        metric=cast("GueMetric", row["metric"]),
        folder=row["folder"],
        pairs=row["name"].startswith("EPI_"),
        settings=_settings(row) if row["max_tokens"] else None,
        note=row["note"],
    )


def _settings(row: dict[str, str]) -> Published:
    """The settings in a row of the table."""
    return Published(
        max_tokens=int(row["max_tokens"]),
        epochs=int(row["epochs"]),
        max_steps=_number(row["max_steps"]),
        warmup=int(row["warmup"]),
        batch=int(row["batch"]),
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _table(name: str) -> list[dict[str, str]]:
    """The rows of a table that comes with the package."""
    text = files("genotok.gue").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))
