"""Clean rows: test rows that share no locus with train or dev.

A score on all test rows of a set whose splits share loci measures memory in part; the score on the clean ones
does not. `evaluation.figures` gives both.
"""

# Shapes: N rows of test.

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.gue.files import read_labelled
from genotok.gue.loci import find_loci
from genotok.gue.splits import split_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genotok.gue.files import LabelledSplit
    from genotok.options import LocusOptions

__all__ = ["CleanRows", "clean_rows", "clean_rows_of"]


@dataclass(frozen=True, slots=True, eq=False)
class CleanRows:
    """Which test rows are clean, and which belong together.

    Attributes:
        is_clean: (N,) whether a row is in no cluster with a row of the other splits.
        clusters: (N,) the cluster of each row, numbers over all splits.
        against: The other splits: train and dev, as far as they are there.
    """

    is_clean: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    against: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.is_clean)

    @property
    def note(self) -> str:
        """What the mask does not know, in a sentence; "" if nothing."""
        missing = [name for name in ("train", "dev") if name not in self.against]
        names = " and ".join(missing)
        return f"{names} not available: rows that share a locus with it count as clean" if missing else ""


def clean_rows(
    data: str | os.PathLike[str] | Mapping[str, LabelledSplit],
    options: LocusOptions | None = None,
    *,
    sequences: Sequence[str] = (),
    threads: int | None = None,
) -> CleanRows:
    """The clean rows of test, in the order of its file.

    Args:
        data: A folder with train.csv, dev.csv and test.csv, or what `read_splits` gives.
        options: When rows are of one locus; None for the defaults.
        sequences: Of a folder, the names of the one or two columns of sequences; empty for the usual names.
        threads: None for all cores.

    Raises:
        SequenceFileError: A file is malformed.
        ArgumentError: There is no test split, or no other one; or an option is out of range.
        OSError: A file cannot be read.
    """
    if isinstance(data, Mapping):
        splits = data
    else:
        place = Path(data)
        splits = {name: _sequences(place / file, sequences) for name, file in split_files(place).items()}
    loci = find_loci(splits, options, threads=threads)
    against = tuple(name for name in splits if name != "test")
    return CleanRows(loci.is_clean("test", against), loci.clusters["test"], against)


def _sequences(path: Path, columns: Sequence[str]) -> LabelledSplit:
    """The sequences of a file, whatever its labels are: labels of several types may be empty."""
    return read_labelled(
        path, need_labels=False, allow_unknown=1.0, problem_type="multilabel", sequences=columns
    )


def clean_rows_of(files: Sequence[str], sequences: Sequence[str] = ()) -> CleanRows | None:
    """The clean rows of files, if they are one file that is the test split of its folder; else None."""
    if len(files) != 1 or not os.path.isfile(files[0]):
        return None
    path = Path(files[0])
    try:
        found = split_files(path.parent)
    except ArgumentError:
        return None
    return clean_rows(path.parent, sequences=sequences) if found["test"] == path.name else None
