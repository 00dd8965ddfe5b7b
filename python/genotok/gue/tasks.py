"""Data sets by folder: a folder with splits, or the sets of GUE below one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genotok.corpus.verdict import BASES, MAX_UNKNOWN
from genotok.errors import ArgumentError
from genotok.gue.registry import GueSet, gue_set, gue_sets
from genotok.gue.splits import has_test, read_splits
from genotok.options.learning import LabelOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Unpack

    from genotok.gue.files import LabelledSplit
    from genotok.gue.labels import Labels, ProblemType
    from genotok.options.learning import LabelKeywords

__all__ = ["MAIN_METRIC", "Task", "TaskMetric", "find_tasks"]

TaskMetric = Literal["mcc", "f1", "pearson", "map"]
"""The main metrics of tasks, by their name in `genotok.evaluation.metrics`."""

MAIN_METRIC: dict[ProblemType, TaskMetric] = {
    "classification": "mcc",
    "regression": "pearson",
    "multilabel": "map",
}
"""The main metrics of custom sets."""


@dataclass(frozen=True, slots=True)
class Task:
    """A data set of labelled sequences.

    Attributes:
        name: Its name in GUE, or that of the folder.
        folder: The folder of its splits.
        known: Its entry in GUE; None for a custom set.
        problem_type: The type of its labels; None to infer it.
        label: Name of the column of labels; None for `label`.
        sequences: Names of the columns of sequences; empty for the usual names.
    """

    name: str
    folder: Path
    known: GueSet | None
    problem_type: ProblemType | None = None
    label: str | None = None
    sequences: tuple[str, ...] = ()

    def metric_of(self, labels: Labels) -> TaskMetric:
        """Its main metric."""
        return self.known.metric if self.known else MAIN_METRIC[labels.type]

    @property
    def metric(self) -> TaskMetric:
        """Its main metric if its labels are classes."""
        return self.known.metric if self.known else MAIN_METRIC["classification"]

    def read(
        self, known: bytes = BASES, allow_unknown: float = MAX_UNKNOWN
    ) -> tuple[dict[str, LabelledSplit], Labels]:
        """Its splits and labels; arguments and errors are those of `read_splits`."""
        return read_splits(
            self.folder,
            classes=self.classes,
            problem_type=self.problem_type,
            label=self.label,
            sequences=self.sequences,
            known=known,
            allow_unknown=allow_unknown,
        )

    def is_stranded(self, declared: bool | None = None) -> bool:
        """Whether its sequences are of one strand: as declared, or as known of a set of GUE, or not."""
        return self.known is not None and self.known.is_stranded if declared is None else declared

    def is_aligned(self, declared: bool | None = None) -> bool:
        """Whether a place means the same in all its sequences; as `is_stranded`."""
        return self.known is not None and self.known.is_aligned if declared is None else declared

    def facts(self, splits: dict[str, LabelledSplit], labels: Labels, note: str) -> dict[str, Any]:
        """What records of runs state of the set: its labels, rows of its splits, and a note on them."""
        return {
            "name": self.name,
            "task": self.known.task if self.known else "",
            "metric": self.metric_of(labels),
            "problem_type": labels.type,
            "classes": [] if labels.type == "regression" else list(labels.names),
            "counts": {name: labels.counts(split.labels) for name, split in splits.items()},
            "rows": {name: len(split) for name, split in splits.items()},
            "note": note,
        }

    @property
    def classes(self) -> int | None:
        """The number of its classes, if known before its files are read."""
        return self.known.classes if self.known else None


def find_tasks(
    places: Sequence[str | os.PathLike[str]],
    names: Sequence[str] = (),
    labels: LabelOptions | None = None,
    **keywords: Unpack[LabelKeywords],
) -> list[Task]:
    """The sets in folders that hold splits or the layout of GUE, in the order of GUE.

    Args:
        places: Folders.
        names: Only these sets of GUE; empty for all.
        labels: All that follows, as a group; keywords override its fields.
        problem_type: The type of the labels of all sets; None to infer it.
        label: Name of the column of labels; None for `label`.
        sequences: Names of the one or two columns of sequences; empty for the usual names.

    Raises:
        ArgumentError: A named set does not exist, or there is no set.
        OSError: A folder does not exist.
    """
    wanted = [gue_set(name).name for name in names]
    found: list[Task] = []
    for place in map(Path, places):
        if not place.is_dir():
            raise FileNotFoundError(
                2, "no such folder; one with train.csv, dev.csv and test.csv is expected", str(place)
            )
        found += [_one(place)] if has_test(place) else _below(place)
    chosen = [task for task in found if not wanted or task.name in wanted]
    missing = sorted(set(wanted) - {task.name for task in chosen})
    shown = ", ".join(map(str, places))
    if missing:
        raise ArgumentError(
            f"{missing[0]}: not under {shown}; {gue_set(missing[0]).folder}/test.csv is expected"
        )
    if not chosen:
        raise ArgumentError(f"{shown}: no test.csv, and none of GUE's folders such as {gue_sets()[0].folder}")
    twice = {task.name for task in chosen if sum(task.name == other.name for other in chosen) > 1}
    if twice:
        raise ArgumentError(f"{min(twice)}: two data sets of this name; give them one by one")
    declared = LabelOptions(**{**asdict(labels or LabelOptions()), **keywords})
    return [replace(task, **asdict(declared)) for task in chosen]


def _one(place: Path) -> Task:
    """The set in a folder: one of GUE if the folder has its name."""
    full = place.resolve().as_posix()
    for known in gue_sets():
        if full.endswith(f"/{known.folder}") or place.resolve().name == known.name:
            return Task(known.name, place, known)
    return Task(place.resolve().name, place, None)


def _below(place: Path) -> list[Task]:
    """The sets of GUE below a folder."""
    folders = {known: (place / known.folder, place / known.name) for known in gue_sets()}
    return [
        Task(known.name, folder, known)
        for known, both in folders.items()
        for folder in dict.fromkeys(both)
        if has_test(folder)
    ]
