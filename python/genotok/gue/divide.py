"""Cluster-disjoint splits: the rows of a set divided anew, so that no locus is in two splits.

Clusters (`loci`) that are in one split stay there. Each of the others goes, the largest first, to the split
whose numbers of rows by class come nearest to those of the original splits. Then clusters of rows of one
class move from splits that have too many of that class to those that have too few, in an order drawn by the
seed. So sizes and shares of the classes are kept as far as clusters can be divided. Numbers are divided by
tenths of their distribution instead of classes, and rows of several labels by the rarest of them.
"""

# Shapes: N rows of all splits, K clusters, S splits, C strata (classes, or what stands for them).

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genotok.errors import ArgumentError
from genotok.gue.loci import find_loci
from genotok.options import LocusOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from genotok.gue.files import LabelledSplit
    from genotok.gue.labels import Labels

__all__ = ["ClusterSplit", "divide"]

Ints: TypeAlias = "NDArray[np.int64]"

MAX_ROUNDS = 10
TENTHS = 10


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSplit:
    """Rows divided anew.

    Attributes:
        splits: The original splits.
        targets: Of each original split (N,) the number of the split that each row goes to.
        clusters: Of each original split (N,) the cluster of each row.
        clean: Number of test rows that shared no locus with another split before.
        seed: What was drawn by.
        options: What a locus is.
    """

    splits: Mapping[str, LabelledSplit]
    targets: dict[str, Ints]
    clusters: dict[str, Ints]
    clean: int
    seed: int
    options: LocusOptions

    def moved(self) -> dict[str, dict[str, int]]:
        """The number of rows of each original split that go to each split."""
        names = list(self.splits)
        counts = {name: np.bincount(found, minlength=len(names)) for name, found in self.targets.items()}
        return {name: dict(zip(names, one.tolist(), strict=True)) for name, one in counts.items()}

    def divided(self) -> dict[str, LabelledSplit]:
        """The new splits."""
        parts = {}
        for number, name in enumerate(self.splits):
            taken = [
                split.taken(np.flatnonzero(self.targets[origin] == number))
                for origin, split in self.splits.items()
            ]
            parts[name] = _concatenated(self.splits[name], taken)
        return parts


def divide(
    splits: Mapping[str, LabelledSplit],
    labels: Labels,
    *,
    seed: int = 1,
    options: LocusOptions | None = None,
    threads: int | None = None,
) -> ClusterSplit:
    """Divide the rows of all splits anew, so that no cluster is in two splits.

    Args:
        splits: In the order train, dev, test.
        labels: What their labels are.
        seed: Decides which clusters move.
        options: What a locus is; None for the defaults.
        threads: Threads that look for loci; None for all cores.

    Raises:
        ArgumentError: An option is out of range; or a cluster is so large that a split would be empty.
    """
    chosen = options or LocusOptions()
    loci = find_loci(splits, chosen, threads=threads)
    names, sizes = list(splits), [len(split) for split in splits.values()]
    origins = np.repeat(np.arange(len(names)), sizes)
    strata = _strata(labels, np.concatenate([split.labels for split in splits.values()]))
    clean = int(loci.is_clean("test", [name for name in names if name != "test"]).sum())
    clusters = np.concatenate(list(loci.clusters.values()))
    for _ in range(MAX_ROUNDS):
        targets = _targets(clusters, origins, strata, np.random.default_rng(seed))
        for number, name in enumerate(names):
            if not (targets == number).any():
                raise ArgumentError(f"{name}: would be empty, as the clusters are too large to be divided")
        parts, of_parts = (
            dict(zip(names, np.split(rows, np.cumsum(sizes)[:-1]), strict=True))
            for rows in (targets, clusters)
        )
        found = ClusterSplit(splits, parts, of_parts, clean, seed, chosen)
        # The order of rows decides which k-mers are indexed, so with repeats a pair may be found only now.
        again = find_loci(found.divided(), chosen, threads=threads)
        anew = np.empty_like(clusters)
        anew[np.argsort(targets, kind="stable")] = np.concatenate(list(again.clusters.values()))
        if len(np.unique(anew * len(names) + targets)) == len(np.unique(anew)):
            return found
        clusters = _joined(clusters, anew)
    raise ArgumentError("loci: no splits without common ones were found; a larger max_sequences may help")


