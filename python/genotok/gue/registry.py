"""The 36 sets of the Genome Understanding Evaluation, with published settings and results.

Sizes and lengths are those of the released files, settings those of the published fine-tuning scripts
(learning rate 3e-5, weight decay 0.01, global batch 32), results those of the figures in DNABERT-2's
repository. Where sources contradict each other, a set's note says so. For GUE+ (the last eight sets) no
settings, and no results of single sets, were published.

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
"""The metrics of the 36 sets, by their name in `genotok.evaluation.metrics`."""


ALIGNED_TASKS = frozenset({"Promoter Detection", "Core Promoter Detection", "Splice Site Prediction"})
"""Tasks whose sequences are cut around a site, on the strand of the gene."""


@dataclass(frozen=True, slots=True)
class Published:
    """The settings of the paper's results.

    Attributes:
        max_tokens: Maximum tokens of a sequence, special tokens included; longer ones were cut.
        epochs: Passes over train.
        max_steps: Limit on the steps; None for no limit.
        warmup: Steps of rising learning rate.
        batch: Sequences per step, over all devices.
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
        name: Its name, such as `emp_H3`.
        suite: GUE, or GUE+ for the eight sets of long sequences.
        task: Its task, one of nine.
        species: The species of its sequences.
        classes: Number of classes; None where sources contradict each other.
        bases: Length of its sequences.
        rows: Number of rows of train, dev and test; None if not published.
        metric: The metric of its results.
        folder: Its folder in the official layout.
        pairs: Whether a row has two sequences.
        settings: The settings of the paper; None if not published.
        note: Contradictions of the sources, and caveats; "" for none.
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

    @property
    def is_stranded(self) -> bool:
        """Whether all its sequences are of one strand, that of a gene."""
        return self.task in ALIGNED_TASKS

    @property
    def is_aligned(self) -> bool:
        """Whether a place means the same in all its sequences, as in windows around a site."""
        return self.task in ALIGNED_TASKS


@cache
def gue_sets() -> tuple[GueSet, ...]:
    """All 36 sets, ordered by task."""
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
    """The published results of each of the 28 sets of GUE: the metric of each model, in percent."""
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
