"""The splits of a data set: the files of a folder, and their labels.

A folder holds `train.csv`, `dev.csv` (or `valid.csv`, `val.csv`, `validation.csv`) and `test.csv`. Each may
also be `.tsv`, `.jsonl` or `.parquet`, and compressed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genotok.corpus.verdict import BASES, MAX_UNKNOWN, describe
from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.identity import files_sha256
from genotok.gue.files import LabelledSplit, read_labelled
from genotok.gue.labels import Labels, ProblemType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from genotok.options.learning import LabelKeywords

__all__ = ["SPLITS", "announce", "check_train", "has_test", "read_splits", "split_files", "with_train"]

SPLITS = ("train", "dev", "test")
STEMS = {"train": ("train",), "dev": ("dev", "valid", "val", "validation"), "test": ("test",)}
"""The possible file names of each split, without ending."""

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
"""The endings of tables; the ending of a compression may follow."""


DEV_SHARE = 0.15
"""Share of dev that stays dev where dev has to serve as train."""

REDUCED = "train is missing: trained on 85 % of dev, the rest of it is dev"


def read_splits(
    folder: str | os.PathLike[str],
    *,
    classes: int | None = None,
    known: bytes = BASES,
    allow_unknown: float = MAX_UNKNOWN,
    **options: Unpack[LabelKeywords],
) -> tuple[dict[str, LabelledSplit], Labels]:
    """All splits of a folder with their labels as numbers, and what the labels are.

    Args:
        folder: It holds train.csv, dev.csv (or valid.csv, val.csv, validation.csv) and test.csv; test.csv at
            least.
        classes: How many classes the set has, of names 0, 1, ...; None for those that are there.
        problem_type: What labels are; None to read it off them (`labels`).
        label: Name of the column of labels, where it is not `label`.
        sequences: Names of the columns of sequences, one or two, where they are not the usual ones.
        known: As for `read_labelled`.
        allow_unknown: As for `read_labelled`.

    Raises:
        SymbolError, SequenceFileError: A file is not what it should be; a label is above `classes` or, where
            train is there, in none of its rows.
        ArgumentError: There is no split, no test.csv, or two files of the dev split; or labels may be of
            several types, and none is declared.
        OSError: The folder is not there, or a file cannot be read.
    """
    place = Path(folder)
    found = {
        split: read_labelled(place / name, known=known, allow_unknown=allow_unknown, **options)
        for split, name in split_files(place).items()
    }
    what = _labels(place, list(found.values()), classes, options.get("problem_type"))
    numbered = {name: split.numbered(what) for name, split in found.items()}
    first = next(iter(numbered.values()))
    for split in numbered.values():
        _check_same_shape(first, split)
        row = what.missing(split.labels, first.labels)
        if row is not None:
            raise SequenceFileError(
                f"{split.place(row)}: label {split.texts[row]!r} is in no row of {first.path}"
            )
    return numbered, what


def with_train(splits: dict[str, LabelledSplit], seed: int = 0) -> tuple[dict[str, LabelledSplit], str]:
    """Splits with train and dev, each made of the other where it is missing; and a note on that, or ""."""
    if "train" in splits and "dev" in splits:
        return splits, ""
    whole = splits.get("dev", splits.get("train"))
    if whole is None or len(whole) < 4:
        raise ArgumentError(
            "train: no rows; train.csv and dev.csv, or one of them, are expected beside test.csv"
        )
    order = np.random.default_rng(seed).permutation(len(whole))
    kept = max(int(len(whole) * DEV_SHARE), 1)
    parts = {"train": whole.taken(np.sort(order[kept:])), "dev": whole.taken(np.sort(order[:kept]))}
    note = REDUCED if "dev" in splits else "there is no dev: 15 % of train are dev"
    return {**splits, **parts}, note


def check_train(read: dict[str, LabelledSplit], labels: Labels) -> None:
    """An error unless there is something to train on.

    Raises:
        SequenceFileError: All rows of train have the same label.
        ArgumentError: There are too few rows.
    """
    train = with_train(read)[0]["train"]
    if labels.is_constant(train.labels):
        raise SequenceFileError(
            f"{train.path}: all rows have one label, {train.texts[0]!r}; there is nothing to learn"
        )


def announce(
    name: str, read: dict[str, LabelledSplit], labels: Labels, notify: Callable[[str], object]
) -> dict[str, str | None]:
    """Report the labels of a set and its unknown symbols before training; the digests of its files, by split.

    Raises:
        SequenceFileError, ArgumentError: As `check_train`.
    """
    check_train(read, labels)
    notify(f"{name}: {labels.headline}")
    for part, split in with_train(read)[0].items():
        notify(f"{name}: {part}, {len(split):,} rows: {labels.describe(split.labels)}")
    for split in read.values():
        for text in (split.note, describe(split.symbols, split.unknown)):
            if text:
                notify(f"{split.path}: {text}")
    return dict(zip(read, files_sha256([split.path for split in read.values()]), strict=True))


def split_files(place: Path) -> dict[str, str]:
    """The name of the file of each split that a folder has.

    Raises:
        ArgumentError: There is no test split, or no other one; or there are two files of one.
        OSError: The folder is not there.
    """
    there = sorted(os.listdir(place))
    found = _files(place, there)
    if "test" not in found or len(found) == 1:
        listed = ", ".join(there[:8]) or "nothing"
        others = ", ".join(f"{stem}.csv" for stem in STEMS["dev"][1:])
        raise ArgumentError(
            f"{place}: train.csv, dev.csv (or {others}) and test.csv are expected, and there is: {listed}"
        )
    return found


def _labels(
    place: Path, splits: Sequence[LabelledSplit], classes: int | None, problem_type: ProblemType | None
) -> Labels:
    """The labels of all splits."""
    if classes:
        if problem_type not in {None, "classification"}:
            raise ArgumentError(
                f"{place}: problem_type={problem_type}: this set of GUE has {classes} classes"
            )
        return Labels(tuple(map(str, range(classes))))
    texts = [text for split in splits for text in split.texts]
    try:
        return Labels.of(texts, problem_type, column=splits[0].label_name, where=_finder(splits))
    except ArgumentError as error:
        raise ArgumentError(f"{place}: {error}") from None


def _finder(splits: Sequence[LabelledSplit]) -> Callable[[str], str]:
    """A function that returns file and line of the first row with a label."""

    def find(text: str) -> str:
        return next(split.place(split.texts.index(text)) for split in splits if text in split.texts)

    return find


def _files(place: Path, there: list[str]) -> dict[str, str]:
    """The file of each existing split."""
    found = {}
    for split, stems in STEMS.items():
        names = [name for stem in stems for name in there if _is_table(name, stem)]
        if len(names) > 1:
            raise ArgumentError(
                f"{place}: {' and '.join(names)} are there; one file of the {split} split is expected"
            )
        if names:
            found[split] = names[0]
    return found


def has_test(place: Path) -> bool:
    """Whether a folder holds a test split."""
    return place.is_dir() and any(_is_table(name, "test") for name in os.listdir(place))


def _is_table(name: str, stem: str) -> bool:
    """Whether a file is the table of this name."""
    from genotok.rows.formats import COMPRESSED_ENDINGS  # noqa: PLC0415 - loads pyarrow

    plain = next((name.removesuffix(ending) for ending in COMPRESSED_ENDINGS if name.endswith(ending)), name)
    return any(plain == f"{stem}{ending}" for ending in TABLES)


def _check_same_shape(first: LabelledSplit, other: LabelledSplit) -> None:
    """An error if only one of the splits has pairs."""
    if bool(first.partners) != bool(other.partners):
        raise SequenceFileError(f"{other.path}: has not as many columns of sequences as {first.path}")