def _strata(labels: Labels, values: NDArray[Any]) -> Ints:
    """(N,) what the shares of are kept: classes, tenths of numbers, the rarest label of a row."""
    if labels.type == "regression":
        borders = np.quantile(values, np.arange(1, TENTHS) / TENTHS)
        tenths: Ints = np.searchsorted(borders, values, side="right").astype(np.int64)
        return tenths
    if labels.type == "multilabel":
        counts = values.sum(0)
        rarity = np.where(values > 0, counts, len(values) + 1)
        rarest: Ints = np.where(values.any(1), rarity.argmin(1), values.shape[1]).astype(np.int64)
        return rarest
    classes: Ints = values.astype(np.int64)
    return classes


def _targets(clusters: Ints, origins: Ints, strata: Ints, generator: np.random.Generator) -> Ints:
    """The split (N,) of each row."""
    num_splits, num_strata, number = (int(one.max()) + 1 for one in (origins, strata, clusters))
    contents = np.zeros((number, num_strata), np.int64)  # of each cluster, rows by stratum
    np.add.at(contents, (clusters, strata), 1)
    places = np.zeros((number, num_splits), bool)
    places[clusters, origins] = True
    wanted = np.zeros((num_splits, num_strata), np.int64)
    np.add.at(wanted, (origins, strata), 1)
    chosen = np.where(places.sum(1) == 1, places.argmax(1), -1)
    have = np.zeros_like(wanted)
    for split in range(num_splits):
        have[split] = contents[chosen == split].sum(0)
    across = np.flatnonzero(places.sum(1) > 1)
    across = across[np.lexsort((generator.permutation(len(across)), -contents[across].sum(1)))]
    for cluster in across.tolist():
        added = contents[cluster]
        change = (added * (2 * (have - wanted) + added)).sum(1)  # of the squared deviations
        chosen[cluster] = change.argmin()
        have[chosen[cluster]] += added
    _balance(chosen, contents, have, wanted, generator)
    return chosen[clusters]


def _balance(chosen: Ints, contents: Ints, have: Ints, wanted: Ints, generator: np.random.Generator) -> None:
    """Move clusters of one stratum to where rows of it are missing, while that lowers the deviations."""
    sizes = contents.sum(1)
    is_pure = contents.max(1) == sizes
    for stratum in range(contents.shape[1]):
        pool = np.flatnonzero(is_pure & (contents[:, stratum] > 0))
        for cluster in generator.permutation(pool).tolist():
            source, size = chosen[cluster], sizes[cluster]
            excess = have[:, stratum] - wanted[:, stratum]
            target = int(excess.argmin())
            if excess[source] - excess[target] > size and excess[source] > 0:
                chosen[cluster] = target
                have[source, stratum] -= size
                have[target, stratum] += size


def _joined(one: Ints, other: Ints) -> Ints:
    """The components of two partitions (N,) of the same rows."""
    joined = one
    while True:
        # The least number of each cluster of the one, then of the other, until nothing changes.
        before = joined
        for partition in (one, other):
            least = np.full(int(partition.max()) + 1, np.iinfo(np.int64).max)
            np.minimum.at(least, partition, joined)
            joined = least[partition]
        if (joined == before).all():
            return np.unique(joined, return_inverse=True)[1]


def _concatenated(first: LabelledSplit, parts: list[LabelledSplit]) -> LabelledSplit:
    """Rows of several splits as one."""
    return dataclasses.replace(
        first,
        sequences=tuple(one for part in parts for one in part.sequences),
        partners=tuple(one for part in parts for one in part.partners),
        texts=tuple(one for part in parts for one in part.texts),
        lines=np.concatenate([part.lines for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
