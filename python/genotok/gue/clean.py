"""Clean rows: test rows that share no locus with train or dev.

A score on all test rows of a set whose splits share loci measures memory in part; the score on the clean ones
does not. `evaluation.figures` gives both.
"""

# Shapes: N rows of test.

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.gue.loci import find_loci
from genotok.gue.splits import read_splits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genotok.gue.files import LabelledSplit
    from genotok.options import LocusOptions

__all__ = ["CleanRows", "clean_rows"]


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
    threads: int | None = None,
) -> CleanRows:
    """The clean rows of test, in the order of its file.

    Args:
        data: A folder with train.csv, dev.csv and test.csv, or what `read_splits` gives.
        options: When rows are of one locus; None for the defaults.
        threads: None for all cores.

    Raises:
        SequenceFileError: A file is malformed.
        ArgumentError: There is no test split, or an option is out of range.
        OSError: A file cannot be read.
    """
    splits = data if isinstance(data, Mapping) else read_splits(data)[0]
    loci = find_loci(splits, options, threads=threads)
    against = tuple(name for name in splits if name != "test")
    return CleanRows(loci.is_clean("test", against), loci.clusters["test"], against)
